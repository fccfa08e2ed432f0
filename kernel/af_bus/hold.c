// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bus sockets in flight: which sockets hold them in their queues.
 *
 * A socket in flight is *held* by each socket with a copy in its queue that
 * carries a descriptor of it. Each such copy has one struct afbus_hold, linked
 * to the socket whose queue it is in or about to enter. An accepted socket in
 * the backlog has no file of its own: the listening socket holds it, by
 * afbus_sock.gc_place, from the first copy with bus sockets until accept().
 *
 * This graph is for the collector (gc.c), which walks it while it changes. Each
 * change *touches* the sockets that it concerns: if they are candidates of a
 * collection, it takes them for alive.
 *
 * afbus_gc_lock guards the graph. No lock is taken under it, and it is held for
 * the descriptors of one message at most, here, and for a batch of the
 * collector. A socket that has never been in flight takes it only to leave the
 * backlog.
 */

#include <linux/slab.h>
#include "gc.h"
#include "hold.h"
#include "ops.h"
#include "sock.h"

DEFINE_SPINLOCK(afbus_gc_lock);
LIST_HEAD(afbus_gc_socks);
LIST_HEAD(afbus_gc_alive);
unsigned long afbus_gc_total;
unsigned long afbus_gc_round;

static struct afbus_sock *afbus_hold_sock(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || READ_ONCE(sock->ops) != &afbus_ops || !sock->sk)
		return NULL;
	return afbus_sk(sock->sk);
}

/**
 * afbus_hold_count() - how many bus sockets are among some descriptors
 * @fp: the descriptors
 */
unsigned int afbus_hold_count(const struct scm_fp_list *fp)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < fp->count; i++)
		n += !!afbus_hold_sock(fp->fp[i]);
	return n;
}

/**
 * afbus_gc_revive() - a socket is alive as of now, and so is what it holds
 * @s: the socket
 */
void afbus_gc_revive(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (s->gc_state != AFBUS_GC_CANDIDATE)
		return;
	s->gc_state = AFBUS_GC_ALIVE;
	list_move_tail(&s->gc_node, &afbus_gc_alive);
}

static void afbus_hold_ref(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_revive(s);
	s->gc_known = true;
	if (!s->gc_inflight++ && s->gc_state == AFBUS_GC_IDLE)
		list_add_tail(&s->gc_node, &afbus_gc_socks);
	WRITE_ONCE(afbus_gc_total, afbus_gc_total + 1);
}

static void afbus_hold_unref(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_revive(s);
	/* If it is alive, it stays until the collector has spread from it. */
	if (!--s->gc_inflight && s->gc_state == AFBUS_GC_IDLE)
		list_del_init(&s->gc_node);
	WRITE_ONCE(afbus_gc_total, afbus_gc_total - 1);
}

/**
 * afbus_hold_each() - call a function for each socket of a hold
 * @hold: the hold
 * @fn: the function
 *
 * Return: the number of descriptors looked at.
 */
unsigned int afbus_hold_each(struct afbus_hold *hold,
			     void (*fn)(struct afbus_sock *s))
{
	struct afbus_sock *s;
	int i;

	lockdep_assert_held(&afbus_gc_lock);

	if (!hold->fp) {
		fn(container_of(hold, struct afbus_sock, gc_place));
		return 1;
	}
	for (i = 0; i < hold->fp->count; i++) {
		s = afbus_hold_sock(hold->fp->fp[i]);
		if (s)
			fn(s);
	}
	return hold->fp->count;
}

static void afbus_hold_link(struct afbus_hold *hold, struct afbus_sock *by)
{
	lockdep_assert_held(&afbus_gc_lock);

	hold->round = afbus_gc_round;
	list_add_tail(&hold->node, &by->gc_holds);
	afbus_hold_each(hold, afbus_hold_ref);
}

static void afbus_hold_unlink(struct afbus_hold *hold)
{
	lockdep_assert_held(&afbus_gc_lock);

	list_del_init(&hold->node);
	afbus_hold_each(hold, afbus_hold_unref);
}

/**
 * afbus_hold_alloc() - get the hold of a copy that has no recipient yet
 * @fp: its descriptors
 *
 * Return: the hold, which kfree() ends before afbus_hold_add(), and
 * afbus_hold_del() afterwards; NULL without memory.
 */
struct afbus_hold *afbus_hold_alloc(const struct scm_fp_list *fp)
{
	struct afbus_hold *hold;

	hold = kmalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (hold)
		hold->fp = fp;
	return hold;
}

/**
 * afbus_hold_add() - a copy with bus sockets is to be queued
 * @hold: its hold; the send has other references on its descriptors until
 *	the copy is queued
 * @to: its recipient
 */
void afbus_hold_add(struct afbus_hold *hold, struct afbus_sock *to)
{
	spin_lock(&afbus_gc_lock);
	afbus_hold_link(hold, to);
	if (to->gc_listener && list_empty(&to->gc_place.node))
		afbus_hold_link(&to->gc_place, to->gc_listener);
	spin_unlock(&afbus_gc_lock);

	afbus_gc_later();
}

/**
 * afbus_hold_del() - a copy has left the queue
 * @hold: its hold, which ends; the caller still has the references
 */
void afbus_hold_del(struct afbus_hold *hold)
{
	spin_lock(&afbus_gc_lock);
	afbus_hold_unlink(hold);
	spin_unlock(&afbus_gc_lock);
	kfree(hold);
}

/**
 * afbus_hold_peek() - descriptors of a queued copy have been duplicated
 * @hold: the hold of the copy
 *
 * Called before the new descriptors can be used.
 */
void afbus_hold_peek(struct afbus_hold *hold)
{
	spin_lock(&afbus_gc_lock);
	afbus_hold_each(hold, afbus_gc_revive);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_hold_accept() - a connection has left the backlog
 * @accepted: its accepted socket
 */
void afbus_hold_accept(struct afbus_sock *accepted)
{
	spin_lock(&afbus_gc_lock);
	accepted->gc_listener = NULL;
	if (!list_empty(&accepted->gc_place.node))
		afbus_hold_unlink(&accepted->gc_place);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_hold_forget() - a socket closes, with nothing in its queue
 * @s: the socket
 */
void afbus_hold_forget(struct afbus_sock *s)
{
	/*
	 * No descriptor is left by which it could be put in flight for the
	 * first time.
	 */
	if (!s->gc_known)
		return;

	spin_lock(&afbus_gc_lock);
	s->gc_state = AFBUS_GC_IDLE;
	list_del_init(&s->gc_node);
	spin_unlock(&afbus_gc_lock);
}
