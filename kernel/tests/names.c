// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 2: the name that a socket shows, and the source that messages show. */
#include "bus.h"

typedef int (*ask)(int fd, struct sockaddr *name, socklen_t *len);

/* The kernel writes the whole struct, with zeros as padding, and this address and path in it. */
static void says(ask call, int fd, uint64_t addr, const char *path)
{
	struct sockaddr_bus got, want = bus_name(path, addr);
	socklen_t len = sizeof(got);

	memset(&got, 0xee, sizeof(got));
	OK(call(fd, (struct sockaddr *)&got, &len));
	EQ(sizeof(got), len);
	EQ(addr, got.sbus_addr.s_addr);
	CHECK(!memcmp(&got, &want, sizeof(got)));
}

static const struct {
	const char *name, *path;
} paths[] = { { "pathname", "bus" }, { "abstract", "@bus" } };

TEST_EACH(everybody_is_named_by_the_table, paths)
{
	struct bus bus = open_bus(row->path);
	struct client a = attach(&bus), b = attach(&bus);

	says(getsockname, bus.fd, MASTER, row->path);
	says(getsockname, a.accepted, MASTER, row->path);
	says(getsockname, a.fd, 1, row->path);
	says(getsockname, b.fd, 2, row->path);
	says(getpeername, a.fd, MASTER, row->path);
	says(getpeername, b.accepted, 2, row->path);
	OK(let_join(a.accepted));
	says(getsockname, a.fd, 1, row->path);
	says(getpeername, a.accepted, 1, row->path);
}

TEST(unbound_socket_has_no_name)
{
	says(getsockname, bus_socket(), MASTER, NULL);
}

TEST(unconnected_sockets_have_no_peer)
{
	struct bus bus = open_bus("@bus");
	struct sockaddr_bus name;
	socklen_t len = sizeof(name);

	FAILS(ENOTCONN, getpeername(bus_socket(), (struct sockaddr *)&name, &len));
	FAILS(ENOTCONN, getpeername(bus.fd, (struct sockaddr *)&name, &len));
}

/* A client that used another path to the inode is shown the path of the bus. */
TEST(client_shows_the_path_that_was_bound)
{
	struct bus bus = open_bus("bus");
	int fd = bus_socket();

	OK(symlink("bus", "link"));
	OK(connect_to(fd, "link"));
	says(getsockname, fd, 1, "bus");
	says(getpeername, fd, MASTER, "bus");
	says(getsockname, OK(accept(bus.fd, NULL, NULL)), MASTER, "bus");
}

/* Addresses that the master gives do not change a client's name. */
TEST(added_addresses_do_not_show)
{
	struct bus bus = open_bus("@bus");
	struct client c = join_at(&bus, ADDRESS(2, 5));

	says(getsockname, c.fd, 1, "@bus");
	says(getpeername, c.accepted, 1, "@bus");
}

TEST(short_buffer_gets_a_part_and_the_true_length)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	char bytes[24];
	socklen_t len = 16;

	memset(bytes, 0xee, sizeof(bytes));
	OK(getsockname(c.fd, (struct sockaddr *)bytes, &len));
	EQ(sizeof(struct sockaddr_bus), len);
	for (int i = 16; i < 24; i++)
		EQ((char)0xee, bytes[i]);
}

TEST(prefix_0_addresses_count_up_from_1_on_each_bus)
{
	struct bus one = open_bus("@one"), two = open_bus("@two");

	for (unsigned int i = 1; i <= 5; i++) {
		EQ(i, attach(&one).id);
		EQ(i, attach(&two).id);
	}
}

TEST(prefix_0_addresses_are_never_used_again)
{
	struct bus bus = open_bus("@bus");

	for (unsigned int i = 1; i <= 20; i++) {
		struct client c = join(&bus);

		EQ(i, c.id);
		close_client(&c);
	}
}

/* Refused connections leave no trace: numbers may be skipped, but never used twice. */
TEST(refused_connections_repeat_no_address)
{
	struct bus bus = open_bus("@bus");
	uint64_t last = 0;

	for (int i = 0; i < 5; i++) {
		struct client c = attach(&bus);

		CHECK(c.id > last);
		last = c.id;
		FAILS(EISCONN, connect_bus(c.fd, &bus));
	}
}

static const struct {
	const char *name;
	uint64_t to;
} destinations[] = {
	{ "prefix_0", 2 },
	{ "given_address", ADDRESS(3, 0xbeef) },
	{ "group", GROUP(3) },
	{ "everyone", EVERYONE },
};

/*
 * In 2012 a multicast showed its receiver's address as the source, and recvfrom a path without its
 * end.
 */
TEST_EACH(source_is_the_senders_prefix_0_address, destinations)
{
	struct bus bus = open_bus("some-longer-path");
	struct client a = join_at(&bus, ADDRESS(3, 1)), b = join_at(&bus, ADDRESS(3, 0xbeef));
	struct sockaddr_bus want = bus_name("some-longer-path", a.id);
	struct message m;

	OK(post(a.fd, row->to, "hello"));
	OK(take(b.fd, &m));
	CHECK(same_text(&m, "hello"));
	EQ(sizeof(want), m.from_len);
	CHECK(!memcmp(&m.from, &want, sizeof(want)));
}

TEST_EACH(source_of_the_masters_messages_is_0, destinations)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(3, 0xbeef));

	OK(post(a.accepted, row->to, "hello"));
	GETS(b.fd, MASTER, "hello");
}

TEST(source_at_the_master_is_the_clients_prefix_0_address)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join_at(&bus, ADDRESS(3, 3));

	OK(post(a.fd, MASTER, "one"));
	OK(post(b.fd, MASTER, "two"));
	GETS(a.accepted, a.id, "one");
	GETS(b.accepted, b.id, "two");
}

/* In 2012 the source was read from the sender, which may have closed. */
TEST(source_outlives_the_sender)
{
	struct bus bus = open_bus("bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(3, 3));
	struct sockaddr_bus want = bus_name("bus", a.id);
	struct message m;

	OK(post(a.fd, b.id, "unicast"));
	OK(post(a.fd, GROUP(3), "multicast"));
	close_client(&a);
	OK(take(b.fd, &m));
	CHECK(!memcmp(&m.from, &want, sizeof(want)));
	OK(take(b.fd, &m));
	CHECK(!memcmp(&m.from, &want, sizeof(want)));
}
