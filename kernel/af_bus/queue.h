/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_QUEUE_H
#define _AF_BUS_QUEUE_H

/* The receive queue of a socket: whether it has room, and how messages leave it. */

#include <linux/bus.h>
#include <linux/skbuff.h>
#include "bus.h"
#include "sock.h"

/* Whether the receive queue has more messages than its length allows. */
static inline bool afbus_queue_long(const struct afbus_sock *s)
{
	return skb_queue_len_lockless(&s->sk.sk_receive_queue) > s->maxqlen;
}

/*
 * Whether the receive queue takes no message: there are too many in it, or they
 * weigh too much. If senders wait, a queue that has become too heavy stays full
 * until three quarters of the weight are gone: a sender that is woken for each
 * message takes the processor from its reader.
 */
static inline bool afbus_queue_full(const struct afbus_sock *s)
{
	if (afbus_queue_long(s))
		return true;
	if (!READ_ONCE(s->draining))
		return false;
	return READ_ONCE(s->bus->overflow) == BUS_OVERFLOW_BLOCK ||
	       READ_ONCE(s->queued) >= s->max_queued;
}

/*
 * Whether the queue takes one more message after @nr others that weigh @weight
 * together.
 */
static inline bool afbus_queue_takes(const struct afbus_sock *s,
				     unsigned int nr, u64 weight)
{
	unsigned int qlen = skb_queue_len_lockless(&s->sk.sk_receive_queue);

	return !afbus_queue_full(s) && (u64)qlen + nr <= s->maxqlen &&
	       READ_ONCE(s->queued) + weight < s->max_queued;
}

/**
 * afbus_wait_own() - see whether a client's own queue keeps it from sending
 * @s: the client
 *
 * Only the number of messages counts. It is below the limit after one read, so
 * a client that answers each message before it reads the next one goes on.
 *
 * Return: true if its queue is too long; it is told when it is not any more.
 */
static inline bool afbus_wait_own(struct afbus_sock *s)
{
	return afbus_queue_long(s) && afbus_line_own(s);
}

/* queue.c */
void afbus_unqueue(struct afbus_sock *s, struct sk_buff *skb);

/* recv.c */
struct sk_buff *afbus_queue_find(struct afbus_sock *s,
				 bool (*fits)(struct sk_buff *skb, void *arg),
				 void *arg, struct sk_buff **last);

#endif /* _AF_BUS_QUEUE_H */
