/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_ADDR_H
#define _AF_BUS_ADDR_H

/* Addresses, and the groups that clients belong to by them. */

#include <linux/bus.h>
#include <linux/list.h>
#include <linux/rhashtable.h>

struct afbus_bus;
struct afbus_sock;

/* Maximum of addresses of one client: they are dropped under the bus lock. */
#define AFBUS_MAX_ADDRS		65536

/* Maximum of addresses that a master gives to all clients of its bus. */
#define AFBUS_MAX_BUS_ADDRS	(2 * AFBUS_MAX_ADDRS)

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

static inline bool afbus_addr_is_multicast(u64 addr)
{
	return (addr & BUS_CLIENT_MASK) == BUS_CLIENT_MASK;
}

static inline u16 afbus_addr_prefix(u64 addr)
{
	return addr >> BUS_CLIENT_BITS;
}

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

#endif /* _AF_BUS_ADDR_H */
