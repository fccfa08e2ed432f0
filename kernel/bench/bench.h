/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is measured, and how it is printed.
 *
 * A row of the table compares two *sides*: the base (most often AF_UNIX) and the subject (AF_BUS).
 * They take turns in short rounds (base, subject, subject, base), so that other work on the machine
 * affects both alike.
 */
#ifndef BENCH_H
#define BENCH_H

#include "harness.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of the two things compared: measures n operations and returns the figure. */
struct side {
	const char *name;
	double (*measure)(void *state, long n);
	void *state;
	/* Called before and after each measurement, outside of its time; may be NULL. */
	void (*begin)(void *state);
	void (*end)(void *state);
};

/* What a bar is for: the ratio subject/base, or the subject's figure itself. */
enum bar {
	RATIO_AT_MOST,
	RATIO_AT_LEAST,
	FIGURE_AT_MOST,
};

struct row {
	const char *name;
	const char *unit;
	const char *base;	/* what the two sides are */
	const char *subject;
	enum bar kind;
	double bar;
	const char *note;	/* what a reader must know to judge the row, or NULL */
};

/* A series: its median, quartiles, least and greatest. */
struct spread {
	double median, low, high, min, max;
};

struct result {
	struct row row;
	long operations;	/* per round */
	int rounds;
	struct spread base, subject, ratio;
};

/* main.c */
bool chosen(const char *name);

/* compare.c: what runs the rounds, and keeps the result */
extern int rounds;
void compare(const struct row *row, const struct side *base, const struct side *subject);
/* Figures that are counted and not timed: one each. */
void note_figures(const struct row *row, double base, double subject);

/* report.c */
extern bool as_json;
void report_to(int fd);
void report_progress(const char *name, int done, int of);
void report_row(const struct result *result);
void report_end(void);

/* The measurements; each makes what it needs, and takes it down. */
void bench_pairs(void);
void bench_fanout(void);
void bench_crowd(void);
void bench_neighbours(void);
void bench_memory(void);
void bench_rules(void);

#endif
