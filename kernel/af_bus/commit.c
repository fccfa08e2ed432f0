// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commit: beyond the point of no return. Nothing here can fail or sleep.
 */

#include <linux/ktime.h>
#include "send.h"
#include "trace.h"

/*
 * An eavesdropper has the queue length of everyone, and since its copies are
 * charged to nobody else, a bound in bytes: what a queue of the default
 * length could hold at most.
 */
static bool afbus_eaves_full(const struct afbus_sock *s)
{
	long limit = (BUS_MAX_QLEN + 1L) * READ_ONCE(s->sk.sk_sndbuf);
	long bytes = atomic_read(&s->sk.sk_rmem_alloc);

	return afbus_queue_full(s) || bytes > INT_MAX / 2 ||
	       (skb_queue_len_lockless(&s->sk.sk_receive_queue) > BUS_MAX_QLEN &&
		bytes > limit);
}

/* Where a message goes, for those who watch. */
static u64 afbus_send_target(const struct afbus_send *s)
{
	return s->dst == BUS_MASTER_ADDR && s->from->kind == AFBUS_ACCEPTED ?
	       s->from->addr : s->dst;
}

/* All copies have the same time, which is only looked up if anybody asks. */
static void afbus_commit_stamp(struct sk_buff *skb, ktime_t *now)
{
	if (!*now)
		*now = ktime_get_real();
	skb->tstamp = *now;
}

/* Whether an eavesdropper has no room for its copy, or for its descriptors. */
static bool afbus_eaves_loses(struct afbus_rcpt *r)
{
	return afbus_eaves_full(r->to) || !afbus_scm_watch(r);
}

/* Whether the recipient gets nothing: by a filter, or as an eavesdropper. */
static bool afbus_commit_drop(struct afbus_send *s, struct afbus_rcpt *r)
{
	bool lost = r->skb ? r->eaves && afbus_eaves_loses(r) : r->missed;

	lockdep_assert_held(&r->to->bus->lock);

	if (r->skb && !lost)
		return false;
	r->to->lost += lost;
	trace_drop(s->bus, s->msg->seq, s->msg->src, afbus_own_addr(r->to),
		   r->skb ? r->skb->len : s->len);
	return true;
}

/* The lock of the queue keeps readers out; the bus lock keeps other senders out. */
static void afbus_commit_queue(struct afbus_sock *to, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &to->sk.sk_receive_queue;

	lockdep_assert_held(&to->bus->lock);

	spin_lock_irq(&queue->lock);
	__skb_queue_tail(queue, skb);
	WRITE_ONCE(to->queued, to->queued + skb->len);
	spin_unlock_irq(&queue->lock);
}

static void afbus_commit_copy(struct afbus_send *s, struct afbus_rcpt *r,
			      ktime_t *now)
{
	struct sock *sk = &r->to->sk;

	lockdep_assert_held(&r->to->bus->lock);

	AFBUS_CB(r->skb)->lost = r->to->lost;
	r->to->lost = 0;
	/* Asked for at any time: as of before or after this message. */
	if (data_race(sock_flag(sk, SOCK_RCVTSTAMP)))
		afbus_commit_stamp(r->skb, now);

	if (trace_deliver_enabled())
		trace_deliver(s->bus, s->msg->seq, s->msg->src,
			      afbus_own_addr(r->to), r->skb->len);
	afbus_commit_queue(r->to, r->skb);
	r->queued = true;
}

/**
 * afbus_commit() - give a message its place, and its copies to the recipients
 * @s: the send, admitted under this hold of the lock
 */
static void afbus_commit(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	ktime_t now = 0;

	lockdep_assert_held(&s->bus->lock);

	s->committed = true;
	s->msg->seq = ++s->bus->seq;
	if (trace_send_enabled())
		trace_send(s->bus, s->msg->seq, s->msg->src,
			   afbus_send_target(s), s->len);
	afbus_for_each_live(r, s) {
		if (!r->evict && !afbus_commit_drop(s, r))
			afbus_commit_copy(s, r, &now);
	}
	if (!list_empty(&s->from->pollout_waiters))
		afbus_pollout_settle(s);

	if (s->bus->overflow != BUS_OVERFLOW_EVICT)
		return;

	/* The message comes before the evictions that it causes. */
	afbus_for_each_live(r, s) {
		if (r->evict)
			afbus_bus_expel(r->to, ENOBUFS);
	}
}

/**
 * afbus_announce() - wake the reader of one who got a copy
 * @r: the recipient; the lock is not held any more
 */
static void afbus_announce(struct afbus_rcpt *r)
{
	r->to->sk.sk_data_ready(&r->to->sk);
}
