// SPDX-License-Identifier: GPL-2.0-only
/*
 * Garbage: bus sockets whose only descriptors are in messages that only they
 * could read.
 *
 * A socket in flight is a candidate if every reference on its file is that of
 * a queued message, or of one about to be queued. References from the queues
 * of candidates are then taken away; a candidate that still has some is alive,
 * since something that is not a candidate holds it, and so is what is in its
 * queue. What remains is garbage: the messages that hold it are thrown away.
 *
 * All this happens under one lock, which is also taken when descriptors are
 * put in flight and when they come out of it. In between:
 *
 *  - A candidate gets no reference from outside but through a message that
 *    was taken or peeked from a queue. Who takes it has to wait for the lock
 *    with the count of the socket not lowered yet. Who peeks waits for it as
 *    well, before the new descriptor can be used, and until then keeps alive
 *    the socket that it peeks from: see afbus_gc_barrier().
 *  - Messages are added to the queue of a candidate: it may be on a bus. What
 *    they hold has been counted before, and was not taken away: it is alive.
 *  - Nothing is taken from the queue of a candidate, for want of a descriptor.
 *
 * Sockets held by anything else, queues of AF_UNIX among it, are alive.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include "af_bus.h"

/* When what has become garbage without a socket being closed is looked for. */
#define AFBUS_GC_LATER	(5 * HZ)

static void afbus_gc_work(struct work_struct *work);

static DEFINE_SPINLOCK(afbus_gc_lock);
static DECLARE_DELAYED_WORK(afbus_gc, afbus_gc_work);
static LIST_HEAD(afbus_gc_socks);
static unsigned long afbus_gc_total;

static struct afbus_sock *afbus_gc_sock(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || READ_ONCE(sock->ops) != &afbus_ops || !sock->sk)
		return NULL;
	return afbus_sk(sock->sk);
}

/**
 * afbus_gc_count() - how many bus sockets are among some descriptors
 * @fp: the descriptors
 */
unsigned int afbus_gc_count(const struct scm_fp_list *fp)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < fp->count; i++)
		n += !!afbus_gc_sock(fp->fp[i]);
	return n;
}

/**
 * afbus_gc_add() - descriptors are put in flight
 * @fp: the descriptors
 */
void afbus_gc_add(const struct scm_fp_list *fp)
{
	struct afbus_sock *s;
	int i;

	spin_lock(&afbus_gc_lock);
	for (i = 0; i < fp->count; i++) {
		s = afbus_gc_sock(fp->fp[i]);
		if (!s)
			continue;
		if (!s->gc_inflight++)
			list_add_tail(&s->gc_node, &afbus_gc_socks);
		WRITE_ONCE(afbus_gc_total, afbus_gc_total + 1);
	}
	/* Their descriptors may be closed as soon as the message is sent. */
	queue_delayed_work(afbus_wq, &afbus_gc, AFBUS_GC_LATER);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_gc_sub() - descriptors are not in flight any more
 * @fp: the descriptors
 */
void afbus_gc_sub(const struct scm_fp_list *fp)
{
	struct afbus_sock *s;
	int i;

	spin_lock(&afbus_gc_lock);
	for (i = 0; i < fp->count; i++) {
		s = afbus_gc_sock(fp->fp[i]);
		if (!s)
			continue;
		if (!--s->gc_inflight)
			list_del_init(&s->gc_node);
		WRITE_ONCE(afbus_gc_total, afbus_gc_total - 1);
	}
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_gc_barrier() - descriptors of a queued message have been duplicated
 *
 * A collection that began before has not seen the new references. The caller
 * must not let them out before it has ended.
 */
void afbus_gc_barrier(void)
{
	spin_lock(&afbus_gc_lock);
	/* Nothing to do here: to have waited is the point. */
	spin_unlock(&afbus_gc_lock);
}

typedef void (*afbus_gc_fn)(struct afbus_sock *child, struct list_head *list);

static void afbus_gc_walk_queue(struct sk_buff_head *queue, afbus_gc_fn fn,
				struct list_head *list)
{
	struct afbus_sock *child;
	struct scm_fp_list *fp;
	struct sk_buff *skb;
	unsigned long flags;
	int i;

	spin_lock_irqsave(&queue->lock, flags);
	skb_queue_walk(queue, skb) {
		fp = AFBUS_CB(skb)->fp;
		for (i = 0; fp && i < fp->count; i++) {
			child = afbus_gc_sock(fp->fp[i]);
			if (child && child->gc_candidate)
				fn(child, list);
		}
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* Call @fn for each reference that @s has on a candidate. */
static void afbus_gc_walk(struct afbus_sock *s, afbus_gc_fn fn,
			  struct list_head *list)
{
	struct afbus_sock *embryo;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_walk_queue(&s->sk.sk_receive_queue, fn, list);
	if (s->kind != AFBUS_LISTENER)
		return;

	/* Connections that nobody has taken have no file but the listener's. */
	spin_lock(&s->bus->lock);
	list_for_each_entry(embryo, &s->bus->backlog, backlog_node)
		afbus_gc_walk_queue(&embryo->sk.sk_receive_queue, fn, list);
	spin_unlock(&s->bus->lock);
}

static void afbus_gc_take_away(struct afbus_sock *child, struct list_head *list)
{
	child->gc_refs--;
}

static void afbus_gc_revive(struct afbus_sock *child, struct list_head *alive)
{
	child->gc_candidate = false;
	list_move_tail(&child->gc_node, alive);
}

static bool afbus_gc_is_hit(struct sk_buff *skb)
{
	struct scm_fp_list *fp = AFBUS_CB(skb)->fp;
	struct afbus_sock *child;
	int i;

	for (i = 0; fp && i < fp->count; i++) {
		child = afbus_gc_sock(fp->fp[i]);
		if (child && child->gc_candidate)
			return true;
	}
	return false;
}

static void afbus_gc_collect_queue(struct sk_buff_head *queue,
				   struct sk_buff_head *hits)
{
	struct sk_buff *skb, *next;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	skb_queue_walk_safe(queue, skb, next) {
		if (afbus_gc_is_hit(skb)) {
			__skb_unlink(skb, queue);
			__skb_queue_tail(hits, skb);
		}
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static void afbus_gc_collect(struct afbus_sock *s, struct sk_buff_head *hits)
{
	struct afbus_sock *embryo;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_collect_queue(&s->sk.sk_receive_queue, hits);
	if (s->kind != AFBUS_LISTENER)
		return;

	spin_lock(&s->bus->lock);
	list_for_each_entry(embryo, &s->bus->backlog, backlog_node)
		afbus_gc_collect_queue(&embryo->sk.sk_receive_queue, hits);
	spin_unlock(&s->bus->lock);
}

static void afbus_gc_find_candidates(struct list_head *candidates)
{
	struct afbus_sock *s, *next;

	lockdep_assert_held(&afbus_gc_lock);

	list_for_each_entry_safe(s, next, &afbus_gc_socks, gc_node) {
		s->gc_refs = s->gc_inflight;
		s->gc_candidate =
			file_count(s->sk.sk_socket->file) == s->gc_inflight;
		if (s->gc_candidate)
			list_move_tail(&s->gc_node, candidates);
	}
}

/* Leave in @candidates what is garbage. */
static void afbus_gc_spare(struct list_head *candidates)
{
	struct afbus_sock *s, *next;
	LIST_HEAD(alive);

	lockdep_assert_held(&afbus_gc_lock);

	list_for_each_entry(s, candidates, gc_node)
		afbus_gc_walk(s, afbus_gc_take_away, NULL);
	list_for_each_entry_safe(s, next, candidates, gc_node) {
		if (s->gc_refs)
			afbus_gc_revive(s, &alive);
	}
	/* Grows at its end while it is walked. */
	list_for_each_entry(s, &alive, gc_node)
		afbus_gc_walk(s, afbus_gc_revive, &alive);
	list_splice_tail(&alive, &afbus_gc_socks);
}

static void afbus_gc_work(struct work_struct *work)
{
	struct sk_buff_head hits;
	LIST_HEAD(candidates);
	struct afbus_sock *s;

	__skb_queue_head_init(&hits);

	spin_lock(&afbus_gc_lock);
	afbus_gc_find_candidates(&candidates);
	afbus_gc_spare(&candidates);
	list_for_each_entry(s, &candidates, gc_node)
		afbus_gc_collect(s, &hits);
	list_splice_tail(&candidates, &afbus_gc_socks);
	spin_unlock(&afbus_gc_lock);

	/* The last references: the sockets close, as if by their owners. */
	__skb_queue_purge(&hits);

	spin_lock(&afbus_gc_lock);
	if (afbus_gc_total)
		queue_delayed_work(afbus_wq, &afbus_gc, AFBUS_GC_LATER);
	spin_unlock(&afbus_gc_lock);
}

/* One at a time asks for a collection: the work itself is not marked for more. */
static void afbus_gc_now(void)
{
	spin_lock(&afbus_gc_lock);
	mod_delayed_work(afbus_wq, &afbus_gc, 0);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_gc_run() - a socket has closed: something may have become garbage
 */
void afbus_gc_run(void)
{
	if (READ_ONCE(afbus_gc_total))
		afbus_gc_now();
}

/**
 * afbus_gc_throttle() - keep one who puts sockets in flight from outrunning us
 */
void afbus_gc_throttle(void)
{
	afbus_gc_now();
	flush_delayed_work(&afbus_gc);
}

/* No socket is left. */
void afbus_gc_exit(void)
{
	cancel_delayed_work_sync(&afbus_gc);
}
