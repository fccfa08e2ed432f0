// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 5: expelling, leaving, closing, dying. */
#include "bus.h"

TEST(expelled_client_drains_its_queue_then_reads_the_end)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post(a.fd, b.id, "one"));
	OK(post(a.fd, b.id, "two"));
	OK(shutdown(b.accepted, SHUT_RDWR));
	CHECK(events(b.fd) & POLLHUP);
	CHECK(events(b.fd) & POLLRDHUP);
	GETS(b.fd, a.id, "one");
	GETS(b.fd, a.id, "two");
	ENDS(b.fd);
}

static const struct {
	const char *name;
	uint64_t to;
} destinations[] = {
	{ "unicast", 2 },
	{ "itself", 1 },
	{ "group", GROUP(2) },
	{ "empty_group", GROUP(9) },
	{ "everyone", EVERYONE },
	{ "master", MASTER },
	{ "default_route", 99 },
};

/* In 2012 an expelled client went on talking to everybody. */
TEST_EACH(expelled_client_cannot_send, destinations)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	OK(shutdown(a.accepted, SHUT_RDWR));
	FAILS(EPIPE, post(a.fd, row->to, "x"));
	GETS_NOTHING(b.fd);
	ENDS(a.accepted);
}

TEST(send_to_nobody_raises_no_signal)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(shutdown(a.accepted, SHUT_RDWR));
	signal(SIGPIPE, SIG_DFL);
	FAILS(EPIPE, send(a.fd, "x", 1, MSG_DONTWAIT));
	FAILS(EPIPE, write(a.fd, "x", 1));
}

/* An expelled client is no member and holds no address, from that moment. */
TEST(expelled_client_is_off_the_bus)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join(&bus);

	OK(shutdown(b.accepted, SHUT_RDWR));
	OK(post(a.fd, b.id, "unicast"));
	OK(post(a.fd, ADDRESS(2, 1), "address"));
	OK(post(a.fd, GROUP(2), "group"));
	OK(post(a.fd, EVERYONE, "all"));
	GETS(a.accepted, a.id, "unicast");
	GETS(a.accepted, a.id, "address");
	GETS_NOTHING(a.accepted);
	ENDS(b.fd);
	OK(add_address(c.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, ADDRESS(2, 1), "new holder"));
	GETS(c.fd, a.id, "all");
	GETS(c.fd, a.id, "new holder");
}

TEST(expelled_client_that_never_joined_is_cut_off)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);

	OK(shutdown(a.accepted, SHUT_RDWR));
	ENDS(a.fd);
	FAILS(EPIPE, post(a.fd, MASTER, "x"));
	CHECK(let_join(a.accepted) < 0);
}

TEST(expelling_wakes_a_waiting_reader)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	struct message m;

	if (!OK(fork())) {
		EVENTUALLY(sleeps_in_call(getppid()));
		OK(shutdown(a.accepted, SHUT_RDWR));
		_exit(PASSED);
	}
	EQ(0, OK(take_flags(a.fd, &m, 0)));
}

TEST(expelling_wakes_a_waiting_sender)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct job j;

	fill(a.fd, b.id);
	start_send(&j, a.fd, b.id, "x");
	await_block(&j);
	OK(shutdown(a.accepted, SHUT_RDWR));
	ends_with(&j, EPIPE);
	EQ(ROOM, drain(b.fd));
}

static void be_expelled(const struct client *c, const struct client *from)
{
	(void)from;
	OK(shutdown(c->accepted, SHUT_RDWR));
}

static void leave_by_itself(const struct client *c, const struct client *from)
{
	(void)from;
	OK(shutdown(c->fd, SHUT_RDWR));
}

static void be_evicted(const struct client *c, const struct client *from)
{
	for (int i = 0; i <= ROOM; i++)
		OK(post(from->fd, c->id, "filler"));
}

static const struct {
	const char *name;
	void (*end)(const struct client *c, const struct client *from);
} endings[] = {
	{ "expelled", be_expelled },
	{ "by_itself", leave_by_itself },
	{ "evicted", be_evicted },
};

static void *await_hangup(void *data)
{
	struct job *j = data;
	struct pollfd p = { .fd = j->fd, .events = POLLPRI };

	j->tid = syscall(SYS_gettid);
	OK(poll(&p, 1, -1));
	CHECK(p.revents & POLLHUP);
	j->done = 1;
	return NULL;
}

/* However many they are, on both ends. */
TEST_EACH(all_who_sleep_on_a_socket_are_woken_at_its_end, endings)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus), a = join(&bus);
	struct job sleepers[60];

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		sleepers[i] = (struct job){ .fd = i % 2 ? c.fd : c.accepted };
		start_job(&sleepers[i], await_hangup);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
		await_block(&sleepers[i]);
	row->end(&c, &a);
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
		await_end(&sleepers[i]);
}

/* The recipient that a sender waits for goes away: the sender goes on. */
TEST(sender_waiting_for_one_recipient_goes_on_when_it_dies)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct job j;

	fill(a.fd, b.id);
	start_send(&j, a.fd, b.id, "x");
	await_block(&j);
	close(b.fd);
	await_end(&j);
	EQ(0, j.err);
}

TEST(shutdown_of_its_own_halves)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(shutdown(a.fd, SHUT_WR));
	FAILS(EPIPE, post(a.fd, b.id, "x"));
	FAILS(EPIPE, post(a.fd, MASTER, "x"));
	OK(post(b.fd, a.id, "still reads"));
	GETS(a.fd, b.id, "still reads");
	OK(shutdown(a.fd, SHUT_RD));
	EQ(0, recv(a.fd, &b, 1, MSG_DONTWAIT));
	FAILS(EINVAL, shutdown(a.fd, 7));
	FAILS(ENOTCONN, shutdown(bus_socket(), SHUT_RDWR));
}

/* What a client that has not joined could still say or hear is between it and the master. */
TEST(master_shuts_halves_of_a_client_that_has_not_joined)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = attach(&bus), c = join(&bus), d = join(&bus);
	struct message m;

	OK(shutdown(a.accepted, SHUT_RD));
	FAILS(EPIPE, post(a.fd, MASTER, "x"));
	CHECK(!(events(a.fd) & (POLLHUP | POLLRDHUP)));
	OK(send(a.accepted, "still reads", 11, MSG_DONTWAIT));
	GETS(a.fd, MASTER, "still reads");

	OK(shutdown(b.accepted, SHUT_WR));
	FAILS(EPIPE, send(b.accepted, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	EQ(0, OK(take(b.fd, &m)));
	CHECK(events(b.fd) & POLLRDHUP);

	/* One that has joined goes on with the others. */
	OK(shutdown(c.accepted, SHUT_RD));
	FAILS(EPIPE, post(c.fd, MASTER, "x"));
	OK(post(c.fd, d.id, "still sends"));
	GETS(d.fd, c.id, "still sends");
	OK(shutdown(d.accepted, SHUT_WR));
	OK(post(c.fd, d.id, "still reads"));
	GETS(d.fd, c.id, "still reads");
}

/* The master leaves: clients that have joined go on among themselves, under the policy in force. */
TEST(joined_clients_go_on_without_the_accepted_sockets)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));

	close(a.accepted);
	close(b.accepted);
	OK(post(a.fd, b.id, "unicast"));
	OK(post(a.fd, ADDRESS(2, 2), "address"));
	OK(post(b.fd, GROUP(2), "group"));
	GETS(b.fd, a.id, "unicast");
	GETS(b.fd, a.id, "address");
	GETS(b.fd, b.id, "group");
	GETS(a.fd, b.id, "group");
	CHECK(!(events(a.fd) & (POLLHUP | POLLERR)));
	CHECK(events(a.fd) & POLLOUT);
}

TEST(master_that_left_refuses_messages)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	close(a.accepted);
	FAILS(ECONNREFUSED, post(a.fd, MASTER, "x"));
	FAILS(ECONNREFUSED, send(a.fd, "x", 1, MSG_DONTWAIT));
	FAILS(ECONNREFUSED, post(a.fd, 99, "x"));
	FAILS(ECONNREFUSED, post(a.fd, ADDRESS(5, 5), "x"));
	OK(post(b.fd, MASTER, "mine is open"));
	GETS(b.accepted, b.id, "mine is open");
}

TEST(sender_waiting_for_the_master_is_refused_when_it_leaves)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	struct job j;

	fill(a.fd, MASTER);
	start_send(&j, a.fd, MASTER, "x");
	await_block(&j);
	close(a.accepted);
	ends_with(&j, ECONNREFUSED);
}

TEST(client_not_joined_is_cut_off_when_the_master_leaves)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);

	OK(send(a.accepted, "last words", 10, MSG_DONTWAIT));
	close(a.accepted);
	CHECK(events(a.fd) & POLLHUP);
	GETS(a.fd, MASTER, "last words");
	ENDS(a.fd);
	CHECK(post(a.fd, MASTER, "x") < 0);
}

/* As with AF_UNIX, what the client sent is lost unread, and the client is told. */
TEST(client_not_joined_that_was_not_heard_is_reset)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);

	OK(post(a.fd, MASTER, "unread"));
	close(a.accepted);
	CHECK(events(a.fd) & POLLHUP);
	EQ(ECONNRESET, socket_option(a.fd, SO_ERROR));
	ENDS(a.fd);
	FAILS(EPIPE, post(a.fd, MASTER, "x"));
}

/* The process of the master is killed: the effect is the same as above. */
TEST(death_of_the_master_leaves_the_joined_talking)
{
	struct client a, b;
	int fds[2], status;
	pid_t master;
	struct bus bus = { .name = bus_name("@bus", 0) };
	char ready;

	OK(pipe(fds));
	master = OK(fork());
	if (!master) {
		int accepted[2];

		bus = open_bus("@bus");
		OK(write(fds[1], "!", 1));
		for (int i = 0; i < 2; i++) {
			accepted[i] = OK(accept(bus.fd, NULL, NULL));
			OK(let_join(accepted[i]));
			OK(send(accepted[i], "welcome", 7, 0));
		}
		pause();
	}
	EQ(1, OK(read(fds[0], &ready, 1)));
	a.fd = bus_socket();
	b.fd = bus_socket();
	OK(connect_bus(a.fd, &bus));
	OK(connect_bus(b.fd, &bus));
	for (int i = 0; i < 2; i++) {
		struct message m;

		OK(take_flags(i ? b.fd : a.fd, &m, 0));
	}
	OK(kill(master, SIGKILL));
	OK(waitpid(master, &status, 0));
	OK(post(a.fd, 2, "still here?"));
	GETS(b.fd, 1, "still here?");
	OK(post(b.fd, EVERYONE, "yes"));
	GETS(a.fd, 2, "yes");
	FAILS(ECONNREFUSED, post(a.fd, MASTER, "x"));
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
	OK(open_bus("@bus").fd);
}

TEST(closed_listener_takes_no_new_clients_and_keeps_the_old)
{
	struct bus bus = open_bus("bus");
	struct client a = join(&bus), b = attach(&bus);
	struct stat st;

	close(bus.fd);
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
	OK(post(a.fd, MASTER, "hello"));
	GETS(a.accepted, a.id, "hello");
	OK(let_join(b.accepted));
	OK(add_address(b.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, GROUP(2), "x"));
	GETS(b.fd, a.id, "x");
	OK(stat("bus", &st));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "bus"));
	OK(unlink("bus"));
	OK(bind_to(bus_socket(), "bus"));
}

/*
 * A bus is an object, not a name. In 2012 members of the old and of a new bus at the
 * same path took each other's messages.
 */
static const struct {
	const char *name, *path;
} paths[] = { { "pathname", "bus" }, { "abstract", "@bus" } };

TEST_EACH(new_bus_shares_nothing_with_the_old_one, paths)
{
	struct bus old = open_bus(row->path), new;
	struct client a = join_at(&old, ADDRESS(2, 1)), b = join(&old), c, d;

	close(old.fd);
	unlink(row->path);
	new = open_bus(row->path);
	c = join_at(&new, ADDRESS(2, 1));
	d = join(&new);
	EQ(1, c.id);
	OK(post(b.fd, 1, "old"));
	OK(post(b.fd, ADDRESS(2, 1), "old"));
	OK(post(b.fd, EVERYONE, "old"));
	GETS_NOTHING(c.fd);
	GETS_NOTHING(d.fd);
	EQ(3, drain(a.fd));
	OK(post(d.fd, 1, "new"));
	OK(post(d.fd, GROUP(2), "new"));
	EQ(2, drain(c.fd));
	GETS_NOTHING(a.fd);
}

TEST(client_closed_reads_as_ended_at_the_master)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(post(a.fd, MASTER, "bye"));
	close(a.fd);
	CHECK(events(a.accepted) & POLLHUP);
	CHECK(events(a.accepted) & POLLIN);
	GETS(a.accepted, a.id, "bye");
	ENDS(a.accepted);
}

/* A client closes without having read its queue: its counterpart still reads an end. */
TEST(unread_messages_of_a_closed_client_spoil_nothing)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post(a.fd, MASTER, "queued"));
	OK(post(b.fd, a.id, "unread"));
	OK(send(a.accepted, "unread", 6, MSG_DONTWAIT));
	close(a.fd);
	GETS(a.accepted, a.id, "queued");
	ENDS(a.accepted);
}

TEST(message_of_the_master_to_a_closed_client_fails)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	close(a.fd);
	FAILS(EPIPE, send(a.accepted, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

TEST(addresses_of_a_closed_client_are_free_at_once)
{
	struct bus bus = open_bus("@bus");

	for (int i = 0; i < 50; i++) {
		struct client a = join_at(&bus, ADDRESS(2, 1));

		close(a.fd);
		EQ(i + 1, a.id);
		close(a.accepted);
	}
	for (int i = 0; i < 5; i++) {
		struct client a = join_at(&bus, ADDRESS(2, 1));

		close(a.fd);
	}
}

TEST(attachment_lives_until_the_last_descriptor_closes)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int copy = OK(dup(a.fd)), fds[2], status;
	pid_t child;

	OK(pipe(fds));
	child = OK(fork());
	if (!child) {
		char go;

		close(copy);
		EQ(1, OK(read(fds[0], &go, 1)));
		GETS(a.fd, b.id, "to the child");
		OK(post(a.fd, b.id, "from the child"));
		_exit(PASSED);
	}
	close(a.fd);
	close(copy);
	OK(post(b.fd, a.id, "to the child"));
	OK(write(fds[1], "!", 1));
	OK(waitpid(child, &status, 0));
	EQ(0, status);
	GETS(b.fd, a.id, "from the child");
	EVENTUALLY(events(a.accepted) & POLLHUP);
	OK(post(b.fd, a.id, "unheld"));
	GETS(b.accepted, b.id, "unheld");
}

/* Joining while the client closes, over and over. In 2012 a dead socket joined. */
TEST_LONG(join_races_with_close, 60)
{
	struct bus bus = open_bus("@bus");
	struct client witness = join(&bus);

	for (int i = 0; i < 200; i++) {
		struct client c = attach(&bus);
		pid_t closer = OK(fork());

		if (!closer)
			_exit(PASSED);	/* the last descriptor of the child's copy */
		close(c.fd);
		if (let_join(c.accepted))
			EQ(ENOTCONN, errno);
		else
			add_address(c.accepted, ADDRESS(2, 1));
		OK(waitpid(closer, NULL, 0));
		OK(post(witness.fd, EVERYONE, "x"));
		GETS(witness.fd, witness.id, "x");
		ENDS(c.accepted);
		close(c.accepted);
	}
}

/* Clients are killed at any point of sending to each other. */
TEST_LONG(killed_clients_leave_a_working_bus, 60)
{
	struct bus bus = open_bus("@bus");
	struct client witness = join(&bus);

	for (int round = 0; round < 60; round++) {
		struct client c = join_at(&bus, ADDRESS(2, 1)), d = join_at(&bus, ADDRESS(2, 2));
		pid_t pids[2];

		for (int i = 0; i < 2; i++) {
			pids[i] = OK(fork());
			if (!pids[i])
				for (;;) {
					post(i ? c.fd : d.fd, GROUP(2), "x");
					drain(i ? c.fd : d.fd);
				}
		}
		close(c.fd);
		close(d.fd);
		usleep(round * 200);
		for (int i = 0; i < 2; i++) {
			OK(kill(pids[i], SIGKILL));
			OK(waitpid(pids[i], NULL, 0));
		}
		close(c.accepted);
		close(d.accepted);
		OK(post(witness.fd, GROUP(2), "anybody?"));
		OK(post(witness.fd, ADDRESS(2, 1), "unheld"));
		GETS(witness.accepted, witness.id, "unheld");
	}
}

TEST(many_clients_come_and_go)
{
	enum { CROWD = 300 };
	static struct client crowd[CROWD];
	struct bus bus = open_bus("@bus");

	for (int i = 0; i < CROWD; i++)
		crowd[i] = join_at(&bus, ADDRESS(2, i));
	OK(post(crowd[0].fd, GROUP(2), "hello"));
	for (int i = 0; i < CROWD; i++)
		GETS(crowd[i].fd, crowd[0].id, "hello");
	for (int i = 1; i < CROWD; i += 2)
		close_client(&crowd[i]);
	OK(post(crowd[0].fd, GROUP(2), "again"));
	for (int i = 0; i < CROWD; i += 2)
		GETS(crowd[i].fd, crowd[0].id, "again");
}
