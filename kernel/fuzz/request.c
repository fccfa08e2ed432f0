// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to nfdbus, by generic netlink and by the connector, and their answers. The number of a
 * request tells the reader of the answer which kind it is of, and whether it must be refused.
 */
#include "fuzz.h"
#include <linux/connector.h>

const char *const good_rules[] = {
	"", "type='signal'", "type='signal',member='Changed'", "interface='org.example.Player'",
	"type='signal',interface='org.example.Player',path='/org/example/Player',member='Changed'",
	"path_namespace='/org/example'", "path='/'", "arg0='org.example.Player'", "arg0namespace='org.example'",
	"arg1path='/aa/'", "arg0='',arg2='x'", "sender=':0.1'", "sender=':0.2',type='signal'",
	"sender='org.example.Player'", "sender='a.b',member='M'", "sender='org.freedesktop.DBus'",
	"destination=':0.2'", "destination='x-y.z',eavesdrop='true'", "type='method_return'", "type='error',arg0='no'",
	NULL,
};

const char *const good_names[] = { "org.example.Player", "a.b", "x-y.z", "com.example.N0", "_a._b", NULL };

static const char *const bad_rules[] = {
	"nonsense", "type='signals'", "type='signal", "path='/a',path_namespace='/a'", "arg64='x'",
	"member='M',member='M'", "sender='player'", "type='signal',,member='M'", "arg='none'",
};

static const char *const bad_names[] = { "", "nodots", ":0.1", "org.freedesktop.DBus", ".a", "a..b", "a.4b" };

enum { GOOD_RULES = ARRAY_SIZE(good_rules) - 1, GOOD_NAMES = ARRAY_SIZE(good_names) - 1 };

static const int commands[KINDS] = {
	[ADD] = NFDBUS_CMD_ADD, [REMOVE] = NFDBUS_CMD_REMOVE, [REMOVE_ALL] = NFDBUS_CMD_REMOVE_ALL,
	[GET] = NFDBUS_CMD_GET, [SET_NAME] = NFDBUS_CMD_SET_NAME, [UNSET_NAME] = NFDBUS_CMD_UNSET_NAME,
	[CN_ADD] = NFDBUS_CN_ADDMATCH, [CN_REMOVE] = NFDBUS_CN_REMOVEMATCH,
	[CN_REMOVE_ALL] = NFDBUS_CN_REMOVEALLMATCH,
};

/* What is asked for, in words. */
struct wish {
	enum kind kind;
	int must_fail;
	const char *path, *text;
	uint64_t addr;
};

static const char *some_rule(struct rng *d, int *is_bad)
{
	*is_bad = one_in(d, 6);
	/* The first few are drawn often, so that there is something to remove. */
	return *is_bad ? PICK(d, bad_rules) : good_rules[roll(d, one_in(d, 2) ? 3 : GOOD_RULES)];
}

static const char *some_bus_name(struct rng *d, int *is_bad)
{
	*is_bad = one_in(d, 6);
	return *is_bad ? PICK(d, bad_names) : good_names[roll(d, one_in(d, 2) ? 1 : GOOD_NAMES)];
}

/* Most often a client of a D-Bus bus that this process knows. */
static struct wish some_wish(struct fuzzer *f, enum kind kind)
{
	struct rng *d = &f->rng;
	int own = roll(d, 2);
	struct wish w = { .kind = kind, .path = shared_dbus(f->at->number) };

	w.addr = shared_address(roll(d, MEMBERS));
	if (own && f->path[0]) {
		w.path = f->path;
		w.addr = f->addrs[roll(d, MEMBERS)];
	}
	if (one_in(d, 8))
		w.path = some_path(d);
	if (one_in(d, 4))
		w.addr = some_address(d);
	if (kind == SET_NAME || kind == UNSET_NAME)
		w.text = some_bus_name(d, &w.must_fail);
	else
		w.text = some_rule(d, &w.must_fail);
	/* The other commands want no text. */
	if (kind == REMOVE_ALL || kind == GET || kind == CN_REMOVE_ALL)
		w.must_fail = 0;
	if (kind == NO_COMMAND || kind == CN_NO_COMMAND)
		w.must_fail = 1;
	return w;
}

static void post_request(struct fuzzer *f, int slot, enum kind kind, const void *data, size_t len)
{
	struct rng *d = &f->rng;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	void *to = roll(d, 8) ? arena_in(d, &kernel, sizeof(kernel)) : NULL;

	CALL(f, kind, slot, arena_in(d, data, len), len, MSG_DONTWAIT, to, to ? sizeof(kernel) : 0);
}

/* A length or a type that is not allowed, for the last attribute, so that no other one is cut. */
static void spoil_attr(struct rng *d, struct request *r, size_t at, struct wish *w)
{
	struct nlattr *a = (struct nlattr *)((char *)r + at);
	unsigned int len = a->nla_len - NLA_HDRLEN;

	switch (roll(d, 3)) {
	case 0:
		a->nla_type = NFDBUS_ATTR_MAX + 1 + roll(d, 60);
		w->must_fail = 1;
		break;
	case 1:
		a->nla_len = roll(d, NLA_HDRLEN);
		w->must_fail = 1;
		break;
	default:
		/* NULs follow it: a longer text is still a valid one. */
		a->nla_len = NLA_HDRLEN + roll(d, 2 * len + 2);
		if (a->nla_type == NFDBUS_ATTR_ADDRESS && a->nla_len != NLA_HDRLEN + sizeof(uint64_t))
			w->must_fail = 1;
		if (a->nla_type != NFDBUS_ATTR_ADDRESS && a->nla_type != NFDBUS_ATTR_PATH &&
		    a->nla_len < NLA_HDRLEN + len)
			w->must_fail = 1;
		r->nl.nlmsg_len = at + NLA_ALIGN(a->nla_len);
	}
}

/* @missing: a bit for each attribute that is left out; @spoil: the last one is spoilt. */
static void send_wish(struct fuzzer *f, struct wish *w, unsigned int missing, int spoil, int flags)
{
	static struct request r;
	int is_name = w->kind == SET_NAME || w->kind == UNSET_NAME;
	int wants_text = w->kind != REMOVE_ALL && w->kind != GET;
	size_t last = 0;

	begin_request(&r, shared->nfdbus, commands[w->kind] ?: NFDBUS_CMD_MAX + 1, flags);
	if (missing & 1)
		w->must_fail = 1;
	else
		add_bus(&r, w->path);
	if (missing & 2) {
		w->must_fail |= w->kind != UNSET_NAME && w->kind != GET;
	} else {
		last = NLMSG_ALIGN(r.nl.nlmsg_len);
		add_attr(&r, NFDBUS_ATTR_ADDRESS, &w->addr, sizeof(w->addr));
	}
	if (missing & 4) {
		w->must_fail |= wants_text;
	} else if (wants_text) {
		last = NLMSG_ALIGN(r.nl.nlmsg_len);
		add_attr(&r, is_name ? NFDBUS_ATTR_NAME : NFDBUS_ATTR_RULE, w->text, strlen(w->text) + 1);
	}
	if (spoil && last)
		spoil_attr(&f->rng, &r, last, w);
	r.nl.nlmsg_seq = w->kind | (w->must_fail ? MUST_FAIL : 0);
	post_request(f, GENERIC_SLOT, w->kind, &r, r.nl.nlmsg_len);
}

void ask_for_rule(struct fuzzer *f, const char *path, uint64_t addr)
{
	struct wish w = { .kind = ADD, .path = path, .addr = addr };

	w.text = good_rules[one_in(&f->rng, 2) ? 0 : roll(&f->rng, GOOD_RULES)];
	send_wish(f, &w, 0, 0, NLM_F_ACK);
	do_answer(f);
}

static void take_answer(struct fuzzer *f, int slot, enum kind kind,
			void (*judge)(struct fuzzer *f, const void *data, int len))
{
	struct rng *d = &f->rng;
	size_t room = one_in(d, 10) ? roll(d, 400) : 32768;
	void *data = arena_out(d, room);
	long len = CALL(f, kind, slot, data, room, MSG_DONTWAIT | MSG_TRUNC, 0, 0);

	/* A message that was cut cannot be checked. */
	if (len > 0 && (size_t)len <= room && is_whole(data, room))
		judge(f, data, len);
}

void do_answer(struct fuzzer *f)
{
	take_answer(f, GENERIC_SLOT, ANSWER, judge_answers);
}

void do_request(struct fuzzer *f)
{
	static const enum kind kinds[] = {
		ADD, ADD, ADD, ADD, REMOVE, REMOVE, REMOVE_ALL, GET, GET, SET_NAME, SET_NAME, UNSET_NAME,
	};
	struct rng *d = &f->rng;
	struct wish w = some_wish(f, one_in(d, 40) ? NO_COMMAND : PICK(d, kinds));
	unsigned int missing = one_in(d, 20) ? roll(d, 8) : 0;
	int flags = roll(d, 8) ? NLM_F_ACK : 0;

	if (w.kind == GET) {
		flags = roll(d, 10) ? NLM_F_DUMP : NLM_F_ACK;
		/* For all clients more often than for one. */
		missing |= roll(d, 3) ? 2 : 0;
		/* Only dumps can be asked for. */
		w.must_fail = flags == NLM_F_ACK;
	}
	send_wish(f, &w, missing, one_in(d, 12), flags);
	for (unsigned int n = roll(d, 4); n; n--)
		do_answer(f);
}

/* For buses of the first network namespace, in which all processes are that have not left it. */
void do_connector(struct fuzzer *f)
{
	static const enum kind kinds[] = { CN_ADD, CN_ADD, CN_REMOVE, CN_REMOVE_ALL };
	struct rng *d = &f->rng;
	struct wish w = some_wish(f, one_in(d, 20) ? CN_NO_COMMAND : PICK(d, kinds));
	struct {
		struct nlmsghdr nl;
		struct cn_msg cn;
		struct nfdbus_cn_request q;
		char rule[256];
	} __attribute__((packed)) p = {
		.nl.nlmsg_type = NLMSG_DONE,
		.cn = { .id = { NFDBUS_CN_IDX, NFDBUS_CN_VAL } },
	};
	size_t len = w.kind == CN_REMOVE_ALL ? 0 : strlen(w.text);

	p.q = (struct nfdbus_cn_request){ .cmd = commands[w.kind], .len = len,
					  .addr = bus_name(w.path, w.addr) };
	memcpy(p.rule, w.text, len);
	p.cn.len = sizeof(p.q) + len;
	p.nl.nlmsg_len = NLMSG_LENGTH(sizeof(p.cn) + p.cn.len);
	if (one_in(d, 10)) {
		p.q.len += 1 + roll(d, 1U << 31);
		w.must_fail = 1;
	}
	if (one_in(d, 20)) {
		p.cn.len = roll(d, sizeof(p.q));
		w.must_fail = 1;
	}
	p.cn.seq = w.kind | (w.must_fail ? MUST_FAIL : 0);
	post_request(f, CONNECTOR_SLOT, w.kind, &p, p.nl.nlmsg_len);
	take_answer(f, CONNECTOR_SLOT, CN_ANSWER, judge_connector);
}

/* Another socket, maybe with other rights and in another namespace; a dump under way ends. */
void do_netlink(struct fuzzer *f)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	struct rng *d = &f->rng;
	int on = 1;

	put_away(CALL(f, NETLINK, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), GENERIC_SLOT);
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++)
		if (one_in(d, 2))
			CALL(f, SET_SOCKET, GENERIC_SLOT, SOL_NETLINK, options[i],
			     arena_in(d, &on, sizeof(on)), sizeof(on));
}
