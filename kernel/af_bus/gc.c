// SPDX-License-Identifier: GPL-2.0-only
/*
 * Garbage: bus sockets whose only descriptors are in messages that only they
 * could read.
 *
 * DOC: The graph
 *
 * A socket in flight is held by the sockets whose queues hold its descriptors.
 * One struct afbus_gc_hold for each copy with bus sockets says so. A connection
 * that nobody has accepted has no file: the listening socket holds it, by a
 * hold of its own, once there are bus sockets in its queue. Sockets that
 * anything else holds, queues of AF_UNIX among it, are alive.
 *
 * afbus_gc_lock guards the graph. No lock is taken under it, and it is held for
 * AFBUS_GC_BATCH steps and the descriptors of one message at most. A socket that
 * has never been in flight takes it when it is accepted, and at no other time.
 *
 * DOC: A collection
 *
 * The collector is a work item. It lets go of the lock after each batch, while
 * sockets go on being sent, received and closed. Each of these steps works on
 * the first entry of a list, so nothing needs to stay in place in between:
 *
 *   scan    A socket in flight is a candidate if nothing but holds refers to
 *           its file. Others are alive.
 *   count   Each reference by the queue of a candidate is counted.
 *   judge   A candidate with more references than those is alive. The others
 *           are suspects.
 *   spread  What is in the queue of a socket that is alive, is alive.
 *
 * When nothing is left to spread, the remaining suspects are garbage, and their
 * queues are thrown away. That closes the sockets.
 *
 * DOC: Why this is right
 *
 * A candidate is *touched* when a hold on it comes or goes, and when it is
 * peeked at, before the new descriptor can be used. That makes it alive for
 * this collection, and so does it with what it holds.
 *
 * Take the moment when nothing is left to spread, and a suspect S. It was not
 * touched since it was scanned, so its holds are still those of that time. At
 * that time there was no other reference. There has been none since: a new one
 * comes from another one that is no hold, or from taking or peeking at S, which
 * touches it. All holds on S were counted, so each belonged to a candidate. That
 * one is a suspect, too, or else life would have spread from it to S. So only
 * suspects hold suspects, and no process can ever read their queues.
 *
 * A reference by a hold is there before the hold is counted in gc_inflight and
 * until after, so a file with other references never seems to have none.
 * A copy may be counted as held by its recipient before it is queued: the send
 * itself still refers to each socket then, and there is no candidate among
 * them. That is why a message with bus sockets is never its own only copy.
 *
 * What is added to the queue of garbage, by others on its bus, is alive: the
 * sender had a reference. It goes when the socket closes.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include "af_bus.h"

/* Steps under one hold of the lock, and the descriptors of a message more. */
#define AFBUS_GC_BATCH		128

/* When what has become garbage without a socket being closed is looked for. */
#define AFBUS_GC_LATER		(5 * HZ)

/* How long a sender waits for a collection. */
#define AFBUS_GC_PATIENCE	(HZ / 10)

/* A collection is followed by a pause of so many times its duration. */
#define AFBUS_GC_PAUSE		4

static void afbus_gc_work(struct work_struct *work);
static void afbus_gc_timeout(struct work_struct *work);

static DEFINE_SPINLOCK(afbus_gc_lock);
static DECLARE_WORK(afbus_gc, afbus_gc_work);
static DECLARE_DELAYED_WORK(afbus_gc_timer, afbus_gc_timeout);
static DECLARE_WAIT_QUEUE_HEAD(afbus_gc_wait);

/* In flight, and not in any of the lists below. */
static LIST_HEAD(afbus_gc_socks);

/* Of a collection, in the order of its steps. */
static LIST_HEAD(afbus_gc_unscanned);
static LIST_HEAD(afbus_gc_candidates);
static LIST_HEAD(afbus_gc_counted);
static LIST_HEAD(afbus_gc_suspects);
static LIST_HEAD(afbus_gc_alive);
static LIST_HEAD(afbus_gc_dead);

/* References by holds on all sockets; read without the lock for a hint. */
static unsigned long afbus_gc_total;

/* Walks over holds so far: a hold met by the current one has its number. */
static unsigned long afbus_gc_round;

/* Collections begun and ended; written by the work item. */
static unsigned long afbus_gc_begun;
static unsigned long afbus_gc_ended;

/* When the last one ended, and the pause after it; for the work item alone. */
static unsigned long afbus_gc_ended_at;
static unsigned long afbus_gc_pause;

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

/* It is alive as of now, and so is what it holds. */
static void afbus_gc_revive(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (s->gc_state != AFBUS_GC_CANDIDATE)
		return;
	s->gc_state = AFBUS_GC_ALIVE;
	list_move_tail(&s->gc_node, &afbus_gc_alive);
}

static void afbus_gc_ref(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_revive(s);
	s->gc_known = true;
	if (!s->gc_inflight++ && s->gc_state == AFBUS_GC_IDLE)
		list_add_tail(&s->gc_node, &afbus_gc_socks);
	WRITE_ONCE(afbus_gc_total, afbus_gc_total + 1);
}

static void afbus_gc_unref(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_revive(s);
	/* One that is alive stays until it has been spread from. */
	if (!--s->gc_inflight && s->gc_state == AFBUS_GC_IDLE)
		list_del_init(&s->gc_node);
	WRITE_ONCE(afbus_gc_total, afbus_gc_total - 1);
}

static void afbus_gc_inside(struct afbus_sock *s)
{
	lockdep_assert_held(&afbus_gc_lock);

	if (s->gc_state == AFBUS_GC_CANDIDATE)
		s->gc_inside++;
}

/* Call @fn for each socket of a hold. Return: how many steps that took. */
static unsigned int afbus_gc_each(struct afbus_gc_hold *hold,
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
		s = afbus_gc_sock(hold->fp->fp[i]);
		if (s)
			fn(s);
	}
	return hold->fp->count;
}

static void afbus_gc_link(struct afbus_gc_hold *hold, struct afbus_sock *by)
{
	lockdep_assert_held(&afbus_gc_lock);

	hold->round = afbus_gc_round;
	list_add_tail(&hold->node, &by->gc_holds);
	afbus_gc_each(hold, afbus_gc_ref);
}

static void afbus_gc_unlink(struct afbus_gc_hold *hold)
{
	lockdep_assert_held(&afbus_gc_lock);

	list_del_init(&hold->node);
	afbus_gc_each(hold, afbus_gc_unref);
}

/**
 * afbus_gc_add() - a copy with bus sockets is to be queued
 * @to: its recipient
 * @fp: its descriptors; the caller has references of its own besides, until
 *	the copy is queued
 *
 * Return: the hold, to be given to afbus_gc_del(); NULL without memory.
 */
struct afbus_gc_hold *afbus_gc_add(struct afbus_sock *to,
				   const struct scm_fp_list *fp)
{
	struct afbus_gc_hold *hold;

	hold = kmalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return NULL;
	hold->fp = fp;

	spin_lock(&afbus_gc_lock);
	afbus_gc_link(hold, to);
	if (to->gc_listener && list_empty(&to->gc_place.node))
		afbus_gc_link(&to->gc_place, to->gc_listener);
	spin_unlock(&afbus_gc_lock);

	/* Their descriptors may be closed as soon as the message is sent. */
	queue_delayed_work(afbus_wq, &afbus_gc_timer, AFBUS_GC_LATER);
	return hold;
}

/**
 * afbus_gc_del() - a copy has left the queue
 * @hold: its hold, which ends; the references are still there
 */
void afbus_gc_del(struct afbus_gc_hold *hold)
{
	spin_lock(&afbus_gc_lock);
	afbus_gc_unlink(hold);
	spin_unlock(&afbus_gc_lock);
	kfree(hold);
}

/**
 * afbus_gc_peek() - descriptors of a queued copy have been duplicated
 * @hold: the hold of the copy
 *
 * Called before the new descriptors can be used.
 */
void afbus_gc_peek(struct afbus_gc_hold *hold)
{
	spin_lock(&afbus_gc_lock);
	afbus_gc_each(hold, afbus_gc_revive);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_gc_accept() - a connection has left the backlog
 * @accepted: its accepted socket
 */
void afbus_gc_accept(struct afbus_sock *accepted)
{
	spin_lock(&afbus_gc_lock);
	accepted->gc_listener = NULL;
	if (!list_empty(&accepted->gc_place.node))
		afbus_gc_unlink(&accepted->gc_place);
	spin_unlock(&afbus_gc_lock);
}

/**
 * afbus_gc_forget() - a socket closes, with nothing in its queue
 * @s: the socket
 */
void afbus_gc_forget(struct afbus_sock *s)
{
	/* Nothing is left that could put it in flight for the first time. */
	if (!s->gc_known)
		return;

	spin_lock(&afbus_gc_lock);
	s->gc_state = AFBUS_GC_IDLE;
	list_del_init(&s->gc_node);
	spin_unlock(&afbus_gc_lock);
}

/* The end of a batch: the next that waits for the lock gets it. */
static void afbus_gc_breathe(unsigned int *steps)
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

/* A hold that the current walk has not met; those that it has are behind. */
static struct afbus_gc_hold *afbus_gc_next_hold(struct afbus_sock *s)
{
	struct afbus_gc_hold *hold;

	lockdep_assert_held(&afbus_gc_lock);

	hold = list_first_entry_or_null(&s->gc_holds, struct afbus_gc_hold,
					node);
	if (!hold || hold->round == afbus_gc_round)
		return NULL;
	hold->round = afbus_gc_round;
	list_move_tail(&hold->node, &s->gc_holds);
	return hold;
}

/* Whether holds are all that refers to a socket in flight. */
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
	struct afbus_gc_hold *hold;
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_round++;
	while ((s = afbus_gc_first(&afbus_gc_candidates))) {
		hold = afbus_gc_next_hold(s);
		if (hold)
			*steps += afbus_gc_each(hold, afbus_gc_inside);
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

/* It has been spread from. It may have been taken meanwhile. */
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
	struct afbus_gc_hold *hold;
	struct afbus_sock *s;

	lockdep_assert_held(&afbus_gc_lock);

	afbus_gc_round++;
	while ((s = afbus_gc_first(&afbus_gc_alive))) {
		hold = afbus_gc_next_hold(s);
		if (hold)
			*steps += afbus_gc_each(hold, afbus_gc_revive);
		else
			afbus_gc_settle(s);
		++*steps;
		afbus_gc_breathe(steps);
	}
}

/* The suspects are garbage: that is settled, and nobody can touch them. */
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
 * Throw away the queues of garbage. A socket leaves the list by itself with the
 * last reference on it: it closes then, as if by its owner.
 */
static void afbus_gc_bury(void)
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

/* Look again later, if there is anything to look at. */
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
	wake_up_all(&afbus_gc_wait);

	afbus_gc_ended_at = jiffies;
	afbus_gc_pause = AFBUS_GC_PAUSE * (afbus_gc_ended_at - start);
	afbus_gc_rearm(AFBUS_GC_LATER);
}

static void afbus_gc_timeout(struct work_struct *work)
{
	queue_work(afbus_wq, &afbus_gc);
}

/**
 * afbus_gc_run() - a socket has closed: something may have become garbage
 */
void afbus_gc_run(void)
{
	if (READ_ONCE(afbus_gc_total))
		queue_work(afbus_wq, &afbus_gc);
}

/**
 * afbus_gc_throttle() - let the collector keep up with a user
 *
 * Waits for a collection that begins now, but not for long, and not when a
 * signal comes.
 */
void afbus_gc_throttle(void)
{
	unsigned long pass = READ_ONCE(afbus_gc_begun) + 1;

	queue_work(afbus_wq, &afbus_gc);
	wait_event_interruptible_timeout(afbus_gc_wait,
					 time_after_eq(READ_ONCE(afbus_gc_ended),
						       pass),
					 AFBUS_GC_PATIENCE);
}

/* No socket is left. */
void afbus_gc_exit(void)
{
	cancel_delayed_work_sync(&afbus_gc_timer);
	cancel_work_sync(&afbus_gc);
}
