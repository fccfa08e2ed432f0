// SPDX-License-Identifier: GPL-2.0-only
/*
 * Well-known names: which client owns which, according to the master.
 */

#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/af_bus.h>
#include "nfdbus.h"

static unsigned int max_names = 512;
module_param(max_names, uint, 0644);
MODULE_PARM_DESC(max_names, "well-known names that one client may own (default 512)");

struct nfdbus_name_key {
	const char	*text;
	u32		len;
};

static u32 nfdbus_name_key_hash(const void *key, u32 len, u32 seed)
{
	const struct nfdbus_name_key *k = key;

	return jhash(k->text, k->len, seed);
}

static u32 nfdbus_name_hash(const void *obj, u32 len, u32 seed)
{
	const struct nfdbus_name *name = obj;

	return jhash(name->text, name->len, seed);
}

static int nfdbus_name_differs(struct rhashtable_compare_arg *arg,
			       const void *obj)
{
	const struct nfdbus_name_key *k = arg->key;
	const struct nfdbus_name *name = obj;

	return name->len != k->len || memcmp(name->text, k->text, k->len);
}

static const struct rhashtable_params nfdbus_name_params = {
	.head_offset		= offsetof(struct nfdbus_name, node),
	.hashfn			= nfdbus_name_key_hash,
	.obj_hashfn		= nfdbus_name_hash,
	.obj_cmpfn		= nfdbus_name_differs,
	.automatic_shrinking	= true,
};

int nfdbus_names_init(struct nfdbus_bus *bus)
{
	xa_init_flags(&bus->names_by_id, XA_FLAGS_ACCOUNT);
	return rhashtable_init(&bus->names, &nfdbus_name_params);
}

void nfdbus_names_exit(struct nfdbus_bus *bus)
{
	WARN_ON_ONCE(!xa_empty(&bus->names_by_id));
	rhashtable_destroy(&bus->names);
}

static struct nfdbus_name *nfdbus_name_find(struct nfdbus_bus *bus,
					    const char *text, u32 len)
{
	struct nfdbus_name_key key = { text, len };

	lockdep_assert_held(&bus->lock);

	return rhashtable_lookup_fast(&bus->names, &key, nfdbus_name_params);
}

static struct nfdbus_name *nfdbus_name_new(struct nfdbus_bus *bus,
					   const char *text, u32 len)
{
	struct nfdbus_name *name;

	name = kzalloc(struct_size(name, text, len + 1), GFP_KERNEL_ACCOUNT);
	if (!name)
		return NULL;
	memcpy(name->text, text, len);
	name->len = len;
	name->owner = NFDBUS_NOBODY;

	if (xa_insert(&bus->names_by_id, bus->last_id + 1, name,
		      GFP_KERNEL_ACCOUNT))
		goto err_free;
	name->id = ++bus->last_id;
	if (rhashtable_insert_fast(&bus->names, &name->node,
				   nfdbus_name_params))
		goto err_id;
	return name;

err_id:
	xa_erase(&bus->names_by_id, name->id);
err_free:
	/* A lookup may still meet it. */
	kfree_rcu(name, rcu);
	return NULL;
}

/**
 * nfdbus_name_get() - find a name, or make it
 * @bus: the bus
 * @text: the name
 * @len: its bytes
 *
 * Return: the name, for the caller to use or to give to nfdbus_name_put();
 * NULL without memory.
 */
struct nfdbus_name *nfdbus_name_get(struct nfdbus_bus *bus, const char *text,
				    u32 len)
{
	return nfdbus_name_find(bus, text, len) ?:
	       nfdbus_name_new(bus, text, len);
}

/* Free a name, unless a client owns it or a rule refers to it. */
void nfdbus_name_put(struct nfdbus_bus *bus, struct nfdbus_name *name)
{
	lockdep_assert_held(&bus->lock);

	if (name->client || name->nr_rules)
		return;
	rhashtable_remove_fast(&bus->names, &name->node, nfdbus_name_params);
	xa_erase(&bus->names_by_id, name->id);
	kfree_rcu(name, rcu);
}

static void nfdbus_name_disown(struct nfdbus_bus *bus, struct nfdbus_name *name)
{
	lockdep_assert_held(&bus->lock);

	if (!name->client)
		return;
	list_del(&name->client_node);
	name->client->nr_names--;
	name->client = NULL;
	bus->changes++;
}

/**
 * nfdbus_name_set() - a client owns a name from now on
 * @on: its bus
 * @client: the client
 * @addr: its prefix-0 address
 * @text: the name
 * @len: its bytes
 *
 * If another client owned it, each message is matched against the old owner or
 * the new one, never against none.
 *
 * Return: 0; -ENOSPC if it owns too many; -EADDRNOTAVAIL if it is gone;
 * -ENOMEM.
 */
int nfdbus_name_set(struct afbus_bus *on, struct nfdbus_client *client,
		    u64 addr, const char *text, u32 len)
{
	struct nfdbus_bus *bus = client->bus;
	struct nfdbus_name *name;
	u64 before;
	int err = 0;

	mutex_lock(&bus->lock);
	name = nfdbus_name_get(bus, text, len);
	if (!name)
		err = -ENOMEM;
	else if (READ_ONCE(client->gone))
		err = -EADDRNOTAVAIL;
	else if (name->client != client &&
		 client->nr_names >= READ_ONCE(max_names))
		err = -ENOSPC;

	if (!err) {
		before = name->client ? name->owner : NFDBUS_NOBODY;
		nfdbus_name_disown(bus, name);
		client->addr = addr;
		list_add_tail(&name->client_node, &client->names);
		client->nr_names++;
		name->client = client;
		afbus_protocol_begin_change(on);
		WRITE_ONCE(name->owner, addr);
		afbus_protocol_change_from(on, before);
		afbus_protocol_change_from(on, addr);
		afbus_protocol_end_change(on);
		bus->changes++;
	} else if (name) {
		nfdbus_name_put(bus, name);
	}
	mutex_unlock(&bus->lock);
	return err;
}

static void nfdbus_name_clear(struct nfdbus_bus *bus, struct nfdbus_name *name)
{
	nfdbus_name_disown(bus, name);
	WRITE_ONCE(name->owner, NFDBUS_NOBODY);
	nfdbus_name_put(bus, name);
}

/**
 * nfdbus_name_unset() - nobody owns a name any more
 * @on: the bus
 * @text: the name
 * @len: its bytes
 *
 * Return: 0; -ENOENT if nobody did.
 */
int nfdbus_name_unset(struct afbus_bus *on, const char *text, u32 len)
{
	kuid_t owner;
	struct nfdbus_bus *bus = afbus_protocol_bus(on, &owner);
	struct nfdbus_name *name;
	int err = -ENOENT;
	u64 before;

	mutex_lock(&bus->lock);
	name = nfdbus_name_find(bus, text, len);
	if (name && name->client) {
		before = name->owner;
		afbus_protocol_begin_change(on);
		WRITE_ONCE(name->owner, NFDBUS_NOBODY);
		afbus_protocol_change_from(on, before);
		afbus_protocol_end_change(on);
		nfdbus_name_clear(bus, name);
		err = 0;
	}
	mutex_unlock(&bus->lock);
	return err;
}

/* A client owns nothing any more. */
void nfdbus_name_unset_all(struct nfdbus_client *client)
{
	struct nfdbus_name *name, *next;

	lockdep_assert_held(&client->bus->lock);

	list_for_each_entry_safe(name, next, &client->names, client_node)
		nfdbus_name_clear(client->bus, name);
}
