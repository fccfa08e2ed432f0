// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 4: the line at a full queue. While there is room, no waiter waits for longer
 * than a patience, whatever the other waiters do. A socket that got EAGAIN is told of every change
 * that may let it through, and is not writable until then. A read calls no more waiters than it has
 * made room for.
 */
#include "bus.h"

/*
 * A patience is 50 ms. A busy machine may take several times as long, and a slow kernel longer. If
 * each stuck sender had a patience of its own, a crowd of 100 would take five seconds.
 *
 * Patiences are counted in ticks, so whether something was prompt is measured with tick_ms(): when a
 * host has kept the processor that counts ticks from running, a patience begins at an old tick, and
 * is over as soon as the ticks are made up for.
 */
enum { PROMPT_MS = 25, PATIENCE_MS = 50 };

static long long late_ms(void)
{
	return 20 * PATIENCE_MS * patience();
}

/*
 * A multicast whose recipients are full in turn: in the end it waits for Y, which does not read any
 * more, and has been called by X, and by B if B was full. The pauses let it look again; the test
 * holds whether it has looked or not.
 */
struct turns {
	struct bus bus;
	struct client y, x, b, sender, filler, victim;
	struct job multicast;
};

static void read_and_refill(struct turns *t, struct client *member)
{
	read_once(member);
	usleep(20000);
	OK(post_wait(t->filler.fd, member->id, "filler"));
}

static void take_turns(struct turns *t, int b_is_full)
{
	t->bus = open_narrow_bus();
	t->y = join_at(&t->bus, ADDRESS(2, 1));
	t->x = join_at(&t->bus, ADDRESS(2, 2));
	t->b = join_at(&t->bus, ADDRESS(2, 3));
	t->sender = join(&t->bus);
	t->filler = join(&t->bus);
	t->victim = join(&t->bus);
	OK(post(t->filler.fd, t->y.id, "filler"));
	OK(post(t->filler.fd, t->x.id, "filler"));
	start_send(&t->multicast, t->sender.fd, GROUP(2), "multicast");
	await_block(&t->multicast);
	read_and_refill(t, &t->y);
	read_and_refill(t, &t->x);
	read_and_refill(t, &t->y);
	read_and_refill(t, &t->x);
	read_and_refill(t, &t->y);
	if (b_is_full)
		OK(post_wait(t->filler.fd, t->b.id, "filler"));
	read_once(&t->x);
	usleep(20000);
	CHECK(is_blocked(&t->multicast));
}

/*
 * A send that sleeps after the multicast in B's line gets the room that B makes; the multicast
 * does not.
 */
TEST(sleeper_gets_the_room_that_a_stuck_multicast_keeps)
{
	struct turns t;
	struct job v;

	take_turns(&t, 1);
	start_send(&v, t.victim.fd, t.b.id, "hello");
	await_block(&v);
	read_once(&t.b);
	ends_with(&v, 0);
	CHECK(is_blocked(&t.multicast));
	GETS(t.b.fd, t.victim.id, "hello");
}

/* The same for a sender that does not sleep: it gets through, or is told to try again. */
TEST(poller_gets_the_room_that_a_stuck_multicast_keeps)
{
	struct turns t;
	int poller;

	take_turns(&t, 0);
	poller = edge_poll(t.victim.fd);
	while (post(t.victim.fd, t.b.id, "hello") < 0) {
		EQ(EAGAIN, errno);
		CHECK(edge_comes(poller, 10000));
	}
	CHECK(is_blocked(&t.multicast));
}

static const struct {
	const char *name;
	int sockets, threads;		/* of each socket */
} crowds[] = { { "nobody", 0, 0 }, { "33_threads", 1, 33 }, { "330_threads", 1, 330 }, { "33_sockets", 33, 1 } };

enum { MAX_STUCK = 400 };

/* Many multicasts that go to B, too, are stuck at X. */
static void start_crowd(struct bus *bus, int sockets, int threads, struct job *jobs)
{
	for (int i = 0; i < sockets; i++) {
		struct client c = join(bus);

		for (int j = 0; j < threads; j++)
			start_send(jobs++, c.fd, GROUP(2), "multicast");
	}
}

TEST_EACH(empty_queue_takes_a_message_at_once_whoever_is_stuck_elsewhere, crowds)
{
	struct bus bus = open_bus("@bus");
	struct client x1 = join_at(&bus, ADDRESS(2, 1)), x2 = join_at(&bus, ADDRESS(2, 2));
	struct client b = join_at(&bus, ADDRESS(2, 3)), filler = join(&bus), victim = join(&bus);
	static struct job jobs[MAX_STUCK];
	int n = row->sockets * row->threads;
	struct job v;

	fill(filler.fd, x1.id);
	fill(filler.fd, x2.id);
	start_crowd(&bus, row->sockets, row->threads, jobs);
	for (int i = 0; i < n; i++)
		await_block(&jobs[i]);
	/* They move between two full queues, so that each of them has waited several times. */
	for (int i = 0; n && i < 3; i++) {
		struct client *x = i % 2 ? &x2 : &x1;

		read_once(x);
		usleep(300000);
		OK(post_wait(filler.fd, x->id, "filler"));
	}
	if (n)
		OK(shutdown(x2.fd, SHUT_RD));
	usleep(20000);
	start_send(&v, victim.fd, b.id, "hello");
	ends_with(&v, 0);
	CHECK(v.took_ms <= late_ms());
	GETS(b.fd, victim.id, "hello");
}

/*
 * All room of B is kept for multicasts that are stuck at X: for one patience, however many there
 * are.
 */
TEST_EACH(nobody_waits_longer_than_a_patience_while_there_is_room, crowds)
{
	struct bus bus = open_bus("@bus");
	struct client x = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));
	struct client filler = join(&bus), victim = join(&bus);
	static struct job jobs[MAX_STUCK];
	int n = row->sockets * row->threads;
	long long start;
	struct job v;

	fill(filler.fd, x.id);
	fill(filler.fd, b.id);
	start_crowd(&bus, row->sockets, row->threads, jobs);
	for (int i = 0; i < n; i++)
		await_block(&jobs[i]);
	start_send(&v, victim.fd, b.id, "hello");
	await_block(&v);
	start = now_ms();
	CHECK(drain(b.fd) >= ROOM);
	ends_with(&v, 0);
	CHECK(now_ms() - start <= late_ms());
	for (int i = 0; i < n; i++)
		CHECK(is_blocked(&jobs[i]));
}

/*
 * Sockets that got EAGAIN and never come back keep no room from sends that sleep, beyond a
 * patience.
 */
TEST(sockets_that_never_come_back_are_not_waited_for)
{
	enum { SOCKETS = 100 };
	struct bus bus = open_bus("@bus");
	struct client b = join(&bus), victim = join(&bus), newcomer = join(&bus);
	long long start;
	struct job v;

	fill(victim.fd, b.id);
	for (int i = 0; i < SOCKETS; i++) {
		struct client c = join(&bus);

		FAILS(EAGAIN, post(c.fd, b.id, "no matter"));
	}
	start_send(&v, victim.fd, b.id, "hello");
	await_block(&v);
	start = now_ms();
	CHECK(drain(b.fd) >= ROOM);
	ends_with(&v, 0);
	CHECK(now_ms() - start <= late_ms());
	OK(post(newcomer.fd, b.id, "at once"));
}

/* A read calls one socket for the room of one message, although a thousand want it. */
TEST_LONG(read_tells_as_many_as_it_makes_room_for, 60)
{
	enum { SOCKETS = 500 };
	struct bus bus = open_bus("@bus");
	struct client b = join(&bus), filler = join(&bus);
	static struct epoll_event events[SOCKETS];
	int poller = OK(epoll_create1(EPOLL_CLOEXEC)), n = 0;
	long long start;

	for (int i = 0; i < SOCKETS; i++) {
		struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
		struct client c = join(&bus);

		close(c.accepted);
		OK(epoll_ctl(poller, EPOLL_CTL_ADD, c.fd, &event));
		event.data.fd = c.fd;
		OK(epoll_ctl(poller, EPOLL_CTL_MOD, c.fd, &event));
	}
	EQ(SOCKETS, OK(epoll_wait(poller, events, SOCKETS, 0)));
	for (int tries = 0;; tries++) {
		for (int i = 0; i < ROOM; i++)
			OK(post(filler.fd, b.id, "filler"));
		for (int i = 0; i < SOCKETS; i++)
			FAILS(EAGAIN, post(events[i].data.fd, b.id, "x"));
		while (OK(epoll_wait(poller, events, SOCKETS, 0)))
			;
		start = tick_ms();
		read_once(&b);
		n = OK(epoll_wait(poller, events, SOCKETS, 0));
		if (tick_ms() - start < PROMPT_MS || tries == 20)
			break;
		EQ(ROOM - 1, drain(b.fd));
	}
	EQ(1, n);
	/* The called one does not come: the others are told all the same. */
	while (n < SOCKETS) {
		int more = OK(epoll_wait(poller, events, SOCKETS, 10000));

		CHECK(more);
		n += more;
	}
}

/* Events other than a read that may let a sender through that waits for a full recipient. */
struct fixture {
	struct bus bus;
	struct client sender, full, other;
	uint64_t to;
};

static void to_member(struct fixture *f)
{
	f->to = GROUP(2);
	fill(f->sender.fd, f->full.id);
}

static void to_address(struct fixture *f)
{
	f->to = ADDRESS(2, 1);
	fill(f->sender.fd, f->full.id);
}

static void to_default_route(struct fixture *f)
{
	f->to = ADDRESS(3, 1);
	fill(f->sender.fd, MASTER);
}

static void to_one_not_joined(struct fixture *f)
{
	f->other = attach(&f->bus);
	f->to = f->other.id;
	fill(f->sender.fd, MASTER);
}

static void evict(struct fixture *f)
{
	OK(set_option(f->bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
}

static void fail(struct fixture *f)
{
	OK(set_option(f->bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL));
}

static void expel(struct fixture *f)
{
	OK(shutdown(f->full.accepted, SHUT_RDWR));
}

static void close_full(struct fixture *f)
{
	OK(close(f->full.fd));
}

static void stop_receiving(struct fixture *f)
{
	OK(shutdown(f->full.fd, SHUT_RD));
}

static void leave_group(struct fixture *f)
{
	OK(del_address(f->full.accepted, ADDRESS(2, 1)));
}

static void move_address(struct fixture *f)
{
	OK(del_address(f->full.accepted, ADDRESS(2, 1)));
	OK(add_address(f->other.accepted, ADDRESS(2, 1)));
}

static void give_address(struct fixture *f)
{
	OK(add_address(f->other.accepted, ADDRESS(3, 1)));
}

static void let_other_join(struct fixture *f)
{
	OK(let_join(f->other.accepted));
}

static void master_leaves(struct fixture *f)
{
	OK(close(f->sender.accepted));
}

static const struct {
	const char *name;
	void (*wait)(struct fixture *f);
	void (*change)(struct fixture *f);
	int err;			/* what the send says then */
} changes[] = {
	{ "policy_evicts", to_member, evict },
	{ "policy_fails", to_member, fail, ENOBUFS },
	{ "recipient_is_expelled", to_member, expel },
	{ "recipient_closes", to_member, close_full },
	{ "recipient_stops_receiving", to_member, stop_receiving },
	{ "recipient_leaves_the_group", to_member, leave_group },
	{ "address_moves", to_address, move_address },
	{ "address_is_given", to_default_route, give_address },
	{ "its_client_joins", to_one_not_joined, let_other_join },
	{ "master_leaves", to_default_route, master_leaves, ECONNREFUSED },
};

static struct fixture make_fixture(void (*wait)(struct fixture *f))
{
	struct fixture f = { .bus = open_bus("@bus") };

	f.sender = join(&f.bus);
	f.full = join_at(&f.bus, ADDRESS(2, 1));
	f.other = join(&f.bus);
	wait(&f);
	return f;
}

TEST_EACH(sleeper_goes_on_after_any_change, changes)
{
	struct fixture f = make_fixture(row->wait);
	struct job j;

	start_send(&j, f.sender.fd, f.to, "x");
	await_block(&j);
	row->change(&f);
	ends_with(&j, row->err);
}

TEST_EACH(poller_is_told_of_any_change, changes)
{
	struct fixture f = make_fixture(row->wait);
	int poller = edge_poll(f.sender.fd);

	FAILS(EAGAIN, post(f.sender.fd, f.to, "x"));
	CHECK(!edge_comes(poller, 0));
	row->change(&f);
	CHECK(edge_comes(poller, 10000));
	if (row->err)
		FAILS(row->err, post(f.sender.fd, f.to, "x"));
	else
		OK(post(f.sender.fd, f.to, "x"));
}

TEST_EACH(socket_is_not_writable_until_a_change, changes)
{
	struct fixture f = make_fixture(row->wait);

	FAILS(EAGAIN, post(f.sender.fd, f.to, "x"));
	CHECK(!is_writable(f.sender.fd));
	row->change(&f);
	EVENTUALLY(is_writable(f.sender.fd));
}

/*
 * There is one line for both: a socket that was refused before another sender went to sleep is
 * called first, and the room is kept for it for a while.
 */
TEST_LONG(older_poller_goes_before_a_younger_sleeper, 60)
{
	struct bus bus = open_narrow_bus();
	struct client a = join(&bus), c = join(&bus), b = join(&bus);
	int poller = edge_poll(a.fd), got = 0;

	for (int tries = 0; tries < 20 && !got; tries++) {
		long long start;
		struct job j;

		EQ(1, fill(a.fd, b.id));
		start_send(&j, c.fd, b.id, "younger");
		await_block(&j);
		start = tick_ms();
		read_once(&b);
		CHECK(edge_comes(poller, 10000));
		usleep(10000);
		got = post(a.fd, b.id, "older") > 0;
		/* The machine is busy and this is too late: then the outcome proves nothing. */
		if (!got && tick_ms() - start < PROMPT_MS)
			FAIL("the younger one has its room");
		do
			drain(b.fd);
		while (usleep(1000), !j.done);
		ends_with(&j, 0);
		drain(b.fd);
		OK(post(a.fd, b.id, "so that it waits for nothing"));
		drain(b.fd);
	}
	CHECK(got);
}

/* Each one of a long line gets through, in few more reads than there are of them. */
TEST_LONG(long_line_is_served_to_its_end, 60)
{
	enum { SOCKETS = 10, THREADS = 60 };
	struct bus bus = open_bus("@bus");
	struct client b = join(&bus), filler = join(&bus);
	static struct job jobs[SOCKETS * THREADS];
	struct message m;

	fill(filler.fd, b.id);
	for (int i = 0; i < SOCKETS; i++) {
		struct client c = join(&bus);

		for (int j = 0; j < THREADS; j++)
			start_send(&jobs[i * THREADS + j], c.fd, b.id, "x");
	}
	for (int i = 0; i < SOCKETS * THREADS; i++)
		await_block(&jobs[i]);
	for (int i = 0; i < ROOM + SOCKETS * THREADS; i++)
		OK(take_flags(b.fd, &m, 0));
	for (int i = 0; i < SOCKETS * THREADS; i++)
		ends_with(&jobs[i], 0);
	GETS_NOTHING(b.fd);
}

/*
 * Two multicasts, each with a place that the other needs: the older one goes first, then the other.
 */
TEST_LONG(multicasts_that_wait_for_each_other_get_through, 60)
{
	enum { ROUNDS = 50, SENDERS = 3 };
	struct bus bus = open_narrow_bus();
	struct client members[2], senders[SENDERS];
	pid_t pids[SENDERS];
	int status;

	for (int i = 0; i < 2; i++)
		members[i] = join_at(&bus, ADDRESS(2, i));
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = join(&bus);
		pids[i] = OK(fork());
		if (!pids[i]) {
			for (int n = 0; n < ROUNDS; n++) {
				OK(post_wait(senders[i].fd, GROUP(2), "all"));
				OK(post_wait(senders[i].fd, members[(i + n) % 2].id, "one"));
			}
			_exit(PASSED);
		}
	}
	for (int i = 0; i < 2; i++)
		if (!OK(fork())) {
			struct message m;

			for (;;)
				OK(take_flags(members[i].fd, &m, 0));
		}
	for (int i = 0; i < SENDERS; i++) {
		EQ(pids[i], OK(waitpid(pids[i], &status, 0)));
		EQ(0, status);
	}
}
