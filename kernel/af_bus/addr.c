// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses: their holders, and the groups that prefixes make of them.
 */

#include <linux/jhash.h>
#include <linux/slab.h>
#include "addr.h"
#include "bus.h"
#include "line.h"
#include "sock.h"
#include "trace.h"

/* Addresses of a gone client that are dropped under one hold of the bus lock. */
#define AFBUS_ADDRS_AT_ONCE	64

/*
 * Inlined, since each send looks an address up: the hash function of the table
 * would be a call.
 */
static u32 afbus_addr_hash(const void *key, u32 len, u32 seed)
{
	u64 value = *(const u64 *)key;

	return jhash_2words(lower_32_bits(value), upper_32_bits(value), seed);
}

static int afbus_addr_differs(struct rhashtable_compare_arg *arg,
			      const void *addr)
{
	return ((const struct afbus_addr *)addr)->value != *(u64 *)arg->key;
}

static const struct rhashtable_params afbus_addr_params = {
	.key_len		= sizeof_field(struct afbus_addr, value),
	.key_offset		= offsetof(struct afbus_addr, value),
	.head_offset		= offsetof(struct afbus_addr, node),
	.hashfn			= afbus_addr_hash,
	.obj_cmpfn		= afbus_addr_differs,
	.automatic_shrinking	= true,
};

static const struct rhashtable_params afbus_member_params = {
	.key_len		= sizeof_field(struct afbus_member, key),
	.key_offset		= offsetof(struct afbus_member, key),
	.head_offset		= offsetof(struct afbus_member, node),
	.automatic_shrinking	= true,
};

static const struct rhashtable_params afbus_group_params = {
	.key_len		= sizeof_field(struct afbus_group, prefix),
	.key_offset		= offsetof(struct afbus_group, prefix),
	.head_offset		= offsetof(struct afbus_group, node),
	.automatic_shrinking	= true,
};

int afbus_addr_init(struct afbus_bus *bus)
{
	int err;

	err = rhashtable_init(&bus->addrs, &afbus_addr_params);
	if (err)
		return err;

	err = rhashtable_init(&bus->groups, &afbus_group_params);
	if (err)
		goto err_addrs;
	err = rhashtable_init(&bus->members, &afbus_member_params);
	if (err)
		goto err_groups;
	return 0;

err_groups:
	rhashtable_destroy(&bus->groups);
err_addrs:
	rhashtable_destroy(&bus->addrs);
	return err;
}

void afbus_addr_exit(struct afbus_bus *bus)
{
	rhashtable_destroy(&bus->members);
	rhashtable_destroy(&bus->groups);
	rhashtable_destroy(&bus->addrs);
}

/**
 * afbus_addr_find() - who holds an address
 * @bus: the bus
 * @value: the address
 *
 * Return: the client, joined or not, or NULL.
 */
struct afbus_sock *afbus_addr_find(struct afbus_bus *bus, u64 value)
{
	struct afbus_addr *addr;

	lockdep_assert_held(&bus->lock);

	addr = rhashtable_lookup_fast(&bus->addrs, &value, afbus_addr_params);
	return addr && !addr->owner->out ? addr->owner : NULL;
}

/**
 * afbus_addr_group() - the group of a prefix
 * @bus: the bus
 * @prefix: the prefix, not 0
 *
 * Return: the group, or NULL if nobody holds an address in it.
 */
struct afbus_group *afbus_addr_group(struct afbus_bus *bus, u16 prefix)
{
	lockdep_assert_held(&bus->lock);

	return rhashtable_lookup_fast(&bus->groups, &prefix,
				      afbus_group_params);
}

/* A member has lost one of its addresses in the group. */
static void afbus_member_put(struct afbus_bus *bus, struct afbus_member *member)
{
	struct afbus_group *group = member->group;

	lockdep_assert_held(&bus->lock);

	if (--member->nr_addrs)
		return;
	rhashtable_remove_fast(&bus->members, &member->node,
			       afbus_member_params);
	list_del(&member->group_node);
	kfree_rcu(member, rcu);

	if (list_empty(&group->members)) {
		rhashtable_remove_fast(&bus->groups, &group->node,
				       afbus_group_params);
		kfree_rcu(group, rcu);
	}
}

/*
 * Take an address out of the table, whose readers may still look at it. Nobody
 * is routed to a client that has left, so that changes no route.
 */
static void afbus_addr_remove(struct afbus_bus *bus, struct afbus_addr *addr)
{
	lockdep_assert_held(&bus->lock);

	bus->routes += !addr->owner->out;
	rhashtable_remove_fast(&bus->addrs, &addr->node, afbus_addr_params);
	list_del(&addr->owner_node);
	addr->owner->nr_addrs--;
}

static void afbus_addr_drop(struct afbus_bus *bus, struct afbus_addr *addr)
{
	afbus_addr_remove(bus, addr);
	if (addr->member) {
		bus->nr_given--;
		afbus_member_put(bus, addr->member);
	}
	kfree_rcu(addr, rcu);
}

/* Free the address of a client that has left. Return: whether it was one. */
static bool afbus_addr_free(struct afbus_bus *bus, u64 value)
{
	struct afbus_addr *addr;

	lockdep_assert_held(&bus->lock);

	addr = rhashtable_lookup_fast(&bus->addrs, &value, afbus_addr_params);
	if (!addr || !addr->owner->out)
		return false;
	afbus_addr_drop(bus, addr);
	return true;
}

/**
 * afbus_addr_insert() - give an address to a client
 * @bus: the bus
 * @addr: the address, @value filled in; owned by the bus on success
 * @owner: the client
 *
 * Return: 0; -EADDRINUSE if anyone on the bus holds it; -ENOMEM.
 */
int afbus_addr_insert(struct afbus_bus *bus, struct afbus_addr *addr,
		      struct afbus_sock *owner)
{
	int err;

	lockdep_assert_held(&bus->lock);

	err = rhashtable_lookup_insert_fast(&bus->addrs, &addr->node,
					    afbus_addr_params);
	if (err == -EEXIST && afbus_addr_free(bus, addr->value))
		err = rhashtable_lookup_insert_fast(&bus->addrs, &addr->node,
						    afbus_addr_params);
	if (err == -EEXIST)
		return -EADDRINUSE;
	if (err)
		return -ENOMEM;

	bus->routes++;
	addr->owner = owner;
	list_add_tail(&addr->owner_node, &owner->addrs);
	owner->nr_addrs++;
	return 0;
}

/**
 * struct afbus_gift - what may be needed to give an address away
 * @addr: the address
 * @member: for the client's first address in the group
 * @group: for the first member
 *
 * What is taken is set to NULL.
 */
struct afbus_gift {
	struct afbus_addr	*addr;
	struct afbus_member	*member;
	struct afbus_group	*group;
};

static void afbus_gift_free(struct afbus_gift *gift)
{
	/*
	 * Lookups may have found these two in their tables, if only for a
	 * moment, so they are freed after a grace period.
	 */
	if (gift->addr)
		kfree_rcu(gift->addr, rcu);
	if (gift->member)
		kfree_rcu(gift->member, rcu);
	kfree(gift->group);
}

static int afbus_gift_alloc(struct afbus_gift *gift, u64 value)
{
	gift->addr = kzalloc(sizeof(*gift->addr), GFP_KERNEL_ACCOUNT);
	gift->member = kzalloc(sizeof(*gift->member), GFP_KERNEL_ACCOUNT);
	gift->group = kzalloc(sizeof(*gift->group), GFP_KERNEL_ACCOUNT);
	if (!gift->addr || !gift->member || !gift->group) {
		afbus_gift_free(gift);
		return -ENOMEM;
	}
	gift->addr->value = value;
	gift->group->prefix = afbus_addr_prefix(value);
	INIT_LIST_HEAD(&gift->group->members);
	return 0;
}

static struct afbus_group *afbus_group_get(struct afbus_bus *bus,
					   struct afbus_gift *gift)
{
	struct afbus_group *group;

	lockdep_assert_held(&bus->lock);

	group = afbus_addr_group(bus, gift->group->prefix);
	if (group)
		return group;
	group = gift->group;
	if (rhashtable_insert_fast(&bus->groups, &group->node,
				   afbus_group_params))
		return NULL;
	gift->group = NULL;
	return group;
}

/* The client's place in the group, with one address more; NULL without memory. */
static struct afbus_member *afbus_member_get(struct afbus_sock *client,
					     struct afbus_gift *gift)
{
	u64 key = (u64)gift->group->prefix << BUS_CLIENT_BITS | client->addr;
	struct afbus_bus *bus = client->bus;
	struct afbus_member *member;

	lockdep_assert_held(&bus->lock);

	member = rhashtable_lookup_fast(&bus->members, &key,
					afbus_member_params);
	if (member) {
		member->nr_addrs++;
		return member;
	}

	member = gift->member;
	member->key = key;
	if (rhashtable_insert_fast(&bus->members, &member->node,
				   afbus_member_params))
		return NULL;
	member->group = afbus_group_get(bus, gift);
	if (!member->group) {
		rhashtable_remove_fast(&bus->members, &member->node,
				       afbus_member_params);
		return NULL;
	}
	gift->member = NULL;
	member->client = client;
	member->nr_addrs = 1;
	list_add_tail(&member->group_node, &member->group->members);
	return member;
}

static int afbus_addr_give(struct afbus_sock *accepted, struct afbus_gift *gift)
{
	struct afbus_sock *client = accepted->peer;
	struct afbus_bus *bus = accepted->bus;
	struct afbus_addr *addr = gift->addr;
	int err;

	lockdep_assert_held(&bus->lock);

	if (!client || client->out)
		return -ENOTCONN;
	if (client->nr_addrs > AFBUS_MAX_ADDRS ||
	    bus->nr_given >= AFBUS_MAX_BUS_ADDRS)
		return -ENOSPC;

	err = afbus_addr_insert(bus, addr, client);
	if (err)
		return err;
	addr->member = afbus_member_get(client, gift);
	if (!addr->member) {
		afbus_addr_remove(bus, addr);
		return -ENOMEM;
	}

	gift->addr = NULL;
	bus->nr_given++;
	bus->seq++;
	trace_addr(bus, bus->seq, client->addr, addr->value, 1);
	if (client->joined)
		afbus_bus_reroute(bus, false);
	return 0;
}

/**
 * afbus_addr_add() - BUS_ADD_ADDR
 * @accepted: accepted socket of the client
 * @value: the address
 *
 * Return: 0; -EINVAL for an address that is not the master's to give;
 * -EADDRINUSE; -ENOSPC if the client or the bus has too many; -ENOTCONN if the
 * client is gone; -ENOMEM.
 */
int afbus_addr_add(struct afbus_sock *accepted, u64 value)
{
	struct afbus_gift gift;
	int err;

	if (!afbus_addr_prefix(value) || afbus_addr_is_multicast(value))
		return -EINVAL;

	err = afbus_gift_alloc(&gift, value);
	if (err)
		return err;

	afbus_bus_begin_change(accepted->bus);
	err = afbus_addr_give(accepted, &gift);
	afbus_bus_end_change(accepted->bus);

	afbus_gift_free(&gift);
	return err;
}

/**
 * afbus_addr_del() - BUS_DEL_ADDR
 * @accepted: accepted socket of the client
 * @value: the address
 *
 * Return: 0; -EINVAL for an address that is not the master's to take;
 * -EADDRNOTAVAIL if its client does not hold it, or is gone.
 */
int afbus_addr_del(struct afbus_sock *accepted, u64 value)
{
	struct afbus_bus *bus = accepted->bus;
	struct afbus_sock *client;
	struct afbus_addr *addr;
	int err = -EADDRNOTAVAIL;

	if (!afbus_addr_prefix(value) || afbus_addr_is_multicast(value))
		return -EINVAL;

	afbus_bus_begin_change(bus);
	client = accepted->peer;
	addr = rhashtable_lookup_fast(&bus->addrs, &value, afbus_addr_params);
	if (client && !client->out && addr && addr->owner == client) {
		bus->seq++;
		trace_addr(bus, bus->seq, client->addr, value, 0);
		afbus_addr_drop(bus, addr);
		afbus_line_changed(client);
		err = 0;
	}
	afbus_bus_end_change(bus);
	return err;
}

/* Return: whether the client has more addresses. */
static bool afbus_addr_drop_some(struct afbus_sock *client)
{
	unsigned int n;

	lockdep_assert_held(&client->bus->lock);

	for (n = 0; n < AFBUS_ADDRS_AT_ONCE && !list_empty(&client->addrs); n++)
		afbus_addr_drop(client->bus,
				list_first_entry(&client->addrs,
						 struct afbus_addr, owner_node));
	return !list_empty(&client->addrs);
}

/**
 * afbus_addr_drop_all() - a client has left its bus
 * @client: the client, with a reference
 *
 * It may have many addresses, so they are dropped some at a time, after the
 * hold of the bus lock under which it left. The caller's reference keeps what
 * they point to. If the client has not left, none is dropped.
 */
void afbus_addr_drop_all(struct afbus_sock *client)
{
	struct afbus_bus *bus = client->bus;
	bool more;

	if (!READ_ONCE(client->out))
		return;

	do {
		spin_lock(&bus->lock);
		more = afbus_addr_drop_some(client);
		spin_unlock(&bus->lock);
		cond_resched();
	} while (more);
}
