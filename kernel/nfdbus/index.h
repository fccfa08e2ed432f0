/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NFDBUS_INDEX_H
#define _NFDBUS_INDEX_H

/* How rules are found in their table, by requests and by messages. */

#include <linux/jhash.h>
#include "nfdbus.h"

/* Inlined, since messages wait for it; the table's own would be called. */
static inline u32 nfdbus_index_hash(const void *key, u32 len, u32 seed)
{
	const struct nfdbus_index *index = key;

	return jhash_3words((unsigned long)index->client, index->class,
			    index->hash, seed);
}

static inline int nfdbus_index_differs(struct rhashtable_compare_arg *arg,
				       const void *obj)
{
	const struct nfdbus_index *a = arg->key;
	const struct nfdbus_index *b = &((const struct nfdbus_entry *)obj)->index;

	return a->client != b->client || a->class != b->class ||
	       a->hash != b->hash;
}

static const struct rhashtable_params nfdbus_rule_params = {
	.key_len		= sizeof_field(struct nfdbus_entry, index),
	.key_offset		= offsetof(struct nfdbus_entry, index),
	.head_offset		= offsetof(struct nfdbus_entry, node),
	.hashfn			= nfdbus_index_hash,
	.obj_cmpfn		= nfdbus_index_differs,
	.automatic_shrinking	= true,
};

#endif /* _NFDBUS_INDEX_H */
