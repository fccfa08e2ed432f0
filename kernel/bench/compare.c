// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rounds in turn, and the statistics of a series.
 */
#include "bench.h"
#include <stdlib.h>
#include <time.h>

enum { MAX_ROUNDS = 1000 };

/*
 * Long enough that beginning and end of a round are a small part of it: 10 ms are seven messages of
 * 4 KiB to 64 readers, which fit into the queues. Short enough that the machine stays as it is.
 */
static const uint64_t round_ns = 100 * 1000 * 1000;

int rounds;

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q)
{
	double at = q * (n - 1);
	int i = at;

	return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* Sorts the series. */
static struct spread spread(double *series, int n)
{
	qsort(series, n, sizeof(*series), by_value);
	return (struct spread){
		.median	= quantile(series, n, 0.5),
		.low	= quantile(series, n, 0.25),
		.high	= quantile(series, n, 0.75),
		.min	= series[0],
		.max	= series[n - 1],
	};
}

static double measure(const struct side *side, long n, uint64_t *took)
{
	uint64_t start;
	double figure;

	if (side->begin)
		side->begin(side->state);
	start = now_ns();
	figure = side->measure(side->state, n);
	*took = now_ns() - start;
	if (side->end)
		side->end(side->state);
	return figure;
}

/* Operations that fill a round; warms up what they use. */
static long fill_round(const struct side *side)
{
	uint64_t took;
	long n = 1;

	for (;;) {
		measure(side, n, &took);
		if (took >= round_ns / 4)
			break;
		n *= took < round_ns / 40 ? 8 : 2;
	}
	n = (double)n * round_ns / took;
	return n > 0 ? n : 1;
}

void compare(const struct row *row, const struct side *base, const struct side *subject)
{
	double of_base[MAX_ROUNDS], of_subject[MAX_ROUNDS], ratio[MAX_ROUNDS];
	int count = rounds < MAX_ROUNDS ? rounds : MAX_ROUNDS;
	struct result result = { .row = *row, .rounds = count };
	uint64_t took;
	long n, fewer;

	result.row.base = base->name;
	result.row.subject = subject->name;
	n = fill_round(base);
	fewer = fill_round(subject);
	result.operations = n < fewer ? n : fewer;

	for (int i = 0; i < count; i++) {
		report_progress(row->name, i, count);
		if (i % 2)
			of_subject[i] = measure(subject, result.operations, &took);
		of_base[i] = measure(base, result.operations, &took);
		if (i % 2 == 0)
			of_subject[i] = measure(subject, result.operations, &took);
		ratio[i] = of_subject[i] / of_base[i];
	}

	result.base = spread(of_base, count);
	result.subject = spread(of_subject, count);
	result.ratio = spread(ratio, count);
	report_row(&result);
}

void note_figures(const struct row *row, double base, double subject)
{
	double ratio = subject / base;
	struct result result = {
		.row = *row, .rounds = 1, .operations = 1,
		.base = spread(&base, 1), .subject = spread(&subject, 1), .ratio = spread(&ratio, 1),
	};

	report_row(&result);
}
