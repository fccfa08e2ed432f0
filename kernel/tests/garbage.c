// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: bus sockets in flight, and when they are collected. */
#include "bus.h"

/*
 * Graphs of bus sockets in flight on bus sockets, with no descriptor left: only a
 * collector can free them. The keeper counts the sockets when the test has ended.
 */
static void put(const struct client *into, const struct client *what)
{
	OK(post_fds(into->accepted, into->id, "x", (int[]){ what->fd, what->accepted }, 2));
}

TEST(socket_in_its_own_queue_is_collected)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	put(&a, &a);
	close_client(&a);
}

TEST(two_sockets_in_each_others_queues_are_collected)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	put(&a, &b);
	put(&b, &a);
	close_client(&a);
	close_client(&b);
}

TEST(ring_with_a_tail_is_collected)
{
	enum { RING = 6 };
	struct bus bus = open_bus("@bus");
	struct client ring[RING], tail = join(&bus);

	for (int i = 0; i < RING; i++)
		ring[i] = join(&bus);
	for (int i = 0; i < RING; i++)
		put(&ring[i], &ring[(i + 1) % RING]);
	put(&tail, &ring[0]);
	for (int i = 0; i < RING; i++)
		close_client(&ring[i]);
	close_client(&tail);
}

/* In 2012 the depth of nesting was never taken back: descriptors were refused for ever. (B19) */
TEST(nested_descriptors_are_never_refused)
{
	struct bus bus = open_bus("@bus");

	for (int round = 0; round < 30; round++) {
		struct client chain[8];

		for (int i = 0; i < 8; i++)
			chain[i] = join(&bus);
		put(&chain[1], &chain[0]);
		for (int i = 2; i < 8; i++)
			OK(post_fds(chain[i].accepted, chain[i].id, "x", &chain[i - 1].fd, 1));
		for (int i = 0; i < 8; i++)
			close_client(&chain[i]);
	}
}

/* Nobody has accepted the connection whose queue holds the listener that holds it. */
TEST(listener_in_the_queue_of_its_own_backlog_is_collected)
{
	struct bus bus = open_bus("@bus");
	int fd = bus_socket();

	OK(connect_bus(fd, &bus));
	OK(post_fds(fd, MASTER, "x", (int[]){ bus.fd, fd }, 2));
	close(fd);
	close(bus.fd);
	/* As with AF_UNIX it takes the end of another socket to set the collector off. */
	close(bus_socket());
}

/* The collector may run while its garbage's neighbours are received and sent on. */
TEST_LONG(passing_sockets_about_survives_the_collector, 60)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), passed = join(&bus);
	struct message m;
	pid_t litterer = OK(fork());

	if (!litterer)
		for (;;) {
			struct client litter = join(&bus);

			put(&litter, &litter);
			close_client(&litter);
		}
	for (int i = 0; i < 300; i++) {
		OK(post_fds(a.fd, b.id, "there", &passed.fd, 1));
		close(passed.fd);
		OK(take(b.fd, &m));
		EQ(1, m.n_fds);
		OK(post_fds(b.fd, a.id, "and back", m.fds, 1));
		close_fds(&m);
		OK(take(a.fd, &m));
		EQ(1, m.n_fds);
		passed.fd = m.fds[0];
	}
	OK(post(a.fd, passed.id, "well?"));
	GETS(passed.fd, a.id, "well?");
	kill(litterer, SIGKILL);
}

/* A multicast puts the same socket into several queues. */
TEST(socket_in_the_queues_of_a_group_is_collected)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));

	OK(post_fds(a.fd, GROUP(2), "x", (int[]){ a.fd, b.fd, a.accepted, b.accepted }, 4));
	close_client(&a);
	close_client(&b);
}

/*
 * The collector frees an eavesdropper's queue, and with its first message the last descriptor of the
 * eavesdropper itself, whose copies are charged to it. There is enough in the queue for the socket
 * to be gone before its last copy.
 */
TEST(eavesdropper_in_its_own_queue_is_collected)
{
	enum { MESSAGES = 300, FDS = 200 };
	struct bus bus = open_bus("@bus");
	struct client a, b, watcher;
	int other = bus_socket(), fds[FDS] = { other };

	for (int i = 1; i < FDS; i++)
		fds[i] = STDIN_FILENO;
	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 2 * MESSAGES));
	a = join(&bus);
	b = join(&bus);
	watcher = join(&bus);
	OK(watch(watcher.accepted));
	OK(post_fds(a.fd, b.id, "itself", &watcher.fd, 1));
	for (int i = 0; i < MESSAGES; i++) {
		OK(post_fds(a.fd, b.id, "another", fds, FDS));
		drain(b.fd);
	}
	close_client(&watcher);
	close(other);
	EVENTUALLY(bus_sockets() == 5);
}

/* A bus socket in a queue of AF_UNIX is alive, whatever holds that queue: this one holds itself. */
TEST(cycle_through_af_unix_is_not_collected)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;
	int pair[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	OK(post_fds(a.fd, b.id, "the way to b", &pair[1], 1));
	send_over_unix(pair[0], b.fd);
	close(b.fd);
	close(bus_socket());		/* lets the collector run */
	OK(post(a.fd, b.id, "still there"));
	OK(take(pair[1], &m));
	EQ(1, m.n_fds);
	GETS(m.fds[0], a.id, "the way to b");
	GETS(m.fds[0], a.id, "still there");
}

TEST(reachable_sockets_in_flight_survive_the_collector)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = join(&bus);
	struct message m;

	put(&a, &b);
	close(b.fd);
	close(b.accepted);
	for (int i = 0; i < 10; i++) {
		struct client d = join(&bus);

		put(&d, &d);
		close_client(&d);
	}
	OK(take(a.fd, &m));
	EQ(2, m.n_fds);
	OK(post(c.fd, b.id, "alive"));
	GETS(m.fds[0], c.id, "alive");
	close_fds(&m);
}

/* No socket is closed after the last that could reach them has been. */
TEST(garbage_needs_no_other_socket_to_be_collected)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	close(bus.fd);
	EQ(2, bus_sockets());
	put(&a, &a);
	close(a.fd);
	close(a.accepted);
	EVENTUALLY(!bus_sockets());
}

/* A bus socket travels over AF_UNIX and back as any descriptor does. */
TEST(bus_sockets_travel_over_af_unix)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;
	int pair[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	send_over_unix(pair[0], a.fd);
	close(a.fd);
	OK(take(pair[1], &m));
	EQ(1, m.n_fds);
	OK(post(m.fds[0], b.id, "from afar"));
	GETS(b.fd, a.id, "from afar");
	OK(post_fds(b.fd, a.id, "a pair", pair, 2));
	struct message got;

	OK(take(m.fds[0], &got));
	EQ(2, got.n_fds);
}
