/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_H
#define _AF_BUS_H

/**
 * DOC: Objects
 *
 * A *bus* (struct afbus_bus) comes into being when a socket binds, and lives
 * as long as any socket is on it. Its path is a way to find it at connect and
 * nothing else: messages never look at it.
 *
 * There are three kinds of sockets (struct afbus_sock) on a bus. The
 * *listening socket* takes connections. Each connection makes a pair: the
 * *client*, which is on the bus, and the *accepted socket*, its counterpart
 * on the master's side. The pair hold references on each other until one of
 * them is closed. Every socket holds a reference on its bus.
 *
 * An *address* (struct afbus_addr) is held by one client. A *group*
 * (struct afbus_group) has the clients that hold an address of its prefix.
 *
 * DOC: Life of a message
 *
 *   check    what is wrong with the call itself              send.c
 *   build    descriptors, credentials, charge, payload       scm.c, budget.c,
 *                                                            payload.c
 *   route    destination -> set of recipients                route.c
 *   filter   one copy per recipient, through its filters     filter.c, hook.c
 *   admit    space at every recipient, or wait for it        admit.c, line.c,
 *                                                            wait.c, pollout.c
 *   ------   point of no return
 *   commit   place in the sequence, copies into the queues   commit.c
 *
 * All but budget.c and the slow paths, in hook.c, line.c, wait.c and pollout.c,
 * are compiled as one unit: fastpath.c.
 *
 * Everything that can fail or sleep comes before the line and outside the
 * bus lock. Route, admit and commit of one attempt run under one hold of the
 * lock. Where the route names a recipient that has no copy yet, the lock is
 * dropped, the copy is made, and the route is asked again: so the set that is
 * committed is the set at the message's place in the sequence.
 *
 * DOC: Order
 *
 * The bus lock is the order. Messages and changes of policy take the next
 * number of the bus's one sequence while they hold it, and a message is in
 * all its queues before the lock is released.
 *
 * DOC: Space
 *
 * Messages are added to a queue under the bus lock only. So a queue that has
 * space when admit looks at it still has space at commit. A sender that finds a
 * queue full joins the line there (struct afbus_line) with a waiter (struct
 * afbus_waiter), in the order of tickets: a send that may sleep waits itself,
 * any other leaves its socket there, which is told by POLLOUT. Waiters are
 * called when there is space, and that space is kept for them for a while.
 * line.c has the rules, kernel/proof a model of them.
 *
 * DOC: Weight
 *
 * A message weighs its length and AFBUS_MSG_OVERHEAD. The sender is charged
 * with that before the message takes memory, and the queue of each recipient is
 * full when it holds too much of it. See budget.c and afbus_queue_full().
 *
 * DOC: Locks
 *
 * afbus_bus.change_lock              changes of policy, and a send that they overtake
 *   bus->lock                        see below
 * lock_sock(sk)                      set-up of one socket: bind, listen, connect
 *   afbus_name_lock                  names of buses
 *   afbus_net.socks, its lock        sockets of a network namespace
 *     bus->lock                      the bus and everything on it
 *       sk->sk_receive_queue.lock      a queue, and its line
 *         wait queue locks
 * afbus_sock.iolock                  one reader at a time, not held to wait
 *   sk->sk_receive_queue.lock
 * afbus_gc_lock                      the graph of sockets in flight
 * afbus_inflight_lock                users with descriptors in flight
 *
 * No lock is taken under afbus_gc_lock, afbus_inflight_lock, afbus_hook_mutex or
 * afbus_protocol_mutex. No lock is taken under another of its kind either,
 * whatever the socket: each kind is one class to lockdep, and there are no
 * subclasses.
 */

#include <linux/bus.h>
#include <linux/kref.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/scm.h>
#include <net/sock.h>

struct afbus_bus;
struct afbus_inflight;
struct afbus_protocol;
struct afbus_send;
struct afbus_sock;
struct afbus_wait;

extern int afbus_family;
extern struct proto afbus_proto;
extern struct proto_ops afbus_ops;
extern struct workqueue_struct *afbus_wq;
extern struct pernet_operations afbus_net_ops;

/* Maximum of recipients that one socket waits for without sleeping. */
#define AFBUS_MAX_POLLOUT	64

/* A user with that many bus sockets in flight has to wait for the collector. */
#define AFBUS_GC_MANY		(8 * SCM_MAX_FD)

/* Maximum of addresses of one client: they are dropped under the bus lock. */
#define AFBUS_MAX_ADDRS		65536

/* Maximum of addresses that a master gives to all clients of its bus. */
#define AFBUS_MAX_BUS_ADDRS	(2 * AFBUS_MAX_ADDRS)

/* Maximum of a send buffer: 31 bits can count it and one message more. */
#define AFBUS_MAX_SNDBUF	(INT_MAX / 8)

/*
 * What a message weighs beside its bytes, in its sender's budget and in every
 * queue: the memory that a short one takes. It is part of the contract. Limits
 * that counted the allocator's sizes would differ from kernel to kernel.
 */
#define AFBUS_MSG_OVERHEAD	768

/**
 * struct afbus_name - path of a bus, parsed
 * @len: bytes of @path that count, leading NUL of an abstract name included
 * @path: the name, padded with zeros, and a NUL more than the address has
 */
struct afbus_name {
	unsigned int	len;
	char		path[BUS_PATH_MAX + 1];
};

/**
 * struct afbus_bus - one bus
 * @ref: references, one per socket on the bus
 * @free_work: the end of the bus; tables can only be destroyed where one may sleep
 * @net: network namespace, only compared: valid while @listener is
 * @proto: protocol of every socket on the bus
 * @protocol: its filter, whose module the bus pins; NULL for BUS_PROTO_NONE
 * @data: private data of the filter for this bus
 * @name: what the master bound
 * @name_node: in a tree of names, under afbus_name_lock
 * @inode_path: inode that bind made, none for an abstract name; owned by the
 *	listening socket
 * @inode: the same inode, only compared: its place in the tree never changes
 * @connect_wait: connects that wait for the backlog
 * @change_lock: held by a change after which a message may have another
 *	recipient or another verdict, and by a send that wants none for a while
 * @lock: the order; guards everything below
 * @seq: last number given in the sequence
 * @last_client: last prefix-0 address given
 * @last_ticket: last place given among waiting senders
 * @stamp: mark of the current walk over recipients, see struct afbus_sock
 * @routes: a number that changes when an address may have another joined holder,
 *	or a multicast other recipients or other verdicts
 * @addrs: addresses by value
 * @nr_given: length of @addrs without the prefix-0 addresses
 * @groups: groups by prefix
 * @members: members of groups, by afbus_member.key
 * @nr_clients: clients that are attached, joined or not
 * @joined: joined clients
 * @eaves: joined clients that are eavesdroppers
 * @blocked: sends and sockets that wait for space, struct afbus_wait
 * @unrouted: the same, if the default route led them there
 * @to_tell: entries of both that are to be told of a change
 * @shut: sockets that have been shut, each with a reference, and whose sleepers
 *	have not been told
 * @tell_work: tells them
 * @listener: the listening socket, NULL when closed
 * @owner: effective user of the process that bound, or of the last one to call
 *	listen(); stays when the listening socket is closed
 * @backlog: accepted sockets that nobody has taken yet
 * @nr_backlog: length of @backlog; read without the lock by those who accept
 * @max_backlog: what listen() said, negative before
 * @sndbuf: send buffer of clients to come, 0 for the system's default
 * @maxqlen: queue length of clients to come
 * @maxqlen_set: BUS_SET_MAXQLEN was used, so listen() leaves @maxqlen alone
 * @overflow: BUS_OVERFLOW_*
 */
struct afbus_bus {
	struct kref		ref;
	struct work_struct	free_work;
	struct net		*net;
	int			proto;
	const struct afbus_protocol *protocol;
	void			*data;
	struct afbus_name	name;
	struct rb_node		name_node;
	struct path		inode_path;
	const struct inode	*inode;
	wait_queue_head_t	connect_wait;
	struct mutex		change_lock;

	spinlock_t		lock;
	u64			seq;
	u64			last_client;
	u64			last_ticket;
	u64			stamp;
	u64			routes;
	struct rhashtable	addrs;
	unsigned int		nr_given;
	struct rhashtable	groups;
	struct rhashtable	members;
	unsigned int		nr_clients;
	struct list_head	joined;
	struct list_head	eaves;
	struct list_head	blocked;
	struct list_head	unrouted;
	struct list_head	to_tell;
	struct list_head	shut;
	struct work_struct	tell_work;
	struct afbus_sock	*listener;
	kuid_t			owner;
	struct list_head	backlog;
	int			nr_backlog;
	int			max_backlog;
	int			sndbuf;
	int			maxqlen;
	bool			maxqlen_set;
	int			overflow;
};

enum afbus_kind {
	AFBUS_FREE,
	AFBUS_LISTENER,
	AFBUS_CLIENT,
	AFBUS_ACCEPTED,
};

/**
 * struct afbus_line - waiters for space in a receive queue, see line.c
 * @waiting: waiters that have not been called, by ticket
 * @called: waiters that have been called and have not come yet, by ticket
 * @nr_called: length of @called
 * @nr_sleepers: those of the waiters in both that are sends, not sockets
 * @sleepers_weight: what the messages of these sends weigh
 * @nr: waiters in both; grows under the bus lock only, and may be read without
 *	the queue's lock by a holder of the bus lock, or by a reader that has
 *	held the queue's lock since it made space
 * @own: the owner of the queue wants to be told of space, too; read as @nr is
 * @open: called waiters did not come: no sender yields to another
 * @passing: the waiters are being told of a change, in the order of tickets
 * @passed: ticket of the last waiter that has been told
 * @pass_end: ticket of the last waiter that is to be told
 * @timed: @since is valid
 * @since: when the space came up that some waiters have not used yet
 * @work: opens the line, tells of a change; holds a reference on the socket
 *
 * Under the lock of the receive queue; joined under the bus lock as well.
 */
struct afbus_line {
	struct rb_root_cached	waiting;
	struct list_head	called;
	unsigned int		nr_called;
	unsigned int		nr_sleepers;
	u64			sleepers_weight;
	unsigned int		nr;
	bool			own;
	bool			open;
	bool			passing;
	bool			timed;
	u64			passed;
	u64			pass_end;
	unsigned long		since;
	struct delayed_work	work;
};

/**
 * enum afbus_gc_state - where a socket in flight is in a collection
 * @AFBUS_GC_IDLE: it has no part in it, or its part is over
 * @AFBUS_GC_CANDIDATE: it may be garbage
 * @AFBUS_GC_ALIVE: it is not garbage; what it holds is still to be revived
 */
enum afbus_gc_state {
	AFBUS_GC_IDLE,
	AFBUS_GC_CANDIDATE,
	AFBUS_GC_ALIVE,
};

/**
 * struct afbus_hold - bus sockets that one copy in a queue refers to
 * @node: in afbus_sock.gc_holds of the socket whose queue that is
 * @round: the last walk of the collector that has met it
 * @fp: descriptors of the copy. NULL for an accepted socket in the backlog of
 *	the listening socket: then this is its afbus_sock.gc_place
 */
struct afbus_hold {
	struct list_head		node;
	unsigned long			round;
	const struct scm_fp_list	*fp;
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
 * @awaited_by: such waiters of other sockets, for space in this one
 * @refused: a send has failed with EAGAIN, and none has got through since; read
 *	without the lock
 *
 * With locks of their own, or none:
 *
 * @line: waiters for space in the receive queue
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

/**
 * struct afbus_addr - one address, held by one client
 * @node: in afbus_bus.addrs
 * @value: the address
 * @owner: the client
 * @owner_node: in afbus_sock.addrs
 * @member: the owner's place in the group of the prefix, NULL for prefix 0
 * @rcu: a lookup may still meet it while the table grows
 */
struct afbus_addr {
	struct rhash_head	node;
	u64			value;
	struct afbus_sock	*owner;
	struct list_head	owner_node;
	struct afbus_member	*member;
	struct rcu_head		rcu;
};

/**
 * struct afbus_member - a client in a group, however many addresses it has there
 * @node: in afbus_bus.members
 * @key: the prefix, and the client part of the client's prefix-0 address
 * @client: the client
 * @group: the group
 * @group_node: in afbus_group.members
 * @nr_addrs: its addresses there, at least one
 * @rcu: as above
 */
struct afbus_member {
	struct rhash_head	node;
	u64			key;
	struct afbus_sock	*client;
	struct afbus_group	*group;
	struct list_head	group_node;
	unsigned int		nr_addrs;
	struct rcu_head		rcu;
};

/**
 * struct afbus_group - clients with addresses of one prefix
 * @node: in afbus_bus.groups
 * @prefix: the prefix
 * @members: never empty
 * @rcu: as above
 */
struct afbus_group {
	struct rhash_head	node;
	u16			prefix;
	struct list_head	members;
	struct rcu_head		rcu;
};

/**
 * struct afbus_msg - what all copies of a message share
 * @ref: one per copy, and one of the send under way: the message ends with them
 * @unread: of these, the ones that the sender is charged for; set at commit
 * @skb: the original, in whose headroom this is; owned by the message. Its
 *	socket is the sender while that is charged, with a reference
 * @seq: place in the sequence; written at commit, before the first copy shows
 * @src: prefix-0 address of the sender
 * @pid: of the sender
 * @uid: of the sender
 * @gid: of the sender
 * @secid: the sender's security label
 * @inflight: account of its descriptors, NULL if it has none
 * @fds_left: lists of descriptors that the sender is charged for: the send's
 *	and those of recipients; valid with @inflight
 * @fds: descriptors in each list; valid with @inflight
 * @buses: bus sockets among them, 0 without descriptors
 *
 * If the original is the only copy, it is in a queue itself and nothing is
 * counted: the message ends with it.
 */
struct afbus_msg {
	refcount_t		ref;
	refcount_t		unread;
	struct sk_buff		*skb;
	u64			seq;
	u64			src;
	struct pid		*pid;
	kuid_t			uid;
	kgid_t			gid;
	u32			secid;
	unsigned int		buses;
	unsigned int		fds;
	refcount_t		fds_left;
	struct afbus_inflight	*inflight;
};

/**
 * struct afbus_cb - control block of one copy
 * @msg: what it shares with the others
 * @fp: its own descriptors
 * @hold: tells the collector of its bus sockets, NULL if it has none
 * @lost: how many copies the recipient has missed before this one
 * @weight: what it weighs in the queue: the whole message, even if a filter has
 *	cut the copy
 * @eaves: the recipient only watches: the sender is not charged for @fp
 * @watched: the recipient is charged for @fp
 * @paid: the sender is charged until the copy is taken; once the copy is in a
 *	queue, under the lock of that
 */
struct afbus_cb {
	struct afbus_msg	*msg;
	struct scm_fp_list	*fp;
	struct afbus_hold	*hold;
	u64			lost;
	unsigned int		weight;
	bool			eaves;
	bool			watched;
	bool			paid;
};

#define AFBUS_CB(skb) ((struct afbus_cb *)(skb)->cb)

static inline bool afbus_addr_is_multicast(u64 addr)
{
	return (addr & BUS_CLIENT_MASK) == BUS_CLIENT_MASK;
}

static inline u16 afbus_addr_prefix(u64 addr)
{
	return addr >> BUS_CLIENT_BITS;
}

/* The address that others see: the prefix-0 address, 0 on the master's side. */
static inline u64 afbus_own_addr(const struct afbus_sock *s)
{
	return s->kind == AFBUS_CLIENT ? s->addr : BUS_MASTER_ADDR;
}

/* What a message of @len bytes weighs. */
static inline unsigned int afbus_weight(size_t len)
{
	return len + AFBUS_MSG_OVERHEAD;
}

/* Whether the receive queue has more messages than its length allows. */
static inline bool afbus_queue_long(const struct afbus_sock *s)
{
	return skb_queue_len_lockless(&s->sk.sk_receive_queue) > s->maxqlen;
}

/*
 * Whether the receive queue takes no message: there are too many in it, or they
 * weigh too much. If senders wait, a queue that has become too heavy stays full
 * until three quarters of the weight are gone: a sender that is woken for each
 * message takes the processor from its reader.
 */
static inline bool afbus_queue_full(const struct afbus_sock *s)
{
	if (afbus_queue_long(s))
		return true;
	if (!READ_ONCE(s->draining))
		return false;
	return READ_ONCE(s->bus->overflow) == BUS_OVERFLOW_BLOCK ||
	       READ_ONCE(s->queued) >= s->max_queued;
}

/*
 * Whether the queue takes one more message after @nr others that weigh @weight
 * together.
 */
static inline bool afbus_queue_takes(const struct afbus_sock *s,
				     unsigned int nr, u64 weight)
{
	unsigned int qlen = skb_queue_len_lockless(&s->sk.sk_receive_queue);

	return !afbus_queue_full(s) && (u64)qlen + nr <= s->maxqlen &&
	       READ_ONCE(s->queued) + weight < s->max_queued;
}

/* The send buffer of a socket. If it exceeds the limit, it is set to that. */
static inline int afbus_sndbuf(struct afbus_sock *s)
{
	int sndbuf = READ_ONCE(s->sk.sk_sndbuf);

	if (sndbuf <= s->max_sndbuf)
		return sndbuf;
	WRITE_ONCE(s->sk.sk_sndbuf, s->max_sndbuf);
	return s->max_sndbuf;
}

/* name.c */
int afbus_name_parse(struct afbus_name *name, const struct sockaddr_bus *addr,
		     int len);
bool afbus_name_equal(const struct afbus_name *a, const struct afbus_name *b);
void afbus_name_print(const struct afbus_name *name, char *text);
int afbus_name_bind(struct afbus_bus *bus, struct socket *sock);
void afbus_name_release(struct afbus_bus *bus);
struct afbus_bus *afbus_name_find(struct net *net,
				  const struct afbus_name *name);
struct afbus_bus *afbus_name_find_cached(struct net *net,
					 const struct afbus_name *name);

/* bus.c */
struct afbus_bus *afbus_bus_new(const struct sock *sk,
				const struct afbus_name *name);
struct afbus_bus *afbus_bus_get(struct afbus_bus *bus);
struct afbus_bus *afbus_bus_put(struct afbus_bus *bus);
int afbus_bus_join(struct afbus_sock *client);
int afbus_bus_eavesdrop(struct afbus_sock *client, bool on);
void afbus_bus_expel(struct afbus_sock *client, int err);
void afbus_bus_leave(struct afbus_sock *client);
void afbus_bus_wait(struct afbus_bus *bus, struct afbus_wait *wait,
		    bool unrouted);
void afbus_bus_reroute(struct afbus_bus *bus, bool all);
void afbus_bus_begin_change(struct afbus_bus *bus) __acquires(&bus->lock);
void afbus_bus_end_change(struct afbus_bus *bus) __releases(&bus->lock);

/* addr.c */
int afbus_addr_init(struct afbus_bus *bus);
void afbus_addr_exit(struct afbus_bus *bus);
struct afbus_sock *afbus_addr_find(struct afbus_bus *bus, u64 value);
struct afbus_group *afbus_addr_group(struct afbus_bus *bus, u16 prefix);
int afbus_addr_insert(struct afbus_bus *bus, struct afbus_addr *addr,
		      struct afbus_sock *owner);
int afbus_addr_add(struct afbus_sock *accepted, u64 value);
int afbus_addr_del(struct afbus_sock *accepted, u64 value);
void afbus_addr_drop_all(struct afbus_sock *client);

/* connect.c */
int afbus_connect(struct socket *sock, struct sockaddr *uaddr, int len,
		  int flags);
int afbus_listen(struct socket *sock, int backlog);
int afbus_accept(struct socket *sock, struct socket *newsock,
		 struct proto_accept_arg *arg);
struct afbus_sock *afbus_take_backlog(struct afbus_bus *bus);

/* disconnect.c */
int afbus_shutdown(struct socket *sock, int how);
void afbus_detach(struct afbus_sock *s);
void afbus_shut(struct afbus_sock *s, int how, int err);
void afbus_tell_shut(struct afbus_bus *bus);
void afbus_purge(struct afbus_sock *s);

/* socket.c */
struct sock *afbus_sock_new(struct net *net, struct socket *sock, int proto,
			    const struct afbus_protocol *protocol, int kern);
void afbus_sock_attach(struct afbus_sock *s, struct afbus_bus *bus,
		       enum afbus_kind kind);
int afbus_create(struct net *net, struct socket *sock, int proto, int kern);

/* option.c */
int afbus_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		     unsigned int len);
int afbus_getsockopt(struct socket *sock, int level, int opt,
		     char __user *val, int __user *ulen);

/* send.c */
int afbus_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);

/* line.c */
void afbus_line_init(struct afbus_line *line);
bool afbus_line_is_empty(const struct afbus_line *line);
bool afbus_line_own(struct afbus_sock *s);
void afbus_line_space_made(struct afbus_sock *s);
void afbus_line_changed(struct afbus_sock *s);

/**
 * afbus_wait_own() - see whether a client's own queue keeps it from sending
 * @s: the client
 *
 * Only the number of messages counts. It is below the limit after one read, so
 * a client that answers each message before it reads the next one goes on.
 *
 * Return: true if its queue is too long; it is told when it is not any more.
 */
static inline bool afbus_wait_own(struct afbus_sock *s)
{
	return afbus_queue_long(s) && afbus_line_own(s);
}

/* pollout.c */
void afbus_pollout_tell(struct afbus_wait *wait);
void afbus_pollout_tell_any(struct afbus_sock *from);
bool afbus_pollout_quit(struct afbus_wait *wait);
bool afbus_pollout_is_withheld(const struct afbus_sock *s);
void afbus_pollout_drop_all(struct afbus_sock *s);
void afbus_pollout_release(struct afbus_sock *s);

/* queue.c */
void afbus_unqueue(struct afbus_sock *s, struct sk_buff *skb);

/* budget.c */
bool afbus_wait_budget(struct afbus_sock *s);
void afbus_budget_timeout(struct timer_list *t);
void afbus_write_space(struct sock *sk);
int afbus_charge_wait(struct afbus_sock *s, unsigned int weight, long *timeo);
void afbus_uncharge(struct afbus_sock *s, unsigned int weight);
void afbus_uncharge_quietly(struct afbus_sock *s, unsigned int weight);
void afbus_end_charges(struct afbus_sock *s);

/**
 * afbus_charge() - charge a sender for a message, before it takes any memory
 * @s: the sender
 * @weight: what the message weighs
 *
 * The sender needs some budget, but not enough for the whole message: so its
 * charge stays below its send buffer and one message.
 *
 * Return: false if there is no budget.
 */
static inline bool afbus_charge(struct afbus_sock *s, unsigned int weight)
{
	int charged = atomic_read(&s->charged);
	int sndbuf = afbus_sndbuf(s);

	do {
		if (charged >= sndbuf)
			return false;
	} while (!atomic_try_cmpxchg(&s->charged, &charged, charged + weight));
	return true;
}

/* poll.c */
void afbus_wake_pollout(struct afbus_sock *s);
__poll_t afbus_poll(struct file *file, struct socket *sock, poll_table *wait);

/* recv.c */
struct sk_buff *afbus_queue_find(struct afbus_sock *s,
				 bool (*fits)(struct sk_buff *skb, void *arg),
				 void *arg, struct sk_buff **last);
int afbus_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		  int flags);

/* protocol.c */
const struct afbus_protocol *afbus_protocol_get(int number);
void afbus_protocol_hold(const struct afbus_protocol *protocol);
void afbus_protocol_put(const struct afbus_protocol *protocol);

/* proc.c */
int afbus_proc_reserve(struct net *net, u32 *id);
void afbus_proc_cancel(struct net *net, u32 id);
void afbus_proc_add(struct afbus_sock *s);
void afbus_proc_del(struct afbus_sock *s);

/* inflight.c */
struct afbus_inflight *afbus_inflight_get(kuid_t uid);
void afbus_inflight_put(struct afbus_inflight *acct);
int afbus_inflight_charge(struct afbus_inflight *acct,
			  const struct scm_fp_list *fp, unsigned int buses);
void afbus_inflight_uncharge(struct afbus_inflight *acct, unsigned int fds,
			     unsigned int buses);
bool afbus_inflight_watch(struct afbus_inflight *acct, unsigned int fds,
			  unsigned long limit);
void afbus_inflight_unwatch(struct afbus_inflight *acct, unsigned int fds);

/* hold.c */
unsigned int afbus_hold_count(const struct scm_fp_list *fp);
struct afbus_hold *afbus_hold_add(struct afbus_sock *to,
				  const struct scm_fp_list *fp);
void afbus_hold_del(struct afbus_hold *hold);
void afbus_hold_peek(struct afbus_hold *hold);
void afbus_hold_accept(struct afbus_sock *accepted);
void afbus_hold_forget(struct afbus_sock *s);

/* gc.c */
void afbus_gc_run(void);
void afbus_gc_throttle(void);
void afbus_gc_exit(void);

#endif /* _AF_BUS_H */
