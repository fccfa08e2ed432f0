// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: how many descriptors a user may have in flight. */
#include "bus.h"
#include <sys/resource.h>

enum { LIMIT = 256, MAX_FDS = 253, NOBODY = 65534 };

static void allow_descriptors(int limit)
{
	struct rlimit few = { .rlim_cur = limit };
	struct rlimit old;

	OK(getrlimit(RLIMIT_NOFILE, &old));
	few.rlim_max = old.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &few));
}

/* A user without rights, for the calling thread only: setresuid() would change all threads. */
static void become_nobody(int limit)
{
	OK(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
	allow_descriptors(limit);
}

static struct bus open_long_bus(void)
{
	struct bus bus = open_bus("@bus");

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1000000));
	return bus;
}

static ssize_t post_copies(int fd, uint64_t to, int n)
{
	int fds[MAX_FDS];

	for (int i = 0; i < n; i++)
		fds[i] = fd;
	return post_fds(fd, to, "x", fds, n);
}

/* Sends @n files that no other descriptor holds open. */
static ssize_t post_new_files(int fd, uint64_t to, int n)
{
	int fds[MAX_FDS], err;
	ssize_t sent;

	for (int i = 0; i < n; i += 2)
		OK(pipe2(fds + i, O_CLOEXEC));
	sent = post_fds(fd, to, "x", fds, n);
	err = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = err;
	return sent;
}

static long post_until_refused(int fd, uint64_t to, int n)
{
	long sent = 0;

	while (post_new_files(fd, to, n) > 0)
		sent += n;
	EQ(ETOOMANYREFS, errno);
	return sent;
}

/* A send with descriptors that waits, in a thread. */
struct waiting {
	struct job job;
	int fd, limit, n;
	uint64_t to;
	const char *text;
	int fds[MAX_FDS];
};

static void *send_waiting(void *data)
{
	struct waiting *w = data;
	struct sockaddr_bus name = bus_name(NULL, w->to);

	if (w->limit)
		become_nobody(w->limit);
	w->job.tid = syscall(SYS_gettid);
	w->job.result = send_bytes_fds(w->fd, &name, w->text, strlen(w->text), w->fds, w->n, 0);
	w->job.err = w->job.result < 0 ? errno : 0;
	w->job.done = 1;
	return NULL;
}

static void start_waiting(struct waiting *w, int fd, uint64_t to, const char *text, int n)
{
	w->job = (struct job){ 0 };
	w->fd = fd;
	w->to = to;
	w->text = text;
	w->n = n;
	for (int i = 0; i < n; i++)
		w->fds[i] = fd;
	EQ(0, pthread_create(&w->job.thread, NULL, send_waiting, w));
	await_block(&w->job);
}

/*
 * An eavesdropper hears a unicast that is read: it costs the sender nothing, and counts in the
 * eavesdropper's limit.
 */
TEST_LONG(descriptors_of_watched_copies_have_a_bound, 60)
{
	enum { MESSAGES = 150, FDS = 20 };
	struct bus bus;
	struct client a, c, e;
	struct message m;
	long before;
	int got = 0;

	become_nobody(LIMIT);
	bus = open_long_bus();
	a = join(&bus);
	c = join(&bus);
	e = join(&bus);
	OK(watch(e.accepted));
	before = open_files();
	for (int i = 0; i < MESSAGES; i++) {
		OK(post_new_files(a.fd, c.id, FDS));
		OK(take(c.fd, &m));
		EQ(FDS, m.n_fds);
		close_fds(&m);
	}
	CHECK(open_files() - before <= LIMIT + FILES_MARGIN);

	/*
	 * Messages within the limit arrive with their descriptors; of the others the eavesdropper
	 * is told.
	 */
	while (take(e.fd, &m) > 0) {
		EQ(FDS, m.n_fds);
		close_fds(&m);
		got++;
	}
	EQ(LIMIT / FDS, got);
	OK(post_new_files(a.fd, c.id, FDS));
	OK(take(e.fd, &m));
	EQ(FDS, m.n_fds);
	EQ(MESSAGES - got, m.lost);
}

/* All eavesdroppers of a user share one limit, and root is a user like any other. */
TEST(watchers_of_a_user_share_its_limit)
{
	enum { FDS = 20, SHARED = 64 };
	struct bus bus = open_long_bus();
	struct client a = join(&bus), c = join(&bus), e[2];
	int n = 0;

	allow_descriptors(SHARED);
	for (int i = 0; i < 2; i++) {
		e[i] = join(&bus);
		OK(watch(e[i].accepted));
	}
	for (int i = 0; i < 10; i++) {
		OK(post_new_files(a.fd, c.id, FDS));
		EQ(1, drain(c.fd));
	}
	for (int i = 0; i < 2; i++)
		n += drain(e[i].fd);
	EQ(SHARED / FDS, n);
}

/* An eavesdropper has the limit that its process had when it connected. */
TEST(watcher_is_limited_by_who_connected_it)
{
	enum { FDS = 20, OWN = 64 };
	struct bus bus = open_long_bus();
	struct client a = join(&bus), c = join(&bus), e;

	allow_descriptors(OWN);
	e = join(&bus);
	allow_descriptors(1024);
	OK(watch(e.accepted));
	for (int i = 0; i < 10; i++) {
		OK(post_new_files(a.fd, c.id, FDS));
		EQ(1, drain(c.fd));
	}
	EQ(OWN / FDS, drain(e.fd));
}

/* A send that waits for its recipient counts nothing yet for the eavesdropper. */
TEST(waiting_send_uses_up_no_descriptors_of_a_watcher)
{
	enum { FDS = 40, OWN = 64 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), full = join(&bus), e;
	static struct waiting w;

	allow_descriptors(OWN);
	e = join(&bus);
	allow_descriptors(1024);
	fill(a.fd, full.id);
	OK(watch(e.accepted));
	start_waiting(&w, a.fd, full.id, "waits", FDS);
	OK(post_copies(b.fd, MASTER, FDS));
	GETS(e.fd, b.id, "x");
	GETS(full.fd, a.id, "filler");
	await_end(&w.job);
	GETS(e.fd, a.id, "waits");
}

static int post_to_the_group(int fd, int limit, int fds)
{
	int n = 0;

	allow_descriptors(limit);
	while (post_copies(fd, GROUP(2), fds) > 0)
		n++;
	EQ(ETOOMANYREFS, errno);
	allow_descriptors(1024);
	return n;
}

/* A multicast is one message: it counts once, until the last member has taken its copy. */
TEST(multicast_counts_once_until_all_have_it)
{
	enum { MEMBERS = 20, FDS = 20, MAX_IN_FLIGHT = 50 };
	struct bus bus = open_long_bus();
	struct client a = join(&bus), members[MEMBERS];

	for (int i = 0; i < MEMBERS; i++)
		members[i] = join_at(&bus, ADDRESS(2, i));
	become_nobody(1024);
	/* As with AF_UNIX, the last message may exceed the limit. */
	EQ(3, post_to_the_group(a.fd, MAX_IN_FLIGHT, FDS));
	for (int i = 0; i < MEMBERS - 1; i++)
		EQ(3, drain(members[i].fd));
	EQ(0, post_to_the_group(a.fd, MAX_IN_FLIGHT, FDS));
	EQ(3, drain(members[MEMBERS - 1].fd));
	EQ(3, post_to_the_group(a.fd, MAX_IN_FLIGHT, FDS));
}

/* All processes of a user share the limit, at the same time and however often they try. */
TEST_LONG(processes_of_a_user_share_its_limit, 60)
{
	enum { PROCESSES = 8 };
	struct bus bus = open_long_bus();
	struct client from[PROCESSES], to = join(&bus);
	struct message m;
	long in_flight = 0;

	for (int i = 0; i < PROCESSES; i++)
		from[i] = join(&bus);
	for (int i = 0; i < PROCESSES; i++)
		if (!OK(fork())) {
			become_nobody(LIMIT);
			post_until_refused(from[i].fd, to.id, 100);
			post_until_refused(from[i].fd, to.id, 2);
			_exit(PASSED);
		}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		OK(wait(&status));
		EQ(PASSED, status);
	}
	while (take(to.fd, &m) > 0) {
		in_flight += m.n_fds;
		close_fds(&m);
	}
	CHECK(in_flight > LIMIT && in_flight <= LIMIT + MAX_FDS);
}

/* Descriptors count while the send still waits, here for its send buffer. */
TEST(send_that_waits_for_memory_has_its_descriptors_counted)
{
	enum { FDS = 40, MAX_IN_FLIGHT = 64 };
	static char big[20000];
	static struct waiting w[2];
	struct bus bus = open_long_bus();
	struct client a = join(&bus), b = join(&bus), c = join(&bus);

	memset(big, 'x', sizeof(big) - 1);
	while (post(a.fd, c.id, big) > 0)
		;
	EQ(EAGAIN, errno);
	for (int i = 0; i < 2; i++) {
		w[i].limit = MAX_IN_FLIGHT;
		start_waiting(&w[i], a.fd, c.id, big, FDS);
	}
	become_nobody(MAX_IN_FLIGHT);
	FAILS(ETOOMANYREFS, post_fds(b.fd, c.id, "x", &a.fd, 1));
	while (!w[0].job.done || !w[1].job.done)
		drain(c.fd);
	drain(c.fd);
	OK(post_fds(b.fd, c.id, "x", &a.fd, 1));
	for (int i = 0; i < 2; i++)
		await_end(&w[i].job);
}

struct fixture { struct bus bus; struct client a, b, c, e; };	/* e is an eavesdropper */

/* Sent by a user for whom the limit holds. */
static struct fixture open_watched_bus(void)
{
	struct fixture f;

	become_nobody(LIMIT);
	f.bus = open_long_bus();
	f.a = join(&f.bus);
	f.b = join(&f.bus);
	f.c = join(&f.bus);
	f.e = join(&f.bus);
	OK(watch(f.e.accepted));
	return f;
}

/*
 * A queue of AF_UNIX that holds itself by way of a bus is never collected. The user's limit bounds
 * all that it can put there, also after its processes have ended. The test keeps one end of that
 * queue, and breaks the cycle after it has counted.
 */
TEST_LONG(cycle_through_af_unix_pins_no_more_than_the_limit, 60)
{
	enum { FDS = 200 };
	struct message m;
	int pair[2], status;
	long before;

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	before = open_files();
	if (!OK(fork())) {
		struct fixture f = open_watched_bus();

		for (int i = 0; i < 100; i++) {
			OK(post_new_files(f.a.fd, f.c.id, FDS));
			EQ(1, drain(f.c.fd));
		}
		while (post_new_files(f.a.fd, f.b.id, FDS) > 0)
			;
		post_fds(f.a.fd, f.b.id, "the circle", &pair[1], 1);
		send_over_unix(pair[0], f.b.fd);
		send_over_unix(pair[0], f.e.fd);
		_exit(PASSED);
	}
	OK(wait(&status));
	EQ(PASSED, status);
	EVENTUALLY(open_files() - before <= 2 * LIMIT + MAX_FDS + FILES_MARGIN);

	for (int i = 0; i < 2; i++) {
		OK(take(pair[1], &m));
		EQ(1, m.n_fds);
		close_fds(&m);
	}
}

static ssize_t post_new_sockets(int fd, uint64_t to, int n)
{
	int fds[MAX_FDS], err;
	ssize_t sent;

	for (int i = 0; i < n; i++)
		fds[i] = bus_socket();
	sent = post_fds(fd, to, "x", fds, n);
	err = errno;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	errno = err;
	return sent;
}

/*
 * RLIMIT_NOFILE bounds the sockets that are open. Those that are in flight and not open are bounded
 * as well: for a sender by the limit and one message, for an eavesdropper by the limit.
 */
TEST_LONG(user_has_only_so_many_sockets_open_and_in_flight, 60)
{
	enum { MESSAGES = 60, FDS = 20 };
	struct fixture f = open_watched_bus();
	struct message m;

	for (int i = 0; i < MESSAGES; i++) {
		OK(post_new_sockets(f.a.fd, f.c.id, FDS));
		OK(take(f.c.fd, &m));
		close_fds(&m);
	}
	OK(unwatch(f.e.accepted));
	for (int i = 0; i < MESSAGES && post_new_sockets(f.a.fd, f.b.id, FDS) > 0; i++)
		;
	EQ(ETOOMANYREFS, errno);
	CHECK(bus_sockets() > 2 * (LIMIT - FDS));
	CHECK(bus_sockets() <= LIMIT + LIMIT + MAX_FDS + 9);
}
