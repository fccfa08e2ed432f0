// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets, buses and network namespaces come and go while memory runs out at every possible point.
 */
#include "trycall.h"

static long call_socket(struct fixture *f)
{
	return f->fd = socket(family(), SOCK_SEQPACKET | SOCK_CLOEXEC, BUS_PROTO_NONE);
}

static void socket_done(struct fixture *f, long fd)
{
	OK(bind_to(fd, "@new"));
	(void)f;
}

static void before_bind(struct fixture *f)
{
	f->fd = bus_socket();
}

static long call_bind_abstract(struct fixture *f)
{
	return bind_to(f->fd, "@new");
}

/* The name is free, and the socket can bind it. */
static void bind_abstract_failed(struct fixture *f, int err)
{
	(void)err;
	f->other = bus_socket();
	OK(bind_to(f->other, "@new"));
	FAILS(EADDRINUSE, bind_to(f->fd, "@new"));
	close(f->other);
	f->other = -1;
	OK(bind_to(f->fd, "@new"));
}

static void bind_abstract_done(struct fixture *f, long result)
{
	(void)result;
	OK(listen(f->fd, 1));
	f->other = bus_socket();
	OK(connect_to(f->other, "@new"));
}

static long call_bind_path(struct fixture *f)
{
	return bind_to(f->fd, path);
}

static void bind_path_done(struct fixture *f, long result)
{
	(void)result;
	OK(listen(f->fd, 1));
	f->other = bus_socket();
	OK(connect_to(f->other, path));
}

static void bind_path_failed(struct fixture *f, int err)
{
	(void)err;
	FAILS(ENOENT, access(path, F_OK));
	OK(bind_to(f->fd, path));
	bind_path_done(f, 0);
}

static void before_listen(struct fixture *f)
{
	before_bind(f);
	OK(bind_to(f->fd, path));
}

static long call_listen(struct fixture *f)
{
	return listen(f->fd, 1);
}

static void before_connect(struct fixture *f)
{
	f->fd = bus_socket();
	OK(fcntl(f->bus.fd, F_SETFL, O_NONBLOCK));
}

static long call_connect(struct fixture *f)
{
	return connect_bus(f->fd, &f->bus);
}

static void connect_done(struct fixture *f, long result)
{
	(void)result;
	f->other = OK(accept(f->bus.fd, NULL, NULL));
	OK(let_join(f->other));
	OK(post(f->fd, f->a.id, "hello"));
	EQ(1, drain(f->a.fd));
	FAILS(EAGAIN, accept(f->bus.fd, NULL, NULL));
}

/* No connection waits for the master, and the socket can try again. */
static void connect_failed(struct fixture *f, int err)
{
	(void)err;
	FAILS(EAGAIN, accept(f->bus.fd, NULL, NULL));
	FAILS(ENOTCONN, getpeername(f->fd, (struct sockaddr *)&(struct sockaddr_bus){ 0 },
				    &(socklen_t){ sizeof(struct sockaddr_bus) }));
	OK(connect_bus(f->fd, &f->bus));
	connect_done(f, 0);
}

static void before_connect_path(struct fixture *f)
{
	close(f->bus.fd);
	f->bus = open_bus(path);
	before_connect(f);
	close_client(&f->a);
	f->a = join(&f->bus);
}

static void before_accept(struct fixture *f)
{
	before_connect(f);
	OK(connect_bus(f->fd, &f->bus));
}

static long call_accept(struct fixture *f)
{
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);

	return f->other = accept4(f->bus.fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
}

static void accept_done(struct fixture *f, long fd)
{
	OK(let_join(fd));
	OK(post(f->fd, f->a.id, "hello"));
	EQ(1, drain(f->a.fd));
}

/*
 * The connection was accepted before its address failed to be copied: as with any socket, it ends.
 */
static void accept_failed(struct fixture *f, int err)
{
	if (err == EFAULT) {
		CHECK(events(f->fd) & POLLHUP);
		return;
	}
	f->other = OK(accept(f->bus.fd, NULL, NULL));
	accept_done(f, f->other);
}

static long call_close(struct fixture *f)
{
	int fd = f->b.fd;

	f->b.fd = -1;
	return close(fd);
}

static void close_done(struct fixture *f, long result)
{
	(void)result;
	ENDS(f->b.accepted);
	OK(post(f->a.fd, ADDRESS(2, 1), "default route"));
	GETS(f->a.accepted, f->a.id, "default route");
}

static long call_close_bus(struct fixture *f)
{
	int fd = f->fd;

	f->fd = -1;
	return close(fd);
}

static void close_bus_done(struct fixture *f, long result)
{
	(void)result;
	f->fd = bus_socket();
	FAILS(ECONNREFUSED, connect_to(f->fd, path));
}

static long call_shutdown(struct fixture *f)
{
	return shutdown(f->b.accepted, SHUT_RDWR);
}

static void shutdown_done(struct fixture *f, long result)
{
	(void)result;
	ENDS(f->b.fd);
}

static long call_getsockname(struct fixture *f)
{
	struct sockaddr_bus name;
	socklen_t len = sizeof(name);

	return getsockname(f->b.fd, (struct sockaddr *)&name, &len) ?: (long)name.sbus_addr.s_addr;
}

static void getsockname_done(struct fixture *f, long addr)
{
	EQ(f->b.id, addr);
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

static long call_unshare(struct fixture *f)
{
	(void)f;
	return unshare(CLONE_NEWNET);
}

static void unshare_done(struct fixture *f, long result)
{
	struct fixture there = make_fixture(0);

	(void)result;
	check_fixture(&there);
	OK(setns(f->other, CLONE_NEWNET));
	close_fixture(&there);
}

static void before_unshare(struct fixture *f)
{
	f->other = OK(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
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
