// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: what poll shows, and when an edge comes. */
#include "pair.h"

enum { ALL = EPOLLOUT | EPOLLIN | EPOLLRDHUP };

TEST(poll_shows_a_message)
{
	struct pair p = make_pair(2);
	struct message m;

	EQ(POLLOUT, events(p.b.fd));
	OK(post(p.a.fd, p.b.id, "x"));
	EQ(POLLIN | POLLOUT, events(p.b.fd));
	OK(take(p.b.fd, &m));
	EQ(POLLOUT, events(p.b.fd));
}

/* In 2012 one full queue anywhere took POLLOUT from every client. */
TEST(pollout_does_not_depend_on_other_queues)
{
	struct pair p = make_pair(2);
	struct client c = join(&p.bus);

	fill(p.a.fd, p.b.id);
	CHECK(events(c.fd) & POLLOUT);
	CHECK(events(p.b.accepted) & POLLOUT);
	CHECK(events(c.accepted) & POLLOUT);
}

TEST(pollout_ends_with_the_own_queue_full)
{
	struct pair p = make_pair(2);
	struct message m;

	fill(p.b.fd, p.a.id);
	EQ(POLLIN, events(p.a.fd));
	OK(take(p.a.fd, &m));
	CHECK(events(p.a.fd) & POLLOUT);
}

/* EAGAIN for a full recipient promises an edge when that recipient has room. */
TEST_EACH(edge_of_pollout_comes_when_the_full_recipient_reads, destinations)
{
	struct pair p = make_pair(row->to);
	int poller = edges_poll(p.a.fd, ALL);
	struct message m;

	fill(p.a.fd, row->to);
	edges(poller, 0);
	EQ(0, edges(poller, 0));
	FAILS(EAGAIN, post(p.a.fd, row->to, "x"));
	EQ(0, edges(poller, 0));
	OK(take(p.target, &m));
	CHECK(edges(poller, 2000) & EPOLLOUT);
	OK(post(p.a.fd, row->to, "x"));
}

/* And in the long run: every EAGAIN is followed by an edge, until everything has been sent. */
TEST_LONG(edge_driven_sender_says_it_all, 60)
{
	enum { MESSAGES = 500 };
	struct pair p = make_pair(2);
	struct message m;

	if (!OK(fork())) {
		int poller = edges_poll(p.a.fd, ALL);

		for (int n = 0; n < MESSAGES; n++)
			while (post(p.a.fd, GROUP(2), "x") < 0) {
				EQ(EAGAIN, errno);
				CHECK(edges(poller, 5000) & EPOLLOUT);
			}
		_exit(PASSED);
	}
	OK(set_timeout(p.b.fd, SO_RCVTIMEO, 10000));
	for (int n = 0; n < MESSAGES; n++)
		OK(take_flags(p.b.fd, &m, 0));
}

TEST(edge_of_pollout_comes_when_the_full_recipient_dies)
{
	struct pair p = make_pair(2);
	int poller = edges_poll(p.a.fd, ALL);

	fill(p.a.fd, GROUP(2));
	edges(poller, 0);
	FAILS(EAGAIN, post(p.a.fd, GROUP(2), "x"));
	close(p.b.fd);
	CHECK(edges(poller, 2000) & EPOLLOUT);
	OK(post(p.a.fd, GROUP(2), "x"));
}

TEST(edge_of_pollout_comes_when_the_own_queue_has_room)
{
	struct pair p = make_pair(2);
	int poller = edges_poll(p.a.fd, ALL);
	struct message m;

	fill(p.b.fd, p.a.id);
	while (edges(poller, 0))
		;
	FAILS(EAGAIN, post(p.a.fd, p.b.id, "x"));
	OK(take(p.a.fd, &m));
	CHECK(edges(poller, 2000) & EPOLLOUT);
}

TEST(edge_of_pollin_comes_with_each_message)
{
	struct pair p = make_pair(2);
	int poller = edges_poll(p.b.fd, ALL);

	edges(poller, 0);
	for (int i = 0; i < 3; i++) {
		OK(post(p.a.fd, p.b.id, "x"));
		CHECK(edges(poller, 2000) & EPOLLIN);
		EQ(0, edges(poller, 0));
	}
}

/*
 * No thundering herd: a read wakes the senders that waited for its reader, and not the whole bus.
 */
TEST(reader_wakes_only_those_who_wait_for_it)
{
	struct pair p = make_pair(2);
	struct client bystander = join(&p.bus);
	int poller = edges_poll(bystander.fd, ALL);
	struct message m;

	edges(poller, 0);
	fill(p.a.fd, p.b.id);
	OK(take(p.b.fd, &m));
	OK(post(p.a.fd, p.b.id, "x"));
	drain(p.b.fd);
	EQ(0, edges(poller, 0));
}
