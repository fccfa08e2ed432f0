// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: all recipients or none, and each with all that was sent. */
#include "bus.h"
#include <sys/mman.h>

/* A bus whose member @full of group 2 has no room for another message. */
struct crowd {
	struct bus bus;
	struct client sender, free[3], full, watcher;
};

static struct crowd gather(void)
{
	struct crowd c = { .bus = open_bus("@bus") };

	c.sender = join(&c.bus);
	for (int i = 0; i < 3; i++)
		c.free[i] = join_at(&c.bus, ADDRESS(2, i));
	c.full = join_at(&c.bus, ADDRESS(2, 9));
	EQ(ROOM, fill(c.sender.fd, c.full.id));
	c.watcher = join(&c.bus);
	OK(watch(c.watcher.accepted));
	return c;
}

static void nobody_got_it(struct crowd *c)
{
	for (int i = 0; i < 3; i++)
		GETS_NOTHING(c->free[i].fd);
	GETS_NOTHING(c->watcher.fd);
	GETS_NOTHING(c->sender.accepted);
	EQ(ROOM, drain(c->full.fd));
}

static void all_got_it(struct crowd *c, const char *text)
{
	for (int i = 0; i < 3; i++) {
		GETS(c->free[i].fd, c->sender.id, text);
		GETS_NOTHING(c->free[i].fd);
	}
	GETS(c->watcher.fd, c->sender.id, text);
	GETS_NOTHING(c->watcher.fd);
}

/* In 2012 the call returned success, and only some members had the message. */
TEST(full_member_fails_the_multicast_for_everyone)
{
	struct crowd c = gather();

	FAILS(EAGAIN, post(c.sender.fd, GROUP(2), "x"));
	nobody_got_it(&c);
	OK(post(c.sender.fd, GROUP(2), "now"));
	all_got_it(&c, "now");
	GETS(c.full.fd, c.sender.id, "now");
}

TEST(failing_policy_fails_the_multicast_for_everyone)
{
	struct crowd c = gather();

	OK(set_option(c.bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_FAIL));
	FAILS(ENOBUFS, post(c.sender.fd, GROUP(2), "x"));
	FAILS(ENOBUFS, post_wait(c.sender.fd, GROUP(2), "x"));
	nobody_got_it(&c);
}

TEST(send_timeout_leaves_nothing_behind)
{
	struct crowd c = gather();

	OK(set_timeout(c.sender.fd, SO_SNDTIMEO, 50));
	FAILS(EAGAIN, post_wait(c.sender.fd, GROUP(2), "x"));
	nobody_got_it(&c);
}

TEST(interrupted_multicast_leaves_nothing_behind)
{
	struct crowd c = gather();
	struct job j;

	handle(SIGUSR1, 0);
	start_send(&j, c.sender.fd, GROUP(2), "x");
	await_block(&j);
	pthread_kill(j.thread, SIGUSR1);
	ends_with(&j, EINTR);
	nobody_got_it(&c);
}

/* The fault comes in the middle of the payload. */
TEST(unreadable_payload_leaves_nothing_behind)
{
	struct crowd c = gather();
	char *pages = mmap(NULL, 2 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	OK(munmap(pages + (1 << 16), 1 << 16));
	EQ(ROOM, drain(c.full.fd));
	FAILS(EFAULT, send_bytes(c.sender.fd, GROUP(2), pages, 3 << 15, MSG_DONTWAIT));
	EQ(ROOM, fill(c.sender.fd, c.full.id));
	EQ(ROOM, drain(c.watcher.fd));
	nobody_got_it(&c);
}

TEST(message_too_long_leaves_nothing_behind)
{
	struct crowd c = gather();
	static char data[1 << 20];

	FAILS(EMSGSIZE, send_bytes(c.sender.fd, GROUP(2), data, sizeof(data), MSG_DONTWAIT));
	nobody_got_it(&c);
}

TEST(bad_descriptor_leaves_nothing_behind)
{
	struct crowd c = gather();
	int bad = 9999;

	FAILS(EBADF, post_fds(c.sender.fd, GROUP(2), "x", &bad, 1));
	nobody_got_it(&c);
}

/* No copy is made before the last recipient has room for its own. */
TEST(waiting_multicast_is_seen_by_nobody)
{
	struct crowd c = gather();
	struct message m;
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	for (int i = 0; i < 3; i++)
		GETS_NOTHING(c.free[i].fd);
	GETS_NOTHING(c.watcher.fd);
	OK(take(c.full.fd, &m));
	ends_with(&j, 0);
	all_got_it(&c, "later");
}

/* A multicast that waits holds no places: others go on filling the queues that have room. */
TEST(waiting_multicast_reserves_no_room)
{
	struct crowd c = gather();
	struct client other = join(&c.bus);
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	EQ(ROOM, fill(other.fd, c.free[0].id));
	EQ(ROOM, drain(c.full.fd));
	await_block(&j);
	for (int i = 0; i < ROOM; i++)
		GETS(c.free[0].fd, other.id, "filler");
	ends_with(&j, 0);
	for (int i = 0; i < 3; i++)
		GETS(c.free[i].fd, c.sender.id, "later");
}

/* The recipient that blocked the sender dies: the others get the message, once. */
TEST(recipient_that_dies_drops_out_of_the_set)
{
	struct crowd c = gather();
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	close(c.full.fd);
	ends_with(&j, 0);
	all_got_it(&c, "later");
}

TEST(recipient_that_is_expelled_drops_out_of_the_set)
{
	struct crowd c = gather();
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	OK(shutdown(c.full.accepted, SHUT_RDWR));
	ends_with(&j, 0);
	all_got_it(&c, "later");
	EQ(ROOM, drain(c.full.fd));
	ENDS(c.full.fd);
}

TEST(recipient_that_loses_its_address_drops_out_of_the_set)
{
	struct crowd c = gather();
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	OK(del_address(c.full.accepted, ADDRESS(2, 9)));
	ends_with(&j, 0);
	all_got_it(&c, "later");
	EQ(ROOM, drain(c.full.fd));
}

/* A message's place is where it is queued: a client that joined during the wait gets it. */
TEST(recipient_that_joins_during_the_wait_is_in_the_set)
{
	struct crowd c = gather();
	struct client late;
	struct job j;

	start_send(&j, c.sender.fd, GROUP(2), "later");
	await_block(&j);
	late = join_at(&c.bus, ADDRESS(2, 77));
	drain(c.full.fd);
	ends_with(&j, 0);
	all_got_it(&c, "later");
	GETS(late.fd, c.sender.id, "later");
}

/* In 2012 the copies of a multicast lost descriptors, credentials and source. */
TEST(every_copy_has_descriptors_credentials_and_source)
{
	struct bus bus = open_bus("@bus");
	struct client sender = join(&bus), to[3];
	struct message m;
	struct stat want, got;
	int pipes[2];

	OK(pipe(pipes));
	OK(fstat(pipes[0], &want));
	for (int i = 0; i < 3; i++) {
		int on = 1;

		to[i] = join_at(&bus, ADDRESS(2, i));
		OK(setsockopt(to[i].fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	}
	OK(watch(to[2].accepted));
	OK(del_address(to[2].accepted, ADDRESS(2, 2)));
	OK(post_fds(sender.fd, GROUP(2), "x", pipes, 1));
	for (int i = 0; i < 3; i++) {
		OK(take(to[i].fd, &m));
		EQ(sender.id, m.from.sbus_addr.s_addr);
		CHECK(m.has_creds);
		EQ(getpid(), m.creds.pid);
		EQ(getuid(), m.creds.uid);
		EQ(1, m.n_fds);
		OK(fstat(m.fds[0], &got));
		EQ(want.st_ino, got.st_ino);
		close_fds(&m);
	}
}

/*
 * Four processes multicast into overlapping groups with short queues and never wait. Each message
 * is counted: all members have one whose send succeeded, and none has one whose send failed. In
 * 2012 a check of a queue reserved no place.
 */
enum { SENDERS = 4, TRIES = 1500 };

struct load { int sender, n; };

static int fate[SENDERS][TRIES];		/* 1: the send succeeded */
static unsigned char copies[2][SENDERS][TRIES];
static struct client racer[SENDERS], member[2];
static int racing = SENDERS;

static void *race(void *data)
{
	int s = (long)data;

	for (int n = 0; n < TRIES; n++) {
		struct load load = { s, n };

		fate[s][n] = send_bytes(racer[s].fd, GROUP(2), &load, sizeof(load),
					MSG_DONTWAIT) > 0;
		if (!fate[s][n])
			EQ(EAGAIN, errno);
	}
	__atomic_fetch_sub(&racing, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *count(void *data)
{
	int r = (long)data;
	struct message m;
	struct load load;

	for (;;) {
		int over = !__atomic_load_n(&racing, __ATOMIC_SEQ_CST);

		if (take(member[r].fd, &m) > 0) {
			memcpy(&load, m.data, sizeof(load));
			copies[r][load.sender][load.n]++;
		} else if (over) {
			return NULL;
		}
	}
}

TEST_LONG(racing_multicasts_are_at_all_members_or_at_none, 60)
{
	struct bus bus = open_bus("@bus");
	pthread_t threads[SENDERS + 2];
	int through = 0;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1));
	for (int r = 0; r < 2; r++)
		member[r] = join_at(&bus, ADDRESS(2, r));
	for (int s = 0; s < SENDERS; s++)
		racer[s] = join(&bus);
	for (long r = 0; r < 2; r++)
		EQ(0, pthread_create(&threads[SENDERS + r], NULL, count, (void *)r));
	for (long s = 0; s < SENDERS; s++)
		EQ(0, pthread_create(&threads[s], NULL, race, (void *)s));
	for (int i = 0; i < SENDERS + 2; i++)
		pthread_join(threads[i], NULL);
	for (int s = 0; s < SENDERS; s++) {
		for (int n = 0; n < TRIES; n++) {
			EQ(fate[s][n], copies[0][s][n]);
			EQ(fate[s][n], copies[1][s][n]);
			through += fate[s][n];
		}
	}
	CHECK(through > 0);
}

/* Many senders never overshoot the queue they share. */
TEST_LONG(racing_senders_never_overfill_a_queue, 60)
{
	struct bus bus = open_bus("@bus");
	pthread_t threads[SENDERS];

	for (int r = 0; r < 2; r++)
		member[r] = join_at(&bus, ADDRESS(2, r));
	for (int s = 0; s < SENDERS; s++)
		racer[s] = join(&bus);
	for (long s = 0; s < SENDERS; s++)
		EQ(0, pthread_create(&threads[s], NULL, race, (void *)s));
	for (int s = 0; s < SENDERS; s++)
		pthread_join(threads[s], NULL);
	EQ(ROOM, drain(member[0].fd));
	EQ(ROOM, drain(member[1].fd));
}
