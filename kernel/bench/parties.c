// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets and processes of a measurement, and how they are set up.
 */
#include "parties.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>

static char payload[MAX_MESSAGE];

struct end end_to(int fd, uint64_t to)
{
	return (struct end){ .fd = fd, .to = bus_name(NULL, to), .to_len = offsetof(struct sockaddr_bus, sbus_path) };
}

struct pair unix_pair(void)
{
	struct pair pair = { .master = { -1, -1 } };
	int fds[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
	pair.near.fd = fds[0];
	pair.far.fd = fds[1];
	return pair;
}

struct pair bus_pair(const struct bus *bus)
{
	struct client near = join(bus), far = join(bus);

	return (struct pair){
		.near	= end_to(near.fd, far.id),
		.far	= end_to(far.fd, near.id),
		.master	= { near.accepted, far.accepted },
	};
}

void close_pair(struct pair *pair)
{
	close(pair->near.fd);
	close(pair->far.fd);
	if (pair->master[0] >= 0) {
		close(pair->master[0]);
		close(pair->master[1]);
	}
}

struct bus wide_bus(const char *name, int maxqlen)
{
	struct bus bus = open_bus(name);

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, maxqlen));
	return bus;
}

static ssize_t send_to(const struct end *end, size_t size, int flags)
{
	return sendto(end->fd, payload, size, flags,
		      end->to_len ? (const struct sockaddr *)&end->to : NULL, end->to_len);
}

void give(const struct end *end, size_t size, enum mark mark)
{
	payload[0] = mark;
	EQ(size, OK(send_to(end, size, 0)));
}

enum mark receive(const struct end *end, size_t size)
{
	EQ(size, OK(recv(end->fd, payload, sizeof(payload), 0)));
	return payload[0];
}

int in_flight(const struct pair *pair, size_t size)
{
	int n = 0;

	payload[0] = PLAIN;
	while (send_to(&pair->near, size, MSG_DONTWAIT) >= 0)
		n++;
	EQ(EAGAIN, errno);
	for (int i = 0; i < n; i++)
		receive(&pair->far, size);
	return n;
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (cpu == ANY_CPU || cpu == i)
			CPU_SET(i, &set);
	OK(sched_setaffinity(0, sizeof(set), &set));
}

pid_t hire(int cpu, void (*body)(void *), void *state)
{
	pid_t pid = OK(fork());

	if (pid)
		return pid;
	OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
	signal(SIGCHLD, SIG_DFL);
	pin(cpu);
	for (;;)
		body(state);
}

/* Noted before the process is told to end, so that its end is no surprise. */
static void expect_deaths(bool expected)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	OK(sigprocmask(expected ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL));
}

void dismiss(pid_t pid)
{
	struct timespec none = {};
	sigset_t set;

	expect_deaths(true);
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, NULL, 0));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &none);
	expect_deaths(false);
}

void halt(pid_t pid)
{
	OK(kill(pid, SIGSTOP));
	OK(waitpid(pid, NULL, WUNTRACED));
}

void go_on(pid_t pid)
{
	OK(kill(pid, SIGCONT));
	OK(waitpid(pid, NULL, WCONTINUED));
}

int new_tally(void)
{
	return OK(eventfd(0, EFD_CLOEXEC));
}

void tally(int fd)
{
	uint64_t one = 1;

	OK(write(fd, &one, sizeof(one)));
}

void await_tally(int fd, int n)
{
	uint64_t some;

	for (; n > 0; n -= some)
		OK(read(fd, &some, sizeof(some)));
}
