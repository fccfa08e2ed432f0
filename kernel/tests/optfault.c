// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, policies and other options are set while memory runs out at every possible point. */
#include "trycall.h"

static long call_add_address(struct world *w)
{
	return add_address(w->b.accepted, ADDRESS(5, 1));
}

static void address_is(struct world *w, int there)
{
	OK(post(w->a.fd, ADDRESS(5, 1), "one"));
	GETS(there ? w->b.fd : w->a.accepted, w->a.id, "one");
	OK(post(w->a.fd, GROUP(5), "group"));
	EQ(there, drain(w->b.fd));
	GETS_NOTHING(w->a.accepted);
}

static void address_is_there(struct world *w, long result)
{
	(void)result;
	address_is(w, 1);
	FAILS(EADDRINUSE, add_address(w->a.accepted, ADDRESS(5, 1)));
}

static void address_is_free(struct world *w, long err)
{
	(void)err;
	address_is(w, 0);
	OK(add_address(w->a.accepted, ADDRESS(5, 1)));
	OK(del_address(w->a.accepted, ADDRESS(5, 1)));
}

static void add_address_failed(struct world *w, int err)
{
	address_is_free(w, err);
	OK(call_add_address(w));
	address_is_there(w, 0);
}

static void before_del_address(struct world *w)
{
	OK(call_add_address(w));
}

static long call_del_address(struct world *w)
{
	return del_address(w->b.accepted, ADDRESS(5, 1));
}

static void del_address_failed(struct world *w, int err)
{
	address_is_there(w, err);
}

static void before_join(struct world *w)
{
	close_client(&w->b);
	w->b = attach(&w->bus);
}

static long call_join(struct world *w)
{
	return let_join(w->b.accepted);
}

static void join_failed(struct world *w, int err)
{
	(void)err;
	FAILS(EHOSTUNREACH, post(w->b.fd, w->a.id, "hello"));
	OK(call_join(w));
}

static void join_done(struct world *w, long result)
{
	(void)result;
	OK(post(w->b.fd, w->a.id, "hello"));
	GETS(w->a.fd, w->b.id, "hello");
}

static long call_watch(struct world *w)
{
	return watch(w->b.accepted);
}

static long call_unwatch(struct world *w)
{
	return unwatch(w->b.accepted);
}

static void before_unwatch(struct world *w)
{
	OK(call_watch(w));
}

static void watches(struct world *w, int yes)
{
	OK(post(w->a.fd, MASTER, "secret"));
	EQ(yes, drain(w->b.fd));
}

static void watch_done(struct world *w, long result)
{
	(void)result;
	watches(w, 1);
}

static void unwatch_done(struct world *w, long result)
{
	(void)result;
	watches(w, 0);
}

static void watch_failed(struct world *w, int err)
{
	unwatch_done(w, err);
}

static void unwatch_failed(struct world *w, int err)
{
	watch_done(w, err);
}

static long call_sendbuf(struct world *w)
{
	return set_option(w->bus.fd, BUS_SET_SENDBUF, 12345);
}

static void sendbuf_done(struct world *w, long result)
{
	(void)result;
	EQ(12345, OK(get_option(w->bus.fd, BUS_SET_SENDBUF)));
}

static void sendbuf_failed(struct world *w, int err)
{
	(void)err;
	CHECK(OK(get_option(w->bus.fd, BUS_SET_SENDBUF)) != 12345);
}

static long call_maxqlen(struct world *w)
{
	return set_option(w->bus.fd, BUS_SET_MAXQLEN, 7);
}

static void maxqlen_done(struct world *w, long result)
{
	(void)result;
	EQ(7, OK(get_option(w->bus.fd, BUS_SET_MAXQLEN)));
}

static void maxqlen_failed(struct world *w, int err)
{
	(void)err;
	EQ(BUS_MAX_QLEN, OK(get_option(w->bus.fd, BUS_SET_MAXQLEN)));
}

static long call_overflow(struct world *w)
{
	return set_option(w->bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL);
}

static void overflow_done(struct world *w, long result)
{
	(void)result;
	EQ(BUS_OVERFLOW_FAIL, OK(get_option(w->bus.fd, BUS_SET_OVERFLOW)));
}

static void overflow_failed(struct world *w, int err)
{
	(void)err;
	EQ(BUS_OVERFLOW_BLOCK, OK(get_option(w->bus.fd, BUS_SET_OVERFLOW)));
}

static long call_passseq(struct world *w)
{
	return set_option(w->b.fd, BUS_PASSSEQ, 1);
}

static void passseq_is(struct world *w, int on)
{
	struct message m;

	EQ(on, OK(get_option(w->b.fd, BUS_PASSSEQ)));
	OK(post(w->a.fd, w->b.id, "x"));
	OK(take(w->b.fd, &m));
	EQ(on, m.has_seq);
}

static void passseq_done(struct world *w, long result)
{
	(void)result;
	passseq_is(w, 1);
}

static void passseq_failed(struct world *w, int err)
{
	(void)err;
	passseq_is(w, 0);
}

static long call_qlenfull(struct world *w)
{
	return get_option(w->b.accepted, BUS_GET_QLENFULL);
}

static void qlenfull_done(struct world *w, long full)
{
	(void)w;
	EQ(0, full);
}

static const struct call options[] = {
	{ "add_addr", NULL, call_add_address, add_address_failed, address_is_there },
	{ "del_addr", before_del_address, call_del_address, del_address_failed, address_is_free },
	{ "join_bus", before_join, call_join, join_failed, join_done },
	{ "set_eavesdrop", NULL, call_watch, watch_failed, watch_done },
	{ "unset_eavesdrop", before_unwatch, call_unwatch, unwatch_failed, unwatch_done },
	{ "set_sendbuf", NULL, call_sendbuf, sendbuf_failed, sendbuf_done },
	{ "set_maxqlen", NULL, call_maxqlen, maxqlen_failed, maxqlen_done },
	{ "set_overflow", NULL, call_overflow, overflow_failed, overflow_done },
	{ "passseq", NULL, call_passseq, passseq_failed, passseq_done },
	{ "get_qlenfull", NULL, call_qlenfull, NULL, qlenfull_done },
};

TEST_EACH(option_fails_cleanly, options)
{
	try_all(row, row->name);
}
