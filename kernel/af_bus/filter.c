// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filtering: one copy of the message for each recipient, cut or dropped by
 * what the recipient has attached to its socket.
 */

#include <linux/filter.h>
#include <net/af_bus.h>
#include "send.h"
#include "trace.h"

static noinline void afbus_copy_put_fds(struct sk_buff *skb)
{
	struct scm_cookie scm = { .fp = afbus_scm_take(skb) };

	scm_destroy(&scm);
}

static inline void afbus_copy_end_fds(struct sk_buff *skb)
{
	if (AFBUS_CB(skb)->fp)
		afbus_copy_put_fds(skb);
}

/* The three kinds of copies, by how they end. */

static void afbus_direct_destruct(struct sk_buff *skb)
{
	afbus_copy_end_fds(skb);
	afbus_msg_end(AFBUS_CB(skb)->msg);
	sock_wfree(skb);
}

static void afbus_copy_destruct(struct sk_buff *skb)
{
	afbus_copy_end_fds(skb);
	afbus_msg_read(AFBUS_CB(skb)->msg);
	afbus_msg_put(AFBUS_CB(skb)->msg);
}

static void afbus_eaves_destruct(struct sk_buff *skb)
{
	afbus_copy_end_fds(skb);
	afbus_msg_put(AFBUS_CB(skb)->msg);
	atomic_sub(skb->truesize, &skb->sk->sk_rmem_alloc);
	sock_put(skb->sk);
}

static bool afbus_has_protocol(const struct afbus_send *s)
{
	const struct afbus_protocol *protocol = s->from->protocol;

	return protocol && (!protocol->multicast_only ||
			    (!s->to_peer && afbus_addr_is_multicast(s->dst)));
}

/* Whether anybody may have a say in what the recipients get. */
static bool afbus_has_judge(const struct afbus_send *s)
{
	return afbus_has_protocol(s) || afbus_hook_present();
}

/* What a security module has to say of received packets is about networks. */
static bool afbus_has_filter(const struct afbus_rcpt *r)
{
	return rcu_access_pointer(r->to->sk.sk_filter);
}

/* The original is enough: one recipient, and nothing may meddle with its copy. */
static inline bool afbus_can_go_direct(struct afbus_send *s,
				       struct afbus_rcpt *r)
{
	return s->live == 1 && !r->eaves && !afbus_has_judge(s) &&
	       !afbus_has_filter(r);
}

static void afbus_copy_direct(struct afbus_send *s, struct afbus_rcpt *r)
{
	struct sk_buff *skb = s->skb;

	/* The list of descriptors moves, and is counted as before. */
	*AFBUS_CB(skb) = (struct afbus_cb){ .msg = s->msg, .fp = s->scm.fp };
	s->scm.fp = NULL;
	skb->destructor = afbus_direct_destruct;
	s->direct = true;
	s->skb = NULL;
	r->skb = skb;
	r->judged = true;
	r->made = true;
	r->made_eaves = false;
}

/**
 * afbus_filter_direct() - make the only copy of a message right away
 * @s: the send, routed under this hold of the lock
 *
 * Needs no memory and does not sleep, so the lock can be kept, and one route
 * is enough.
 *
 * Return: false if there is more to do: afbus_filter_copies().
 */
static bool afbus_filter_direct(struct afbus_send *s)
{
	struct afbus_rcpt *r = s->rcpts;

	lockdep_assert_held(&s->bus->lock);

	if (s->nr != 1 || r->made || s->scm.fp || !afbus_can_go_direct(s, r))
		return false;

	afbus_copy_direct(s, r);
	return true;
}

/**
 * afbus_filter_undo_direct() - take the original back
 * @s: the send, not committed
 */
static void afbus_filter_undo_direct(struct afbus_send *s)
{
	struct afbus_rcpt *r;

	if (!s->direct)
		return;

	/* No other recipient has a copy. */
	for (r = s->rcpts; !r->skb; r++)
		;
	s->skb = r->skb;
	s->scm.fp = AFBUS_CB(s->skb)->fp;
	s->skb->destructor = sock_wfree;
	s->direct = false;
	r->skb = NULL;
	r->made = false;
}

/*
 * The sender pays for the original until the last recipient has taken its copy.
 * Eavesdroppers have no part in that: their copies share the payload, but are
 * charged to themselves. Such a copy keeps its socket: the collector frees the
 * queue of one whose last descriptor may be among what it frees.
 */
static int afbus_copy_clone(struct afbus_send *s, struct afbus_rcpt *r)
{
	struct sk_buff *skb;

	skb = skb_clone(s->skb, GFP_KERNEL_ACCOUNT);
	if (!skb)
		return -ENOMEM;

	*AFBUS_CB(skb) = (struct afbus_cb){ .msg = s->msg, .eaves = r->eaves };
	refcount_inc(&s->msg->ref);
	if (r->eaves) {
		sock_hold(&r->to->sk);
		skb->sk = &r->to->sk;
		atomic_add(skb->truesize, &skb->sk->sk_rmem_alloc);
		skb->destructor = afbus_eaves_destruct;
	} else {
		refcount_inc(&s->msg->unread);
		skb->destructor = afbus_copy_destruct;
	}
	r->skb = skb;
	return s->scm.fp ? afbus_scm_dup(skb, s->scm.fp) : 0;
}

static void afbus_copy_drop(struct afbus_rcpt *r)
{
	kfree_skb(r->skb);
	r->skb = NULL;
}

/* Let protocol and hooks see the copy, once. */
static int afbus_copy_judge(struct afbus_send *s, struct afbus_rcpt *r)
{
	int err;

	if (!r->judged) {
		err = afbus_has_judge(s) ? afbus_hook_verdict(s, r) : 0;
		r->judged = true;
		r->denied = err;
		/* A message to one recipient fails with it. */
		if (err && !r->eaves &&
		    (s->to_peer || !afbus_addr_is_multicast(s->dst)))
			return err;
	}
	if (r->denied)
		afbus_copy_drop(r);
	return 0;
}

/* Let the recipient's filter see its copy. */
static int afbus_copy_filter(struct afbus_send *s, struct afbus_rcpt *r)
{
	unsigned int truesize;
	int err;

	if (!r->skb || !afbus_has_filter(r))
		return 0;
	truesize = r->skb->truesize;

	err = sk_filter(&r->to->sk, r->skb);
	if (r->eaves)
		atomic_add(r->skb->truesize - truesize,
			   &r->to->sk.sk_rmem_alloc);
	if (err == -ENOMEM)
		return err;
	if (err)
		afbus_copy_drop(r);
	return 0;
}

/**
 * afbus_filter_unmake() - give up the copy of one recipient
 * @s: the send
 * @r: the recipient
 */
static void afbus_filter_unmake(struct afbus_send *s, struct afbus_rcpt *r)
{
	if (!r->queued)
		kfree_skb(r->skb);
	r->skb = NULL;
	r->made = false;
	r->missed = false;
}

static int afbus_copy_make(struct afbus_send *s, struct afbus_rcpt *r)
{
	int err;

	afbus_filter_unmake(s, r);
	/* The collector wants the send to keep bus sockets until they are queued. */
	if (!s->msg->buses && afbus_can_go_direct(s, r)) {
		afbus_copy_direct(s, r);
		return 0;
	}

	err = afbus_copy_clone(s, r);
	if (!err)
		err = afbus_copy_judge(s, r);
	if (!err)
		err = afbus_copy_filter(s, r);
	if (err == -ENOMEM && r->eaves) {
		/* Watching fails nothing: the copy counts as lost. */
		afbus_copy_drop(r);
		r->missed = true;
		err = 0;
	}
	if (err)
		return err;

	r->made = true;
	r->made_eaves = r->eaves;
	return 0;
}

/**
 * afbus_filter_recheck() - see whether the protocol would still say the same
 * @s: the send, routed under this hold of the lock
 *
 * If not, all copies are to be made once more.
 */
static void afbus_filter_recheck(struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	if (afbus_has_protocol(s) && s->verdicts != s->bus->verdicts)
		s->unmade = s->live;
}

/* Copies that were judged before the last change say nothing any more. */
static void afbus_filter_renew(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	u64 verdicts;

	/* What is judged from now on is judged by no older rules. */
	verdicts = smp_load_acquire(&s->bus->verdicts);
	if (s->verdicts == verdicts)
		return;
	s->verdicts = verdicts;
	afbus_for_each_rcpt(r, s) {
		afbus_filter_unmake(s, r);
		r->judged = false;
		r->denied = 0;
	}
}

/**
 * afbus_filter_copies() - make the copies that the last route asks for
 * @s: the send
 *
 * Return: 0; -ENOMEM; what a hook says to a message to one recipient.
 */
static int afbus_filter_copies(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	int err;

	afbus_filter_undo_direct(s);
	if (afbus_has_protocol(s))
		afbus_filter_renew(s);
	afbus_for_each_rcpt(r, s) {
		if (!r->live)
			afbus_filter_unmake(s, r);
	}

	afbus_for_each_live(r, s) {
		if (r->made && r->made_eaves == r->eaves)
			continue;
		err = afbus_copy_make(s, r);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}
