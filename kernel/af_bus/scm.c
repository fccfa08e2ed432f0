// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors and credentials: taken from the sender, kept with each copy,
 * given to the receiver.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "send.h"

/**
 * struct afbus_inflight - descriptors of one user that are under way
 * @node: in afbus_inflights
 * @uid: the user
 * @users: messages that count here, under afbus_inflight_lock
 * @count: descriptors, each recipient's copy counted; an eavesdropper's are
 *	bounded by its queue, since watching must change nothing
 */
struct afbus_inflight {
	struct hlist_node	node;
	kuid_t			uid;
	unsigned int		users;
	atomic_long_t		count;
};

static DEFINE_SPINLOCK(afbus_inflight_lock);
static DEFINE_HASHTABLE(afbus_inflights, 6);

static struct afbus_inflight *afbus_inflight_find(kuid_t uid)
{
	struct afbus_inflight *acct;

	lockdep_assert_held(&afbus_inflight_lock);

	hash_for_each_possible(afbus_inflights, acct, node, __kuid_val(uid)) {
		if (uid_eq(acct->uid, uid)) {
			acct->users++;
			return acct;
		}
	}
	return NULL;
}

static struct afbus_inflight *afbus_inflight_get(kuid_t uid)
{
	struct afbus_inflight *acct, *fresh;

	spin_lock(&afbus_inflight_lock);
	acct = afbus_inflight_find(uid);
	spin_unlock(&afbus_inflight_lock);
	if (acct)
		return acct;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;

	spin_lock(&afbus_inflight_lock);
	acct = afbus_inflight_find(uid);
	if (!acct) {
		acct = fresh;
		fresh = NULL;
		acct->uid = uid;
		acct->users = 1;
		hash_add(afbus_inflights, &acct->node, __kuid_val(uid));
	}
	spin_unlock(&afbus_inflight_lock);
	kfree(fresh);
	return acct;
}

static void afbus_inflight_put(struct afbus_inflight *acct)
{
	spin_lock(&afbus_inflight_lock);
	if (--acct->users)
		acct = NULL;
	else
		hash_del(&acct->node);
	spin_unlock(&afbus_inflight_lock);

	WARN_ON_ONCE(acct && atomic_long_read(&acct->count));
	kfree(acct);
}

/* What AF_UNIX has under way for the same user counts as well. */
static bool afbus_too_many_inflight(const struct afbus_inflight *acct,
				    const struct user_struct *user)
{
	unsigned long count = atomic_long_read(&acct->count);

#if IS_ENABLED(CONFIG_UNIX)
	count += READ_ONCE(user->unix_inflight);
#endif
	return count > task_rlimit(current, RLIMIT_NOFILE) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

static int afbus_scm_check_fds(struct afbus_send *s)
{
	struct scm_fp_list *fp = s->scm.fp;

	s->msg->holds_buses = afbus_gc_count(fp);
	if (s->msg->holds_buses)
		afbus_gc_throttle();

	s->msg->inflight = afbus_inflight_get(fp->user->uid);
	if (!s->msg->inflight)
		return -ENOMEM;
	return afbus_too_many_inflight(s->msg->inflight, fp->user) ?
		-ETOOMANYREFS : 0;
}

/**
 * afbus_scm_build() - take descriptors and credentials from the sender
 * @s: the send
 * @msg: the call's message header
 *
 * Return: 0; -EINVAL, -EBADF, -EPERM, -ETOOMANYREFS, -ENOMEM, with nothing
 * taken.
 */
static int afbus_scm_build(struct afbus_send *s, struct msghdr *msg)
{
	struct scm_cookie *scm = &s->scm;

	/* Not scm_set_cred(): nobody asks for the number of this pid. */
	scm->pid = get_pid(task_tgid(current));
	scm->creds.uid = current_uid();
	scm->creds.gid = current_gid();
	return msg->msg_controllen ? afbus_compat_scm_send(msg, scm) : 0;
}

/**
 * afbus_msg_begin() - note what all copies of a message share
 * @s: the send, with descriptors, credentials and the original, which is
 *	given away to the message
 *
 * Return: 0; -ETOOMANYREFS, -ENOMEM.
 */
static int afbus_msg_begin(struct afbus_send *s)
{
	struct scm_cookie *scm = &s->scm;
	struct afbus_msg *msg = (struct afbus_msg *)s->skb->head;

	/* Field by field, as struct afbus_send. */
	refcount_set(&msg->ref, 1);
	refcount_set(&msg->unread, 1);
	msg->skb = s->skb;
	msg->src = afbus_own_addr(s->from);
	msg->pid = scm->pid;
	msg->uid = scm->creds.uid;
	msg->gid = scm->creds.gid;
	msg->holds_buses = false;
	msg->inflight = NULL;
	scm->pid = NULL;
	security_cred_getsecid(current_cred(), &msg->secid);
	s->msg = msg;

	return scm->fp ? afbus_scm_check_fds(s) : 0;
}

/**
 * afbus_msg_end() - give up what a message holds beside its memory
 * @msg: the message
 */
static void afbus_msg_end(struct afbus_msg *msg)
{
	if (msg->inflight)
		afbus_inflight_put(msg->inflight);
	put_pid(msg->pid);
}

static void afbus_msg_put(struct afbus_msg *msg)
{
	if (refcount_dec_and_test(&msg->ref)) {
		afbus_msg_end(msg);
		consume_skb(msg->skb);
	}
}

/**
 * afbus_msg_read() - one whom the sender pays for is done with its copy
 * @msg: the message
 *
 * The last of them gives the sender's budget back.
 */
static void afbus_msg_read(struct afbus_msg *msg)
{
	if (refcount_dec_and_test(&msg->unread))
		skb_orphan(msg->skb);
}

/**
 * afbus_scm_give() - give a copy its descriptors
 * @skb: the copy
 * @fp: the descriptors, which are under way from now on
 */
static void afbus_scm_give(struct sk_buff *skb, struct scm_fp_list *fp)
{
	struct afbus_msg *msg = AFBUS_CB(skb)->msg;

	AFBUS_CB(skb)->fp = fp;
	if (!AFBUS_CB(skb)->eaves)
		atomic_long_add(fp->count, &msg->inflight->count);
	if (msg->holds_buses)
		afbus_gc_add(fp);
}

/**
 * afbus_scm_take() - take the descriptors out of a copy
 * @skb: the copy
 *
 * Return: the descriptors, not under way any more, or NULL.
 */
static struct scm_fp_list *afbus_scm_take(struct sk_buff *skb)
{
	struct scm_fp_list *fp = AFBUS_CB(skb)->fp;

	if (!fp)
		return NULL;

	if (AFBUS_CB(skb)->msg->holds_buses)
		afbus_gc_sub(fp);
	if (!AFBUS_CB(skb)->eaves)
		atomic_long_sub(fp->count,
				&AFBUS_CB(skb)->msg->inflight->count);
	AFBUS_CB(skb)->fp = NULL;
	return fp;
}

/**
 * afbus_scm_recv() - give the receiver what came with a message
 * @sock: the receiver
 * @msg: the call's message header
 * @skb: the copy, with the reader's lock held
 * @flags: flags of the call
 *
 * The small things first: descriptors take whatever room is left.
 *
 * Return: 0 or -ENOMEM.
 */
static int afbus_scm_recv(struct socket *sock, struct msghdr *msg,
			  struct sk_buff *skb, int flags)
{
	struct afbus_cb *cb = AFBUS_CB(skb);
	struct scm_cookie scm = {};

	if (flags & MSG_PEEK && cb->fp) {
		scm.fp = scm_fp_dup(cb->fp);
		if (!scm.fp)
			return -ENOMEM;
		if (cb->msg->holds_buses)
			afbus_gc_barrier();
	} else if (!(flags & MSG_PEEK)) {
		scm.fp = afbus_scm_take(skb);
	}

	if (READ_ONCE(afbus_sk(sock->sk)->passseq))
		put_cmsg(msg, SOL_BUS, BUS_SCM_SEQ, sizeof(cb->msg->seq),
			 &cb->msg->seq);
	if (cb->lost)
		put_cmsg(msg, SOL_BUS, BUS_SCM_LOST, sizeof(cb->lost),
			 &cb->lost);

	if (test_bit(SOCK_PASSCRED, &sock->flags))
		scm_set_cred(&scm, cb->msg->pid, cb->msg->uid, cb->msg->gid);
#ifdef CONFIG_SECURITY_NETWORK
	scm.secid = cb->msg->secid;
#endif
	scm_recv(sock, msg, &scm, flags);
	return 0;
}
