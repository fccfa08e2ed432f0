// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that say the same are of one kind, and a message is usually held against one of them only:
 * each client gets what its own rules want all the same, however those of the others come and go.
 */
#include "dbus.h"

enum { ALIKE = 8 };

/* Who gets a signal, as a bit for each of many clients. */
static unsigned int who_gets(int from, const struct client *c, const struct dbus_message *signal)
{
	unsigned int who = 0;

	OK(signal_all(from, signal));
	for (int i = 0; i < ALIKE; i++)
		who |= drain(c[i].fd) << i;
	return who;
}

TEST(each_of_equal_rules_counts_until_it_is_removed)
{
	static const char rule[] = "type='signal',member='Changed'", same[] = "member=Changed,type=signal";
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), c[ALIKE];
	const struct dbus_message other = { .path = "/a", .interface = "a.b", .member = "Other" };
	unsigned int want = 0;

	for (int i = 0; i < ALIKE; i++) {
		c[i] = join(&bus);
		OK(add_rule("@bus", c[i].id, i % 2 ? rule : same));
		want |= 1 << i;
		EQ(want, who_gets(a.fd, c, &a_signal));
		EQ(0, who_gets(a.fd, c, &other));
	}
	/* The first one, one from between, the last one; then all of them again. */
	for (int n = 0; n < 2 * ALIKE; n++) {
		int i = n * 3 % ALIKE;

		if (n < ALIKE)
			OK(remove_rule("@bus", c[i].id, rule));
		else
			OK(add_rule("@bus", c[i].id, rule));
		want ^= 1 << i;
		EQ(want, who_gets(a.fd, c, &a_signal));
	}
	/* Twice in one client, which goes. */
	OK(add_rule("@bus", c[0].id, same));
	OK(remove_rule("@bus", c[0].id, rule));
	EQ(want, who_gets(a.fd, c, &a_signal));
	OK(add_rule("@bus", c[0].id, rule));
	close(c[0].fd);
	c[0] = join(&bus);
	EQ(want & ~1, who_gets(a.fd, c, &a_signal));
	OK(add_rule("@bus", c[0].id, same));
	EQ(want, who_gets(a.fd, c, &a_signal));
}

/* Many kinds, so that some of them are in one place wherever the modules look for equal rules. */
TEST(similar_rules_of_many_clients_are_told_apart)
{
	enum { RULES = 50 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), c[ALIKE];
	char rule[64], arg[8];

	for (int i = 0; i < ALIKE; i++)
		c[i] = join(&bus);
	for (int n = 0; n < ALIKE * RULES; n++) {
		/* They are all found by the same hash, since that is not about later arguments. */
		snprintf(rule, sizeof(rule), "member='Changed',arg1='%d'", n);
		OK(add_rule("@bus", c[n / RULES].id, rule));
	}
	for (int n = 0; n <= ALIKE * RULES; n++) {
		snprintf(arg, sizeof(arg), "%d", n);
		EQ(n < ALIKE * RULES ? 1 << n / RULES : 0,
		   who_gets(a.fd, c, &(struct dbus_message){ A_SIGNAL, .args = { "x", arg } }));
	}
}

TEST(equal_rules_follow_the_name_of_their_sender)
{
	static const char name[] = "org.example.Player", rule[] = "sender='org.example.Player',member='Changed'";
	const unsigned int all = (1 << ALIKE) - 1;
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c[ALIKE];

	for (int i = 0; i < ALIKE; i++) {
		c[i] = join(&bus);
		OK(add_rule("@bus", c[i].id, rule));
	}
	EQ(0, who_gets(a.fd, c, &a_signal));
	OK(set_name("@bus", a.id, name));
	EQ(all, who_gets(a.fd, c, &a_signal));
	EQ(0, who_gets(b.fd, c, &a_signal));
	OK(set_name("@bus", b.id, name));
	EQ(0, who_gets(a.fd, c, &a_signal));
	EQ(all, who_gets(b.fd, c, &a_signal));
}
