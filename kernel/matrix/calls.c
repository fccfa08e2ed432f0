// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the matrix, and the errors that the contract has for each. Most are made on TARGET;
 * the last ones on other sockets: the other half, the master, a member.
 */
#include "matrix.h"
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define ERRS(...) ((const int[]){ __VA_ARGS__, 0 })

static long do_bind(void)
{
	return bind_to(TARGET, parties.path);
}

static long do_bind_new(void)
{
	return bind_to(TARGET, "@new");
}

static long do_listen(void)
{
	return listen(TARGET, 1);
}

static long do_accept(void)
{
	int fd = accept4(TARGET, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? fd : close(fd);
}

static long do_connect(void)
{
	return connect_to(TARGET, parties.path);
}

static long do_getsockname(void)
{
	struct sockaddr_bus name;

	return getsockname(TARGET, (struct sockaddr *)&name, &(socklen_t){ sizeof(name) });
}

static long do_getpeername(void)
{
	struct sockaddr_bus name;

	return getpeername(TARGET, (struct sockaddr *)&name, &(socklen_t){ sizeof(name) });
}

static long do_shutdown_rd(void)
{
	return shutdown(TARGET, SHUT_RD);
}

static long do_shutdown_wr(void)
{
	return shutdown(TARGET, SHUT_WR);
}

static long do_shutdown(void)
{
	return shutdown(TARGET, SHUT_RDWR);
}

static long do_close(void)
{
	return close(TARGET);
}

static long do_replace(void)
{
	int fd = bus_socket();

	return dup2(fd, TARGET) < 0 ? -1 : close(fd);
}

static long do_replace_by_null(void)
{
	int fd = OK(open("/dev/null", O_RDWR | O_CLOEXEC));

	return dup2(fd, TARGET) < 0 ? -1 : close(fd);
}

/* A D-Bus message, for which rules decide, and many rules. */
static const struct bytes *text(void)
{
	static struct bytes b;

	if (!b.len)
		write_message(&b, &a_signal);
	return &b;
}

static long send_to(uint64_t addr, int flags)
{
	return send_bytes(TARGET, addr, text()->data, text()->len, MSG_NOSIGNAL | flags);
}

static long do_send_peer(void)
{
	return send(TARGET, text()->data, text()->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long do_send_master(void)
{
	return send_to(MASTER, MSG_DONTWAIT);
}

static long do_send_reader(void)
{
	return send_to(parties.reader_id, MSG_DONTWAIT);
}

static long do_send_nobody(void)
{
	return send_to(ADDRESS(7, 7), MSG_DONTWAIT);
}

static long do_send_group(void)
{
	return send_to(THE_GROUP, MSG_DONTWAIT);
}

static long do_send_everyone(void)
{
	return send_to(EVERYONE, MSG_DONTWAIT);
}

static long do_send_full(void)
{
	return send_to(FULL_ADDR, MSG_DONTWAIT);
}

static long do_send_full_wait(void)
{
	return send_to(FULL_ADDR, 0);
}

static long do_send_everyone_wait(void)
{
	return send_to(EVERYONE, 0);
}

static long do_send_itself(void)
{
	return post_fds(TARGET, READER_ADDR, "itself", (const int[]){ TARGET, LISTENER }, 2);
}

static long do_send_fds_group(void)
{
	return post_fds(TARGET, THE_GROUP, "a descriptor", (const int[]){ TARGET }, 1);
}

static long do_send_long(void)
{
	static char bytes[100000];

	return send_bytes(TARGET, READER_ADDR, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long receive(int fd, int flags)
{
	static __thread struct message m;
	long len = take_flags(fd, &m, flags);

	if (len >= 0)
		close_fds(&m);
	return len;
}

static long do_recv(void)
{
	return receive(TARGET, MSG_DONTWAIT);
}

static long do_recv_wait(void)
{
	return receive(TARGET, 0);
}

static long do_peek(void)
{
	return receive(TARGET, MSG_PEEK | MSG_DONTWAIT);
}

static long do_poll(void)
{
	return poll(&(struct pollfd){ .fd = TARGET, .events = POLLIN | POLLOUT }, 1, 0);
}

static long do_poll_wait(void)
{
	return poll(&(struct pollfd){ .fd = TARGET, .events = POLLPRI }, 1, -1);
}

static long do_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int fd = OK(epoll_create1(EPOLL_CLOEXEC));
	long got = epoll_ctl(fd, EPOLL_CTL_ADD, TARGET, &event);
	int err;

	if (!got)
		got = epoll_wait(fd, &event, 1, 0);
	err = errno;
	close(fd);
	errno = err;
	return got;
}

static long do_add_addr(void)
{
	return add_address(TARGET, SPARE_ADDR);
}

static long do_del_addr(void)
{
	return del_address(TARGET, SPARE_ADDR);
}

static long do_join(void)
{
	return let_join(TARGET);
}

static long do_watch(void)
{
	return watch(TARGET);
}

static long do_unwatch(void)
{
	return unwatch(TARGET);
}

static long do_set_sendbuf(void)
{
	return set_option(TARGET, BUS_SET_SENDBUF, 20000);
}

static long do_get_sendbuf(void)
{
	return get_option(TARGET, BUS_SET_SENDBUF);
}

static long do_set_maxqlen(void)
{
	return set_option(TARGET, BUS_SET_MAXQLEN, 2);
}

static long do_get_maxqlen(void)
{
	return get_option(TARGET, BUS_SET_MAXQLEN);
}

static long do_set_block(void)
{
	return set_option(TARGET, BUS_SET_OVERFLOW, BUS_OVERFLOW_BLOCK);
}

static long do_set_fail(void)
{
	return set_option(TARGET, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL);
}

static long do_set_evict(void)
{
	return set_option(TARGET, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT);
}

static long do_get_overflow(void)
{
	return get_option(TARGET, BUS_SET_OVERFLOW);
}

static long do_get_qlenfull(void)
{
	return get_option(TARGET, BUS_GET_QLENFULL);
}

static long do_set_passseq(void)
{
	return set_option(TARGET, BUS_PASSSEQ, 1);
}

static long do_get_passseq(void)
{
	return get_option(TARGET, BUS_PASSSEQ);
}

static long set_int(int option, int value)
{
	return setsockopt(TARGET, SOL_SOCKET, option, &value, sizeof(value));
}

static long get_bytes(int option)
{
	char value[256];

	return getsockopt(TARGET, SOL_SOCKET, option, value, &(socklen_t){ sizeof(value) });
}

static long do_set_sndbuf(void)
{
	return set_int(SO_SNDBUF, 1);
}

static long do_set_passcred(void)
{
	return set_int(SO_PASSCRED, 1);
}

static long do_set_timestamp(void)
{
	return set_int(SO_TIMESTAMP, 1);
}

static long do_set_peek_off(void)
{
	return set_int(SO_PEEK_OFF, 3);
}

static long do_set_timeout(void)
{
	return set_timeout(TARGET, SO_SNDTIMEO, 5) ?: set_timeout(TARGET, SO_RCVTIMEO, 5);
}

static long do_attach_filter(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 20) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(TARGET, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static long do_detach_filter(void)
{
	return set_int(SO_DETACH_FILTER, 0);
}

static long do_get_error(void)
{
	return get_bytes(SO_ERROR);
}

static long do_get_peercred(void)
{
	return get_bytes(SO_PEERCRED);
}

static long do_get_peersec(void)
{
	return get_bytes(SO_PEERSEC);
}

static long do_inq(void)
{
	return ioctl(TARGET, SIOCINQ, &(int){ 0 });
}

static long do_outq(void)
{
	return ioctl(TARGET, SIOCOUTQ, &(int){ 0 });
}

/* SIGURG is ignored. */
static long do_async(void)
{
	if (fcntl(TARGET, F_SETOWN, getpid()) || fcntl(TARGET, F_SETSIG, SIGURG))
		return -1;
	return ioctl(TARGET, FIOASYNC, &(int){ 1 });
}

static long do_nonblock(void)
{
	return fcntl(TARGET, F_SETFL, O_NONBLOCK);
}

static long do_dup(void)
{
	int fd = fcntl(TARGET, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? fd : close(fd);
}

static long do_proc(void)
{
	char all[8192];
	int fd = OK(open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC));

	while (read(fd, all, sizeof(all)) > 0)
		;
	return close(fd);
}

/* Requests to nfdbus, about the client of TARGET. */

static long do_add_rule(void)
{
	return add_rule(parties.path, parties.target_id, "type='signal'");
}

static long do_remove_rule(void)
{
	return remove_rule(parties.path, parties.target_id, "type='signal'");
}

static long do_remove_rules(void)
{
	return remove_rules(parties.path, parties.target_id);
}

static long do_set_name(void)
{
	return set_name(parties.path, parties.target_id, "org.example.Player");
}

static long do_unset_name(void)
{
	return unset_name(parties.path, "org.example.Player");
}

static long do_dump(void)
{
	static __thread struct dumped d;

	return dump(&d, parties.path, 0);
}

/* Calls of others. */

static long do_peer_recv(void)
{
	return receive(PEER, MSG_DONTWAIT);
}

static long do_peer_send(void)
{
	return send(PEER, text()->data, text()->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long do_peer_join(void)
{
	return let_join(PEER);
}

static long do_peer_add_addr(void)
{
	return add_address(PEER, TARGET_ADDR);
}

static long do_peer_del_addr(void)
{
	return del_address(PEER, TARGET_ADDR);
}

static long do_peer_watch(void)
{
	return watch(PEER);
}

static long do_peer_expel(void)
{
	return shutdown(PEER, SHUT_RDWR);
}

static long do_peer_close(void)
{
	return close(PEER);
}

static long do_reader_send(void)
{
	return send_bytes(READER, THE_GROUP, text()->data, text()->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long do_reader_recv(void)
{
	return receive(READER, MSG_DONTWAIT);
}

static long do_full_recv(void)
{
	return receive(FULL, MSG_DONTWAIT);
}

static long do_full_close(void)
{
	return close(FULL);
}

static long do_full_expel(void)
{
	return shutdown(FULL_PEER, SHUT_RDWR);
}

/*
 * A client connects to the socket at TARGET, if that listens, or to the bus, and the bus accepts
 * all.
 */
static long do_arrive(void)
{
	int fd = bus_socket(), got;

	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	got = connect_to(fd, parties.path);
	return dup2(fd, WAITING) < 0 ? -1 : close(fd) ?: got;
}

static long do_admit(void)
{
	int fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return fd;
	let_join(fd);
	add_address(fd, TARGET_ADDR);
	return dup2(fd, PEER) < 0 ? -1 : close(fd);
}

static long do_leave_bus(void)
{
	return close(LISTENER);
}

#define SEND_ERRS ENOTCONN, EPIPE, EHOSTUNREACH, ECONNREFUSED, ECONNRESET, EAGAIN, ENOBUFS, EMSGSIZE
#define OPTION_ERRS EINVAL, ENOTCONN
#define REQUEST_ERRS EINVAL, ECONNREFUSED, EADDRNOTAVAIL, ENOENT, ENOSPC

static const int
	bind_errs[] = { EINVAL, EADDRINUSE, 0 },
	inval_errs[] = { EINVAL, 0 },
	accept_errs[] = { EINVAL, EAGAIN, 0 },
	accept_wait_errs[] = { EINVAL, EAGAIN, EINTR, 0 },
	connect_errs[] = { EINVAL, EISCONN, ECONNREFUSED, EAGAIN, EINTR, 0 },
	unconnected_errs[] = { ENOTCONN, 0 },
	send_errs[] = { SEND_ERRS, 0 },
	send_wait_errs[] = { SEND_ERRS, EINTR, 0 },
	send_fds_errs[] = { SEND_ERRS, EBADF, ETOOMANYREFS, 0 },
	recv_errs[] = { ENOTCONN, EAGAIN, ECONNRESET, ENOBUFS, 0 },
	recv_wait_errs[] = { ENOTCONN, EAGAIN, ECONNRESET, ENOBUFS, EINTR, 0 },
	poll_wait_errs[] = { EINTR, 0 },
	option_errs[] = { OPTION_ERRS, 0 },
	add_errs[] = { OPTION_ERRS, EADDRINUSE, 0 },
	del_errs[] = { OPTION_ERRS, EADDRNOTAVAIL, 0 },
	detach_errs[] = { ENOENT, 0 },
	peersec_errs[] = { ENOPROTOOPT, ERANGE, 0 },
	request_errs[] = { REQUEST_ERRS, 0 },
	arrive_errs[] = { ECONNREFUSED, EAGAIN, 0 },
	none[] = { 0 };

const struct call calls[] = {
	{ "bind", do_bind, bind_errs },
	{ "bind a new name", do_bind_new, bind_errs },
	{ "listen", do_listen, inval_errs },
	{ "accept", do_accept, accept_wait_errs, WAITS },
	{ "connect", do_connect, connect_errs, WAITS },
	{ "getsockname", do_getsockname, none },
	{ "getpeername", do_getpeername, unconnected_errs },
	{ "shutdown of reading", do_shutdown_rd, unconnected_errs },
	{ "shutdown of writing", do_shutdown_wr, unconnected_errs },
	{ "shutdown", do_shutdown, unconnected_errs },
	{ "close", do_close, none, CLOSES | ONCE },
	{ "dup2 of a new socket", do_replace, none, CLOSES },
	{ "dup2 of /dev/null", do_replace_by_null, none, CLOSES | ONCE },
	{ "send", do_send_peer, send_errs },
	{ "send to the master", do_send_master, send_errs },
	{ "send to a member", do_send_reader, send_errs },
	{ "send to nobody", do_send_nobody, send_errs },
	{ "send to a group", do_send_group, send_errs },
	{ "send to everyone", do_send_everyone, send_errs },
	{ "send to a full member", do_send_full, send_errs },
	{ "send to a full member, waiting", do_send_full_wait, send_wait_errs, WAITS },
	{ "send to everyone, waiting", do_send_everyone_wait, send_wait_errs, WAITS },
	{ "send the descriptor itself", do_send_itself, send_fds_errs },
	{ "send the descriptor to a group", do_send_fds_group, send_fds_errs },
	{ "send many bytes", do_send_long, send_errs },
	{ "recv", do_recv, recv_errs },
	{ "recv, waiting", do_recv_wait, recv_wait_errs, WAITS },
	{ "recv with MSG_PEEK", do_peek, recv_errs },
	{ "poll", do_poll, none },
	{ "poll, waiting", do_poll_wait, poll_wait_errs, WAITS },
	{ "epoll", do_epoll, none },
	{ "BUS_ADD_ADDR", do_add_addr, add_errs },
	{ "BUS_DEL_ADDR", do_del_addr, del_errs },
	{ "BUS_JOIN_BUS", do_join, option_errs },
	{ "BUS_SET_EAVESDROP", do_watch, option_errs },
	{ "BUS_UNSET_EAVESDROP", do_unwatch, option_errs },
	{ "BUS_SET_SENDBUF", do_set_sendbuf, inval_errs },
	{ "get BUS_SET_SENDBUF", do_get_sendbuf, inval_errs },
	{ "BUS_SET_MAXQLEN", do_set_maxqlen, inval_errs },
	{ "get BUS_SET_MAXQLEN", do_get_maxqlen, inval_errs },
	{ "BUS_OVERFLOW_BLOCK", do_set_block, inval_errs },
	{ "BUS_OVERFLOW_FAIL", do_set_fail, inval_errs },
	{ "BUS_OVERFLOW_EVICT", do_set_evict, inval_errs, EVICTS },
	{ "get BUS_SET_OVERFLOW", do_get_overflow, inval_errs },
	{ "BUS_GET_QLENFULL", do_get_qlenfull, option_errs },
	{ "BUS_PASSSEQ", do_set_passseq, option_errs },
	{ "get BUS_PASSSEQ", do_get_passseq, option_errs },
	{ "SO_SNDBUF", do_set_sndbuf, none },
	{ "SO_PASSCRED", do_set_passcred, none },
	{ "SO_TIMESTAMP", do_set_timestamp, none },
	{ "SO_PEEK_OFF", do_set_peek_off, none },
	{ "SO_SNDTIMEO and SO_RCVTIMEO", do_set_timeout, none },
	{ "SO_ATTACH_FILTER", do_attach_filter, none },
	{ "SO_DETACH_FILTER", do_detach_filter, detach_errs },
	{ "SO_ERROR", do_get_error, none },
	{ "SO_PEERCRED", do_get_peercred, none },
	{ "SO_PEERSEC", do_get_peersec, peersec_errs },
	{ "SIOCINQ", do_inq, inval_errs },
	{ "SIOCOUTQ", do_outq, none },
	{ "FIOASYNC", do_async, none },
	{ "O_NONBLOCK", do_nonblock, none },
	{ "dup", do_dup, none },
	{ "/proc/net/bus", do_proc, none },
	{ "add a rule", do_add_rule, request_errs },
	{ "remove a rule", do_remove_rule, request_errs },
	{ "remove all rules", do_remove_rules, request_errs },
	{ "set a name", do_set_name, request_errs },
	{ "unset a name", do_unset_name, request_errs },
	{ "dump the rules", do_dump, request_errs },
	{ "the other half receives", do_peer_recv, recv_errs, OTHERS },
	{ "the other half sends", do_peer_send, send_errs, OTHERS },
	{ "the other half is told to join", do_peer_join, option_errs, OTHERS },
	{ "the other half is given an address", do_peer_add_addr, add_errs, OTHERS },
	{ "an address is taken from the other half", do_peer_del_addr, del_errs, OTHERS },
	{ "the other half is told to watch", do_peer_watch, option_errs, OTHERS },
	{ "the other half is expelled", do_peer_expel, unconnected_errs, OTHERS },
	{ "the other half closes", do_peer_close, none, OTHERS | ONCE },
	{ "a member sends to the group", do_reader_send, send_errs, OTHERS },
	{ "a member receives", do_reader_recv, recv_errs, OTHERS },
	{ "the full member receives", do_full_recv, recv_errs, OTHERS },
	{ "the full member closes", do_full_close, none, OTHERS | ONCE },
	{ "the full member is expelled", do_full_expel, unconnected_errs, OTHERS },
	{ "a client arrives", do_arrive, arrive_errs, OTHERS },
	{ "the master admits a client", do_admit, accept_errs, OTHERS },
	{ "the master stops listening", do_leave_bus, none, OTHERS | ONCE },
};

const unsigned int n_calls = ARRAY_SIZE(calls);
