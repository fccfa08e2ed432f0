// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commit: beyond the point of no return. Nothing here can fail or sleep.
 */

#include <linux/ktime.h>
#include "bus.h"
#include "fastpath.h"
#include "msg.h"
#include "queue.h"
#include "sock.h"
#include "trace.h"

/*
 * An eavesdropper's queue is full when any other would be, though nobody waits
 * for it.
 */
static bool afbus_eaves_full(const struct afbus_sock *s)
{
	return afbus_queue_long(s) || READ_ONCE(s->queued) >= s->max_queued;
}

/* The destination that tracepoints show. */
static u64 afbus_send_target(const struct afbus_send *s)
{
	return s->dst == BUS_MASTER_ADDR && s->from->kind == AFBUS_ACCEPTED ?
	       s->from->addr : s->dst;
}

/*
 * All copies have the same time, which is looked up if any recipient wants it.
 */
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
	bool lost = r->skb ? r->eaves && afbus_eaves_loses(r) :
			     r->copy == AFBUS_COPY_MISSED;

	lockdep_assert_held(&r->to->bus->lock);

	if (r->skb && !lost)
		return false;
	r->to->lost += lost;
	trace_drop(s->bus, s->msg->seq, s->msg->src, afbus_own_addr(r->to),
		   r->skb ? r->skb->len : s->len);
	return true;
}

static void afbus_commit_copy(struct afbus_send *s, struct afbus_rcpt *r,
			      ktime_t *now)
{
	struct sock *sk = &r->to->sk;

	lockdep_assert_held(&r->to->bus->lock);

	AFBUS_CB(r->skb)->lost = r->to->lost;
	r->to->lost = 0;
	/*
	 * The reader may be setting the option right now: it holds from this
	 * message on, or from the next.
	 */
	if (data_race(sock_flag(sk, SOCK_RCVTSTAMP)))
		afbus_commit_stamp(r->skb, now);

	if (trace_deliver_enabled())
		trace_deliver(s->bus, s->msg->seq, s->msg->src,
			      afbus_own_addr(r->to), r->skb->len);
	if (!r->eaves && s->unpaid) {
		AFBUS_CB(r->skb)->paid = true;
		s->unpaid--;
	}
	afbus_queue_add(r->to, r->skb);
	r->copy = AFBUS_COPY_QUEUED;
}

/*
 * The charge passes from the send to the message, and ends with the last copy.
 * The send counts as a copy until all of them are in their queues.
 */
static void afbus_commit_charge(struct afbus_send *s)
{
	struct sock *sk = &s->from->sk;

	lockdep_assert_held(&s->bus->lock);

	sock_hold(sk);
	s->msg->skb->sk = sk;
	s->charged = false;
	s->unpaid = s->live + 1;
	if (s->direct)
		return;
	refcount_set(&s->msg->unread, s->unpaid);
}

/**
 * afbus_commit() - give a message its place, and its copies to the recipients
 * @s: the send, admitted under this hold of the lock
 */
__fastpath void afbus_commit(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	ktime_t now = 0;

	lockdep_assert_held(&s->bus->lock);

	s->committed = true;
	s->msg->seq = ++s->bus->seq;
	if (s->bus->overflow != BUS_OVERFLOW_EVICT)
		afbus_commit_charge(s);
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
 * afbus_announce() - wake the reader of a recipient that got a copy
 * @r: the recipient; the lock is not held any more
 */
__fastpath void afbus_announce(struct afbus_rcpt *r)
{
	r->to->sk.sk_data_ready(&r->to->sk);
}
