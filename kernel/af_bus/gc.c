// SPDX-License-Identifier: GPL-2.0-only
/*
 * The garbage collector. Garbage is bus sockets in flight that can only be
 * reached through each other's queues.
 *
 * DOC: A collection
 *
 * The collector is a work item that walks the graph of hold.c. It drops
 * afbus_gc_lock after each batch of steps, and meanwhile sockets are sent,
 * received and closed. Every step works on the first entry of a list, so
 * nothing needs to stay in place between two batches:
 *
 *   scan    A socket in flight is a candidate if nothing but holds refers to
 *           its file. Any other socket is alive: a process has it open, or a
 *           queue of AF_UNIX holds it.
 *   count   Count the references from the queues of candidates.
 *   judge   A candidate with more references than those is alive. The others
 *           are suspects.
 *   spread  What a socket that is alive holds is alive.
 *
 * When nothing is left to spread, the remaining suspects are garbage. Purging
 * their queues closes them.
 *
 * DOC: Why no live socket is taken for garbage
 *
 * A candidate is touched when a hold on it comes or goes, and when it is peeked
 * at, before the new descriptor can be used. A touched candidate is alive for
 * this collection, and so is what it holds.
 *
 * Consider the moment when nothing is left to spread, and a suspect S.
 *
 * 1. S was not touched since it was scanned, so its holds are those of that
 *    time, and then it had no other reference.
 * 2. It has got none since. A new reference is made from one that is no hold,
 *    of which there was none, or by taking or peeking at S, which touches it.
 * 3. All holds on S were counted, so candidates had them. Those candidates are
 *    suspects too, as otherwise life would have spread from them to S.
 *
 * So only suspects hold suspects, and no process can ever read their queues.
 *
 * Two rules keep the counts true. A hold counts in gc_inflight only while its
 * reference on the file exists, so a file with other references never seems to
 * have none. And the send keeps references of its own until its copies are
 * queued, so no candidate is among sockets whose hold is linked already, but
 * whose copy may still be dropped. That is why a message with bus sockets is
 * never its own only copy.
 *
 * A message that others on the bus send to garbage is alive until it is purged:
 * its sender had references.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include "af_bus.h"
#include "gc.h"
#include "hold.h"
#include "sock.h"

/*
 * Steps under one hold of the lock; the last message is finished beyond that.
 */
#define AFBUS_GC_BATCH		128

/* Delay to look for garbage that came about although no socket closed. */
#define AFBUS_GC_LATER		(5 * HZ)

/* Longest wait of a sender for a collection. */
#define AFBUS_GC_PATIENCE	(HZ / 10)

/* Pause after a collection, as a multiple of its duration. */
#define AFBUS_GC_PAUSE		4

static void afbus_gc_work(struct work_struct *work);
static void afbus_gc_timeout(struct work_struct *work);

static DECLARE_WORK(afbus_gc, afbus_gc_work);
static DECLARE_DELAYED_WORK(afbus_gc_timer, afbus_gc_timeout);
static DECLARE_WAIT_QUEUE_HEAD(afbus_gc_wait);

/* Sockets in a collection, in the order of its steps. */
static LIST_HEAD(afbus_gc_unscanned);
static LIST_HEAD(afbus_gc_candidates);
static LIST_HEAD(afbus_gc_counted);
static LIST_HEAD(afbus_gc_suspects);
static LIST_HEAD(afbus_gc_dead);

/* Collections begun and ended; written by the work item. */
static unsigned long afbus_gc_begun;
static unsigned long afbus_gc_ended;

/*
 * When the last one ended, and the pause after it; only the work item uses it.
 */
static unsigned long afbus_gc_ended_at;
static unsigned long afbus_gc_pause;

static void afbus_gc_inside(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (s->gc_state == AFBUS_GC_CANDIDATE)
		s->gc_inside++;
}

/* The end of a batch: let the next waiter have the lock. */
static void afbus_gc_breathe(unsigned int *steps)
	__must_hold(&afbus_gc_lock)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (*steps < AFBUS_GC_BATCH)
		return;
	*steps = 0;
	spin_unlock(&afbus_gc_lock);
	cond_resched();
	spin_lock(&afbus_gc_lock);
}

static struct afbus_sock *afbus_gc_first(struct list_head *list)
{
	lockdep_assert_held(&afbus_gc_lock);

	return list_first_entry_or_null(list, struct afbus_sock, gc_node);
}

/* A hold that the current walk has not met; the ones it has met come last. */
static struct afbus_hold *afbus_gc_next_hold(struct afbus_sock *s)
{
	struct afbus_hold *hold;

	lockdep_assert_held(&afbus_gc_lock);

	hold = list_first_entry_or_null(&s->gc_holds, struct afbus_hold,
					node);
	if (!hold || hold->round == afbus_gc_round)
		return NULL;
	hold->round = afbus_gc_round;
	list_move_tail(&hold->node, &s->gc_holds);
	return hold;
}

/* Whether only holds refer to a socket in flight. */
static bool afbus_gc_only_held(const struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (s->gc_listener)
		return true;
	return file_count(s->sk.sk_socket->file) == s->gc_inflight;
}

static void afbus_gc_scan(unsigned int *steps)
{
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	list_splice_init(&afbus_gc_socks, &afbus_gc_unscanned);
	while ((s = afbus_gc_first(&afbus_gc_unscanned))) {
		s->gc_inside = 0;
		if (afbus_gc_only_held(s)) {
			s->gc_state = AFBUS_GC_CANDIDATE;
			list_move_tail(&s->gc_node, &afbus_gc_candidates);
		} else {
			list_move_tail(&s->gc_node, &afbus_gc_socks);
		}
		++*steps;
		afbus_gc_breathe(steps);
	}
}

static void afbus_gc_count_inside(unsigned int *steps)
{
	struct afbus_hold *hold;
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_round++;
	while ((s = afbus_gc_first(&afbus_gc_candidates))) {
		hold = afbus_gc_next_hold(s);
		if (hold)
			*steps += afbus_hold_each(hold, afbus_gc_inside);
		else
			list_move_tail(&s->gc_node, &afbus_gc_counted);
		++*steps;
		afbus_gc_breathe(steps);
	}
}

static void afbus_gc_judge(unsigned int *steps)
{
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	while ((s = afbus_gc_first(&afbus_gc_counted))) {
		if (s->gc_inside == s->gc_inflight)
			list_move_tail(&s->gc_node, &afbus_gc_suspects);
		else
			afbus_gc_revive(s);
		++*steps;
		afbus_gc_breathe(steps);
	}
}

/* All that it holds has been revived. It may have been received meanwhile. */
static void afbus_gc_settle(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	s->gc_state = AFBUS_GC_IDLE;
	if (s->gc_inflight)
		list_move_tail(&s->gc_node, &afbus_gc_socks);
	else
		list_del_init(&s->gc_node);
}

static void afbus_gc_spread(unsigned int *steps)
{
	struct afbus_hold *hold;
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_round++;
	while ((s = afbus_gc_first(&afbus_gc_alive))) {
		hold = afbus_gc_next_hold(s);
		if (hold)
			*steps += afbus_hold_each(hold, afbus_gc_revive);
		else
			afbus_gc_settle(s);
		++*steps;
		afbus_gc_breathe(steps);
	}
}

/* Nothing is left to spread: the suspects are garbage, and cannot be touched. */
static void afbus_gc_sentence(unsigned int *steps)
{
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	while ((s = afbus_gc_first(&afbus_gc_suspects))) {
		s->gc_state = AFBUS_GC_IDLE;
		list_move_tail(&s->gc_node, &afbus_gc_dead);
		++*steps;
		afbus_gc_breathe(steps);
	}
}

/*
 * Purge the queues of garbage. The last reference on a socket goes with one of
 * them: then it closes, and leaves the list.
 */
static void afbus_gc_bury(void)
	__must_hold(&afbus_gc_lock)
{
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	while ((s = afbus_gc_first(&afbus_gc_dead))) {
		list_move_tail(&s->gc_node, &afbus_gc_socks);
		sock_hold(&s->sk);
		spin_unlock(&afbus_gc_lock);

		afbus_purge(s);
		sock_put(&s->sk);
		spin_lock(&afbus_gc_lock);
	}
}

static void afbus_gc_collect(void)
{
	unsigned int steps = 0;

	spin_lock(&afbus_gc_lock);
	afbus_gc_scan(&steps);
	afbus_gc_count_inside(&steps);
	afbus_gc_judge(&steps);
	afbus_gc_spread(&steps);
	afbus_gc_sentence(&steps);
	afbus_gc_bury();
	spin_unlock(&afbus_gc_lock);
}

/* Look again later, if any socket is in flight. */
static void afbus_gc_rearm(unsigned long delay)
{
	if (READ_ONCE(afbus_gc_total))
		mod_delayed_work(afbus_wq, &afbus_gc_timer, delay);
}

static void afbus_gc_work(struct work_struct *work)
{
	unsigned long start = jiffies;
	unsigned long idle = start - afbus_gc_ended_at;

	if (idle < afbus_gc_pause) {
		afbus_gc_rearm(afbus_gc_pause - idle);
		return;
	}

	WRITE_ONCE(afbus_gc_begun, afbus_gc_begun + 1);
	afbus_gc_collect();
	WRITE_ONCE(afbus_gc_ended, afbus_gc_begun);
	wake_up(&afbus_gc_wait);

	afbus_gc_ended_at = jiffies;
	afbus_gc_pause = AFBUS_GC_PAUSE * (afbus_gc_ended_at - start);
	afbus_gc_rearm(AFBUS_GC_LATER);
}

static void afbus_gc_timeout(struct work_struct *work)
{
	queue_work(afbus_wq, &afbus_gc);
}

/**
 * afbus_gc_later() - sockets are in flight: look for garbage in some seconds
 *
 * Their descriptors may be closed before the message is queued.
 */
void afbus_gc_later(void)
{
	queue_delayed_work(afbus_wq, &afbus_gc_timer, AFBUS_GC_LATER);
}

/**
 * afbus_gc_run() - a socket has closed: look for garbage now
 */
void afbus_gc_run(void)
{
	if (READ_ONCE(afbus_gc_total))
		queue_work(afbus_wq, &afbus_gc);
}

/**
 * afbus_gc_throttle() - let the collector keep up with the calling user
 *
 * Waits for a collection that begins now, for AFBUS_GC_PATIENCE at most, and no
 * longer than until a signal comes.
 */
void afbus_gc_throttle(void)
{
	unsigned long pass = READ_ONCE(afbus_gc_begun) + 1;
	long timeo = AFBUS_GC_PATIENCE;
	DEFINE_WAIT_FUNC(wait, default_wake_function);

	queue_work(afbus_wq, &afbus_gc);
	/* As many may wait as a user has threads: each wakes the next. */
	add_wait_queue_exclusive(&afbus_gc_wait, &wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (time_after_eq(READ_ONCE(afbus_gc_ended), pass) || !timeo ||
		    signal_pending(current))
			break;
		timeo = schedule_timeout(timeo);
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&afbus_gc_wait, &wait);
	wake_up(&afbus_gc_wait);
}

/**
 * afbus_gc_exit() - the module goes; no socket is left
 */
void afbus_gc_exit(void)
{
	cancel_delayed_work_sync(&afbus_gc_timer);
	cancel_work_sync(&afbus_gc);
}
