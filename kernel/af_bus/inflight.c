// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors in flight: which user they count against, and how many there
 * may be.
 *
 * The descriptors of a message count once, against the user that sends it, from
 * before the send waits for anything until the last recipient has got them, or
 * closed. (The charge for the payload ends earlier: when the copy leaves the
 * queue.) Beyond RLIMIT_NOFILE of the sender the send fails, except with a
 * capability; what AF_UNIX has in flight for the same user counts as well.
 *
 * Copies of eavesdroppers must make no difference to the sender. Descriptors of
 * each one count against the user that connected the eavesdropper, in a
 * number of its own, since the same user may be a sender, too. A copy that
 * would exceed the RLIMIT_NOFILE of the time of connect is lost.
 *
 * The check of a limit and the count are one step: of several sends at the same
 * time, only one can exceed the limit.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "hold.h"
#include "inflight.h"

/**
 * struct afbus_inflight - descriptors of one user that are in flight
 * @node: in afbus_inflights, by user
 * @uid: the user
 * @users: messages and eavesdroppers that count here, under
 *	afbus_inflight_lock
 * @sent: descriptors in messages that it has sent
 * @buses: bus sockets among them
 * @watched: descriptors in copies that its eavesdroppers have not taken yet
 */
struct afbus_inflight {
	struct rb_node		node;
	kuid_t			uid;
	unsigned int		users;
	atomic_long_t		sent;
	atomic_long_t		buses;
	atomic_long_t		watched;
};

/*
 * Taken with bottom halves off: a timer may drop the last reference on a
 * socket.
 */
static DEFINE_SPINLOCK(afbus_inflight_lock);
static struct rb_root afbus_inflights = RB_ROOT;

static struct afbus_inflight *afbus_inflight_of(const struct rb_node *node)
{
	return rb_entry(node, struct afbus_inflight, node);
}

static int afbus_inflight_cmp(const void *key, const struct rb_node *node)
{
	kuid_t uid = *(const kuid_t *)key, other = afbus_inflight_of(node)->uid;

	return uid_eq(uid, other) ? 0 : uid_lt(uid, other) ? -1 : 1;
}

static int afbus_inflight_node_cmp(struct rb_node *a, const struct rb_node *b)
{
	return afbus_inflight_cmp(&afbus_inflight_of(a)->uid, b);
}

static struct afbus_inflight *afbus_inflight_find(kuid_t uid)
{
	struct rb_node *node;

	lockdep_assert_held(&afbus_inflight_lock);

	node = rb_find(&uid, &afbus_inflights, afbus_inflight_cmp);
	if (!node)
		return NULL;
	afbus_inflight_of(node)->users++;
	return afbus_inflight_of(node);
}

/**
 * afbus_inflight_get() - find or make the account of a user
 * @uid: the user
 *
 * Return: the account with a reference, or NULL without memory.
 */
struct afbus_inflight *afbus_inflight_get(kuid_t uid)
{
	struct afbus_inflight *acct, *fresh;

	spin_lock_bh(&afbus_inflight_lock);
	acct = afbus_inflight_find(uid);
	spin_unlock_bh(&afbus_inflight_lock);
	if (acct)
		return acct;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;

	spin_lock_bh(&afbus_inflight_lock);
	acct = afbus_inflight_find(uid);
	if (!acct) {
		acct = fresh;
		fresh = NULL;
		acct->uid = uid;
		acct->users = 1;
		rb_find_add(&acct->node, &afbus_inflights,
			    afbus_inflight_node_cmp);
	}
	spin_unlock_bh(&afbus_inflight_lock);
	kfree(fresh);
	return acct;
}

void afbus_inflight_put(struct afbus_inflight *acct)
{
	spin_lock_bh(&afbus_inflight_lock);
	if (--acct->users)
		acct = NULL;
	else
		rb_erase(&acct->node, &afbus_inflights);
	spin_unlock_bh(&afbus_inflight_lock);

	WARN_ON_ONCE(acct && (atomic_long_read(&acct->sent) ||
			      atomic_long_read(&acct->buses) ||
			      atomic_long_read(&acct->watched)));
	kfree(acct);
}

/* As with AF_UNIX: a message may begin below the limit and end above it. */
static bool afbus_inflight_exceeds(unsigned long before,
				   const struct user_struct *user)
{
#if IS_ENABLED(CONFIG_UNIX)
	before += READ_ONCE(user->unix_inflight);
#endif
	return before > task_rlimit(current, RLIMIT_NOFILE) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

static bool afbus_inflight_try(struct afbus_inflight *acct,
			       const struct scm_fp_list *fp)
{
	long sent = atomic_long_read(&acct->sent);

	do {
		if (afbus_inflight_exceeds(sent, fp->user))
			return false;
	} while (!atomic_long_try_cmpxchg(&acct->sent, &sent,
					  sent + fp->count));
	return true;
}

/**
 * afbus_inflight_charge() - count the descriptors of a message
 * @acct: the account of the sender
 * @fp: the descriptors
 * @buses: how many of them are bus sockets
 *
 * A user with many bus sockets in flight, or with too many descriptors and bus
 * sockets among them, waits for the collector, once: they may be garbage.
 *
 * Return: 0 or -ETOOMANYREFS.
 */
int afbus_inflight_charge(struct afbus_inflight *acct,
			  const struct scm_fp_list *fp, unsigned int buses)
{
	bool waited = buses && atomic_long_read(&acct->buses) >= AFBUS_GC_MANY;

	if (waited)
		afbus_gc_throttle();
	while (!afbus_inflight_try(acct, fp)) {
		if (waited || !atomic_long_read(&acct->buses))
			return -ETOOMANYREFS;
		afbus_gc_throttle();
		waited = true;
	}
	atomic_long_add(buses, &acct->buses);
	return 0;
}

/**
 * afbus_inflight_uncharge() - the last recipient has taken its copy
 * @acct: the account of the sender
 * @fds: descriptors of the message
 * @buses: bus sockets among them
 */
void afbus_inflight_uncharge(struct afbus_inflight *acct, unsigned int fds,
			     unsigned int buses)
{
	atomic_long_sub(buses, &acct->buses);
	atomic_long_sub(fds, &acct->sent);
}

/**
 * afbus_inflight_watch() - count the descriptors of an eavesdropper's copy
 * @acct: the account of the eavesdropper
 * @fds: descriptors of the copy
 * @limit: how many there may be
 *
 * No capability lifts the limit: others decide what is sent.
 *
 * Return: false if the copy is to be lost.
 */
bool afbus_inflight_watch(struct afbus_inflight *acct, unsigned int fds,
			  unsigned long limit)
{
	long watched = atomic_long_read(&acct->watched);

	do {
		if ((unsigned long)watched + fds > limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&acct->watched, &watched,
					  watched + fds));
	return true;
}

/**
 * afbus_inflight_unwatch() - an eavesdropper has taken its copy
 * @acct: the account of the eavesdropper
 * @fds: descriptors of the copy
 */
void afbus_inflight_unwatch(struct afbus_inflight *acct, unsigned int fds)
{
	atomic_long_sub(fds, &acct->watched);
}
