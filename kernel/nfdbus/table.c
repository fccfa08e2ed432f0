// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of clients: added, removed, bounded.
 */

#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "nfdbus.h"

/*
 * Whatever the maximum, a client's table has NFDBUS_BUCKETS buckets and its
 * sieve AFBUS_SIEVE_WORDS words. With more rules, verdicts take longer and
 * sieves let more messages through.
 */
static unsigned int max_rules = 512;
module_param(max_rules, uint, 0644);
MODULE_PARM_DESC(max_rules, "match rules that one client may have (default 512)");

int nfdbus_table_init(struct nfdbus_bus *bus)
{
	xa_init_flags(&bus->by_id, XA_FLAGS_ACCOUNT);
	return nfdbus_kinds_init(bus);
}

void nfdbus_table_exit(struct nfdbus_bus *bus)
{
	WARN_ON_ONCE(!xa_empty(&bus->by_id));
	nfdbus_kinds_exit(bus);
}

/* Make a rule of a draft; no table has it yet. */
static struct nfdbus_entry *nfdbus_entry_new(struct nfdbus_client *client,
					     const struct nfdbus_draft *draft,
					     const char *text, u32 len)
{
	size_t size = offsetof(struct nfdbus_entry, rule) +
		      nfdbus_rule_size(draft);
	struct nfdbus_entry *e;
	char *copy;

	e = kzalloc(max(size, sizeof(*e)) + len + 1, GFP_KERNEL_ACCOUNT);
	if (!e)
		return NULL;
	nfdbus_rule_make(&e->rule, draft);
	copy = (char *)e + max(size, sizeof(*e));
	memcpy(copy, text, len);
	e->text = copy;
	e->client = client;
	nfdbus_index_rule(&e->index, &e->rule);
	return e;
}

/* Point a rule to the address of the sender that it names, if it names one. */
static int nfdbus_entry_resolve(struct nfdbus_entry *e)
{
	const struct nfdbus_term *term;
	const char *value;

	term = nfdbus_rule_term(&e->rule, NFDBUS_KEY_SENDER, 0);
	if (!term)
		return 0;

	value = nfdbus_rule_value(&e->rule, term);
	e->sender = NFDBUS_NOBODY;
	e->rule.from = &e->sender;
	if (nfdbus_is_driver(value, term->len)) {
		e->sender = BUS_MASTER_ADDR;
	} else if (value[0] == ':') {
		nfdbus_unique_name(value, term->len, &e->sender);
	} else {
		e->name = nfdbus_name_get(e->client->bus, value, term->len);
		if (!e->name)
			return -ENOMEM;
		e->name->nr_rules++;
		e->rule.from = &e->name->owner;
	}
	return 0;
}

static void nfdbus_entry_forget(struct nfdbus_entry *e)
{
	if (!e->name)
		return;
	e->name->nr_rules--;
	nfdbus_name_put(e->client->bus, e->name);
	e->name = NULL;
}

/* Count a rule of this class, for its client and for the bus. */
static void nfdbus_class_get(struct nfdbus_client *client, u32 class)
{
	struct nfdbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	client->nr_in_class[class]++;
	bus->nr_in_class[class]++;
	WRITE_ONCE(client->sieve.classes, client->sieve.classes | BIT(class));
	WRITE_ONCE(bus->classes, bus->classes | BIT(class));
}

static void nfdbus_class_put(struct nfdbus_client *client, u32 class)
{
	struct nfdbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	if (!--client->nr_in_class[class])
		WRITE_ONCE(client->sieve.classes,
			   client->sieve.classes & ~BIT(class));
	if (!--bus->nr_in_class[class])
		WRITE_ONCE(bus->classes, bus->classes & ~BIT(class));
}

/* A rule's word in its client's sieve, as the client's other rules make it. */
static u64 nfdbus_sieve_without(const struct nfdbus_entry *e)
{
	u32 place = afbus_mark_word(e->index.hash);
	const struct nfdbus_entry *other;
	u64 word = 0;

	lockdep_assert_held(&e->client->bus->lock);

	list_for_each_entry(other, &e->client->rules, client_node) {
		if (other != e && afbus_mark_word(other->index.hash) == place)
			word |= afbus_mark_bits(other->index.hash);
	}
	return word;
}

/* Let a rule count for messages from now on, or let it count no more. */
static void nfdbus_entry_set_live(struct nfdbus_entry *e,
				  struct afbus_bus *on, bool live)
{
	struct nfdbus_client *client = e->client;
	u64 word = nfdbus_sieve_without(e);

	if (live)
		word |= afbus_mark_bits(e->index.hash);
	afbus_protocol_begin_change(on);
	WRITE_ONCE(e->live, live);
	client->sieve.words[afbus_mark_word(e->index.hash)] = word;
	afbus_protocol_change_to(on, client->addr, !live);
	afbus_protocol_end_change(on);
}

static struct hlist_head *
nfdbus_entry_bucket(struct nfdbus_client *client,
		    const struct nfdbus_index *index)
{
	return &client->table[nfdbus_bucket(index->hash)];
}

/* Put a rule where messages find it. */
static int nfdbus_entry_publish(struct nfdbus_entry *e, struct afbus_bus *on)
{
	struct nfdbus_client *client = e->client;
	struct nfdbus_bus *bus = client->bus;
	int err;

	err = xa_insert(&bus->by_id, bus->last_id + 1, e, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	e->id = ++bus->last_id;
	err = nfdbus_kind_join(bus, e);
	if (err) {
		xa_erase(&bus->by_id, e->id);
		return err;
	}
	hlist_add_head_rcu(&e->node, nfdbus_entry_bucket(client, &e->index));
	nfdbus_class_get(client, e->index.class);
	nfdbus_entry_set_live(e, on, true);

	list_add_tail(&e->client_node, &client->rules);
	client->nr_rules++;
	bus->changes++;
	return 0;
}

/**
 * nfdbus_rule_add() - give a client a rule
 * @on: its bus
 * @client: the client
 * @addr: its prefix-0 address
 * @draft: the rule
 * @text: what it was read from
 * @len: bytes of @text
 *
 * Return: 0; -ENOSPC if it has too many; -EADDRNOTAVAIL if it is gone;
 * -ENOMEM.
 */
int nfdbus_rule_add(struct afbus_bus *on, struct nfdbus_client *client,
		    u64 addr, const struct nfdbus_draft *draft,
		    const char *text, u32 len)
{
	struct nfdbus_bus *bus = client->bus;
	struct nfdbus_entry *e;
	int err;

	e = nfdbus_entry_new(client, draft, text, len);
	if (!e)
		return -ENOMEM;

	mutex_lock(&bus->lock);
	err = -EADDRNOTAVAIL;
	if (READ_ONCE(client->gone))
		goto out;
	err = -ENOSPC;
	if (client->nr_rules >= READ_ONCE(max_rules))
		goto out;
	client->addr = addr;
	err = nfdbus_entry_resolve(e);
	if (!err && nfdbus_entry_publish(e, on))
		err = -ENOMEM;
	if (err)
		nfdbus_entry_forget(e);
out:
	mutex_unlock(&bus->lock);
	/* It is in no table, so nobody looks at it. */
	if (err)
		kfree(e);
	return err;
}

/* Free a rule that does not count any more. */
static void nfdbus_entry_end(struct nfdbus_entry *e)
{
	struct nfdbus_client *client = e->client;
	struct nfdbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	hlist_del_rcu(&e->node);
	nfdbus_kind_leave(bus, e);
	nfdbus_class_put(client, e->index.class);
	xa_erase(&bus->by_id, e->id);
	list_del(&e->client_node);
	client->nr_rules--;
	bus->changes++;
	nfdbus_entry_forget(e);
	kfree_rcu(e, rcu);
}

/* A rule of the client that equals @rule; NULL if it has none. */
static struct nfdbus_entry *nfdbus_entry_find(struct nfdbus_client *client,
					      const struct nfdbus_rule *rule)
{
	struct nfdbus_index index;
	struct nfdbus_entry *e;

	lockdep_assert_held(&client->bus->lock);

	nfdbus_index_rule(&index, rule);
	hlist_for_each_entry(e, nfdbus_entry_bucket(client, &index), node) {
		if (nfdbus_rule_equals(&e->rule, rule))
			return e;
	}
	return NULL;
}

/**
 * nfdbus_rule_remove() - take a rule from a client
 * @on: its bus
 * @client: the client
 * @draft: what the rule says
 *
 * Return: 0; -ENOENT if it has no such rule; -ENOMEM.
 */
int nfdbus_rule_remove(struct afbus_bus *on, struct nfdbus_client *client,
		       const struct nfdbus_draft *draft)
{
	struct nfdbus_rule *rule;
	struct nfdbus_entry *e;

	rule = kzalloc(nfdbus_rule_size(draft), GFP_KERNEL);
	if (!rule)
		return -ENOMEM;
	nfdbus_rule_make(rule, draft);

	mutex_lock(&client->bus->lock);
	e = nfdbus_entry_find(client, rule);
	if (e) {
		nfdbus_entry_set_live(e, on, false);
		nfdbus_entry_end(e);
	}
	mutex_unlock(&client->bus->lock);

	kfree(rule);
	return e ? 0 : -ENOENT;
}

/**
 * nfdbus_rule_remove_all() - take all rules from a client, as one change
 * @on: its bus; NULL if it has left that, and gets no messages any more
 * @client: the client
 */
void nfdbus_rule_remove_all(struct afbus_bus *on, struct nfdbus_client *client)
{
	struct nfdbus_entry *e, *next;

	lockdep_assert_held(&client->bus->lock);

	if (list_empty(&client->rules))
		return;
	/* No message looks for rules of a client that has left. */
	if (on) {
		afbus_protocol_begin_change(on);
		/* Without classes, verdicts look for no rule of this client. */
		WRITE_ONCE(client->sieve.classes, 0);
		memset(client->sieve.words, 0, sizeof(client->sieve.words));
		afbus_protocol_change_to(on, client->addr, true);
		afbus_protocol_end_change(on);
	}
	list_for_each_entry_safe(e, next, &client->rules, client_node)
		nfdbus_entry_end(e);
}
