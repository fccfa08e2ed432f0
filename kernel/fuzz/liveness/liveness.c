// SPDX-License-Identifier: GPL-2.0-only
/*
 * liveness SECONDS SEED [SCENE] - plays scenes, one after the other. Each has players, whose calls
 * wait, and a judge, which checks that they have a reason to wait. With SCENE, only that one is
 * played, again and again.
 *
 * If the modules are built with delays (kernel/delays), some players stand still between accesses
 * to shared memory, and in a storm of changes the senders do so all the time.
 */
#include "liveness.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { WORKERS = 2, GRACE_MS = 60000, MAX_ROUNDS = 12, MAX_TRAFFIC_US = 30000, ALL_THE_TIME = 1 << 30 };

struct shared *shared;

static struct plan {
	long long end;
	uint64_t seed;
	long only;			/* the only scene, or -1 */
} plan;

static struct rng players_rng;

/* A slow scene ends early: a storm on a busy machine takes minutes. */
int is_over(void)
{
	return now_ms() >= plan.end;
}

static int changes_rules(unsigned int i)
{
	return shared->storm && i < 3;
}

static void start_player(unsigned int i)
{
	struct player *p = &shared->players[i];
	pid_t pid;

	*p = (struct player){ .seed = rng_next(&players_rng), .fd = -1 };
	pid = OK(fork());
	if (!pid)
		be_player(p);
	p->pid = pid;
	if (shared->storm)
		delay_thread(p->pid, p->seed, changes_rules(i) ? 0 : ALL_THE_TIME);
}

static void delay_some(struct rng *rng)
{
	for (unsigned int i = 0; i < scene.n_players && !shared->storm; i++)
		if (one_in(rng, 2))
			delay_thread(shared->players[i].pid, rng_next(rng), 1 + roll(rng, 6));
}

static void replace_one(struct rng *rng)
{
	unsigned int i = roll(rng, scene.n_players);

	kill_player(&shared->players[i]);
	start_player(i);
}

static void play_scene(unsigned int number)
{
	struct rng rng = rng_for(plan.seed, number);

	memset(shared, 0, sizeof(*shared));
	make_scene(&rng, number);
	players_rng = rng_for(plan.seed ^ ~number, 1);
	for (unsigned int i = 0; i < scene.n_players; i++)
		start_player(i);
	for (unsigned int n = 3 + roll(&rng, MAX_ROUNDS); n && !is_over(); n--) {
		delay_some(&rng);
		usleep(roll(&rng, MAX_TRAFFIC_US));
		if (one_in(&rng, 4))
			replace_one(&rng);
		judge(&rng);
	}
	for (unsigned int i = 0; i < scene.n_players; i++)
		kill_player(&shared->players[i]);
	end_scene();
}

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void print_calls(const unsigned long *sum)
{
	for (int op = 0; op < N_OPS; op++)
		printf("#   %9lu times a player %s\n", sum[op], op_names[op]);
}

__attribute__((noreturn)) static void work(unsigned int worker)
{
	unsigned long sum[N_OPS] = { 0 };
	unsigned int scenes = 0, number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seclude();
	shared = share(sizeof(*shared));
	for (number = worker; !is_over(); number += WORKERS, scenes++) {
		play_scene(plan.only < 0 ? number : plan.only);
		for (int op = 0; op < N_OPS; op++)
			sum[op] += shared->calls[op];
	}
	printf("# worker %u: %u scenes\n", worker, scenes);
	print_calls(sum);
	_exit(PASSED);
}

static pid_t workers[WORKERS];

__attribute__((noreturn)) static void fail(void)
{
	for (unsigned int i = 0; i < WORKERS; i++)
		kill(workers[i], SIGKILL);
	leave(FAILED, "not ok 1 liveness");
}

/*
 * A judge never waits for something that a bus owes it: if it does not end, a call of its own is
 * stuck.
 */
static int await_worker(void)
{
	long long late = plan.end + GRACE_MS * patience();
	int status;

	while (!OK(waitpid(-1, &status, WNOHANG))) {
		if (now_ms() > late) {
			printf("# a judge is stuck\n");
			show_all_stacks();
			fail();
		}
		usleep(10000);
	}
	return status;
}

/* The first that fails ends all. */
static void run(void)
{
	long files = open_files(), users = module_users();
	int status;

	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i] = OK(fork());
		if (!workers[i])
			work(i);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		status = await_worker();
		if (!WIFEXITED(status) || WEXITSTATUS(status) != PASSED)
			fail();
	}
	count_leaks(files, users);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 16384, 16384 };

	if (argc < 3)
		leave(FAILED, "usage: liveness SECONDS SEED [SCENE]");
	setvbuf(stdout, NULL, _IONBF, 0);
	plan.end = now_ms() + strtol(argv[1], NULL, 0) * 1000;
	plan.seed = strtoull(argv[2], NULL, 0);
	plan.only = argc > 3 ? strtol(argv[3], NULL, 0) : -1;
	printf("KTAP version 1\n1..1\n# seed %llu\n", (unsigned long long)plan.seed);
	OK(setrlimit(RLIMIT_NOFILE, &files));
	family();
	stop_delays();
	run();
	printf("ok 1 liveness\n");
	return 0;
}
