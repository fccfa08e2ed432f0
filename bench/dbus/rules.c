// SPDX-License-Identifier: MIT
/* What the rules of others cost a signal: 10 of them, and 10,000. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { PER_CLIENT = 500, SIGNALS = 64 };

struct stage {
	int n_clients;
	struct afdbus **clients, *bus, *receiver;
	struct afdbus_message *signal;
};

static void add_rules(struct afdbus *bus, int from, int count)
{
	char interface[40];

	for (int n = from; n < from + count; n++) {
		snprintf(interface, sizeof(interface), "org.example.I%d", n);
		want(bus, interface, "Tick");
	}
}

static struct stage *begin(const struct side *side, const void *arguments)
{
	struct stage *s = calloc(1, sizeof(*s));
	int rules = *(const int *)arguments, each = rules < PER_CLIENT ? rules : PER_CLIENT;

	s->n_clients = rules / each;
	s->clients = calloc(s->n_clients, sizeof(*s->clients));
	for (int n = 0; n < s->n_clients; n++) {
		s->clients[n] = join(side);
		add_rules(s->clients[n], n * each, each);
	}
	s->receiver = join(side);
	want(s->receiver, INTERFACE, "Tick");
	s->bus = join(side);
	s->signal = new_signal();
	return s;
}

/* Sent and received by one process, one after the other. */
static double microseconds(struct stage *s)
{
	int64_t start = now_ns();

	for (int n = 0; n < SIGNALS; n++) {
		struct afdbus_message *m = NULL;

		check(afdbus_send(s->bus, s->signal, AFDBUS_FOREVER), "signal");
		while (!afdbus_is_signal(m, INTERFACE, "Tick")) {
			afdbus_free(m);
			check(afdbus_next(s->receiver, AFDBUS_FOREVER, &m), "receiver");
		}
		afdbus_free(m);
	}
	return (now_ns() - start) / 1e3 / SIGNALS;
}

static void end(struct stage *s)
{
	for (int n = 0; n < s->n_clients; n++)
		afdbus_disconnect(s->clients[n]);
	free(s->clients);
	afdbus_disconnect(s->receiver);
	afdbus_disconnect(s->bus);
	afdbus_free(s->signal);
	free(s);
}

void bench_rules(void)
{
	static const struct measure measure = { begin, microseconds, end };
	struct row row = { .unit = "us", .needs_bus = true };
	static const int counts[] = { 10, 10000 };

	for (int n = 0; n < 2; n++) {
		snprintf(row.name, sizeof(row.name), "signal past %d rules", counts[n]);
		compare(&row, &measure, &counts[n]);
	}
}
