// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: one sequence of messages for everyone, and BUS_SCM_SEQ. */
#include "bus.h"
#include "ledger.h"

static uint64_t seq_of(int fd, const char *text)
{
	struct message m;

	OK(take(fd, &m));
	CHECK(same_text(&m, text));
	CHECK(m.has_seq);
	return m.seq;
}

static void show_seq(const struct client *c)
{
	OK(set_option(c->fd, BUS_PASSSEQ, 1));
	OK(set_option(c->accepted, BUS_PASSSEQ, 1));
}

TEST(a_message_has_one_place_for_all_its_recipients)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));
	struct client e = join(&bus);
	uint64_t seq;

	show_seq(&a);
	show_seq(&b);
	show_seq(&e);
	OK(watch(e.accepted));
	OK(post(a.fd, GROUP(2), "x"));
	seq = seq_of(a.fd, "x");
	EQ(seq, seq_of(b.fd, "x"));
	EQ(seq, seq_of(e.fd, "x"));
}

/*
 * Unicasts, multicasts, messages to the master and from it: all have their places in one sequence.
 */
TEST(places_rise_across_every_kind_of_message)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), e = join(&bus);
	static const char *const texts[] = { "unicast", "group", "to master", "from master", "all" };
	uint64_t last = 0;

	show_seq(&e);
	OK(watch(e.accepted));
	OK(post(a.fd, b.id, texts[0]));
	OK(post(b.fd, GROUP(2), texts[1]));
	OK(post(b.fd, MASTER, texts[2]));
	OK(post(a.accepted, b.id, texts[3]));
	OK(post(a.accepted, EVERYONE, texts[4]));
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		uint64_t seq = seq_of(e.fd, texts[i]);

		CHECK(seq > last);
		last = seq;
	}
}

TEST(buses_count_apart)
{
	struct bus one = open_bus("@one"), two = open_bus("@two");
	struct client a = join(&one), b = join(&two);
	uint64_t first;

	show_seq(&a);
	show_seq(&b);
	OK(post(a.fd, MASTER, "x"));
	first = seq_of(a.accepted, "x");
	for (int i = 0; i < 5; i++) {
		OK(post(b.fd, MASTER, "y"));
		seq_of(b.accepted, "y");
	}
	OK(post(a.fd, MASTER, "x"));
	CHECK(seq_of(a.accepted, "x") <= first + 3);
}

/*
 * A multicasts to B and C. B, which has got it, writes to C. C always reads A's message first. In
 * 2012 only multicasts were in order.
 */
TEST_LONG(answer_never_overtakes_what_it_answers, 60)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	pid_t answerer = OK(fork());

	if (!answerer) {
		struct message m;

		while (take_flags(b.fd, &m, 0) > 0)
			OK(post_wait(b.fd, c.id, "answer"));
		_exit(PASSED);
	}
	for (int i = 0; i < 300; i++) {
		struct message m;

		OK(post_wait(a.fd, GROUP(2), "question"));
		OK(take_flags(c.fd, &m, 0));
		CHECK(same_text(&m, "question"));
		OK(take_flags(c.fd, &m, 0));
		CHECK(same_text(&m, "answer"));
	}
	kill(answerer, SIGKILL);
}

/* The same, but B tells D through a pipe, and D writes to C. */
TEST_LONG(order_holds_across_a_side_channel, 60)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct client d = join(&bus);
	int pipes[2];

	OK(pipe(pipes));

	pid_t teller = OK(fork());

	if (!teller) {
		struct message m;

		while (take_flags(b.fd, &m, 0) > 0)
			OK(write(pipes[1], "!", 1));
		_exit(PASSED);
	}

	pid_t writer = OK(fork());

	if (!writer) {
		char c1;

		while (read(pipes[0], &c1, 1) == 1)
			OK(post_wait(d.fd, c.id, "second"));
		_exit(PASSED);
	}
	for (int i = 0; i < 300; i++) {
		struct message m;

		OK(post_wait(a.fd, GROUP(2), "first"));
		OK(take_flags(c.fd, &m, 0));
		CHECK(same_text(&m, "first"));
		OK(take_flags(c.fd, &m, 0));
		CHECK(same_text(&m, "second"));
	}
	kill(teller, SIGKILL);
	kill(writer, SIGKILL);
}

static volatile int stop;

struct chatter {
	pthread_t thread;
	int fd;
	uint64_t to;
};

static void *chat(void *data)
{
	struct chatter *chatter = data;

	while (!stop)
		if (post(chatter->fd, chatter->to, "chatter") < 0)
			CHECK(errno == EAGAIN);
	return NULL;
}

static void start_chat(struct chatter *c, int fd, uint64_t to)
{
	c->fd = fd;
	c->to = to;
	EQ(0, pthread_create(&c->thread, NULL, chat, c));
}

/* Both logs show the same messages from the newcomer's first to its last. */
static void agree(const uint64_t *late, int n_late, const uint64_t *old, int n_old)
{
	int start = 0;

	while (start < n_old && old[start] != late[0])
		start++;
	CHECK(start + n_late <= n_old);
	for (int i = 0; i < n_late; i++)
		EQ(old[start + i], late[i]);
}

/*
 * A client joins while the master sends without pause. What the newcomer gets has no gap in it,
 * compared with what an old member gets.
 */
TEST_LONG(newcomer_misses_nothing_after_its_join, 60)
{
	enum { TAKEN = 15, MAX_LOG = 4096 };
	struct bus bus = open_bus("@bus");
	struct client old = join(&bus), talkers[2] = { attach(&bus), attach(&bus) };
	struct chatter chatters[2];

	show_seq(&old);
	for (int i = 0; i < 2; i++)
		start_chat(&chatters[i], talkers[i].accepted, EVERYONE);
	for (int round = 0; round < 30; round++) {
		struct client newcomer = attach(&bus);
		static uint64_t late_log[TAKEN], old_log[MAX_LOG];
		int n_late = 0, n_old = 0;
		struct message m;

		show_seq(&newcomer);
		OK(let_join(newcomer.accepted));
		while (n_late < TAKEN) {
			if (take(newcomer.fd, &m) > 0)
				late_log[n_late++] = m.seq;
			if (take(old.fd, &m) > 0)
				old_log[n_old++] = m.seq;
			CHECK(n_old < MAX_LOG - TAKEN);
		}
		while (!n_old || old_log[n_old - 1] < late_log[TAKEN - 1]) {
			OK(take(old.fd, &m));
			old_log[n_old++] = m.seq;
		}
		agree(late_log, n_late, old_log, n_old);
		close_client(&newcomer);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(chatters[i].thread, NULL);
}

TEST(newcomer_gets_nothing_from_before_its_join)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = attach(&bus);

	OK(post(a.fd, EVERYONE, "before"));
	OK(let_join(b.accepted));
	OK(post(a.fd, EVERYONE, "after"));
	GETS(b.fd, a.id, "after");
}

/* Taking an address away is a point of the sequence: messages sent before it still arrive. */
TEST(change_of_address_comes_between_messages)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	OK(post(a.fd, GROUP(2), "before"));
	OK(post(a.fd, ADDRESS(2, 1), "before, too"));
	OK(del_address(b.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, GROUP(2), "after"));
	OK(post(a.fd, ADDRESS(2, 1), "after, too"));
	GETS(b.fd, a.id, "before");
	GETS(b.fd, a.id, "before, too");
	GETS_NOTHING(b.fd);
	GETS(a.accepted, a.id, "after, too");
}

/*
 * The large run: senders S0..S3 and receivers R0..R5 are clients of one bus; R6 is an eavesdropper,
 * so it gets everything. Every sender multicasts to overlapping groups and unicasts, at random, and
 * reads what is sent to it: it is a receiver, too.
 */
enum { SENDERS = 4, RECEIVERS = 6, WATCHER = RECEIVERS, PARTIES = RECEIVERS + 1, ROUNDS = 400 };

static struct ledger ledger;
static struct client party[PARTIES];
static long clock_ticks;
static int heard[PARTIES][SENDERS];
static int sending = SENDERS;

struct load { int sender, n; };

static const struct {
	int prefix;			/* 0: the one receiver */
	uint32_t members;
} targets[] = {
	{ 2, 0x0f }, { 3, 0x3c }, { 4, 0x2a }, { 5, 0x3f },
	{ 0, 0x01 }, { 0, 0x02 }, { 0, 0x04 }, { 0, 0x08 }, { 0, 0x10 }, { 0, 0x20 },
};

static long tick(void)
{
	return __atomic_fetch_add(&clock_ticks, 1, __ATOMIC_SEQ_CST);
}

static void *send_all(void *data)
{
	int s = (long)data;
	unsigned int dice = s + 1;

	for (int n = 0; n < ROUNDS; n++) {
		struct sent *m = &ledger.sent[s][n];
		unsigned int target = rand_r(&dice) % ARRAY_SIZE(targets);
		uint64_t to = targets[target].prefix ? GROUP(targets[target].prefix) :
			      party[__builtin_ctz(targets[target].members)].id;
		struct load load = { s, n };

		m->recipients = targets[target].members | 1 << WATCHER;
		for (int i = 0; i < SENDERS; i++)
			m->heard[i] = __atomic_load_n(&heard[s][i], __ATOMIC_SEQ_CST) - 1;
		m->before = tick();
		OK(send_bytes(party[s].fd, to, &load, sizeof(load), 0));
		m->after = tick();
		ledger.n_sent[s] = n + 1;
	}
	__atomic_fetch_sub(&sending, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void write_down(int r, const struct message *m)
{
	struct got *g = &ledger.got[r][ledger.n_got[r]++];
	struct load load;

	EQ(sizeof(load), m->len);
	memcpy(&load, m->data, sizeof(load));
	CHECK(m->has_seq);
	CHECK(!m->has_lost);
	EQ(party[load.sender].id, m->from.sbus_addr.s_addr);
	*g = (struct got){ load.sender, load.n, m->seq };
	__atomic_store_n(&heard[r][load.sender], load.n + 1, __ATOMIC_SEQ_CST);
}

/*
 * A send that has returned has put its message into the queues: so after the last send, an empty
 * queue is the end.
 */
static void *receive_all(void *data)
{
	int r = (long)data;
	struct pollfd p = { .fd = party[r].fd, .events = POLLIN };
	struct message m;

	for (;;) {
		int over = !__atomic_load_n(&sending, __ATOMIC_SEQ_CST);

		if (take(party[r].fd, &m) >= 0) {
			write_down(r, &m);
			continue;
		}
		EQ(EAGAIN, errno);
		if (over)
			return NULL;
		poll(&p, 1, 10);
	}
}

/* The eavesdropper's queue must never overflow here: a lost copy would be no fault. */
static void gather(struct bus *bus)
{
	for (int r = 0; r < PARTIES; r++) {
		if (r == WATCHER)
			OK(set_option(bus->fd, BUS_SET_MAXQLEN, SENDERS * ROUNDS));
		party[r] = join(bus);
		OK(set_option(party[r].fd, BUS_PASSSEQ, 1));
		for (unsigned int t = 0; t < ARRAY_SIZE(targets); t++)
			if (targets[t].prefix && (targets[t].members >> r & 1))
				OK(add_address(party[r].accepted, ADDRESS(targets[t].prefix, r)));
	}
	OK(watch(party[WATCHER].accepted));
	ledger.n_senders = SENDERS;
	ledger.n_receivers = PARTIES;
}

static void run_mix(int qlen)
{
	struct bus bus = open_bus("@bus");
	pthread_t threads[SENDERS + PARTIES];

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, qlen));
	/*
	 * A queue may weigh half of it: so the eavesdropper, for which nobody waits, has room for
	 * everything.
	 */
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 2 * SENDERS * ROUNDS * 1024));
	gather(&bus);
	for (long r = 0; r < PARTIES; r++)
		EQ(0, pthread_create(&threads[SENDERS + r], NULL, receive_all, (void *)r));
	for (long s = 0; s < SENDERS; s++)
		EQ(0, pthread_create(&threads[s], NULL, send_all, (void *)s));
	for (int i = 0; i < SENDERS + PARTIES; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(judges); i++) {
		const char *wrong = judges[i].judge(&ledger);

		if (wrong)
			FAIL("%s: %s", judges[i].name, wrong);
	}
}

TEST_LONG(four_senders_six_receivers_and_a_watcher_agree, 120)
{
	run_mix(BUS_MAX_QLEN);
}

/* Short queues make nearly every send wait, and senders wait for each other. */
TEST_LONG(they_agree_with_the_shortest_queues, 120)
{
	run_mix(1);
}

/* Planted faults: a judge that does not find these would prove nothing. */
static void plant(void)
{
	memset(&ledger, 0, sizeof(ledger));
	ledger.n_senders = 2;
	ledger.n_receivers = 2;
	for (int s = 0; s < 2; s++) {
		ledger.n_sent[s] = 2;
		for (int n = 0; n < 2; n++)
			ledger.sent[s][n] = (struct sent){ 3, 0, n * 20 + s, n * 20 + 10 + s, { -1, -1 } };
	}
	for (int r = 0; r < 2; r++) {
		ledger.n_got[r] = 4;
		for (int i = 0; i < 4; i++)
			ledger.got[r][i] = (struct got){ i % 2, i / 2, i + 1 };
	}
}

static void swap(int r, int i, int k)
{
	struct got kept = ledger.got[r][i];

	ledger.got[r][i] = ledger.got[r][k];
	ledger.got[r][k] = kept;
}

static void plant_loss(void) { ledger.n_got[1] = 3; }
static void plant_double(void) { ledger.got[1][3] = ledger.got[1][2]; }
static void plant_stray(void) { ledger.sent[1][1].recipients = 1; }
static void plant_failed(void) { ledger.sent[1][1].failed = 1; }
static void plant_late(void) { swap(1, 0, 2); }
static void plant_swap(void) { swap(1, 0, 1); }
static void plant_two_numbers(void) { ledger.got[1][3].seq = 9; }
static void plant_cause(void) { ledger.sent[0][0].heard[1] = 0; }
static void plant_past(void) { ledger.sent[0][1].after = ledger.sent[0][1].before = 0; }

static const struct {
	const char *name;
	void (*plant)(void);
	const char *(*judge)(const struct ledger *l);
} faults[] = {
	{ "lost_copy", plant_loss, judge_atomic },
	{ "second_copy", plant_double, judge_atomic },
	{ "copy_for_a_stranger", plant_stray, judge_atomic },
	{ "copy_of_a_failed_send", plant_failed, judge_atomic },
	{ "sender_out_of_order", plant_late, judge_fifo },
	{ "two_orders", plant_swap, judge_total_order },
	{ "falling_sequence", plant_swap, judge_sequence },
	{ "two_sequence_numbers", plant_two_numbers, judge_sequence },
	{ "effect_before_cause", plant_cause, judge_causality },
	{ "past_after_future", plant_past, judge_real_time },
};

TEST_EACH(judges_find_a_planted_fault, faults)
{
	plant();
	for (unsigned int i = 0; i < ARRAY_SIZE(judges); i++)
		CHECK(!judges[i].judge(&ledger));
	row->plant();
	CHECK(row->judge(&ledger));
}
