// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 4: POLLOUT after EAGAIN for a full recipient. It is withheld, by level and by edge,
 * until sending may succeed again, and is never lost.
 */
#include "bus.h"
#include <linux/filter.h>

/* An event loop that polls by level sleeps between EAGAIN and room, as one that polls by edges does. */
TEST_LONG(loop_that_polls_by_level_does_not_spin, 60)
{
	enum { MESSAGES = 100 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int refused[2];

	OK(pipe(refused));
	if (!OK(fork())) {
		struct pollfd p = { .fd = a.fd, .events = POLLOUT };
		int n = 0;

		for (int sent = 0; sent < MESSAGES;) {
			EQ(1, OK(poll(&p, 1, -1)));
			if (post(a.fd, b.id, "x") > 0)
				sent++;
			else
				n++;
		}
		OK(write(refused[1], &n, sizeof(n)));
		_exit(PASSED);
	}
	for (int i = 0; i < MESSAGES; i++) {
		struct message m;

		usleep(2000);
		OK(take_flags(b.fd, &m, 0));
	}
	{
		int n = -1;

		EQ(sizeof(n), OK(read(refused[0], &n, sizeof(n))));
		CHECK(n <= MESSAGES);
	}
}

TEST(writable_again_after_a_send_to_another)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), full = join(&bus), other = join(&bus);

	fill(a.fd, full.id);
	CHECK(!is_writable(a.fd));
	OK(post(a.fd, other.id, "x"));
	CHECK(is_writable(a.fd));
	FAILS(EAGAIN, post(a.fd, full.id, "x"));
	CHECK(!is_writable(a.fd));
}

/* Only the socket that was refused is affected: another one is as writable as before. */
TEST(refusal_of_one_socket_says_nothing_of_another)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), c = join(&bus), full = join(&bus);

	fill(a.fd, full.id);
	CHECK(!is_writable(a.fd));
	CHECK(is_writable(c.fd));
	CHECK(is_writable(a.accepted));
}

/*
 * A program that sends to many recipients through one socket is refused by one just after it was
 * called by another.
 */
TEST(edge_survives_a_refusal_elsewhere)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), stopped = join(&bus), b = join(&bus);
	int poller = edge_poll(a.fd);

	fill(a.fd, stopped.id);
	fill(a.fd, b.id);
	CHECK(!edge_comes(poller, 0));
	read_once(&b);
	for (int i = 0; i < 3; i++)
		FAILS(EAGAIN, post(a.fd, stopped.id, "x"));
	CHECK(edge_comes(poller, 10000));
	OK(post(a.fd, b.id, "x"));
	FAILS(EAGAIN, post(a.fd, b.id, "x"));
	CHECK(!edge_comes(poller, 0));
}

/*
 * The socket also waits for its own queue, which has nothing to do with the recipient that refused
 * it before.
 */
TEST(full_recipient_withholds_no_edge_of_the_own_queue)
{
	struct bus bus = open_narrow_bus();
	struct client a = join(&bus), full = join(&bus), other = join(&bus);
	int poller = edge_poll(a.fd);

	fill(a.fd, full.id);
	fill(other.fd, a.id);
	FAILS(EAGAIN, post(a.fd, other.id, "x"));
	while (edge_comes(poller, 0))
		;
	read_once(&a);
	CHECK(edge_comes(poller, 10000));
	OK(post(a.fd, other.id, "x"));
}

/* A poll has no effect: other threads that poll the same socket see the same. */
TEST(edge_is_for_everybody_who_polls)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), stopped = join(&bus), b = join(&bus);
	int first, second;

	fill(a.fd, stopped.id);
	fill(a.fd, b.id);
	first = edge_poll(a.fd);
	second = edge_poll(a.fd);
	read_once(&b);
	CHECK(is_writable(a.fd));
	FAILS(EAGAIN, post(a.fd, stopped.id, "x"));
	CHECK(is_writable(a.fd));
	CHECK(edge_comes(first, 0));
	CHECK(edge_comes(second, 0));
	OK(post(a.fd, b.id, "x"));
	FAILS(EAGAIN, post(a.fd, b.id, "x"));
	CHECK(!is_writable(a.fd));
}

/*
 * A program that gives up what it had for one recipient does not spin for ever while another is
 * full.
 */
TEST(what_a_socket_was_told_and_never_tried_is_forgotten)
{
	enum { MANY = 100 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), stopped = join(&bus), b = join(&bus);
	int n = 0;

	fill(a.fd, stopped.id);
	fill(a.fd, b.id);
	read_once(&b);
	for (; is_writable(a.fd) && n < MANY; n++)
		FAILS(EAGAIN, post(a.fd, stopped.id, "x"));
	CHECK(n > 1);
	CHECK(n < MANY);
	read_once(&stopped);
	CHECK(is_writable(a.fd));
}

/*
 * A socket waits for at most 64 recipients: beyond that, the edge of the oldest comes too early,
 * but it does come.
 */
TEST(more_refusals_than_are_remembered_lose_no_edge)
{
	enum { RECIPIENTS = 70 };
	struct bus bus = open_narrow_bus();
	struct client a = join(&bus), to[RECIPIENTS];
	int poller = edge_poll(a.fd);

	for (int i = 0; i < RECIPIENTS; i++) {
		to[i] = join(&bus);
		fill(a.fd, to[i].id);
	}
	CHECK(edge_comes(poller, 0));
	for (int i = 0; i < RECIPIENTS; i++) {
		FAILS(EAGAIN, post(a.fd, to[i].id, "x"));
		while (edge_comes(poller, 0))
			;
		read_once(&to[i]);
		CHECK(edge_comes(poller, 10000));
		OK(post(a.fd, to[i].id, "x"));
	}
}

/*
 * A filter that takes a while, and keeps the copy. Of these instructions the kernel makes one each:
 * by default, 6.1 has memory for some 2,500 on a socket.
 */
static void look_long(int fd)
{
	enum { DIVISIONS = 2000 };
	struct sock_filter code[DIVISIONS + 1];
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	for (int i = 0; i < DIVISIONS; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3);
	code[DIVISIONS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	OK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static void *multicast_until_done(void *data)
{
	struct job *j = data;

	for (j->result = 0; !j->done; j->result++)
		FAILS(EAGAIN, post(j->fd, j->to, "x"));
	return NULL;
}

/*
 * While the copies of a multicast are made, others find their recipients: the full one, whom this
 * multicast is not for, in the first place.
 */
TEST(multicast_beside_others_loses_no_edge_of_a_full_recipient)
{
	enum { MEMBERS = 5, ROUNDS = 300 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), other = join(&bus), full = join(&bus), to[MEMBERS];
	struct job job = { .fd = other.fd, .to = GROUP(3) };
	int poller = edge_poll(a.fd);

	OK(add_address(full.accepted, ADDRESS(3, 1)));
	for (int i = 0; i < MEMBERS; i++) {
		to[i] = join(&bus);
		OK(add_address(to[i].accepted, ADDRESS(2, 1 + i)));
		OK(add_address(to[i].accepted, ADDRESS(3, 2 + i)));
		look_long(to[i].fd);
	}
	/* By another one, and without a refusal: reading tells `a` alone, and gives it no budget back. */
	for (int i = 0; i < ROOM; i++)
		OK(post(b.fd, full.id, "filler"));
	FAILS(EAGAIN, post(a.fd, full.id, "x"));
	start_job(&job, multicast_until_done);
	EVENTUALLY(job.result > 0);
	for (int round = 0; round < ROUNDS; round++) {
		OK(post(a.fd, GROUP(2), "y"));
		for (int i = 0; i < MEMBERS; i++)
			GETS(to[i].fd, a.id, "y");
	}
	job.done = 1;
	EQ(0, pthread_join(job.thread, NULL));
	while (edge_comes(poller, 0))
		;
	read_once(&full);
	CHECK(edge_comes(poller, 10000));
}

TEST(sender_whose_time_is_up_is_told_of_room)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int poller = edge_poll(a.fd);

	fill(a.fd, b.id);
	OK(set_timeout(a.fd, SO_SNDTIMEO, 50));
	FAILS(EAGAIN, post_wait(a.fd, b.id, "x"));
	while (edge_comes(poller, 0))
		;
	CHECK(!is_writable(a.fd));
	read_once(&b);
	CHECK(edge_comes(poller, 10000));
	OK(post(a.fd, b.id, "x"));
}
