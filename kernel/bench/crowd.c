// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a send on a bus with many clients that it does not address.
 *
 * Only the sends are timed, in bursts that fit into the queues: nobody waits.
 */
#include "parties.h"

enum { FEW = 10, MANY = 2000, BURST = 10, GROUP_OF = 4, PREFIX = 1, OTHER_PREFIX = 2, SIZE = 64 };

struct crowd {
	struct bus bus;
	int n;
	struct client *bystanders;
	struct client sender, readers[GROUP_OF];
	struct end to;
	int recipients;
};

static void gather(struct crowd *c, const char *name, int n)
{
	c->bus = open_bus(name);
	c->n = n;
	c->bystanders = calloc(n, sizeof(*c->bystanders));
	for (int i = 0; i < n; i++)
		c->bystanders[i] = join_at(&c->bus, ADDRESS(OTHER_PREFIX, i + 1));
	c->sender = join(&c->bus);
	for (int i = 0; i < GROUP_OF; i++)
		c->readers[i] = join_at(&c->bus, ADDRESS(PREFIX, i + 1));
}

static void disperse(struct crowd *c)
{
	for (int i = 0; i < c->n; i++)
		close_client(&c->bystanders[i]);
	for (int i = 0; i < GROUP_OF; i++)
		close_client(&c->readers[i]);
	close_client(&c->sender);
	close(c->bus.fd);
	free(c->bystanders);
}

static double ns_per_send(void *state, long bursts)
{
	struct crowd *c = state;
	uint64_t spent = 0;

	for (long b = 0; b < bursts; b++) {
		uint64_t start = now_ns();

		for (int i = 0; i < BURST; i++)
			give(&c->to, SIZE, PLAIN);
		spent += now_ns() - start;
		for (int i = 0; i < BURST * c->recipients; i++)
			receive(&(struct end){ .fd = c->readers[i % c->recipients].fd }, SIZE);
	}
	return (double)spent / bursts / BURST;
}

static void address(struct crowd *c, uint64_t to, int recipients)
{
	c->to = end_to(c->sender.fd, to);
	c->recipients = recipients;
}

static const struct {
	struct row row;
	int recipients;
} cases[] = {
	{ { "send past 2000, unicast", "ns", .kind = RATIO_AT_MOST, .bar = 1.1 }, 1 },
	{ { "send past 2000, group of 4", "ns", .kind = RATIO_AT_MOST, .bar = 1.1 }, GROUP_OF },
};

void bench_crowd(void)
{
	struct crowd few, many;

	if (!chosen(cases[0].row.name) && !chosen(cases[1].row.name))
		return;

	gather(&few, "@few", FEW);
	gather(&many, "@many", MANY);
	pin(0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t to_few = cases[i].recipients == 1 ? few.readers[0].id : GROUP(PREFIX);
		uint64_t to_many = cases[i].recipients == 1 ? many.readers[0].id : GROUP(PREFIX);

		if (!chosen(cases[i].row.name))
			continue;
		address(&few, to_few, cases[i].recipients);
		address(&many, to_many, cases[i].recipients);
		compare(&cases[i].row, &(struct side){ "10 bystanders", ns_per_send, &few },
			&(struct side){ "2000 bystanders", ns_per_send, &many });
	}
	pin(ANY_CPU);
	disperse(&few);
	disperse(&many);
}
