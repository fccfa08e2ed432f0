// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be known of a call without knowing what other threads do: the errors that the contract
 * has for it, and that a message which arrives was sent.
 */
#include "fuzz.h"
#include <linux/connector.h>

/*
 * After a recvmmsg() that a signal ends after its first message, the kernel keeps its internal
 * ERESTARTSYS as the socket's error, which the next call returns: that is so for any family.
 */
enum { ERESTARTSYS = 512 };

/*
 * Any call: the slot is empty, the pointer is bad, a signal comes, memory or descriptors run out.
 */
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

/* Netlink's own errors; those of nfdbus come in an answer. */
static const int request_errs[] = { EAGAIN, ENOBUFS, EMSGSIZE, EINVAL, ECONNREFUSED, 0 };
/* EINVAL: two readers continued a dump at the same time, and the other one ended it. */
static const int answer_errs[] = { EAGAIN, ENOBUFS, EINVAL, 0 };

/* EAGAIN: only the file system knows the path, and a user's request does not wait for it. */
static const int refusals[] = {
	EINVAL, ERANGE, EPERM, ENOENT, EADDRNOTAVAIL, ENOSPC, ECONNREFUSED, EOPNOTSUPP, EBUSY,
	EACCES, ENOTDIR, ELOOP, EAGAIN, 0,
};

/* Calls whose errors are not ours to promise have no list. */
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
	[KILL]		= { "kill", -1 },
	[NETLINK]	= { "socket(AF_NETLINK)", SYS_socket },
	[ADD]		= { "nfdbus add", SYS_sendto, request_errs, 1 },
	[REMOVE]	= { "nfdbus remove", SYS_sendto, request_errs, 1 },
	[REMOVE_ALL]	= { "nfdbus remove-all", SYS_sendto, request_errs, 1 },
	[GET]		= { "nfdbus get", SYS_sendto, request_errs, 1 },
	[SET_NAME]	= { "nfdbus set-name", SYS_sendto, request_errs, 1 },
	[UNSET_NAME]	= { "nfdbus unset-name", SYS_sendto, request_errs, 1 },
	[NO_COMMAND]	= { "nfdbus no command", SYS_sendto, request_errs, 1 },
	[ANSWER]	= { "recvfrom(generic)", SYS_recvfrom, answer_errs },
	[CN_ADD]	= { "connector add", SYS_sendto, request_errs, 1 },
	[CN_REMOVE]	= { "connector remove", SYS_sendto, request_errs, 1 },
	[CN_REMOVE_ALL]	= { "connector remove-all", SYS_sendto, request_errs, 1 },
	[CN_NO_COMMAND]	= { "connector no command", SYS_sendto, request_errs, 1 },
	[CN_ANSWER]	= { "recvfrom(connector)", SYS_recvfrom, answer_errs },
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

static void judge_source(struct fuzzer *f, const struct sockaddr_bus *from, socklen_t from_len)
{
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

/*
 * Counts the bytes that are their predecessor's successor; a cut at either end does not change
 * that.
 */
static size_t count_steps(const unsigned char *data, size_t len, unsigned char step)
{
	size_t i = 1;

	while (i < len && data[i] == (unsigned char)(data[i - 1] + step))
		i++;
	return len ? i : 0;
}

/*
 * Of what a client sends to a group, nfdbus lets clients have valid D-Bus messages only. The
 * payload tells that it was sent to a group. Too few bytes could be a piece of anything.
 */
static void judge_multicast(struct fuzzer *f, const unsigned char *data, size_t len)
{
	if (len >= 16 && count_steps(data, len, STEP_MANY) == len)
		found(f, "a client's multicast of %zu bytes that are no D-Bus is received by a client of D-Bus",
		      len);
	if (is_broken_multicast(data, len))
		found(f, "a client's multicast of a broken message of %zu bytes is received by a client of D-Bus",
		      len);
}

void judge_message(struct fuzzer *f, int slot, const struct sockaddr_bus *from,
		   socklen_t from_len, const unsigned char *data, size_t len)
{
	size_t follow = count_steps(data, len, STEP);

	if (from)
		judge_source(f, from, from_len);
	if (from && from->sbus_addr.s_addr != MASTER && is_dbus_client(slot))
		judge_multicast(f, data, len);
	if (follow < len && count_steps(data, len, STEP_MANY) < len) {
		if (!is_dbus(data, len))
			found(f, "a message of %zu bytes is none that was sent: %02x %02x %02x %02x; it counts to byte %zu",
			      len, data[0], data[1], data[2], data[3], follow);
		__atomic_fetch_add(&shared->said, 1, __ATOMIC_RELAXED);
	}
	__atomic_fetch_add(&shared->received, 1, __ATOMIC_RELAXED);
}

static void judge_refusal(struct fuzzer *f, unsigned int seq, int err)
{
	enum kind kind = seq & (MUST_FAIL - 1);

	if (seq >= 2 * MUST_FAIL || kind >= KINDS || !kinds[kind].answered)
		found(f, "an answer has the number %#x, which no request had", seq);
	if (!err && seq & MUST_FAIL)
		found(f, "%s is taken, though it must be refused", kinds[kind].name);
	if (err && !is_among(common, err) && !is_among(refusals, err))
		found(f, "%s is refused with %s (%d), which the contract does not have",
		      kinds[kind].name, errname(err), err);
	if (!err)
		__atomic_fetch_add(&shared->succeeded[kind], 1, __ATOMIC_RELAXED);
}

static int is_listed(const char *const *list, const struct nlattr *a)
{
	size_t len = a->nla_len - NLA_HDRLEN;

	while (*list && (len != strlen(*list) + 1 || memcmp(*list, a + 1, len)))
		list++;
	return !!*list;
}

/* An entry has the address of a client, and a rule or a name that is valid and that was sent. */
static void judge_dumped(struct fuzzer *f, const struct nlmsghdr *nl)
{
	unsigned int addresses = 0, texts = 0;

	if (nl->nlmsg_seq != GET)
		found(f, "a dump has the number %#x", nl->nlmsg_seq);
	for (size_t at = NLMSG_LENGTH(GENL_HDRLEN); at + NLA_HDRLEN <= nl->nlmsg_len;) {
		const struct nlattr *a = (const void *)((const char *)nl + at);
		uint64_t addr;

		if (a->nla_len < NLA_HDRLEN || at + a->nla_len > nl->nlmsg_len)
			found(f, "an attribute %u of a dump has %u bytes", a->nla_type, a->nla_len);
		if (a->nla_type == NFDBUS_ATTR_ADDRESS) {
			memcpy(&addr, a + 1, sizeof(addr));
			if (a->nla_len != NLA_HDRLEN + sizeof(addr) || !addr || addr >> BUS_CLIENT_BITS)
				found(f, "a dump has a client of address %#llx", (unsigned long long)addr);
			addresses++;
		} else if (a->nla_type == NFDBUS_ATTR_RULE || a->nla_type == NFDBUS_ATTR_NAME) {
			if (!is_listed(a->nla_type == NFDBUS_ATTR_RULE ? good_rules : good_names, a))
				found(f, "a dump has \"%.80s\", which nobody can have got in",
				      (const char *)(a + 1));
			texts++;
		}
		at += NLA_ALIGN(a->nla_len);
	}
	if (addresses != 1 || texts != 1)
		found(f, "an entry of a dump has %u addresses and %u texts", addresses, texts);
	__atomic_fetch_add(&shared->dumped, 1, __ATOMIC_RELAXED);
}

/* Whichever process the answers are for: those that share descriptors share this socket. */
void judge_answers(struct fuzzer *f, const void *data, int len)
{
	const struct nlmsghdr *nl = data;

	for (; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
		if (nl->nlmsg_type == NLMSG_ERROR || nl->nlmsg_type == NLMSG_DONE)
			judge_refusal(f, nl->nlmsg_seq, -*(const int *)NLMSG_DATA(nl));
		else if (nl->nlmsg_type == shared->nfdbus)
			judge_dumped(f, nl);
		else
			found(f, "an answer is of type %#x", nl->nlmsg_type);
	}
	if (len)
		found(f, "%d bytes behind an answer", len);
}

void judge_connector(struct fuzzer *f, const void *data, int len)
{
	const struct {
		struct nlmsghdr nl;
		struct cn_msg cn;
		struct nfdbus_cn_reply reply;
	} *answer = data;

	if (len != sizeof(*answer) || answer->nl.nlmsg_type != NLMSG_DONE ||
	    answer->cn.len != sizeof(answer->reply))
		found(f, "the connector answers %d bytes of type %#x", len, answer->nl.nlmsg_type);
	judge_refusal(f, answer->cn.seq, answer->reply.ret_code);
}
