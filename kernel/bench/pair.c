// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two processes: the time of a round trip, the rate of messages one way, and the number of switches
 * between processes.
 */
#include "parties.h"

static void echo(void *state)
{
	struct stream *s = state;

	give(&s->pair.far, s->size, receive(&s->pair.far, s->size));
}

static void bounce(struct stream *s, long n)
{
	while (n-- > 0) {
		give(&s->pair.near, s->size, PLAIN);
		receive(&s->pair.near, s->size);
	}
}

static double round_trip_us(void *state, long n)
{
	uint64_t start = now_ns();

	bounce(state, n);
	return (now_ns() - start) / 1e3 / n;
}

static long switches_of(pid_t pid)
{
	long n, sum = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		FAIL("%s: %s", path, errname(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	fclose(f);
	return sum;
}

static double switches_per_round_trip(void *state, long n)
{
	struct stream *s = state;
	long before = switches_of(s->helper) + switches_of(getpid());

	bounce(s, n);
	return (double)(switches_of(s->helper) + switches_of(getpid()) - before) / n;
}

static const struct measure {
	const char *name, *unit;
	double (*measure)(void *state, long n);
	void (*helper)(void *state);
	enum bar kind;
	double bar;
} measures[] = {
	{ "round trip", "us", round_trip_us, echo, RATIO_AT_MOST, 1.15 },
	{ "one way", "msg/s", stream_messages_per_second, stream_read, RATIO_AT_LEAST, 0.9 },
	/* Two, and now and then one for other work of the kernel. */
	{ "switches", "per trip", switches_per_round_trip, echo, FIGURE_AT_MOST, 2.1 },
};

static const struct { const char *name; size_t size; } sizes[] = {
	{ "64 B", 64 }, { "1 KiB", 1024 }, { "64 KiB", MAX_MESSAGE },
};

static const struct { const char *name; int cpu; } places[] = {
	{ "one cpu", 0 }, { "two cpus", 1 },
};

static void run(const struct row *row, const struct measure *measure, size_t size, int cpu)
{
	struct bus bus = wide_bus("@bench", LONG_QUEUE);
	struct stream on_unix = new_stream(unix_pair(), size);
	struct stream on_bus = new_stream(bus_pair(&bus), size);
	struct row noted = *row;
	char note[80];

	if (measure->helper == stream_read) {
		snprintf(note, sizeof(note), "in flight: AF_UNIX %d, AF_BUS %d",
			 in_flight(&on_unix.pair, size), in_flight(&on_bus.pair, size));
		noted.note = note;
	}

	pin(0);
	on_unix.helper = hire(cpu, measure->helper, &on_unix);
	on_bus.helper = hire(cpu, measure->helper, &on_bus);
	compare(&noted, &(struct side){ "AF_UNIX", measure->measure, &on_unix },
		&(struct side){ "AF_BUS", measure->measure, &on_bus });

	end_stream(&on_unix);
	end_stream(&on_bus);
	close(bus.fd);
	pin(ANY_CPU);
}

void bench_pairs(void)
{
	for (size_t m = 0; m < ARRAY_SIZE(measures); m++) {
		for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
			for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
				const struct measure *measure = &measures[m];
				char name[80];
				struct row row = {
					.name = name, .unit = measure->unit,
					.kind = measure->kind, .bar = measure->bar,
				};

				snprintf(name, sizeof(name), "%s %s, %s", measure->name, sizes[s].name, places[p].name);
				if (chosen(name))
					run(&row, measure, sizes[s].size, places[p].cpu);
			}
		}
	}
}
