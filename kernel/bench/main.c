// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench ROUNDS table|json [PART OF A NAME] - AF_BUS compared with AF_UNIX, one row after the other.
 *
 * This is no test: machines differ. A row that misses its bar says so, and the exit status stays 0.
 */
#include "parties.h"

#include <sys/resource.h>

static const char *part = "";

bool chosen(const char *name)
{
	return strstr(name, part);
}

/* A process that was not dismissed has met an error, and has reported it. */
static void on_death(int sig)
{
	(void)sig;
	_exit(FAILED);
}

/* Each client of a crowd has two descriptors, and /tmp may be of any file system. */
static void prepare(void)
{
	struct rlimit files = { 16384, 16384 };
	struct sigaction death = { .sa_handler = on_death, .sa_flags = SA_NOCLDSTOP };

	OK(setrlimit(RLIMIT_NOFILE, &files));
	OK(sigaction(SIGCHLD, &death, NULL));
	seclude();
}

int main(int argc, char **argv)
{
	int result = dup(STDOUT_FILENO);

	/* The checks of the harness print on stdout, which is for the result here. */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (argc < 3 || atoi(argv[1]) <= 0)
		FAIL("usage: %s ROUNDS table|json [PART OF A NAME]", argv[0]);
	rounds = atoi(argv[1]);
	as_json = !strcmp(argv[2], "json");
	part = argc > 3 ? argv[3] : "";

	prepare();
	report_to(result);
	bench_pairs();
	bench_fanout();
	bench_crowd();
	bench_neighbours();
	bench_memory();
	bench_rules();
	report_end();
	return 0;
}
