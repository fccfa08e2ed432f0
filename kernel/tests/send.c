// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 3: destinations, groups, sizes. */
#include "bus.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

static ssize_t plain(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t post_path(int fd, const char *path, uint64_t to, const char *text, socklen_t len)
{
	struct sockaddr_bus name = bus_name(path, to);

	return sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		      (struct sockaddr *)&name, len);
}

TEST(no_destination_is_the_master_or_the_masters_client)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join(&bus);

	OK(plain(a.fd, "from a"));
	OK(plain(b.fd, "from b"));
	GETS(a.accepted, a.id, "from a");
	GETS(b.accepted, b.id, "from b");
	OK(plain(a.accepted, "to a"));
	OK(plain(b.accepted, "to b"));
	GETS(a.fd, MASTER, "to a");
	GETS(b.fd, MASTER, "to b");
}

TEST(address_0_of_a_client_is_its_accepted_socket)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join(&bus);

	OK(post(a.fd, MASTER, "from a"));
	OK(post(b.fd, MASTER, "from b"));
	GETS(a.accepted, a.id, "from a");
	GETS(b.accepted, b.id, "from b");
	GETS_NOTHING(a.accepted);
}

/* As programs of 2012 do it, whose daemon gives the bus and no address. */
TEST(address_0_of_an_accepted_socket_is_its_client)
{
	struct bus bus = open_bus("bus");
	struct client a = attach(&bus), b = join(&bus);
	socklen_t whole = sizeof(struct sockaddr_bus);

	OK(post(a.accepted, MASTER, "to a"));
	OK(post(b.accepted, MASTER, "to b"));
	OK(post_path(b.accepted, "bus", MASTER, "by path", whole));
	GETS(a.fd, MASTER, "to a");
	GETS(b.fd, MASTER, "to b");
	GETS(b.fd, MASTER, "by path");
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.accepted);
	close(b.fd);
	FAILS(EPIPE, post(b.accepted, MASTER, "x"));
}

static const struct {
	const char *name;
	uint64_t to;
} beyond_master[] = {
	{ "unicast", 2 },
	{ "itself", 1 },
	{ "nobody", 99 },
	{ "given_address", ADDRESS(2, 1) },
	{ "unheld_address", ADDRESS(2, 9) },
	{ "group", GROUP(2) },
	{ "empty_group", GROUP(9) },
	{ "everyone", EVERYONE },
};

TEST_EACH(client_not_joined_reaches_the_master_only, beyond_master)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join_at(&bus, ADDRESS(2, 1));

	FAILS(EHOSTUNREACH, post(a.fd, row->to, "x"));
	GETS_NOTHING(b.fd);
	GETS_NOTHING(a.accepted);
	OK(post(a.fd, MASTER, "please"));
	GETS(a.accepted, a.id, "please");
	OK(let_join(a.accepted));
	OK(post(a.fd, 2, "now"));
	GETS(b.fd, a.id, "now");
}

/* A path that is not all zeros, although no bus can have that name. */
static ssize_t post_empty_name(int fd, uint64_t to)
{
	struct sockaddr_bus name = bus_name(NULL, to);

	name.sbus_path[2] = 'x';
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof(name));
}

/* In 2012 the destination's path was overwritten with the sender's own. */
TEST(path_of_another_bus_is_unreachable)
{
	struct bus bus = open_bus("bus"), other = open_bus("other");
	struct client a = join(&bus), b = join(&bus), c = join(&other);
	socklen_t whole = sizeof(struct sockaddr_bus);

	FAILS(EHOSTUNREACH, post_path(a.fd, "other", b.id, "x", whole));
	FAILS(EHOSTUNREACH, post_path(a.fd, "other", MASTER, "x", whole));
	FAILS(EHOSTUNREACH, post_path(a.fd, "bu", b.id, "x", whole));
	FAILS(EHOSTUNREACH, post_path(a.fd, "bus2", b.id, "x", whole));
	FAILS(EHOSTUNREACH, post_path(a.fd, "@bus", b.id, "x", whole));
	FAILS(EHOSTUNREACH, post_path(a.accepted, "other", b.id, "x", whole));
	FAILS(EHOSTUNREACH, post_empty_name(a.fd, b.id));
	GETS_NOTHING(b.fd);
	GETS_NOTHING(c.fd);
	GETS_NOTHING(a.accepted);
}

TEST(own_path_is_as_good_as_none)
{
	struct bus bus = open_bus("bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post_path(a.fd, "bus", b.id, "whole", sizeof(struct sockaddr_bus)));
	GETS(b.fd, a.id, "whole");
	OK(post_path(a.fd, "bus", b.id, "short", offsetof(struct sockaddr_bus, sbus_path) + 4));
	GETS(b.fd, a.id, "short");
	OK(post_path(a.accepted, "bus", b.id, "master", sizeof(struct sockaddr_bus)));
	GETS(b.fd, MASTER, "master");
}

TEST(path_used_to_connect_is_good_too)
{
	struct bus bus = open_bus("bus");
	struct client b = join(&bus);
	int fd = bus_socket(), accepted;

	OK(symlink("bus", "link"));
	OK(connect_to(fd, "link"));
	accepted = OK(accept(bus.fd, NULL, NULL));
	OK(let_join(accepted));
	OK(post_path(fd, "link", b.id, "link", sizeof(struct sockaddr_bus)));
	GETS(b.fd, 2, "link");
	OK(post_path(fd, "bus", b.id, "bus", sizeof(struct sockaddr_bus)));
	GETS(b.fd, 2, "bus");
	FAILS(EHOSTUNREACH, post_path(b.fd, "link", 2, "x", sizeof(struct sockaddr_bus)));
}

TEST(address_without_a_path_needs_16_bytes)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post_path(a.fd, NULL, b.id, "short", offsetof(struct sockaddr_bus, sbus_path)));
	GETS(b.fd, a.id, "short");
	for (socklen_t len = 1; len < offsetof(struct sockaddr_bus, sbus_path); len++)
		FAILS(EINVAL, post_path(a.fd, NULL, b.id, "x", len));
}

TEST(destination_of_a_wrong_family_or_length_fails)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char space[200] = "";
	struct sockaddr_bus *name = (struct sockaddr_bus *)space;

	*name = bus_name(NULL, b.id);
	FAILS(EINVAL, sendto(a.fd, "x", 1, 0, (struct sockaddr *)name, sizeof(*name) + 1));
	name->sbus_family = AF_UNIX;
	FAILS(EINVAL, sendto(a.fd, "x", 1, 0, (struct sockaddr *)name, sizeof(*name)));
	GETS_NOTHING(b.fd);
}

TEST(unicast_reaches_the_holder_by_each_of_its_addresses)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = join(&bus);

	OK(add_address(b.accepted, ADDRESS(2, 1)));
	OK(add_address(b.accepted, ADDRESS(3, 1)));
	OK(post(a.fd, b.id, "by id"));
	OK(post(a.fd, ADDRESS(2, 1), "by 2/1"));
	OK(post(a.fd, ADDRESS(3, 1), "by 3/1"));
	GETS(b.fd, a.id, "by id");
	GETS(b.fd, a.id, "by 2/1");
	GETS(b.fd, a.id, "by 3/1");
	GETS_NOTHING(a.fd);
	GETS_NOTHING(c.fd);
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.accepted);
}

TEST(client_may_write_to_itself)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1));

	OK(post(a.fd, a.id, "me"));
	OK(post(a.fd, ADDRESS(2, 1), "me again"));
	GETS(a.fd, a.id, "me");
	GETS(a.fd, a.id, "me again");
}

static const struct {
	const char *name;
	uint64_t to;
} unheld[] = {
	{ "never_held", ADDRESS(2, 9) },
	{ "prefix_0_never_given", 99 },
	{ "client_not_joined", 3 },
	{ "address_of_a_client_not_joined", ADDRESS(3, 3) },
	{ "taken_back", ADDRESS(2, 2) },
	{ "client_gone", 4 },
	{ "address_of_a_client_gone", ADDRESS(4, 4) },
};

/*
 * Default route: a message to an address that nobody holds arrives at the sender's own accepted
 * socket.
 */
TEST_EACH(unheld_address_goes_to_the_master, unheld)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 2)), c = attach(&bus);
	struct client d = join_at(&bus, ADDRESS(4, 4));

	OK(add_address(c.accepted, ADDRESS(3, 3)));
	OK(del_address(b.accepted, ADDRESS(2, 2)));
	close(d.fd);
	OK(post(a.fd, row->to, "lost?"));
	GETS(a.accepted, a.id, "lost?");
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.fd);
	GETS_NOTHING(b.accepted);
	GETS_NOTHING(c.fd);
}

TEST_EACH(masters_own_default_route_is_the_socket_it_wrote_to, unheld)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 2)), c = attach(&bus);
	struct client d = join_at(&bus, ADDRESS(4, 4));

	OK(add_address(c.accepted, ADDRESS(3, 3)));
	OK(del_address(b.accepted, ADDRESS(2, 2)));
	close(d.fd);
	OK(post(a.accepted, row->to, "back"));
	GETS(a.accepted, MASTER, "back");
	GETS_NOTHING(a.fd);
	GETS_NOTHING(b.accepted);
}

TEST(master_reaches_every_client_through_any_accepted_socket)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	OK(post(a.accepted, b.id, "by id"));
	OK(post(a.accepted, ADDRESS(2, 1), "by address"));
	GETS(b.fd, MASTER, "by id");
	GETS(b.fd, MASTER, "by address");
	GETS_NOTHING(a.fd);
}

TEST(multicast_reaches_each_member_once)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = join(&bus), d = join_at(&bus, ADDRESS(3, 1));

	OK(add_address(b.accepted, ADDRESS(2, 1)));
	OK(add_address(b.accepted, ADDRESS(2, 2)));
	OK(add_address(b.accepted, ADDRESS(2, 3)));
	OK(add_address(c.accepted, ADDRESS(2, 4)));
	OK(post(a.fd, GROUP(2), "to 2"));
	GETS(b.fd, a.id, "to 2");
	GETS(c.fd, a.id, "to 2");
	GETS_NOTHING(a.fd);
	GETS_NOTHING(b.fd);
	GETS_NOTHING(c.fd);
	GETS_NOTHING(d.fd);
	GETS_NOTHING(a.accepted);
}

TEST(sender_that_is_a_member_gets_its_own_copy)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));

	OK(post(a.fd, GROUP(2), "to all of us"));
	GETS(a.fd, a.id, "to all of us");
	GETS(b.fd, a.id, "to all of us");
	GETS_NOTHING(a.fd);
}

TEST(group_without_members_swallows_the_message)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = attach(&bus);

	OK(add_address(b.accepted, ADDRESS(2, 1)));
	EQ(1, OK(post(a.fd, GROUP(2), "x")));
	EQ(1, OK(post(a.fd, GROUP(9), "x")));
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.fd);
}

TEST(member_that_lost_its_last_address_in_the_group_is_out)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	OK(add_address(b.accepted, ADDRESS(2, 2)));
	OK(del_address(b.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, GROUP(2), "in"));
	GETS(b.fd, a.id, "in");
	OK(del_address(b.accepted, ADDRESS(2, 2)));
	OK(post(a.fd, GROUP(2), "out"));
	GETS_NOTHING(b.fd);
}

TEST(everyone_is_every_joined_client)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = attach(&bus);

	OK(post(a.fd, EVERYONE, "all"));
	GETS(a.fd, a.id, "all");
	GETS(b.fd, a.id, "all");
	GETS_NOTHING(c.fd);
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.accepted);
}

TEST(master_multicasts_through_any_accepted_socket)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = attach(&bus);

	OK(post(a.accepted, GROUP(2), "to 2"));
	OK(post(c.accepted, EVERYONE, "to all"));
	GETS(b.fd, MASTER, "to 2");
	GETS(b.fd, MASTER, "to all");
	GETS(a.fd, MASTER, "to all");
	GETS_NOTHING(c.fd);
}

TEST(buses_do_not_hear_each_other)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client a = join(&bus), b = join_at(&other, ADDRESS(2, 1));

	OK(post(a.fd, EVERYONE, "all"));
	OK(post(a.fd, GROUP(2), "group"));
	GETS(a.fd, a.id, "all");
	GETS_NOTHING(b.fd);
	OK(post(a.fd, ADDRESS(2, 1), "unheld here"));
	GETS(a.accepted, a.id, "unheld here");
	GETS_NOTHING(b.fd);
}

static size_t largest(int fd)
{
	return socket_option(fd, SO_SNDBUF) - 32;
}

static char data[400000], copy[400000];

static void fill_pattern(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
}

static const struct {
	const char *name;
	uint64_t to;
} kinds[] = {
	{ "unicast", 2 }, { "group", GROUP(2) }, { "master", MASTER },
};

TEST_EACH(largest_message_arrives_whole_and_a_larger_one_fails, kinds)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int target = row->to == MASTER ? a.accepted : b.fd;
	size_t most = largest(a.fd);

	fill_pattern();
	FAILS(EMSGSIZE, send_bytes(a.fd, row->to, data, most + 1, MSG_DONTWAIT));
	GETS_NOTHING(target);
	EQ(most, OK(send_bytes(a.fd, row->to, data, most, MSG_DONTWAIT)));
	EQ(most, OK(recv(target, copy, sizeof(copy), MSG_DONTWAIT)));
	CHECK(!memcmp(data, copy, most));
}

TEST_EACH(payloads_of_every_size_arrive_whole, kinds)
{
	static const size_t sizes[] = { 1, 2, 31, 4095, 4096, 4097, 20000, 32768, 65536, 131071 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int target = row->to == MASTER ? a.accepted : b.fd;

	fill_pattern();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EQ(sizes[i], OK(send_bytes(a.fd, row->to, data, sizes[i], MSG_DONTWAIT)));
		EQ(sizes[i], OK(recv(target, copy, sizeof(copy), MSG_DONTWAIT)));
		CHECK(!memcmp(data, copy, sizes[i]));
	}
}

TEST(lengths_beyond_any_buffer_fail)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	struct iovec iov = { data, 1UL << 40 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	FAILS(EMSGSIZE, sendmsg(a.fd, &msg, MSG_DONTWAIT));
}

TEST_EACH(message_of_length_0_is_a_message, kinds)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int target = row->to == MASTER ? a.accepted : b.fd;
	struct message m;

	EQ(0, OK(post(a.fd, row->to, "")));
	OK(post(a.fd, row->to, "after"));
	CHECK(events(target) & POLLIN);
	EQ(0, OK(take(target, &m)));
	EQ(a.id, m.from.sbus_addr.s_addr);
	GETS(target, a.id, "after");
	GETS_NOTHING(target);
}

TEST(out_of_band_fails)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;

	FAILS(EOPNOTSUPP, send_bytes(a.fd, b.id, "x", 1, MSG_OOB));
	FAILS(EOPNOTSUPP, send(a.fd, "x", 1, MSG_OOB));
	FAILS(EOPNOTSUPP, take_flags(b.fd, &m, MSG_OOB));
	GETS_NOTHING(b.fd);
}

TEST(messages_keep_their_boundaries)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post(a.fd, b.id, "one"));
	OK(post(a.fd, b.id, "two"));
	GETS(b.fd, a.id, "one");
	GETS(b.fd, a.id, "two");
}

TEST(scattered_payload_arrives_as_one)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	struct iovec parts[] = { { "scat", 4 }, { "", 0 }, { "tered", 5 } };

	EQ(9, OK(writev(a.fd, parts, 3)));
	GETS(a.accepted, a.id, "scattered");
}

TEST(batches_of_messages_work)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct sockaddr_bus to = bus_name(NULL, b.id);
	struct iovec out[2] = { { "one", 3 }, { "four", 4 } }, in[2] = { { copy, 9 }, { copy + 9, 9 } };
	struct mmsghdr batch[2] = {
		{ .msg_hdr = { &to, sizeof(to), &out[0], 1, NULL, 0, 0 } },
		{ .msg_hdr = { &to, sizeof(to), &out[1], 1, NULL, 0, 0 } },
	};

	EQ(2, OK(sendmmsg(a.fd, batch, 2, MSG_DONTWAIT)));
	for (int i = 0; i < 2; i++)
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
	EQ(2, OK(recvmmsg(b.fd, batch, 2, MSG_DONTWAIT, NULL)));
	EQ(3, batch[0].msg_len);
	EQ(4, batch[1].msg_len);
	CHECK(!memcmp(copy + 9, "four", 4));
}

TEST_EACH(bad_payload_pointer_reaches_nobody, kinds)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	FAILS(EFAULT, send_bytes(a.fd, row->to, (void *)8, 100, MSG_DONTWAIT));
	GETS_NOTHING(a.accepted);
	GETS_NOTHING(b.fd);
}

/* Spliced bytes become messages, as on any socket of this type. */
TEST(splice_and_sendfile_send)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);
	int file = OK(open("file", O_CREAT | O_RDWR, 0600)), pipes[2];

	OK(pipe(pipes));
	EQ(6, OK(write(pipes[1], "splice", 6)));
	EQ(6, OK(splice(pipes[0], NULL, a.fd, NULL, 6, 0)));
	GETS(a.accepted, a.id, "splice");
	EQ(8, OK(write(file, "sendfile", 8)));
	EQ(8, OK(sendfile(a.fd, file, &(off_t){ 0 }, 8)));
	GETS(a.accepted, a.id, "sendfile");
}

/* Both ends of a socket pair on one bus behave like any two clients. */
TEST(read_and_write_talk_with_the_master)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);
	char buffer[16];

	EQ(5, OK(write(a.fd, "hello", 5)));
	EQ(5, OK(read(a.accepted, buffer, sizeof(buffer))));
	EQ(3, OK(write(a.accepted, "you", 3)));
	EQ(3, OK(read(a.fd, buffer, sizeof(buffer))));
}
