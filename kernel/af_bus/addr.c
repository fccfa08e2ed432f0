// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses: who holds which, and the groups that prefixes make of them.
 */

#include <linux/jhash.h>
#include <linux/slab.h>
#include "af_bus.h"
#include "trace.h"

/* Of an address, looked up by each send: what the table would do, but inline. */
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
		rhashtable_destroy(&bus->addrs);
	return err;
}

void afbus_addr_exit(struct afbus_bus *bus)
{
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
	return addr ? addr->owner : NULL;
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

static void afbus_addr_drop(struct afbus_bus *bus, struct afbus_addr *addr)
{
	struct afbus_group *group = addr->group;

	lockdep_assert_held(&bus->lock);

	bus->routes++;
	rhashtable_remove_fast(&bus->addrs, &addr->node, afbus_addr_params);
	list_del(&addr->owner_node);
	addr->owner->nr_addrs--;
	if (group) {
		list_del(&addr->group_node);
		if (list_empty(&group->addrs)) {
			rhashtable_remove_fast(&bus->groups, &group->node,
					       afbus_group_params);
			kfree_rcu(group, rcu);
		}
	}
	kfree_rcu(addr, rcu);
}

/* Put @addr into its group; takes @spare for it if it is the first. */
static int afbus_addr_enlist(struct afbus_bus *bus, struct afbus_addr *addr,
			     struct afbus_group **spare)
{
	struct afbus_group *group;

	lockdep_assert_held(&bus->lock);

	group = afbus_addr_group(bus, afbus_addr_prefix(addr->value));
	if (!group) {
		group = *spare;
		if (rhashtable_insert_fast(&bus->groups, &group->node,
					   afbus_group_params))
			return -ENOMEM;
		*spare = NULL;
	}

	addr->group = group;
	list_add_tail(&addr->group_node, &group->addrs);
	return 0;
}

static int afbus_addr_give(struct afbus_sock *accepted,
			   struct afbus_addr *addr, struct afbus_group **spare)
{
	struct afbus_sock *client = accepted->peer;
	struct afbus_bus *bus = accepted->bus;
	int err;

	lockdep_assert_held(&bus->lock);

	if (!client || client->out)
		return -ENOTCONN;
	if (client->nr_addrs > AFBUS_MAX_ADDRS)
		return -ENOSPC;

	err = afbus_addr_insert(bus, addr, client);
	if (err)
		return err;

	err = afbus_addr_enlist(bus, addr, spare);
	if (err) {
		/* The caller keeps it, but the table may still be looking. */
		rhashtable_remove_fast(&bus->addrs, &addr->node,
				       afbus_addr_params);
		list_del(&addr->owner_node);
		client->nr_addrs--;
		return err;
	}

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
 * -EADDRINUSE; -ENOSPC if it has too many; -ENOTCONN if the client is gone;
 * -ENOMEM.
 */
int afbus_addr_add(struct afbus_sock *accepted, u64 value)
{
	struct afbus_group *spare;
	struct afbus_addr *addr;
	int err;

	if (!afbus_addr_prefix(value) || afbus_addr_is_multicast(value))
		return -EINVAL;

	addr = kzalloc(sizeof(*addr), GFP_KERNEL_ACCOUNT);
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!addr || !spare) {
		kfree(addr);
		kfree(spare);
		return -ENOMEM;
	}
	addr->value = value;
	spare->prefix = afbus_addr_prefix(value);
	INIT_LIST_HEAD(&spare->addrs);

	afbus_bus_begin_change(accepted->bus);
	err = afbus_addr_give(accepted, addr, &spare);
	afbus_bus_end_change(accepted->bus);

	if (err)
		kfree_rcu(addr, rcu);
	kfree(spare);
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
	if (client && addr && addr->owner == client) {
		bus->seq++;
		trace_addr(bus, bus->seq, client->addr, value, 0);
		afbus_addr_drop(bus, addr);
		afbus_line_changed(client);
		err = 0;
	}
	afbus_bus_end_change(bus);
	return err;
}

/**
 * afbus_addr_drop_all() - a client leaves its bus
 * @client: the client
 */
void afbus_addr_drop_all(struct afbus_sock *client)
{
	struct afbus_addr *addr, *next;

	lockdep_assert_held(&client->bus->lock);

	list_for_each_entry_safe(addr, next, &client->addrs, owner_node)
		afbus_addr_drop(client->bus, addr);
}
