// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 3.7: a change of policy that comes while a message is judged applies to that
 * message, and still the message gets through, however many changes there are.
 */
#include "dbus.h"
#include "hook.h"
#include <linux/sockios.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { MEMBERS = 8000, CHANGERS = 3, MULTICASTS = 5, PREFIX = 5 };

static struct bus bus;
static struct client a, members[MEMBERS];
static int n_members;

static void change_rules_of_one(int changer, long n)
{
	char rule[32];

	snprintf(rule, sizeof(rule), "member='Nobody%d'", changer);
	OK(n % 2 ? remove_rule("@bus", members[0].id, rule) : add_rule("@bus", members[0].id, rule));
}

/* Each change alters the set of recipients. */
static void change_rules_of_all(int changer, long n)
{
	const struct client *c = &members[(n / 2 * CHANGERS + changer) % n_members];

	OK(n % 2 ? remove_rule("@bus", c->id, "member='Changed'") :
		   add_rule("@bus", c->id, "member='Changed'"));
}

static void change_names_of_the_sender(int changer, long n)
{
	char name[32];

	snprintf(name, sizeof(name), "org.example.n%d", changer);
	OK(n % 2 ? unset_name("@bus", name) : set_name("@bus", a.id, name));
}

static void change_addresses(int changer, long n)
{
	const struct client *c = &members[(n / 2 * CHANGERS + changer) % n_members];
	uint64_t address = ADDRESS(PREFIX, c->id);

	OK(n % 2 ? del_address(c->accepted, address) : add_address(c->accepted, address));
}

static void change_eavesdroppers(int changer, long n)
{
	const struct client *c = &members[(n / 2 * CHANGERS + changer) % n_members];

	OK(n % 2 ? unwatch(c->accepted) : watch(c->accepted));
}

static const struct {
	const char *name;
	void (*change)(int changer, long n);
	uint64_t to;
} changes[] = {
	{ "rules_of_one", change_rules_of_one, EVERYONE },
	{ "rules_of_all", change_rules_of_all, EVERYONE },
	{ "names_of_the_sender", change_names_of_the_sender, EVERYONE },
	{ "addresses_of_the_group", change_addresses, GROUP(PREFIX) },
	{ "eavesdroppers", change_eavesdroppers, EVERYONE },
};

/* Makes changes for as long as the test lives, and says when it has made many. */
static void start_changer(int number, void (*change)(int changer, long n), int told)
{
	if (OK(fork()))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	nl_fd = -1;
	for (long n = 0; ; n++) {
		change(number, n);
		if (n == 20)
			OK(write(told, "x", 1));
	}
}

TEST_EACH_LONG(multicast_gets_through_while_policy_changes, changes, 120)
{
	struct rlimit many = { 2 * MEMBERS + 100, 2 * MEMBERS + 100 };
	int told[2];
	char ch;

	OK(setrlimit(RLIMIT_NOFILE, &many));
	bus = open_bus("@bus");
	a = join(&bus);
	/* A slow kernel is slow to free them, too. */
	n_members = MEMBERS / patience() / patience();
	let_clients_in(n_members + 1);
	for (int i = 0; i < n_members; i++)
		members[i] = join(&bus);
	let_clients_in(MAX_BUS_CLIENTS);
	OK(pipe(told));
	for (int i = 0; i < CHANGERS; i++)
		start_changer(i, row->change, told[1]);
	for (int i = 0; i < CHANGERS; i++)
		OK(read(told[0], &ch, 1));

	for (int i = 0; i < MULTICASTS; i++) {
		static struct bytes b;

		write_message(&b, &a_signal);
		OK(post_bytes(a.fd, row->to, &b));
	}
}

/*
 * However fast changes come, they overtake a message in three rounds, and in the fourth they wait.
 * A hook waits for a change each time that it is shown the message, so there is always one that
 * could.
 */

enum { MAX_CHANGES = 15, PATIENCE_MS = 300 };

static int is_sent;

static void add_a_rule(int n)
{
	char rule[32];

	snprintf(rule, sizeof(rule), "member='Nobody%d'", n);
	OK(add_rule("@bus", members[0].id, rule));
}

static void give_the_sender_a_name(int n)
{
	char name[32];

	snprintf(name, sizeof(name), "org.example.n%d", n);
	OK(set_name("@bus", a.id, name));
}

static void add_to_the_group(int n)
{
	OK(add_address(members[n].accepted, ADDRESS(PREFIX, n)));
}

static void add_an_eavesdropper(int n)
{
	OK(watch(members[n].accepted));
}

static const struct {
	const char *name;
	void (*change)(int n);
	unsigned int judged;		/* at most */
} overtakers[] = {
	{ "rules", add_a_rule, 1 + 1 + 1 + 1 },
	{ "names_of_the_sender", give_the_sender_a_name, 1 + 1 + 1 + 1 },
	/* The only recipient needs a copy once there is another: from then on two come in a round. */
	{ "addresses", add_to_the_group, 1 + 2 + 2 + 2 },
	{ "eavesdroppers", add_an_eavesdropper, 1 + 2 + 2 + 2 },
};

/* A change for each time that the hook is asked; it waits for that. */
static void *change_when_asked(void *data)
{
	void (*change)(int n) = data;
	unsigned int made = 0;

	while (!__atomic_load_n(&is_sent, __ATOMIC_SEQ_CST)) {
		if (made == MAX_CHANGES || made == hook_says("calls")) {
			usleep(100);
			continue;
		}
		change(++made);
		tell_hook("changes", made);
	}
	return NULL;
}

static void open_sockets(void)
{
	bus = open_bus("@bus");
	a = join(&bus);
	for (n_members = 0; n_members <= MAX_CHANGES; n_members++) {
		members[n_members] = join(&bus);
		OK(add_rule("@bus", members[n_members].id, ""));
	}
	OK(add_address(members[0].accepted, ADDRESS(PREFIX, 100)));
}

static void close_sockets(void)
{
	for (int i = 0; i < n_members; i++)
		close_client(&members[i]);
	close_client(&a);
	close(bus.fd);
}

/* How often a message to a group of one is judged. */
static unsigned int judged_with(void (*change)(int n))
{
	static struct bytes b;
	pthread_t changer;

	write_message(&b, &a_signal);
	tell_hook("calls", 0);
	tell_hook("changes", 0);
	is_sent = 0;
	EQ(0, pthread_create(&changer, NULL, change_when_asked, change));
	OK(post_bytes(a.fd, GROUP(PREFIX), &b));
	__atomic_store_n(&is_sent, 1, __ATOMIC_SEQ_CST);
	EQ(0, pthread_join(changer, NULL));
	EQ(1, drain(members[0].fd));
	return hook_says("calls");
}

/* On a busy machine a change may come too late for the hook's patience: then once more. */
TEST_EACH(message_is_overtaken_in_three_rounds_at_most, overtakers)
{
	unsigned int judged;

	load_hook();
	tell_hook("patience_ms", PATIENCE_MS * patience());
	do {
		open_sockets();
		judged = judged_with(row->change);
		CHECK(judged <= row->judged);
		close_sockets();
	} while (judged < row->judged);
	unload_hook();
}

/*
 * A change that is made after the message was judged for the first member, and before it has its
 * place, applies to it.
 */

enum { ALL_CHANGES = 1000 };

static void name_the_sender(void)
{
	OK(set_name("@bus", a.id, "org.example.n"));
}

static void shut_the_first(void)
{
	OK(shutdown(members[0].fd, SHUT_RD));
}

static const struct {
	const char *name;
	const char *rule;		/* of the first member */
	void (*change)(void);
	int gets;			/* how many messages that one gets */
} late_changes[] = {
	/* What was found out about the rule, which asks for a sender, is not the sender's. */
	{ "name_of_the_sender", "sender='org.example.n',member='Changed'", name_the_sender, 1 },
	{ "end_of_receiving", "member='Changed'", shut_the_first, 0 },
};

static void *send_signal(void *data)
{
	OK(signal_all(*(int *)data, &a_signal));
	return NULL;
}

static int charged(int fd)
{
	int n = -1;

	OK(ioctl(fd, SIOCOUTQ, &n));
	return n;
}

/* Return: whether the change came in time for the hook's patience. */
static int change_while_judged(void (*change)(void))
{
	pthread_t sender;

	tell_hook("calls", 0);
	tell_hook("changes", 0);
	tell_hook("in_vain", 0);
	EQ(0, pthread_create(&sender, NULL, send_signal, &a.fd));
	EVENTUALLY(hook_says("calls"));
	change();
	tell_hook("changes", ALL_CHANGES);
	EQ(0, pthread_join(sender, NULL));
	return !hook_says("in_vain");
}

/* As above: once more if the change came too late. */
TEST_EACH(change_applies_to_a_message_that_was_judged_before, late_changes)
{
	int in_time;

	load_hook();
	tell_hook("patience_ms", PATIENCE_MS * patience());
	do {
		bus = open_bus("@bus");
		a = join(&bus);
		for (n_members = 0; n_members < 2; n_members++)
			members[n_members] = join(&bus);
		OK(add_rule("@bus", members[0].id, row->rule));
		OK(add_rule("@bus", members[1].id, ""));
		in_time = change_while_judged(row->change);
		if (in_time) {
			EQ(row->gets, drain(members[0].fd));
			EQ(1, drain(members[1].fd));
			EQ(0, charged(a.fd));
		}
		close_sockets();
	} while (!in_time);
	unload_hook();
}
