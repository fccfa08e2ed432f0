// SPDX-License-Identifier: MIT
/* A signal to those that have a rule for it, beside those that have another, and beside one that does not read. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BURST = 32,	/* signals on their way: a native client's queue has room for 128 */
	BURSTS = 2,
	MAX_RECEIVERS = 64,
};

struct audience {
	int receivers, others;
	bool stopped;
};

struct stage {
	struct audience audience;
	const struct side *side;
	struct afdbus *bus, *stopped, **others;
	struct afdbus_message *signal;
	pid_t pids[MAX_RECEIVERS];
	int heard[2];	/* a byte for each receiver and burst */
};

static void listen_for_bursts(struct stage *s)
{
	struct afdbus *bus = join(s->side);

	want(bus, INTERFACE, "Tick");
	check(write(s->heard[1], "", 1), "ready");
	for (int n = 0;;) {
		struct afdbus_message *m;

		check(afdbus_next(bus, AFDBUS_FOREVER, &m), "receiver");
		if (afdbus_is_signal(m, INTERFACE, "Tick") && ++n % BURST == 0)
			check(write(s->heard[1], "", 1), "heard");
		afdbus_free(m);
	}
}

static void await_all(struct stage *s)
{
	char bytes[MAX_RECEIVERS];

	for (int n = 0; n < s->audience.receivers;) {
		ssize_t got = read(s->heard[0], bytes, s->audience.receivers - n);

		check(got > 0 ? 0 : -EPIPE, "receivers");
		n += got;
	}
}

static struct afdbus *new_other(const struct side *side)
{
	struct afdbus *bus = join(side);

	want(bus, INTERFACE, "Other");
	return bus;
}

static struct stage *begin(const struct side *side, const void *arguments)
{
	struct stage *s = calloc(1, sizeof(*s));

	s->audience = *(const struct audience *)arguments;
	s->side = side;
	check(pipe(s->heard), "pipe");
	for (int n = 0; n < s->audience.receivers; n++) {
		s->pids[n] = fork_party();
		if (s->pids[n] == 0)
			listen_for_bursts(s);
	}
	await_all(s);
	s->others = calloc(s->audience.others + 1, sizeof(*s->others));
	for (int n = 0; n < s->audience.others; n++)
		s->others[n] = new_other(side);
	/* It has all of them waiting, or is expelled on the way. */
	s->stopped = s->audience.stopped ? join(side) : NULL;
	if (s->stopped)
		check(afdbus_add_match(s->stopped, "type='signal'", NULL), "match");
	s->bus = join(side);
	s->signal = new_signal();
	return s;
}

static double deliveries_per_second(struct stage *s)
{
	int64_t start = now_ns();

	for (int burst = 0; burst < BURSTS; burst++) {
		for (int n = 0; n < BURST; n++)
			check(afdbus_send(s->bus, s->signal, AFDBUS_FOREVER), "signal");
		await_all(s);
	}
	return (double)BURST * BURSTS * s->audience.receivers * 1e9 / (now_ns() - start);
}

static void end(struct stage *s)
{
	for (int n = 0; n < s->audience.receivers; n++)
		end_party(s->pids[n]);
	for (int n = 0; n < s->audience.others; n++)
		afdbus_disconnect(s->others[n]);
	free(s->others);
	afdbus_disconnect(s->stopped);
	afdbus_free(s->signal);
	afdbus_disconnect(s->bus);
	close(s->heard[0]);
	close(s->heard[1]);
	free(s);
}

static void run(const char *name, struct audience audience)
{
	static const struct measure measure = { begin, deliveries_per_second, end };
	struct row row = { .unit = "deliver/s", .more_is_better = true, .needs_bus = true };

	snprintf(row.name, sizeof(row.name), "signal to %d%s", audience.receivers, name);
	compare(&row, &measure, &audience);
}

void bench_signals(void)
{
	for (int receivers = 1; receivers <= MAX_RECEIVERS; receivers *= 4)
		run("", (struct audience){ receivers, 0, false });
	run(", one does not read", (struct audience){ 4, 0, true });
	for (int receivers = 1; receivers <= MAX_RECEIVERS; receivers *= 4)
		run(" beside 1000 others", (struct audience){ receivers, 1000, false });
}
