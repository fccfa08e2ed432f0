// SPDX-License-Identifier: GPL-2.0-only
/*
 * Admission: room at every recipient, or nobody gets the message.
 */

#include "send.h"

/*
 * Whether the recipient takes the copy now. Those who sat down earlier come
 * first: room that is theirs is not room.
 */
static bool afbus_has_room(struct afbus_send *s, struct afbus_rcpt *r)
{
	unsigned int qlen = skb_queue_len_lockless(&r->to->sk.sk_receive_queue);
	u64 ticket;

	lockdep_assert_held(&s->bus->lock);

	s->yields = false;
	if (qlen > r->to->maxqlen)
		return false;
	if (list_empty(&r->to->seats))
		return true;

	ticket = s->ticket ?: afbus_claim_ticket(s->from, r->to);
	s->yields = !afbus_seats_let_pass(r->to, ticket,
					  r->to->maxqlen + 1 - qlen);
	return !s->yields;
}

/* What the bus does with a recipient that may have no room. */
static int afbus_admit_copy(struct afbus_send *s, struct afbus_rcpt *r)
{
	switch (s->bus->overflow) {
	case BUS_OVERFLOW_FAIL:
		return afbus_queue_full(r->to) ? -ENOBUFS : 0;
	case BUS_OVERFLOW_EVICT:
		/* A full accepted socket has no client to expel. */
		if (r->to->kind != AFBUS_CLIENT)
			break;
		r->evict = afbus_queue_full(r->to);
		return 0;
	}
	return afbus_has_room(s, r) ? 0 : -EAGAIN;
}

/**
 * afbus_admit() - see whether a message can be committed
 * @s: the send, routed under this hold of the lock, all copies made
 *
 * What does not fit at an eavesdropper is its own loss. A full client is
 * marked for eviction where that is the bus's way.
 *
 * Return: 0; -EAGAIN if somebody has to be waited for, with @s->full telling
 * whom (NULL: the sender itself); -ENOBUFS.
 */
static int afbus_admit(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	int err;

	lockdep_assert_held(&s->bus->lock);

	s->full = NULL;
	s->yields = false;
	if (s->from->kind == AFBUS_CLIENT && afbus_wait_own(s->from))
		return -EAGAIN;

	afbus_for_each_live(r, s) {
		if (r->eaves || !r->skb)
			continue;
		err = afbus_admit_copy(s, r);
		if (err) {
			s->full = r;
			return err;
		}
	}
	return 0;
}
