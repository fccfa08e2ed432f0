// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdict: whether any rule of a recipient wants a message. No lock is
 * taken and nothing is allocated.
 */

#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/once.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/stringhash.h>
#include "nfdbus.h"

/*
 * Of a long path, the hash is that of its beginning and of its length. Each
 * message has three texts, so it is the hash that takes a word at a time.
 */
static u32 nfdbus_hash(const void *text, u32 part, u32 len)
{
	return full_name_hash((const void *)(unsigned long)len, text, part);
}

static u32 nfdbus_hash_text(const struct nfdbus_message *m,
			    const struct nfdbus_text *text)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	u32 len = text->len;
	const u8 *p;

	if (!text->at)
		return 0;
	p = nfdbus_peek(m, text->at, &len, buf);
	return nfdbus_hash(p ?: buf, p ? len : 0, text->len);
}

static u32 nfdbus_hash_value(const struct nfdbus_rule *rule,
			     enum nfdbus_key key)
{
	const struct nfdbus_term *term = nfdbus_rule_term(rule, key, 0);

	return term ? nfdbus_hash(nfdbus_rule_value(rule, term),
				  min_t(u32, term->len, NFDBUS_PIECE),
				  term->len) : 0;
}

static u32 nfdbus_mix(u32 class, u8 type, u32 path, u32 interface, u32 member,
		      u32 arg0)
{
	return jhash_3words(class & NFDBUS_BY_PATH ? path : 0,
			    class & NFDBUS_BY_INTERFACE ? interface : 0,
			    class & NFDBUS_BY_MEMBER ? member : 0,
			    (class & NFDBUS_BY_ARG0 ? arg0 : 0) ^
			    (class & NFDBUS_BY_TYPE ? type : 0) ^ class << 8);
}

/**
 * nfdbus_bucket() - which bucket of a client's table rules are in
 * @hash: of their index
 *
 * By a secret: nobody can collect rules of different hashes in one bucket.
 */
u32 nfdbus_bucket(u32 hash)
{
	static u32 secret __read_mostly;

	get_random_once(&secret, sizeof(secret));
	return jhash_1word(hash, secret) % NFDBUS_BUCKETS;
}

/**
 * nfdbus_index_rule() - where in its client's table a rule belongs
 * @index: result
 * @rule: the rule
 */
void nfdbus_index_rule(struct nfdbus_index *index,
		       const struct nfdbus_rule *rule)
{
	static const u8 keys[] = {
		NFDBUS_KEY_TYPE, NFDBUS_KEY_PATH, NFDBUS_KEY_INTERFACE,
		NFDBUS_KEY_MEMBER, NFDBUS_KEY_ARG,
	};
	unsigned int i;

	BUILD_BUG_ON(BIT(ARRAY_SIZE(keys)) != NFDBUS_CLASSES);
	index->class = 0;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (nfdbus_rule_term(rule, keys[i], 0))
			index->class |= BIT(i);
	}
	index->hash = nfdbus_mix(index->class, rule->type,
				 nfdbus_hash_value(rule, NFDBUS_KEY_PATH),
				 nfdbus_hash_value(rule, NFDBUS_KEY_INTERFACE),
				 nfdbus_hash_value(rule, NFDBUS_KEY_MEMBER),
				 nfdbus_hash_value(rule, NFDBUS_KEY_ARG));
}

static bool nfdbus_need_arg0(struct nfdbus_parsed *p)
{
	const struct nfdbus_text *arg;
	bool object_path;

	if (p->has_arg0)
		return true;
	/* Looked for once, whether it is there or not. */
	arg = nfdbus_message_arg(&p->m, 0, &object_path);
	if (!arg || object_path)
		return false;
	p->arg0 = nfdbus_hash_text(&p->m, arg);
	p->has_arg0 = true;
	return true;
}

/* Whether a message has the fields that rules of a class ask for. */
static bool nfdbus_fits_class(struct nfdbus_parsed *p, u32 class)
{
	const struct nfdbus_text *f = p->m.fields;

	return !(class & NFDBUS_BY_PATH && !f[NFDBUS_FIELD_PATH].at) &&
	       !(class & NFDBUS_BY_INTERFACE && !f[NFDBUS_FIELD_INTERFACE].at) &&
	       !(class & NFDBUS_BY_MEMBER && !f[NFDBUS_FIELD_MEMBER].at) &&
	       !(class & NFDBUS_BY_ARG0 && !nfdbus_need_arg0(p));
}

/* Find out where rules of a class for a message are, once for all clients. */
static void nfdbus_index_message(struct nfdbus_parsed *p, u32 class)
{
	u32 hash;

	p->marks.classes |= BIT(class);
	if (!nfdbus_fits_class(p, class))
		return;
	hash = nfdbus_mix(class, p->m.type, p->path, p->interface, p->member,
			  p->arg0);
	p->hashes[class] = hash;
	p->buckets[class] = nfdbus_bucket(hash);
	afbus_marks_add(&p->marks, class, hash);
}

/*
 * Usually a message is compared once with equal rules, whichever clients have
 * them: what a rule looks at, its sender aside, does not change meanwhile.
 */
static bool nfdbus_fits(struct nfdbus_parsed *p, const struct nfdbus_entry *e)
{
	struct nfdbus_judged *judged = &p->judged[e->kind % NFDBUS_JUDGED];

	if (judged->kind != e->kind) {
		judged->fits = nfdbus_rule_fits(&e->rule, &p->m);
		judged->kind = e->kind;
	}
	return judged->fits;
}

static bool nfdbus_wants_of_class(const struct nfdbus_client *client,
				  struct nfdbus_parsed *p, u32 class, u64 src)
{
	const struct nfdbus_entry *e;
	u32 hash = p->hashes[class];

	hlist_for_each_entry_rcu(e, &client->table[p->buckets[class]], node) {
		if (e->index.hash == hash && e->index.class == class &&
		    READ_ONCE(e->live) && nfdbus_rule_is_from(&e->rule, src) &&
		    nfdbus_fits(p, e))
			return true;
	}
	return false;
}

/**
 * nfdbus_wants() - whether any rule of a client wants a message
 * @data: the client
 * @src: address of the sender
 * @scratch: the message, which is valid
 */
bool nfdbus_wants(const void *data, u64 src, void *scratch)
{
	const struct nfdbus_client *client = data;
	u32 classes = READ_ONCE(client->sieve.classes), class;
	struct nfdbus_parsed *p = scratch;

	for (; classes; classes &= classes - 1) {
		class = __ffs(classes);
		/* It is the first on the bus with a rule of this class. */
		if (!(p->marks.classes & BIT(class)))
			nfdbus_index_message(p, class);
		if (p->marks.fitting & BIT(class) &&
		    nfdbus_wants_of_class(client, p, class, src))
			return true;
	}
	return false;
}

/*
 * What is no D-Bus message passes if the master sends it, but never to an
 * eavesdropper.
 */
static bool nfdbus_passes_anyway(const struct afbus_hook_state *state)
{
	return (state->flags & (AFBUS_FROM_MASTER | AFBUS_EAVESDROP)) ==
	       AFBUS_FROM_MASTER;
}

/* Read a message, once for all its recipients. */
static void nfdbus_parse(struct nfdbus_parsed *p, const struct sk_buff *skb,
			 unsigned int fds)
{
	const struct nfdbus_text *f = p->m.fields;
	unsigned int i;

	p->done = 1;
	if (!nfdbus_message_parse(&p->m, skb))
		return;
	/* A message and its descriptors are one datagram: no others follow. */
	if (nfdbus_message_fds(&p->m) != fds) {
		p->m.valid = false;
		return;
	}
	p->path = nfdbus_hash_text(&p->m, &f[NFDBUS_FIELD_PATH]);
	p->interface = nfdbus_hash_text(&p->m, &f[NFDBUS_FIELD_INTERFACE]);
	p->member = nfdbus_hash_text(&p->m, &f[NFDBUS_FIELD_MEMBER]);
	p->has_arg0 = false;
	p->arg0 = 0;
	p->marks.classes = 0;
	p->marks.fitting = 0;
	for (i = 0; i < NFDBUS_JUDGED; i++)
		p->judged[i].kind = 0;
}

/**
 * nfdbus_read() - read a multicast, and find out where rules for it are
 * @data: the bus
 * @skb: the message
 * @fds: descriptors that it carries
 * @scratch: result
 *
 * Return: the marks of the message; NULL if it is no D-Bus message.
 */
const struct afbus_marks *nfdbus_read(void *data, const struct sk_buff *skb,
				      unsigned int fds, void *scratch)
{
	const struct nfdbus_bus *bus = data;
	u32 classes = READ_ONCE(bus->classes);
	struct nfdbus_parsed *p = scratch;

	BUILD_BUG_ON(NFDBUS_CLASSES > AFBUS_CLASSES);
	BUILD_BUG_ON(NFDBUS_BUCKETS > U8_MAX + 1);
	nfdbus_parse(p, skb, fds);
	if (!p->m.valid)
		return NULL;
	for (; classes; classes &= classes - 1)
		nfdbus_index_message(p, __ffs(classes));
	return &p->marks;
}

/**
 * nfdbus_verdict() - whether a recipient gets what is not for nfdbus_wants()
 * @skb: the message: to one recipient, or a multicast that is no D-Bus message
 * @state: the recipient
 *
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int nfdbus_verdict(const struct sk_buff *skb,
			    const struct afbus_hook_state *state)
{
	struct nfdbus_parsed *p = state->scratch;

	/* Rules do not concern what is sent to one recipient. */
	if (!(state->flags & (AFBUS_MULTICAST | AFBUS_EAVESDROP)))
		return NF_ACCEPT;
	if (!p->done)
		nfdbus_parse(p, skb, state->fds);
	return p->m.valid || nfdbus_passes_anyway(state) ? NF_ACCEPT : NF_DROP;
}
