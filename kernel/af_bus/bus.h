/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_BUS_H
#define _AF_BUS_BUS_H

/* A bus, and who is on it. */

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "name.h"

struct afbus_protocol;
struct afbus_sock;
struct afbus_wait;
struct sock;

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
 *	or a multicast other recipients or other verdicts; so each change of a
 *	rule makes all senders look their last recipient up anew
 * @addrs: addresses by value
 * @nr_given: length of @addrs without the prefix-0 addresses
 * @groups: groups by prefix
 * @members: members of groups, by afbus_member.key
 * @nr_clients: clients that are attached, joined or not
 * @joined: joined clients
 * @eaves: joined clients that are eavesdroppers
 * @blocked: sends and sockets that wait for room, struct afbus_wait
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

#endif /* _AF_BUS_BUS_H */
