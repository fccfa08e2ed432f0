/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_MSG_H
#define _AF_BUS_MSG_H

/* A message, and its copies. */

#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <linux/uidgid.h>
#include <net/scm.h>

struct afbus_hold;
struct afbus_inflight;

/*
 * What a message weighs beside its bytes, in its sender's budget and in every
 * queue: the memory that a short one takes. It is part of the contract. Limits
 * that counted the allocator's sizes would differ from kernel to kernel.
 */
#define AFBUS_MSG_OVERHEAD	768

/**
 * struct afbus_msg - what all copies of a message share
 * @ref: one per copy, and one of the send under way: the message ends with them
 * @unread: of these, the ones that the sender is charged for; set at commit
 * @skb: the original, in whose headroom this is; owned by the message. Its
 *	socket is the sender while that is charged, with a reference
 * @seq: place in the sequence; written at commit, before the first copy shows
 * @src: prefix-0 address of the sender
 * @pid: of the sender
 * @uid: of the sender
 * @gid: of the sender
 * @secid: the sender's security label
 * @inflight: account of its descriptors, NULL if it has none
 * @fds_left: lists of descriptors that the sender is charged for: the send's
 *	and those of recipients; valid with @inflight
 * @fds: descriptors in each list; valid with @inflight
 * @buses: bus sockets among them, 0 without descriptors
 *
 * If the original is the only copy, it is in a queue itself and nothing is
 * counted: the message ends with it.
 */
struct afbus_msg {
	refcount_t		ref;
	refcount_t		unread;
	struct sk_buff		*skb;
	u64			seq;
	u64			src;
	struct pid		*pid;
	kuid_t			uid;
	kgid_t			gid;
	u32			secid;
	unsigned int		buses;
	unsigned int		fds;
	refcount_t		fds_left;
	struct afbus_inflight	*inflight;
};

/**
 * struct afbus_cb - control block of one copy
 * @msg: what it shares with the others
 * @fp: its own descriptors
 * @hold: tells the collector of its bus sockets, NULL if it has none
 * @lost: how many copies the recipient has missed before this one
 * @weight: what it weighs in the queue: the whole message, even if a filter has
 *	cut the copy
 * @eaves: the recipient only watches: the sender is not charged for @fp
 * @watched: the recipient is charged for @fp
 * @paid: the sender is charged until the copy is taken; once the copy is in a
 *	queue, under the lock of that
 */
struct afbus_cb {
	struct afbus_msg	*msg;
	struct scm_fp_list	*fp;
	struct afbus_hold	*hold;
	u64			lost;
	unsigned int		weight;
	bool			eaves;
	bool			watched;
	bool			paid;
};

#define AFBUS_CB(skb) ((struct afbus_cb *)(skb)->cb)

/* What a message of @len bytes weighs. */
static inline unsigned int afbus_weight(size_t len)
{
	return len + AFBUS_MSG_OVERHEAD;
}

#endif /* _AF_BUS_MSG_H */
