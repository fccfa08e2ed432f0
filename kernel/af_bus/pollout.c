// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that wait without sleeping. A send that got EAGAIN for a full
 * recipient leaves its socket in the recipient's line, where it is called like
 * any other, by an edge of POLLOUT. Its ticket stands when it comes back.
 *
 * Until then POLLOUT is withheld: a level-triggered event loop would spin
 * between poll() and EAGAIN. From the edge on it is shown to everybody who
 * polls, until the socket tries that recipient again, even if another recipient
 * refuses it meanwhile: so a program that sends to several recipients through
 * one socket loses no edge. But a program may have given up what it had for the
 * recipient that it was told of: so that recipient stops counting after
 * AFBUS_MAX_POLLOUT more refusals by others.
 */

#include <linux/slab.h>
#include "bus.h"
#include "pollout.h"
#include "send.h"
#include "sock.h"

/**
 * struct afbus_pollout_waiter - a socket that waits for a recipient
 * @waiter: its place in the recipient's line
 * @wait: what is told; its ticket is kept until a message gets through
 * @told: 0 if the socket has not been told since it tried @to; else the number
 *	of refusals by others after which that is forgotten
 * @to: the recipient
 * @from_node: in afbus_sock.pollout_waiters of the sender
 * @to_node: in afbus_sock.awaited_by of the recipient
 */
struct afbus_pollout_waiter {
	struct afbus_waiter	waiter;
	struct afbus_wait	wait;
	atomic_t		told;
	struct afbus_sock	*to;
	struct list_head	from_node;
	struct list_head	to_node;
};

static struct afbus_pollout_waiter *afbus_pollout_of(struct afbus_wait *wait)
{
	return container_of(wait, struct afbus_pollout_waiter, wait);
}

/*
 * @told belongs to one recipient of the socket, or to a reason that has no
 * waiter.
 */
static void afbus_told_set(struct afbus_sock *from, atomic_t *told)
{
	if (!atomic_xchg(told, AFBUS_MAX_POLLOUT))
		atomic_inc(&from->nr_told);
}

static void afbus_told_clear(struct afbus_sock *from, atomic_t *told)
{
	if (atomic_xchg(told, 0))
		atomic_dec(&from->nr_told);
}

/* Another recipient has refused the socket. */
static void afbus_told_age(struct afbus_sock *from, atomic_t *told)
{
	if (!atomic_dec_if_positive(told))
		atomic_dec(&from->nr_told);
}

/**
 * afbus_pollout_tell() - tell a socket that it may try a recipient again
 * @wait: of the socket, under the lock of the recipient's queue
 */
void afbus_pollout_tell(struct afbus_wait *wait)
{
	afbus_told_set(wait->from, &afbus_pollout_of(wait)->told);
	/* The wake-up has the barrier: a poll after it sees that. */
	afbus_wake_pollout(wait->from);
}

/**
 * afbus_pollout_tell_any() - tell a socket that it may try again, and not whom
 * @from: the socket
 *
 * For reasons to wait that have no waiter: the socket's own queue and budget,
 * and recipients that are gone. A recipient that refused the socket before must
 * not withhold that.
 */
void afbus_pollout_tell_any(struct afbus_sock *from)
{
	afbus_told_set(from, &from->told_any);
	/* As in afbus_pollout_tell(). */
	afbus_wake_pollout(from);
}

/**
 * afbus_pollout_is_withheld() - whether a poll for POLLOUT should not show it
 * @s: the sender
 */
bool afbus_pollout_is_withheld(const struct afbus_sock *s)
{
	return READ_ONCE(s->refused) && !atomic_read(&s->nr_told);
}

/**
 * afbus_pollout_quit() - stop waiting, since the reason to wait may be gone
 * @wait: of a socket
 *
 * Return: whether it waited: its POLLOUT is to be woken up.
 */
bool afbus_pollout_quit(struct afbus_wait *wait)
{
	struct afbus_pollout_waiter *p = afbus_pollout_of(wait);

	lockdep_assert_held(&p->to->bus->lock);

	if (READ_ONCE(p->waiter.state) != AFBUS_WAITING)
		return false;
	if (afbus_line_leave(p->to, &p->waiter, false))
		afbus_line_kick(p->to);
	afbus_told_set(wait->from, &p->told);
	return true;
}

static struct afbus_pollout_waiter *
afbus_pollout_find(const struct afbus_sock *from, const struct afbus_sock *to)
{
	struct afbus_pollout_waiter *p;

	lockdep_assert_held(&to->bus->lock);

	list_for_each_entry(p, &from->pollout_waiters, from_node) {
		if (p->to == to)
			return p;
	}
	return NULL;
}

/**
 * afbus_pollout_ticket() - the place that a socket has in a recipient's line
 * @from: the sender
 * @to: the recipient
 *
 * Return: its ticket, U64_MAX without.
 */
u64 afbus_pollout_ticket(const struct afbus_sock *from,
			 const struct afbus_sock *to)
{
	struct afbus_pollout_waiter *p = afbus_pollout_find(from, to);

	return p && p->wait.ticket ? p->wait.ticket : U64_MAX;
}

/**
 * afbus_pollout_take_ticket() - let a send that sleeps wait in its socket's place
 * @from: the sender
 * @to: the recipient
 *
 * Return: the ticket, 0 without. No two waiters in a line have the same.
 */
u64 afbus_pollout_take_ticket(struct afbus_sock *from, struct afbus_sock *to)
{
	struct afbus_pollout_waiter *p = afbus_pollout_find(from, to);
	u64 ticket = 0;

	if (p && READ_ONCE(p->waiter.state) == AFBUS_IDLE)
		swap(ticket, p->wait.ticket);
	return ticket;
}

/* Return: whether the recipient's line is still to be served. */
static bool afbus_pollout_drop(struct afbus_pollout_waiter *p)
{
	bool others;

	lockdep_assert_held(&p->to->bus->lock);

	others = afbus_line_leave(p->to, &p->waiter, true);
	afbus_told_clear(p->wait.from, &p->told);
	list_del(&p->wait.bus_node);
	list_del(&p->from_node);
	list_del(&p->to_node);
	p->wait.from->nr_pollout_waiters--;
	kfree(p);
	return others;
}

/**
 * afbus_pollout_is_lacking() - whether afbus_pollout_refuse() has nothing to leave
 * @s: the send, not admitted under this hold of the lock
 *
 * A sender that tries again and again has left a waiter the first time.
 */
bool afbus_pollout_is_lacking(const struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	return !s->pollout && !afbus_pollout_find(s->from, s->full->to);
}

/**
 * afbus_pollout_prepare() - get what afbus_pollout_refuse() uses up
 * @s: the send
 *
 * Return: 0 or -ENOMEM.
 */
int afbus_pollout_prepare(struct afbus_send *s)
{
	s->pollout = kzalloc(sizeof(*s->pollout), GFP_KERNEL_ACCOUNT);
	return s->pollout ? 0 : -ENOMEM;
}

/**
 * afbus_pollout_free() - give up a waiter that was prepared and not used up
 * @s: the send
 */
void afbus_pollout_free(struct afbus_send *s)
{
	kfree(s->pollout);
	s->pollout = NULL;
}

/* There are too many: tell of the oldest now, so that it is not lost. */
static void afbus_pollout_make_way(struct afbus_send *s)
{
	struct afbus_sock *from = s->from, *to;
	struct afbus_pollout_waiter *p;

	if (from->nr_pollout_waiters < AFBUS_MAX_POLLOUT)
		return;
	p = list_first_entry(&from->pollout_waiters,
			     struct afbus_pollout_waiter, from_node);
	to = p->to;
	if (afbus_pollout_drop(p))
		afbus_line_kick(to);
	afbus_told_set(from, &from->told_any);
	s->wake_own = true;
}

/* Use up @s->pollout. */
static struct afbus_pollout_waiter *afbus_pollout_make(struct afbus_send *s)
{
	struct afbus_sock *from = s->from, *to = s->full->to;
	struct afbus_pollout_waiter *p = s->pollout;

	lockdep_assert_held(&s->bus->lock);

	afbus_pollout_make_way(s);
	s->pollout = NULL;
	p->waiter.wait = &p->wait;
	p->wait.from = from;
	p->to = to;
	INIT_LIST_HEAD(&p->wait.bus_node);
	list_add_tail(&p->from_node, &from->pollout_waiters);
	list_add_tail(&p->to_node, &to->awaited_by);
	from->nr_pollout_waiters++;
	return p;
}

/* The socket has been refused by @by: what it was told of others gets older. */
static void afbus_pollout_age(struct afbus_sock *from,
			      const struct afbus_pollout_waiter *by)
{
	struct afbus_pollout_waiter *p;

	lockdep_assert_held(&from->bus->lock);

	if (!atomic_read(&from->nr_told))
		return;
	afbus_told_age(from, &from->told_any);
	list_for_each_entry(p, &from->pollout_waiters, from_node) {
		if (p != by)
			afbus_told_age(from, &p->told);
	}
}

/**
 * afbus_pollout_refuse() - let the socket wait for the full recipient
 * @s: the send, not admitted under this hold of the lock, to fail with EAGAIN
 */
void afbus_pollout_refuse(struct afbus_send *s)
{
	struct afbus_pollout_waiter *p;

	lockdep_assert_held(&s->bus->lock);

	p = afbus_pollout_find(s->from, s->full->to);
	if (!p)
		p = afbus_pollout_make(s);
	if (!p->wait.ticket)
		p->wait.ticket = s->wait.ticket ?: ++s->bus->last_ticket;
	afbus_told_clear(s->from, &p->told);
	afbus_pollout_age(s->from, p);
	WRITE_ONCE(s->from->refused, true);
	WRITE_ONCE(p->wait.weight, s->weight);
	afbus_bus_wait(s->bus, &p->wait, s->unrouted);
	if (afbus_line_join(p->to, &p->waiter))
		afbus_touch(s, s->full);
}

/**
 * afbus_pollout_keep() - keep the place of a send whose sleep was cut short
 * @s: the send, routed under this hold of the lock
 *
 * Otherwise a sender that is interrupted again and again would start at the end
 * of the line each time.
 */
void afbus_pollout_keep(struct afbus_send *s)
{
	struct afbus_pollout_waiter *p;

	lockdep_assert_held(&s->bus->lock);

	p = afbus_pollout_find(s->from, s->full->to);
	if (!p && s->pollout)
		p = afbus_pollout_make(s);
	if (p && !p->wait.ticket)
		p->wait.ticket = s->wait.ticket;
}

/**
 * afbus_pollout_settle() - a message got through: end waits for its recipients
 * @s: the send, routed under this hold of the lock
 */
void afbus_pollout_settle(struct afbus_send *s)
{
	struct afbus_pollout_waiter *p, *next;
	struct afbus_rcpt *r;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry_safe(p, next, &s->from->pollout_waiters,
				 from_node) {
		if (p->to->stamp != s->bus->stamp)
			continue;
		r = &s->rcpts[p->to->slot];
		if (r->copy != AFBUS_COPY_QUEUED)
			continue;
		if (afbus_pollout_drop(p))
			afbus_touch(s, r);
	}
	if (s->from->refused) {
		WRITE_ONCE(s->from->refused, false);
		s->wake_own = true;
	}
}

/**
 * afbus_pollout_drop_all() - a sender closes
 * @s: its socket
 */
void afbus_pollout_drop_all(struct afbus_sock *s)
{
	struct afbus_pollout_waiter *p, *next;
	struct afbus_sock *to;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry_safe(p, next, &s->pollout_waiters, from_node) {
		to = p->to;
		if (afbus_pollout_drop(p))
			afbus_line_kick(to);
	}
}

/**
 * afbus_pollout_release() - a recipient closes: end all waits for it
 * @s: its socket, no recipient any more
 */
void afbus_pollout_release(struct afbus_sock *s)
{
	struct afbus_pollout_waiter *p;
	struct afbus_sock *from;

	do {
		from = NULL;
		spin_lock(&s->bus->lock);
		p = list_first_entry_or_null(&s->awaited_by,
					     struct afbus_pollout_waiter,
					     to_node);
		if (p) {
			from = p->wait.from;
			sock_hold(&from->sk);
			afbus_pollout_drop(p);
		}
		spin_unlock(&s->bus->lock);
		if (from) {
			afbus_pollout_tell_any(from);
			sock_put(&from->sk);
			cond_resched();
		}
	} while (from);
}
