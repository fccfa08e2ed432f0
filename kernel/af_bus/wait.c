// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flow control: who sleeps for whom, and who is woken when.
 *
 * Senders that sleep for a queue sit in the order of their tickets, drawn when
 * they first had to wait. Each message that is taken out calls as many of them
 * as there is room for, and nobody else. Until they come the room is theirs, and
 * hardly anyone gets in before them where there is more. A sender that is
 * called and finds another recipient full moves there, keeping its ticket, and
 * passes the room on; so a queue that nobody reads holds up nothing but what
 * is for it.
 *
 * A sender to several busy queues could move between them for ever. After
 * a few rounds it keeps a seat at all of them, so that room is left for it
 * everywhere, but for a short time only: one of them may have stopped.
 */

#include <linux/sched/signal.h>
#include "send.h"
#include "trace.h"

/* Messages that may get in before a sender that was called. */
#define AFBUS_MAX_PASSES	1

/* How long others wait for a sender that was called. */
#define AFBUS_PATIENCE		(HZ / 10 + 1)

/* A sender that moves about keeps its places in the second half of these. */
#define AFBUS_ROUNDS		8

/* Called, but not come in time: others need not wait for it. */
static bool afbus_seat_is_late(const struct afbus_seat *seat)
{
	/* Pairs with the release in afbus_call(). */
	return smp_load_acquire(&seat->called) &&
	       time_after_eq(jiffies, seat->called_at + AFBUS_PATIENCE);
}

/* Passed often enough: nobody gets in before it any more. */
static bool afbus_seat_is_due(const struct afbus_seat *seat)
{
	return READ_ONCE(seat->passed) >= AFBUS_MAX_PASSES &&
	       !afbus_seat_is_late(seat);
}

/**
 * afbus_seats_let_pass() - see whether a sender is let in by those who wait
 * @s: the recipient
 * @ticket: place of the sender, 0 if it has none
 * @room: messages that the queue takes now, not 0
 *
 * There has to be room for all who began to wait earlier, and none of them
 * may have been passed too often.
 */
bool afbus_seats_let_pass(const struct afbus_sock *s, u64 ticket,
			  unsigned int room)
{
	struct afbus_seat *seat;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry(seat, &s->seats, node) {
		if (ticket && seat->send->ticket >= ticket)
			break;
		if (afbus_seat_is_late(seat))
			continue;
		if (!--room || afbus_seat_is_due(seat))
			return false;
	}
	return true;
}

/**
 * afbus_seats_passed() - a message got in before those who were called
 * @s: the recipient
 * @ticket: place of its sender, 0 if it has none
 */
void afbus_seats_passed(struct afbus_sock *s, u64 ticket)
{
	struct afbus_seat *seat;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry(seat, &s->seats, node) {
		if (ticket && seat->send->ticket >= ticket)
			break;
		/* Seats are called from the first one on. */
		if (!READ_ONCE(seat->called))
			break;
		WRITE_ONCE(seat->passed, seat->passed + 1);
	}
}

/*
 * Let a sender try again. Called under the lock of any queue where it sits, so
 * maybe twice at a time: either wakes it.
 */
void afbus_rouse(struct afbus_send *s)
{
	if (!READ_ONCE(s->woken)) {
		WRITE_ONCE(s->woken, true);
		wake_up_process(s->task);
	}
}

static void afbus_call(struct afbus_seat *seat)
{
	if (!seat->called) {
		seat->called_at = jiffies;
		/* Who sees the call without the lock sees when it was. */
		smp_store_release(&seat->called, true);
	}
	if (!seat->quiet)
		afbus_rouse(seat->send);
}

/**
 * afbus_give_room() - give the room there is to those who wait for it
 * @s: the recipient
 */
void afbus_give_room(struct afbus_sock *s)
{
	unsigned int qlen = skb_queue_len(&s->sk.sk_receive_queue);
	struct afbus_seat *seat;
	unsigned int room;

	lockdep_assert_held(&s->sk.sk_receive_queue.lock);

	if (qlen > s->maxqlen)
		return;

	room = s->maxqlen + 1 - qlen;
	list_for_each_entry(seat, &s->seats, node) {
		if (!room)
			break;
		afbus_call(seat);
		if (afbus_seat_is_due(seat))
			break;
		if (!afbus_seat_is_late(seat))
			room--;
	}
	afbus_claim_tell(s);
	if (s->want_room) {
		s->want_room = false;
		afbus_wake_pollout(s);
	}
	WRITE_ONCE(s->wanted, !list_empty(&s->seats));
}

/**
 * afbus_room_made() - a message has been taken out of a queue
 * @s: the recipient
 *
 * @s->wanted is set under the lock of the queue by one who has seen the queue
 * full under it. If that was before the message was taken, the caller has had
 * the lock since and sees it; if it was after, the queue was not full.
 */
void afbus_room_made(struct afbus_sock *s)
{
	unsigned long flags;

	if (!READ_ONCE(s->wanted))
		return;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	afbus_give_room(s);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
}

/**
 * afbus_wake_senders() - a recipient is not what it was to those who wait
 * @s: the recipient
 *
 * They look for their recipients again.
 */
void afbus_wake_senders(struct afbus_sock *s)
{
	struct afbus_seat *seat;
	unsigned long flags;

	lockdep_assert_held(&s->bus->lock);

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	list_for_each_entry(seat, &s->seats, node)
		afbus_rouse(seat->send);
	afbus_claim_tell(s);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
}

/**
 * afbus_want_room() - want to be told of room in the own queue, if it is full
 * @s: the client
 *
 * Return: whether it is.
 */
bool afbus_want_room(struct afbus_sock *s)
{
	unsigned long flags;
	bool full;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	full = afbus_queue_full(s);
	if (full) {
		s->want_room = true;
		WRITE_ONCE(s->wanted, true);
	}
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return full;
}

/* Take a seat at @r, behind those who began to wait earlier. */
static void afbus_sit(struct afbus_send *s, struct afbus_rcpt *r)
{
	struct afbus_sock *to = r->to;
	struct afbus_seat *before;
	unsigned long flags;

	lockdep_assert_held(&s->bus->lock);

	r->seat.send = s;
	r->seat.called = false;
	r->seat.passed = 0;
	r->seat.quiet = r != s->full;
	spin_lock_irqsave(&to->sk.sk_receive_queue.lock, flags);
	list_for_each_entry_reverse(before, &to->seats, node) {
		if (before->send->ticket < s->ticket)
			break;
	}
	list_add(&r->seat.node, &before->node);
	r->seated = true;
	WRITE_ONCE(to->wanted, true);
	/* Room may have been made since admit looked. */
	afbus_give_room(to);
	spin_unlock_irqrestore(&to->sk.sk_receive_queue.lock, flags);
}

/**
 * afbus_wait_sit() - wait for the recipient that was full
 * @s: the send, not admitted under this hold of the lock
 */
void afbus_wait_sit(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	bool insist;

	lockdep_assert_held(&s->bus->lock);

	if (!s->ticket && s->full)
		s->ticket = afbus_claim_ticket(s->from, s->full->to);
	if (!s->ticket)
		s->ticket = ++s->bus->last_ticket;
	trace_block(s->bus, s->bus->seq, s->msg->src,
		    afbus_own_addr(s->full ? s->full->to : s->from), s->len);
	WRITE_ONCE(s->woken, false);
	list_add_tail(&s->blocked_node, &s->bus->blocked);
	if (!s->full)
		return;

	insist = !s->yields && s->rounds++ % AFBUS_ROUNDS >= AFBUS_ROUNDS / 2;
	afbus_for_each_live(r, s) {
		if (r == s->full || (insist && !r->eaves && r->skb))
			afbus_sit(s, r);
	}
}

/**
 * afbus_wait_rise() - stop waiting, to try again or to give up
 * @s: the send
 */
void afbus_wait_rise(struct afbus_send *s)
{
	struct sk_buff_head *queue;
	struct afbus_rcpt *r;
	unsigned long flags;

	lockdep_assert_held(&s->bus->lock);

	list_del_init(&s->blocked_node);
	afbus_for_each_rcpt(r, s) {
		if (!r->seated)
			continue;
		queue = &r->to->sk.sk_receive_queue;
		spin_lock_irqsave(&queue->lock, flags);
		list_del(&r->seat.node);
		spin_unlock_irqrestore(&queue->lock, flags);
		r->seated = false;
		r->left = true;
		s->left = true;
	}
}

/**
 * afbus_wait_pass_on() - let others have the room that was not used
 * @s: the send, committed, or seated again, or given up
 *
 * To wake somebody takes as long as a send: so not under the bus lock, where
 * everybody on the bus would wait for it.
 */
void afbus_wait_pass_on(struct afbus_send *s)
{
	struct sk_buff_head *queue;
	struct afbus_rcpt *r;
	unsigned long flags;

	lockdep_assert_not_held(&s->bus->lock);

	s->left = false;
	afbus_for_each_rcpt(r, s) {
		if (!r->left)
			continue;
		queue = &r->to->sk.sk_receive_queue;
		spin_lock_irqsave(&queue->lock, flags);
		afbus_give_room(r->to);
		spin_unlock_irqrestore(&queue->lock, flags);
		r->left = false;
	}
}

/**
 * struct afbus_nap - a send that sleeps
 * @wait: in the wait queue of the sender's own socket
 * @send: the send
 */
struct afbus_nap {
	wait_queue_entry_t	wait;
	struct afbus_send	*send;
};

/*
 * Seats are called by name. What comes through the socket's own wait queue is
 * the end of the connection, or room in the sender's own receive queue.
 */
static int afbus_wait_wake(wait_queue_entry_t *wait, unsigned int mode,
			   int sync, void *key)
{
	struct afbus_send *s = container_of(wait, struct afbus_nap, wait)->send;
	__poll_t events = key_to_poll(key);

	if (events && !(events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) &&
	    !(events & EPOLLOUT && !s->full))
		return 0;
	return default_wake_function(wait, mode, sync, key);
}

/*
 * The own queue may have had room and be full again since admit looked. Who
 * made the room has told nobody then, and will not tell of the next: so say
 * again that it is wanted.
 */
static bool afbus_wait_over(struct afbus_send *s)
{
	struct sock *sk = &s->from->sk;

	return READ_ONCE(s->woken) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ||
	       (!s->full && !afbus_wait_own(s->from));
}

/**
 * afbus_wait_sleep() - sleep until there may be room
 * @s: the send, seated or waiting for its own queue
 *
 * Return: 0 to try again; -EAGAIN if the time is up; -EINTR, -ERESTARTSYS.
 */
int afbus_wait_sleep(struct afbus_send *s)
{
	wait_queue_head_t *wq = sk_sleep(&s->from->sk);
	struct afbus_nap nap = { .send = s };
	long time = s->timeo, left;

	/* Do not wait for ever for one who does not come. */
	if (s->yields)
		time = min_t(long, time, AFBUS_PATIENCE);

	init_wait_entry(&nap.wait, 0);
	nap.wait.func = afbus_wait_wake;
	prepare_to_wait(wq, &nap.wait, TASK_INTERRUPTIBLE);
	if (!afbus_wait_over(s) && !signal_pending(current)) {
		left = schedule_timeout(time);
		if (s->timeo != MAX_SCHEDULE_TIMEOUT)
			s->timeo -= time - left;
	}
	finish_wait(wq, &nap.wait);

	if (afbus_wait_over(s))
		return 0;
	if (signal_pending(current))
		return sock_intr_errno(s->timeo);
	return s->timeo > 0 ? 0 : -EAGAIN;
}
