// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix SEED CELLS [CELL] - threads use one descriptor at the same time: every call beside every
 * other, in every state of the socket, and beside every way from one state to another.
 *
 * A pair is two threads with one call each. A walk is one thread that goes from one state to
 * others, and SIDE threads with one call each. The first thread plays its script once; the others
 * make their calls again and again until it has ended. Signals end calls that sleep.
 *
 * Each call must end in time, with an errno that the contract has for it; the bus must go on; and
 * the sockets and all that they hold must be gone afterwards. The kernel itself reports what goes
 * wrong inside it: a thread's name is the number of its cell.
 *
 * Cells are numbered and played in an order that SEED decides. With CELL, only that one is played,
 * CELLS times.
 */
#include "matrix.h"
#include <sys/prctl.h>

enum { SIDE = 8, PLAYERS = 1 + SIDE, WORKERS = 2 };
enum { WALK_ROUNDS = 10, PAIR_ROUNDS = 3, MAX_REPEATS = 30, MAX_STAGGER = 3000, MAX_PAUSE_US = 4000 };
enum { SETTLE_EVERY = 10, LIMIT_SECONDS = 20 };

int protocol;

struct cell {
	unsigned int number;
	uint64_t seed;
	int protocol;
	const struct state *state;
	const struct call *script[MAX_STEPS + 1];	/* ends with NULL */
	const struct call *beside[SIDE];
	unsigned int n_beside;
	int flags;			/* of all these calls */
};

/* A thread, and what it is doing. */
struct player {
	pid_t tid;
	unsigned int stagger;
	unsigned int pauses[MAX_STEPS];	/* before each step of the script, in microseconds */
	const struct call *at;
	int done;
};

static struct cell cell;
static struct player players[PLAYERS];
static pthread_barrier_t begin;
static unsigned int ready;
static long long began;

static const struct call *call_named(const char *name)
{
	for (unsigned int i = 0; i < n_calls; i++)
		if (!strcmp(calls[i].name, name))
			return &calls[i];
	FAIL("no call is named \"%s\"", name);
}

static const struct state *state_named(const char *name)
{
	for (unsigned int i = 0; i < n_states; i++)
		if (!strcmp(states[i].name, name))
			return &states[i];
	FAIL("no state is named \"%s\"", name);
}

/*
 * The numbers: first the walks, for each protocol and with some of the calls beside it; then the
 * pairs, by protocol, state and both calls.
 */

static unsigned int n_walk_cells(void)
{
	return 2 * n_walks * ((n_calls + SIDE - 1) / SIDE);
}

static unsigned int n_cells(void)
{
	return n_walk_cells() + 2 * n_states * n_calls * n_calls;
}

static int nth_protocol(unsigned int n)
{
	return n % 2 ? BUS_PROTO_DBUS : BUS_PROTO_NONE;
}

static void add_beside(struct cell *c, const struct call *call)
{
	c->beside[c->n_beside++] = call;
	c->flags |= call->flags;
}

/*
 * The @part-th handful of calls, in an order that the seed decides; one that closes the descriptor
 * is alone.
 */
static void draw_beside(struct cell *c, unsigned int part, struct rng *rng)
{
	const struct call *order[n_calls];

	for (unsigned int i = 0; i < n_calls; i++) {
		unsigned int j = roll(rng, i + 1);

		order[i] = order[j];
		order[j] = &calls[i];
	}
	for (unsigned int i = part * SIDE; i < n_calls && c->n_beside < SIDE; i++) {
		if (!(order[i]->flags & CLOSES) || !c->n_beside)
			add_beside(c, order[i]);
		if (order[i]->flags & CLOSES && c->n_beside == 1)
			return;
	}
}

static struct cell walk_cell(unsigned int number, struct rng *rng)
{
	const struct walk *walk = &walks[number / 2 % n_walks];
	struct cell c = { .protocol = nth_protocol(number), .state = state_named(walk->from) };

	for (int i = 0; walk->steps[i]; i++) {
		c.script[i] = call_named(walk->steps[i]);
		c.flags |= c.script[i]->flags;
	}
	draw_beside(&c, number / 2 / n_walks, rng);
	return c;
}

static struct cell pair_cell(unsigned int number)
{
	struct cell c = { .protocol = nth_protocol(number), .state = &states[number / 2 % n_states] };

	number /= 2 * n_states;
	c.script[0] = &calls[number % n_calls];
	c.flags = c.script[0]->flags;
	add_beside(&c, &calls[number / n_calls]);
	return c;
}

static struct cell cell_of(unsigned int number, uint64_t seed)
{
	struct rng rng = rng_for(seed, 0);
	struct cell c = number < n_walk_cells() ? walk_cell(number, &rng) :
						  pair_cell(number - n_walk_cells());

	c.number = number;
	c.seed = seed;
	return c;
}

/* Neither of the two calls would be on the descriptor. */
static int is_vain(const struct cell *c)
{
	return !c->script[1] && c->script[0]->flags & c->beside[0]->flags & OTHERS;
}

static void print_calls(const struct call *const *list, unsigned int max)
{
	for (unsigned int i = 0; i < max && list[i]; i++)
		printf("%s\"%s\"", i ? ", " : "", list[i]->name);
}

static void print_cell(const struct cell *c)
{
	printf("cell %u: %s socket, %s: ", c->number,
	       c->protocol == BUS_PROTO_DBUS ? "D-Bus" : "plain", c->state->name);
	print_calls(c->script, MAX_STEPS);
	printf(" beside ");
	print_calls(c->beside, c->n_beside);
	printf("\n");
}

#define FAIL_CELL(format, ...) do {					\
	printf("# ");							\
	print_cell(&cell);						\
	printf("# again: CELL=%u SEED=%llu\n", cell.number, (unsigned long long)cell.seed); \
	FAIL(format, ##__VA_ARGS__);					\
} while (0)

/* The result of a call on another file, or on none. */
static int is_of_another_file(int err)
{
	return err == EBADF || err == ENOTSOCK || err == ENOTTY || err == EINVAL || err == EOPNOTSUPP ||
	       err == EPERM;
}

static int is_allowed(const struct call *call, int err)
{
	if ((call->flags & OTHERS || cell.flags & CLOSES) && is_of_another_file(err))
		return 1;
	for (const int *e = call->errs; *e; e++)
		if (*e == err)
			return 1;
	return 0;
}

static void play_call(struct player *p, const struct call *call)
{
	long result;
	int err;

	__atomic_store_n(&p->at, call, __ATOMIC_SEQ_CST);
	result = call->make();
	err = errno;
	__atomic_store_n(&p->at, NULL, __ATOMIC_SEQ_CST);
	if (result < 0 && !is_allowed(call, err))
		FAIL_CELL("\"%s\" fails with %s, which the contract does not have", call->name,
			  errname(err));
}

static void play_script(struct player *p)
{
	for (int i = 0; cell.script[i]; i++) {
		if (p->pauses[i])
			usleep(p->pauses[i]);
		play_call(p, cell.script[i]);
	}
}

static void play_beside(struct player *p, const struct call *call)
{
	unsigned int n = 0;

	do {
		play_call(p, call);
	} while (!(call->flags & ONCE) && ++n < MAX_REPEATS &&
		 !__atomic_load_n(&players[0].done, __ATOMIC_ACQUIRE));
}

/* At the same moment, but for a time that was drawn. */
static void meet(const struct player *p)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	for (unsigned int spins = 0; __atomic_load_n(&ready, __ATOMIC_SEQ_CST) <= cell.n_beside; spins++)
		if (spins > 100)
			sched_yield();
	for (volatile unsigned int i = 0; i < p->stagger; i++)
		;
}

static void *live(void *data)
{
	struct player *p = data;
	unsigned int i = p - players;
	char name[16];

	p->tid = gettid();
	for (;;) {
		pthread_barrier_wait(&begin);
		if (i <= cell.n_beside) {
			snprintf(name, sizeof(name), "cell %u", cell.number);
			prctl(PR_SET_NAME, name);
			meet(p);
			if (i)
				play_beside(p, cell.beside[i - 1]);
			else
				play_script(p);
		}
		__atomic_store_n(&p->done, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void show_stack(const struct player *p)
{
	const struct call *at = __atomic_load_n(&p->at, __ATOMIC_SEQ_CST);
	char path[64], line[256];
	FILE *f;

	if (!at)
		return;
	printf("# in \"%s\":\n", at->name);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stack", p->tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		printf("#   %s", line);
}

static void check_limit(void)
{
	if (now_ms() - began < LIMIT_SECONDS * 1000LL * patience())
		return;
	for (int i = 0; i < PLAYERS; i++)
		show_stack(&players[i]);
	FAIL_CELL("not done after %u seconds", LIMIT_SECONDS * patience());
}

/* A sleeping call gets signals until it has ended: the first may come before it goes to sleep. */
static void interrupt(const struct player *p)
{
	const struct call *at = __atomic_load_n(&p->at, __ATOMIC_SEQ_CST);

	if (at && at->flags & WAITS)
		tgkill(getpid(), p->tid, SIGUSR1);
}

static void await_players(void)
{
	for (int i = 0; i < PLAYERS; i++) {
		while (!__atomic_load_n(&players[i].done, __ATOMIC_ACQUIRE)) {
			usleep(300);
			if (now_ms() - began < 2)
				continue;
			for (int j = 0; j < PLAYERS; j++)
				interrupt(&players[j]);
			check_limit();
		}
	}
}

static void draw(struct player *p, struct rng *rng)
{
	p->stagger = one_in(rng, 2) ? roll(rng, MAX_STAGGER) : 0;
	for (int i = 1; i < MAX_STEPS; i++)
		p->pauses[i] = one_in(rng, 4) ? roll(rng, MAX_PAUSE_US) : 0;
	p->done = 0;
	/* Some threads stand still while the others go on. */
	delay_thread(p->tid, rng_next(rng), one_in(rng, 2) ? 1 + roll(rng, 4) : 0);
}

static void play_round(struct rng *rng)
{
	begin_round(cell.state);
	for (unsigned int i = 0; i < PLAYERS; i++) {
		players[i].done = 0;
		if (i <= cell.n_beside)
			draw(&players[i], rng);
	}
	ready = 0;
	began = now_ms();
	pthread_barrier_wait(&begin);
	await_players();
	end_round(cell.flags);
}

static void play_cell(const struct cell *c)
{
	struct rng rng = rng_for(c->seed, 1);

	cell = *c;
	protocol = c->protocol;
	close_all();
	for (unsigned int i = 0; i < (cell.script[1] ? WALK_ROUNDS : PAIR_ROUNDS); i++)
		play_round(&rng);
}

static void prepare(void)
{
	pthread_t thread;

	handle(SIGUSR1, 0);
	signal(SIGURG, SIG_IGN);
	EQ(0, pthread_barrier_init(&begin, NULL, PLAYERS + 1));
	for (int i = 0; i < PLAYERS; i++)
		EQ(0, pthread_create(&thread, NULL, live, &players[i]));
	for (int i = 0; i < PLAYERS; i++)
		EVENTUALLY(__atomic_load_n(&players[i].tid, __ATOMIC_SEQ_CST));
}

static unsigned int gcd(unsigned int a, unsigned int b)
{
	return b ? gcd(b, a % b) : a;
}

/*
 * Every other cell of a worker is a walk: there are few walks, so they come again and again, and
 * they take longer.
 */
static unsigned int pick(unsigned int n, uint64_t seed)
{
	int is_walk = n / WORKERS % 2;
	unsigned int walk = n_walk_cells(), all = is_walk ? walk : n_cells() - walk, stride;
	uint64_t nth = n / (2 * WORKERS) * WORKERS + n % WORKERS;
	struct rng rng = rng_for(seed, 2);

	do {
		stride = 1 + roll(&rng, all - 1);
	} while (gcd(stride, all) != 1);
	return (is_walk ? 0 : walk) + (nth * stride + roll(&rng, all)) % all;
}

static void list(uint64_t seed)
{
	for (unsigned int i = 0; i < n_cells(); i++) {
		struct cell c = cell_of(i, seed);

		if (!is_vain(&c))
			print_cell(&c);
	}
}

/* Sockets in flight are collected a little later. */
static void await_no_sockets(void)
{
	close_all();
	EVENTUALLY(bus_sockets() == 0);
}

struct plan {
	uint64_t seed;
	unsigned int cells;		/* of all workers */
	long only;			/* the only cell, or -1 */
};

__attribute__((noreturn)) static void work(const struct plan *plan, unsigned int worker)
{
	unsigned int played = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seclude();
	prepare();
	for (unsigned int n = worker; n < plan->cells; n += WORKERS) {
		struct cell c = cell_of(plan->only >= 0 ? plan->only : pick(n, plan->seed), plan->seed + n);

		if (is_vain(&c))
			continue;
		play_cell(&c);
		if (++played % SETTLE_EVERY)
			continue;
		await_no_sockets();
		printf("# worker %u: %u cells\n", worker, played);
	}
	await_no_sockets();
	printf("# worker %u: %u cells\n", worker, played);
	_exit(PASSED);
}

/* The first that fails ends all. */
static void run(const struct plan *plan)
{
	long files = open_files(), users = module_users();
	pid_t workers[WORKERS];
	int status;

	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i] = OK(fork());
		if (!workers[i])
			work(plan, i);
	}
	for (unsigned int n = 0; n < WORKERS; n++) {
		OK(wait(&status));
		if (WIFEXITED(status) && WEXITSTATUS(status) == PASSED)
			continue;
		for (unsigned int i = 0; i < WORKERS; i++)
			kill(workers[i], SIGKILL);
		leave(FAILED, "not ok 1 matrix");
	}
	count_leaks(files, users);
}

int main(int argc, char **argv)
{
	struct plan plan = { .only = argc > 3 ? strtol(argv[3], NULL, 0) : -1 };

	if (argc < 3)
		leave(FAILED, "usage: matrix SEED CELLS|list [CELL]; there are %u cells", n_cells());
	setvbuf(stdout, NULL, _IONBF, 0);
	plan.seed = strtoull(argv[1], NULL, 0);
	if (!strcmp(argv[2], "list")) {
		list(plan.seed);
		return 0;
	}
	plan.cells = strtoul(argv[2], NULL, 0) ?: n_cells();
	printf("KTAP version 1\n1..1\n# seed %llu, %u cells of %u\n",
	       (unsigned long long)plan.seed, plan.cells, n_cells());
	family();
	stop_delays();
	run(&plan);
	printf("ok 1 matrix\n");
	return 0;
}
