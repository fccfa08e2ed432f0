// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: which client gets which message, and what happens while rules change.
 * match.c tests what rules mean, message.c what is not a message, rules.c and rights.c how rules
 * come and go, and who may change them.
 */
#include "dbus.h"
#include <sys/epoll.h>

static struct bytes b;

TEST(multicast_reaches_those_whose_rules_want_it)
{
	struct fixture f = make_fixture();

	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.all.fd));
	GETS_NOTHING(f.none.fd);
	GETS_NOTHING(f.a.fd);
	OK(add_rule("@bus", f.a.id, "member='Changed'"));
	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.a.fd));
}

TEST(one_rule_of_many_is_enough_and_brings_one_copy)
{
	struct fixture f = make_fixture();

	OK(add_rule("@bus", f.none.id, "member='Other'"));
	OK(add_rule("@bus", f.none.id, "member='Changed'"));
	OK(add_rule("@bus", f.none.id, "type='signal'"));
	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.none.fd));
}

static void says_one_fd(struct bytes *b) { put_field(b, UNIX_FDS, "u", "1"); }
static void says_no_fd(struct bytes *b) { put_field(b, UNIX_FDS, "u", "0"); }

static const struct {
	const char *name;
	struct dbus_message sent;
	int n, arrives;
} fd_counts[] = {
	{ "none_said_none_there", { A_SIGNAL }, 0, 1 },
	{ "zero_said_none_there", { A_SIGNAL, .more_fields = says_no_fd }, 0, 1 },
	{ "one_said_one_there", { A_SIGNAL, .more_fields = says_one_fd }, 1, 1 },
	{ "one_said_one_there_big_endian", { A_SIGNAL, .big = 1, .more_fields = says_one_fd }, 1, 1 },
	{ "one_said_none_there", { A_SIGNAL, .more_fields = says_one_fd }, 0, 0 },
	{ "one_said_two_there", { A_SIGNAL, .more_fields = says_one_fd }, 2, 0 },
	{ "none_said_one_there", { A_SIGNAL }, 1, 0 },
	{ "zero_said_one_there", { A_SIGNAL, .more_fields = says_no_fd }, 1, 0 },
};

/*
 * A message declares the descriptors that it carries: nobody waits for missing ones, and none is
 * lost.
 */
TEST_EACH(multicast_has_the_descriptors_that_it_says, fd_counts)
{
	struct fixture f = make_fixture();
	struct sockaddr_bus everyone = bus_name(NULL, EVERYONE);
	int fds[2] = { STDIN_FILENO, STDIN_FILENO };
	struct message m;

	write_message(&b, &row->sent);
	OK(send_bytes_fds(f.a.fd, &everyone, b.data, b.len, fds, row->n, MSG_DONTWAIT));
	if (!row->arrives) {
		GETS_NOTHING(f.all.fd);
		return;
	}
	OK(take(f.all.fd, &m));
	EQ(row->n, m.n_fds);
	close_fds(&m);
}

TEST(group_is_filtered_as_everyone_is)
{
	struct fixture f = make_fixture();

	OK(add_address(f.all.accepted, ADDRESS(2, 1)));
	OK(add_address(f.none.accepted, ADDRESS(2, 2)));
	write_message(&b, &a_signal);
	OK(post_bytes(f.a.fd, GROUP(2), &b));
	EQ(1, drain(f.all.fd));
	GETS_NOTHING(f.none.fd);
}

/* Rules are for multicasts. What the master sends need not be D-Bus, even to all. */
TEST(unicast_and_the_masters_messages_pass_whatever_they_are)
{
	struct fixture f = make_fixture();

	OK(add_address(f.none.accepted, ADDRESS(1, 1)));
	OK(post(f.a.fd, f.none.id, "client"));
	GETS(f.none.fd, f.a.id, "client");
	OK(post(f.a.fd, ADDRESS(1, 1), "address"));
	GETS(f.none.fd, f.a.id, "address");
	OK(post(f.a.fd, MASTER, "AUTH EXTERNAL"));
	GETS(f.a.accepted, f.a.id, "AUTH EXTERNAL");
	OK(post(f.a.fd, ADDRESS(1, 99), "default route"));
	GETS(f.a.accepted, f.a.id, "default route");
	OK(post(f.none.accepted, f.none.id, "master"));
	GETS(f.none.fd, MASTER, "master");
	OK(post(f.a.accepted, EVERYONE, "all"));
	GETS(f.none.fd, MASTER, "all");
	GETS(f.all.fd, MASTER, "all");
}

TEST(signal_of_the_master_reaches_those_whose_rules_match)
{
	struct fixture f = make_fixture();
	struct client c = join(&f.bus);

	OK(add_rule("@bus", f.none.id, "sender='org.freedesktop.DBus',member='Changed'"));
	OK(add_rule("@bus", c.id, "member='Other'"));
	write_message(&b, &a_signal);
	OK(post_bytes(f.a.accepted, EVERYONE, &b));
	EQ(1, drain(f.all.fd));
	EQ(1, drain(f.none.fd));
	GETS_NOTHING(f.a.fd);
	GETS_NOTHING(c.fd);
	/* To one recipient it needs no rule. */
	OK(post_bytes(f.a.accepted, c.id, &b));
	EQ(1, drain(c.fd));
}

TEST(eavesdropper_hears_unicasts_and_of_multicasts_what_its_rules_want)
{
	struct fixture f = make_fixture();
	struct client spy = join(&f.bus);

	OK(watch(spy.accepted));
	write_message(&b, &a_signal);
	OK(post_bytes(f.a.fd, f.none.id, &b));
	OK(post_bytes(f.a.fd, MASTER, &b));
	OK(post_bytes(f.a.accepted, MASTER, &b));
	EQ(3, drain(spy.fd));
	OK(add_address(f.all.accepted, ADDRESS(2, 1)));
	OK(post_bytes(f.a.fd, GROUP(2), &b));
	GETS_NOTHING(spy.fd);
	OK(add_rule("@bus", spy.id, "eavesdrop='true'"));
	OK(post_bytes(f.a.fd, GROUP(2), &b));
	EQ(1, drain(spy.fd));
	OK(post(f.a.fd, GROUP(2), "no message"));
	GETS_NOTHING(spy.fd);
}

/* A monitor is a D-Bus program, which disconnects over bytes that are no message. */
TEST(eavesdropper_hears_nothing_that_is_no_message)
{
	struct fixture f = make_fixture();
	struct client spy = join(&f.bus);
	struct message m;

	OK(add_rule("@bus", spy.id, ""));
	OK(watch(spy.accepted));
	OK(post(f.a.fd, f.none.id, "unicast"));
	OK(post(f.a.fd, MASTER, "AUTH EXTERNAL"));
	OK(post(f.a.fd, ADDRESS(9, 9), "default route"));
	OK(post(f.a.accepted, MASTER, "OK"));
	OK(post(f.a.accepted, GROUP(9), "master"));
	write_message(&b, &a_signal);
	b.len--;
	OK(post_bytes(f.a.fd, f.none.id, &b));
	GETS_NOTHING(spy.fd);
	EQ(2, drain(f.none.fd));
	EQ(2, drain(f.a.accepted));
	/* The monitor has missed nothing. */
	write_message(&b, &a_signal);
	OK(post_bytes(f.a.fd, f.none.id, &b));
	OK(take(spy.fd, &m));
	CHECK(!m.has_lost);
}

TEST(full_client_that_wants_nothing_holds_up_nobody)
{
	struct fixture f = make_fixture();

	fill(f.a.fd, f.none.id);
	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.all.fd));
}

static void *job_signal(void *data)
{
	struct job *j = data;
	static struct bytes m;

	write_message(&m, &a_signal);
	j->tid = syscall(SYS_gettid);
	j->result = send_bytes(j->fd, EVERYONE, m.data, m.len, MSG_NOSIGNAL);
	j->err = j->result < 0 ? errno : 0;
	j->done = 1;
	return NULL;
}

TEST(sender_that_waits_goes_on_when_its_message_is_not_wanted_any_more)
{
	struct fixture f = make_fixture();
	struct job j = { .fd = f.a.fd };

	OK(add_rule("@bus", f.none.id, "member='Changed'"));
	fill(f.a.fd, f.none.id);
	start_job(&j, job_signal);
	await_block(&j);
	OK(add_rule("@bus", f.none.id, "member='Other'"));
	await_block(&j);
	GETS_NOTHING(f.all.fd);
	OK(remove_rule("@bus", f.none.id, "member='Changed'"));
	ends_with(&j, 0);
	EQ(1, drain(f.all.fd));
}

/* The same for a sender that does not sleep: POLLOUT tells it. */
TEST(poller_is_told_when_its_message_is_not_wanted_any_more)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), full = join(&bus);
	int poller = OK(epoll_create1(EPOLL_CLOEXEC));

	OK(add_rule("@bus", full.id, ""));
	while (signal_all(a.fd, &a_signal) > 0)
		;
	EQ(EAGAIN, errno);
	OK(epoll_ctl(poller, EPOLL_CTL_ADD, a.fd, &event));
	EQ(0, OK(epoll_wait(poller, &event, 1, 0)));
	CHECK(!(events(a.fd) & POLLOUT));
	OK(remove_rule("@bus", full.id, ""));
	EQ(1, OK(epoll_wait(poller, &event, 1, 10000)));
	CHECK(event.events & EPOLLOUT);
	OK(signal_all(a.fd, &a_signal));
}

TEST(sender_that_waits_reaches_who_began_to_want_its_message)
{
	struct fixture f = make_fixture();
	struct job j = { .fd = f.a.fd };

	fill(f.a.fd, f.all.id);
	start_job(&j, job_signal);
	await_block(&j);
	OK(add_rule("@bus", f.none.id, "member='Changed'"));
	GETS_NOTHING(f.none.fd);
	CHECK(drain(f.all.fd) > 1);
	ends_with(&j, 0);
	EQ(1, drain(f.none.fd));
}

/* Senders. */

TEST(sender_is_who_the_kernel_says)
{
	struct fixture f = make_fixture();
	struct client c = join(&f.bus);
	struct dbus_message lie = { A_SIGNAL, .sender = ":0.4" };
	char rule[64];

	snprintf(rule, sizeof(rule), "sender=':0.%llx'", (unsigned long long)f.a.id);
	OK(add_rule("@bus", f.none.id, rule));
	EQ(4, c.id);
	OK(signal_all(f.a.fd, &lie));
	EQ(1, drain(f.none.fd));
	lie.sender = ":0.1";
	OK(signal_all(c.fd, &lie));
	GETS_NOTHING(f.none.fd);
	EQ(2, drain(f.all.fd));
}

static const struct {
	const char *name, *rule;
} strangers[] = {
	{ "zeros_in_front", "sender=':0.01'" },
	{ "another_first_number", "sender=':1.1'" },
	{ "too_long", "sender=':0.10000000000001'" },
	{ "capitals", "sender=':0.A'" },
	{ "three_numbers", "sender=':0.1.1'" },
	{ "multicast_address", "sender=':0.ffffffffffff'" },
	{ "driver", "sender='org.freedesktop.DBus'" },
	{ "name_nobody_owns", "sender='org.example.Nobody'" },
};

TEST_EACH(sender_that_is_nobody_never_sends, strangers)
{
	struct fixture f = make_fixture();

	OK(add_rule("@bus", f.none.id, row->rule));
	for (int i = 0; i < 12; i++) {
		struct client c = join(&f.bus);

		OK(signal_all(c.fd, &a_signal));
		EQ(1, drain(f.all.fd));
		close_client(&c);
	}
	OK(signal_all(f.a.fd, &a_signal));
	GETS_NOTHING(f.none.fd);
}

TEST(name_is_its_owners)
{
	struct fixture f = make_fixture();
	struct client c = join(&f.bus);

	OK(set_name("@bus", f.a.id, "org.example.Player"));
	OK(add_rule("@bus", f.none.id, "sender='org.example.Player'"));
	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.none.fd));
	OK(signal_all(c.fd, &a_signal));
	GETS_NOTHING(f.none.fd);
	/*
	 * Another client takes over the name: the rule, which was added later
	 * than the name, now means that client.
	 */
	OK(set_name("@bus", c.id, "org.example.Player"));
	OK(signal_all(f.a.fd, &a_signal));
	GETS_NOTHING(f.none.fd);
	OK(signal_all(c.fd, &a_signal));
	EQ(1, drain(f.none.fd));
	OK(unset_name("@bus", "org.example.Player"));
	OK(signal_all(c.fd, &a_signal));
	GETS_NOTHING(f.none.fd);
	OK(set_name("@bus", f.a.id, "org.example.Player"));
	OK(signal_all(f.a.fd, &a_signal));
	EQ(1, drain(f.none.fd));
}

/* Changes under messages. */

/* There is room for that many, and for one more of each sender, however fast the machine is. */
enum { MAX_SENT = 1 << 19, MAX_SENDERS = 8 };

static struct fixture fixture;
static volatile int stop;
static volatile long sent;

static void *keep_sending(void *arg)
{
	struct dbus_message mine = { A_SIGNAL, .args = { "x", "/y/" } };
	struct bytes *m = malloc(sizeof(*m));

	(void)arg;
	write_message(m, &mine);
	while (!stop && sent < MAX_SENT) {
		if (send_bytes(fixture.a.fd, EVERYONE, m->data, m->len, MSG_NOSIGNAL) < 0)
			FAIL("send: %s", errname(errno));
		__atomic_add_fetch(&sent, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *keep_changing_rules(void *arg)
{
	(void)arg;
	while (!stop) {
		OK(add_rule("@bus", fixture.none.id, "member='Changed',arg0=x"));
		OK(add_rule("@bus", fixture.none.id, "sender='org.example.Player'"));
		OK(add_rule("@bus", fixture.none.id, "path_namespace='/org',arg1path='/y/'"));
		OK(remove_rule("@bus", fixture.none.id, "sender='org.example.Player'"));
		OK(remove_rules("@bus", fixture.none.id));
	}
	return NULL;
}

static void *keep_coming_and_going(void *arg)
{
	(void)arg;
	while (!stop) {
		struct client c = join(&fixture.bus);

		OK(add_rule("@bus", c.id, "type='signal'"));
		OK(add_rule("@bus", c.id, "interface='org.example.Player'"));
		OK(set_name("@bus", c.id, "org.example.Other"));
		drain(c.fd);
		if (c.id & 1)
			OK(shutdown(c.accepted, SHUT_RDWR));
		close(c.fd);
		/* Its end may still be under way, but its address is free already. */
		FAILS(EADDRNOTAVAIL, add_rule("@bus", c.id, ""));
		close(c.accepted);
	}
	return NULL;
}

static void *keep_naming(void *arg)
{
	struct dumped *d = malloc(sizeof(*d));

	(void)arg;
	while (!stop) {
		OK(set_name("@bus", fixture.a.id, "org.example.Player"));
		OK(dump(d, "@bus", 0));
		OK(set_name("@bus", fixture.all.id, "org.example.Player"));
		OK(unset_name("@bus", "org.example.Player"));
	}
	return NULL;
}

/* The next message; 0 when nobody sends any more and all is read. */
static int take_next(int fd, struct message *m)
{
	for (;;) {
		/*
		 * This is read before the queue: an empty queue says nothing about messages that
		 * were sent later.
		 */
		int all_sent = stop == 2;

		if (take(fd, m) > 0)
			return 1;
		if (all_sent)
			return 0;
		usleep(100);
	}
}

static void *keep_reading(void *arg)
{
	long *n = arg;
	struct message m;

	while (take_next(n ? fixture.all.fd : fixture.none.fd, &m))
		if (n)
			++*n;
	return NULL;
}

TEST_LONG(rules_change_under_messages, 60)
{
	void *(*const jobs[])(void *) = {
		keep_sending, keep_sending, keep_changing_rules, keep_coming_and_going, keep_naming,
	};
	pthread_t threads[ARRAY_SIZE(jobs)], readers[2];
	struct dumped *d = malloc(sizeof(*d));
	long got = 0;

	fixture = make_fixture();
	EQ(0, pthread_create(&readers[0], NULL, keep_reading, &got));
	EQ(0, pthread_create(&readers[1], NULL, keep_reading, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		EQ(0, pthread_create(&threads[i], NULL, jobs[i], NULL));
	sleep(4);
	stop = 1;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		pthread_join(threads[i], NULL);
	stop = 2;
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);

	/* Clients whose rules did not change have missed nothing. */
	EQ(sent, got);
	CHECK(sent > 0);
	EVENTUALLY(!dump(d, "@bus", 0) && d->rules == 1 && d->names == 0);
}

/*
 * A change has one place among the messages of a bus. One client gets all messages; another has one
 * rule that comes and goes. Between a message that only the first one gets and a message that both
 * get, there is a sequence number that no message has.
 */

struct seqs {
	int fd;
	size_t n;
	uint64_t at[MAX_SENT + MAX_SENDERS];
};

static void *keep_noting(void *arg)
{
	struct seqs *s = arg;
	struct message m;

	while (take_next(s->fd, &m)) {
		CHECK(m.has_seq && s->n < ARRAY_SIZE(s->at));
		s->at[s->n++] = m.seq;
	}
	return NULL;
}

/* How often a client that did not get a message gets the next one, or the other way round. */
static long turns(const struct seqs *all, const struct seqs *some)
{
	size_t at = 0;
	long n = 0;
	int had = 0;

	for (size_t i = 0; i < all->n; i++) {
		int has = at < some->n && some->at[at] == all->at[i];

		at += has;
		if (i && has != had) {
			n++;
			CHECK(all->at[i] > all->at[i - 1] + 1);
		}
		had = has;
	}
	EQ(some->n, at);
	return n;
}

TEST_LONG(change_of_a_rule_has_one_place_among_messages, 60)
{
	static struct seqs all, some;
	pthread_t senders[3], readers[2];

	fixture = make_fixture();
	all.fd = fixture.all.fd;
	some.fd = fixture.none.fd;
	OK(set_option(all.fd, BUS_PASSSEQ, 1));
	OK(set_option(some.fd, BUS_PASSSEQ, 1));
	EQ(0, pthread_create(&readers[0], NULL, keep_noting, &all));
	EQ(0, pthread_create(&readers[1], NULL, keep_noting, &some));
	for (int i = 0; i < 3; i++)
		EQ(0, pthread_create(&senders[i], NULL, keep_sending, NULL));
	for (long long end = now_ms() + 4000; now_ms() < end;) {
		OK(add_rule("@bus", fixture.none.id, "member='Changed'"));
		OK(remove_rule("@bus", fixture.none.id, "member='Changed'"));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(senders[i], NULL);
	stop = 2;
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);

	EQ(sent, (long)all.n);
	CHECK(turns(&all, &some) > 0);
}
