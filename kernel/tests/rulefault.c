// SPDX-License-Identifier: GPL-2.0-only
/*
 * As trycall.h, for nfdbus: requests, and buses and clients with private data, run out of memory at
 * every possible point. A request has happened completely or not at all.
 */
#include "dbus.h"
#include "fault.h"

struct setting {
	struct bus bus;
	struct client a, b;
	int fd;
};

static struct setting make_setting(void)
{
	struct setting w = { .bus = open_bus("@bus"), .fd = -1 };

	w.a = join(&w.bus);
	w.b = join(&w.bus);
	return w;
}

static void end_setting(struct setting *w)
{
	close_client(&w->a);
	close_client(&w->b);
	close(w->bus.fd);
	if (w->fd >= 0)
		close(w->fd);
}

static void counts(int rules, int names)
{
	static struct dumped d;

	OK(dump(&d, "@bus", 0));
	EQ(rules, d.rules);
	EQ(names, d.names);
}

static const char rule[] = "type='signal',sender='org.example.Player',arg0='x'";

static int ask_about(int cmd, uint64_t addr, int attr, const char *text)
{
	struct request r;

	begin_ask(&r, cmd, "@bus");
	add_attr(&r, NFDBUS_ATTR_ADDRESS, &addr, sizeof(addr));
	add_attr(&r, attr, text, strlen(text) + 1);
	return send_request(nl_fd, &r);
}

static int call_add(struct setting *w)
{
	return ask_about(NFDBUS_CMD_ADD, w->b.id, NFDBUS_ATTR_RULE, rule);
}

static void add_failed(struct setting *w) { (void)w; counts(0, 0); }
static void add_done(struct setting *w) { (void)w; counts(1, 0); }

static void before_remove(struct setting *w) { OK(add_rule("@bus", w->b.id, rule)); }

static int call_remove(struct setting *w)
{
	return ask_about(NFDBUS_CMD_REMOVE, w->b.id, NFDBUS_ATTR_RULE, rule);
}

static void remove_failed(struct setting *w) { (void)w; counts(1, 0); }
static void remove_done(struct setting *w) { (void)w; counts(0, 0); }

static int call_set(struct setting *w)
{
	return ask_about(NFDBUS_CMD_SET_NAME, w->a.id, NFDBUS_ATTR_NAME, "org.example.Player");
}

static void set_failed(struct setting *w) { (void)w; counts(0, 0); }
static void set_done(struct setting *w) { (void)w; counts(0, 1); }

static void before_socket(struct setting *w) { w->fd = bus_socket(); }
static int call_bind(struct setting *w) { return bind_to(w->fd, "@new"); }
static void bind_failed(struct setting *w) { OK(bind_to(w->fd, "@new")); }
static void bind_done(struct setting *w) { FAILS(EINVAL, bind_to(w->fd, "@newer")); }

static int call_connect(struct setting *w) { return connect_bus(w->fd, &w->bus); }
static void connect_failed(struct setting *w) { OK(connect_bus(w->fd, &w->bus)); }
static void connect_done(struct setting *w) { FAILS(EISCONN, connect_bus(w->fd, &w->bus)); }

static void before_send(struct setting *w) { OK(add_rule("@bus", w->b.id, "arg0='x'")); }

static int call_send(struct setting *w)
{
	static const struct dbus_message sent = { A_SIGNAL, .args = { "x" } };

	return signal_all(w->a.fd, &sent);
}

static void send_failed(struct setting *w) { GETS_NOTHING(w->b.fd); }
static void send_done(struct setting *w) { EQ(1, drain(w->b.fd)); }

static const struct call {
	const char *name;
	void (*before)(struct setting *w);
	int (*call)(struct setting *w);
	void (*failed)(struct setting *w);
	void (*done)(struct setting *w);
	int asks;			/* and is answered later */
} calls[] = {
	{ "add", NULL, call_add, add_failed, add_done, 1 },
	{ "remove", before_remove, call_remove, remove_failed, remove_done, 1 },
	{ "set_name", NULL, call_set, set_failed, set_done, 1 },
	{ "bind", before_socket, call_bind, bind_failed, bind_done },
	{ "connect", before_socket, call_connect, connect_failed, connect_done },
	{ "send", before_send, call_send, send_failed, send_done },
};

/*
 * The answer to a request. Netlink may have had no memory for the answer, and says so: then the
 * request may have happened.
 */
static int hear_answer(void)
{
	struct pollfd p = { .fd = nl_fd, .events = POLLIN };
	int err = 0;
	socklen_t len = sizeof(err);

	OK(poll(&p, 1, 5000));
	OK(getsockopt(nl_fd, SOL_SOCKET, SO_ERROR, &err, &len));
	if (err) {
		EQ(ENOBUFS, err);
		return 1;
	}
	return await_ack(nl_fd);
}

static int try_call(const struct call *c, unsigned int n)
{
	struct setting w = make_setting();
	int result, err, struck;

	if (c->before)
		c->before(&w);
	use_netlink();
	arm(n);
	result = c->call(&w);
	err = errno;
	struck = disarm();
	if (result >= 0 && c->asks) {
		result = hear_answer();
		err = errno;
	}
	if (result == 1 && c->asks) {
		/* It is unknown what has happened; but the bus goes on. */
		CHECK(struck);
	} else if (result < 0) {
		check_error(c->name, n, struck, err, 0);
		c->failed(&w);
	} else {
		c->done(&w);
	}
	end_setting(&w);
	return !struck;
}

TEST_EACH(request_fails_cleanly, calls)
{
	try_all(row, row->name);
}
