// SPDX-License-Identifier: MIT
/*
 * bench-dbus ROUNDS PART-OF-A-NAME NAME=ADDRESS… - one bus beside the other. Not a test: machines differ.
 * Prints for each row and side: median, quartiles, and the median of the ratios to each side before it.
 */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const int64_t WARM_NS = 2000000000;

static struct side sides[MAX_SIDES];
static int n_sides, rounds;
static const char *part;

void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "bench-dbus: %s: %s\n", what, strerror(-result));
	/* A figure without one of its parties is none, and the others would wait for it: all of them end. */
	kill(0, SIGTERM);
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

bool chosen(const char *name)
{
	return strstr(name, part);
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* Of n figures the one at this part of their order. */
static double quantile(const double *figures, int n, double at)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, figures, n * sizeof(*figures));
	qsort(sorted, n, sizeof(*sorted), by_size);
	return sorted[(int)(at * (n - 1) + 0.5)];
}

/* Ratios are taken within a round. */
static double median_ratio(const double *figures, const double *base)
{
	double ratios[MAX_ROUNDS];

	for (int n = 0; n < rounds; n++)
		ratios[n] = figures[n] / base[n];
	return quantile(ratios, rounds, 0.5);
}

static void report(const struct row *row, double figures[MAX_SIDES][MAX_ROUNDS], const bool *there)
{
	for (int s = 0; s < n_sides; s++) {
		if (!there[s])
			continue;
		printf("%s\t%s\t%s\t%.6g\t%.6g\t%.6g", row->name, sides[s].name, row->unit,
		       quantile(figures[s], rounds, 0.5), quantile(figures[s], rounds, 0.25),
		       quantile(figures[s], rounds, 0.75));
		for (int base = 0; base < s; base++)
			if (there[base])
				printf("\t%.3f x %s", median_ratio(figures[s], figures[base]), sides[base].name);
		printf("\n");
	}
	fflush(stdout);
}

/* A process that compiles what it runs often, as Node.js does, takes thousands of messages to become as fast as it stays. */
static void warm(const struct measure *measure, struct stage *stage)
{
	int64_t end = now_ns() + WARM_NS;

	do
		measure->measure(stage);
	while (now_ns() < end);
}

void compare(const struct row *row, const struct measure *measure, const void *arguments)
{
	static double figures[MAX_SIDES][MAX_ROUNDS];
	struct stage *stages[MAX_SIDES] = { 0 };
	bool there[MAX_SIDES];

	if (!chosen(row->name))
		return;
	fprintf(stderr, "# %s\n", row->name);
	for (int s = 0; s < n_sides; s++) {
		there[s] = sides[s].address || !row->needs_bus;
		if (there[s])
			stages[s] = measure->begin(&sides[s], arguments);
		if (there[s])
			warm(measure, stages[s]);
	}
	for (int n = 0; n < rounds; n++) {
		for (int i = 0; i < n_sides; i++) {
			int s = n % 2 ? n_sides - 1 - i : i;

			if (there[s])
				figures[s][n] = measure->measure(stages[s]);
		}
	}
	for (int s = 0; s < n_sides; s++)
		if (there[s])
			measure->end(stages[s]);
	report(row, figures, there);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };

	if (argc < 4 || argc - 3 > MAX_SIDES || atoi(argv[1]) < 1 || atoi(argv[1]) > MAX_ROUNDS) {
		fprintf(stderr, "usage: %s ROUNDS PART-OF-A-NAME NAME=ADDRESS…\n", argv[0]);
		return 2;
	}
	rounds = atoi(argv[1]);
	part = argv[2];
	for (char **arg = argv + 3; *arg; arg++) {
		char *address = strchr(*arg, '=');

		if (address)
			*address++ = '\0';
		sides[n_sides++] = (struct side){ *arg, address };
	}
	setrlimit(RLIMIT_NOFILE, &files);
	bench_calls();
	bench_signals();
	bench_rules();
	return 0;
}
