// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 7: nothing that unprivileged programs call, in any order and from any number of
 * threads, harms the kernel. The programs check little: the kernel's own checkers do that, and what
 * is left at the end is counted.
 */
#include "bus.h"
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

enum { THREADS = 6, POOL = 24, NAMES = 3 };

static int pool[POOL];
static long long until;

static unsigned int roll(unsigned int *dice, unsigned int sides)
{
	return rand_r(dice) % sides;
}

static int pick(unsigned int *dice)
{
	return __atomic_load_n(&pool[roll(dice, POOL)], __ATOMIC_RELAXED);
}

/* A socket of the pool is replaced, and closed while other threads use it. */
static void replace(unsigned int *dice, int fd)
{
	int old = __atomic_exchange_n(&pool[roll(dice, POOL)], fd, __ATOMIC_RELAXED);

	close(old);
}

static struct sockaddr_bus some_name(unsigned int *dice)
{
	static const char *const names[NAMES] = { "@one", "@two", "three" };
	struct sockaddr_bus name = bus_name(names[roll(dice, NAMES)], 0);

	name.sbus_addr.s_addr = roll(dice, 2) ? GROUP(roll(dice, 4)) :
				ADDRESS(roll(dice, 4), roll(dice, 16));
	if (roll(dice, 2))
		memset(name.sbus_path, 0, sizeof(name.sbus_path));
	return name;
}

static void set_some_option(unsigned int *dice, int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, roll(dice, 3)) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	uint64_t value = roll(dice, 2) ? roll(dice, 4) :
			 ADDRESS(roll(dice, 4), roll(dice, 16));
	socklen_t len = roll(dice, 10);

	switch (roll(dice, 6)) {
	case 0:
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
		break;
	case 1:
		setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof(int));
		break;
	case 2:
		getsockopt(fd, SOL_BUS, roll(dice, 20), &value, &len);
		break;
	case 3:
		setsockopt(fd, SOL_SOCKET, roll(dice, 2) ? SO_PASSCRED : SO_TIMESTAMP,
			   &value, sizeof(int));
		break;
	default:
		setsockopt(fd, SOL_BUS, roll(dice, 20), &value, roll(dice, 3) ? 8 : len);
	}
}

static void name_some(unsigned int *dice, int fd)
{
	struct sockaddr_bus name = some_name(dice);
	socklen_t len = roll(dice, 4) ? sizeof(name) : roll(dice, 140);
	struct sockaddr *any = (struct sockaddr *)&name;

	switch (roll(dice, 6)) {
	case 0:
		bind(fd, any, len);
		break;
	case 1:
		unlink("three");
		break;
	case 2:
		len = len > sizeof(name) ? sizeof(name) : len;
		getsockname(fd, any, &len);
		break;
	case 3:
		len = len > sizeof(name) ? sizeof(name) : len;
		getpeername(fd, any, &len);
		break;
	default:
		connect(fd, any, len);
	}
}

static void talk_some(unsigned int *dice, int fd)
{
	static __thread char data[8192];
	struct sockaddr_bus name = some_name(dice);
	struct message m;
	int fds[3] = { pick(dice), pick(dice), pick(dice) };

	switch (roll(dice, 4)) {
	case 0:
		post_fds(fd, name.sbus_addr.s_addr, "with descriptors", fds, 1 + roll(dice, 3));
		break;
	case 1:
		sendto(fd, data, roll(dice, sizeof(data)), MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&name, sizeof(name));
		break;
	default:
		if (take_flags(fd, &m, MSG_DONTWAIT | (roll(dice, 5) ? 0 : MSG_PEEK)) >= 0)
			close_fds(&m);
	}
}

static void *call_at_random(void *data)
{
	unsigned int dice = (long)data;

	while (now_ms() < until) {
		int fd = pick(&dice), n;

		switch (roll(&dice, 16)) {
		case 0:
			replace(&dice, socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
			break;
		case 1: case 2:
			n = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
			if (n >= 0)
				replace(&dice, n);
			break;
		case 3:
			listen(fd, roll(&dice, 8));
			break;
		case 4:
			if (roll(&dice, 4) == 0)
				shutdown(fd, roll(&dice, 4));
			break;
		case 5:
			ioctl(fd, roll(&dice, 2) ? SIOCINQ : SIOCOUTQ, &n);
			break;
		case 6: case 7: case 8:
			name_some(&dice, fd);
			break;
		case 9: case 10: case 11:
			set_some_option(&dice, fd);
			break;
		default:
			talk_some(&dice, fd);
		}
	}
	return NULL;
}

static const struct {
	const char *name;
	int uid;
} callers[] = { { "root", 0 }, { "nobody", 65534 } };

TEST_EACH(random_calls_of_many_threads_break_nothing, callers)
{
	pthread_t threads[THREADS];
	const char *seed = getenv("SEED");
	long first = seed ? atol(seed) : now_ms();

	dprintf(1, "# seed %ld\n", first);
	OK(chmod("/mnt", 0777));
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < POOL; i++)
		pool[i] = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
	if (row->uid)
		OK(setresuid(row->uid, row->uid, row->uid));
	until = now_ms() + 6000;
	for (long i = 0; i < THREADS; i++)
		EQ(0, pthread_create(&threads[i], NULL, call_at_random, (void *)(first + i)));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static struct bus shared;

static void *connect_and_close(void *data)
{
	(void)data;
	while (now_ms() < until) {
		int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));

		connect_bus(fd, &shared);
		post(fd, MASTER, "x");
		close(fd);
	}
	return NULL;
}

/* Listening sockets come and go while clients connect and close. */
TEST(connecting_races_with_closing_listeners)
{
	pthread_t threads[2];
	int accepted = 0;

	shared.name = bus_name("@bus", 0);
	until = now_ms() + 4000;
	for (int i = 0; i < 2; i++)
		EQ(0, pthread_create(&threads[i], NULL, connect_and_close, NULL));
	while (now_ms() < until) {
		struct bus bus = open_bus("@bus");
		int fd;

		OK(fcntl(bus.fd, F_SETFL, O_NONBLOCK));
		for (int i = 0; i < 20; i++) {
			fd = accept(bus.fd, NULL, NULL);
			if (fd >= 0) {
				accepted++;
				let_join(fd);
				close(fd);
			}
		}
		close(bus.fd);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(accepted > 0);
}

static void *connect_and_ask(void *data)
{
	struct ucred creds;
	socklen_t len;

	(void)data;
	while (now_ms() < until) {
		int fd = bus_socket();

		len = sizeof(creds);
		OK(connect_bus(fd, &shared));
		OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &len));
		CHECK(creds.pid > 0);
		close(fd);
		close(OK(accept(shared.fd, NULL, NULL)));
	}
	return NULL;
}

/* Each connect asks for the credentials of a process that has called listen() and is dying. */
TEST(connecting_races_with_changing_listeners)
{
	pthread_t thread;

	shared = open_bus("@bus");
	until = now_ms() + 4000;
	EQ(0, pthread_create(&thread, NULL, connect_and_ask, NULL));
	while (now_ms() < until) {
		pid_t pid = OK(fork());

		if (!pid)
			_exit(listen(shared.fd, BUS_MAX_QLEN));
		OK(waitpid(pid, NULL, 0));
	}
	pthread_join(thread, NULL);
}

static int contested;

static void *connect_contested(void *data)
{
	long *won = data;

	*won = !connect_bus(contested, &shared);
	return NULL;
}

/* Two threads connect one socket: one of them succeeds. */
TEST(one_of_two_connects_wins)
{
	shared = open_bus("@bus");
	for (int i = 0; i < 200; i++) {
		pthread_t threads[2];
		long won[2];

		contested = bus_socket();
		for (int t = 0; t < 2; t++)
			EQ(0, pthread_create(&threads[t], NULL, connect_contested, &won[t]));
		for (int t = 0; t < 2; t++)
			pthread_join(threads[t], NULL);
		EQ(1, won[0] + won[1]);
		close(contested);
		close(OK(accept(shared.fd, NULL, NULL)));
	}
}

#define PROBES "/sys/kernel/tracing/kprobe_events"
#define SLOW "/sys/kernel/tracing/events/slow/"

static int write_line(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags), done;

	if (fd < 0)
		return fd;
	done = write(fd, text, strlen(text));
	close(fd);
	return done;
}

/*
 * Makes each of the first instructions of a function of the module trap, so that microseconds pass
 * between two of them. The kernel refuses a probe that is not at the beginning of an instruction,
 * so the test asks for one at each byte.
 *
 * Return: how many instructions trap once SLOW is enabled.
 */
static int slow_down(const char *function, int bytes)
{
	char probe[128];
	int n = 0;

	if (access(PROBES, W_OK))
		SKIP("no kprobes");
	for (int at = 0; at < bytes; at++) {
		snprintf(probe, sizeof(probe), "p:slow/%s_%d af_bus:%s+%d", function, at,
			 function, at);
		n += write_line(PROBES, O_APPEND, probe) > 0;
	}
	return n;
}

static void speed_up(void)
{
	OK(write_line(SLOW "enable", 0, "0"));
	OK(write_line(PROBES, O_TRUNC, "\n"));
}

static void *accept_contested(void *data)
{
	(void)data;
	while (now_ms() < until) {
		int fd = accept4(contested, NULL, NULL, SOCK_NONBLOCK);

		CHECK(fd < 0 && (errno == EINVAL || errno == EAGAIN));
	}
	return NULL;
}

/* Threads call accept() on a socket that is bound and starts to listen meanwhile. */
TEST(accept_races_with_bind_and_listen)
{
	pthread_t threads[2];
	char name[32];

	/* Linux 6.1 has another name for it, which may contain the code of both. */
	CHECK(slow_down("afbus_accept", 128) + slow_down("afbus_accept_compat", 128) > 2);
	OK(write_line(SLOW "enable", 0, "1"));
	contested = bus_socket();
	until = now_ms() + 4000;
	for (int t = 0; t < 2; t++)
		EQ(0, pthread_create(&threads[t], NULL, accept_contested, NULL));
	for (long i = 0; now_ms() < until; i++) {
		int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));

		snprintf(name, sizeof(name), "@bus-%ld", i);
		OK(dup3(fd, contested, O_CLOEXEC));
		sched_yield();
		OK(bind_to(fd, name));
		OK(listen(fd, BUS_MAX_QLEN));
		close(fd);
	}
	for (int t = 0; t < 2; t++)
		pthread_join(threads[t], NULL);
	speed_up();
}

static struct client target;

static void *change_policy(void *data)
{
	unsigned int dice = (long)data;

	while (now_ms() < until) {
		uint64_t addr = ADDRESS(2, roll(&dice, 4));

		switch (roll(&dice, 4)) {
		case 0:
			add_address(target.accepted, addr);
			break;
		case 1:
			del_address(target.accepted, addr);
			break;
		case 2:
			watch(target.accepted);
			break;
		default:
			unwatch(target.accepted);
		}
	}
	return NULL;
}

/* Policy changes under messages: each copy comes once or not at all. */
TEST(changing_policy_under_messages_doubles_none)
{
	struct bus bus = open_bus("@bus");
	struct client sender = join(&bus);
	pthread_t threads[2];
	uint32_t last = 0;

	target = join(&bus);
	until = now_ms() + 4000;
	for (long i = 0; i < 2; i++)
		EQ(0, pthread_create(&threads[i], NULL, change_policy, (void *)(i + 1)));
	for (uint32_t n = 1; now_ms() < until; n++) {
		struct message m;
		uint32_t got;

		if (send_bytes(sender.fd, GROUP(2), &n, sizeof(n), MSG_DONTWAIT) < 0)
			EQ(EAGAIN, errno);
		while (take(target.fd, &m) > 0) {
			memcpy(&got, m.data, sizeof(got));
			CHECK(got > last);
			last = got;
		}
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(last > 0);
}

static void *read_target(void *data)
{
	(void)data;
	while (now_ms() < until)
		drain(target.fd);
	return NULL;
}

/* Senders close while their messages are read, which gives them budget back. */
TEST(closing_races_with_readers_of_what_was_sent)
{
	static char data[16000];
	struct bus bus = open_bus("@bus");
	pthread_t thread;

	target = join(&bus);
	until = now_ms() + 4000;
	EQ(0, pthread_create(&thread, NULL, read_target, NULL));
	while (now_ms() < until) {
		struct client sender = join(&bus);

		/*
		 * More than a quarter of the budget: with less, the sender would be told at once.
		 */
		for (int i = 0; i < 8; i++)
			if (send_bytes(sender.fd, target.id, data, sizeof(data), MSG_DONTWAIT) < 0)
				EQ(EAGAIN, errno);
		close(sender.fd);
		close(sender.accepted);
	}
	pthread_join(thread, NULL);
}
