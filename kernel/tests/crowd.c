// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 5: a bus has no more than 4,096 clients, since each multicast visits all of them
 * with the bus locked. These tests measure what a full bus makes others wait for.
 */
#include "bus.h"
#include <stdatomic.h>
#include <sys/resource.h>

enum { FEW = MAX_BUS_CLIENTS / 4, PREFIX = 2, MULTICASTS = 10 };

static struct client crowd[MAX_BUS_CLIENTS];

static struct bus open_big_bus(void)
{
	struct rlimit files = { 2 * MAX_BUS_CLIENTS + 200, 2 * MAX_BUS_CLIENTS + 200 };

	OK(setrlimit(RLIMIT_NOFILE, &files));
	return open_bus("@bus");
}

static void gather(const struct bus *bus, int from, int to)
{
	for (int i = from; i < to; i++)
		crowd[i] = join_at(bus, ADDRESS(PREFIX, i + 1));
}

static void close_one(struct client *c)
{
	close(c->fd);
}

static void expel_one(struct client *c)
{
	OK(shutdown(c->accepted, SHUT_RDWR));
}

static void disconnect_one(struct client *c)
{
	close(c->accepted);
}

static void shut_one(struct client *c)
{
	OK(shutdown(c->fd, SHUT_RDWR));
}

static const struct {
	const char *name;
	void (*end)(struct client *c);
	int joined;
} ends[] = {
	{ "closed", close_one, 1 },
	{ "expelled", expel_one, 1 },
	{ "shut_by_itself", shut_one, 1 },
	{ "disconnected_before_it_joined", disconnect_one, 0 },
};

/*
 * Clients count whether they have joined, have not, or are not accepted; one that has left does not
 * count.
 */
TEST_EACH_LONG(bus_has_only_so_many_clients, ends, 120)
{
	struct bus bus = open_big_bus(), other = open_bus("@other");
	struct client last;
	int late = bus_socket(), waits = bus_socket();

	gather(&bus, 0, MAX_BUS_CLIENTS - 2);
	last = row->joined ? join(&bus) : attach(&bus);
	OK(connect_bus(waits, &bus));
	FAILS(ENOSPC, connect_bus(late, &bus));
	OK(fcntl(late, F_SETFL, O_NONBLOCK));
	FAILS(ENOSPC, connect_bus(late, &bus));
	join(&other);

	row->end(&last);
	OK(connect_bus(late, &bus));
	FAILS(ENOSPC, connect_bus(bus_socket(), &bus));
}

TEST(administrator_sets_another_number_of_clients)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;
	int late = bus_socket(), err;

	let_clients_in(2);
	a = join(&bus);
	b = join(&bus);
	err = connect_bus(late, &bus) ? errno : 0;
	let_clients_in(MAX_BUS_CLIENTS);
	EQ(ENOSPC, err);
	OK(connect_bus(late, &bus));
	OK(post(a.fd, b.id, "x"));
	GETS(b.fd, a.id, "x");
}

/* After the master has left a client, that client is on the bus as before. */
TEST_LONG(client_without_its_master_counts, 120)
{
	struct bus bus = open_big_bus();

	gather(&bus, 0, MAX_BUS_CLIENTS);
	close(crowd[0].accepted);
	FAILS(ENOSPC, connect_bus(bus_socket(), &bus));
	close(crowd[0].fd);
	join(&bus);
}

/* The shortest of some times counts, so that other work on the machine does not. */
static long long least_multicast(const struct client *from, int members)
{
	long long least = 1LL << 62, ns;

	for (int i = 0; i < MULTICASTS; i++) {
		ns = now_ns();
		OK(post(from->fd, GROUP(PREFIX), "x"));
		ns = now_ns() - ns;
		least = ns < least ? ns : least;
		for (int j = 0; j < members; j++)
			read_once(&crowd[j]);
	}
	return least;
}

static atomic_int over;

/*
 * Return: the longest time that one of its messages took before the multicasts were over, in
 * nanoseconds.
 */
static void *talk_on(void *data)
{
	const struct client *talker = data;
	long longest = 0, took;

	while (!atomic_load(&over)) {
		took = now_ns();
		OK(post(talker->fd, talker->id, "x"));
		took = now_ns() - took;
		longest = took > longest ? took : longest;
		GETS(talker->fd, talker->id, "x");
	}
	return (void *)longest;
}

/*
 * The time for each recipient is the same on a full bus as on one that is a quarter full: so the
 * limit is a bound.
 */
TEST_LONG(multicast_to_a_full_bus_takes_no_more_for_each, 240)
{
	struct bus bus = open_big_bus();
	struct client talker = join(&bus), sender = join(&bus);
	long long few, most;
	pthread_t thread;
	void *longest;

	gather(&bus, 0, FEW);
	few = least_multicast(&sender, FEW);
	gather(&bus, FEW, MAX_BUS_CLIENTS - 2);
	FAILS(ENOSPC, connect_bus(bus_socket(), &bus));
	most = least_multicast(&sender, MAX_BUS_CLIENTS - 2);
	EQ(0, pthread_create(&thread, NULL, talk_on, &talker));
	for (int i = 0; i < MULTICASTS; i++)
		OK(post(sender.fd, GROUP(PREFIX), "x"));
	atomic_store(&over, 1);
	EQ(0, pthread_join(thread, &longest));
	dprintf(1, "# to %d: %lld us, to %d: %lld us; a message beside it at most %ld us\n",
		FEW, few / 1000, MAX_BUS_CLIENTS - 2, most / 1000, (long)longest / 1000);
	CHECK(most < 3 * few * MAX_BUS_CLIENTS / FEW);
}

/* The most that one message can do under one hold of the lock: it expels all other clients. */
TEST_LONG(all_of_a_full_bus_are_evicted_at_once, 240)
{
	struct bus bus = open_big_bus();
	struct client sender = join(&bus);
	long long ns;

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1));
	gather(&bus, 0, MAX_BUS_CLIENTS - 1);
	for (int i = 0; i < 2; i++)
		OK(post(sender.fd, GROUP(PREFIX), "x"));
	ns = now_ns();
	OK(post(sender.fd, GROUP(PREFIX), "x"));
	ns = now_ns() - ns;
	dprintf(1, "# %d evicted in %lld us\n", MAX_BUS_CLIENTS - 1, ns / 1000);
	for (int i = 0; i < MAX_BUS_CLIENTS - 1; i++)
		EQ(ENOBUFS, socket_option(crowd[i].fd, SO_ERROR));
	for (int i = 0; i < MAX_BUS_CLIENTS - 1; i++)
		close_client(&crowd[i]);
	gather(&bus, 0, MAX_BUS_CLIENTS - 1);
	FAILS(ENOSPC, connect_bus(bus_socket(), &bus));
}

enum { CALLERS = 64 };

static void *job_connect(void *data)
{
	struct job *j = data;

	j->tid = syscall(SYS_gettid);
	j->result = connect_to(j->fd, "@bus");
	j->err = j->result < 0 ? errno : 0;
	j->done = 1;
	return NULL;
}

static void await_callers(struct job *jobs)
{
	for (int i = 0; i < CALLERS; i++) {
		jobs[i] = (struct job){ .fd = bus_socket() };
		start_job(&jobs[i], job_connect);
	}
	for (int i = 0; i < CALLERS; i++)
		await_block(&jobs[i]);
}

static void make_it_longer(const struct bus *bus)
{
	OK(listen(bus->fd, CALLERS));
}

static void shut_it(const struct bus *bus)
{
	OK(shutdown(bus->fd, SHUT_RD));
}

static void close_it(const struct bus *bus)
{
	OK(close(bus->fd));
}

static const struct {
	const char *name;
	void (*change)(const struct bus *bus);
	int err;
} backlogs[] = {
	{ "has_room", make_it_longer, 0 },
	{ "is_shut", shut_it, ECONNREFUSED },
	{ "is_closed", close_it, ECONNREFUSED },
};

/* A change of the backlog wakes one waiter, and each that is woken wakes the next. */
TEST_EACH(every_waiting_connect_hears_that_the_backlog, backlogs)
{
	static struct job jobs[CALLERS];
	struct bus bus = open_narrow_bus();

	OK(connect_bus(bus_socket(), &bus));
	await_callers(jobs);
	row->change(&bus);
	for (int i = 0; i < CALLERS; i++)
		ends_with(&jobs[i], row->err);
}
