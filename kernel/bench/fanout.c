// SPDX-License-Identifier: GPL-2.0-only
/*
 * One message to many processes: a multicast, beside a sender that goes round its
 * AF_UNIX sockets.
 */
#include "parties.h"

enum { SIZE = 4096, MOST = 64, PREFIX = 1, QUEUE = 32 };

struct audience {
	int n;
	struct pair pairs[MOST];
	struct end everyone;	/* the group, on a bus */
	int arrived;
	pid_t listeners[MOST];
};

struct seat_in {
	struct audience *audience;
	struct end *end;
};

static void listen_on(void *state)
{
	struct seat_in *seat = state;

	if (receive(seat->end, SIZE) == LAST)
		tally(seat->audience->arrived);
}

static void one_by_one(struct audience *a, enum mark mark)
{
	for (int i = 0; i < a->n; i++)
		give(&a->pairs[i].near, SIZE, mark);
}

static void at_once(struct audience *a, enum mark mark)
{
	give(&a->everyone, SIZE, mark);
}

static double deliveries_per_second(struct audience *a, long n,
				    void (*send_to_all)(struct audience *a, enum mark mark))
{
	uint64_t start = now_ns();

	for (long i = 1; i < n; i++)
		send_to_all(a, PLAIN);
	send_to_all(a, LAST);
	await_tally(a->arrived, a->n);
	return n * a->n * 1e9 / (now_ns() - start);
}

static double loop(void *state, long n)
{
	return deliveries_per_second(state, n, one_by_one);
}

static double multicast(void *state, long n)
{
	return deliveries_per_second(state, n, at_once);
}

static void gather(struct audience *a, int cpu)
{
	for (int i = 0; i < a->n; i++) {
		struct seat_in seat = { a, &a->pairs[i].far };

		a->listeners[i] = hire(cpu, listen_on, &seat);
	}
}

static void part_with(struct audience *a)
{
	for (int i = 0; i < a->n; i++) {
		dismiss(a->listeners[i]);
		close_pair(&a->pairs[i]);
	}
	close(a->arrived);
}

static void run(const struct row *row, int n, int cpu)
{
	struct bus bus = wide_bus("@bench", QUEUE);
	struct audience on_unix = { .n = n, .arrived = new_tally() };
	struct audience on_bus = { .n = n, .arrived = new_tally() };

	for (int i = 0; i < n; i++) {
		on_unix.pairs[i] = unix_pair();
		on_bus.pairs[i] = bus_pair(&bus);
		OK(add_address(on_bus.pairs[i].master[1], ADDRESS(PREFIX, i)));
	}
	on_bus.everyone = end_to(on_bus.pairs[0].near.fd, GROUP(PREFIX));

	pin(cpu);
	gather(&on_unix, cpu);
	gather(&on_bus, cpu);
	compare(row, &(struct side){ "AF_UNIX loop", loop, &on_unix },
		&(struct side){ "AF_BUS multicast", multicast, &on_bus });
	part_with(&on_unix);
	part_with(&on_bus);
	close(bus.fd);
	pin(ANY_CPU);
}

static const struct row rows[][2] = {
	{ { "fan-out 4 KiB to 8, one cpu", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 1.5 },
	  { "fan-out 4 KiB to 8, two cpus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 1.5 } },
	{ { "fan-out 4 KiB to 64, one cpu", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 },
	  { "fan-out 4 KiB to 64, two cpus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 } },
};

void bench_fanout(void)
{
	static const int audience[] = { 8, 64 };
	static const int cpus[] = { 0, ANY_CPU };

	for (size_t i = 0; i < ARRAY_SIZE(audience); i++)
		for (size_t c = 0; c < ARRAY_SIZE(cpus); c++)
			if (chosen(rows[i][c].name))
				run(&rows[i][c], audience[i], cpus[c]);
}
