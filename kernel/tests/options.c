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

/* Only its master sets the policy of a bus. */
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

/* Not every kernel shows it outside of the first network namespace. */
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

/* A capability in a user namespace does not count, since anyone can make one. */
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

/* Charges are counted in 31 bits, and must stay far from the largest number. */
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

/* The call of 2012 read the option by setting it, and had its arguments swapped. */
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
