// SPDX-License-Identifier: GPL-2.0-only
/*
 * nfdbus passes by clients that want nothing of a multicast: none that wants it may be among them,
 * whatever its rules ask for, and however they come and go.
 */
#include "dbus.h"

enum { N_RULES = 400 };

/* Whether a client gets a signal of a number. */
static int gets(struct fixture *f, const struct client *c, int number)
{
	char member[16];

	snprintf(member, sizeof(member), "M%d", number);
	OK(signal_all(f->a.fd, &(struct dbus_message){ .path = "/a", .interface = "a.b", .member = member }));
	EQ(1, drain(f->all.fd));
	return drain(c->fd);
}

static void change_rule(int (*change)(const char *path, uint64_t addr, const char *rule), const struct client *c,
			int number)
{
	char rule[32];

	snprintf(rule, sizeof(rule), "type='signal',member='M%d'", number);
	OK(change("@bus", c->id, rule));
}

TEST(each_of_many_rules_counts_until_it_is_removed)
{
	struct fixture f = make_fixture();
	struct client *c = &f.none;

	for (int i = 0; i < N_RULES; i++)
		change_rule(add_rule, c, i);
	for (int i = 0; i < 2 * N_RULES; i++)
		EQ(i < N_RULES, gets(&f, c, i));
	for (int i = 0; i < N_RULES; i += 2)
		change_rule(remove_rule, c, i);
	for (int i = 0; i < N_RULES; i++)
		EQ(i % 2, gets(&f, c, i));
	OK(remove_rules("@bus", c->id));
	for (int i = 0; i < N_RULES; i++)
		EQ(0, gets(&f, c, i));
	change_rule(add_rule, c, 1);
	EQ(0, gets(&f, c, 0));
	EQ(1, gets(&f, c, 1));
}

/* The class of a rule: which parts of a message it is about. */
TEST(first_rule_of_its_class_on_the_bus_counts_at_once)
{
	static const char *const classes[] = {
		"member='Changed'", "interface='org.example.Player'", "path='/org/example/Player'", "type='signal'",
		"arg0='text'", "type='signal',arg0='text'", "path='/org/example/Player',member='Changed'",
	};
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), c = join(&bus);

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		OK(add_rule("@bus", c.id, classes[i]));
		OK(signal_all(a.fd, &(struct dbus_message){ A_SIGNAL, .args = { "text" } }));
		EQ(1, drain(c.fd));
		OK(remove_rule("@bus", c.id, classes[i]));
		OK(signal_all(a.fd, &(struct dbus_message){ A_SIGNAL, .args = { "text" } }));
		GETS_NOTHING(c.fd);
	}
}

/* Rules of all classes but that of no condition, and none that A_SIGNAL matches. */
static void add_rules_of_all_classes(const struct client *c)
{
	static const char *const wrong[] = {
		"type='error',", "path='/other',", "interface='other.one',", "member='Other',", "arg0='other',",
	};
	char rule[128];

	for (unsigned int class = 1; class < 1 << ARRAY_SIZE(wrong); class++) {
		rule[0] = 0;
		for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
			if (class & 1 << i)
				strcat(rule, wrong[i]);
		}
		rule[strlen(rule) - 1] = 0;
		OK(add_rule("@bus", c->id, rule));
	}
}

TEST(client_with_rules_of_all_classes_gets_what_they_ask_for)
{
	static const char right[] = "interface='org.example.Player',member='Changed'";
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), c = join(&bus);

	add_rules_of_all_classes(&c);
	for (int i = 0; i < 2; i++) {
		OK(signal_all(a.fd, &(struct dbus_message){ A_SIGNAL, .args = { "text" } }));
		GETS_NOTHING(c.fd);
		OK(add_rule("@bus", c.id, right));
		OK(signal_all(a.fd, &(struct dbus_message){ A_SIGNAL, .args = { "text" } }));
		EQ(1, drain(c.fd));
		OK(remove_rule("@bus", c.id, right));
	}
}
