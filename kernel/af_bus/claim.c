// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims: what a sender leaves at a full recipient if it may not sleep. It is
 * told of room by an edge of POLLOUT, once; the claim's ticket stands when it
 * comes back, so that those who sleep do not always come first.
 */

#include <linux/slab.h>
#include "send.h"

/**
 * afbus_claim_tell() - tell those who wait without sleeping
 * @s: the recipient
 */
void afbus_claim_tell(struct afbus_sock *s)
{
	struct afbus_claim *claim;

	lockdep_assert_held(&s->sk.sk_receive_queue.lock);

	if (!s->claims_armed)
		return;

	s->claims_armed = false;
	list_for_each_entry(claim, &s->claimed, to_node) {
		if (claim->armed) {
			claim->armed = false;
			afbus_wake_pollout(claim->from);
		}
	}
}

static struct afbus_claim *afbus_claim_find(const struct afbus_sock *from,
					    const struct afbus_sock *to)
{
	struct afbus_claim *claim;

	lockdep_assert_held(&to->bus->lock);

	list_for_each_entry(claim, &from->claims, from_node) {
		if (claim->to == to)
			return claim;
	}
	return NULL;
}

/**
 * afbus_claim_ticket() - since when a sender has waited for a recipient
 * @from: the sender
 * @to: the recipient
 *
 * Return: the ticket of its claim, 0 without.
 */
u64 afbus_claim_ticket(const struct afbus_sock *from,
		       const struct afbus_sock *to)
{
	struct afbus_claim *claim = afbus_claim_find(from, to);

	return claim ? claim->ticket : 0;
}

static void afbus_claim_drop(struct afbus_claim *claim)
{
	struct sk_buff_head *queue = &claim->to->sk.sk_receive_queue;
	unsigned long flags;

	lockdep_assert_held(&claim->to->bus->lock);

	spin_lock_irqsave(&queue->lock, flags);
	list_del(&claim->to_node);
	spin_unlock_irqrestore(&queue->lock, flags);
	list_del(&claim->from_node);
	claim->from->nr_claims--;
	kfree(claim);
}

/* Arm @claim, unless there is room by now. */
static void afbus_claim_arm(struct afbus_claim *claim)
{
	struct afbus_sock *to = claim->to;
	unsigned long flags;

	lockdep_assert_held(&to->bus->lock);

	spin_lock_irqsave(&to->sk.sk_receive_queue.lock, flags);
	claim->armed = true;
	to->claims_armed = true;
	WRITE_ONCE(to->wanted, true);
	/* The queue may have room that belongs to those who sit: not told. */
	if (list_empty(&to->seats))
		afbus_give_room(to);
	spin_unlock_irqrestore(&to->sk.sk_receive_queue.lock, flags);
}

/**
 * afbus_claim_is_lacking() - whether afbus_claim_leave() has nothing to leave
 * @s: the send, not admitted under this hold of the lock
 *
 * One who tries again and again has left a claim the first time.
 */
bool afbus_claim_is_lacking(const struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	return s->full && !s->claim &&
	       !afbus_claim_find(s->from, s->full->to);
}

/**
 * afbus_claim_prepare() - get what afbus_claim_leave() uses up
 * @s: the send
 *
 * Return: 0 or -ENOMEM.
 */
int afbus_claim_prepare(struct afbus_send *s)
{
	s->claim = kzalloc(sizeof(*s->claim), GFP_KERNEL_ACCOUNT);
	return s->claim ? 0 : -ENOMEM;
}

/**
 * afbus_claim_free() - give up a claim that was prepared and not used up
 * @s: the send
 */
void afbus_claim_free(struct afbus_send *s)
{
	kfree(s->claim);
	s->claim = NULL;
}

/* Use up @s->claim. */
static struct afbus_claim *afbus_claim_make(struct afbus_send *s, u64 ticket)
{
	struct afbus_sock *from = s->from, *to = s->full->to;
	struct afbus_claim *claim = s->claim;
	unsigned long flags;

	lockdep_assert_held(&s->bus->lock);

	/* Too many: tell of the oldest now, rather than never. */
	if (from->nr_claims == AFBUS_MAX_CLAIMS) {
		afbus_claim_drop(list_first_entry(&from->claims,
						  struct afbus_claim,
						  from_node));
		afbus_wake_pollout(from);
	}

	s->claim = NULL;
	claim->from = from;
	claim->to = to;
	claim->ticket = ticket;
	list_add_tail(&claim->from_node, &from->claims);
	from->nr_claims++;
	spin_lock_irqsave(&to->sk.sk_receive_queue.lock, flags);
	list_add_tail(&claim->to_node, &to->claimed);
	spin_unlock_irqrestore(&to->sk.sk_receive_queue.lock, flags);
	return claim;
}

/**
 * afbus_claim_leave() - want to be told when the full recipient has room
 * @s: the send, not admitted under this hold of the lock
 */
void afbus_claim_leave(struct afbus_send *s)
{
	struct afbus_claim *claim;

	lockdep_assert_held(&s->bus->lock);

	/* The sender's own queue needs none: afbus_wait_own() has seen to it. */
	if (!s->full)
		return;

	claim = afbus_claim_find(s->from, s->full->to);
	if (!claim)
		claim = afbus_claim_make(s, ++s->bus->last_ticket);
	afbus_claim_arm(claim);
}

/**
 * afbus_claim_keep() - keep the place of a send whose sleep was cut short
 * @s: the send, routed under this hold of the lock
 *
 * Who is interrupted again and again would else be the last each time.
 */
void afbus_claim_keep(struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	if (s->claim && s->full->live &&
	    !afbus_claim_find(s->from, s->full->to))
		afbus_claim_make(s, s->ticket);
}

/**
 * afbus_claim_settle() - a message got through: its recipients owe nothing
 * @s: the send, routed under this hold of the lock
 */
void afbus_claim_settle(struct afbus_send *s)
{
	struct afbus_claim *claim, *next;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry_safe(claim, next, &s->from->claims, from_node) {
		if (claim->to->stamp == s->bus->stamp &&
		    s->rcpts[claim->to->slot].queued)
			afbus_claim_drop(claim);
	}
}

/**
 * afbus_claim_drop_all() - a socket closes
 * @s: the socket
 */
void afbus_claim_drop_all(struct afbus_sock *s)
{
	struct afbus_claim *claim, *next;

	lockdep_assert_held(&s->bus->lock);

	list_for_each_entry_safe(claim, next, &s->claims, from_node)
		afbus_claim_drop(claim);
	list_for_each_entry_safe(claim, next, &s->claimed, to_node)
		afbus_claim_drop(claim);
}
