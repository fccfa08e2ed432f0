/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judges a run of concurrent senders and receivers by the records of each of them.
 *
 * A sender records what it sent, with stamps of one shared clock before and after, and how far it
 * had read of every other sender by then. A receiver records what it got, in order. Each judge_*()
 * returns NULL, or what is wrong; so order.c can also show that the judges find planted faults.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAX_SENDERS	8
#define MAX_RECEIVERS	16
#define MAX_SENT	2048
#define MAX_GOT		(MAX_SENDERS * MAX_SENT)

struct sent {
	uint32_t recipients;		/* a bit for each receiver */
	int failed;			/* an error: no receiver may have it */
	long before, after;		/* the shared clock */
	int heard[MAX_SENDERS];		/* the last message it had read of each sender, or -1 */
};

struct got {
	int sender, n;			/* the n-th message of this sender */
	uint64_t seq;
};

struct ledger {
	int n_senders, n_receivers;
	int n_sent[MAX_SENDERS], n_got[MAX_RECEIVERS];
	struct sent sent[MAX_SENDERS][MAX_SENT];
	struct got got[MAX_RECEIVERS][MAX_GOT];
};

static char complaint[256];

#define WRONG(...) (snprintf(complaint, sizeof(complaint), __VA_ARGS__), complaint)

/* Each receiver got each message sent to it once, and no other. */
static const char *judge_atomic(const struct ledger *l)
{
	static unsigned char copies[MAX_SENDERS][MAX_SENT];

	for (int r = 0; r < l->n_receivers; r++) {
		memset(copies, 0, sizeof(copies));
		for (int i = 0; i < l->n_got[r]; i++) {
			const struct got *g = &l->got[r][i];

			if (g->sender >= l->n_senders || g->n >= l->n_sent[g->sender])
				return WRONG("receiver %d got a message nobody sent", r);
			copies[g->sender][g->n]++;
		}
		for (int s = 0; s < l->n_senders; s++) {
			for (int n = 0; n < l->n_sent[s]; n++) {
				const struct sent *m = &l->sent[s][n];
				int want = !m->failed && (m->recipients >> r & 1);

				if (copies[s][n] != want)
					return WRONG("receiver %d got %d copies of message %d of sender %d, not %d",
						     r, copies[s][n], n, s, want);
			}
		}
	}
	return NULL;
}

/* Messages of one sender come in the order it sent them. */
static const char *judge_fifo(const struct ledger *l)
{
	for (int r = 0; r < l->n_receivers; r++) {
		int last[MAX_SENDERS];

		memset(last, 0xff, sizeof(last));
		for (int i = 0; i < l->n_got[r]; i++) {
			const struct got *g = &l->got[r][i];

			if (g->n <= last[g->sender])
				return WRONG("receiver %d got message %d of sender %d after %d",
					     r, g->n, g->sender, last[g->sender]);
			last[g->sender] = g->n;
		}
	}
	return NULL;
}

/* By the payload alone: two receivers see their common messages in the same order. */
static const char *judge_total_order(const struct ledger *l)
{
	static int place[MAX_SENDERS][MAX_SENT];

	for (int a = 0; a < l->n_receivers; a++) {
		memset(place, 0xff, sizeof(place));
		for (int i = 0; i < l->n_got[a]; i++)
			place[l->got[a][i].sender][l->got[a][i].n] = i;
		for (int b = 0; b < l->n_receivers; b++) {
			int last = -1;

			for (int i = 0; i < l->n_got[b]; i++) {
				const struct got *g = &l->got[b][i];
				int at = place[g->sender][g->n];

				if (at < 0)
					continue;
				if (at < last)
					return WRONG("receivers %d and %d differ about message %d of sender %d",
						     a, b, g->n, g->sender);
				last = at;
			}
		}
	}
	return NULL;
}

/* By the sequence numbers: they rise at each receiver and are the same at all. */
static const char *judge_sequence(const struct ledger *l)
{
	static uint64_t seq[MAX_SENDERS][MAX_SENT];

	memset(seq, 0, sizeof(seq));
	for (int r = 0; r < l->n_receivers; r++) {
		uint64_t last = 0;

		for (int i = 0; i < l->n_got[r]; i++) {
			const struct got *g = &l->got[r][i];

			if (i && g->seq <= last)
				return WRONG("receiver %d got seq %llu after %llu", r,
					     (unsigned long long)g->seq, (unsigned long long)last);
			last = g->seq;
			if (seq[g->sender][g->n] && seq[g->sender][g->n] != g->seq)
				return WRONG("message %d of sender %d has two sequence numbers",
					     g->n, g->sender);
			seq[g->sender][g->n] = g->seq;
		}
	}
	return NULL;
}

/* What a sender had read before it sent comes first for everybody who gets both. */
static const char *judge_causality(const struct ledger *l)
{
	for (int r = 0; r < l->n_receivers; r++) {
		int last[MAX_SENDERS];

		memset(last, 0xff, sizeof(last));
		for (int i = 0; i < l->n_got[r]; i++) {
			const struct got *g = &l->got[r][i];
			const struct sent *m = &l->sent[g->sender][g->n];

			last[g->sender] = g->n;
			for (int s = 0; s < l->n_senders; s++) {
				int n = m->heard[s];

				while (n >= 0 && (l->sent[s][n].failed ||
						  !(l->sent[s][n].recipients >> r & 1)))
					n--;
				if (last[s] < n)
					return WRONG("receiver %d got message %d of sender %d before %d of %d, its cause",
						     r, g->n, g->sender, n, s);
			}
		}
	}
	return NULL;
}

/* A send that returned before another began comes first. */
static const char *judge_real_time(const struct ledger *l)
{
	for (int r = 0; r < l->n_receivers; r++) {
		long latest = -1;

		for (int i = 0; i < l->n_got[r]; i++) {
			const struct got *g = &l->got[r][i];
			const struct sent *m = &l->sent[g->sender][g->n];

			if (m->after < latest)
				return WRONG("receiver %d got message %d of sender %d after one that began when it had ended",
					     r, g->n, g->sender);
			if (m->before > latest)
				latest = m->before;
		}
	}
	return NULL;
}

static const struct {
	const char *name;
	const char *(*judge)(const struct ledger *l);
} judges[] = {
	{ "atomic", judge_atomic },
	{ "fifo", judge_fifo },
	{ "total_order", judge_total_order },
	{ "sequence", judge_sequence },
	{ "causality", judge_causality },
	{ "real_time", judge_real_time },
};

#endif
