// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of match rules: a bus of BUS_PROTO_DBUS compared with one of BUS_PROTO_NONE, with the
 * same message. All is in one process, so that only the path from send to recv is measured.
 */
static int protocol;
#define BUS_PROTOCOL protocol
#include "dbus.h"
#include "bench.h"

enum { RECIPIENTS = 8, PREFIX = 1 };

struct setup {
	struct bus bus;
	struct client from, to[RECIPIENTS];
	int n;
	uint64_t dst;
	struct bytes message;
};

static double deliveries_per_second(void *state, long n)
{
	struct setup *s = state;
	uint64_t start = now_ns();
	char got[1024];

	for (long i = 0; i < n; i++) {
		OK(post_bytes(s->from.fd, s->dst, &s->message));
		for (int to = 0; to < s->n; to++)
			OK(recv(s->to[to].fd, got, sizeof(got), MSG_DONTWAIT));
	}
	return n * s->n * 1e9 / (now_ns() - start);
}

/* Rules as programs have them: for the properties of objects, of which this is one. */
static void give_rules(const char *path, const struct client *c, int rules)
{
	char rule[256];

	for (int i = 0; i < rules; i++) {
		snprintf(rule, sizeof(rule), "type='signal',interface='org.example.Player',member='Changed',path='/org/example/Player%s'",
			 i == rules / 2 ? "" : (char[]){ '/', 'a' + i % 26, 'a' + i / 26 % 26, '\0' });
		OK(add_rule(path, c->id, rule));
	}
}

static struct setup *set_up(int number, const char *path, int n, int rules)
{
	struct setup *s = calloc(1, sizeof(*s));

	protocol = number;
	s->bus = open_bus(path);
	s->from = join(&s->bus);
	s->n = n;
	for (int i = 0; i < n; i++) {
		s->to[i] = join_at(&s->bus, ADDRESS(PREFIX, i));
		give_rules(path, &s->to[i], number == BUS_PROTO_DBUS ? rules : 0);
	}
	s->dst = n == 1 ? s->to[0].id : GROUP(PREFIX);
	write_message(&s->message, &(struct dbus_message){ A_SIGNAL, .sender = ":0.1", .args = { "text", "more" } });
	return s;
}

static void tear_down(struct setup *s)
{
	for (int i = 0; i < s->n; i++)
		close_client(&s->to[i]);
	close_client(&s->from);
	close(s->bus.fd);
	free(s);
}

static const struct {
	struct row row;
	int recipients, rules;
} rows[] = {
	{ { "unicast of D-Bus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 0.6 }, 1, 0 },
	{ { "D-Bus signal to 8, 1 rule each", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 0.6 }, RECIPIENTS, 1 },
	{ { "D-Bus signal to 8, 16 rules each", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 0.6 }, RECIPIENTS, 16 },
	{ { "D-Bus signal to 8, 512 rules each", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 0.6 }, RECIPIENTS, 512 },
};

/* One recipient, and others whose rules are for other signals. */
static struct setup *set_up_beside_others(const char *path, int others, int rules)
{
	struct setup *s = set_up(BUS_PROTO_DBUS, path, 1, 1);

	s->dst = EVERYONE;
	for (int i = 0; i < others; i++) {
		struct client c = join(&s->bus);

		for (int n = 0; n < rules; n++) {
			char rule[128];

			snprintf(rule, sizeof(rule), "type='signal',interface='org.example.I%d',member='Tick'", i * rules + n);
			OK(add_rule(path, c.id, rule));
		}
	}
	return s;
}

static void bench_rules_of_others(void)
{
	static const struct row row = { "D-Bus signal past 10,000 rules", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 0.9 };

	if (!chosen(row.name))
		return;
	compare(&row, &(struct side){ "past 10", deliveries_per_second, set_up_beside_others("@few", 1, 10) },
		&(struct side){ "past 10,000", deliveries_per_second, set_up_beside_others("@many", 20, 500) });
}

void bench_rules(void)
{
	bench_rules_of_others();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct setup *none, *dbus;

		if (!chosen(rows[i].row.name))
			continue;
		none = set_up(BUS_PROTO_NONE, "@none", rows[i].recipients, 0);
		dbus = set_up(BUS_PROTO_DBUS, "@dbus", rows[i].recipients, rows[i].rules);
		compare(&rows[i].row, &(struct side){ "no protocol", deliveries_per_second, none },
			&(struct side){ "D-Bus", deliveries_per_second, dbus });
		tear_down(none);
		tear_down(dbus);
	}
}
