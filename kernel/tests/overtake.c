// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 3.7: a change of policy that comes while a message is judged applies to that
 * message, and still the message gets through, however many changes there are.
 */
#include "dbus.h"
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
	let_clients_in(MOST_CLIENTS);
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
