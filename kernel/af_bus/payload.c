// SPDX-License-Identifier: GPL-2.0-only
/*
 * The original of a message: the payload, charged to the sender, after what
 * all copies share.
 */

#include "budget.h"
#include "fastpath.h"
#include "msg.h"

/*
 * A message is in one piece up to two pages. The rest is a chain of links, in
 * the largest pages that can be had without waiting, or else in single ones.
 */
#define AFBUS_LINEAR_BYTES	SKB_MAX_ORDER(sizeof(struct afbus_msg), 1)
#define AFBUS_LINK_BYTES	(16 * PAGE_SIZE)
#define AFBUS_PAGE_ORDER	PAGE_ALLOC_COSTLY_ORDER

static int afbus_payload_extend(struct afbus_send *s, size_t len)
{
	struct sk_buff *skb = s->skb, *link, **end;
	size_t bytes;
	int err;

	end = &skb_shinfo(skb)->frag_list;
	while (len) {
		bytes = min_t(size_t, len, AFBUS_LINK_BYTES);
		link = alloc_skb_with_frags(0, bytes, AFBUS_PAGE_ORDER, &err,
					    GFP_KERNEL_ACCOUNT);
		if (!link)
			return err;
		link->data_len = bytes;
		link->len = bytes;

		*end = link;
		end = &link->next;
		len -= bytes;
		skb->len += bytes;
		skb->data_len += bytes;
		skb->truesize += link->truesize;
	}
	return 0;
}

/**
 * afbus_payload_charge() - charge the sender, which waits for budget if it may
 * @s: the send
 *
 * Return: 0; -EAGAIN, -EPIPE, a pending error, or what sleep was cut short by.
 */
__fastpath int afbus_payload_charge(struct afbus_send *s)
{
	int err = 0;

	if (!afbus_charge(s->from, s->weight))
		err = afbus_charge_wait(s->from, s->weight, &s->timeo);
	s->charged = !err;
	return err;
}

/**
 * afbus_payload_alloc() - get the original, up to its first link
 * @s: the send, charged
 *
 * Return: 0; -ENOBUFS.
 */
__fastpath int afbus_payload_alloc(struct afbus_send *s)
{
	size_t linear = min_t(size_t, s->len, AFBUS_LINEAR_BYTES);
	size_t paged = min_t(size_t, s->len - linear, AFBUS_LINK_BYTES);
	int err;

	if (paged)
		s->skb = alloc_skb_with_frags(sizeof(struct afbus_msg) + linear,
					      paged, AFBUS_PAGE_ORDER, &err,
					      GFP_KERNEL_ACCOUNT);
	else
		s->skb = alloc_skb(sizeof(struct afbus_msg) + linear,
				   GFP_KERNEL_ACCOUNT);
	if (!s->skb)
		return -ENOBUFS;

	skb_reserve(s->skb, sizeof(struct afbus_msg));
	/* A filter that looks for headers must not find the headroom. */
	skb_reset_network_header(s->skb);
	__skb_put(s->skb, linear);
	s->skb->data_len = paged;
	s->skb->len += paged;
	return 0;
}

/**
 * afbus_payload_fill() - get the rest of the original, and copy the payload
 * @s: the send
 * @msg: the call's message header
 *
 * Return: 0; -EFAULT; -ENOBUFS.
 */
__fastpath int afbus_payload_fill(struct afbus_send *s, struct msghdr *msg)
{
	int err;

	/* In one piece: there is no chain to walk along. */
	if (!skb_is_nonlinear(s->skb))
		return copy_from_iter_full(s->skb->data, s->len,
					   &msg->msg_iter) ? 0 : -EFAULT;

	err = afbus_payload_extend(s, s->len - s->skb->len);
	if (err)
		return err;
	return skb_copy_datagram_from_iter(s->skb, 0, &msg->msg_iter, s->len);
}
