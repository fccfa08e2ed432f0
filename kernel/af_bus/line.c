// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line at a full queue: the waiters for room, and the order of their calls.
 *
 * Waiters stand in the line by their tickets. As room comes up they are called,
 * the oldest first, as long as the queue takes their messages. The room is
 * theirs until they come: senders with younger tickets leave it to them, and an
 * older sender takes it from a younger one. So of several sends that wait for
 * several queues, the oldest waits for no other send. A sender without a ticket
 * leaves room for all sends that sleep, but not for sockets that are told by
 * POLLOUT, which may never come. It can pass such a socket once: when it finds
 * the queue full, it gets a ticket itself.
 *
 * A called sender may fail to come: it has no processor, it has changed its
 * mind, or it waits for another queue as well. When a queue has had room for
 * AFBUS_PATIENCE and waiters remain, the line is opened: the calls keep nothing
 * any more, all waiters are told, and no sender yields to another until the
 * queue is full. So while there is room, no sender waits for longer than one
 * patience, however many others wait.
 *
 * The invariant: when the lock of the queue is free, no waiter is left that may
 * be called, and if any waits although there is room, the work is queued. The
 * code that changes the queue or its line calls afbus_line_serve(), which
 * restores that; before that it may release the bus lock, and no other.
 * kernel/proof has a model of this.
 */

#include <linux/rbtree.h>
#include "af_bus.h"
#include "bus.h"
#include "line.h"
#include "pollout.h"
#include "queue.h"
#include "send.h"
#include "sock.h"

/* How long room is kept for called waiters, at most. */
#define AFBUS_PATIENCE		(HZ / 20 + 1)

/*
 * Maximum of called waiters of a line that have not come, and of calls under
 * one hold of a lock.
 */
#define AFBUS_MAX_CALLED	16

static void afbus_line_work(struct work_struct *work);

void afbus_line_init(struct afbus_line *line)
{
	line->waiting = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&line->called);
	INIT_DELAYED_WORK(&line->work, afbus_line_work);
}

bool afbus_line_is_empty(const struct afbus_line *line)
{
	return RB_EMPTY_ROOT(&line->waiting.rb_root) &&
	       list_empty(&line->called);
}

static struct afbus_waiter *afbus_waiter_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct afbus_waiter, node);
}

static bool afbus_waiter_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct afbus_waiter, node)->wait->ticket <
	       rb_entry(b, struct afbus_waiter, node)->wait->ticket;
}

static struct afbus_waiter *afbus_line_first(const struct afbus_line *line)
{
	return afbus_waiter_of(rb_first_cached(&line->waiting));
}

/* The first that waits with a ticket beyond @ticket. */
static struct afbus_waiter *afbus_line_beyond(const struct afbus_line *line,
					      u64 ticket)
{
	struct rb_node *node = line->waiting.rb_root.rb_node;
	struct afbus_waiter *w, *found = NULL;

	while (node) {
		w = afbus_waiter_of(node);
		if (w->wait->ticket > ticket) {
			found = w;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/*
 * Whether the queue takes another message once the waiters with tickets before
 * @ticket that were called have come. Return in @earlier how many they are.
 */
static bool afbus_line_takes(const struct afbus_sock *s, u64 ticket,
			     unsigned int *earlier)
{
	const struct afbus_waiter *w;
	u64 weight = 0;

	*earlier = 0;
	list_for_each_entry(w, &s->line.called, called_node) {
		if (w->wait->ticket >= ticket)
			break;
		weight += READ_ONCE(w->wait->weight);
		++*earlier;
	}
	return afbus_queue_takes(s, *earlier, weight);
}

/* Let the work run after @delay, unless it is to run anyway. */
static void afbus_line_arm(struct afbus_sock *s, unsigned long delay)
{
	if (delayed_work_pending(&s->line.work))
		return;
	sock_hold(&s->sk);
	if (!queue_delayed_work(afbus_wq, &s->line.work, delay))
		sock_put(&s->sk);
}

/**
 * afbus_line_kick() - have a line served by the work, now
 * @s: the recipient
 */
void afbus_line_kick(struct afbus_sock *s)
{
	sock_hold(&s->sk);
	if (mod_delayed_work(afbus_wq, &s->line.work, 0))
		sock_put(&s->sk);
}

/* Note whether there is room, and since when. */
static bool afbus_line_look(struct afbus_sock *s)
{
	struct afbus_line *line = &s->line;
	bool room = !afbus_queue_full(s);

	if (!room || !line->nr) {
		line->timed = false;
		line->open = false;
	} else if (!line->timed) {
		line->timed = true;
		line->since = jiffies;
	}
	return room;
}

/* How long until the line is opened. */
static unsigned long afbus_line_left(const struct afbus_line *line)
{
	unsigned long end = line->since + AFBUS_PATIENCE;

	if (!line->timed)
		return AFBUS_PATIENCE;
	return time_before(jiffies, end) ? end - jiffies : 0;
}

static void afbus_line_count(struct afbus_line *line,
			     const struct afbus_waiter *w, int by)
{
	WRITE_ONCE(line->nr, line->nr + by);
	if (w->wait->task) {
		line->nr_sleepers += by;
		line->sleepers_weight += by * (s64)w->wait->weight;
	}
}

static void afbus_line_remove(struct afbus_line *line, struct afbus_waiter *w)
{
	if (w->state == AFBUS_IDLE)
		return;
	if (w->state == AFBUS_WAITING) {
		rb_erase_cached(&w->node, &line->waiting);
	} else {
		list_del(&w->called_node);
		line->nr_called--;
	}
	w->state = AFBUS_IDLE;
	afbus_line_count(line, w, -1);
}

/* Called waiters are in the order of their tickets, too. */
static void afbus_line_add_called(struct afbus_line *line,
				  struct afbus_waiter *w)
{
	struct afbus_waiter *before;

	list_for_each_entry_reverse(before, &line->called, called_node) {
		if (before->wait->ticket < w->wait->ticket)
			break;
	}
	list_add(&w->called_node, &before->called_node);
	line->nr_called++;
	w->state = AFBUS_CALLED;
	afbus_line_count(line, w, 1);
}

/*
 * Whether the first waiter may be called. Only a limited number are on their
 * way at a time, but the oldest of all never waits for others to come.
 */
static bool afbus_line_may_call(const struct afbus_sock *s)
{
	const struct afbus_line *line = &s->line;
	const struct afbus_waiter *first = afbus_line_first(line);
	unsigned int earlier;

	if (!first || afbus_queue_full(s))
		return false;
	if (line->open)
		return true;
	return afbus_line_takes(s, first->wait->ticket, &earlier) &&
	       (line->nr_called < AFBUS_MAX_CALLED || !earlier);
}

static void afbus_line_call(struct afbus_line *line)
{
	struct afbus_waiter *w = afbus_line_first(line);

	afbus_line_remove(line, w);
	if (!line->open)
		afbus_line_add_called(line, w);
	afbus_wait_tell(w->wait);
}

/**
 * afbus_line_serve() - call the waiters for which there is room
 * @s: the recipient
 *
 * The lock of the queue is held; the bus lock should not be, since a wake-up
 * takes as long as a send.
 */
void afbus_line_serve(struct afbus_sock *s)
{
	struct afbus_line *line = &s->line;
	unsigned int n;

	lockdep_assert_held(&s->sk.sk_receive_queue.lock);

	if (line->own && !afbus_queue_long(s)) {
		line->own = false;
		afbus_pollout_tell_any(s);
	}
	if (!afbus_line_look(s))
		return;
	for (n = 0; n < AFBUS_MAX_CALLED && afbus_line_may_call(s); n++)
		afbus_line_call(line);

	if (!afbus_line_first(line))
		line->open = false;
	else
		afbus_line_arm(s, afbus_line_left(line));
	DEBUG_NET_WARN_ON_ONCE(!line->open && afbus_line_may_call(s));
}

/**
 * afbus_line_room_made() - a message has been taken out of a queue
 * @s: the recipient
 *
 * A waiter joins the line under the lock of the queue, and looks for room
 * after that. If it joined before the message was taken, the caller has held
 * the lock since and sees it; if it joined after, it has seen the room.
 */
void afbus_line_room_made(struct afbus_sock *s)
{
	unsigned long flags;

	if (likely(!READ_ONCE(s->line.nr) && !READ_ONCE(s->line.own)))
		return;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	afbus_line_serve(s);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
}

/**
 * afbus_line_own() - ask to be told of room in the own queue, if it is full
 * @s: the client
 *
 * Return: whether it is.
 */
bool afbus_line_own(struct afbus_sock *s)
{
	unsigned long flags;
	bool full;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	full = afbus_queue_long(s);
	if (full)
		WRITE_ONCE(s->line.own, true);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return full;
}

/* The called waiters did not come: room is not kept for them any longer. */
static void afbus_line_open(struct afbus_line *line)
{
	struct afbus_waiter *w, *next;

	list_for_each_entry_safe(w, next, &line->called, called_node)
		afbus_line_remove(line, w);
	line->open = afbus_line_first(line);
}

/* Whether a newcomer leaves room for all sends that sleep. */
static bool afbus_line_has_spare(const struct afbus_sock *s,
				 unsigned int weight)
{
	const struct afbus_line *line = &s->line;

	return !line->nr_sleepers ||
	       afbus_queue_takes(s, line->nr_sleepers,
				 line->sleepers_weight + weight - 1);
}

/* Whether a sender with @ticket may take room now, of which there is some. */
static bool afbus_line_may_pass(const struct afbus_sock *s, u64 ticket,
				unsigned int weight)
{
	const struct afbus_waiter *first = afbus_line_first(&s->line);
	unsigned int earlier;

	if (s->line.open || !s->line.nr)
		return true;
	if (ticket == U64_MAX)
		return afbus_line_has_spare(s, weight);
	if (first && first->wait->ticket < ticket)
		return false;
	return afbus_line_takes(s, ticket, &earlier);
}

/**
 * afbus_line_admits() - whether a sender may take room that others wait for
 * @s: the recipient
 * @ticket: of the sender, U64_MAX without one
 * @weight: what its message weighs
 */
bool afbus_line_admits(struct afbus_sock *s, u64 ticket, unsigned int weight)
{
	struct afbus_line *line = &s->line;
	unsigned long flags;
	bool room, ret;

	lockdep_assert_held(&s->bus->lock);

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	room = afbus_line_look(s);
	if (room && !afbus_line_left(line))
		afbus_line_open(line);
	ret = room && afbus_line_may_pass(s, ticket, weight);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return ret;
}

/**
 * afbus_line_join() - wait for room
 * @s: the recipient
 * @w: the waiter; if it was called, others have taken its room
 *
 * Return: true if there is room by now: the caller serves the line after it has
 * let go of the bus lock. Otherwise the reader that makes room serves it.
 */
bool afbus_line_join(struct afbus_sock *s, struct afbus_waiter *w)
{
	struct afbus_line *line = &s->line;
	unsigned long flags;
	bool room;

	lockdep_assert_held(&s->bus->lock);

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	afbus_line_remove(line, w);
	rb_add_cached(&w->node, &line->waiting, afbus_waiter_less);
	w->state = AFBUS_WAITING;
	afbus_line_count(line, w, 1);
	room = afbus_line_look(s);
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return room;
}

/**
 * afbus_line_leave() - stop waiting
 * @s: the recipient
 * @w: the waiter
 * @called: even if it was called
 *
 * Return: true if others wait although there is room: the caller serves the
 * line after it has let go of the bus lock. If it loses its processor that may
 * take a while, so the work stands by.
 */
bool afbus_line_leave(struct afbus_sock *s, struct afbus_waiter *w,
		      bool called)
{
	struct afbus_line *line = &s->line;
	unsigned long flags;
	bool others;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	if (called || w->state == AFBUS_WAITING)
		afbus_line_remove(line, w);
	others = afbus_line_look(s) && afbus_line_first(line);
	if (others)
		afbus_line_arm(s, afbus_line_left(line));
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return others;
}

/**
 * afbus_line_changed() - a recipient is not what it was to its waiters
 * @s: the recipient
 *
 * Each of them is told once, and its sender looks for its recipients again.
 */
void afbus_line_changed(struct afbus_sock *s)
{
	struct afbus_line *line = &s->line;
	unsigned long flags;

	lockdep_assert_held(&s->bus->lock);

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	if (afbus_line_first(line)) {
		line->passing = true;
		line->passed = 0;
		line->pass_end = s->bus->last_ticket;
		afbus_line_kick(s);
	}
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
}

/* Tell some of the waiters that have not been told of a change. */
static void afbus_line_pass(struct afbus_line *line)
{
	struct afbus_waiter *w;
	unsigned int n;

	for (n = 0; n < AFBUS_MAX_CALLED; n++) {
		w = afbus_line_beyond(line, line->passed);
		if (!w || w->wait->ticket > line->pass_end) {
			line->passing = false;
			return;
		}
		line->passed = w->wait->ticket;
		afbus_line_remove(line, w);
		afbus_wait_tell(w->wait);
	}
}

/* Return: true if more is to be done at once. */
static bool afbus_line_step(struct afbus_sock *s)
{
	struct afbus_line *line = &s->line;
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&s->sk.sk_receive_queue.lock, flags);
	if (line->passing)
		afbus_line_pass(line);
	if (afbus_line_look(s) && !afbus_line_left(line))
		afbus_line_open(line);
	afbus_line_serve(s);
	more = line->passing || line->open;
	spin_unlock_irqrestore(&s->sk.sk_receive_queue.lock, flags);
	return more;
}

static void afbus_line_work(struct work_struct *work)
{
	struct afbus_line *line = container_of(to_delayed_work(work),
					       struct afbus_line, work);
	struct afbus_sock *s = container_of(line, struct afbus_sock, line);

	while (afbus_line_step(s))
		cond_resched();
	sock_put(&s->sk);
}
