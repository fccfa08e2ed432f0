// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: when a sender's charge for a message ends. */
#include "weight.h"

#include <linux/userfaultfd.h>
#include <sys/mman.h>

enum { ROUNDS = 40 };

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
