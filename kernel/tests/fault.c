// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that run out of memory, or into memory that is not there, at any point.
 *
 * The kernel makes the n-th allocation, or access to user memory, of a call fail:
 * for n = 1, 2, 3… until the call gets through without. Whatever fails, the error
 * is a clean one, the call has happened wholly or not at all, and the bus goes on.
 * Kernels without CONFIG_FAULT_INJECTION have nothing to try this with.
 */
#include "bus.h"
#include "fault.h"
#include <linux/filter.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

enum { MEMBERS = 5, LONG = 150000, ENOUGH = 5000, ANY = -1 };

/* What a call is tried on: made anew for each try. */
struct world {
	struct bus bus;
	struct client a, b;		/* b holds an address in group 2 */
	struct client members[MEMBERS];	/* of group 3 */
	struct client spy;
	int fd, other;			/* for what else a call needs */
	struct message got;
};

static const char path[] = "/mnt/fault";
static char text[LONG];

static struct world make_world(int crowd)
{
	struct world w = { .bus = open_bus("@bus"), .fd = -1, .other = -1, .spy = { .fd = -1 } };

	w.a = join(&w.bus);
	w.b = join_at(&w.bus, ADDRESS(2, 1));
	for (int i = 0; crowd && i < MEMBERS; i++)
		w.members[i] = join_at(&w.bus, ADDRESS(3, i));
	if (crowd) {
		w.spy = join(&w.bus);
		OK(watch(w.spy.accepted));
	}
	return w;
}

/* What is still there works. */
static void check_world(struct world *w)
{
	struct client c = join_at(&w->bus, ADDRESS(9, 9));

	drain(w->a.fd);
	OK(post(c.fd, w->a.id, "still there"));
	GETS(w->a.fd, c.id, "still there");
	OK(post(w->a.fd, ADDRESS(9, 9), "yes"));
	GETS(c.fd, w->a.id, "yes");
	close_client(&c);
}

static void end_world(struct world *w)
{
	if (w->spy.fd >= 0) {
		for (int i = 0; i < MEMBERS; i++)
			close_client(&w->members[i]);
		close_client(&w->spy);
	}
	close_client(&w->a);
	close_client(&w->b);
	close(w->bus.fd);
	if (w->fd >= 0)
		close(w->fd);
	if (w->other >= 0)
		close(w->other);
	unlink(path);
}

/*
 * One call: what comes before it, the call itself, and what must hold after it
 * failed or succeeded. @crowd: a group and an eavesdropper are there. @errs: what
 * it may fail with besides ENOMEM, ENOBUFS and EFAULT.
 */
struct call {
	const char *name;
	void (*before)(struct world *w);
	long (*call)(struct world *w);
	void (*failed)(struct world *w, int err);
	void (*done)(struct world *w, long result);
	int crowd;
	int errs[2];
};

static void check_error(const struct call *c, unsigned int n, int err)
{
	if (err == ENOMEM || err == ENOBUFS || err == EFAULT)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(c->errs); i++)
		if (err == c->errs[i] || c->errs[i] == ANY)
			return;
	FAIL("fault %u makes %s fail with %s", n, c->name, errname(err));
}

/* One try; true if the call got through without a failure. */
static int try_call(const struct call *c, unsigned int n)
{
	struct world w = make_world(c->crowd);
	int struck, err;
	long result;

	if (c->before)
		c->before(&w);
	arm(n);
	result = c->call(&w);
	err = errno;
	struck = disarm();

	if (result < 0) {
		if (!struck)
			FAIL("%s fails with %s for no reason", c->name, errname(err));
		check_error(c, n, err);
		if (c->failed)
			c->failed(&w, err);
	} else {
		c->done(&w, result);
	}
	check_world(&w);
	end_world(&w);
	return !struck;
}

static void try_all(const struct call *c)
{
	unsigned int n = 1;

	may_fail();
	while (!try_call(c, n))
		if (++n == ENOUGH)
			FAIL("%s never gets through", c->name);
	dprintf(1, "# points of failure: %u\n", n - 1);
}

/* Sockets come and go. */

static long call_socket(struct world *w)
{
	return w->fd = socket(family(), SOCK_SEQPACKET | SOCK_CLOEXEC, BUS_PROTO_NONE);
}

static void socket_done(struct world *w, long fd)
{
	OK(bind_to(fd, "@new"));
	(void)w;
}

static void before_bind(struct world *w)
{
	w->fd = bus_socket();
}

static long call_bind_abstract(struct world *w)
{
	return bind_to(w->fd, "@new");
}

/* The name is free and the socket can have it. */
static void bind_abstract_failed(struct world *w, int err)
{
	(void)err;
	w->other = bus_socket();
	OK(bind_to(w->other, "@new"));
	FAILS(EADDRINUSE, bind_to(w->fd, "@new"));
	close(w->other);
	w->other = -1;
	OK(bind_to(w->fd, "@new"));
}

static void bind_abstract_done(struct world *w, long result)
{
	(void)result;
	OK(listen(w->fd, 1));
	w->other = bus_socket();
	OK(connect_to(w->other, "@new"));
}

static long call_bind_path(struct world *w)
{
	return bind_to(w->fd, path);
}

static void bind_path_done(struct world *w, long result)
{
	(void)result;
	OK(listen(w->fd, 1));
	w->other = bus_socket();
	OK(connect_to(w->other, path));
}

static void bind_path_failed(struct world *w, int err)
{
	(void)err;
	FAILS(ENOENT, access(path, F_OK));
	OK(bind_to(w->fd, path));
	bind_path_done(w, 0);
}

static void before_listen(struct world *w)
{
	before_bind(w);
	OK(bind_to(w->fd, path));
}

static long call_listen(struct world *w)
{
	return listen(w->fd, 1);
}

static void before_connect(struct world *w)
{
	w->fd = bus_socket();
	OK(fcntl(w->bus.fd, F_SETFL, O_NONBLOCK));
}

static long call_connect(struct world *w)
{
	return connect_bus(w->fd, &w->bus);
}

static void connect_done(struct world *w, long result)
{
	(void)result;
	w->other = OK(accept(w->bus.fd, NULL, NULL));
	OK(let_join(w->other));
	OK(post(w->fd, w->a.id, "hello"));
	EQ(1, drain(w->a.fd));
	FAILS(EAGAIN, accept(w->bus.fd, NULL, NULL));
}

/* Nobody waits for the master, and the socket can try again. */
static void connect_failed(struct world *w, int err)
{
	(void)err;
	FAILS(EAGAIN, accept(w->bus.fd, NULL, NULL));
	FAILS(ENOTCONN, getpeername(w->fd, (struct sockaddr *)&(struct sockaddr_bus){ 0 },
				    &(socklen_t){ sizeof(struct sockaddr_bus) }));
	OK(connect_bus(w->fd, &w->bus));
	connect_done(w, 0);
}

static void before_connect_path(struct world *w)
{
	close(w->bus.fd);
	w->bus = open_bus(path);
	before_connect(w);
	close_client(&w->a);
	w->a = join(&w->bus);
}

static void before_accept(struct world *w)
{
	before_connect(w);
	OK(connect_bus(w->fd, &w->bus));
}

static long call_accept(struct world *w)
{
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);

	return w->other = accept4(w->bus.fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
}

static void accept_done(struct world *w, long fd)
{
	OK(let_join(fd));
	OK(post(w->fd, w->a.id, "hello"));
	EQ(1, drain(w->a.fd));
}

/* Taken already when the address cannot be given: as with any socket, the connection ends. */
static void accept_failed(struct world *w, int err)
{
	if (err == EFAULT) {
		CHECK(events(w->fd) & POLLHUP);
		return;
	}
	w->other = OK(accept(w->bus.fd, NULL, NULL));
	accept_done(w, w->other);
}

static long call_close(struct world *w)
{
	int fd = w->b.fd;

	w->b.fd = -1;
	return close(fd);
}

static void close_done(struct world *w, long result)
{
	(void)result;
	ENDS(w->b.accepted);
	OK(post(w->a.fd, ADDRESS(2, 1), "default route"));
	GETS(w->a.accepted, w->a.id, "default route");
}

static long call_close_bus(struct world *w)
{
	int fd = w->fd;

	w->fd = -1;
	return close(fd);
}

static void close_bus_done(struct world *w, long result)
{
	(void)result;
	w->fd = bus_socket();
	FAILS(ECONNREFUSED, connect_to(w->fd, path));
}

static long call_shutdown(struct world *w)
{
	return shutdown(w->b.accepted, SHUT_RDWR);
}

static void shutdown_done(struct world *w, long result)
{
	(void)result;
	ENDS(w->b.fd);
}

static long call_getsockname(struct world *w)
{
	struct sockaddr_bus name;
	socklen_t len = sizeof(name);

	return getsockname(w->b.fd, (struct sockaddr *)&name, &len) ?: (long)name.sbus_addr.s_addr;
}

static void getsockname_done(struct world *w, long addr)
{
	EQ(w->b.id, addr);
}

static void nothing_more(struct world *w, long result)
{
	(void)w;
	(void)result;
}

static const struct call sockets[] = {
	/* A socket without an inode is as one file too many. */
	{ "socket", NULL, call_socket, NULL, socket_done, .errs = { ENFILE } },
	{ "bind_abstract", before_bind, call_bind_abstract, bind_abstract_failed, bind_abstract_done },
	/* The file system's word. */
	{ "bind_path", before_bind, call_bind_path, bind_path_failed, bind_path_done,
	  .errs = { ENOSPC } },
	{ "listen", before_listen, call_listen, NULL, bind_path_done },
	{ "connect_abstract", before_connect, call_connect, connect_failed, connect_done },
	{ "connect_path", before_connect_path, call_connect, connect_failed, connect_done },
	{ "accept", before_accept, call_accept, accept_failed, accept_done, .errs = { ENFILE } },
	{ "getsockname", NULL, call_getsockname, NULL, getsockname_done },
	{ "shutdown", NULL, call_shutdown, NULL, shutdown_done },
	{ "close_client", NULL, call_close, NULL, close_done },
	{ "close_listener", before_listen, call_close_bus, NULL, close_bus_done },
};

TEST_EACH(socket_call_fails_cleanly, sockets)
{
	try_all(row);
}

/* Options. */

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
	try_all(row);
}

/* Sending: nobody has it, or everybody whom it is for has all of it. */

static int files[2] = { -1, -1 };

static void open_files_to_send(struct world *w)
{
	if (files[0] < 0)
		files[0] = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
	w->other = bus_socket();
	files[1] = w->other;
}

static void got_by(int fd, struct world *w, int n_fds)
{
	struct message m;

	EQ(3, OK(take(fd, &m)));
	CHECK(same_text(&m, "all"));
	EQ(w->a.id, m.from.sbus_addr.s_addr);
	EQ(n_fds, m.n_fds);
	close_fds(&m);
	GETS_NOTHING(fd);
}

/* Who only watches may have missed it, for want of memory for its copy: then the next one tells. */
static void watched(struct world *w, int n_fds)
{
	struct message m;

	if (events(w->spy.fd) & POLLIN) {
		got_by(w->spy.fd, w, n_fds);
		return;
	}
	OK(post(w->a.fd, w->b.id, "nex"));
	GETS(w->b.fd, w->a.id, "nex");
	EQ(3, OK(take(w->spy.fd, &m)));
	CHECK(same_text(&m, "nex"));
	EQ(1, m.lost);
}

static void got_by_all(struct world *w, int n_fds)
{
	for (int i = 0; i < MEMBERS; i++)
		got_by(w->members[i].fd, w, n_fds);
	GETS_NOTHING(w->b.fd);
	GETS_NOTHING(w->a.accepted);
	watched(w, n_fds);
}

static void got_by_none(struct world *w, int err)
{
	(void)err;
	for (int i = 0; w->spy.fd >= 0 && i < MEMBERS; i++)
		GETS_NOTHING(w->members[i].fd);
	if (w->spy.fd >= 0)
		GETS_NOTHING(w->spy.fd);
	GETS_NOTHING(w->b.fd);
	GETS_NOTHING(w->a.accepted);
}

static long call_send(struct world *w)
{
	return post(w->a.fd, ADDRESS(2, 1), "all");
}

static void send_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->b.fd, w, 0);
}

static long call_send_fds(struct world *w)
{
	return post_fds(w->a.fd, ADDRESS(2, 1), "all", files, 2);
}

static void send_fds_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->b.fd, w, 2);
}

static long call_send_to_master(struct world *w)
{
	return send(w->a.fd, "all", 3, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_to_master_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->a.accepted, w, 0);
	GETS_NOTHING(w->b.fd);
}

static long call_multicast(struct world *w)
{
	return post(w->a.fd, GROUP(3), "all");
}

static void multicast_done(struct world *w, long len)
{
	EQ(3, len);
	got_by_all(w, 0);
}

static long call_multicast_fds(struct world *w)
{
	return post_fds(w->a.fd, GROUP(3), "all", files, 2);
}

static void multicast_fds_done(struct world *w, long len)
{
	EQ(3, len);
	got_by_all(w, 2);
}

/* A filter that cuts needs a copy of what it cuts. */
static void before_filtered(struct world *w)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 3) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	for (int i = 0; i < MEMBERS; i++)
		OK(setsockopt(w->members[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			      sizeof(program)));
	OK(setsockopt(w->spy.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static long call_filtered(struct world *w)
{
	memcpy(text, "all", 3);
	return send_bytes(w->a.fd, GROUP(3), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void filtered_done(struct world *w, long len)
{
	EQ(LONG, len);
	got_by_all(w, 0);
}

static void before_long(struct world *w)
{
	OK(setsockopt(w->a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 2 * LONG }, sizeof(int)));
}

static void before_long_filtered(struct world *w)
{
	before_long(w);
	before_filtered(w);
}

static long call_send_long(struct world *w)
{
	for (int i = 0; i < LONG; i++)
		text[i] = i % 251;
	return send_bytes(w->a.fd, ADDRESS(2, 1), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_long_done(struct world *w, long len)
{
	static char back[LONG];

	EQ(LONG, len);
	EQ(LONG, OK(recv(w->b.fd, back, sizeof(back), MSG_DONTWAIT)));
	EQ(0, memcmp(text, back, LONG));
	GETS_NOTHING(w->b.fd);
}

/* A sender that may not wait leaves its claim where the queue is full: told of room, or of none. */
static void before_full(struct world *w)
{
	w->fd = OK(epoll_create1(EPOLL_CLOEXEC));
	fill(w->members[0].fd, ADDRESS(2, 1));
	OK(epoll_ctl(w->fd, EPOLL_CTL_ADD, w->a.fd,
		     &(struct epoll_event){ .events = EPOLLOUT | EPOLLET }));
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_send_full(struct world *w)
{
	/* EAGAIN is what success looks like here. */
	return post(w->a.fd, ADDRESS(2, 1), "all") < 0 && errno == EAGAIN ? 0 : -1;
}

static void send_full_failed(struct world *w, int err)
{
	(void)err;
	EQ(ROOM, drain(w->b.fd));
}

static void send_full_done(struct world *w, long result)
{
	(void)result;
	EQ(0, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
	EQ(ROOM, drain(w->b.fd));
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static const struct call sends[] = {
	{ "unicast", NULL, call_send, got_by_none, send_done },
	{ "unicast_fds", open_files_to_send, call_send_fds, got_by_none, send_fds_done },
	{ "to_the_master", NULL, call_send_to_master, got_by_none, send_to_master_done },
	{ "long", before_long, call_send_long, got_by_none, send_long_done },
	{ "multicast_eavesdropped", NULL, call_multicast, got_by_none, multicast_done, .crowd = 1 },
	{ "multicast_fds_eavesdropped", open_files_to_send, call_multicast_fds, got_by_none,
	  multicast_fds_done, .crowd = 1 },
	{ "multicast_filtered", before_long_filtered, call_filtered, got_by_none, filtered_done,
	  .crowd = 1 },
	{ "full_recipient", before_full, call_send_full, send_full_failed, send_full_done,
	  .crowd = 1 },
};

TEST_EACH(send_reaches_all_or_none, sends)
{
	try_all(row);
}

/* Receiving. */

static void before_recv(struct world *w)
{
	OK(set_option(w->b.fd, BUS_PASSSEQ, 1));
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	OK(post(w->a.fd, w->b.id, "all"));
	OK(post(w->a.fd, w->b.id, "next"));
}

static void before_recv_fds(struct world *w)
{
	open_files_to_send(w);
	OK(post_fds(w->a.fd, w->b.id, "all", files, 2));
	OK(post(w->a.fd, w->b.id, "next"));
}

static void before_peek_fds(struct world *w)
{
	before_recv_fds(w);
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
}

static long call_recv(struct world *w)
{
	return take(w->b.fd, &w->got);
}

/* As with any socket, a message may be gone when its reader's memory is: this one, and wholly. */
static void recv_failed(struct world *w, int err)
{
	struct message m;

	OK(take(w->b.fd, &m));
	close_fds(&m);
	if (same_text(&m, "next") && err == EFAULT)
		return;
	CHECK(same_text(&m, "all"));
	GETS(w->b.fd, w->a.id, "next");
}

static void recv_done(struct world *w, long len)
{
	EQ(3, len);
	CHECK(same_text(&w->got, "all"));
	close_fds(&w->got);
	GETS(w->b.fd, w->a.id, "next");
}

/* Descriptors that the receiver has no room for are closed, and it is told. */
static void recv_fds_done(struct world *w, long len)
{
	CHECK(w->got.n_fds == 2 || w->got.flags & MSG_CTRUNC);
	recv_done(w, len);
}

static long call_peek(struct world *w)
{
	return take_flags(w->b.fd, &w->got, MSG_DONTWAIT | MSG_PEEK);
}

static void peek_again(struct world *w, int from)
{
	struct message m;

	EQ(3 - from, OK(take_flags(w->b.fd, &m, MSG_DONTWAIT | MSG_PEEK)));
	close_fds(&m);
	OK(take(w->b.fd, &m));
	CHECK(same_text(&m, "all"));
	EQ(2, m.n_fds);
	close_fds(&m);
	GETS(w->b.fd, w->a.id, "next");
}

/*
 * What cannot be peeked at is still there, and the peek begins where it did; but
 * what is said to be there is given after the socket has done its part.
 */
static void peek_failed(struct world *w, int err)
{
	if (err == EFAULT)
		OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
	peek_again(w, 1);
}

static void peek_done(struct world *w, long len)
{
	EQ(2, len);
	close_fds(&w->got);
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 }, sizeof(int)));
	peek_again(w, 0);
}

static long call_poll(struct world *w)
{
	struct pollfd many[100];

	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct pollfd){ .fd = w->b.fd, .events = POLLIN };
	return poll(many, ARRAY_SIZE(many), 0);
}

static void poll_done(struct world *w, long n)
{
	EQ(100, n);
	EQ(POLLIN, events(w->b.fd) & POLLIN);
}

static void before_epoll(struct world *w)
{
	before_recv(w);
	w->fd = OK(epoll_create1(EPOLL_CLOEXEC));
}

static long call_epoll_add(struct world *w)
{
	return epoll_ctl(w->fd, EPOLL_CTL_ADD, w->b.fd, &(struct epoll_event){ .events = EPOLLIN });
}

static void epoll_add_failed(struct world *w, int err)
{
	(void)err;
	OK(call_epoll_add(w));
}

static void epoll_add_done(struct world *w, long result)
{
	(void)result;
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_inq(struct world *w)
{
	int bytes = -1;

	return ioctl(w->b.fd, SIOCINQ, &bytes) ?: bytes;
}

static void inq_done(struct world *w, long bytes)
{
	(void)w;
	EQ(7, bytes);
}

static long call_proc(struct world *w)
{
	char line[4096];

	w->fd = open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC);
	return w->fd < 0 ? -1 : read(w->fd, line, sizeof(line));
}

static const struct call reads[] = {
	{ "recv", before_recv, call_recv, recv_failed, recv_done },
	{ "recv_fds", before_recv_fds, call_recv, recv_failed, recv_fds_done },
	{ "peek_fds", before_peek_fds, call_peek, peek_failed, peek_done },
	{ "poll", before_recv, call_poll, NULL, poll_done },
	{ "epoll_ctl", before_epoll, call_epoll_add, epoll_add_failed, epoll_add_done },
	{ "ioctl_inq", before_recv, call_inq, NULL, inq_done },
	{ "proc_net_bus", before_recv, call_proc, NULL, nothing_more, .errs = { ENOENT } },
};

TEST_EACH(read_fails_cleanly, reads)
{
	try_all(row);
}

/* Network namespaces: made, lived in, left with a bus in them. */

static long call_unshare(struct world *w)
{
	(void)w;
	return unshare(CLONE_NEWNET);
}

static void unshare_done(struct world *w, long result)
{
	struct world there = make_world(0);

	(void)result;
	check_world(&there);
	OK(setns(w->other, CLONE_NEWNET));
	end_world(&there);
}

static void before_unshare(struct world *w)
{
	w->other = OK(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

TEST_LONG(namespace_is_made_or_not, 100)
{
	static const struct call call = {
		"unshare", before_unshare, call_unshare, NULL, unshare_done,
		/* Every part of the kernel has a say in a namespace, and its own words. */
		.errs = { ANY },
	};

	try_all(&call);
}
