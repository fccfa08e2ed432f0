// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: what happens to a full client, by the policy of the bus. */
#include "pair.h"

static struct pair failing_pair(int policy)
{
	struct pair p = { .bus = open_bus("@bus") };

	OK(set_option(p.bus.fd, BUS_SET_OVERFLOW, policy));
	p.a = join(&p.bus);
	p.b = join_at(&p.bus, ADDRESS(2, 1));
	return p;
}

static int push(int fd, uint64_t to)
{
	int n = 0;

	while (post_wait(fd, to, "filler") >= 0)
		CHECK(++n < 1000);
	return n;
}

static const struct {
	const char *name;
	uint64_t to;
} overflows[] = {
	{ "unicast", 2 }, { "given_address", ADDRESS(2, 1) }, { "group", GROUP(2) },
	{ "master", MASTER },
};

TEST_EACH(fail_policy_fails_at_once, overflows)
{
	struct pair p = failing_pair(BUS_OVERFLOW_FAIL);

	EQ(ROOM, push(p.a.fd, row->to));
	FAILS(ENOBUFS, post_wait(p.a.fd, row->to, "x"));
	FAILS(ENOBUFS, post(p.a.fd, row->to, "x"));
	EQ(ROOM, drain(row->to == MASTER ? p.a.accepted : p.b.fd));
	OK(post(p.a.fd, row->to, "x"));
}

static const struct {
	const char *name;
	uint64_t to;
} evictions[] = { { "unicast", 2 }, { "group", GROUP(2) } };

/* The full client is expelled. It can still read what it has, and then learns why. */
TEST_EACH(evict_policy_expels_the_full_client, evictions)
{
	struct pair p = failing_pair(BUS_OVERFLOW_EVICT);
	struct client c = join_at(&p.bus, ADDRESS(2, 2));

	for (int i = 0; i < ROOM; i++)
		OK(post(p.a.fd, p.b.id, "filler"));
	EQ(1, OK(post_wait(p.a.fd, row->to, "x")));
	if (row->to == GROUP(2))
		GETS(c.fd, p.a.id, "x");
	GETS_NOTHING(c.fd);
	CHECK(events(p.b.fd) & POLLHUP);
	CHECK(events(p.b.accepted) & POLLHUP);
	EQ(ENOBUFS, socket_option(p.b.fd, SO_ERROR));
	EQ(0, socket_option(p.b.fd, SO_ERROR));
	EQ(ENOBUFS, socket_option(p.b.accepted, SO_ERROR));
	EQ(0, socket_option(p.b.accepted, SO_ERROR));
	EQ(ROOM, drain(p.b.fd));
	ENDS(p.b.fd);
	ENDS(p.b.accepted);
	FAILS(EPIPE, post(p.b.fd, p.a.id, "x"));
	FAILS(EPIPE, post(p.b.fd, MASTER, "x"));
	OK(post(p.a.fd, p.b.id, "gone"));
	GETS(p.a.accepted, p.a.id, "gone");
}

/* If SO_ERROR was not asked for, recv returns the error, as on any socket. */
TEST(evicted_reader_and_master_get_the_error_from_recv)
{
	struct pair p = failing_pair(BUS_OVERFLOW_EVICT);
	struct message m;

	for (int i = 0; i <= ROOM; i++)
		OK(post(p.a.fd, p.b.id, "filler"));
	CHECK(events(p.b.fd) & POLLERR);
	CHECK(events(p.b.accepted) & POLLERR);
	FAILS(ENOBUFS, take(p.b.accepted, &m));
	ENDS(p.b.accepted);
}

TEST(evict_policy_wakes_the_evicted_reader)
{
	struct pair p = failing_pair(BUS_OVERFLOW_EVICT);
	int poller = edges_poll(p.b.accepted, EPOLLRDHUP);

	edges(poller, 0);
	for (int i = 0; i <= ROOM; i++)
		OK(post(p.a.fd, p.b.id, "filler"));
	CHECK(edges(poller, 2000) & EPOLLHUP);
}

TEST(policy_may_change_while_the_bus_lives)
{
	struct pair p = failing_pair(BUS_OVERFLOW_FAIL);

	push(p.a.fd, p.b.id);
	OK(set_option(p.bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_BLOCK));
	FAILS(EAGAIN, post(p.a.fd, p.b.id, "x"));
	OK(set_option(p.bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL));
	FAILS(ENOBUFS, post(p.a.fd, p.b.id, "x"));
}
