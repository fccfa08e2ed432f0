// SPDX-License-Identifier: GPL-2.0-only
/*
 * A receive queue: copies are added at one end, under the bus lock, and taken
 * out at the other. Their weights and lengths are counted at the same time.
 */

#include "bus.h"
#include "fastpath.h"
#include "msg.h"
#include "queue.h"
#include "sock.h"

__fastpath void afbus_queue_add(struct afbus_sock *to, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &to->sk.sk_receive_queue;

	lockdep_assert_held(&to->bus->lock);

	spin_lock(&queue->lock);
	__skb_queue_tail(queue, skb);
	WRITE_ONCE(to->readable, to->readable + skb->len);
	WRITE_ONCE(to->queued, to->queued + AFBUS_CB(skb)->weight);
	if (to->queued >= to->max_queued)
		WRITE_ONCE(to->draining, true);
	spin_unlock(&queue->lock);
}

/**
 * afbus_unqueue() - take a copy out of its queue
 * @s: whose queue it is
 * @skb: the copy
 */
void afbus_unqueue(struct afbus_sock *s, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;

	lockdep_assert_held(&queue->lock);

	if (s->uncharge_next == skb)
		s->uncharge_next = skb_peek_next(skb, queue);
	__skb_unlink(skb, queue);
	WRITE_ONCE(s->readable, s->readable - skb->len);
	WRITE_ONCE(s->queued, s->queued - AFBUS_CB(skb)->weight);
	if (s->draining && s->queued <= s->max_queued / 4)
		WRITE_ONCE(s->draining, false);
}
