/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test harness in one header: TEST(), TEST_EACH(), checks, KTAP.
 *
 * main -> keeper -> test. The keeper lives in a network namespace, a mount
 * namespace and a folder of its own; the test is a process group below it. When
 * the test has ended the keeper counts what is left: no socket of the family may
 * exist in its namespace, no use of the modules may be left, and the machine must
 * have about as many open files as before: the kernel counts those by the batch.
 */
#ifndef HARNESS_H
#define HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { PASSED = 0, FAILED = 1, SKIPPED = 4 };
enum { FILES_MARGIN = 128 };

struct test {
	char name[120];
	void (*run)(unsigned int row);
	unsigned int row;
	unsigned int seconds;
};

static struct test tests[256];
static unsigned int n_tests;

__attribute__((unused))
static void register_test(const char *name, const char *row_name,
			  void (*run)(unsigned int), unsigned int row,
			  unsigned int seconds)
{
	struct test *t = &tests[n_tests++];

	snprintf(t->name, sizeof(t->name), "%s%s%s", name,
		 row_name ? "." : "", row_name ? row_name : "");
	t->run = run;
	t->row = row;
	t->seconds = seconds;
}

/*
 * TEST(what_it_proves) { ... } has 20 seconds, TEST_LONG() as many as it says; times
 * PATIENCE (environment) where the kernel is a slow one.
 */
#define TEST_LONG(test, seconds)					\
	static void test(unsigned int row);				\
	__attribute__((constructor)) static void test##_register(void)	\
	{								\
		register_test(#test, NULL, test, 0, seconds);		\
	}								\
	static void test(__attribute__((unused)) unsigned int row)
#define TEST(test) TEST_LONG(test, 20)

/* TEST_EACH(what_it_proves, table) { uses row->...; } runs once for each row. */
#define TEST_EACH(test, table) TEST_EACH_LONG(test, table, 20)
#define TEST_EACH_LONG(test, table, seconds)				\
	static void test(const __typeof__((table)[0]) *row);		\
	static void test##_row(unsigned int i) { test(&(table)[i]); }	\
	__attribute__((constructor)) static void test##_register(void)	\
	{								\
		for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)	\
			register_test(#test, (table)[i].name, test##_row, i, seconds); \
	}								\
	static void test(const __typeof__((table)[0]) *row)

__attribute__((noreturn, format(printf, 2, 3)))
static void leave(int verdict, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(1, "# %s\n", text);
	_exit(verdict);
}

static inline const char *errname(int err)
{
	return err ? strerrorname_np(err) ?: "an unknown errno" : "no error";
}

#define FAIL(format, ...) \
	leave(FAILED, "%s:%d: " format, __FILE__, __LINE__, ##__VA_ARGS__)
#define SKIP(format, ...) leave(SKIPPED, "SKIP " format, ##__VA_ARGS__)

#define CHECK(condition) do {						\
	if (!(condition))						\
		FAIL("%s does not hold", #condition);			\
} while (0)

#define EQ(expected, expression) do {					\
	long long __want = (long long)(expected);			\
	long long __got = (long long)(expression);			\
									\
	if (__want != __got)						\
		FAIL("%s is %lld (%#llx), not %lld (%#llx)",		\
		     #expression, __got, __got, __want, __want);	\
} while (0)

/* The call succeeds. Return: its value. */
#define OK(call) ({							\
	__typeof__(call) __value = (call);				\
									\
	if (__value < 0)						\
		FAIL("%s fails with %s", #call, errname(errno));	\
	__value;							\
})

/* The call fails with exactly this errno. */
#define FAILS(err, call) do {						\
	long long __value = (errno = 0, (long long)(call));		\
									\
	if (__value >= 0)						\
		FAIL("%s returns %lld, not %s", #call, __value, errname(err)); \
	if (errno != (err))						\
		FAIL("%s fails with %s, not %s", #call, errname(errno), errname(err)); \
} while (0)

static inline long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline long long now_ms(void)
{
	return now_ns() / 1000000;
}

/* How often @call can be made in @ms milliseconds. */
#define CALLS_IN(ms, call) ({						\
	long long __end = now_ms() + (ms);				\
	long __n = 0;							\
									\
	for (; now_ms() < __end; __n++)					\
		call;							\
	__n;								\
})

/* Other programs may take most of the processor from the caller, but must not keep it waiting. */
#define CHECK_NOT_HELD_UP(alone, beside) do {				\
	dprintf(1, "# %ld calls alone, %ld beside\n", alone, beside);	\
	CHECK(beside > alone / 20);					\
} while (0)

/*
 * The time as of the last tick, which timeouts are counted by. Ticks may come late and then all at
 * once: so a timeout is never too short by this clock, though it may be by the other one.
 */
static inline long long tick_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static inline void take_signal(int sig)
{
	(void)sig;
}

/* A signal that interrupts calls and does nothing else; with SA_RESTART they go on. */
static inline void handle(int sig, int flags)
{
	struct sigaction action = { .sa_handler = take_signal, .sa_flags = flags };

	OK(sigaction(sig, &action, NULL));
}

static inline unsigned int patience(void)
{
	const char *factor = getenv("PATIENCE");

	return factor && atoi(factor) > 0 ? atoi(factor) : 1;
}

/* Polls for a condition that no event announces. */
#define EVENTUALLY(condition) do {					\
	long long __end = now_ms() + 10000 * patience();		\
									\
	while (!(condition)) {						\
		if (now_ms() > __end)					\
			FAIL("%s never holds", #condition);		\
		usleep(1000);						\
	}								\
} while (0)

/* The "sockets" column of the line BUS; 0 without such a line. */
static inline long bus_sockets(void)
{
	FILE *f = fopen("/proc/self/net/protocols", "re");
	char line[256];
	long n = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "BUS %*d %ld", &n);
	if (f)
		fclose(f);
	return n;
}

static inline long file_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static inline long open_files(void)
{
	return file_number("/proc/sys/fs/file-nr");
}

/* Uses of both modules, without the use of the one by the other. */
static inline long module_users(void)
{
	long users = file_number("/sys/module/af_bus/refcnt");

	if (!access("/sys/module/nfdbus", F_OK))
		users += file_number("/sys/module/nfdbus/refcnt") - 1;
	return users;
}

static volatile sig_atomic_t timed_out;
static pid_t test_group;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
	kill(-test_group, SIGKILL);
}

/* Namespaces and a folder of its own, which end with the keeper. */
static void seclude(void)
{
	umask(022);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("test", "/mnt", "tmpfs", 0, "mode=755") || chdir("/mnt"))
		leave(FAILED, "the test's own namespaces: %s", errname(errno));
}

/* What the test has left. Files and sockets are freed a little after the exit. */
static void count_leaks(long files, long users)
{
	long long end = now_ms() + 5000 * patience();
	long sockets = 0, more_files = 0, more_users = 0;

	do {
		sockets = bus_sockets();
		more_files = open_files() - files;
		more_users = module_users() - users;
		if (sockets <= 0 && more_files <= FILES_MARGIN && more_users <= 0)
			return;
		usleep(1000);
	} while (now_ms() < end);
	leave(FAILED, "leaked: %ld sockets, %ld open files, %ld uses of the module",
	      sockets, more_files, more_users);
}

__attribute__((noreturn)) static void keep(const struct test *t)
{
	long files, users;
	int status;

	seclude();
	files = open_files();
	users = module_users();

	signal(SIGALRM, on_alarm);
	test_group = fork();
	if (!test_group) {
		setpgid(0, 0);
		signal(SIGALRM, SIG_DFL);
		t->run(t->row);
		_exit(PASSED);
	}
	setpgid(test_group, test_group);
	alarm(t->seconds * patience());
	while (waitpid(test_group, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	kill(-test_group, SIGKILL);

	if (timed_out)
		leave(FAILED, "not done after %u seconds", t->seconds * patience());
	if (WIFSIGNALED(status))
		leave(FAILED, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	count_leaks(files, users);
	_exit(PASSED);
}

/* From now on, the kernel's complaints belong to this test. */
static void tell_kernel(const struct test *t)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[sizeof(t->name) + 16];
	int len = snprintf(line, sizeof(line), "<4>test %s\n", t->name);

	/* Not dprintf(), which asks for the position of the file: this file has none. */
	if (log < 0)
		return;
	if (write(log, line, len) != len)
		dprintf(1, "# not in the kernel's log: %s\n", errname(errno));
	close(log);
}

__attribute__((unused))
static int run_test(const struct test *t)
{
	pid_t keeper;
	int status;

	tell_kernel(t);
	keeper = fork();
	if (!keeper)
		keep(t);
	waitpid(keeper, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

#ifndef HARNESS_OWN_MAIN
static int list_tests(void)
{
	for (unsigned int i = 0; i < n_tests; i++)
		puts(tests[i].name);
	return 0;
}

/* main [--list | PART OF A NAME]: runs the tests whose names have it. */
int main(int argc, char **argv)
{
	unsigned int n = 0, at = 0, failed = 0;
	const char *part = argc > 1 ? argv[1] : "";

	if (!strcmp(part, "--list"))
		return list_tests();
	setvbuf(stdout, NULL, _IONBF, 0);
	for (unsigned int i = 0; i < n_tests; i++)
		n += !!strstr(tests[i].name, part);
	printf("KTAP version 1\n1..%u\n", n);
	for (unsigned int i = 0; i < n_tests; i++) {
		int verdict;

		if (!strstr(tests[i].name, part))
			continue;
		verdict = run_test(&tests[i]);
		failed += verdict != PASSED && verdict != SKIPPED;
		printf("%s %u %s%s\n", verdict == PASSED || verdict == SKIPPED ? "ok" : "not ok",
		       ++at, tests[i].name, verdict == SKIPPED ? " # SKIP" : "");
	}
	return failed ? 1 : 0;
}
#endif

#endif
