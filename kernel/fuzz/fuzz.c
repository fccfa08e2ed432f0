// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz SECONDS SEED [show NUMBER] - processes that share descriptors make random calls on bus
 * sockets, until the time is up or a fault is found.
 *
 * Processes are numbered. The calls of the n-th one, with their arguments, are a function of SEED
 * and n alone: `show` prints them. The scheduler decides the rest: how the calls of several
 * processes interleave, which file a descriptor stands for at that time, when signals strike, and
 * how many processes there are before the time is up.
 *
 * Processes come in pairs that share one table of descriptors, inherit sockets that all of them
 * share, and are interrupted all the time. Every fourth process has no privileges. Each pair has a
 * bus of each protocol.
 */
#include "fuzz.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

enum { UNPRIVILEGED = 1000, STUCK_SECONDS = 60 };

struct shared *shared;
uint64_t seed;
int shared_protocol;

void found(struct fuzzer *f, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!shared->fault[0])
		snprintf(shared->fault, sizeof(shared->fault), "process %u, call %u: %s",
			 f->at->number, f->at->calls, text);
	_exit(FAILED);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Set before there is any process, since a process may be interrupted at once. */
static void survive_signals(void)
{
	struct sigaction fail = { .sa_handler = on_signal };
	struct sigaction restart = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	OK(sigaction(SIGALRM, &fail, NULL));
	OK(sigaction(SIGUSR1, &restart, NULL));
	OK(sigaction(SIGIO, &restart, NULL));
	signal(SIGPIPE, SIG_IGN);
}

/* A tick ends all blocking calls, and no process outlives its parent. */
void be_interrupted(void)
{
	struct itimerval tick = { { 0, 20000 }, { 0, 20000 } };

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	OK(setitimer(ITIMER_REAL, &tick, NULL));
}

static void be_limited(void)
{
	OK(setresgid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED));
	OK(setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED));
}

__attribute__((noreturn)) static void live(struct progress *at)
{
	struct fuzzer f = { .rng = rng_for(seed, at->number), .at = at };

	if (at->number % 4 == 3)
		be_limited();
	be_interrupted();
	for (int i = 0; i < CALLS; i++)
		make_one_call(&f);
	_exit(PASSED);
}

/*
 * A bus with members. Return: the places of the listening socket, the clients and the accepted
 * sockets.
 */
static void share_bus(const char *path, int overflow, int sockets, int masters)
{
	struct bus bus = open_bus(path);

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, overflow));
	for (int i = 0; i < MEMBERS; i++) {
		struct client c = join_at(&bus, shared_address(i));

		OK(dup3(c.fd, sockets + 1 + i, O_CLOEXEC));
		OK(dup3(c.accepted, masters + i, O_CLOEXEC));
		if (shared_protocol == BUS_PROTO_DBUS && i < HELD_SLOTS / 2) {
			OK(dup3(c.fd, FIRST_HELD + 1 + 2 * i, O_CLOEXEC));
			OK(dup3(c.accepted, FIRST_HELD + 2 + 2 * i, O_CLOEXEC));
		}
		/* Some have no rule. */
		if (shared_protocol == BUS_PROTO_DBUS && i % 2)
			OK(add_rule(path, c.id, ""));
		close_client(&c);
	}
	OK(dup3(bus.fd, sockets, O_CLOEXEC));
	if (shared_protocol == BUS_PROTO_DBUS)
		OK(dup3(bus.fd, FIRST_HELD, O_CLOEXEC));
	close(bus.fd);
}

/* What pairs inherit: sockets that all processes have from then on, and a way to nfdbus. */
static void populate(unsigned int number)
{
	char path[32];

	snprintf(path, sizeof(path), "@shared%u", number);
	shared_protocol = BUS_PROTO_NONE;
	share_bus(path, number / 2 % 3, SLOTS, SLOTS + 1 + MEMBERS);
	shared_protocol = BUS_PROTO_DBUS;
	share_bus(shared_dbus(number), number / 2 % 3, SLOTS + NONE_SLOTS,
		  SLOTS + NONE_SLOTS + DBUS_SLOTS);
	put_away(netlink(NETLINK_GENERIC), GENERIC_SLOT);
}

/* One process, and then another with the table of descriptors of the first. */
static void start_pair(unsigned int worker, unsigned int number)
{
	struct progress *at = &shared->progress[worker];
	pid_t first;

	for (int i = 0; i < 2; i++)
		at[i] = (struct progress){ .number = number + i };
	first = OK(fork());
	if (first) {
		/* Set here and not by the first process, which would note 0 when it gets to run. */
		at[0].pid = first;
		return;
	}
	/*
	 * The kernel writes the pid, so that the second process is known even if the first dies
	 * here.
	 */
	if (!OK(syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, NULL,
			&at[1].pid, NULL, 0)))
		live(&at[1]);
	live(&at[0]);
}

static int is_running(struct progress *at)
{
	return at->pid && !kill(at->pid, 0);
}

static void bury_the_dead(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < WORKERS; i++)
			if (shared->progress[i].pid == pid)
				shared->progress[i].pid = 0;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && !shared->fault[0])
			snprintf(shared->fault, sizeof(shared->fault), "a process dies of SIG%s",
				 sigabbrev_np(WTERMSIG(status)));
		else if (WIFEXITED(status) && WEXITSTATUS(status) && !shared->fault[0])
			snprintf(shared->fault, sizeof(shared->fault),
				 "a process cannot go on; it says why above");
	}
}

/* A process that makes no call for that long hangs in the kernel. */
static void look_for_stuck(void)
{
	static unsigned int calls[WORKERS], numbers[WORKERS];
	static long long since[WORKERS];

	for (int i = 0; i < WORKERS; i++) {
		struct progress *at = &shared->progress[i];

		if (!is_running(at) || at->calls != calls[i] || at->number != numbers[i]) {
			calls[i] = at->calls;
			numbers[i] = at->number;
			since[i] = now_ms();
		} else if (now_ms() - since[i] > STUCK_SECONDS * 1000LL * patience()) {
			snprintf(shared->fault, sizeof(shared->fault),
				 "process %u hangs in %s, its call %u", at->number,
				 kinds[at->kind].name, at->calls);
		}
	}
}

static void kill_all(void)
{
	for (int i = 0; i < WORKERS; i++)
		if (shared->progress[i].pid)
			kill(shared->progress[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	for (int fd = SLOTS; fd < NO_SLOT; fd++)
		close(fd);
}

static unsigned int fuzz(long long seconds)
{
	long long end = now_ms() + seconds * 1000;
	unsigned int number = 0;

	while (now_ms() < end && !shared->fault[0]) {
		for (int i = 0; i < WORKERS; i += 2) {
			if (shared->progress[i].pid || shared->progress[i + 1].pid)
				continue;
			populate(number);
			start_pair(i, number);
			number += 2;
		}
		usleep(2000);
		bury_the_dead();
		look_for_stuck();
	}
	kill_all();
	return number;
}

static void report(unsigned int processes)
{
	unsigned long calls = 0;

	for (int i = 0; i < KINDS; i++) {
		calls += shared->made[i];
		if (shared->made[i])
			printf("# %-24s %8lu calls, %3lu %% succeed\n", kinds[i].name, shared->made[i],
			       100 * shared->succeeded[i] / shared->made[i]);
	}
	printf("# %u processes, %lu calls, %lu messages received and looked at, %lu of D-Bus, %lu rules and names dumped\n",
	       processes, calls, shared->received, shared->said, shared->dumped);
}

static void show(unsigned int number)
{
	struct progress at = { .number = number };
	struct fuzzer f = { .rng = rng_for(seed, number), .at = &at, .show = 1 };

	for (int i = 0; i < CALLS; i++)
		make_one_call(&f);
}

static void limit_files(void)
{
	struct rlimit files = { NO_SLOT, NO_SLOT };

	OK(setrlimit(RLIMIT_NOFILE, &files));
}

static void prepare_files(void)
{
	unsigned char bytes[16384];
	int fd;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	OK(chmod(".", 01777));
	fd = OK(open("pattern", O_CREAT | O_WRONLY | O_CLOEXEC, 0444));
	EQ(sizeof(bytes), write(fd, bytes, sizeof(bytes)));
	close(fd);
	OK(mkdir("d", 0777));
	OK(symlink("a", "link"));
	OK(symlink("loop", "loop"));
}

/* Connectors exist in the first network namespace only, and not in every kernel. */
static void open_ways_to_nfdbus(void)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int first = OK(open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC)), fd;

	OK(setns(first, CLONE_NEWNET));
	close(first);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	if (fd >= 0)
		OK(bind(fd, (struct sockaddr *)&self, sizeof(self)));
	put_away(fd, CONNECTOR_SLOT);
	use_netlink();
	shared->nfdbus = nl_type;
}

int main(int argc, char **argv)
{
	long files, users;
	unsigned int processes;

	if (argc != 3 && (argc != 5 || strcmp(argv[3], "show")))
		leave(FAILED, "usage: fuzz SECONDS SEED [show NUMBER]");
	seed = strtoull(argv[2], NULL, 0);
	arena_map();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	prepare_messages();
	if (argc == 5) {
		show(atoi(argv[4]));
		return 0;
	}

	setvbuf(stdout, NULL, _IONBF, 0);
	printf("KTAP version 1\n1..1\n# seed %llu\n", (unsigned long long)seed);
	family();
	seclude();
	limit_files();
	open_ways_to_nfdbus();
	files = open_files();
	users = module_users();
	prepare_files();
	survive_signals();
	processes = fuzz(atoi(argv[1]));
	report(processes);
	if (shared->fault[0])
		FAIL("%s", shared->fault);
	CHECK(shared->received > 0);
	CHECK(shared->said > 0);
	count_leaks(files, users);
	printf("ok 1 fuzz\n");
	return 0;
}
