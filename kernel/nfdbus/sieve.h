/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NFDBUS_SIEVE_H
#define _NFDBUS_SIEVE_H

/* What a client's sieve holds: a Bloom filter, each of whose words is one. */

#include "nfdbus.h"

static inline u32 nfdbus_sieve_place(u32 hash)
{
	return hash % NFDBUS_SIEVE_WORDS;
}

/* The bits of a hash in its word. */
static inline u64 nfdbus_sieve_bits(u32 hash)
{
	return BIT_ULL(hash >> 6 & 63) | BIT_ULL(hash >> 12 & 63) |
	       BIT_ULL(hash >> 18 & 63);
}

/* Whether there may be a rule with this hash: if not, there is none. */
static inline bool nfdbus_sieve_may_hold(const struct nfdbus_sieve *sieve,
					 u32 hash)
{
	u64 bits = nfdbus_sieve_bits(hash);

	return (sieve->words[nfdbus_sieve_place(hash)] & bits) == bits;
}

#endif /* _NFDBUS_SIEVE_H */
