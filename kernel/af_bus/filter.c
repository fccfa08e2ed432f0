// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filtering: protocol and hooks judge the message for each recipient, and those
 * that are to get it get a copy, which the filter of the recipient's socket may
 * cut or drop.
 *
 * A verdict holds until the send sleeps, the recipient becomes an eavesdropper
 * or stops being one, or the protocol's rules for it change.
 */

#include <linux/filter.h>
#include <linux/sched/signal.h>
#include <net/af_bus.h>
#include "addr.h"
#include "budget.h"
#include "bus.h"
#include "fastpath.h"
#include "msg.h"
#include "sock.h"
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
	struct afbus_cb *cb = AFBUS_CB(skb);

	afbus_copy_end_fds(skb);
	afbus_msg_end(cb->msg);
	/*
	 * @paid does not tell: the recipient may have left before the copy was
	 * queued.
	 */
	if (skb->sk)
		afbus_uncharge(afbus_sk(skb->sk), cb->weight);
}

static void afbus_copy_destruct(struct sk_buff *skb)
{
	struct afbus_cb *cb = AFBUS_CB(skb);

	afbus_copy_end_fds(skb);
	if (cb->paid)
		afbus_msg_read(cb->msg, 1);
	afbus_msg_put(cb->msg);
}

static void afbus_eaves_destruct(struct sk_buff *skb)
{
	afbus_copy_end_fds(skb);
	afbus_msg_put(AFBUS_CB(skb)->msg);
	sock_put(skb->sk);
}

static bool afbus_has_protocol(const struct afbus_send *s,
			       const struct afbus_rcpt *r)
{
	const struct afbus_protocol *protocol = s->from->protocol;

	return protocol && (!protocol->multicast_only || r->eaves ||
			    afbus_addr_is_multicast(s->dst));
}

/* Whether a protocol or a hook judges what the recipient gets. */
static bool afbus_has_judge(const struct afbus_send *s,
			    const struct afbus_rcpt *r)
{
	return afbus_has_protocol(s, r) || afbus_hook_present();
}

/* Security modules are not asked: their hook for this is about networks. */
static bool afbus_has_filter(const struct afbus_rcpt *r)
{
	return rcu_access_pointer(r->to->sk.sk_filter);
}

/*
 * The original can be the copy: there is one recipient, and no filter that may
 * cut it.
 */
static inline bool afbus_can_go_direct(struct afbus_send *s,
				       struct afbus_rcpt *r)
{
	return s->live == 1 && !r->eaves && !afbus_has_filter(r);
}

static void afbus_copy_direct(struct afbus_send *s, struct afbus_rcpt *r)
{
	struct sk_buff *skb = s->skb;

	/* The list of descriptors moves, and is counted as before. */
	*AFBUS_CB(skb) = (struct afbus_cb){
		.msg = s->msg, .fp = s->scm.fp, .weight = s->weight };
	s->scm.fp = NULL;
	skb->destructor = afbus_direct_destruct;
	s->direct = true;
	s->skb = NULL;
	r->skb = skb;
}

static void afbus_copy_is_made(struct afbus_rcpt *r, unsigned long verdicts)
{
	r->verdicts = verdicts;
	if (r->copy == AFBUS_COPY_UNMADE)
		r->copy = AFBUS_COPY_MADE;
	r->made_eaves = r->eaves;
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
__fastpath bool afbus_filter_direct(struct afbus_send *s)
{
	struct afbus_rcpt *r = s->rcpts;

	lockdep_assert_held(&s->bus->lock);

	if (s->nr != 1 || r->copy != AFBUS_COPY_UNMADE || s->scm.fp ||
	    afbus_has_judge(s, r) || !afbus_can_go_direct(s, r))
		return false;

	afbus_copy_direct(s, r);
	afbus_copy_is_made(r, r->to->verdicts_to);
	return true;
}

/**
 * afbus_filter_undo_direct() - take the original back
 * @s: the send, not committed
 */
__fastpath void afbus_filter_undo_direct(struct afbus_send *s)
{
	struct afbus_rcpt *r;

	if (!s->direct)
		return;

	/* No other recipient has a copy. */
	for (r = s->rcpts; !r->skb; r++)
		;
	s->skb = r->skb;
	s->scm.fp = AFBUS_CB(s->skb)->fp;
	s->skb->destructor = NULL;
	s->direct = false;
	r->skb = NULL;
	r->copy = AFBUS_COPY_UNMADE;
}

/*
 * Whether a copy needs a head of its own, since its filter may cut it. To cut a
 * clone, the kernel would copy its head and charge no memcg.
 */
static bool afbus_needs_head(const struct afbus_send *s, bool filter)
{
	return filter && skb_is_nonlinear(s->skb);
}

/* All memory of a copy, before its recipient is known. */
static __always_inline struct sk_buff *
afbus_copy_alloc(struct afbus_send *s, bool own_head)
{
	struct sk_buff *skb;

	skb = skb_clone(s->skb, GFP_KERNEL_ACCOUNT);
	if (!skb)
		return NULL;

	*AFBUS_CB(skb) = (struct afbus_cb){
		.msg = s->msg, .weight = s->weight };
	if ((own_head && skb_unclone(skb, GFP_KERNEL_ACCOUNT)) ||
	    (s->scm.fp && afbus_scm_dup(s, skb))) {
		afbus_scm_undo(skb);
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/**
 * afbus_copy_spare() - get all memory of a copy before its recipient is known
 * @s: the send
 * @own_head: the copy does not share the head of the original
 *
 * Return: the copy; NULL without memory.
 */
__fastpath noinline struct sk_buff *afbus_copy_spare(struct afbus_send *s,
						     bool own_head)
{
	return afbus_copy_alloc(s, own_head);
}

/* A send that holds changes up does not wait for memory: it has it already. */
static struct sk_buff *afbus_copy_blank(struct afbus_send *s,
					const struct afbus_rcpt *r,
					bool own_head)
{
	if (unlikely(s->holds_changes))
		return afbus_reserve_take(s, r, own_head);
	return afbus_copy_alloc(s, own_head);
}

/*
 * An eavesdropper's copy has a reference on the socket, on whose account its
 * descriptors are: the collector may free the queue of a socket together with
 * the last descriptor of that socket.
 */
static int afbus_copy_clone(struct afbus_send *s, struct afbus_rcpt *r,
			    bool own_head)
{
	struct sk_buff *skb;

	skb = afbus_copy_blank(s, r, own_head);
	if (!skb)
		return s->holds_changes && !s->short_of_memory ?
		       AFBUS_RESERVE_MORE : -ENOMEM;

	AFBUS_CB(skb)->eaves = r->eaves;
	refcount_inc(&s->msg->ref);
	if (r->eaves) {
		sock_hold(&r->to->sk);
		skb->sk = &r->to->sk;
		skb->destructor = afbus_eaves_destruct;
	} else {
		skb->destructor = afbus_copy_destruct;
	}
	r->skb = skb;
	if (s->scm.fp)
		afbus_scm_address(s, r);
	return 0;
}

static void afbus_copy_drop(struct afbus_rcpt *r)
{
	kfree_skb(r->skb);
	r->skb = NULL;
}

/* Let the recipient's filter see its copy. */
static int afbus_copy_filter(struct afbus_rcpt *r)
{
	int err;

	r->filtered = true;
	err = sk_filter(&r->to->sk, r->skb);
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
__fastpath void afbus_filter_unmake(struct afbus_send *s, struct afbus_rcpt *r)
{
	if (r->copy != AFBUS_COPY_QUEUED)
		kfree_skb(r->skb);
	r->skb = NULL;
	r->copy = AFBUS_COPY_UNMADE;
	r->filtered = false;
}

static int afbus_copy_get(struct afbus_send *s, struct afbus_rcpt *r)
{
	bool filter;
	int err;

	/* The collector wants the send to keep bus sockets until they are queued. */
	if (!s->msg->buses && afbus_can_go_direct(s, r)) {
		afbus_copy_direct(s, r);
		return 0;
	}

	/* Asked once: a filter that comes later is for the next message. */
	filter = afbus_has_filter(r);
	err = afbus_copy_clone(s, r, afbus_needs_head(s, filter));
	if (!err && filter)
		err = afbus_copy_filter(r);
	if (err == -ENOMEM && r->eaves) {
		/*
		 * An eavesdropper does not make a send fail: its copy counts as
		 * lost.
		 */
		afbus_copy_drop(r);
		r->copy = AFBUS_COPY_MISSED;
		err = 0;
	}
	return err;
}

/* The protocol has read the message already: it needs to see the client alone. */
static bool afbus_is_wanted(const struct afbus_send *s,
			    const struct afbus_rcpt *r)
{
	bool wanted;

	rcu_read_lock();
	wanted = s->from->protocol->wants(r->to->data, s->msg->src, s->scratch);
	rcu_read_unlock();
	return wanted;
}

static int afbus_copy_judge(struct afbus_send *s, struct afbus_rcpt *r)
{
	if (!s->marks)
		return afbus_has_judge(s, r) ? afbus_hook_verdict(s, r) : 0;
	if (!afbus_is_wanted(s, r))
		return -EPERM;
	return afbus_hook_present() ? afbus_hook_verdict(s, r) : 0;
}

/*
 * Let protocol and hooks see the message, and copy it if they let it pass: so a
 * message that a recipient does not want costs no copy.
 */
static int afbus_copy_make(struct afbus_send *s, struct afbus_rcpt *r)
{
	unsigned long verdicts;
	int err;

	afbus_filter_unmake(s, r);
	/*
	 * The verdict is by rules at least as new as the number read here:
	 * pairs with the release in afbus_protocol_change_to().
	 */
	verdicts = smp_load_acquire(&r->to->verdicts_to);
	r->filtered = afbus_hook_present();
	err = afbus_copy_judge(s, r);
	/* A message to one recipient fails with the verdict's error. */
	if (err && !r->eaves && !afbus_addr_is_multicast(s->dst))
		return err;

	err = err ? 0 : afbus_copy_get(s, r);
	if (!err)
		afbus_copy_is_made(r, verdicts);
	return err;
}

/**
 * afbus_filter_forget() - forget clients that are no recipients any more
 * @s: the send, with no place in a line
 */
__fastpath void afbus_filter_forget(struct afbus_send *s)
{
	struct afbus_rcpt *r, *to = s->rcpts;

	afbus_filter_undo_direct(s);
	afbus_for_each_rcpt(r, s) {
		if (!r->live) {
			afbus_filter_unmake(s, r);
			sock_put(&r->to->sk);
			continue;
		}
		if (to != r)
			*to = *r;
		to++;
	}
	s->nr = to - s->rcpts;
	s->full = NULL;
}

/* Give up verdicts from before the last change that concerns the sender. */
static void afbus_filter_renew(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	unsigned long verdicts;

	/* Pairs with the release in afbus_protocol_change_from(). */
	verdicts = smp_load_acquire(&s->from->verdicts_from);
	if (s->verdicts == verdicts)
		return;
	s->verdicts = verdicts;
	afbus_for_each_rcpt(r, s)
		afbus_filter_unmake(s, r);
}

/**
 * afbus_filter_count() - give up what does not hold any more
 * @s: the send
 * @nr: result: copies to be made, by whether they have heads of their own
 */
__fastpath noinline void afbus_filter_count(struct afbus_send *s,
					    unsigned int nr[2])
{
	struct afbus_rcpt *r;

	nr[false] = 0;
	nr[true] = 0;
	afbus_filter_undo_direct(s);
	afbus_filter_renew(s);
	afbus_for_each_rcpt(r, s) {
		if (r->live && !afbus_copy_is_stale(r))
			continue;
		afbus_filter_unmake(s, r);
		if (r->live)
			nr[afbus_needs_head(s, afbus_has_filter(r))]++;
	}
}

/**
 * afbus_filter_copies() - make the copies that the last route asks for
 * @s: the send
 *
 * Return: 0; AFBUS_RESERVE_MORE; -ENOMEM; -EINTR if the caller is killed; what
 * a hook says to a message to one recipient.
 */
__fastpath int afbus_filter_copies(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	unsigned int n = 0;
	int err;

	afbus_filter_undo_direct(s);
	afbus_filter_renew(s);

	afbus_for_each_rcpt(r, s) {
		if (!r->live)
			afbus_filter_unmake(s, r);
		if (!r->live || !afbus_copy_is_stale(r))
			continue;
		err = afbus_copy_make(s, r);
		if (err)
			return err;
		if (afbus_take_breath(&n) && fatal_signal_pending(current))
			return -EINTR;
	}
	s->made = afbus_addr_is_multicast(s->dst);
	return 0;
}

/**
 * afbus_filter_expire() - the send has slept: ask filters and hooks once more
 * @s: the send
 *
 * The protocol's verdicts need no second look: it announces its changes.
 */
__fastpath void afbus_filter_expire(struct afbus_send *s)
{
	bool hooks = afbus_hook_present();
	struct afbus_rcpt *r;

	afbus_for_each_rcpt(r, s) {
		if (!hooks && !r->filtered && !afbus_has_filter(r))
			continue;
		if (s->direct)
			afbus_filter_undo_direct(s);
		else
			afbus_filter_unmake(s, r);
	}
}
