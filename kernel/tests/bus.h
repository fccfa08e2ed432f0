/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabulary of the tests: buses, clients, messages.
 *
 * Every helper follows the system calls' convention (-1 and errno), so it can
 * stand inside OK() and FAILS(). Nothing here waits unless its name says so: a
 * send that returned has put the message into its recipients' queues.
 */
#ifndef BUS_H
#define BUS_H

#include "harness.h"

#include <linux/bus.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define ADDRESS(prefix, part)	((uint64_t)(prefix) << BUS_CLIENT_BITS | (part))
#define GROUP(prefix)		ADDRESS(prefix, (1ULL << BUS_CLIENT_BITS) - 1)
#define EVERYONE		GROUP(0)
#define MASTER			BUS_MASTER_ADDR

/* The protocol of all sockets. */
#ifndef BUS_PROTOCOL
#define BUS_PROTOCOL		BUS_PROTO_NONE
#endif

#define ROOM			(BUS_MAX_QLEN + 1)	/* a queue is full above its length */

struct bus {
	int fd;				/* the listening socket */
	struct sockaddr_bus name;
};

struct client {
	int fd;
	int accepted;			/* its counterpart on the master's side */
	uint64_t id;			/* its prefix-0 address */
};

struct message {
	ssize_t len;
	char data[4096];
	struct sockaddr_bus from;
	socklen_t from_len;
	int flags;
	int has_seq, has_lost, has_creds;
	uint64_t seq, lost;
	struct ucred creds;
	int n_fds, fds[256];
};

static inline int family(void)
{
	static int number;

	if (!number)
		number = file_number("/sys/module/af_bus/parameters/family");
	if (number <= 0)
		FAIL("af_bus is not loaded");
	return number;
}

static inline int bus_socket(void)
{
	return OK(socket(family(), SOCK_SEQPACKET | SOCK_CLOEXEC, BUS_PROTOCOL));
}

/* "@x" is the abstract name x; NULL is no path. */
static inline struct sockaddr_bus bus_name(const char *path, uint64_t addr)
{
	size_t len = path ? strlen(path) : 0;
	struct sockaddr_bus name;

	memset(&name, 0, sizeof(name));
	name.sbus_family = family();
	name.sbus_addr.s_addr = addr;
	if (len)
		memcpy(name.sbus_path, path, len < BUS_PATH_MAX ? len : BUS_PATH_MAX);
	if (path && path[0] == '@')
		name.sbus_path[0] = '\0';
	return name;
}

static inline int bind_to(int fd, const char *path)
{
	struct sockaddr_bus name = bus_name(path, 0);

	return bind(fd, (struct sockaddr *)&name, sizeof(name));
}

static inline int connect_to(int fd, const char *path)
{
	struct sockaddr_bus name = bus_name(path, 0);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

static inline int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_BUS, option, &value, sizeof(value));
}

static inline int get_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_BUS, option, &value, &len))
		return -1;
	return value;
}

static inline int socket_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	OK(getsockopt(fd, SOL_SOCKET, option, &value, &len));
	return value;
}

/* Compared with tick_ms(), and only to the half: it may be some ticks off. */
static inline int set_timeout(int fd, int option, int ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time));
}

static inline int change_address(int accepted, int option, uint64_t addr)
{
	struct bus_addr value = { addr };

	return setsockopt(accepted, SOL_BUS, option, &value, sizeof(value));
}

static inline int add_address(int accepted, uint64_t addr)
{
	return change_address(accepted, BUS_ADD_ADDR, addr);
}

static inline int del_address(int accepted, uint64_t addr)
{
	return change_address(accepted, BUS_DEL_ADDR, addr);
}

static inline int let_join(int accepted)
{
	return setsockopt(accepted, SOL_BUS, BUS_JOIN_BUS, NULL, 0);
}

static inline int watch(int accepted)
{
	return setsockopt(accepted, SOL_BUS, BUS_SET_EAVESDROP, NULL, 0);
}

static inline int unwatch(int accepted)
{
	return setsockopt(accepted, SOL_BUS, BUS_UNSET_EAVESDROP, NULL, 0);
}

/* A bus at @path whose queue length is the default one. */
static inline struct bus open_bus(const char *path)
{
	struct bus bus = { .fd = bus_socket(), .name = bus_name(path, 0) };

	OK(bind(bus.fd, (struct sockaddr *)&bus.name, sizeof(bus.name)));
	OK(listen(bus.fd, BUS_MAX_QLEN));
	return bus;
}

/* A bus whose queues take one message. */
static inline struct bus open_narrow_bus(void)
{
	struct bus bus = open_bus("@bus");

	OK(listen(bus.fd, 0));
	return bus;
}

static inline int connect_bus(int fd, const struct bus *bus)
{
	return connect(fd, (const struct sockaddr *)&bus->name, sizeof(bus->name));
}

/* A client that has connected and not joined. */
static inline struct client attach(const struct bus *bus)
{
	struct client c = { .fd = bus_socket() };
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);

	OK(connect_bus(c.fd, bus));
	c.accepted = OK(accept4(bus->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC));
	c.id = peer.sbus_addr.s_addr;
	return c;
}

static inline struct client join(const struct bus *bus)
{
	struct client c = attach(bus);

	OK(let_join(c.accepted));
	return c;
}

/* A joined client that holds @addr. */
static inline struct client join_at(const struct bus *bus, uint64_t addr)
{
	struct client c = join(bus);

	OK(add_address(c.accepted, addr));
	return c;
}

#define MAX_BUS_CLIENTS		4096	/* of a bus; the administrator can change it */

/* For all buses, until it is set again. */
static inline void let_clients_in(int n)
{
	int fd = open("/sys/module/af_bus/parameters/max_clients", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	CHECK(dprintf(fd, "%d", n) > 0);
	close(fd);
}

static inline void close_client(struct client *c)
{
	close(c->fd);
	close(c->accepted);
}

static inline ssize_t send_bytes(int fd, uint64_t to, const void *data, size_t len, int flags)
{
	struct sockaddr_bus name = bus_name(NULL, to);

	return sendto(fd, data, len, flags, (struct sockaddr *)&name, sizeof(name));
}

/* Sends a string without waiting. */
static inline ssize_t post(int fd, uint64_t to, const char *text)
{
	return send_bytes(fd, to, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends a string, waiting for room. */
static inline ssize_t post_wait(int fd, uint64_t to, const char *text)
{
	return send_bytes(fd, to, text, strlen(text), MSG_NOSIGNAL);
}

/* Sends bytes with descriptors; without a name, to the other half of the pair. */
static inline ssize_t send_bytes_fds(int fd, struct sockaddr_bus *name, const void *data, size_t len,
			       const int *fds, int n, int flags)
{
	struct iovec iov = { (void *)data, len };
	char control[CMSG_SPACE(sizeof(int) * 256)];
	struct msghdr msg = {
		.msg_name = name, .msg_namelen = name ? sizeof(*name) : 0,
		.msg_iov = &iov, .msg_iovlen = 1,
	};

	if (n) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

static inline ssize_t send_fds(int fd, struct sockaddr_bus *name, const char *text, const int *fds, int n)
{
	return send_bytes_fds(fd, name, text, strlen(text), fds, n, MSG_DONTWAIT);
}

static inline ssize_t post_fds(int fd, uint64_t to, const char *text, const int *fds, int n)
{
	struct sockaddr_bus name = bus_name(NULL, to);

	return send_fds(fd, &name, text, fds, n);
}

static inline void send_over_unix(int to, int fd)
{
	OK(send_fds(to, NULL, "x", &fd, 1));
}

static inline void take_control(struct message *m, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level == SOL_BUS && c->cmsg_type == BUS_SCM_SEQ) {
			m->has_seq = 1;
			memcpy(&m->seq, CMSG_DATA(c), sizeof(m->seq));
		} else if (c->cmsg_level == SOL_BUS && c->cmsg_type == BUS_SCM_LOST) {
			m->has_lost = 1;
			memcpy(&m->lost, CMSG_DATA(c), sizeof(m->lost));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			m->has_creds = 1;
			memcpy(&m->creds, CMSG_DATA(c), sizeof(m->creds));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			m->n_fds = len / sizeof(int);
			memcpy(m->fds, CMSG_DATA(c), len);
		}
	}
}

/* Receives one message with all that comes with it. */
static inline ssize_t take_flags(int fd, struct message *m, int flags)
{
	static __thread char control[4096];
	struct iovec iov = { m->data, sizeof(m->data) - 1 };
	struct msghdr msg = {
		.msg_name = &m->from, .msg_namelen = sizeof(m->from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	memset(m, 0, sizeof(*m));
	memset(&m->from, 0xee, sizeof(m->from));
	m->len = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
	if (m->len < 0)
		return m->len;
	m->from_len = msg.msg_namelen;
	m->flags = msg.msg_flags;
	take_control(m, &msg);
	return m->len;
}

static inline ssize_t take(int fd, struct message *m)
{
	return take_flags(fd, m, MSG_DONTWAIT);
}

static inline void close_fds(struct message *m)
{
	while (m->n_fds > 0)
		close(m->fds[--m->n_fds]);
}

static inline int same_text(const struct message *m, const char *text)
{
	return m->len == (ssize_t)strlen(text) && !memcmp(m->data, text, m->len);
}

/* The next message has arrived already, from this sender and with this text. */
#define GETS(socket, sender, text) do {					\
	struct message __m;						\
									\
	if (take(socket, &__m) < 0)					\
		FAIL("%s gets no \"%s\": %s", #socket, text, errname(errno)); \
	if (!same_text(&__m, text))					\
		FAIL("%s gets \"%.*s\", not \"%s\"", #socket, (int)__m.len, __m.data, text); \
	if (__m.from.sbus_addr.s_addr != (uint64_t)(sender))		\
		FAIL("%s gets \"%s\" from %#llx, not %#llx", #socket, text, \
		     (unsigned long long)__m.from.sbus_addr.s_addr,	\
		     (unsigned long long)(sender));			\
	close_fds(&__m);						\
} while (0)

#define GETS_NOTHING(socket) do {					\
	struct message __m;						\
									\
	if (take(socket, &__m) >= 0)					\
		FAIL("%s gets \"%.*s\"", #socket, (int)__m.len, __m.data); \
	if (errno != EAGAIN)						\
		FAIL("%s: recv fails with %s", #socket, errname(errno)); \
} while (0)

static inline void read_once(struct client *c)
{
	struct message m;

	OK(take(c->fd, &m));
}

/* The stream of messages has ended: recv returns 0, again and again. */
#define ENDS(socket) do {						\
	struct message __m;						\
									\
	EQ(0, OK(take(socket, &__m)));					\
	EQ(0, OK(take(socket, &__m)));					\
	CHECK(events(socket) & POLLHUP);				\
} while (0)

static inline int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI };

	OK(poll(&p, 1, 0));
	return p.revents;
}

static inline int is_writable(int fd)
{
	return !!(events(fd) & POLLOUT);
}

static inline int edges_poll(int fd, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted | EPOLLET };
	int poller = OK(epoll_create1(EPOLL_CLOEXEC));

	OK(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event));
	return poller;
}

/* The events of the next edge; 0 if none comes in time. */
static inline uint32_t edges(int poller, int wait_ms)
{
	struct epoll_event event = { 0 };

	return OK(epoll_wait(poller, &event, 1, wait_ms)) ? event.events : 0;
}

/* A poller of the edges of POLLOUT alone; it has consumed the first one. */
static inline int edge_poll(int fd)
{
	int poller = edges_poll(fd, EPOLLOUT);

	edges(poller, 0);
	return poller;
}

static inline int edge_comes(int poller, int wait_ms)
{
	return !!(edges(poller, wait_ms) & EPOLLOUT);
}

/* Fills the queue of an address. Return: how many messages went in. */
static inline int fill(int fd, uint64_t to)
{
	int n = 0;

	while (post(fd, to, "filler") >= 0)
		if (++n > 1000)
			FAIL("a queue takes messages without end");
	EQ(EAGAIN, errno);
	return n;
}

/* Reads what is queued. Return: how many messages that were. */
static inline int drain(int fd)
{
	struct message m;
	int n = 0;

	while (take(fd, &m) > 0 && ++n)
		close_fds(&m);
	return n;
}

/* Reads one message of a full queue. */
static inline void make_room(int fd)
{
	struct message m;

	OK(take(fd, &m));
	close_fds(&m);
}

/* Reads all messages but the last one. Return: how many it has read. */
static inline int drain_to_the_last(int fd)
{
	struct message m;
	int n = 0, bytes;

	for (;; n++) {
		OK(take_flags(fd, &m, MSG_DONTWAIT | MSG_PEEK));
		close_fds(&m);
		OK(ioctl(fd, FIONREAD, &bytes));
		if (bytes == m.len)
			return n;
		OK(take(fd, &m));
		close_fds(&m);
	}
}

/* Work in another thread, for calls that block. */
struct job {
	pthread_t thread;
	volatile pid_t tid;
	volatile int done;
	int fd;
	uint64_t to;
	const char *text;
	ssize_t result;
	int err;
	long long took_ms;
};

static inline void *job_send(void *data)
{
	struct job *j = data;
	long long start = tick_ms();

	j->tid = syscall(SYS_gettid);
	j->result = post_wait(j->fd, j->to, j->text);
	j->err = j->result < 0 ? errno : 0;
	j->took_ms = tick_ms() - start;
	j->done = 1;
	return NULL;
}

static inline void start_job(struct job *j, void *(*run)(void *))
{
	EQ(0, pthread_create(&j->thread, NULL, run, j));
}

static inline void start_send(struct job *j, int fd, uint64_t to, const char *text)
{
	*j = (struct job){ .fd = fd, .to = to, .text = text };
	start_job(j, job_send);
}

/* True while a thread or process sleeps inside a system call. */
static inline int sleeps_in_call(pid_t tid)
{
	char path[64], state[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	f = fopen(path, "re");
	if (f && !fgets(state, sizeof(state), f))
		state[0] = '\0';
	if (f)
		fclose(f);
	return state[0] >= '0' && state[0] <= '9';
}

static inline int is_blocked(const struct job *j)
{
	return j->tid && !j->done && sleeps_in_call(j->tid);
}

static inline void await_block(const struct job *j)
{
	EVENTUALLY(is_blocked(j) || j->done);
	if (j->done)
		FAIL("the call does not wait: %s", errname(j->err));
}

static inline void await_end(struct job *j)
{
	EVENTUALLY(j->done);
	pthread_join(j->thread, NULL);
}

static inline void ends_with(struct job *j, int err)
{
	await_end(j);
	if (j->err != err)
		FAIL("the waiting call ends with %s, not %s", errname(j->err), errname(err));
}

#endif
