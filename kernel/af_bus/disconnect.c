// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disconnecting: the ways in which a client, its accepted socket and the bus
 * come apart.
 */

#include "addr.h"
#include "budget.h"
#include "bus.h"
#include "hold.h"
#include "line.h"
#include "msg.h"
#include "name.h"
#include "ops.h"
#include "pollout.h"
#include "proc.h"
#include "queue.h"
#include "sock.h"

/**
 * afbus_shut() - close directions of a socket
 * @s: the socket
 * @how: RCV_SHUTDOWN, SEND_SHUTDOWN
 * @err: pending error, 0 for none
 *
 * The caller tells those who sleep on it after the lock: afbus_tell_shut().
 */
void afbus_shut(struct afbus_sock *s, int how, int err)
{
	struct sock *sk = &s->sk;
	int now = how & ~sk->sk_shutdown;

	lockdep_assert_held(&s->bus->lock);

	/*
	 * Nobody can keep the list of the bus full by shutting one socket
	 * again and again, since others may be working it off.
	 */
	if (!now && !err)
		return;

	if (now & RCV_SHUTDOWN)
		s->bus->routes++;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	if (err)
		WRITE_ONCE(sk->sk_err, err);
	if (list_empty(&s->shut_node)) {
		sock_hold(sk);
		list_add_tail(&s->shut_node, &s->bus->shut);
	}
	if (now & RCV_SHUTDOWN)
		afbus_line_changed(s);
}

static struct afbus_sock *afbus_take_shut(struct afbus_bus *bus)
{
	struct afbus_sock *s;

	spin_lock(&bus->lock);
	s = list_first_entry_or_null(&bus->shut, struct afbus_sock, shut_node);
	if (s)
		list_del_init(&s->shut_node);
	spin_unlock(&bus->lock);
	return s;
}

/**
 * afbus_tell_shut() - wake all who sleep on sockets that have been shut
 * @bus: the bus, whose lock is not held: they may be many
 */
void afbus_tell_shut(struct afbus_bus *bus)
{
	struct afbus_sock *s;
	struct sock *sk;
	int shut;

	while ((s = afbus_take_shut(bus))) {
		sk = &s->sk;
		shut = READ_ONCE(sk->sk_shutdown);
		if (READ_ONCE(sk->sk_err))
			sk_error_report(sk);
		sk->sk_state_change(sk);
		if (shut == SHUTDOWN_MASK)
			sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
		else if (shut & RCV_SHUTDOWN)
			sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
		sock_put(sk);
		cond_resched();
	}
}

/* Break the pair; the caller drops the references once it holds no lock. */
static struct afbus_sock *afbus_unpair(struct afbus_sock *s)
{
	struct afbus_sock *peer = s->peer;

	lockdep_assert_held(&s->bus->lock);

	if (peer) {
		s->peer = NULL;
		peer->peer = NULL;
	}
	return peer;
}

static bool afbus_is_from(struct sk_buff *skb, void *addr)
{
	return AFBUS_CB(skb)->msg->src == *(u64 *)addr;
}

/*
 * Whether the queue of @s, an accepted socket that closes, has a message from
 * its client. Otherwise @last is the end of the queue. Only the client can add
 * anything after it: an accepted socket gets messages from its client and from
 * itself alone, and it closes.
 */
static bool afbus_unread(struct afbus_sock *s, struct sk_buff **last)
{
	bool ret;

	/* The collector may be throwing the queue away. */
	mutex_lock(&s->iolock);
	ret = afbus_queue_find(s, afbus_is_from, &s->addr, last);
	mutex_unlock(&s->iolock);
	return ret;
}

/*
 * The master leaves a client: what follows depends on whether that has joined.
 */
static struct afbus_sock *afbus_detach_accepted(struct afbus_sock *s,
						bool unread)
{
	struct afbus_sock *client = afbus_unpair(s);

	lockdep_assert_held(&s->bus->lock);

	if (client && !client->joined && !client->out) {
		afbus_bus_leave(client);
		afbus_shut(client, SHUTDOWN_MASK, unread ? ECONNRESET : 0);
	}
	return client;
}

static struct afbus_sock *afbus_detach_client(struct afbus_sock *s)
{
	struct afbus_sock *accepted = afbus_unpair(s);

	lockdep_assert_held(&s->bus->lock);

	afbus_bus_leave(s);
	if (accepted)
		afbus_shut(accepted, SHUTDOWN_MASK, 0);
	return accepted;
}

/**
 * afbus_purge() - throw away what is queued
 * @s: a socket that nobody reads any more; with a reference
 */
void afbus_purge(struct afbus_sock *s)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct sk_buff_head rest;
	struct sk_buff *skb;

	__skb_queue_head_init(&rest);
	mutex_lock(&s->iolock);
	spin_lock_irq(&queue->lock);
	skb_queue_splice_init(queue, &rest);
	WRITE_ONCE(s->queued, 0);
	WRITE_ONCE(s->readable, 0);
	WRITE_ONCE(s->draining, false);
	s->uncharge_next = NULL;
	spin_unlock_irq(&queue->lock);
	mutex_unlock(&s->iolock);

	while ((skb = __skb_dequeue(&rest))) {
		kfree_skb(skb);
		cond_resched();
	}
}

/* A client or an accepted socket closes. */
static void afbus_detach_end(struct afbus_sock *s, bool embryo)
{
	struct afbus_bus *bus = s->bus;
	struct sock *sk = &s->sk;
	struct afbus_sock *peer;
	struct sk_buff *last = NULL;
	bool unread;

	/* A queue may be long: not under the bus lock. */
	unread = embryo ||
		 (s->kind == AFBUS_ACCEPTED && afbus_unread(s, &last));

	spin_lock(&bus->lock);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	bus->seq++;
	if (s->kind == AFBUS_CLIENT)
		peer = afbus_detach_client(s);
	else
		peer = afbus_detach_accepted(s, unread ||
			READ_ONCE(sk->sk_receive_queue.prev) != last);

	afbus_line_changed(s);
	afbus_pollout_drop_all(s);
	spin_unlock(&bus->lock);
	afbus_tell_shut(bus);
	afbus_pollout_release(s);

	afbus_addr_drop_all(s);
	if (peer) {
		afbus_addr_drop_all(peer);
		afbus_end_charges(peer);
		sock_put(&peer->sk);
		sock_put(sk);
	}
	/*
	 * Nothing is added to the queue any more, since the socket is off the
	 * bus.
	 */
	afbus_purge(s);
	afbus_hold_forget(s);
}

static void afbus_detach_listener(struct afbus_sock *s)
{
	struct afbus_bus *bus = s->bus;
	struct afbus_sock *embryo;

	afbus_name_release(bus);

	spin_lock(&bus->lock);
	bus->listener = NULL;
	WRITE_ONCE(s->sk.sk_state, TCP_CLOSE);
	spin_unlock(&bus->lock);
	wake_up_interruptible(&bus->connect_wait);

	while ((embryo = afbus_take_backlog(bus))) {
		afbus_proc_del(embryo);
		afbus_detach_end(embryo, true);
		sock_put(&embryo->sk);
	}
}

/**
 * afbus_detach() - the last descriptor of a socket is closed
 * @s: the socket
 */
void afbus_detach(struct afbus_sock *s)
{
	switch (s->kind) {
	case AFBUS_LISTENER:
		afbus_detach_listener(s);
		afbus_hold_forget(s);
		break;
	case AFBUS_CLIENT:
	case AFBUS_ACCEPTED:
		afbus_detach_end(s, false);
		break;
	case AFBUS_FREE:
		afbus_hold_forget(s);
		break;
	}
}

static void afbus_shutdown_accepted(struct afbus_sock *s, int how)
{
	struct afbus_sock *client = s->peer;
	int mirror = 0;

	lockdep_assert_held(&s->bus->lock);

	afbus_shut(s, how, 0);
	if (!client || client->out)
		return;
	if (s->sk.sk_shutdown == SHUTDOWN_MASK) {
		afbus_bus_expel(client, 0);
		return;
	}

	/* A joined client goes on with the others. */
	if (how & RCV_SHUTDOWN && !client->joined)
		mirror |= SEND_SHUTDOWN;
	if (how & SEND_SHUTDOWN && !client->joined)
		mirror |= RCV_SHUTDOWN;
	if (mirror)
		afbus_shut(client, mirror, 0);
}

static void afbus_shutdown_client(struct afbus_sock *s, int how)
{
	lockdep_assert_held(&s->bus->lock);

	afbus_shut(s, how, 0);
	if (s->sk.sk_shutdown == SHUTDOWN_MASK)
		afbus_bus_leave(s);
	if (!s->peer)
		return;

	if (s->sk.sk_shutdown == SHUTDOWN_MASK)
		afbus_shut(s->peer, SHUTDOWN_MASK, 0);
	else if (how & SEND_SHUTDOWN)
		afbus_shut(s->peer, RCV_SHUTDOWN, 0);
}

int afbus_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s = afbus_sk(sk);
	struct afbus_bus *bus = afbus_sock_bus(s);
	struct afbus_sock *peer;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/* SHUT_RD, SHUT_WR, SHUT_RDWR are one less than the flags. */
	how++;

	if (!bus)
		return -ENOTCONN;

	spin_lock(&bus->lock);
	bus->seq++;
	peer = s->peer;
	if (peer)
		sock_hold(&peer->sk);
	if (s->kind == AFBUS_ACCEPTED)
		afbus_shutdown_accepted(s, how);
	else if (s->kind == AFBUS_CLIENT)
		afbus_shutdown_client(s, how);
	else
		afbus_shut(s, how, 0);
	spin_unlock(&bus->lock);

	afbus_tell_shut(bus);
	afbus_addr_drop_all(s);
	afbus_end_charges(s);
	if (peer) {
		afbus_addr_drop_all(peer);
		afbus_end_charges(peer);
		sock_put(&peer->sk);
	}
	if (s->kind == AFBUS_LISTENER)
		wake_up_interruptible(&bus->connect_wait);
	return 0;
}
