// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: nfdbus reads the corpus as it says, like all other readers of
 * rules and messages. Each message is sent for real, in both byte orders.
 */
#include "corpus.h"

static struct corpus c;

static int taken(const char *bus, uint64_t client, const char *rule)
{
	if (!add_rule(bus, client, rule))
		return 1;
	EQ(EINVAL, errno);
	CHECK(said[0]);
	CHECK(said_attr);
	return 0;
}

TEST(rules_of_the_corpus_are_taken_and_refused)
{
	struct bus bus = open_bus("@bus");
	struct client client = join(&bus);
	int rules = 0;

	corpus_open(&c);
	for (enum corpus_kind kind; (kind = corpus_next(&c));) {
		if (kind != CORPUS_RULE)
			continue;
		rules++;
		if (taken("@bus", client.id, c.rule) != (c.sign != '-'))
			CORPUS_FAIL(&c, "%s is %s%s", c.rule, c.sign == '-' ? "taken" : "refused: ", said);
		if (c.sign != '-')
			OK(remove_rule("@bus", client.id, c.rule));
		CHECK(has_rules("@bus", 0, 0));
	}
	CHECK(rules > 250);
}

TEST(rules_of_the_corpus_say_the_same_or_not)
{
	struct bus bus = open_bus("@bus");
	struct client client = join(&bus);
	int compared = 0;

	corpus_open(&c);
	for (enum corpus_kind kind; (kind = corpus_next(&c));) {
		if (kind != CORPUS_RULE || !strchr("=!", c.sign))
			continue;
		compared++;
		OK(add_rule("@bus", client.id, c.base));
		if ((remove_rule("@bus", client.id, c.rule) == 0) != (c.sign == '='))
			CORPUS_FAIL(&c, "%s %s the same as %s", c.rule, c.sign == '=' ? "is not" : "is",
				    c.base);
		OK(remove_rules("@bus", client.id));
	}
	CHECK(compared > 40);
}

static void set_room(int fd, int bytes)
{
	OK(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)));
}

TEST_LONG(messages_of_the_corpus_are_valid_or_reach_nobody, 60)
{
	struct fixture f = make_fixture();
	int messages = 0;

	set_room(f.a.fd, 1 << 20);
	corpus_open(&c);
	for (enum corpus_kind kind; (kind = corpus_next(&c));) {
		for (int i = 0; kind == CORPUS_MESSAGE && i < ORDERS; i++) {
			messages++;
			OK(post_bytes(f.a.fd, EVERYONE, &c.message[i]));
			if (drain(f.all.fd) != c.valid)
				CORPUS_FAIL(&c, "%s (%s-endian) is %sdelivered", c.title,
					    i ? "big" : "little", c.valid ? "not " : "");
			EQ(0, drain(f.none.fd));
		}
	}
	CHECK(messages > 300);
}

/* $SENDER is the sender's unique name. */
static const char *rule_about(const struct client *sender)
{
	static char rule[sizeof(c.rule)];
	char *at = strstr(c.rule, "$SENDER");

	if (!at)
		return c.rule;
	snprintf(rule, sizeof(rule), "%.*s:0.%llx%s", (int)(at - c.rule), c.rule,
		 (unsigned long long)sender->id, at + strlen("$SENDER"));
	return rule;
}

TEST_LONG(rules_match_as_the_corpus_says, 60)
{
	struct fixture f = make_fixture();
	int matches = 0;

	set_room(f.a.fd, 1 << 20);
	corpus_open(&c);
	for (enum corpus_kind kind; (kind = corpus_next(&c));) {
		if (kind != CORPUS_MATCH || !c.valid)
			continue;
		matches++;
		OK(add_rule("@bus", f.none.id, rule_about(&f.a)));
		for (int i = 0; i < ORDERS; i++) {
			OK(post_bytes(f.a.fd, EVERYONE, &c.message[i]));
			EQ(1, drain(f.all.fd));
			if (drain(f.none.fd) != c.yes)
				CORPUS_FAIL(&c, "%s: %s %s (%s-endian)", c.title, c.rule,
					    c.yes ? "does not match" : "matches",
					    i ? "big" : "little");
		}
		OK(remove_rules("@bus", f.none.id));
		OK(post_bytes(f.a.fd, EVERYONE, &c.message[0]));
		EQ(0, drain(f.none.fd));
		drain(f.all.fd);
	}
	CHECK(matches > 200);
}
