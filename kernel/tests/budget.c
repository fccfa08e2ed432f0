// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: what messages weigh, and when a sender waits for a queue or its own budget. */
#include "weight.h"

#include <linux/filter.h>

/* Sizes in the middle are just too long for a power of two. */
static const struct { const char *name; int len; } sizes[] = {
	{ "1", 1 }, { "97", 97 }, { "609", 609 }, { "1024", 1024 }, { "1633", 1633 }, { "3681", 3681 },
	{ "4096", 4096 }, { "8192", 8192 }, { "20000", 20000 }, { "60000", 60000 },
	{ "half", 212992 / 2 - OVERHEAD }, { "most", 212992 - 32 },
};

TEST_EACH(message_weighs_its_length_and_768, sizes)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);

	OK(send_big(f.a.fd, f.b.id, row->len));
	EQ(weight(row->len), charged(f.a.fd));
	EQ(1, drain_all(f.b.fd));
	EQ(0, charged(f.a.fd));
	OK(send_big(f.c.fd, GROUP(2), row->len));
	EQ(weight(row->len), charged(f.c.fd));
	EQ(1, drain_all(f.b.fd));
	EQ(weight(row->len), charged(f.c.fd));
	EQ(1, drain_all(f.c.fd));
	EQ(0, charged(f.c.fd));
}

static const struct { const char *name; int policy, error; } policies[] = {
	{ "block", BUS_OVERFLOW_BLOCK, EAGAIN }, { "fail", BUS_OVERFLOW_FAIL, ENOBUFS },
};

/*
 * Then the queue is full, and holds little enough of the sender's buffer to leave room for all
 * others.
 */
static void fill_half(int policy, int error, int len)
{
	struct fixture f = make_fixture(policy, 0);
	int n = (f.buffer / 2 + weight(len) - 1) / weight(len);

	EQ(0, get_option(f.b.accepted, BUS_GET_QLENFULL));
	EQ(n, send_all(f.a.fd, f.b.id, len));
	EQ(1, get_option(f.b.accepted, BUS_GET_QLENFULL));
	FAILS(error, send_big(f.c.fd, GROUP(2), 1));
	if (len >= f.buffer - OVERHEAD)
		return;

	OK(post(f.a.fd, f.c.id, "others are not concerned"));
	OK(post(f.a.fd, MASTER, "nor is the master"));
	CHECK(events(f.a.fd) & POLLOUT);
}

TEST_EACH(queue_is_full_when_it_holds_half_a_send_buffer, sizes)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		fill_half(policies[i].policy, policies[i].error, row->len);
}

TEST(half_a_send_buffer_is_that_of_the_bus)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_FAIL, 20000);

	EQ(6, send_all(f.a.fd, f.b.id, 1000));
	EQ(ENOBUFS, errno);
	/* A client that asks for a smaller buffer has the difference for itself. */
	OK(setsockopt(f.c.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 2500 }, sizeof(int)));
	EQ(3, send_all(f.c.fd, f.a.id, 1000));
	EQ(EAGAIN, errno);
	EQ(0, get_option(f.a.accepted, BUS_GET_QLENFULL));
}

/* The rule holds for any length of a message, and for short queues as well. */
TEST(message_of_any_length_fits_into_an_empty_queue)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL));
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 5000));
	a = join(&bus);
	b = join(&bus);
	OK(send_big(a.fd, b.id, 5000 - 32));
	EQ(1, drain_all(b.fd));
	OK(send_big(b.fd, b.id, 5000 - 32));
	OK(send_big(a.fd, MASTER, 5000 - 32));
}

/*
 * Without this rule, a filter that keeps one byte of each message would make the queue a large one.
 */
TEST(message_weighs_the_same_whatever_a_filter_leaves_of_it)
{
	struct sock_filter keep = BPF_STMT(BPF_RET | BPF_K, 1);
	struct sock_fprog program = { 1, &keep };
	struct fixture f = make_fixture(BUS_OVERFLOW_FAIL, 0);
	int n;

	OK(setsockopt(f.b.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	EQ(2, send_all(f.a.fd, f.b.id, 60000));
	EQ(ENOBUFS, errno);
	EQ(2 * weight(60000), charged(f.a.fd));
	OK(ioctl(f.b.fd, SIOCINQ, &n));
	EQ(2, n);
}

/* On a bus that blocks, senders are not woken for each message that is read. */
TEST(full_queue_opens_when_three_quarters_are_free)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	/* Not a's socket, which is told of its budget as well. */
	int poller = edge_poll(f.c.fd);
	int n = send_all(f.a.fd, f.b.id, 1000), left = f.buffer / 8 / weight(1000);

	FAILS(EAGAIN, send_big(f.c.fd, f.b.id, 1));
	while (n-- > left + 1) {
		OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
		FAILS(EAGAIN, send_big(f.a.fd, f.b.id, 1));
		FAILS(EAGAIN, send_big(f.c.fd, f.b.id, 1));
	}
	CHECK(!edge_comes(poller, 0));
	OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
	CHECK(edge_comes(poller, 0));
	EQ(0, get_option(f.b.accepted, BUS_GET_QLENFULL));
	OK(send_big(f.c.fd, f.b.id, 1));
}

/* b refuses, then the budget is used up: what c reads is told, although b is as full as before. */
TEST(full_recipient_withholds_no_edge_of_the_budget)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 40000);
	int poller = edge_poll(f.a.fd);

	OK(send_big(f.a.fd, f.c.id, 1));
	EQ(3, send_all(f.a.fd, f.b.id, 9000));
	OK(setsockopt(f.a.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 15000 }, sizeof(int)));
	EQ(weight(1) + 3 * weight(9000), charged(f.a.fd));
	CHECK(charged(f.a.fd) > socket_option(f.a.fd, SO_SNDBUF));
	FAILS(EAGAIN, send_big(f.a.fd, f.c.id, 1));
	while (edge_comes(poller, 0))
		;
	EQ(1, drain_all(f.c.fd));
	CHECK(edge_comes(poller, 10000));
	OK(send_big(f.a.fd, f.c.id, 1));
}

/* The edge was not about b, which is still full: a loop that tries b again spins 64 times. */
TEST(full_recipient_withholds_the_budget_again_after_64_refusals)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 40000);
	int poller = edge_poll(f.a.fd), n = 0;

	OK(send_big(f.a.fd, f.c.id, 1));
	EQ(3, send_all(f.a.fd, f.b.id, 9000));
	OK(setsockopt(f.a.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 15000 }, sizeof(int)));
	while (edge_comes(poller, 0))
		;
	CHECK(!(events(f.a.fd) & POLLOUT));
	EQ(1, drain_all(f.c.fd));
	CHECK(edge_comes(poller, 10000));
	for (; n < LONG_QUEUE && events(f.a.fd) & POLLOUT; n++)
		FAILS(EAGAIN, send_big(f.a.fd, f.b.id, 1));
	EQ(64, n);
}

TEST(sender_that_waits_goes_on_when_three_quarters_are_free)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	int n = send_all(f.a.fd, f.b.id, 1000), left = f.buffer / 8 / weight(1000);
	struct job j;

	start_send(&j, f.a.fd, f.b.id, "me, too");
	await_block(&j);
	while (n-- > left) {
		CHECK(!j.done);
		OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
	}
	ends_with(&j, 0);
}

/* A send that waits for c as well has its place at b. Return: whether its patience is over. */
static int try_to_take_a_place(void)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	struct client d = join(&f.bus), e = join(&f.bus);
	int held = f.buffer / 8 / weight(1000), rest = f.buffer / 2 - held * weight(1000);
	int n = send_all(f.a.fd, f.b.id, 1000), sent;
	long long opened;
	struct job j;

	send_all(d.fd, f.c.id, 1000);
	start_send(&j, d.fd, GROUP(2), "to both");
	await_block(&j);
	while (n-- > held + 1)
		OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
	/* The last send opens the line, after some time. */
	opened = tick_ms();
	OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
	sent = send_big(e.fd, f.b.id, rest - OVERHEAD);
	opened = tick_ms() - opened;
	CHECK(!j.done);
	drain_all(f.b.fd);
	drain_all(f.c.fd);
	ends_with(&j, 0);
	close_client(&d);
	close_client(&e);
	close_client(&f.a);
	close_client(&f.b);
	close_client(&f.c);
	close(f.bus.fd);
	if (sent >= 0)
		CHECK(opened >= 40);
	return sent >= 0;
}

/*
 * A message that would leave no weight for the place has to wait, although the queue has room for
 * thousands by number. The place is kept for 50 ms: one try has to be quicker than that.
 */
TEST(newcomer_leaves_the_weight_that_a_sleeping_send_needs)
{
	while (try_to_take_a_place())
		;
}

/* If no sender can wait, a queue takes messages as soon as it is not full any more. */
TEST(full_queue_opens_at_once_where_sends_fail)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_FAIL, 0);

	send_all(f.a.fd, f.b.id, 1000);
	OK(recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT));
	OK(send_big(f.a.fd, f.b.id, 1000));
	FAILS(ENOBUFS, send_big(f.a.fd, f.b.id, 1000));
}

/* Without this, a client that answers each message before it reads the next would wait for ever. */
TEST(client_whose_queue_is_heavy_can_send)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);

	send_all(f.a.fd, f.b.id, 60000);
	EQ(1, get_option(f.b.accepted, BUS_GET_QLENFULL));
	CHECK(events(f.b.fd) & POLLOUT);
	OK(post(f.b.fd, f.a.id, "an answer"));
}

/*
 * BUS_SET_SENDBUF is the most that a client gets, whatever it asks for and whatever its rights are.
 */
TEST(client_has_no_larger_send_buffer_than_the_bus)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 20000);
	static const int options[] = { SO_SNDBUF, SO_SNDBUFFORCE };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		OK(setsockopt(f.a.fd, SOL_SOCKET, options[i], &(int){ 100000 }, sizeof(int)));
		FAILS(EMSGSIZE, send_big(f.a.fd, f.b.id, 20000 - 31));
		EQ(20000, socket_option(f.a.fd, SO_SNDBUF));
		send_all(f.a.fd, f.b.id, 1000);
		send_all(f.a.fd, f.c.id, 1000);
		CHECK(charged(f.a.fd) < 20000 + weight(1000));
		drain_all(f.b.fd);
		drain_all(f.c.fd);
	}
	OK(setsockopt(f.a.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 5000 }, sizeof(int)));
	EQ(10000, socket_option(f.a.fd, SO_SNDBUF));
	OK(send_big(f.a.fd, f.b.id, 10000 - 32));
}

/* If the master does not set it, the system's limits hold, as for AF_UNIX. */
TEST(client_of_a_bus_without_a_send_buffer_may_ask_for_one)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);

	OK(setsockopt(f.a.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 150000 }, sizeof(int)));
	EQ(300000, socket_option(f.a.fd, SO_SNDBUF));
	OK(send_big(f.a.fd, f.b.id, 300000 - 32));
}

enum { THREADS = 8, LONG = 16 << 20, BUFFER = LONG + 32 };

static pthread_barrier_t start;

static void *send_long(void *data)
{
	const struct fixture *f = data;
	static char text[LONG];

	pthread_barrier_wait(&start);
	OK(send_bytes(f->a.fd, f->b.id, text, LONG, 0));
	return NULL;
}

/*
 * A message is charged before it takes memory: so threads that send at the same time have no more
 * than the buffer and one message between them. In the end all of them wait, for a queue or for the
 * buffer.
 */
TEST_LONG(threads_together_are_charged_for_one_buffer_and_one_message, 60)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, BUFFER);
	pthread_t threads[THREADS];
	int now, last = -1;

	send_all(f.c.fd, f.b.id, 1 << 20);
	EQ(0, pthread_barrier_init(&start, NULL, THREADS));
	for (int i = 0; i < THREADS; i++)
		EQ(0, pthread_create(&threads[i], NULL, send_long, &f));
	while ((now = charged(f.a.fd)) != last || now < BUFFER) {
		last = now;
		usleep(100000);
	}
	if (now >= BUFFER + weight(LONG))
		FAIL("charged with %d bytes at a time", now);
	for (int n = 0; n < THREADS;)
		n += OK(recv(f.b.fd, big, sizeof(big), MSG_TRUNC)) == LONG;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	EQ(0, charged(f.a.fd));
}
