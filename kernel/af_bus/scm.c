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
 * @count: descriptors, each copy counted
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
 * @sock: its socket
 * @msg: the call's message header
 *
 * Return: 0; -EINVAL, -EBADF, -EPERM, -ETOOMANYREFS, -ENOMEM. afbus_scm_end()
 * cleans up in any case.
 */
int afbus_scm_build(struct afbus_send *s, struct socket *sock,
		    struct msghdr *msg)
{
	struct scm_cookie *scm = &s->scm;
	int err;

	scm_set_cred(scm, task_tgid(current), current_uid(), current_gid());
	if (msg->msg_controllen) {
		err = afbus_compat_scm_send(msg, scm);
		if (err)
			return err;
	}

	s->msg = kzalloc(sizeof(*s->msg), GFP_KERNEL_ACCOUNT);
	if (!s->msg)
		return -ENOMEM;

	refcount_set(&s->msg->ref, 1);
	s->msg->src = afbus_own_addr(s->from);
	swap(s->msg->pid, scm->pid);
	s->msg->uid = scm->creds.uid;
	s->msg->gid = scm->creds.gid;
	security_cred_getsecid(current_cred(), &s->msg->secid);

	return scm->fp ? afbus_scm_check_fds(s) : 0;
}

void afbus_scm_end(struct afbus_send *s)
{
	scm_destroy(&s->scm);
	afbus_msg_put(s->msg);
}

struct afbus_msg *afbus_msg_put(struct afbus_msg *msg)
{
	if (msg && refcount_dec_and_test(&msg->ref)) {
		if (msg->inflight)
			afbus_inflight_put(msg->inflight);
		put_pid(msg->pid);
		kfree(msg);
	}
	return NULL;
}

/**
 * afbus_scm_attach() - give a copy its part
 * @skb: the copy, control block zeroed
 * @msg: what it shares with the others
 * @fp: its own descriptors, which it owns from now on; may be NULL
 */
void afbus_scm_attach(struct sk_buff *skb, struct afbus_msg *msg,
		      struct scm_fp_list *fp)
{
	refcount_inc(&msg->ref);
	AFBUS_CB(skb)->msg = msg;
	AFBUS_CB(skb)->fp = fp;
	if (!fp)
		return;

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
struct scm_fp_list *afbus_scm_take(struct sk_buff *skb)
{
	struct scm_fp_list *fp = AFBUS_CB(skb)->fp;

	if (!fp)
		return NULL;

	if (AFBUS_CB(skb)->msg->holds_buses)
		afbus_gc_sub(fp);
	atomic_long_sub(fp->count, &AFBUS_CB(skb)->msg->inflight->count);
	AFBUS_CB(skb)->fp = NULL;
	return fp;
}

/**
 * afbus_scm_detach() - the end of a copy
 * @skb: the copy
 */
void afbus_scm_detach(struct sk_buff *skb)
{
	struct scm_cookie scm = { .fp = afbus_scm_take(skb) };

	scm_destroy(&scm);
	AFBUS_CB(skb)->msg = afbus_msg_put(AFBUS_CB(skb)->msg);
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
int afbus_scm_recv(struct socket *sock, struct msghdr *msg,
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

	scm_set_cred(&scm, cb->msg->pid, cb->msg->uid, cb->msg->gid);
#ifdef CONFIG_SECURITY_NETWORK
	scm.secid = cb->msg->secid;
#endif
	scm_recv(sock, msg, &scm, flags);
	return 0;
}
