// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of its throughput a pair keeps while others on its bus misbehave.
 *
 * The misbehaviour takes processor time, so both sides have the same at the same time; at the base
 * it is on another bus. The pair has one processor, the others have the other one.
 */
#include "parties.h"

enum { SIZE = 1024, SENDERS = 3 };

struct noise {
	struct client victim;
	struct client senders[SENDERS];
	struct end to_victim[SENDERS];
	pid_t helpers[SENDERS + 1];
	int n;
};

struct neighbours {
	struct stream stream;
	struct noise noise;
};

struct noise_kind {
	struct row row;
	void (*helper)(void *state);
	bool victim_reads;
	bool sleeps;	/* it takes no processor time, but just stays */
};

static void flood(void *state)
{
	give(state, SIZE, PLAIN);
}

/* Sends that are refused: the queue is full, and nobody reads it. */
static void knock(void *state)
{
	struct end *end = state;
	char message[SIZE] = { PLAIN };

	if (sendto(end->fd, message, SIZE, MSG_DONTWAIT, (struct sockaddr *)&end->to, end->to_len) < 0)
		EQ(EAGAIN, errno);
}

static void swallow(void *state)
{
	struct end victim = { .fd = ((struct client *)state)->fd };

	receive(&victim, SIZE);
}

static void pause_noise(struct noise *t)
{
	for (int i = 0; i < t->n; i++)
		halt(t->helpers[i]);
}

static void await_sleep(const struct noise *t)
{
	for (int i = 0; i < t->n; i++)
		EVENTUALLY(sleeps_in_call(t->helpers[i]));
}

static void make_noise(struct noise *t, const struct bus *bus, const struct noise_kind *kind)
{
	t->victim = join(bus);
	for (int i = 0; i < SENDERS; i++) {
		t->senders[i] = join(bus);
		t->to_victim[i] = end_to(t->senders[i].fd, t->victim.id);
		t->helpers[t->n++] = hire(1, kind->helper, &t->to_victim[i]);
	}
	if (kind->victim_reads)
		t->helpers[t->n++] = hire(1, swallow, &t->victim);
	if (kind->sleeps)
		await_sleep(t);
	else
		pause_noise(t);
}

static void end_noise(struct noise *t)
{
	for (int i = 0; i < t->n; i++)
		dismiss(t->helpers[i]);
	for (int i = 0; i < SENDERS; i++)
		close_client(&t->senders[i]);
	close_client(&t->victim);
}

static void start_noise(void *state)
{
	struct noise *t = &((struct neighbours *)state)->noise;

	for (int i = 0; i < t->n; i++)
		go_on(t->helpers[i]);
}

static void stop_noise(void *state)
{
	pause_noise(&((struct neighbours *)state)->noise);
}

static double throughput(void *state, long n)
{
	return stream_messages_per_second(&((struct neighbours *)state)->stream, n);
}

static struct side side(const char *name, struct neighbours *us, const struct noise_kind *kind)
{
	struct side side = { name, throughput, us };

	if (!kind->sleeps) {
		side.begin = start_noise;
		side.end = stop_noise;
	}
	return side;
}

static void start(struct neighbours *us, const struct bus *home, const struct bus *noisy,
		    const struct noise_kind *kind)
{
	us->stream = new_stream(bus_pair(home), SIZE);
	us->stream.helper = hire(0, stream_read, &us->stream);
	make_noise(&us->noise, noisy, kind);
}

static void end(struct neighbours *us)
{
	end_noise(&us->noise);
	end_stream(&us->stream);
}

static void run(const struct noise_kind *kind)
{
	struct bus quiet = open_bus("@quiet"), far = open_bus("@far"), shared = open_bus("@shared");
	struct neighbours apart = {}, together = {};
	struct side base, subject;

	pin(0);
	start(&apart, &quiet, &far, kind);
	start(&together, &shared, &shared, kind);
	base = side("noise on another bus", &apart, kind);
	subject = side("noise on the same bus", &together, kind);
	compare(&kind->row, &base, &subject);
	end(&apart);
	end(&together);
	close(quiet.fd);
	close(far.fd);
	close(shared.fd);
	pin(ANY_CPU);
}

static const struct noise_kind kinds[] = {
	{ { "beside a stopped member", "msg/s", .kind = RATIO_AT_LEAST, .bar = 0.9,
	    .note = "its queue full, 3 senders asleep for it" }, flood, false, true },
	{ { "beside a flood", "msg/s", .kind = RATIO_AT_LEAST, .bar = 0.9,
	    .note = "3 senders and 1 reader on the other cpu" }, flood, true, false },
	{ { "beside refused sends", "msg/s", .kind = RATIO_AT_LEAST, .bar = 0.9,
	    .note = "3 senders in a loop of EAGAIN on the other cpu" }, knock, false, false },
};

void bench_neighbours(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (chosen(kinds[i].row.name))
			run(&kinds[i]);
}
