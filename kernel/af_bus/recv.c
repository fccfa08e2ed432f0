// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving.
 */

#include "af_bus.h"
#include "budget.h"
#include "bus.h"
#include "fastpath.h"
#include "line.h"
#include "msg.h"
#include "name.h"
#include "ops.h"
#include "queue.h"
#include "sock.h"

static void afbus_recv_name(struct afbus_sock *s, struct msghdr *msg,
			    struct sk_buff *skb)
{
	struct sockaddr_bus *addr = msg->msg_name;
	struct afbus_name *name = &s->bus->name;

	memset(addr, 0, sizeof(*addr));
	addr->sbus_family = afbus_family;
	addr->sbus_addr.s_addr = AFBUS_CB(skb)->msg->src;
	memcpy(addr->sbus_path, name->path, name->len);
	msg->msg_namelen = sizeof(*addr);
}

static int afbus_recv_copy(struct socket *sock, struct msghdr *msg,
			   struct sk_buff *skb, size_t size, int skip,
			   int flags)
{
	struct sock *sk = sock->sk;
	size_t len = skb->len - skip;
	int err;

	lockdep_assert_held(&afbus_sk(sk)->iolock);

	if (msg->msg_name)
		afbus_recv_name(afbus_sk(sk), msg, skb);

	if (size < len)
		msg->msg_flags |= MSG_TRUNC;
	else
		size = len;

	err = skb_copy_datagram_msg(skb, skip, msg, size);
	if (err)
		return err;

	sock_recv_cmsgs(msg, sk, skb);
	err = afbus_scm_recv(sock, msg, skb, flags);
	if (err)
		return err;
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, size);
	return flags & MSG_TRUNC ? len : size;
}

/* Take the next message; without one @last is what to wait on. */
static struct sk_buff *afbus_recv_take(struct afbus_sock *s,
				       struct sk_buff **last)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct sk_buff *skb;

	lockdep_assert_held(&s->iolock);

	spin_lock_irq(&queue->lock);
	*last = queue->prev;
	skb = skb_peek(queue);
	if (skb)
		afbus_unqueue(s, skb);
	spin_unlock_irq(&queue->lock);
	return skb;
}

static struct sk_buff *afbus_queue_end(struct sk_buff_head *queue)
{
	struct sk_buff *last;

	spin_lock_irq(&queue->lock);
	last = queue->prev;
	spin_unlock_irq(&queue->lock);
	return last;
}

/**
 * afbus_queue_find() - find a message in a queue, which may be a long one
 * @s: the socket
 * @fits: whether this is the message
 * @arg: for @fits
 * @last: if no message fits, the last one, or the queue itself if it is empty
 *
 * The reader's lock keeps messages in place, since senders only append. The lock
 * of the queue is taken to learn where the queue ends, not for the walk.
 *
 * Return: the message, or NULL.
 */
struct sk_buff *afbus_queue_find(struct afbus_sock *s,
				 bool (*fits)(struct sk_buff *skb, void *arg),
				 void *arg, struct sk_buff **last)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct sk_buff *skb = (struct sk_buff *)queue;

	lockdep_assert_held(&s->iolock);

	while (skb != (*last = afbus_queue_end(queue))) {
		do {
			skb = skb->next;
			if (fits(skb, arg))
				return skb;
			cond_resched();
		} while (skb != *last);
	}
	return NULL;
}

/* Whether the message is at the offset; if not, its length is subtracted. */
static bool afbus_recv_is_at(struct sk_buff *skb, void *arg)
{
	int *off = arg;

	/* An empty message is peeked at once. */
	if (*off < skb->len || (!*off && !skb->peeked))
		return true;
	*off -= skb->len;
	return false;
}

/* Look at the next message, or at the one at an offset if that is not negative. */
static noinline struct sk_buff *
afbus_recv_peek(struct afbus_sock *s, int *skip, struct sk_buff **last)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct sk_buff *skb = NULL;

	if (*skip < 0) {
		*last = afbus_queue_end(queue);
		if (*last != (struct sk_buff *)queue)
			skb = queue->next;
		*skip = 0;
	} else {
		skb = afbus_queue_find(s, afbus_recv_is_at, skip, last);
	}
	if (skb) {
		skb_get(skb);
		skb->peeked = 1;
	}
	return skb;
}

/* Take the next message, or look at it; without one @last is what to wait on. */
static int afbus_recv_next(struct socket *sock, struct msghdr *msg,
			   size_t size, int flags, struct sk_buff **last)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s = afbus_sk(sk);
	struct sk_buff *skb;
	int skip, err;

	err = sock_error(sk);
	if (err)
		return err;

	mutex_lock(&s->iolock);
	skip = sk_peek_offset(sk, flags);
	skb = flags & MSG_PEEK ? afbus_recv_peek(s, &skip, last) :
				 afbus_recv_take(s, last);
	err = -EAGAIN;
	if (skb) {
		if (!(flags & MSG_PEEK)) {
			/*
			 * It is taken, even if copying it out fails, or takes
			 * for ever. The line comes first: a sender that the
			 * charge wakes may preempt this reader.
			 */
			sk_peek_offset_bwd(sk, skb->len);
			afbus_line_room_made(s);
			afbus_end_charge(skb);
		}
		err = afbus_recv_copy(sock, msg, skb, size, skip, flags);
		skb_free_datagram(sk, skb);
	}
	mutex_unlock(&s->iolock);
	return err;
}

int afbus_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		  int flags)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s = afbus_sk(sk);
	struct sk_buff *last;
	long timeo;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!afbus_sock_bus(s) || s->kind == AFBUS_LISTENER)
		return -ENOTCONN;

	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	for (;;) {
		err = afbus_recv_next(sock, msg, size, flags, &last);
		if (err != -EAGAIN)
			return err;

		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) {
			/* The end comes after what was queued before it. */
			smp_rmb();
			if (READ_ONCE(sk->sk_receive_queue.prev) == last)
				return 0;
		} else if (!timeo ||
			   (__skb_wait_for_more_packets(sk,
							&sk->sk_receive_queue,
							&err, &timeo, last) &&
			    err)) {
			return err;
		}
	}
}
