// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls, and how often each is made; sends, receives, options and requests to nfdbus have files
 * of their own. All arguments of a call are drawn before it is made, and nothing is drawn from its
 * result: so the calls of a process are the same in every replay.
 */
#include "fuzz.h"
#include <sys/epoll.h>

long call6(struct fuzzer *f, enum kind kind, long a, long b, long c, long d, long e, long g)
{
	long value;

	f->at->calls++;
	f->at->kind = kind;
	if (f->show) {
		printf("%u %s %#lx %#lx %#lx %#lx %#lx %#lx\n", f->at->calls, kinds[kind].name,
		       a, b, c, d, e, g);
		errno = ENOSYS;
		return -1;
	}
	__atomic_fetch_add(&shared->made[kind], 1, __ATOMIC_RELAXED);
	value = syscall(kinds[kind].nr, a, b, c, d, e, g);
	if (value >= 0 && !kinds[kind].answered)
		__atomic_fetch_add(&shared->succeeded[kind], 1, __ATOMIC_RELAXED);
	if (value < 0)
		judge_errno(f, kind, errno, (const long[]){ a, b, c, d, e, g });
	return value;
}

static void do_socket(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int type = one_in(d, 20) ? (int)roll(d, 11) : SOCK_SEQPACKET;
	int flags = one_in(d, 3) ? SOCK_NONBLOCK : 0;
	int proto = one_in(d, 20) ? (int)roll(d, 4) - 1 : some_protocol(d);
	int slot = slot_for(d, proto);

	put_away(CALL(f, SOCKET, family(), type | flags, proto), slot);
}

static void do_socketpair(struct fuzzer *f)
{
	struct rng *d = &f->rng;

	CALL(f, SOCKETPAIR, family(), SOCK_SEQPACKET, roll(d, 2), arena_out(d, 8));
}

static void do_bind(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	long len;
	void *name = some_name(d, some_path(d), some_address(d), &len);

	CALL(f, BIND, bus_slot(d), name, len);
}

static void do_connect(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	long len;
	void *name = some_name(d, some_path(d), some_address(d), &len);

	CALL(f, CONNECT, bus_slot(d), name, len);
}

static void do_listen(struct fuzzer *f)
{
	static const int backlogs[] = { 0, 1, 3, 10, 100, -1, 1 << 30 };
	struct rng *d = &f->rng;

	CALL(f, LISTEN, bus_slot(d), PICK(d, backlogs));
}

static void do_accept(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	socklen_t room = sizeof(struct sockaddr_bus);
	void *name = one_in(d, 2) ? arena_out(d, room) : NULL;
	void *len = arena_in(d, &room, sizeof(room));
	int flags = one_in(d, 10) ? 0 : one_in(d, 10) ? (int)roll(d, 1 << 12) : SOCK_NONBLOCK;
	int from = bus_slot(d), to = master_slot(d, from);

	put_away(CALL(f, ACCEPT, from, name, len, flags), to);
}

static void do_getname(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	enum kind kind = one_in(d, 2) ? GETSOCKNAME : GETPEERNAME;
	socklen_t room = one_in(d, 4) ? roll(d, 200) : sizeof(struct sockaddr_bus);
	void *name = arena_out(d, room);
	socklen_t *len = arena_in(d, &room, sizeof(room));

	if (CALL(f, kind, bus_slot(d), name, len) >= 0 && *len != sizeof(struct sockaddr_bus))
		found(f, "%s says %u bytes", kinds[kind].name, *len);
}

static void do_shutdown(struct fuzzer *f)
{
	struct rng *d = &f->rng;

	CALL(f, SHUTDOWN, bus_slot(d), one_in(d, 10) ? (int)roll(d, 6) - 1 : (int)roll(d, 3));
}

static void do_mmap(struct fuzzer *f)
{
	CALL(f, MMAP, 0, 4096, 1, 2, bus_slot(&f->rng), 0);
}

static void do_poll(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	struct pollfd p[8];
	unsigned int n = 1 + roll(d, ARRAY_SIZE(p));

	for (unsigned int i = 0; i < n; i++)
		p[i] = (struct pollfd){ any_slot(d), roll(d, 0x10000), 0 };
	CALL(f, POLL, arena_in(d, p, sizeof(p[0]) * n), n, roll(d, 3));
}

static void do_epoll_create(struct fuzzer *f)
{
	int slot = epoll_slot(&f->rng);

	put_away(CALL(f, EPOLL_CREATE, EPOLL_CLOEXEC), slot);
}

static void do_epoll_ctl(struct fuzzer *f)
{
	static const uint32_t modes[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
	struct rng *d = &f->rng;
	struct epoll_event event = { roll(d, 0x2020) | PICK(d, modes), { .u32 = 0 } };

	CALL(f, EPOLL_CTL, epoll_slot(d), 1 + roll(d, 3), bus_slot(d),
	     arena_in(d, &event, sizeof(event)));
}

static void do_epoll_wait(struct fuzzer *f)
{
	struct rng *d = &f->rng;

	CALL(f, EPOLL_WAIT, epoll_slot(d), arena_out(d, sizeof(struct epoll_event) * 8), 8,
	     roll(d, 3));
}

static void do_dup(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int from = bus_slot(d);

	CALL(f, DUP, from, slot_like(d, from), O_CLOEXEC);
}

static void do_close(struct fuzzer *f)
{
	CALL(f, CLOSE, any_slot(&f->rng));
}

static void do_other_file(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	enum kind kind = PICK(d, ((const enum kind[]){ EVENTFD, PIPE, UNIX }));
	int first = SLOTS + BUS_SLOTS + 2 + roll(d, OTHER_SLOTS - 2), second = other_slot(d);
	int fds[2] = { -1, -1 };

	if (kind == EVENTFD)
		fds[0] = CALL(f, kind, 0, O_NONBLOCK);
	else if (kind == PIPE)
		CALL(f, kind, f->show ? NULL : fds, O_NONBLOCK);
	else
		CALL(f, kind, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->show ? NULL : fds);
	put_away(fds[0], first);
	put_away(fds[1], second);
}

static void do_unlink(struct fuzzer *f)
{
	CALL(f, UNLINK, one_in(&f->rng, 2) ? "a" : "b");
}

static void do_rename(struct fuzzer *f)
{
	CALL(f, RENAME, "a", "b");
}

static void do_proc(struct fuzzer *f)
{
	char text[4096];
	int fd;

	f->at->calls++;
	f->at->kind = PROC;
	if (f->show)
		return;
	fd = open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC);
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void do_unshare(struct fuzzer *f)
{
	CALL(f, UNSHARE, CLONE_NEWNET);
}

/* Interrupts what another worker does, or kills that worker. */
static void do_signal(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	unsigned int victim = roll(d, WORKERS);
	int signal = one_in(d, 20) ? SIGKILL : SIGUSR1;

	f->at->calls++;
	f->at->kind = KILL;
	if (f->show)
		printf("%u kill worker %u %d\n", f->at->calls, victim, signal);
	else if (shared->progress[victim].pid > 1)
		kill(shared->progress[victim].pid, signal);
}

/* A bus with members, which random calls seldom bring about. */
static void do_open_bus(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int proto = some_protocol(d), dbus = proto == BUS_PROTO_DBUS;
	int listener = slot_for(d, proto), slot = listener - SLOTS;
	unsigned int n = 1 + roll(d, 4);
	struct sockaddr_bus name;
	char path[32];

	snprintf(path, sizeof(path), "@%u.%u", f->at->number, f->at->calls);
	if (!roll(d, dbus ? 2 : 4))
		snprintf(path, sizeof(path), "%s", some_path(d));
	name = bus_name(path, 0);
	if (dbus)
		memcpy(f->path, path, sizeof(path));

	put_away(CALL(f, SOCKET, family(), SOCK_SEQPACKET, proto), listener);
	CALL(f, BIND, listener, arena_in(d, &name, sizeof(name)), sizeof(name));
	CALL(f, LISTEN, listener, 3);
	for (unsigned int i = 0; i < n; i++) {
		int client = SLOTS + ++slot % NONE_SLOTS, accepted = SLOTS + ++slot % NONE_SLOTS;
		int one = 1;
		uint64_t addr = ADDRESS(1 + roll(d, 3), roll(d, 6));

		if (dbus) {
			f->addrs[i] = addr;
			client = SLOTS + NONE_SLOTS + (listener - SLOTS - NONE_SLOTS + 1 + i) % DBUS_SLOTS;
			accepted = SLOTS + NONE_SLOTS + DBUS_SLOTS + i;
		}
		put_away(CALL(f, SOCKET, family(), SOCK_SEQPACKET, proto), client);
		CALL(f, CONNECT, client, arena_in(d, &name, sizeof(name)), sizeof(name));
		put_away(CALL(f, ACCEPT, listener, 0, 0, SOCK_NONBLOCK), accepted);
		CALL(f, SET_BUS, accepted, SOL_BUS, BUS_JOIN_BUS, 0, 0);
		CALL(f, SET_BUS, accepted, SOL_BUS, BUS_ADD_ADDR,
		     arena_in(d, &addr, sizeof(addr)), sizeof(addr));
		if (one_in(d, 4))
			CALL(f, SET_BUS, accepted, SOL_BUS, BUS_SET_EAVESDROP, 0, 0);
		if (one_in(d, 2))
			CALL(f, SET_SOCKET, client, SOL_SOCKET, SO_PASSCRED,
			     arena_in(d, &one, sizeof(one)), sizeof(one));
		if (dbus && roll(d, 4))
			ask_for_rule(f, path, addr);
	}
}

static void do_fork(struct fuzzer *f);

static const struct {
	unsigned int weight;
	void (*make)(struct fuzzer *f);
} calls[] = {
	{ 15, do_open_bus },
	{ 4, do_socket },
	{ 1, do_socketpair },
	{ 6, do_bind },
	{ 30, do_connect },
	{ 10, do_listen },
	{ 15, do_accept },
	{ 10, do_getname },
	{ 4, do_shutdown },
	{ 60, do_set_bus },
	{ 20, do_get_bus },
	{ 20, do_set_socket },
	{ 10, do_timeout },
	{ 5, do_filter },
	{ 5, do_get_socket },
	{ 10, do_ioctl },
	{ 5, do_fcntl },
	{ 160, do_sendmsg },
	{ 20, do_sendmmsg },
	{ 60, do_sendto },
	{ 10, do_write },
	{ 3, do_sendfile },
	{ 160, do_recvmsg },
	{ 30, do_recvmmsg },
	{ 8, do_read },
	{ 2, do_mmap },
	{ 15, do_poll },
	{ 3, do_epoll_create },
	{ 15, do_epoll_ctl },
	{ 8, do_epoll_wait },
	{ 10, do_dup },
	{ 8, do_close },
	{ 5, do_other_file },
	{ 8, do_unlink },
	{ 2, do_rename },
	{ 3, do_proc },
	{ 8, do_fork },
	{ 1, do_unshare },
	{ 3, do_signal },
	{ 60, do_request },
	{ 8, do_connector },
	{ 25, do_answer },
	{ 3, do_netlink },
};

void make_one_call(struct fuzzer *f)
{
	unsigned int sum = 0, at;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		sum += calls[i].weight;
	at = roll(&f->rng, sum);
	arena_reset();
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (at < calls[i].weight) {
			calls[i].make(f);
			return;
		}
		at -= calls[i].weight;
	}
}

/* A child with copies of the descriptors, and a stream of its own that its parent's slot gives. */
static void do_fork(struct fuzzer *f)
{
	struct rng stream = rng_for(seed ^ rng_next(&f->rng), f->at->number);
	int quit = roll(&f->rng, CHILD_CALLS);
	static struct progress nowhere;
	pid_t parent = getpid();
	struct fuzzer child;

	f->at->calls++;
	f->at->kind = FORK;
	if (f->show) {
		printf("%u fork a child of stream %#llx\n", f->at->calls,
		       (unsigned long long)stream.state);
		return;
	}
	/* Children have no children. */
	if (f->at == &nowhere)
		return;
	if (fork())
		return;
	be_interrupted();
	/* It may have died before the parent's death would have been reported to it. */
	if (getppid() != parent)
		_exit(PASSED);
	nowhere = (struct progress){ .number = f->at->number };
	child = (struct fuzzer){ .rng = stream, .at = &nowhere };
	while (quit--)
		make_one_call(&child);
	_exit(PASSED);
}
