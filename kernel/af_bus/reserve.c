// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: copies of a message that are made before it is known whose they
 * are.
 *
 * A send that changes of policy have overtaken too often holds them up for a
 * round. It may have to wait long for memory: the kernel throttles a task whose
 * memory cgroup is over memory.high, and others reclaim. So that changes do not
 * wait as well, the send gets its copies before it holds them up, with
 * descriptors and all, and afterwards only takes them out of here.
 *
 * How many it needs is not known until changes are held up. It begins with as
 * many as its last route asks for. If these are too few, it lets changes go on,
 * and next time it gets some to spare, twice as many each time: see
 * afbus_send_hold_anew().
 */

#include <linux/sched/signal.h>
#include "fastpath.h"
#include "msg.h"

/* Copies to spare when the reserve was too small for the first time. */
#define AFBUS_FIRST_SPARE	16U

/**
 * afbus_reserve_begin() - begin with an empty reserve, and nothing to spare
 * @s: the send
 */
__fastpath noinline void afbus_reserve_begin(struct afbus_send *s)
{
	memset(s->reserve, 0, sizeof(s->reserve));
}

static int afbus_reserve_fill_part(struct afbus_send *s, bool own_head,
				   unsigned int wanted)
{
	struct afbus_reserve *part = &s->reserve[own_head];
	struct sk_buff *skb;
	unsigned int n = 0;

	while (part->nr < wanted) {
		skb = afbus_copy_spare(s, own_head);
		if (!skb) {
			s->short_of_memory = true;
			return 0;
		}
		skb->next = part->first;
		part->first = skb;
		part->nr++;
		afbus_take_breath(&n);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * afbus_reserve_fill() - get as many copies as may be needed; may wait for memory
 * @s: the send, which holds no changes up
 *
 * Copies that do not hold any more are given up first, so all that there is at a
 * time is a copy for each recipient, and what there is to spare.
 *
 * Return: 0, even if there was memory for some of them only: what that means is
 * decided for each recipient; -EINTR if the caller is killed.
 */
__fastpath noinline int afbus_reserve_fill(struct afbus_send *s)
{
	struct afbus_reserve *part = s->reserve;
	unsigned int nr[2];

	s->short_of_memory = false;
	afbus_filter_count(s, nr);
	return afbus_reserve_fill_part(s, false, nr[false] + part[false].spare) ?:
	       afbus_reserve_fill_part(s, true, nr[true] + part[true].spare);
}

/**
 * afbus_reserve_take() - take a copy; does not wait
 * @s: the send, which holds changes up
 * @r: the recipient
 * @own_head: the copy must not share the head of the original
 *
 * If memory was short, eavesdroppers get none: what there is may be just enough
 * for the others, and then the send does not fail.
 *
 * Return: the copy, which has no recipient yet, or NULL.
 */
__fastpath noinline struct sk_buff *
afbus_reserve_take(struct afbus_send *s, const struct afbus_rcpt *r,
		   bool own_head)
{
	struct afbus_reserve *part = &s->reserve[own_head];
	struct sk_buff *skb = part->first;

	if (r->eaves && s->short_of_memory)
		return NULL;
	if (!skb) {
		part->spare = max(2 * part->spare, AFBUS_FIRST_SPARE);
		return NULL;
	}
	part->first = skb->next;
	part->nr--;
	skb_mark_not_on_list(skb);
	return skb;
}

static void afbus_reserve_end_part(struct afbus_reserve *part)
{
	struct sk_buff *skb;
	unsigned int n = 0;

	while ((skb = part->first)) {
		part->first = skb->next;
		skb_mark_not_on_list(skb);
		afbus_scm_undo(skb);
		consume_skb(skb);
		afbus_take_breath(&n);
	}
	part->nr = 0;
}

/**
 * afbus_reserve_end() - give up the copies that nobody has got
 * @s: the send, which holds no changes up any more
 */
__fastpath noinline void afbus_reserve_end(struct afbus_send *s)
{
	afbus_reserve_end_part(&s->reserve[false]);
	afbus_reserve_end_part(&s->reserve[true]);
}
