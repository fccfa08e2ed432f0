// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: what messages weigh, in the queues that they are in and for their senders. */
#include "bus.h"

#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { OVERHEAD = 768, LONG_QUEUE = 4000, ROUNDS = 40 };

static char big[1 << 20];

static int weight(int len)
{
	return len + OVERHEAD;
}

static int charged(int fd)
{
	int n = -1;

	OK(ioctl(fd, SIOCOUTQ, &n));
	return n;
}

static int send_big(int fd, uint64_t to, size_t len)
{
	return send_bytes(fd, to, big, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends until a send fails. Return: how many messages went. */
static int send_all(int fd, uint64_t to, size_t len)
{
	int n = 0;

	while (send_big(fd, to, len) >= 0)
		CHECK(++n < LONG_QUEUE);
	return n;
}

static int drain_all(int fd)
{
	int n = 0;

	while (recv(fd, big, sizeof(big), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

struct fixture {
	struct bus bus;
	struct client a, b, c;	/* b and c are a group */
	int buffer;
};

/* No queue becomes full by the number of messages. */
static struct fixture make_fixture(int policy, int buffer)
{
	static const char *const names[] = { "@block", "@fail", "@evict" };
	struct fixture f = { .bus = open_bus(names[policy]) };

	OK(set_option(f.bus.fd, BUS_SET_MAXQLEN, LONG_QUEUE));
	OK(set_option(f.bus.fd, BUS_SET_OVERFLOW, policy));
	if (buffer)
		OK(set_option(f.bus.fd, BUS_SET_SENDBUF, buffer));
	f.a = join(&f.bus);
	f.b = join_at(&f.bus, ADDRESS(2, 1));
	f.c = join_at(&f.bus, ADDRESS(2, 2));
	f.buffer = socket_option(f.a.fd, SO_SNDBUF);
	return f;
}

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

/* A client that does not read is evicted, and costs its senders nothing before or after that. */
TEST(client_that_does_not_read_stops_nobody_on_a_bus_that_evicts)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_EVICT, 0);

	for (int i = 0; i < ROUNDS; i++) {
		OK(send_big(f.a.fd, GROUP(2), 60000));
		EQ(0, charged(f.a.fd));
		EQ(1, drain_all(f.c.fd));
		EQ(i > 1, !!(events(f.b.fd) & POLLHUP));
	}
	EQ(ENOBUFS, socket_option(f.b.fd, SO_ERROR));
	EQ(ENOBUFS, socket_option(f.b.accepted, SO_ERROR));
	EQ(2, drain_all(f.b.fd));
	OK(post(f.a.fd, f.c.id, "x"));
	OK(post(f.a.fd, MASTER, "x"));
}

/* One after another fills its queue and is evicted: the costs do not add up. */
TEST(clients_that_do_not_read_cost_nothing_however_many_there_are)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_EVICT, 0);

	for (int i = 0; i < 10; i++) {
		struct client slow = join_at(&f.bus, ADDRESS(3, i));

		while (!(events(slow.fd) & POLLHUP))
			OK(send_big(f.a.fd, GROUP(3), 40000));
		EQ(0, charged(f.a.fd));
		CHECK(events(f.a.fd) & POLLOUT);
	}
}

static void expel(const struct client *c)
{
	OK(shutdown(c->accepted, SHUT_RDWR));
}

static void expel_and_close(const struct client *c)
{
	expel(c);
	close(c->accepted);
}

static void leave_bus(const struct client *c)
{
	OK(shutdown(c->fd, SHUT_RDWR));
}

static void stop_receiving(const struct client *c)
{
	OK(shutdown(c->fd, SHUT_RD));
}

static const struct {
	const char *name;
	void (*part)(const struct client *c);
} partings[] = {
	{ "expelled", expel }, { "expelled_and_closed", expel_and_close }, { "left", leave_bus },
	{ "receives_no_more", stop_receiving },
};

/* What is in its queue can still be read, but no sender is charged for it. */
TEST_EACH(client_that_is_gone_costs_its_senders_nothing, partings)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	int n = 0;

	for (int i = 0; i < 20; i++) {
		OK(send_big(f.a.fd, f.b.id, 1000));
		OK(send_big(f.a.fd, GROUP(2), 100));
		OK(send_big(f.c.fd, f.b.id, 10));
	}
	EQ(20 * (weight(1000) + weight(100)), charged(f.a.fd));
	row->part(&f.b);
	EQ(20 * weight(100), charged(f.a.fd));
	EQ(0, charged(f.c.fd));
	EQ(20, drain_all(f.c.fd));
	EQ(0, charged(f.a.fd));
	while (recv(f.b.fd, big, sizeof(big), MSG_DONTWAIT) > 0)
		n++;
	EQ(60, n);
	EQ(0, charged(f.a.fd));
	EQ(0, charged(f.c.fd));
}

enum { PAGE = 4096 };

/* Memory of which the first access waits for let_touch(). Return: tells of that access by POLLIN. */
static int make_missing_page(void **page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register missing = {
		.range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOSYS)
		SKIP("this kernel has no userfaultfd");
	OK(fd);
	*page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(*page != MAP_FAILED);
	missing.range.start = (uintptr_t)*page;
	OK(ioctl(fd, UFFDIO_API, &api));
	OK(ioctl(fd, UFFDIO_REGISTER, &missing));
	return fd;
}

static void let_touch(int fd, void *page)
{
	struct uffdio_zeropage zeros = { .range = { (uintptr_t)page, PAGE } };

	OK(ioctl(fd, UFFDIO_ZEROPAGE, &zeros));
}

struct reading {
	int fd;
	void *page;
	ssize_t len;
};

static void *read_to_page(void *data)
{
	struct reading *r = data;

	r->len = recv(r->fd, r->page, PAGE, 0);
	return NULL;
}

static const struct {
	const char *name;
	uint64_t to;
	void (*part)(const struct client *c);
} readings[] = {
	{ "unicast", 2, NULL }, { "multicast", GROUP(2), NULL },
	{ "unicast_to_an_expelled_client", 2, expel }, { "multicast_to_an_expelled_client", GROUP(2), expel },
};

/* It has taken the message out of its queue, where nobody can end the charge any more. */
TEST_EACH(reader_that_waits_for_memory_costs_its_senders_nothing, readings)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	struct reading r = { .fd = f.b.fd };
	int touched = make_missing_page(&r.page);
	struct pollfd p = { .fd = touched, .events = POLLIN };
	pthread_t reader;

	OK(send_big(f.a.fd, row->to, 1000));
	drain_all(f.c.fd);
	EQ(weight(1000), charged(f.a.fd));
	EQ(0, pthread_create(&reader, NULL, read_to_page, &r));
	EQ(1, OK(poll(&p, 1, -1)));
	EQ(POLLIN, p.revents);
	if (row->part)
		row->part(&f.b);
	EQ(0, charged(f.a.fd));
	let_touch(touched, r.page);
	EQ(0, pthread_join(reader, NULL));
	EQ(1000, r.len);
	EQ(0, charged(f.a.fd));
	close(touched);
}

/* It was charged because the bus did not evict yet. */
TEST(client_that_is_evicted_later_costs_its_senders_nothing)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);

	send_all(f.a.fd, f.b.id, 1000);
	OK(set_option(f.bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
	CHECK(charged(f.a.fd) > f.buffer / 2 - 1);
	OK(send_big(f.a.fd, f.b.id, 1000));
	CHECK(events(f.b.fd) & POLLHUP);
	EQ(0, charged(f.a.fd));
}

/* Two that have stopped hold all of a's buffer; when one goes, half of the buffer is back. */
TEST(sender_that_waits_for_its_buffer_goes_on_when_a_client_is_gone)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	struct client d = join(&f.bus);
	struct job j;

	while (send_big(f.a.fd, f.b.id, 8000) > 0)
		;
	while (send_big(f.a.fd, f.c.id, 8000) > 0)
		;
	CHECK(charged(f.a.fd) >= f.buffer);
	CHECK(!(events(f.a.fd) & POLLOUT));
	start_send(&j, f.a.fd, d.id, "x");
	await_block(&j);
	expel(&f.b);
	ends_with(&j, 0);
	CHECK(events(f.a.fd) & POLLOUT);
}

/* The send has made a copy by then, which is the message itself, and has no recipient for it. */
TEST(send_whose_recipient_is_gone_by_then_costs_nothing)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);
	struct job j;

	OK(add_address(f.b.accepted, ADDRESS(5, 1)));
	send_all(f.a.fd, f.b.id, 1000);
	start_send(&j, f.a.fd, GROUP(5), "x");
	await_block(&j);
	OK(del_address(f.b.accepted, ADDRESS(5, 1)));
	ends_with(&j, 0);
	drain_all(f.b.fd);
	EQ(0, charged(f.a.fd));
}

static volatile int stop;

static void *read_on(void *data)
{
	int fd = *(int *)data, flags = MSG_DONTWAIT;

	while (!stop && recv(fd, big, 10, flags) != 0)
		flags ^= MSG_PEEK;
	return NULL;
}

static void *expel_it(void *data)
{
	expel(data);
	return NULL;
}

/* The reader, the master and the sender act at once: each charge ends once. */
TEST_LONG(charges_end_once_whoever_ends_them, 60)
{
	struct fixture f = make_fixture(BUS_OVERFLOW_BLOCK, 0);

	for (int i = 0; i < 300; i++) {
		struct client d = join_at(&f.bus, ADDRESS(4, i)), e = join_at(&f.bus, ADDRESS(4, 1000 + i));
		pthread_t reader, master;

		for (int k = 0; k < 50; k++)
			OK(send_big(f.a.fd, k % 2 ? d.id : GROUP(4), k % 3));
		stop = 0;
		EQ(0, pthread_create(&reader, NULL, read_on, &d.fd));
		EQ(0, pthread_create(&master, NULL, expel_it, &d));
		drain(e.fd);
		pthread_join(master, NULL);
		stop = 1;
		pthread_join(reader, NULL);
		close_client(&e);
		if (i % 2)
			close_client(&d);
		EQ(0, charged(f.a.fd));
		close_client(&d);
	}
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
