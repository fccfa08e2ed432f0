// SPDX-License-Identifier: GPL-2.0-only
/*
 * Admission: room at every recipient, or nobody gets the message.
 */

#include "bus.h"
#include "fastpath.h"
#include "queue.h"
#include "sock.h"

/* What the bus does with a recipient that may be full. */
static enum afbus_admission afbus_admit_copy(struct afbus_send *s,
					     struct afbus_rcpt *r)
{
	switch (s->bus->overflow) {
	case BUS_OVERFLOW_FAIL:
		return afbus_queue_full(r->to) ? AFBUS_REFUSED_BY_POLICY :
						 AFBUS_ADMITTED;
	case BUS_OVERFLOW_EVICT:
		r->evict = r->to->kind == AFBUS_CLIENT &&
			   afbus_queue_full(r->to);
		break;
	}
	return afbus_lacks_room(s, r) ? AFBUS_NO_ROOM : AFBUS_ADMITTED;
}

/**
 * afbus_admit() - see whether a message can be committed
 * @s: the send, routed under this hold of the lock, all copies made
 *
 * An eavesdropper whose queue is full loses its copy. A full client is
 * marked for eviction if that is the bus's policy.
 *
 * Return: what prevents that; @s->own_full and @s->full say at which queue.
 */
__fastpath enum afbus_admission afbus_admit(struct afbus_send *s)
{
	enum afbus_admission admission;
	struct afbus_rcpt *r;

	lockdep_assert_held(&s->bus->lock);

	s->own_full = s->from->kind == AFBUS_CLIENT && afbus_wait_own(s->from);
	if (s->own_full)
		return AFBUS_NO_ROOM;

	afbus_for_each_live(r, s) {
		if (r->eaves || !r->skb)
			continue;
		admission = afbus_admit_copy(s, r);
		if (admission != AFBUS_ADMITTED) {
			s->full = r;
			return admission;
		}
	}
	return AFBUS_ADMITTED;
}
