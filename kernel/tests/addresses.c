// SPDX-License-Identifier: GPL-2.0-only
/* Addresses that a master gives and takes: contract sections 1 and 2. */
#include "bus.h"
#include <sched.h>
#include <stdatomic.h>

static const struct {
	const char *name;
	uint64_t addr;
} not_givable[] = {
	{ "master", MASTER },
	{ "prefix_0", 1 },
	{ "prefix_0_unused", 0x123456 },
	{ "everyone", EVERYONE },
	{ "group", GROUP(2) },
	{ "group_ffff", GROUP(0xffff) },
};

/* In 2012 a master could give away, and take away, the kernel's own addresses. */
TEST_EACH(kernels_own_and_multicast_addresses_cannot_be_given, not_givable)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	FAILS(EINVAL, add_address(c.accepted, row->addr));
	FAILS(EINVAL, del_address(c.accepted, row->addr));
	OK(post(c.fd, c.id, "still me"));
	GETS(c.fd, c.id, "still me");
}

TEST(address_has_one_holder)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client a = join(&bus), b = join(&bus), c = join(&other);

	OK(add_address(a.accepted, ADDRESS(2, 7)));
	FAILS(EADDRINUSE, add_address(a.accepted, ADDRESS(2, 7)));
	FAILS(EADDRINUSE, add_address(b.accepted, ADDRESS(2, 7)));
	OK(add_address(c.accepted, ADDRESS(2, 7)));
	OK(add_address(b.accepted, ADDRESS(3, 7)));
}

TEST(extreme_addresses_work)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	static const uint64_t extremes[] = {
		ADDRESS(1, 0), ADDRESS(1, 1), ADDRESS(0xffff, 0), ADDRESS(0x8000, 0),
		GROUP(0xffff) - 1, GROUP(1) - 1,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(extremes); i++) {
		OK(add_address(b.accepted, extremes[i]));
		OK(post(a.fd, extremes[i], "hello"));
		GETS(b.fd, a.id, "hello");
	}
}

TEST(address_not_held_cannot_be_taken)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join(&bus);

	FAILS(EADDRNOTAVAIL, del_address(a.accepted, ADDRESS(2, 2)));
	FAILS(EADDRNOTAVAIL, del_address(b.accepted, ADDRESS(2, 1)));
	OK(del_address(a.accepted, ADDRESS(2, 1)));
	FAILS(EADDRNOTAVAIL, del_address(a.accepted, ADDRESS(2, 1)));
}

TEST(address_taken_can_be_given_to_another)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join(&bus), c = join(&bus);

	OK(del_address(a.accepted, ADDRESS(2, 1)));
	OK(add_address(b.accepted, ADDRESS(2, 1)));
	OK(post(c.fd, ADDRESS(2, 1), "hello"));
	GETS(b.fd, c.id, "hello");
	GETS_NOTHING(a.fd);
}

TEST(addresses_given_before_the_join_count_after_it)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = attach(&bus);

	OK(add_address(b.accepted, ADDRESS(2, 1)));
	FAILS(EADDRINUSE, add_address(a.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, GROUP(2), "too early"));
	GETS_NOTHING(b.fd);
	OK(let_join(b.accepted));
	OK(post(a.fd, ADDRESS(2, 1), "hello"));
	GETS(b.fd, a.id, "hello");
	GETS_NOTHING(b.fd);
}

TEST(short_or_bad_address_fails)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	struct bus_addr value = { ADDRESS(2, 1) };

	for (socklen_t len = 0; len < sizeof(value); len++) {
		FAILS(EINVAL, setsockopt(c.accepted, SOL_BUS, BUS_ADD_ADDR, &value, len));
		FAILS(EINVAL, setsockopt(c.accepted, SOL_BUS, BUS_DEL_ADDR, &value, len));
	}
	FAILS(EFAULT, setsockopt(c.accepted, SOL_BUS, BUS_ADD_ADDR, (void *)8, sizeof(value)));
	FAILS(EFAULT, setsockopt(c.accepted, SOL_BUS, BUS_DEL_ADDR, (void *)8, sizeof(value)));
	FAILS(EFAULT, setsockopt(bus.fd, SOL_BUS, BUS_SET_MAXQLEN, (void *)8, sizeof(int)));
}

enum { MAX_ADDRESSES = 65536, MAX_BUS_ADDRESSES = 2 * MAX_ADDRESSES };

TEST_LONG(bus_has_only_so_many_addresses, 240)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client a = join(&bus), b = join(&bus), c = join(&bus), d = join(&other);

	for (long i = 0; i < MAX_BUS_ADDRESSES; i++)
		OK(add_address(i % 2 ? a.accepted : b.accepted, ADDRESS(1 + i % 7, i)));
	FAILS(ENOSPC, add_address(c.accepted, ADDRESS(1, MAX_BUS_ADDRESSES)));
	OK(add_address(d.accepted, ADDRESS(1, MAX_BUS_ADDRESSES)));
	join(&bus);

	OK(del_address(a.accepted, ADDRESS(2, 1)));
	OK(add_address(c.accepted, ADDRESS(1, MAX_BUS_ADDRESSES)));
	FAILS(ENOSPC, add_address(c.accepted, ADDRESS(2, 1)));
	close_client(&b);
	OK(add_address(c.accepted, ADDRESS(2, 1)));
}

/* The shortest time that a multicast of @from to @group took; @member reads it. */
static void least(const struct client *from, uint64_t group, const struct client *member,
		  long long *least_ns)
{
	long long ns = now_ns();

	OK(post(from->fd, group, "x"));
	ns = now_ns() - ns;
	GETS(member->fd, from->id, "x");
	if (ns < *least_ns)
		*least_ns = ns;
}

/*
 * The two take turns, and the shortest of many times counts, so that other work on the machine does
 * not.
 */
TEST_LONG(many_addresses_of_a_member_cost_a_multicast_nothing, 120)
{
	long long many_ns = 1LL << 62, one_ns = 1LL << 62;
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), many = join(&bus), one = join_at(&bus, ADDRESS(3, 1));

	for (long i = 0; i < MAX_ADDRESSES; i++)
		OK(add_address(many.accepted, ADDRESS(2, i)));
	for (int i = 0; i < 50; i++) {
		least(&a, GROUP(2), &many, &many_ns);
		least(&a, GROUP(3), &one, &one_ns);
	}
	dprintf(1, "# %lld ns with one address, %lld ns with %d\n", one_ns, many_ns, MAX_ADDRESSES);
	CHECK(many_ns < 4 * one_ns);
}

TEST_LONG(client_has_only_so_many_addresses, 120)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char line[4096] = "";
	FILE *f;

	for (long i = 0; i < MAX_ADDRESSES; i++)
		OK(add_address(a.accepted, ADDRESS(1 + i % 7, i)));
	FAILS(ENOSPC, add_address(a.accepted, ADDRESS(1, MAX_ADDRESSES)));
	OK(add_address(b.accepted, ADDRESS(1, MAX_ADDRESSES)));

	f = fopen("/proc/self/net/bus", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f) && !strstr(line, "0000/000000000001"))
		;
	fclose(f);
	CHECK(strstr(line, ",+65473 client "));

	OK(del_address(a.accepted, ADDRESS(1, 0)));
	OK(add_address(a.accepted, ADDRESS(1, MAX_ADDRESSES + 1)));
}

/* Gives addresses that nobody has had until there is no room. Return: how many. */
static long fill_with_addresses(const struct client *c)
{
	static long next = MAX_BUS_ADDRESSES;
	long n = 0;

	for (; !add_address(c->accepted, ADDRESS(8, next)); n++)
		next++;
	EQ(ENOSPC, errno);
	return n;
}

static atomic_int closed;

static void *close_when_told(void *data)
{
	const struct job *j = data;
	char told;

	OK(read(j->fd, &told, 1));
	close(j->to);
	atomic_store(&closed, 1);
	return NULL;
}

/*
 * The bus is full. Now and then somebody takes the processor from the client that closes, which has
 * it only when it holds no lock, and finds room for those addresses alone that are free by then.
 */
TEST_LONG(client_that_closes_frees_its_addresses_some_at_a_time, 240)
{
	struct sched_param first = { .sched_priority = 10 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), many = join(&bus), c = join(&bus);
	struct job job = { .to = many.fd };
	int told[2], parts = 0;
	cpu_set_t one;
	long freed;

	for (long i = 0; i < MAX_BUS_ADDRESSES; i++)
		OK(add_address(i % 2 ? a.accepted : many.accepted, ADDRESS(1 + i % 7, i)));
	EQ(0, fill_with_addresses(&c));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	OK(pipe(told));
	job.fd = told[0];
	start_job(&job, close_when_told);
	OK(sched_setscheduler(0, SCHED_FIFO, &first));
	OK(write(told[1], "x", 1));
	for (freed = 0; !atomic_load(&closed);) {
		long n = fill_with_addresses(&c);

		freed += n;
		parts += n && freed < MAX_ADDRESSES;
		usleep(100);
	}
	OK(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){}));
	EQ(0, pthread_join(job.thread, NULL));
	EQ(MAX_ADDRESSES, freed + fill_with_addresses(&c));
	CHECK(parts > 1);
}

static void *close_it(void *data)
{
	close(*(int *)data);
	return NULL;
}

/*
 * The client has left, and holds no address any more, as soon as its accepted socket reads the end.
 */
TEST_LONG(addresses_of_a_client_that_has_left_are_free_at_once, 120)
{
	struct bus bus = open_bus("@bus");
	struct client many = join(&bus), a = join(&bus), b = join(&bus);
	uint64_t last = ADDRESS(3, MAX_ADDRESSES - 1);
	pthread_t thread;

	for (long i = 0; i < MAX_ADDRESSES / 2; i++)
		OK(add_address(many.accepted, ADDRESS(2 + i % 2, i)));
	OK(add_address(many.accepted, last));
	FAILS(EADDRINUSE, add_address(b.accepted, last));
	EQ(0, pthread_create(&thread, NULL, close_it, &many.fd));
	while (!(events(many.accepted) & POLLHUP))
		;
	FAILS(EADDRNOTAVAIL, del_address(many.accepted, last));
	OK(add_address(b.accepted, last));
	OK(post(a.fd, last, "to the new holder"));
	GETS(b.fd, a.id, "to the new holder");
	OK(post(a.fd, GROUP(3), "to the group"));
	GETS(b.fd, a.id, "to the group");
	pthread_join(thread, NULL);
	FAILS(EADDRINUSE, add_address(a.accepted, last));
}
