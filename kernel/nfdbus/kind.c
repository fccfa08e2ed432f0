// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of rules: rules of a bus that say the same are of one kind, whichever
 * clients have them. So a message is usually held against one of them only: a
 * send remembers NFDBUS_JUDGED kinds, each in the place that its number gives.
 *
 * A kind is a number and owns nothing: each client pays for all of its own
 * rules. One rule of each kind is in the table, and stands for the others.
 */

#include <linux/jhash.h>
#include <linux/list.h>
#include "nfdbus.h"

/* What nfdbus_rule_equals() compares. */
static u32 nfdbus_kind_key_hash(const void *key, u32 len, u32 seed)
{
	const struct nfdbus_rule *rule = key;
	const struct nfdbus_term *term;

	for (term = rule->terms; term < rule->terms + rule->nr_terms; term++) {
		if (term->key == NFDBUS_KEY_EAVESDROP)
			continue;
		seed = jhash(nfdbus_rule_value(rule, term), term->len, seed);
		seed = jhash_2words(term->key, term->arg, seed);
	}
	return seed;
}

static u32 nfdbus_kind_hash(const void *obj, u32 len, u32 seed)
{
	const struct nfdbus_entry *e = obj;

	return nfdbus_kind_key_hash(&e->rule, len, seed);
}

static int nfdbus_kind_differs(struct rhashtable_compare_arg *arg,
			       const void *obj)
{
	const struct nfdbus_entry *e = obj;

	return !nfdbus_rule_equals(&e->rule, arg->key);
}

static const struct rhashtable_params nfdbus_kind_params = {
	.head_offset		= offsetof(struct nfdbus_entry, kind_node),
	.hashfn			= nfdbus_kind_key_hash,
	.obj_hashfn		= nfdbus_kind_hash,
	.obj_cmpfn		= nfdbus_kind_differs,
	.automatic_shrinking	= true,
};

int nfdbus_kinds_init(struct nfdbus_bus *bus)
{
	return rhashtable_init(&bus->kinds, &nfdbus_kind_params);
}

void nfdbus_kinds_exit(struct nfdbus_bus *bus)
{
	rhashtable_destroy(&bus->kinds);
}

/**
 * nfdbus_kind_join() - find out of which kind a rule is
 * @bus: its bus
 * @e: the rule, with its id
 *
 * Return: 0 or -ENOMEM.
 */
int nfdbus_kind_join(struct nfdbus_bus *bus, struct nfdbus_entry *e)
{
	struct nfdbus_entry *other;

	lockdep_assert_held(&bus->lock);

	INIT_LIST_HEAD(&e->same_kind);
	other = rhashtable_lookup_fast(&bus->kinds, &e->rule,
				       nfdbus_kind_params);
	if (other) {
		e->kind = other->kind;
		list_add(&e->same_kind, &other->same_kind);
		return 0;
	}

	/* No id is given twice, so no kind is either. */
	e->kind = e->id;
	e->stands = !rhashtable_insert_fast(&bus->kinds, &e->kind_node,
					    nfdbus_kind_params);
	return e->stands ? 0 : -ENOMEM;
}

/**
 * nfdbus_kind_leave() - a rule ends; another one stands for its kind
 * @bus: its bus
 * @e: the rule, to be freed after a grace period
 */
void nfdbus_kind_leave(struct nfdbus_bus *bus, struct nfdbus_entry *e)
{
	struct nfdbus_entry *next;

	lockdep_assert_held(&bus->lock);

	next = list_first_entry(&e->same_kind, struct nfdbus_entry, same_kind);
	if (!e->stands) {
		list_del(&e->same_kind);
	} else if (next == e) {
		rhashtable_remove_fast(&bus->kinds, &e->kind_node,
				       nfdbus_kind_params);
	} else {
		list_del(&e->same_kind);
		next->stands = true;
		WARN_ON_ONCE(rhashtable_replace_fast(&bus->kinds, &e->kind_node,
						     &next->kind_node,
						     nfdbus_kind_params));
	}
}
