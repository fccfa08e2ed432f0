// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets, buses and network namespaces come and go while memory runs out at every possible point.
 */
#include "trycall.h"

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

/* The name is free, and the socket can bind it. */
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

/* No connection waits for the master, and the socket can try again. */
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

/*
 * The connection was accepted before its address failed to be copied: as with any socket, it ends.
 */
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

static const struct call sockets[] = {
	/* A socket without an inode gives the error of one file too many. */
	{ "socket", NULL, call_socket, NULL, socket_done, .also = ENFILE },
	{ "bind_abstract", before_bind, call_bind_abstract, bind_abstract_failed,
	  bind_abstract_done },
	/* The error of the file system. */
	{ "bind_path", before_bind, call_bind_path, bind_path_failed, bind_path_done,
	  .also = ENOSPC },
	{ "listen", before_listen, call_listen, NULL, bind_path_done },
	{ "connect_abstract", before_connect, call_connect, connect_failed, connect_done },
	{ "connect_path", before_connect_path, call_connect, connect_failed, connect_done },
	{ "accept", before_accept, call_accept, accept_failed, accept_done, .also = ENFILE },
	{ "getsockname", NULL, call_getsockname, NULL, getsockname_done },
	{ "shutdown", NULL, call_shutdown, NULL, shutdown_done },
	{ "close_client", NULL, call_close, NULL, close_done },
	{ "close_listener", before_listen, call_close_bus, NULL, close_bus_done },
};

TEST_EACH(socket_call_fails_cleanly, sockets)
{
	try_all(row, row->name);
}

/* Network namespaces: one is made, used, and left with a bus in it. */

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
		/* Every part of the kernel can refuse a new namespace, with an error of its own. */
		.also = ANY,
	};

	try_all(&call, call.name);
}
