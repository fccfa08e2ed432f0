// SPDX-License-Identifier: GPL-2.0-only
/*
 * One message to many sockets: a multicast, compared with a sender that writes to one AF_UNIX
 * socket after another. Either each socket has a process of its own, so that every delivery
 * includes waking that process and switching to it, or one process reads all of them.
 */
#include "parties.h"

#include <sys/epoll.h>

enum { SIZE = 4096, MAX_MEMBERS = 64, PREFIX = 1, QUEUE = 32 };

struct audience {
	int n;
	struct pair pairs[MAX_MEMBERS];
	struct end everyone;	/* the group, on a bus */
	int arrived;
	int readable;	/* epoll: what the one process reads */
	pid_t listeners[MAX_MEMBERS];
	int n_listeners;
};

struct receiver {
	struct audience *audience;
	struct end *end;
};

static void listen_on(void *state)
{
	struct receiver *receiver = state;

	if (receive(receiver->end, SIZE) == LAST)
		tally(receiver->audience->arrived);
}

static void listen_to_all(void *state)
{
	struct audience *a = state;
	struct epoll_event events[MAX_MEMBERS];
	int n = OK(epoll_wait(a->readable, events, MAX_MEMBERS, -1));

	for (int i = 0; i < n; i++) {
		struct receiver receiver = { a, &a->pairs[events[i].data.u32].far };

		listen_on(&receiver);
	}
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
		struct receiver receiver = { a, &a->pairs[i].far };

		a->listeners[a->n_listeners++] = hire(cpu, listen_on, &receiver);
	}
}

static void gather_in_one(struct audience *a, int cpu)
{
	a->readable = OK(epoll_create1(EPOLL_CLOEXEC));
	for (int i = 0; i < a->n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		OK(epoll_ctl(a->readable, EPOLL_CTL_ADD, a->pairs[i].far.fd, &event));
	}
	a->listeners[a->n_listeners++] = hire(cpu, listen_to_all, a);
}

static void part_with(struct audience *a)
{
	for (int i = 0; i < a->n_listeners; i++)
		dismiss(a->listeners[i]);
	for (int i = 0; i < a->n; i++)
		close_pair(&a->pairs[i]);
	close(a->arrived);
	if (a->readable)
		close(a->readable);
}

static void run(const struct row *row, int n, int cpu, void (*gather_all)(struct audience *a, int cpu))
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
	gather_all(&on_unix, cpu);
	gather_all(&on_bus, cpu);
	compare(row, &(struct side){ "AF_UNIX loop", loop, &on_unix },
		&(struct side){ "AF_BUS multicast", multicast, &on_bus });
	part_with(&on_unix);
	part_with(&on_bus);
	close(bus.fd);
	pin(ANY_CPU);
}

static const struct setting {
	struct row row;
	int audience;
	int cpu;
	void (*gather)(struct audience *a, int cpu);
} settings[] = {
	{ { "fan-out 4 KiB to 8, one cpu", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 1.5 }, 8, 0, gather },
	{ { "fan-out 4 KiB to 8, two cpus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 1.5 }, 8, ANY_CPU, gather },
	{ { "fan-out 4 KiB to 64, one cpu", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 }, 64, 0, gather },
	{ { "fan-out 4 KiB to 64, two cpus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 }, 64, ANY_CPU, gather },
	{ { "fan-out 4 KiB to 64, one reader, one cpu", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 },
	  64, 0, gather_in_one },
	{ { "fan-out 4 KiB to 64, one reader, two cpus", "deliver/s", .kind = RATIO_AT_LEAST, .bar = 2 },
	  64, ANY_CPU, gather_in_one },
};

void bench_fanout(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if (chosen(s->row.name))
			run(&s->row, s->audience, s->cpu, s->gather);
	}
}
