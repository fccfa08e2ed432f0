/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_SOCK_H
#define _AF_BUS_SOCK_H

/* A socket of the family: how it is made, and how it leaves its bus. */

#include <linux/bus.h>
#include <linux/mutex.h>
#include <net/sock.h>
#include "hold.h"
#include "line.h"

struct afbus_bus;
struct afbus_inflight;
struct afbus_name;
struct afbus_protocol;

enum afbus_kind {
	AFBUS_FREE,
	AFBUS_LISTENER,
	AFBUS_CLIENT,
	AFBUS_ACCEPTED,
};

/**
 * struct afbus_sock - one socket
 * @sk: must be first
 * @iolock: held to take a message from the queue, or to walk along the queue
 * @protocol: filter of the socket's protocol, NULL for BUS_PROTO_NONE
 * @bus: set once with @kind, see afbus_sock_bus()
 * @kind: what the socket is; set once, under lock_sock(); READ_ONCE() for
 *	those who have neither that nor the bus
 * @binding: a bind is under way; under lock_sock()
 * @addr: prefix-0 address of the client of the pair
 * @maxqlen: messages beyond which the receive queue is full
 * @max_queued: weight from which on it is full, see afbus_queue_full()
 * @max_sndbuf: the most that SO_SNDBUF gives
 * @charged: weight of the messages that the socket pays for: those being sent,
 *	and those that a recipient has not taken yet
 * @used_name: path that connect was given
 * @watch_limit: descriptors that a client's user may have in flight as an
 *	eavesdropper; set before @bus
 * @data: private data of the filter for this client; set before @bus
 * @passseq: BUS_PASSSEQ
 * @net_id: number among the sockets of the network namespace, see proc.c
 *
 * Under the bus lock:
 *
 * @peer: other half of the pair, with a reference; NULL when closed
 * @joined: the master has admitted the client, and it is still on the bus
 * @out: the client was expelled or has left
 * @joined_node: in afbus_bus.joined
 * @eaves_node: in afbus_bus.eaves, empty if not an eavesdropper
 * @shut_node: in afbus_bus.shut
 * @backlog_node: in afbus_bus.backlog
 * @addrs: addresses of the client
 * @nr_addrs: length of @addrs
 * @watch: account of the descriptors in its copies, once the client has been
 *	an eavesdropper
 * @lost: copies that an eavesdropper missed since its last message
 * @verdicts_to: changes with the protocol's verdicts on messages to this client;
 *	read without the lock by a send that compares it again under the lock
 * @verdicts_from: the same, of messages from this client
 * @stamp: equals afbus_bus.stamp if the current walk has met this socket
 * @slot: where the current walk has put it
 * @last_dst: the last address that the socket sent to and found a client for
 * @last_to: that client; valid only while @last_routes is afbus_bus.routes
 * @last_routes: afbus_bus.routes at that time
 * @pollout_waiters: waiters of this sender, for sends that did not sleep
 * @nr_pollout_waiters: length of @pollout_waiters
 * @awaited_by: such waiters of other sockets, for room in this one
 * @refused: a send has failed with EAGAIN, and none has got through since; read
 *	without the lock
 *
 * With locks of their own, or none:
 *
 * @line: waiters for room in the receive queue
 * @told_any: told of something that has no waiter in @pollout_waiters, see
 *	afbus_pollout_tell_any() and struct afbus_pollout_waiter
 * @nr_told: how many of @told_any and the waiters' are not 0
 *
 * Changed under the lock of the receive queue, read without it:
 *
 * @queued: weight of what is in the receive queue
 * @readable: bytes of what is in the receive queue
 * @draining: @queued has reached @max_queued, and not fallen far enough since
 *
 * Under the lock of the receive queue:
 *
 * @uncharge_next: where afbus_end_charges() goes on; NULL if it is not at work
 *
 * Under afbus_gc_lock, see hold.c and gc.c:
 *
 * @gc_node: among the sockets in flight
 * @gc_holds: holds of the copies in its receive queue
 * @gc_inflight: how often holds refer to this socket
 * @gc_inside: how often holds of candidates refer to it
 * @gc_state: its state in the collection under way
 * @gc_known: it has been in flight; may be read without the lock at its end
 * @gc_listener: the listening socket, for an accepted socket in its backlog
 * @gc_place: the hold of @gc_listener on it
 */
struct afbus_sock {
	struct sock		sk;
	struct mutex		iolock;
	const struct afbus_protocol *protocol;
	struct afbus_bus	*bus;
	enum afbus_kind		kind;
	bool			binding;
	u64			addr;
	int			maxqlen;
	unsigned int		max_queued;
	int			max_sndbuf;
	atomic_t		charged;
	struct afbus_name	*used_name;
	unsigned long		watch_limit;
	void			*data;
	bool			passseq;
	u32			net_id;

	struct afbus_sock	*peer;
	bool			joined;
	bool			out;
	struct list_head	joined_node;
	struct list_head	eaves_node;
	struct list_head	shut_node;
	struct list_head	backlog_node;
	struct list_head	addrs;
	unsigned int		nr_addrs;
	struct afbus_inflight	*watch;
	u64			lost;
	unsigned long		verdicts_to;
	unsigned long		verdicts_from;
	u64			stamp;
	unsigned int		slot;
	u64			last_dst;
	struct afbus_sock	*last_to;
	u64			last_routes;
	struct list_head	pollout_waiters;
	unsigned int		nr_pollout_waiters;
	struct list_head	awaited_by;
	bool			refused;

	struct afbus_line	line;
	atomic_t		told_any;
	atomic_t		nr_told;

	unsigned int		queued;
	unsigned int		readable;
	bool			draining;
	struct sk_buff		*uncharge_next;

	struct list_head	gc_node;
	struct list_head	gc_holds;
	unsigned long		gc_inflight;
	unsigned long		gc_inside;
	enum afbus_gc_state	gc_state;
	bool			gc_known;
	struct afbus_sock	*gc_listener;
	struct afbus_hold	gc_place;
};

static inline struct afbus_sock *afbus_sk(const struct sock *sk)
{
	return (struct afbus_sock *)sk;
}

static inline struct afbus_bus *afbus_sock_bus(const struct afbus_sock *s)
{
	/* Pairs with the release in afbus_sock_attach(). */
	return smp_load_acquire(&s->bus);
}

/* The address that others see: the prefix-0 address, 0 on the master's side. */
static inline u64 afbus_own_addr(const struct afbus_sock *s)
{
	return s->kind == AFBUS_CLIENT ? s->addr : BUS_MASTER_ADDR;
}

/* socket.c */
struct sock *afbus_sock_new(struct net *net, struct socket *sock, int proto,
			    const struct afbus_protocol *protocol, int kern);
void afbus_sock_attach(struct afbus_sock *s, struct afbus_bus *bus,
		       enum afbus_kind kind);

/* connect.c */
struct afbus_sock *afbus_take_backlog(struct afbus_bus *bus);

/* disconnect.c */
void afbus_detach(struct afbus_sock *s);
void afbus_shut(struct afbus_sock *s, int how, int err);
void afbus_tell_shut(struct afbus_bus *bus);
void afbus_purge(struct afbus_sock *s);

#endif /* _AF_BUS_SOCK_H */
