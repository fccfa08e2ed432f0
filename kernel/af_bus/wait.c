// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends that sleep. A send waits at every recipient that has no room for it,
 * with one ticket, and is woken when all of them have called it. Until then the
 * recipients that called it first keep room for it: for a patience at most, if
 * others want it (line.c).
 */

#include <linux/sched/signal.h>
#include "bus.h"
#include "msg.h"
#include "pollout.h"
#include "queue.h"
#include "send.h"
#include "sock.h"
#include "trace.h"

static void afbus_wait_wake(struct afbus_wait *wait)
{
	WRITE_ONCE(wait->woken, true);
	wake_up_process(wait->task);
}

/**
 * afbus_wait_tell() - tell a sender that waits of room, or of a change
 * @wait: the wait; under the lock of the queue in whose line it stood
 */
void afbus_wait_tell(struct afbus_wait *wait)
{
	if (!wait->task)
		afbus_pollout_tell(wait);
	else if (atomic_dec_and_test(&wait->pending))
		afbus_wait_wake(wait);
}

static void afbus_wait_leave(struct afbus_send *s, struct afbus_rcpt *r,
			     bool called)
{
	if (afbus_line_leave(r->to, &r->waiter, called))
		afbus_touch(s, r);
}

/**
 * afbus_wait_dequeue() - leave the lines in which the send was not called yet
 * @s: the send
 *
 * The send tries again. From here on no line changes @s->wait.pending.
 */
void afbus_wait_dequeue(struct afbus_send *s)
{
	struct afbus_rcpt *r;

	lockdep_assert_held(&s->bus->lock);

	list_del_init(&s->wait.bus_node);
	if (atomic_read(&s->wait.pending) <= 0)
		return;
	afbus_for_each_rcpt(r, s) {
		if (r->enlisted)
			afbus_wait_leave(s, r, false);
	}
}

/**
 * afbus_wait_end() - stop waiting, having sent or given up
 * @s: the send
 */
void afbus_wait_end(struct afbus_send *s)
{
	struct afbus_rcpt *r;

	lockdep_assert_held(&s->bus->lock);

	list_del_init(&s->wait.bus_node);
	afbus_for_each_rcpt(r, s) {
		if (!r->enlisted)
			continue;
		afbus_wait_leave(s, r, true);
		r->enlisted = false;
	}
	s->waits = false;
}

static void afbus_wait_join(struct afbus_send *s, struct afbus_rcpt *r)
{
	/* Counted first: once it is in the line, the waiter may be called. */
	atomic_inc(&s->wait.pending);
	r->waiter.wait = &s->wait;
	if (!r->enlisted)
		r->waiter.state = AFBUS_IDLE;
	r->enlisted = true;
	if (afbus_line_join(r->to, &r->waiter))
		afbus_touch(s, r);
}

/**
 * afbus_wait_begin() - wait for room
 * @s: the send, not admitted under this hold of the lock
 */
void afbus_wait_begin(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	bool again;

	lockdep_assert_held(&s->bus->lock);

	if (!s->waits) {
		s->wait.task = current;
		INIT_LIST_HEAD(&s->wait.bus_node);
	}
	s->waits = true;
	WRITE_ONCE(s->wait.weight, s->weight);
	WRITE_ONCE(s->wait.woken, false);
	/* One for the send itself: no call wakes it before it sleeps. */
	atomic_set(&s->wait.pending, 1);
	afbus_bus_wait(s->bus, &s->wait, s->unrouted);
	trace_block(s->bus, s->bus->seq, s->msg->src,
		    afbus_own_addr(s->own_full ? s->from : s->full->to),
		    s->len);
	if (s->own_full)
		return;

	again = s->wait.ticket;
	if (!s->wait.ticket)
		s->wait.ticket = afbus_pollout_take_ticket(s->from, s->full->to);
	if (!s->wait.ticket)
		s->wait.ticket = ++s->bus->last_ticket;
	/*
	 * The first time it waits at one recipient only: the others are often read
	 * until that one has room.
	 */
	afbus_for_each_rcpt(r, s) {
		if (r->live && (again || r == s->full) &&
		    afbus_lacks_room(s, r))
			afbus_wait_join(s, r);
		else if (r->enlisted && !r->live)
			afbus_wait_leave(s, r, true);
	}
}

/**
 * afbus_wait_hand_over() - give the room that was not used to other waiters
 * @s: the send, committed, or waiting again, or given up
 *
 * A wake-up takes as long as a send: so not under the bus lock, where the whole
 * bus would wait for it.
 */
void afbus_wait_hand_over(struct afbus_send *s)
{
	struct sk_buff_head *queue;
	struct afbus_rcpt *r;
	unsigned long flags;

	lockdep_assert_not_held(&s->bus->lock);

	s->touched = false;
	afbus_for_each_rcpt(r, s) {
		if (!r->touched)
			continue;
		queue = &r->to->sk.sk_receive_queue;
		spin_lock_irqsave(&queue->lock, flags);
		afbus_line_serve(r->to);
		spin_unlock_irqrestore(&queue->lock, flags);
		r->touched = false;
	}
}

/**
 * struct afbus_sleeper - a send that sleeps
 * @wait: in the wait queue of the sender's own socket
 * @send: the send
 */
struct afbus_sleeper {
	wait_queue_entry_t	wait;
	struct afbus_send	*send;
};

/*
 * Recipients wake a send by itself. What comes through the socket's own wait
 * queue is the end of the connection, or room in the sender's own queue.
 */
static int afbus_sleeper_wake(wait_queue_entry_t *wait, unsigned int mode,
			      int sync, void *key)
{
	struct afbus_sleeper *sleeper =
		container_of(wait, struct afbus_sleeper, wait);
	struct afbus_send *s = sleeper->send;
	__poll_t events = key_to_poll(key);

	if (events && !(events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) &&
	    !(events & EPOLLOUT && s->own_full))
		return 0;
	return default_wake_function(wait, mode, sync, key);
}

/*
 * The sender's own queue may have had room and be full again since admit
 * looked. The reader that made the room has told of it, and will not tell of
 * the next: so ask again.
 */
static bool afbus_wait_is_over(struct afbus_send *s)
{
	struct sock *sk = &s->from->sk;

	return READ_ONCE(s->wait.woken) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ||
	       (s->own_full && !afbus_wait_own(s->from));
}

/**
 * afbus_wait_sleep() - sleep until there may be room
 * @s: the send, waiting
 *
 * Return: 0 to try again; -EAGAIN if the time is up; -EINTR, -ERESTARTSYS.
 */
int afbus_wait_sleep(struct afbus_send *s)
{
	wait_queue_head_t *wq = sk_sleep(&s->from->sk);
	struct afbus_sleeper sleeper = { .send = s };
	long left;

	/* If all recipients have called it already, it does not sleep. */
	if (!s->own_full && atomic_dec_and_test(&s->wait.pending))
		WRITE_ONCE(s->wait.woken, true);

	init_wait_entry(&sleeper.wait, 0);
	sleeper.wait.func = afbus_sleeper_wake;
	prepare_to_wait(wq, &sleeper.wait, TASK_INTERRUPTIBLE);
	if (!afbus_wait_is_over(s) && !signal_pending(current)) {
		left = schedule_timeout(s->timeo);
		if (s->timeo != MAX_SCHEDULE_TIMEOUT)
			s->timeo = left;
	}
	finish_wait(wq, &sleeper.wait);

	if (afbus_wait_is_over(s))
		return 0;
	if (signal_pending(current))
		return sock_intr_errno(s->timeo);
	return s->timeo > 0 ? 0 : -EAGAIN;
}
