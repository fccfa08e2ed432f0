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

/* In 2012 the depth of nesting was never taken back: descriptors were refused for ever. */
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

/*
 * A connection in the backlog has the listening socket in its queue, and that socket holds the
 * connection.
 */
TEST(listener_in_the_queue_of_its_own_backlog_is_collected)
{
	struct bus bus = open_bus("@bus");
	int fd = bus_socket();

	OK(connect_bus(fd, &bus));
	OK(post_fds(fd, MASTER, "x", (int[]){ bus.fd, fd }, 2));
	close(fd);
	close(bus.fd);
	/* As with AF_UNIX, the collector starts when another socket closes. */
	close(bus_socket());
}

/* The collector may run while neighbours of its garbage are received and sent on. */
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

/* Two million references for the collector to look at. They go when @heap is closed. */
static void make_heap(struct bus *bus)
{
	enum { MEMBERS = 100, FDS = 250, MESSAGES = 75 };
	struct client a, heap, members[MEMBERS];
	int fds[FDS];

	OK(set_option(bus->fd, BUS_SET_MAXQLEN, 1000000));
	a = join(bus);
	heap = join(bus);
	for (int i = 0; i < MEMBERS; i++)
		members[i] = join_at(bus, ADDRESS(2, i));
	for (int i = 0; i < FDS; i++)
		fds[i] = i % 2 ? a.fd : a.accepted;
	for (int i = 0; i < MESSAGES; i++)
		OK(post_fds(a.fd, GROUP(2), "x", fds, FDS));
	/* A socket that a process has open is not looked into. */
	for (int i = 0; i < MEMBERS; i++) {
		put(&heap, &members[i]);
		close_client(&members[i]);
	}
}

/* Each close starts the collector. */
TEST_LONG(close_waits_for_no_collection, 120)
{
	struct bus bus = open_bus("@bus");
	long alone = CALLS_IN(3000, close(bus_socket())), beside;

	make_heap(&bus);
	beside = CALLS_IN(3000, close(bus_socket()));
	CHECK_NOT_HELD_UP(alone, beside);
}

static void send_itself(const struct client *c)
{
	OK(post_fds(c->accepted, c->id, "x", &c->fd, 1));
	EQ(1, drain(c->fd));
}

/* A user with many sockets in flight waits for the collector; no other user does. */
TEST_LONG(another_user_waits_for_no_collection, 120)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client c = join(&other);
	long alone = CALLS_IN(3000, send_itself(&c)), beside;

	make_heap(&bus);
	OK(setresuid(3, 3, 3));
	beside = CALLS_IN(3000, send_itself(&c));
	CHECK_NOT_HELD_UP(alone, beside);
}

/*
 * A box is a socket with messages. It is kept in the next box, with a descriptor of the first box
 * besides, so that all of them hold each other. Odd boxes are connections that nobody has accepted:
 * there, the listening socket is in flight.
 */
enum { BOXES = 6 };

struct box {
	struct client client;
	int listener;
};

static struct box make_box(struct bus *bus, int i)
{
	struct box box = { .listener = -1 };

	if (i % 2 == 0) {
		box.client = join(bus);
	} else {
		char name[64];
		struct bus own;

		snprintf(name, sizeof(name), "@box %d of %d", i, getpid());
		own = open_bus(name);
		box.listener = own.fd;
		box.client.fd = bus_socket();
		OK(connect_bus(box.client.fd, &own));
	}
	return box;
}

static void put_into_box(struct box *box, int sender, const int *fds, int n)
{
	if (box->listener < 0)
		OK(post_fds(sender, box->client.id, "box", fds, n));
	else
		OK(post_fds(box->client.fd, MASTER, "box", fds, n));
}

static int fd_of_box(const struct box *box)
{
	return box->listener < 0 ? box->client.fd : box->listener;
}

/* From now on no process has it open. */
static void close_box(struct box *box)
{
	close(box->client.fd);
	if (box->listener < 0)
		close(box->client.accepted);
	else
		close(box->listener);
}

/* Return: what is in the box that was found under @fd. There must be something. */
static void take_out_of_box(int fd, int is_listener, struct message *m, int flags)
{
	int from = is_listener ? OK(accept(fd, NULL, NULL)) : fd;

	if (flags & MSG_PEEK) {
		OK(take_flags(from, m, MSG_DONTWAIT | MSG_PEEK));
		close_fds(m);
	}
	OK(take(from, m));
	CHECK(same_text(m, "box"));
	EQ(2, m->n_fds);
	if (is_listener)
		close(from);
}

static void pack_and_unpack(struct bus *bus, const struct client *sender, unsigned int *dice)
{
	struct box boxes[BOXES];
	struct message m;
	int fd;

	for (int i = 0; i < BOXES; i++)
		boxes[i] = make_box(bus, i);
	for (int i = BOXES - 1; i; i--)
		put_into_box(&boxes[i - 1], sender->fd,
			     (int[]){ fd_of_box(&boxes[i]), fd_of_box(&boxes[0]) }, 2);
	put_into_box(&boxes[BOXES - 1], sender->fd,
		     (int[]){ fd_of_box(&boxes[0]), STDIN_FILENO }, 2);
	fd = dup(fd_of_box(&boxes[0]));
	for (int i = 0; i < BOXES; i++)
		close_box(&boxes[i]);

	for (int i = 0; i < BOXES; i++) {
		take_out_of_box(fd, i % 2, &m, rand_r(dice) % 2 ? MSG_PEEK : 0);
		close(fd);
		fd = m.fds[0];
		close(m.fds[1]);
	}
	close(fd);
}

/*
 * The collector runs all the time. Without one descriptor that a process holds, all would be
 * garbage.
 */
TEST_LONG(boxes_within_boxes_survive_the_collector, 120)
{
	enum { PACKERS = 3, ROUNDS = 150 };
	pid_t litterer;

	litterer = OK(fork());
	if (!litterer) {
		struct bus bus = open_bus("@litter");

		for (;;) {
			struct client litter = join(&bus);

			put(&litter, &litter);
			close_client(&litter);
		}
	}
	for (int i = 0; i < PACKERS; i++)
		if (!OK(fork())) {
			unsigned int dice = i + 1;
			char name[64];
			struct bus bus;
			struct client sender;

			snprintf(name, sizeof(name), "@packer %d", i);
			bus = open_bus(name);
			sender = join(&bus);
			for (int round = 0; round < ROUNDS; round++)
				pack_and_unpack(&bus, &sender, &dice);
			_exit(PASSED);
		}
	for (int i = 0; i < PACKERS; i++) {
		int status;

		OK(wait(&status));
		EQ(PASSED, status);
	}
	kill(litterer, SIGKILL);
}

/* The same boxes, of which no process holds one. */
TEST(boxes_within_boxes_are_collected)
{
	struct bus bus = open_bus("@bus");
	struct client sender = join(&bus);
	struct box boxes[BOXES];

	for (int i = 0; i < BOXES; i++)
		boxes[i] = make_box(&bus, i);
	for (int i = 0; i < BOXES; i++)
		put_into_box(&boxes[i], sender.fd, (int[]){ fd_of_box(&boxes[(i + 1) % BOXES]) }, 1);
	for (int i = 0; i < BOXES; i++)
		close_box(&boxes[i]);
	EVENTUALLY(bus_sockets() == 3);
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
 * The collector frees an eavesdropper's queue, and with the first message in it the last descriptor
 * of the eavesdropper itself, to which the copies are charged. The queue is long enough for the
 * socket to be gone before its last copy.
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

/*
 * A bus socket in a queue of AF_UNIX counts as alive, whatever holds that queue: this queue holds
 * itself.
 */
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

/*
 * The last descriptor by which they could be reached is closed last: no later close starts the
 * collector.
 */
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

/* A bus socket travels over AF_UNIX and back like any other descriptor. */
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
