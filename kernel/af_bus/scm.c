// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors and credentials: taken from the sender, kept with each copy,
 * given to the receiver.
 */

#include <linux/cred.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "budget.h"
#include "fastpath.h"
#include "hold.h"
#include "inflight.h"
#include "msg.h"
#include "sock.h"

/* Count the descriptors against the sender, before it waits for anything. */
static int afbus_scm_charge(struct afbus_send *s)
{
	const struct scm_fp_list *fp = s->scm.fp;
	int err;

	s->buses = afbus_hold_count(fp);
	s->inflight = afbus_inflight_get(fp->user->uid);
	if (!s->inflight)
		return -ENOMEM;

	err = afbus_inflight_charge(s->inflight, fp, s->buses);
	if (err)
		afbus_inflight_put(s->inflight);
	return err;
}

/**
 * afbus_scm_build() - take descriptors and credentials from the sender
 * @s: the send
 * @msg: the call's message header
 *
 * Return: 0; -EINVAL, -EBADF, -EPERM, -ETOOMANYREFS, -ENOMEM, with no
 * descriptors taken.
 */
__fastpath int afbus_scm_build(struct afbus_send *s, struct msghdr *msg)
{
	struct scm_cookie *scm = &s->scm;
	int err;

	/* Not scm_set_cred(): the number of this pid is not needed. */
	scm->pid = get_pid(task_tgid(current));
	scm->creds.uid = current_uid();
	scm->creds.gid = current_gid();
	if (!msg->msg_controllen)
		return 0;

	err = afbus_compat_scm_send(msg, scm);
	if (err || !scm->fp)
		return err;
	err = afbus_scm_charge(s);
	if (err)
		scm_destroy(scm);
	return err;
}

/**
 * afbus_msg_begin() - note what all copies of a message share
 * @s: the send, with descriptors, credentials and the original, which is
 *	given away to the message
 */
__fastpath void afbus_msg_begin(struct afbus_send *s)
{
	struct scm_cookie *scm = &s->scm;
	struct afbus_msg *msg = (struct afbus_msg *)s->skb->head;

	/* Field by field, for the reason given at afbus_send_begin(). */
	refcount_set(&msg->ref, 1);
	msg->skb = s->skb;
	msg->src = afbus_own_addr(s->from);
	msg->pid = scm->pid;
	msg->uid = scm->creds.uid;
	msg->gid = scm->creds.gid;
	msg->buses = 0;
	msg->inflight = NULL;
	scm->pid = NULL;
	security_cred_getsecid(current_cred(), &msg->secid);
	s->msg = msg;

	if (scm->fp) {
		msg->inflight = s->inflight;
		msg->fds = scm->fp->count;
		msg->buses = s->buses;
		refcount_set(&msg->fds_left, 1);
	}
}

/**
 * afbus_msg_end() - give up what a message holds beside its memory
 * @msg: the message
 */
__fastpath void afbus_msg_end(struct afbus_msg *msg)
{
	if (msg->inflight)
		afbus_inflight_put(msg->inflight);
	put_pid(msg->pid);
}

__fastpath void afbus_msg_put(struct afbus_msg *msg)
{
	if (refcount_dec_and_test(&msg->ref)) {
		afbus_msg_end(msg);
		consume_skb(msg->skb);
	}
}

/**
 * afbus_msg_read() - copies that the sender is charged for have been taken
 * @msg: the message, charged
 * @n: how many copies
 *
 * With the last of them the charge ends.
 */
__fastpath void afbus_msg_read(struct afbus_msg *msg, unsigned int n)
{
	struct sock *sk;

	if (!refcount_sub_and_test(n, &msg->unread))
		return;
	sk = msg->skb->sk;
	msg->skb->sk = NULL;
	afbus_uncharge(afbus_sk(sk), afbus_weight(msg->skb->len));
}

/* The sender is charged for one list of descriptors less. */
static void afbus_msg_put_fds(struct afbus_msg *msg)
{
	if (refcount_dec_and_test(&msg->fds_left))
		afbus_inflight_uncharge(msg->inflight, msg->fds, msg->buses);
}

/**
 * afbus_scm_end() - give up what a send has taken and no copy has
 * @s: the send
 */
__fastpath noinline void afbus_scm_end(struct afbus_send *s)
{
	struct scm_fp_list *fp = s->scm.fp;

	if (fp && s->msg) {
		afbus_msg_put_fds(s->msg);
	} else if (fp) {
		afbus_inflight_uncharge(s->inflight, fp->count, s->buses);
		afbus_inflight_put(s->inflight);
	}
	scm_destroy(&s->scm);
}

/**
 * afbus_scm_dup() - give a copy descriptors of its own
 * @s: the send, which keeps its own as well
 * @skb: the copy, which has no recipient yet
 *
 * Return: 0; -ENOMEM, and afbus_scm_undo() is to follow.
 */
__fastpath int afbus_scm_dup(struct afbus_send *s, struct sk_buff *skb)
{
	struct afbus_cb *cb = AFBUS_CB(skb);

	cb->fp = scm_fp_dup(s->scm.fp);
	if (!cb->fp)
		return -ENOMEM;
	if (s->msg->buses) {
		cb->hold = afbus_hold_alloc(cb->fp);
		if (!cb->hold)
			return -ENOMEM;
	}
	return 0;
}

/**
 * afbus_scm_undo() - give up the descriptors of a copy without a recipient
 * @skb: the copy
 */
__fastpath void afbus_scm_undo(struct sk_buff *skb)
{
	struct afbus_cb *cb = AFBUS_CB(skb);
	struct scm_cookie scm = { .fp = cb->fp };

	kfree(cb->hold);
	scm_destroy(&scm);
}

/**
 * afbus_scm_address() - count the descriptors of a copy that has a recipient now
 * @s: the send
 * @r: the recipient, with its copy
 */
__fastpath void afbus_scm_address(struct afbus_send *s, struct afbus_rcpt *r)
{
	struct afbus_cb *cb = AFBUS_CB(r->skb);

	if (cb->hold)
		afbus_hold_add(cb->hold, r->to);
	if (!cb->eaves)
		refcount_inc(&s->msg->fds_left);
}

/**
 * afbus_scm_watch() - count the descriptors of an eavesdropper's copy
 * @r: the eavesdropper, with its copy, which is about to be queued
 *
 * Return: false if it has too many in flight: the copy is to be dropped.
 */
__fastpath bool afbus_scm_watch(struct afbus_rcpt *r)
{
	struct afbus_cb *cb = AFBUS_CB(r->skb);

	if (!cb->fp)
		return true;
	cb->watched = afbus_inflight_watch(r->to->watch, cb->fp->count,
					   r->to->watch_limit);
	return cb->watched;
}

/**
 * afbus_scm_take() - take the descriptors out of a copy
 * @skb: the copy
 *
 * Return: the descriptors, not in flight any more, or NULL.
 */
__fastpath struct scm_fp_list *afbus_scm_take(struct sk_buff *skb)
{
	struct afbus_cb *cb = AFBUS_CB(skb);
	struct scm_fp_list *fp = cb->fp;

	if (!fp)
		return NULL;

	if (cb->hold)
		afbus_hold_del(cb->hold);
	if (!cb->eaves)
		afbus_msg_put_fds(cb->msg);
	else if (cb->watched)
		afbus_inflight_unwatch(afbus_sk(skb->sk)->watch, fp->count);
	cb->fp = NULL;
	return fp;
}

/**
 * afbus_scm_recv() - give the receiver what came with a message
 * @sock: the receiver
 * @msg: the call's message header
 * @skb: the copy, with the reader's lock held
 * @flags: flags of the call
 *
 * Descriptors come last, since they take all room that is left.
 *
 * Return: 0 or -ENOMEM.
 */
__fastpath int afbus_scm_recv(struct socket *sock, struct msghdr *msg,
			      struct sk_buff *skb, int flags)
{
	struct afbus_cb *cb = AFBUS_CB(skb);
	struct scm_cookie scm = {};

	if (flags & MSG_PEEK && cb->fp) {
		scm.fp = scm_fp_dup(cb->fp);
		if (!scm.fp)
			return -ENOMEM;
		if (cb->hold)
			afbus_hold_peek(cb->hold);
	} else if (!(flags & MSG_PEEK)) {
		scm.fp = afbus_scm_take(skb);
	}

	if (READ_ONCE(afbus_sk(sock->sk)->passseq))
		put_cmsg(msg, SOL_BUS, BUS_SCM_SEQ, sizeof(cb->msg->seq),
			 &cb->msg->seq);
	if (cb->lost)
		put_cmsg(msg, SOL_BUS, BUS_SCM_LOST, sizeof(cb->lost),
			 &cb->lost);

	/*
	 * Whether SO_PASSCRED is set is for scm_recv() to say: it can change
	 * between two looks, and credentials that nobody filled in are root's.
	 */
	scm.creds.pid = pid_vnr(cb->msg->pid);
	scm.creds.uid = cb->msg->uid;
	scm.creds.gid = cb->msg->gid;
#ifdef CONFIG_SECURITY_NETWORK
	scm.secid = cb->msg->secid;
#endif
	scm_recv(sock, msg, &scm, flags);
	return 0;
}
