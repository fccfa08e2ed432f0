// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, policies and other options are set while memory runs out at every possible point. */
#include "trycall.h"

static long call_add_address(struct fixture *f)
{
	return add_address(f->b.accepted, ADDRESS(5, 1));
}

static void address_is(struct fixture *f, int there)
{
	OK(post(f->a.fd, ADDRESS(5, 1), "one"));
	GETS(there ? f->b.fd : f->a.accepted, f->a.id, "one");
	OK(post(f->a.fd, GROUP(5), "group"));
	EQ(there, drain(f->b.fd));
	GETS_NOTHING(f->a.accepted);
}

static void address_is_there(struct fixture *f, long result)
{
	(void)result;
	address_is(f, 1);
	FAILS(EADDRINUSE, add_address(f->a.accepted, ADDRESS(5, 1)));
}

static void address_is_free(struct fixture *f, long err)
{
	(void)err;
	address_is(f, 0);
	OK(add_address(f->a.accepted, ADDRESS(5, 1)));
	OK(del_address(f->a.accepted, ADDRESS(5, 1)));
}

static void add_address_failed(struct fixture *f, int err)
{
	address_is_free(f, err);
	OK(call_add_address(f));
	address_is_there(f, 0);
}

static void before_del_address(struct fixture *f)
{
	OK(call_add_address(f));
}

static long call_del_address(struct fixture *f)
{
	return del_address(f->b.accepted, ADDRESS(5, 1));
}

static void del_address_failed(struct fixture *f, int err)
{
	address_is_there(f, err);
}

static void before_join(struct fixture *f)
{
	close_client(&f->b);
	f->b = attach(&f->bus);
}

static long call_join(struct fixture *f)
{
	return let_join(f->b.accepted);
}

static void join_failed(struct fixture *f, int err)
{
	(void)err;
	FAILS(EHOSTUNREACH, post(f->b.fd, f->a.id, "hello"));
	OK(call_join(f));
}

static void join_done(struct fixture *f, long result)
{
	(void)result;
	OK(post(f->b.fd, f->a.id, "hello"));
	GETS(f->a.fd, f->b.id, "hello");
}

static long call_watch(struct fixture *f)
{
	return watch(f->b.accepted);
}

static long call_unwatch(struct fixture *f)
{
	return unwatch(f->b.accepted);
}

static void before_unwatch(struct fixture *f)
{
	OK(call_watch(f));
}

static void watches(struct fixture *f, int yes)
{
	OK(post(f->a.fd, MASTER, "secret"));
	EQ(yes, drain(f->b.fd));
}

static void watch_done(struct fixture *f, long result)
{
	(void)result;
	watches(f, 1);
}

static void unwatch_done(struct fixture *f, long result)
{
	(void)result;
	watches(f, 0);
}

static void watch_failed(struct fixture *f, int err)
{
	unwatch_done(f, err);
}

static void unwatch_failed(struct fixture *f, int err)
{
	watch_done(f, err);
}

static long call_sendbuf(struct fixture *f)
{
	return set_option(f->bus.fd, BUS_SET_SENDBUF, 12345);
}

static void sendbuf_done(struct fixture *f, long result)
{
	(void)result;
	EQ(12345, OK(get_option(f->bus.fd, BUS_SET_SENDBUF)));
}

static void sendbuf_failed(struct fixture *f, int err)
{
	(void)err;
	CHECK(OK(get_option(f->bus.fd, BUS_SET_SENDBUF)) != 12345);
}

static long call_maxqlen(struct fixture *f)
{
	return set_option(f->bus.fd, BUS_SET_MAXQLEN, 7);
}

static void maxqlen_done(struct fixture *f, long result)
{
	(void)result;
	EQ(7, OK(get_option(f->bus.fd, BUS_SET_MAXQLEN)));
}

static void maxqlen_failed(struct fixture *f, int err)
{
	(void)err;
	EQ(BUS_MAX_QLEN, OK(get_option(f->bus.fd, BUS_SET_MAXQLEN)));
}

static long call_overflow(struct fixture *f)
{
	return set_option(f->bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL);
}

static void overflow_done(struct fixture *f, long result)
{
	(void)result;
	EQ(BUS_OVERFLOW_FAIL, OK(get_option(f->bus.fd, BUS_SET_OVERFLOW)));
}

static void overflow_failed(struct fixture *f, int err)
{
	(void)err;
	EQ(BUS_OVERFLOW_BLOCK, OK(get_option(f->bus.fd, BUS_SET_OVERFLOW)));
}

static long call_passseq(struct fixture *f)
{
	return set_option(f->b.fd, BUS_PASSSEQ, 1);
}

static void passseq_is(struct fixture *f, int on)
{
	struct message m;

	EQ(on, OK(get_option(f->b.fd, BUS_PASSSEQ)));
	OK(post(f->a.fd, f->b.id, "x"));
	OK(take(f->b.fd, &m));
	EQ(on, m.has_seq);
}

static void passseq_done(struct fixture *f, long result)
{
	(void)result;
	passseq_is(f, 1);
}

static void passseq_failed(struct fixture *f, int err)
{
	(void)err;
	passseq_is(f, 0);
}

static long call_qlenfull(struct fixture *f)
{
	return get_option(f->b.accepted, BUS_GET_QLENFULL);
}

static void qlenfull_done(struct fixture *f, long full)
{
	(void)f;
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
