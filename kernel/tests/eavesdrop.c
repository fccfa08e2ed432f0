// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 3.5: eavesdroppers get everything and change nothing. */
#include "bus.h"
#include <sys/resource.h>

static const struct {
	const char *name;
	int from_master, to_group;
	uint64_t to;
} kinds[] = {
	{ "unicast", 0, 0, 2 },
	{ "given_address", 0, 0, ADDRESS(2, 1) },
	{ "group", 0, 1, GROUP(2) },
	{ "empty_group", 0, 1, GROUP(9) },
	{ "to_the_master", 0, 0, MASTER },
	{ "default_route", 0, 0, 99 },
	{ "from_the_master", 1, 0, 2 },
	{ "group_from_the_master", 1, 1, GROUP(2) },
	{ "back_to_the_master", 1, 0, 99 },
};

TEST_EACH(eavesdropper_gets_one_copy, kinds)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), e = join(&bus), f = join(&bus);

	OK(watch(e.accepted));
	OK(watch(f.accepted));
	OK(post(row->from_master ? a.accepted : a.fd, row->to, "secret"));
	GETS(e.fd, row->from_master ? MASTER : a.id, "secret");
	GETS(f.fd, row->from_master ? MASTER : a.id, "secret");
	GETS_NOTHING(e.fd);
	GETS_NOTHING(f.fd);
	GETS_NOTHING(e.accepted);
	(void)b;
}

/* What a client and the master say to each other before the join is not on the bus. */
TEST(words_of_a_client_not_joined_are_not_heard)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), e = join(&bus);

	OK(watch(e.accepted));
	OK(post(a.fd, MASTER, "my secret"));
	OK(post(a.accepted, MASTER, "well"));
	OK(send(a.accepted, "yes", 3, MSG_DONTWAIT));
	GETS(a.accepted, a.id, "my secret");
	GETS(a.fd, MASTER, "well");
	GETS(a.fd, MASTER, "yes");
	GETS_NOTHING(e.fd);
	/* What the master sends to others through that client's accepted socket is on the bus. */
	OK(post(a.accepted, GROUP(9), "nobody there"));
	GETS(e.fd, MASTER, "nobody there");
	OK(post(a.accepted, ADDRESS(9, 9), "note to self"));
	GETS(e.fd, MASTER, "note to self");
	OK(let_join(a.accepted));
	OK(post(a.fd, MASTER, "thanks"));
	OK(post(a.accepted, MASTER, "welcome"));
	GETS(e.fd, a.id, "thanks");
	GETS(e.fd, MASTER, "welcome");
	GETS_NOTHING(e.fd);
}

TEST(recipient_that_eavesdrops_gets_one_copy)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), e = join_at(&bus, ADDRESS(2, 1));

	OK(watch(e.accepted));
	OK(post(a.fd, e.id, "unicast"));
	OK(post(a.fd, GROUP(2), "group"));
	OK(post(a.fd, EVERYONE, "all"));
	GETS(e.fd, a.id, "unicast");
	GETS(e.fd, a.id, "group");
	GETS(e.fd, a.id, "all");
	GETS_NOTHING(e.fd);
}

TEST(eavesdroppers_own_messages_are_messages_on_the_bus)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), e = join(&bus);

	OK(watch(e.accepted));
	OK(post(e.fd, a.id, "mine"));
	GETS(a.fd, e.id, "mine");
	GETS(e.fd, e.id, "mine");
	GETS_NOTHING(e.fd);
}

TEST(bus_with_one_eavesdropper_stays_out_of_other_buses)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client a = join(&bus), e = join(&other);

	OK(watch(e.accepted));
	OK(post(a.fd, MASTER, "x"));
	GETS_NOTHING(e.fd);
}

TEST(messages_before_and_after_the_watch_are_not_copied)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(post(a.fd, b.id, "before"));
	OK(watch(e.accepted));
	OK(post(a.fd, b.id, "during"));
	OK(unwatch(e.accepted));
	OK(post(a.fd, b.id, "after"));
	GETS(e.fd, a.id, "during");
	GETS_NOTHING(e.fd);
	EQ(3, drain(b.fd));
}

/* What the others see does not depend on being watched. (in 2012 it did) */
static void log_traffic(int watched, char *seen, size_t size)
{
	struct bus bus = open_bus(watched ? "@watched" : "@unwatched");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), e = join(&bus);
	struct message m;
	int fds[2], on = 1;

	OK(pipe(fds));
	OK(setsockopt(b.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	if (watched)
		OK(watch(e.accepted));
	OK(post_fds(a.fd, b.id, "one", fds, 2));
	OK(post_fds(a.fd, GROUP(2), "two", fds, 2));
	for (int i = 0; i < 2; i++) {
		OK(take(b.fd, &m));
		snprintf(seen + strlen(seen), size - strlen(seen), "%.*s from %llx, %d fds, creds %d %d;",
			 (int)m.len, m.data, (unsigned long long)m.from.sbus_addr.s_addr, m.n_fds,
			 m.has_creds, (int)m.creds.uid);
		close_fds(&m);
	}
	snprintf(seen + strlen(seen), size - strlen(seen), "%d filled;", fill(a.fd, b.id));
	snprintf(seen + strlen(seen), size - strlen(seen), "group: %zd %d;",
		 post(a.fd, GROUP(2), "x"), errno);
	OK(shutdown(b.accepted, SHUT_RDWR));
	snprintf(seen + strlen(seen), size - strlen(seen), "left: %d;", drain(b.fd));
	snprintf(seen + strlen(seen), size - strlen(seen), "expelled: %zd %d;",
		 post(b.fd, a.id, "x"), errno);
}

TEST(others_see_the_same_watched_and_unwatched)
{
	char watched[512] = "", unwatched[512] = "";

	log_traffic(0, unwatched, sizeof(unwatched));
	log_traffic(1, watched, sizeof(watched));
	if (strcmp(watched, unwatched))
		FAIL("unwatched: %s watched: %s", unwatched, watched);
}

/* An eavesdropper that does not read holds no sender up. */
TEST(full_eavesdropper_never_fails_a_send)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(watch(e.accepted));
	for (int i = 0; i < 100; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	CHECK(events(a.fd) & POLLOUT);
	EQ(ROOM, drain(e.fd));
}

static const struct {
	const char *name;
	int policy;
} policies[] = {
	{ "block", BUS_OVERFLOW_BLOCK },
	{ "fail", BUS_OVERFLOW_FAIL },
	{ "evict", BUS_OVERFLOW_EVICT },
};

TEST(full_eavesdropper_uses_up_no_descriptors_of_the_sender)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct rlimit limit = { 64, 64 };
	struct message m;
	int fds[20];

	OK(watch(e.accepted));
	for (int i = 0; i < 20; i++)
		fds[i] = a.fd;
	OK(setresuid(3, 3, 3));
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < 30; i++) {
		OK(post_fds(a.fd, b.id, "x", fds, 20));
		OK(take(b.fd, &m));
		EQ(20, m.n_fds);
		close_fds(&m);
	}
}

TEST_EACH(full_eavesdropper_is_not_subject_to_the_policy, policies)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, row->policy));
	OK(watch(e.accepted));
	for (int i = 0; i < 30; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	CHECK(!(events(e.fd) & (POLLHUP | POLLERR)));
	EQ(0, socket_option(e.fd, SO_ERROR));
	EQ(ROOM, drain(e.fd));
}

/* A full eavesdropper that is addressed is a recipient like any other. */
TEST(full_eavesdropper_blocks_those_who_write_to_it)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), e = join(&bus);

	OK(watch(e.accepted));
	EQ(ROOM, fill(a.fd, e.id));
	OK(post(a.fd, MASTER, "to others"));
	FAILS(EAGAIN, post(a.fd, e.id, "to it"));
	FAILS(EAGAIN, post(a.fd, EVERYONE, "to it, too"));
}

TEST(next_message_tells_how_many_were_missed)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct message m;

	OK(watch(e.accepted));
	for (int i = 0; i < ROOM + 7; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	for (int i = 0; i < ROOM; i++) {
		OK(take(e.fd, &m));
		CHECK(!m.has_lost);
	}
	GETS_NOTHING(e.fd);
	OK(post(a.fd, b.id, "seen again"));
	OK(take(e.fd, &m));
	CHECK(same_text(&m, "seen again"));
	CHECK(m.has_lost);
	EQ(7, m.lost);
	OK(post(a.fd, b.id, "and again"));
	OK(take(e.fd, &m));
	CHECK(!m.has_lost);
}

/* The count comes with the next message, be it one addressed to the eavesdropper. */
TEST(missed_messages_are_told_by_a_message_to_the_eavesdropper)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct message m;

	OK(watch(e.accepted));
	for (int i = 0; i < ROOM + 3; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	EQ(ROOM, drain(e.fd));
	OK(post(a.fd, e.id, "you missed some"));
	OK(take(e.fd, &m));
	CHECK(m.has_lost);
	EQ(3, m.lost);
}

TEST(missed_messages_are_told_after_the_watch_has_ended)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct message m;

	OK(watch(e.accepted));
	for (int i = 0; i < ROOM + 3; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	OK(unwatch(e.accepted));
	EQ(ROOM, drain(e.fd));
	OK(post(a.fd, e.id, "to you"));
	OK(take(e.fd, &m));
	EQ(3, m.lost);
}

TEST(nothing_is_ever_missed_unsaid)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	uint64_t seen = 0, lost = 0;
	struct message m;
	unsigned int dice = 1;

	OK(watch(e.accepted));
	for (int i = 0; i < 500; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
		for (int reads = rand_r(&dice) % 30 == 0 ? 20 : 0; reads; reads--) {
			if (take(e.fd, &m) < 0)
				break;
			seen++;
			lost += m.lost;
		}
	}
	while (take(e.fd, &m) > 0) {
		seen++;
		lost += m.lost;
	}
	OK(post(a.fd, b.id, "x"));
	OK(take(e.fd, &m));
	EQ(501, seen + lost + 1 + m.lost);
	CHECK(lost + m.lost > 0);
}

/* A failed send was no message: an eavesdropper has not seen it either. */
TEST(failed_sends_are_not_heard)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = attach(&bus), e;

	fill(a.fd, b.id);
	e = join(&bus);
	OK(watch(e.accepted));
	FAILS(EAGAIN, post(a.fd, b.id, "x"));
	FAILS(EHOSTUNREACH, post(c.fd, b.id, "x"));
	FAILS(EOPNOTSUPP, send(a.fd, "x", 1, MSG_OOB));
	GETS_NOTHING(e.fd);
}

TEST(eavesdropper_gets_descriptors_and_credentials)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct message m;
	int fds[2], on = 1;

	OK(pipe(fds));
	OK(setsockopt(e.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	OK(watch(e.accepted));
	OK(post_fds(a.fd, b.id, "x", fds, 2));
	OK(take(e.fd, &m));
	EQ(2, m.n_fds);
	CHECK(m.has_creds);
	EQ(getpid(), m.creds.pid);
	OK(write(m.fds[1], "through", 7));
	close_fds(&m);
}

/*
 * The memory of its copies is charged to the sender, and is given back when the eavesdropper
 * closes.
 */
TEST(eavesdropper_that_dies_full_costs_nobody_anything)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(watch(e.accepted));
	for (int i = 0; i < 50; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
	close_client(&e);
	for (int i = 0; i < 50; i++) {
		OK(post(a.fd, b.id, "x"));
		GETS(b.fd, a.id, "x");
	}
}

/* Watching changes nothing, not even when unread copies would fill the send buffer. */
TEST(unread_copies_do_not_use_up_the_send_buffer)
{
	static char big[60000];
	struct bus bus = open_bus("@bus");
	struct client a, b, e;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 100));
	a = join(&bus);
	b = join(&bus);
	e = join(&bus);
	OK(watch(e.accepted));
	for (int i = 0; i < 20; i++) {
		OK(send_bytes(a.fd, b.id, big, sizeof(big), MSG_DONTWAIT));
		EQ(sizeof(big), OK(recv(b.fd, big, sizeof(big), MSG_DONTWAIT)));
	}
}
