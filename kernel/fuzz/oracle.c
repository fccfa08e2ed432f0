// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be known of a call without knowing what the others do: the errors that the contract
 * has for it, and that a message which arrives is one that was sent.
 */
#include "fuzz.h"

/*
 * A recvmmsg() that a signal ends after its first message leaves the kernel's inner ERESTARTSYS as
 * the socket's error, for the next call to return: of any family, it happens above them.
 */
enum { ERESTARTSYS = 512 };

/* Of any call: the place is empty, the pointer bad, a signal comes, memory or descriptors run out. */
static const int common[] = { EBADF, EFAULT, EINTR, ENOMEM, EMFILE, ENFILE, 0 };

static const int socket_errs[] = { EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT, 0 };
static const int bind_errs[] = { EINVAL, EADDRINUSE, EACCES, ENOENT, ENOTDIR, ELOOP, 0 };
static const int connect_errs[] = {
	EINVAL, EISCONN, ENOENT, EACCES, ENOTDIR, ELOOP, ECONNREFUSED, EAGAIN, 0,
};
static const int listen_errs[] = { EINVAL, 0 };
static const int accept_errs[] = { EINVAL, EAGAIN, 0 };
static const int getsockname_errs[] = { EINVAL, 0 };
static const int getpeername_errs[] = { EINVAL, ENOTCONN, 0 };
static const int shutdown_errs[] = { EINVAL, ENOTCONN, 0 };
static const int socketpair_errs[] = { EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT, 0 };
static const int ioctl_errs[] = { EINVAL, ENOTTY, ENOENT, 0 };
static const int mmap_errs[] = { ENODEV, EINVAL, EACCES, 0 };
static const int bus_option_errs[] = {
	EINVAL, ENOTCONN, EADDRINUSE, EADDRNOTAVAIL, ENOPROTOOPT, 0,
};
static const int send_errs[] = {
	ENOTCONN, EPIPE, EHOSTUNREACH, ECONNREFUSED, ECONNRESET, EMSGSIZE, EAGAIN, ENOBUFS,
	EOPNOTSUPP, EINVAL, EPERM, ESRCH, ETOOMANYREFS, ERESTARTSYS, 0,
};
static const int recv_errs[] = {
	ENOTCONN, EAGAIN, EOPNOTSUPP, ECONNRESET, ENOBUFS, EINVAL, EMSGSIZE, ERESTARTSYS, 0,
};

/* What is not ours to promise has no list. */
const struct kind_of_call kinds[KINDS] = {
	[SOCKET]	= { "socket", SYS_socket, socket_errs },
	[SOCKETPAIR]	= { "socketpair", SYS_socketpair, socketpair_errs },
	[BIND]		= { "bind", SYS_bind, bind_errs },
	[CONNECT]	= { "connect", SYS_connect, connect_errs },
	[LISTEN]	= { "listen", SYS_listen, listen_errs },
	[ACCEPT]	= { "accept4", SYS_accept4, accept_errs },
	[GETSOCKNAME]	= { "getsockname", SYS_getsockname, getsockname_errs },
	[GETPEERNAME]	= { "getpeername", SYS_getpeername, getpeername_errs },
	[SHUTDOWN]	= { "shutdown", SYS_shutdown, shutdown_errs },
	[SET_BUS]	= { "setsockopt(SOL_BUS)", SYS_setsockopt, bus_option_errs },
	[GET_BUS]	= { "getsockopt(SOL_BUS)", SYS_getsockopt, bus_option_errs },
	[SET_SOCKET]	= { "setsockopt(SOL_SOCKET)", SYS_setsockopt },
	[GET_SOCKET]	= { "getsockopt(SOL_SOCKET)", SYS_getsockopt },
	[IOCTL]		= { "ioctl", SYS_ioctl, ioctl_errs },
	[FCNTL]		= { "fcntl", SYS_fcntl },
	[SENDMSG]	= { "sendmsg", SYS_sendmsg, send_errs },
	[SENDMMSG]	= { "sendmmsg", SYS_sendmmsg, send_errs },
	[SENDTO]	= { "sendto", SYS_sendto, send_errs },
	[WRITE]		= { "write", SYS_write, send_errs },
	[SENDFILE]	= { "sendfile", SYS_sendfile, send_errs },
	[RECVMSG]	= { "recvmsg", SYS_recvmsg, recv_errs },
	[RECVMMSG]	= { "recvmmsg", SYS_recvmmsg, recv_errs },
	[READ]		= { "read", SYS_read, recv_errs },
	[MMAP]		= { "mmap", SYS_mmap, mmap_errs },
	[POLL]		= { "poll", SYS_poll },
	[EPOLL_CREATE]	= { "epoll_create1", SYS_epoll_create1 },
	[EPOLL_CTL]	= { "epoll_ctl", SYS_epoll_ctl },
	[EPOLL_WAIT]	= { "epoll_wait", SYS_epoll_wait },
	[DUP]		= { "dup3", SYS_dup3 },
	[CLOSE]		= { "close", SYS_close },
	[EVENTFD]	= { "eventfd2", SYS_eventfd2 },
	[PIPE]		= { "pipe2", SYS_pipe2 },
	[UNIX]		= { "socketpair(AF_UNIX)", SYS_socketpair },
	[UNLINK]	= { "unlink", SYS_unlink },
	[RENAME]	= { "rename", SYS_rename },
	[PROC]		= { "read /proc/net/bus", -1 },
	[FORK]		= { "fork", -1 },
	[UNSHARE]	= { "unshare(NEWNET)", SYS_unshare },
	[SIGNAL]	= { "kill", -1 },
};

static int is_among(const int *errs, int err)
{
	while (*errs && *errs != err)
		errs++;
	return *errs;
}

void judge_errno(struct fuzzer *f, enum kind kind, int err, const long args[6])
{
	if (kinds[kind].errs && !is_among(common, err) && !is_among(kinds[kind].errs, err))
		found(f, "%s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) fails with %s (%d), which the contract does not have",
		      kinds[kind].name, args[0], args[1], args[2], args[3], args[4], args[5],
		      errname(err), err);
}

/* Each byte of a payload is its forerunner's successor; a cut at either end leaves it so. */
void judge_message(struct fuzzer *f, const struct sockaddr_bus *from, socklen_t from_len,
		   const unsigned char *data, size_t len)
{
	if (from) {
		if (from_len != sizeof(*from) || from->sbus_family != family())
			found(f, "a message comes with a name of %u bytes, family %u", from_len,
			      from->sbus_family);
		if (from->sbus_addr.s_addr >> BUS_CLIENT_BITS)
			found(f, "a message comes from %#llx, which is no prefix-0 address",
			      (unsigned long long)from->sbus_addr.s_addr);
		if (from->__sbus_pad[0] || from->__sbus_pad[1] || from->__sbus_pad[2] ||
		    from->__sbus_pad2)
			found(f, "the padding of a source address is not zero");
	}
	for (size_t i = 1; i < len; i++)
		if (data[i] != (unsigned char)(data[i - 1] + 1))
			found(f, "byte %zu of %zu in a message is spoilt", i, len);
	__atomic_fetch_add(&board->received, 1, __ATOMIC_RELAXED);
}
