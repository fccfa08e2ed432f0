// SPDX-License-Identifier: GPL-2.0-only
/*
 * The result on stdout, as a table or as JSON; progress, and the table beside JSON, on stderr.
 */
#include "bench.h"
#include <stdio.h>
#include <sys/utsname.h>


bool as_json;

static FILE *out;
static FILE *table;
static int rows;

static bool holds(const struct result *r)
{
	switch (r->row.kind) {
	case RATIO_AT_MOST:
		return r->ratio.median <= r->row.bar;
	case RATIO_AT_LEAST:
		return r->ratio.median >= r->row.bar;
	default:
		return r->subject.median <= r->row.bar;
	}
}

static const char *sign(enum bar kind)
{
	return kind == RATIO_AT_LEAST ? ">=" : "<=";
}

static const char *measured_on(enum bar kind)
{
	return kind == FIGURE_AT_MOST ? "figure" : "ratio";
}

void report_to(int fd)
{
	struct utsname kernel;

	uname(&kernel);
	out = fdopen(fd, "w");
	table = as_json ? stderr : out;
	if (as_json)
		fprintf(out, "{\n  \"kernel\": \"%s\",\n  \"rounds\": %d,\n  \"rows\": [", kernel.release, rounds);
	fprintf(table, "Linux %s, %d rounds in turns; medians, ratio with its quartiles\n"
		"%-28s %12s %12s  %-10s %7s %16s %10s\n", kernel.release, rounds,
		"what", "base", "AF_BUS", "unit", "ratio", "(quartiles)", "bar");
	fflush(table);
}

void report_progress(const char *name, int done, int of)
{
	static uint64_t told;

	if (now_ns() - told < 2000000000ULL)
		return;
	told = now_ns();
	fprintf(stderr, "# %s: round %d of %d\n", name, done + 1, of);
}

static void json_spread(const char *name, const struct spread *s, const char *end)
{
	fprintf(out, "\"%s\": {\"median\": %.6g, \"q1\": %.6g, \"q3\": %.6g, \"min\": %.6g, \"max\": %.6g}%s",
		name, s->median, s->low, s->high, s->min, s->max, end);
}

/* Names, units and notes are our own: none of them needs escapes. */
static void json_row(const struct result *r)
{
	fprintf(out, "%s\n    {\"name\": \"%s\", \"unit\": \"%s\", \"base\": \"%s\", \"subject\": \"%s\",\n     ",
		rows ? "," : "", r->row.name, r->row.unit, r->row.base, r->row.subject);
	fprintf(out, "\"rounds\": %d, \"operations\": %ld, \"note\": \"%s\",\n     ",
		r->rounds, r->operations, r->row.note ?: "");
	json_spread("base_figures", &r->base, ",\n     ");
	json_spread("subject_figures", &r->subject, ",\n     ");
	json_spread("ratios", &r->ratio, ",\n     ");
	fprintf(out, "\"bar\": {\"on\": \"%s\", \"is\": \"%s\", \"value\": %g}, \"holds\": %s}",
		measured_on(r->row.kind), sign(r->row.kind), r->row.bar, holds(r) ? "true" : "false");
	fflush(out);
}

void report_row(const struct result *r)
{
	char quartiles[32] = "";

	if (r->rounds > 1)
		snprintf(quartiles, sizeof(quartiles), "(%.3f..%.3f)", r->ratio.low, r->ratio.high);
	fprintf(table, "%-28s %12.5g %12.5g  %-10s %7.3f %16s %s%s %-5g %s%s%s%s\n",
		r->row.name, r->base.median, r->subject.median, r->row.unit, r->ratio.median, quartiles,
		r->row.kind == FIGURE_AT_MOST ? "AF_BUS " : "", sign(r->row.kind), r->row.bar,
		holds(r) ? "ok" : "MISSED", r->row.note ? " (" : "", r->row.note ?: "", r->row.note ? ")" : "");
	fflush(table);
	if (as_json)
		json_row(r);
	rows++;
}

void report_end(void)
{
	if (as_json)
		fprintf(out, "\n  ]\n}\n");
	fflush(out);
}
