// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream: the measuring process sends one way, as fast as it may, to a process that
 * reads and does nothing else.
 */
#include "parties.h"

void stream_read(void *state)
{
	struct stream *s = state;

	if (receive(&s->pair.far, s->size) == LAST)
		tally(s->arrived);
}

/* The time ends when the last message has arrived. */
double stream_messages_per_second(void *state, long n)
{
	struct stream *s = state;
	uint64_t start = now_ns();

	for (long i = 1; i < n; i++)
		give(&s->pair.near, s->size, PLAIN);
	give(&s->pair.near, s->size, LAST);
	await_tally(s->arrived, 1);
	return n * 1e9 / (now_ns() - start);
}

struct stream new_stream(struct pair pair, size_t size)
{
	return (struct stream){ .pair = pair, .size = size, .arrived = new_tally() };
}

void end_stream(struct stream *s)
{
	dismiss(s->helper);
	close_pair(&s->pair);
	close(s->arrived);
}
