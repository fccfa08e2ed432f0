// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 2: the options of level SOL_BUS. */
#include "bus.h"

TEST(join_works_once)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus);

	OK(let_join(c.accepted));
	FAILS(EINVAL, let_join(c.accepted));
}

TEST(client_can_ask_whether_it_has_joined)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus), gone = join(&bus);
	int alone = bus_socket();

	EQ(0, OK(get_option(c.fd, BUS_JOIN_BUS)));
	EQ(0, OK(get_option(c.accepted, BUS_JOIN_BUS)));
	OK(let_join(c.accepted));
	EQ(1, OK(get_option(c.fd, BUS_JOIN_BUS)));
	EQ(1, OK(get_option(c.accepted, BUS_JOIN_BUS)));

	close(gone.fd);
	EQ(0, OK(get_option(gone.accepted, BUS_JOIN_BUS)));
	OK(shutdown(c.accepted, SHUT_RDWR));
	EQ(0, OK(get_option(c.fd, BUS_JOIN_BUS)));
	FAILS(EINVAL, get_option(bus.fd, BUS_JOIN_BUS));
	FAILS(EINVAL, get_option(alone, BUS_JOIN_BUS));
}

TEST(join_of_a_client_that_is_gone_fails)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus);

	close(c.fd);
	FAILS(ENOTCONN, let_join(c.accepted));
}

/* In 2012 RequestName racing with a disconnect oopsed the kernel. */
TEST(policy_for_a_client_that_is_gone_fails)
{
	struct bus bus = open_bus("@bus");
	struct client c = join_at(&bus, ADDRESS(2, 1));

	close(c.fd);
	FAILS(ENOTCONN, add_address(c.accepted, ADDRESS(2, 2)));
	FAILS(ENOTCONN, watch(c.accepted));
	FAILS(EADDRNOTAVAIL, del_address(c.accepted, ADDRESS(2, 1)));
}

static const struct {
	const char *name;
	int option;
} all[] = {
	{ "add_addr", BUS_ADD_ADDR },
	{ "join_bus", BUS_JOIN_BUS },
	{ "del_addr", BUS_DEL_ADDR },
	{ "set_eavesdrop", BUS_SET_EAVESDROP },
	{ "unset_eavesdrop", BUS_UNSET_EAVESDROP },
	{ "set_sendbuf", BUS_SET_SENDBUF },
	{ "set_maxqlen", BUS_SET_MAXQLEN },
	{ "get_qlenfull", BUS_GET_QLENFULL },
	{ "set_overflow", BUS_SET_OVERFLOW },
};

static int set_any(int fd, int option)
{
	uint64_t value = option == BUS_ADD_ADDR ? ADDRESS(2, 2) : 1;

	return setsockopt(fd, SOL_BUS, option, &value, sizeof(value));
}

/* A bus's policy is its master's. */
TEST_EACH(option_of_a_clients_socket_fails, all)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join(&bus);

	FAILS(EINVAL, set_any(a.fd, row->option));
	FAILS(EINVAL, set_any(b.fd, row->option));
}

TEST_EACH(option_of_an_unconnected_socket_fails, all)
{
	int fd = bus_socket();

	FAILS(EINVAL, set_any(fd, row->option));
	OK(bind_to(fd, "@bound"));
	FAILS(EINVAL, set_any(fd, row->option));
}

TEST_EACH(option_of_the_wrong_side_of_the_master_fails, all)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus);
	int listeners = row->option == BUS_SET_SENDBUF || row->option == BUS_SET_MAXQLEN ||
			row->option == BUS_SET_OVERFLOW;

	FAILS(EINVAL, set_any(listeners ? c.accepted : bus.fd, row->option));
}

TEST(unknown_options_and_levels_fail)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	static const int unknown[] = { 0, 10, 15, 17, 255, -1 };
	int value = 1;
	socklen_t len = sizeof(value);

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		FAILS(ENOPROTOOPT, set_option(c.accepted, unknown[i], 1));
		FAILS(ENOPROTOOPT, set_option(c.fd, unknown[i], 1));
		FAILS(ENOPROTOOPT, get_option(c.accepted, unknown[i]));
	}
	FAILS(ENOPROTOOPT, setsockopt(c.fd, SOL_BUS + 1, BUS_PASSSEQ, &value, len));
	FAILS(ENOPROTOOPT, getsockopt(c.fd, SOL_BUS + 1, BUS_PASSSEQ, &value, &len));
}

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

static const struct {
	const char *name;
	int option;
} ints[] = {
	{ "sendbuf", BUS_SET_SENDBUF },
	{ "maxqlen", BUS_SET_MAXQLEN },
	{ "overflow", BUS_SET_OVERFLOW },
};

TEST_EACH(short_int_fails, ints)
{
	struct bus bus = open_bus("@bus");
	int value = 1;

	for (socklen_t len = 0; len < sizeof(value); len++)
		FAILS(EINVAL, setsockopt(bus.fd, SOL_BUS, row->option, &value, len));
}

/* In 2012 the caller's length decided how much of the kernel's stack was written. */
TEST_EACH(long_int_harms_nothing, ints)
{
	struct bus bus = open_bus("@bus");
	static char big[65536];

	memset(big, 0x01, sizeof(big));
	setsockopt(bus.fd, SOL_BUS, row->option, big, sizeof(big));
	memset(big, 0, sizeof(big));
	*(int *)big = 1;
	setsockopt(bus.fd, SOL_BUS, row->option, big, sizeof(big));

	struct client c = join(&bus);

	OK(set_any(c.accepted, BUS_ADD_ADDR));
}

/* In 2012 negative limits were taken and meant unlimited messages. */
TEST(limits_below_one_fail)
{
	struct bus bus = open_bus("@bus");
	static const int bad[] = { 0, -1, -1000, -0x7fffffff - 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		FAILS(EINVAL, set_option(bus.fd, BUS_SET_SENDBUF, bad[i]));
		FAILS(EINVAL, set_option(bus.fd, BUS_SET_MAXQLEN, bad[i]));
	}
}

TEST(unknown_overflow_policies_fail)
{
	struct bus bus = open_bus("@bus");

	FAILS(EINVAL, set_option(bus.fd, BUS_SET_OVERFLOW, 3));
	FAILS(EINVAL, set_option(bus.fd, BUS_SET_OVERFLOW, -1));
	EQ(BUS_OVERFLOW_BLOCK, OK(get_option(bus.fd, BUS_SET_OVERFLOW)));
}

TEST(values_can_be_read_back)
{
	struct bus bus = open_bus("@bus");

	EQ(BUS_MAX_QLEN, OK(get_option(bus.fd, BUS_SET_MAXQLEN)));
	EQ(BUS_OVERFLOW_BLOCK, OK(get_option(bus.fd, BUS_SET_OVERFLOW)));
	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 3));
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 20000));
	OK(set_option(bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
	EQ(3, OK(get_option(bus.fd, BUS_SET_MAXQLEN)));
	EQ(20000, OK(get_option(bus.fd, BUS_SET_SENDBUF)));
	EQ(BUS_OVERFLOW_EVICT, OK(get_option(bus.fd, BUS_SET_OVERFLOW)));
}

TEST(getsockopt_checks_its_pointers)
{
	struct bus bus = open_bus("@bus");
	char bytes[8] = { 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a };
	socklen_t len = 8;
	int value;

	OK(getsockopt(bus.fd, SOL_BUS, BUS_SET_MAXQLEN, bytes, &len));
	EQ(4, len);
	EQ(0x5a, bytes[4]);
	FAILS(EFAULT, getsockopt(bus.fd, SOL_BUS, BUS_SET_MAXQLEN, (void *)8, &len));
	FAILS(EFAULT, getsockopt(bus.fd, SOL_BUS, BUS_SET_MAXQLEN, &value, (void *)8));
	len = -1;
	FAILS(EINVAL, getsockopt(bus.fd, SOL_BUS, BUS_SET_MAXQLEN, &value, &len));
}

TEST(maxqlen_is_for_later_clients_on_both_ends)
{
	struct bus bus = open_bus("@bus");
	struct client before = join(&bus);

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 2));

	struct client after = join(&bus);

	EQ(ROOM, fill(after.fd, before.id));
	EQ(3, fill(after.fd, MASTER));
	EQ(3, fill(before.accepted, after.id));
}

static size_t largest(int fd)
{
	return socket_option(fd, SO_SNDBUF) - 32;
}

TEST(sendbuf_is_for_later_clients_on_both_ends)
{
	static char data[300000];
	struct bus bus = open_bus("@bus");
	struct client before = join(&bus);
	int usual = socket_option(before.fd, SO_SNDBUF);

	OK(set_option(bus.fd, BUS_SET_SENDBUF, 10000));

	struct client after = join(&bus);

	EQ(usual, socket_option(before.fd, SO_SNDBUF));
	EQ(10000, socket_option(after.fd, SO_SNDBUF));
	EQ(10000, socket_option(after.accepted, SO_SNDBUF));
	OK(send_bytes(after.fd, MASTER, data, largest(after.fd), MSG_DONTWAIT));
	FAILS(EMSGSIZE, send_bytes(after.fd, MASTER, data, largest(after.fd) + 1, MSG_DONTWAIT));
	FAILS(EMSGSIZE, send_bytes(after.accepted, after.id, data, largest(after.fd) + 1,
				   MSG_DONTWAIT));
}

static void become_nobody(void)
{
	OK(setresgid(65534, 65534, 65534));
	OK(setresuid(65534, 65534, 65534));
}

/* Not every kernel shows it elsewhere than in the first network namespace. */
static long wmem_max(void)
{
	int here = OK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	int first = OK(open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC));
	long value;

	OK(setns(first, CLONE_NEWNET));
	value = file_number("/proc/sys/net/core/wmem_max");
	OK(setns(here, CLONE_NEWNET));
	CHECK(value > 0);
	return value;
}

TEST(sendbuf_is_capped_by_wmem_max_without_cap_net_admin)
{
	long cap = wmem_max();
	struct bus bus = open_bus("@bus");

	OK(set_option(bus.fd, BUS_SET_SENDBUF, cap * 3));
	EQ(cap * 3, OK(get_option(bus.fd, BUS_SET_SENDBUF)));
	become_nobody();
	OK(set_option(bus.fd, BUS_SET_SENDBUF, cap * 3));
	EQ(cap, OK(get_option(bus.fd, BUS_SET_SENDBUF)));
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 0x7fffffff));
	EQ(cap, OK(get_option(bus.fd, BUS_SET_SENDBUF)));
}

/* A capability of a user namespace that anyone may make is none. */
TEST(sendbuf_is_capped_in_a_user_namespace)
{
	long cap = wmem_max();
	struct bus bus;

	become_nobody();
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNET));
	bus = open_bus("@bus");
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 0x7fffffff));
	EQ(cap, OK(get_option(bus.fd, BUS_SET_SENDBUF)));
}

/* What is charged is counted in 31 bits, and must stay far from their end. */
TEST(sendbuf_has_an_end_for_root_too)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;
	static char text[1];
	int most;

	OK(set_option(bus.fd, BUS_SET_SENDBUF, 0x7fffffff));
	most = OK(get_option(bus.fd, BUS_SET_SENDBUF));
	CHECK(most < 0x7fffffff / 4);
	a = join(&bus);
	b = join(&bus);
	OK(setsockopt(a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 0x3fffffff }, sizeof(int)));
	FAILS(EMSGSIZE, send_bytes(a.fd, b.id, text, most, MSG_DONTWAIT));
}

enum { MOST_ADDRESSES = 65536, MOST_OF_A_BUS = 2 * MOST_ADDRESSES };

TEST_LONG(bus_has_only_so_many_addresses, 240)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client a = join(&bus), b = join(&bus), c = join(&bus), d = join(&other);

	for (long i = 0; i < MOST_OF_A_BUS; i++)
		OK(add_address(i % 2 ? a.accepted : b.accepted, ADDRESS(1 + i % 7, i)));
	FAILS(ENOSPC, add_address(c.accepted, ADDRESS(1, MOST_OF_A_BUS)));
	OK(add_address(d.accepted, ADDRESS(1, MOST_OF_A_BUS)));
	join(&bus);

	OK(del_address(a.accepted, ADDRESS(2, 1)));
	OK(add_address(c.accepted, ADDRESS(1, MOST_OF_A_BUS)));
	FAILS(ENOSPC, add_address(c.accepted, ADDRESS(2, 1)));
	close_client(&b);
	OK(add_address(c.accepted, ADDRESS(2, 1)));
}

/* The least that a multicast of @from to @group took, which @member reads. */
static void least(const struct client *from, uint64_t group, const struct client *member,
		  long long *least_ns)
{
	struct timespec before, after;
	long long ns;

	clock_gettime(CLOCK_MONOTONIC, &before);
	OK(post(from->fd, group, "x"));
	clock_gettime(CLOCK_MONOTONIC, &after);
	GETS(member->fd, from->id, "x");
	ns = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
	if (ns < *least_ns)
		*least_ns = ns;
}

/* Both in turn, and the least of many: what else the machine does takes no part in it. */
TEST_LONG(many_addresses_of_a_member_cost_a_multicast_nothing, 120)
{
	long long many_ns = 1LL << 62, one_ns = 1LL << 62;
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), many = join(&bus), one = join_at(&bus, ADDRESS(3, 1));

	for (long i = 0; i < MOST_ADDRESSES; i++)
		OK(add_address(many.accepted, ADDRESS(2, i)));
	for (int i = 0; i < 50; i++) {
		least(&a, GROUP(2), &many, &many_ns);
		least(&a, GROUP(3), &one, &one_ns);
	}
	dprintf(1, "# %lld ns with one address, %lld ns with %d\n", one_ns, many_ns, MOST_ADDRESSES);
	CHECK(many_ns < 4 * one_ns);
}

TEST_LONG(client_has_only_so_many_addresses, 120)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char line[4096] = "";
	FILE *f;

	for (long i = 0; i < MOST_ADDRESSES; i++)
		OK(add_address(a.accepted, ADDRESS(1 + i % 7, i)));
	FAILS(ENOSPC, add_address(a.accepted, ADDRESS(1, MOST_ADDRESSES)));
	OK(add_address(b.accepted, ADDRESS(1, MOST_ADDRESSES)));

	f = fopen("/proc/self/net/bus", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f) && !strstr(line, "0000/000000000001"))
		;
	fclose(f);
	CHECK(strstr(line, ",+65473 client "));

	OK(del_address(a.accepted, ADDRESS(1, 0)));
	OK(add_address(a.accepted, ADDRESS(1, MOST_ADDRESSES + 1)));
}

static volatile long posts;
static volatile int stop_posting;

static void *post_on(void *data)
{
	const struct client *c = data;

	for (; !stop_posting; posts++)
		post(c->fd, c->id, "x");
	return NULL;
}

/* It drops them after it has left, and lets others have the bus in between. */
TEST_LONG(others_send_while_a_client_with_many_addresses_closes, 120)
{
	struct bus bus = open_bus("@bus");
	struct client many = join(&bus), other = join(&bus);
	pthread_t thread;
	long before;

	for (long i = 0; i < MOST_ADDRESSES; i++)
		OK(add_address(many.accepted, ADDRESS(1 + i % 7, i)));
	EQ(0, pthread_create(&thread, NULL, post_on, &other));
	EVENTUALLY(posts > 100);
	before = posts;
	close(many.fd);
	before = posts - before;
	stop_posting = 1;
	pthread_join(thread, NULL);
	dprintf(1, "# %ld sends meanwhile\n", before);
	CHECK(before > 20);
}

static void *close_it(void *data)
{
	close(*(int *)data);
	return NULL;
}

/* It has left as soon as its accepted socket says so, and holds no address any more. */
TEST_LONG(addresses_of_a_client_that_has_left_are_free_at_once, 120)
{
	struct bus bus = open_bus("@bus");
	struct client many = join(&bus), a = join(&bus), b = join(&bus);
	uint64_t last = ADDRESS(3, MOST_ADDRESSES - 1);
	pthread_t thread;

	for (long i = 0; i < MOST_ADDRESSES / 2; i++)
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

TEST(qlenfull_tells_of_the_clients_queue)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;

	EQ(0, OK(get_option(b.accepted, BUS_GET_QLENFULL)));
	fill(a.fd, b.id);
	EQ(1, OK(get_option(b.accepted, BUS_GET_QLENFULL)));
	EQ(0, OK(get_option(a.accepted, BUS_GET_QLENFULL)));
	OK(take(b.fd, &m));
	EQ(0, OK(get_option(b.accepted, BUS_GET_QLENFULL)));
}

/* The call of 2012 set the option to read it; it had its arguments swapped. */
TEST(qlenfull_answers_the_2012_set_style_call)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int full = -1;

	OK(setsockopt(b.accepted, SOL_BUS, BUS_GET_QLENFULL, &full, sizeof(full)));
	EQ(0, full);
	fill(a.fd, b.id);
	OK(setsockopt(b.accepted, SOL_BUS, BUS_GET_QLENFULL, &full, sizeof(full)));
	EQ(1, full);
	FAILS(EINVAL, setsockopt(b.accepted, SOL_BUS, BUS_GET_QLENFULL, &full, 3));
	FAILS(EFAULT, setsockopt(b.accepted, SOL_BUS, BUS_GET_QLENFULL, (void *)8, 4));
}

TEST(eavesdrop_wants_a_joined_client)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus);

	FAILS(EINVAL, watch(c.accepted));
	OK(let_join(c.accepted));
	OK(watch(c.accepted));
}

TEST(eavesdrop_is_idempotent)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(unwatch(e.accepted));
	OK(watch(e.accepted));
	OK(watch(e.accepted));
	OK(post(a.fd, b.id, "one copy"));
	GETS(e.fd, a.id, "one copy");
	GETS_NOTHING(e.fd);
	OK(unwatch(e.accepted));
	OK(unwatch(e.accepted));
	OK(post(a.fd, b.id, "no copy"));
	GETS_NOTHING(e.fd);
}

TEST(passseq_is_off_until_switched_on)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = attach(&bus);
	int sockets[] = { a.fd, a.accepted, b.fd, b.accepted };

	for (unsigned int i = 0; i < ARRAY_SIZE(sockets); i++) {
		EQ(0, OK(get_option(sockets[i], BUS_PASSSEQ)));
		OK(set_option(sockets[i], BUS_PASSSEQ, 1));
		EQ(1, OK(get_option(sockets[i], BUS_PASSSEQ)));
		OK(set_option(sockets[i], BUS_PASSSEQ, 0));
		EQ(0, OK(get_option(sockets[i], BUS_PASSSEQ)));
	}
}

TEST(passseq_takes_0_and_1_on_connected_sockets)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	FAILS(EINVAL, set_option(c.fd, BUS_PASSSEQ, 2));
	FAILS(EINVAL, set_option(c.fd, BUS_PASSSEQ, -1));
	FAILS(ENOTCONN, set_option(bus_socket(), BUS_PASSSEQ, 1));
	FAILS(ENOTCONN, set_option(bus.fd, BUS_PASSSEQ, 1));
}

TEST(seq_comes_only_when_asked_for)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;

	OK(post(a.fd, b.id, "without"));
	OK(take(b.fd, &m));
	CHECK(!m.has_seq);
	OK(set_option(b.fd, BUS_PASSSEQ, 1));
	OK(post(a.fd, b.id, "with"));
	OK(take(b.fd, &m));
	CHECK(m.has_seq);
	OK(set_option(b.fd, BUS_PASSSEQ, 0));
	OK(post(a.fd, b.id, "without"));
	OK(take(b.fd, &m));
	CHECK(!m.has_seq);
}
