/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parsers of nfdbus use of the kernel, for user space: included before each of their
 * files. A message has a linear part and a rest, as a real one may have.
 */
#ifndef SHIM_H
#define SHIM_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define U64_MAX		UINT64_MAX
#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)	(1ull << (n))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#define min(a, b)	((a) < (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define __uninitialized
#undef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#define le64_to_cpu(x)	le64toh(x)
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))

struct sk_buff {
	const u8 *data;
	const u8 *rest;		/* what comes behind the linear part */
	u32 linear;
	u32 len;
};

/* As the kernel's: a pointer into the linear part, or a copy. */
static inline const void *skb_header_pointer(const struct sk_buff *skb, u32 at, u32 len, void *copy)
{
	u32 first;

	if (at <= skb->linear && len <= skb->linear - at)
		return skb->data + at;
	if (at > skb->len || len > skb->len - at)
		return NULL;
	first = at < skb->linear ? skb->linear - at : 0;
	memcpy(copy, skb->data + (first ? at : 0), first);
	memcpy((u8 *)copy + first, skb->rest + (at + first - skb->linear), len - first);
	return copy;
}

#endif
