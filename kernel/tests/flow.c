// SPDX-License-Identifier: GPL-2.0-only
/* Contract sections 2 and 4: full queues, and the senders that wait for them. */
#include "pair.h"
#include <sys/time.h>

static const struct {
	const char *name;
	int len;
} lengths[] = { { "1", 1 }, { "2", 2 }, { "10", 10 }, { "100", 100 } };

/* Full is more than the queue length. */
TEST_EACH(queue_takes_one_more_than_its_length, lengths)
{
	struct bus bus = open_bus("@bus");

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, row->len));

	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	EQ(row->len + 1, fill(a.fd, b.id));
	EQ(row->len + 1, drain(b.fd));
	EQ(row->len + 1, fill(a.fd, GROUP(2)));
	EQ(row->len + 1, fill(a.fd, MASTER));
	EQ(row->len + 1, fill(a.accepted, a.id));
}

TEST_EACH(full_queue_fails_without_waiting, destinations)
{
	struct pair p = make_pair(row->to);

	EQ(ROOM, fill(p.a.fd, row->to));
	FAILS(EAGAIN, post(p.a.fd, row->to, "x"));
	OK(fcntl(p.a.fd, F_SETFL, O_NONBLOCK));
	FAILS(EAGAIN, post_wait(p.a.fd, row->to, "x"));
	EQ(ROOM, drain(p.target));
	GETS_NOTHING(p.target);
}

TEST_EACH(full_queue_makes_the_sender_wait_for_a_read, destinations)
{
	struct pair p = make_pair(row->to);
	struct message m;
	struct job j;

	EQ(ROOM, fill(p.a.fd, row->to));
	start_send(&j, p.a.fd, row->to, "last");
	await_block(&j);
	OK(take(p.target, &m));
	ends_with(&j, 0);
	EQ(4, j.result);
	for (int i = 1; i < ROOM; i++)
		GETS(p.target, p.a.id, "filler");
	GETS(p.target, p.a.id, "last");
}

TEST_EACH(wait_ends_with_the_send_timeout, destinations)
{
	struct pair p = make_pair(row->to);
	long long start;

	fill(p.a.fd, row->to);
	OK(set_timeout(p.a.fd, SO_SNDTIMEO, 100));
	start = tick_ms();
	FAILS(EAGAIN, post_wait(p.a.fd, row->to, "x"));
	CHECK(tick_ms() - start >= 50);
	EQ(ROOM, drain(p.target));
}

/* In 2012 each full recipient had the whole timeout, one after the other. */
TEST(timeout_is_one_for_all_recipients)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	long long start;

	for (int i = 0; i < 10; i++) {
		struct client c = join_at(&bus, ADDRESS(2, i));

		fill(a.fd, c.id);
	}
	OK(set_timeout(a.fd, SO_SNDTIMEO, 300));
	start = tick_ms();
	FAILS(EAGAIN, post_wait(a.fd, GROUP(2), "x"));
	CHECK(tick_ms() - start >= 150);
	CHECK(tick_ms() - start < 2500);
}

/* A timeout does not start again because some recipient got room. */
TEST(timeout_runs_on_while_other_recipients_make_room)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct client other = join(&bus);
	struct job j;
	struct message m;

	fill(a.fd, b.id);
	fill(a.fd, c.id);
	OK(set_timeout(a.fd, SO_SNDTIMEO, 400));
	/* It waits at once: a poll for that state might come only after the timeout. */
	start_send(&j, a.fd, GROUP(2), "x");
	while (!j.done) {
		take(c.fd, &m);
		usleep(20000);
		post(other.fd, c.id, "again");
	}
	ends_with(&j, EAGAIN);
	CHECK(j.took_ms >= 200);
}

TEST_EACH(wait_ends_with_a_signal, destinations)
{
	struct pair p = make_pair(row->to);
	struct job j;

	handle(SIGUSR1, 0);
	fill(p.a.fd, row->to);
	start_send(&j, p.a.fd, row->to, "x");
	await_block(&j);
	pthread_kill(j.thread, SIGUSR1);
	ends_with(&j, EINTR);
	EQ(ROOM, drain(p.target));
}

TEST_EACH(wait_goes_on_after_a_restarting_signal, destinations)
{
	struct pair p = make_pair(row->to);
	struct message m;
	struct job j;

	handle(SIGUSR1, SA_RESTART);
	fill(p.a.fd, row->to);
	start_send(&j, p.a.fd, row->to, "last");
	await_block(&j);
	for (int i = 0; i < 5; i++) {
		pthread_kill(j.thread, SIGUSR1);
		await_block(&j);
	}
	OK(take(p.target, &m));
	ends_with(&j, 0);
	EQ(ROOM, drain(p.target));
}

/* With a timeout, a signal ends the wait with EINTR all the same, as on any socket. */
TEST(signal_ends_a_wait_with_a_timeout)
{
	struct pair p = make_pair(2);
	struct job j;

	handle(SIGUSR1, SA_RESTART);
	fill(p.a.fd, p.b.id);
	OK(set_timeout(p.a.fd, SO_SNDTIMEO, 15000));
	start_send(&j, p.a.fd, p.b.id, "x");
	await_block(&j);
	pthread_kill(j.thread, SIGUSR1);
	ends_with(&j, EINTR);
}

TEST(killed_waiter_leaves_nothing_behind)
{
	struct pair p = make_pair(2);
	pid_t waiter;
	int status;

	fill(p.a.fd, GROUP(2));
	waiter = OK(fork());
	if (!waiter) {
		post_wait(p.a.fd, GROUP(2), "x");
		_exit(FAILED);
	}
	EVENTUALLY(sleeps_in_call(waiter));
	OK(kill(waiter, SIGKILL));
	OK(waitpid(waiter, &status, 0));
	CHECK(WIFSIGNALED(status));
	EQ(ROOM, drain(p.b.fd));
	OK(post(p.a.fd, GROUP(2), "next"));
	GETS(p.b.fd, p.a.id, "next");
}

TEST(receive_waits_for_a_message)
{
	struct pair p = make_pair(2);
	struct message m;
	pid_t sender = OK(fork());

	if (!sender) {
		EVENTUALLY(sleeps_in_call(getppid()));
		OK(post(p.a.fd, p.b.id, "at last"));
		_exit(PASSED);
	}
	EQ(7, OK(take_flags(p.b.fd, &m, 0)));
}

TEST(receive_ends_with_its_timeout_and_with_a_signal)
{
	struct pair p = make_pair(2);
	struct message m;
	/* Again and again: the first signal may come before the call that it is to interrupt. */
	struct itimerval often = { { 0, 50000 }, { 0, 50000 } };
	long long start = tick_ms();

	OK(set_timeout(p.b.fd, SO_RCVTIMEO, 100));
	FAILS(EAGAIN, take_flags(p.b.fd, &m, 0));
	CHECK(tick_ms() - start >= 50);
	OK(set_timeout(p.b.fd, SO_RCVTIMEO, 0));
	handle(SIGALRM, 0);
	OK(setitimer(ITIMER_REAL, &often, NULL));
	FAILS(EINTR, take_flags(p.b.fd, &m, 0));
}

/* In 2012 a reader that would not wait could be blocked by one that did. */
TEST(waiting_reader_does_not_block_others)
{
	struct pair p = make_pair(2);
	struct message m;
	pid_t reader = OK(fork());

	if (!reader) {
		take_flags(p.b.fd, &m, 0);
		_exit(PASSED);
	}
	EVENTUALLY(sleeps_in_call(reader));
	GETS_NOTHING(p.b.fd);
	kill(reader, SIGKILL);
}

/* A full client must read before it may write, whatever the destination. */
TEST_EACH(client_with_a_full_queue_cannot_send, destinations)
{
	struct pair p = make_pair(row->to);
	struct client c = join(&p.bus);
	struct message m;

	EQ(ROOM, fill(c.fd, p.a.id));
	FAILS(EAGAIN, post(p.a.fd, row->to, "x"));
	GETS_NOTHING(p.target);
	OK(take(p.a.fd, &m));
	OK(post(p.a.fd, row->to, "x"));
	GETS(p.target, p.a.id, "x");
}

TEST(client_with_a_full_queue_waits_until_it_has_read)
{
	struct pair p = make_pair(2);
	struct message m;
	struct job j;

	fill(p.b.fd, p.a.id);
	start_send(&j, p.a.fd, p.b.id, "x");
	await_block(&j);
	OK(take(p.a.fd, &m));
	ends_with(&j, 0);
	GETS(p.b.fd, p.a.id, "x");
}

/*
 * Six senders that always wait share the reads: none is far ahead of the others at any time.
 * Reading starts when all of them wait, since a sender without a processor cannot take its turn.
 */
TEST_LONG(waiting_senders_take_turns, 60)
{
	enum { WAITERS = 6, READS = 600 };
	struct bus bus = open_bus("@bus");
	struct client target = join(&bus), waiters[WAITERS];
	int served[WAITERS] = { 0 };
	pid_t pids[WAITERS];
	struct message m;

	for (int i = 0; i < WAITERS; i++) {
		waiters[i] = join(&bus);
		pids[i] = OK(fork());
		if (!pids[i])
			for (;;)
				OK(post_wait(waiters[i].fd, target.id, "x"));
		EVENTUALLY(sleeps_in_call(pids[i]));
	}
	for (int i = 0; i < READS; i++) {
		for (int w = 0; w < WAITERS; w++)
			EVENTUALLY(sleeps_in_call(pids[w]));
		OK(take_flags(target.fd, &m, 0));
		served[m.from.sbus_addr.s_addr - waiters[0].id]++;
	}
	for (int i = 0; i < WAITERS; i++)
		if (served[i] < READS / WAITERS / 4)
			FAIL("sender %d was served %d times in %d reads", i, served[i], READS);
}

/* A sender that waits is served, although others never stop trying. */
TEST_LONG(waiting_sender_is_not_starved, 60)
{
	struct bus bus = open_bus("@bus");
	struct client target = join(&bus), waiter, pushers[3];
	struct message m;
	struct job j;
	int taken = 0;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1));
	waiter = join(&bus);
	fill(waiter.fd, target.id);
	for (int i = 0; i < 3; i++) {
		pushers[i] = join(&bus);
		if (!OK(fork()))
			for (;;)
				post_wait(pushers[i].fd, target.id, "push");
	}
	start_send(&j, waiter.fd, target.id, "me, too");
	while (!j.done) {
		/*
		 * Reads count only while the sender waits: not before it has begun, and not after
		 * its turn has come.
		 */
		EVENTUALLY(is_blocked(&j) || j.done);
		OK(take_flags(target.fd, &m, 0));
		CHECK(++taken < 500);
	}
	ends_with(&j, 0);
}

/*
 * A sender that is interrupted again and again, and tries again each time, keeps its place in the
 * line.
 */
TEST_LONG(interrupted_sender_is_not_starved, 60)
{
	struct itimerval often = { { 0, 15000 }, { 0, 15000 } };
	struct bus bus = open_bus("@bus");
	struct client target = join(&bus), sender = join(&bus), pusher;
	struct message m;
	int mine = 0;

	fill(sender.fd, target.id);
	for (int i = 0; i < 3; i++) {
		pusher = join(&bus);
		if (!OK(fork()))
			for (;;)
				post_wait(pusher.fd, target.id, "push");
	}
	if (!OK(fork())) {
		handle(SIGALRM, SA_RESTART);
		OK(setitimer(ITIMER_REAL, &often, NULL));
		for (;;)
			post_wait(sender.fd, target.id, "me");
	}
	/* Reads are slower than the timer: otherwise a sender would get in between two signals. */
	for (int i = 0; i < 100 + ROOM; i++) {
		usleep(20000);
		OK(take_flags(target.fd, &m, 0));
		mine += i >= ROOM && same_text(&m, "me");
	}
	if (mine < 10)
		FAIL("%d of 100 messages are its own, among four senders", mine);
}

/*
 * Many clients send to the members of a group, whose queues are never empty. A multicast needs room
 * in all of them at once, and still gets through again and again.
 */
TEST_LONG(multicast_is_not_starved_by_unicast, 60)
{
	enum { MEMBERS = 3, PUSHERS = 2, MULTICASTS = 5 };
	struct bus bus = open_bus("@bus");
	struct client members[MEMBERS], sender;
	struct message m;
	pid_t child;
	int status;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 2));
	sender = join(&bus);
	for (int i = 0; i < MEMBERS; i++) {
		members[i] = join_at(&bus, ADDRESS(2, i));
		fill(sender.fd, members[i].id);
	}
	for (int i = 0; i < MEMBERS * PUSHERS; i++) {
		struct client pusher = join(&bus);

		if (!OK(fork()))
			for (;;)
				post_wait(pusher.fd, members[i % MEMBERS].id, "push");
	}
	for (int i = 0; i < MEMBERS; i++)
		if (!OK(fork()))
			for (;;)
				take_flags(members[i].fd, &m, 0);
	child = OK(fork());
	if (!child) {
		for (int i = 0; i < MULTICASTS; i++)
			OK(post_wait(sender.fd, GROUP(2), "to all"));
		_exit(PASSED);
	}
	EQ(child, OK(waitpid(child, &status, 0)));
	EQ(0, status);
}

/* B does not read. A waits for it; C and D, and even A's readers, go on. */
TEST(slow_client_blocks_only_its_senders)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join(&bus), d = join(&bus);
	struct job j;

	fill(a.fd, b.id);
	start_send(&j, a.fd, GROUP(2), "x");
	await_block(&j);
	for (int i = 0; i < 200; i++) {
		OK(post(c.fd, d.id, "ping"));
		GETS(d.fd, c.id, "ping");
		OK(post(d.fd, a.id, "pong"));
		GETS(a.fd, d.id, "pong");
		OK(post(c.fd, MASTER, "master"));
		GETS(c.accepted, c.id, "master");
	}
	CHECK(is_blocked(&j));
	drain(b.fd);
	ends_with(&j, 0);
}

/* Another thread may use the socket of a sender that waits. */
TEST(waiting_sender_can_be_written_to_and_read)
{
	struct pair p = make_pair(2);
	struct client c = join(&p.bus);
	struct job j;

	fill(p.a.fd, p.b.id);
	start_send(&j, p.a.fd, p.b.id, "x");
	await_block(&j);
	OK(post(c.fd, p.a.id, "hello"));
	GETS(p.a.fd, c.id, "hello");
	OK(post(p.a.fd, MASTER, "meanwhile"));
	GETS(p.a.accepted, p.a.id, "meanwhile");
	drain(p.b.fd);
	ends_with(&j, 0);
}
