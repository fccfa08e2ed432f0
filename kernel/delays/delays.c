// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delays between accesses to shared memory, to widen the windows in which
 * threads race with each other. A debug build of the modules calls this one
 * before each access that the compiler cannot prove to be private, and at the
 * begin and end of each function: see Kbuild.include.
 *
 * Most races need one thread to stand still for as long as another needs for
 * a whole system call. So delays are few and long.
 *
 * On its own, the module delays all threads, but at few sites at a time (a site
 * is the return address of such a call): the seed says which, and they are
 * others every half second. A test may choose a thread, with a seed and a number
 * of delays of its own. That one is delayed at no site in particular, but after
 * a number of accesses that is drawn anew each time, a small one as often as
 * a large one: early in a short call, or late in a long one.
 *
 * A thread that may sleep does so, or gives the processor away. One that may
 * not spins for a short time, and all of them for no more than a quarter of
 * a processor's time.
 */

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kasan-checks.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/uaccess.h>

#define MAX_SPIN_US	200

/* Sleeps are of 100 us, doubled up to this many times. */
#define SLEEP_US	100
#define SLEEP_DOUBLED	6

/* The next delay is up to this many bits of accesses away. */
#define SKIP_DOUBLED	11

/* Threads that may be chosen at a time. */
#define MAX_THREADS	256

static unsigned int seed;
module_param(seed, uint, 0644);
MODULE_PARM_DESC(seed, "decides which sites are hot, and when (0: a random one)");

static unsigned int spread = 128;
module_param(spread, uint, 0644);
MODULE_PARM_DESC(spread, "one of that many sites is hot; 0: no delays but those of chosen threads");

/**
 * struct delays_thread - a thread that was chosen
 * @pid: its number
 * @random: state of its generator
 * @skip: accesses until the next delay
 * @budget: delays that it still gets
 *
 * Written by the thread itself, but when it is chosen.
 */
struct delays_thread {
	pid_t	pid;
	u32	random;
	u32	skip;
	u32	budget;
};

static struct delays_thread delays_threads[MAX_THREADS];

/**
 * struct delays_cpu - what is noted for each processor
 * @random: state of the generator; a thread that moves on may spoil it, which
 *	is random as well
 * @rest_until: no spin that holds others up before that
 * @spins: how many there were
 * @sleeps: and how many sleeps
 */
struct delays_cpu {
	u64		random;
	u64		rest_until;
	unsigned long	spins;
	unsigned long	sleeps;
};

static DEFINE_PER_CPU(struct delays_cpu, delays_cpus);
static unsigned long delays_began __ro_after_init;

static struct delays_thread *delays_thread(pid_t pid)
{
	return &delays_threads[(u32)pid % MAX_THREADS];
}

static __always_inline u32 delays_skip(struct delays_thread *t)
{
	u32 random = t->random * 1664525 + 1013904223;

	t->random = random;
	/* Below a limit that is drawn first. */
	return (random >> 8) % (1U << (random >> 4) % SKIP_DOUBLED) + 1;
}

static int delays_choose(const char *val, const struct kernel_param *param)
{
	struct delays_thread t = {}, *to;

	if (sscanf(val, "%d %u %u", &t.pid, &t.random, &t.budget) != 3 ||
	    t.pid <= 0)
		return -EINVAL;

	to = delays_thread(t.pid);
	WRITE_ONCE(to->budget, 0);
	t.random = hash_32(t.random, 32);
	t.skip = delays_skip(&t);
	WRITE_ONCE(to->pid, t.pid);
	WRITE_ONCE(to->random, t.random);
	WRITE_ONCE(to->skip, t.skip);
	/* Pairs with the acquire in delays_is_due(). */
	smp_store_release(&to->budget, t.budget);
	return 0;
}

static const struct kernel_param_ops delays_choose_ops = {
	.set	= delays_choose,
};
module_param_cb(thread, &delays_choose_ops, NULL, 0200);
__MODULE_PARM_TYPE(thread, "string");
MODULE_PARM_DESC(thread, "choose a thread: PID SEED DELAYS");

static __always_inline u32 delays_random(u32 sides)
{
	struct delays_cpu *cpu = raw_cpu_ptr(&delays_cpus);

	cpu->random = cpu->random * 6364136223846793005ULL +
		      1442695040888963407ULL;
	return (u32)(cpu->random >> 33) % sides;
}

/* A hot site delays each time, or one in 8 times: so a loop gets beyond it. */
static __always_inline bool delays_is_hot(unsigned long site)
{
	u32 all = READ_ONCE(spread), hash;
	u64 key;

	if (!all)
		return false;
	key = (u64)READ_ONCE(seed) << 32 | (u32)(site - (unsigned long)THIS_MODULE);
	key = (key ^ key >> 29) * 0xbf58476d1ce4e5b9ULL;
	key += (jiffies - delays_began) / (HZ / 2);
	hash = (key ^ key >> 32) * 0x94d049bb133111ebULL >> 32;
	return !(hash % all) && (hash / all % 2 || !delays_random(8));
}

static __always_inline bool delays_is_due(unsigned long site)
{
	struct delays_thread *t = delays_thread(current->pid);
	u32 budget;

	/* Pairs with the release in delays_choose(). */
	budget = smp_load_acquire(&t->budget);
	if (READ_ONCE(t->pid) != current->pid)
		return delays_is_hot(site);
	if (!budget || --t->skip)
		return false;
	t->skip = delays_skip(t);
	WRITE_ONCE(t->budget, budget - 1);
	return true;
}

static bool delays_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth() &&
	       READ_ONCE(current->__state) == TASK_RUNNING;
}

static void delays_spin(void)
{
	struct delays_cpu *cpu = raw_cpu_ptr(&delays_cpus);
	u64 now = local_clock(), us;

	if (now < cpu->rest_until)
		return;
	us = 1 + delays_random(MAX_SPIN_US);
	cpu->spins++;
	cpu->rest_until = now + 4 * NSEC_PER_USEC * us;
	udelay(us);
}

static void delays_sleep(void)
{
	unsigned long us = SLEEP_US << delays_random(SLEEP_DOUBLED);

	raw_cpu_inc(delays_cpus.sleeps);
	if (delays_random(8))
		usleep_range(us, 2 * us);
	else
		schedule();
}

static noinline void delays_delay(void)
{
	if (delays_may_sleep())
		delays_sleep();
	else
		delays_spin();
}

static __always_inline void delays_at(unsigned long site)
{
	unsigned long access;

	if (!delays_is_due(site))
		return;
	/* Some of the calls come from where user memory is being accessed. */
	access = user_access_save();
	delays_delay();
	user_access_restore(access);
}

/* The compiler prescribes the names, and no header declares them. */
#define DELAYS_ACCESS(name, size, check)				\
void name(void *p)							\
{									\
	check(p, size);							\
	delays_at(_RET_IP_);						\
}									\
EXPORT_SYMBOL_GPL(name)

DELAYS_ACCESS(__tsan_read1, 1, kasan_check_read);
DELAYS_ACCESS(__tsan_write1, 1, kasan_check_write);
DELAYS_ACCESS(__tsan_read2, 2, kasan_check_read);
DELAYS_ACCESS(__tsan_write2, 2, kasan_check_write);
DELAYS_ACCESS(__tsan_read4, 4, kasan_check_read);
DELAYS_ACCESS(__tsan_write4, 4, kasan_check_write);
DELAYS_ACCESS(__tsan_read8, 8, kasan_check_read);
DELAYS_ACCESS(__tsan_write8, 8, kasan_check_write);
DELAYS_ACCESS(__tsan_read16, 16, kasan_check_read);
DELAYS_ACCESS(__tsan_write16, 16, kasan_check_write);

DELAYS_ACCESS(__tsan_unaligned_read2, 2, kasan_check_read);
DELAYS_ACCESS(__tsan_unaligned_write2, 2, kasan_check_write);
DELAYS_ACCESS(__tsan_unaligned_read4, 4, kasan_check_read);
DELAYS_ACCESS(__tsan_unaligned_write4, 4, kasan_check_write);
DELAYS_ACCESS(__tsan_unaligned_read8, 8, kasan_check_read);
DELAYS_ACCESS(__tsan_unaligned_write8, 8, kasan_check_write);
DELAYS_ACCESS(__tsan_unaligned_read16, 16, kasan_check_read);
DELAYS_ACCESS(__tsan_unaligned_write16, 16, kasan_check_write);

DELAYS_ACCESS(__tsan_volatile_read1, 1, kasan_check_read);
DELAYS_ACCESS(__tsan_volatile_write1, 1, kasan_check_write);
DELAYS_ACCESS(__tsan_volatile_read2, 2, kasan_check_read);
DELAYS_ACCESS(__tsan_volatile_write2, 2, kasan_check_write);
DELAYS_ACCESS(__tsan_volatile_read4, 4, kasan_check_read);
DELAYS_ACCESS(__tsan_volatile_write4, 4, kasan_check_write);
DELAYS_ACCESS(__tsan_volatile_read8, 8, kasan_check_read);
DELAYS_ACCESS(__tsan_volatile_write8, 8, kasan_check_write);
DELAYS_ACCESS(__tsan_volatile_read16, 16, kasan_check_read);
DELAYS_ACCESS(__tsan_volatile_write16, 16, kasan_check_write);

#define DELAYS_RANGE(name, check)					\
void name(void *p, size_t size)						\
{									\
	check(p, size);							\
	delays_at(_RET_IP_);						\
}									\
EXPORT_SYMBOL_GPL(name)

DELAYS_RANGE(__tsan_read_range, kasan_check_read);
DELAYS_RANGE(__tsan_write_range, kasan_check_write);

void __tsan_func_entry(void *caller)
{
	delays_at(_RET_IP_);
}
EXPORT_SYMBOL_GPL(__tsan_func_entry);

void __tsan_func_exit(void)
{
	delays_at(_RET_IP_);
}
EXPORT_SYMBOL_GPL(__tsan_func_exit);

/* Each object file has a constructor that calls it. Few kernels run those. */
void __tsan_init(void)
{
}
EXPORT_SYMBOL_GPL(__tsan_init);

static int __init delays_init(void)
{
	int cpu;

	delays_began = jiffies;
	if (!seed)
		seed = get_random_u32();
	for_each_possible_cpu(cpu)
		per_cpu(delays_cpus, cpu).random = hash_64(seed + cpu, 64);
	pr_info("afbus_delays: seed=%u spread=%u\n", seed, spread);
	return 0;
}

static void __exit delays_exit(void)
{
	unsigned long spins = 0, sleeps = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		spins += per_cpu(delays_cpus, cpu).spins;
		sleeps += per_cpu(delays_cpus, cpu).sleeps;
	}
	pr_info("afbus_delays: %lu spins, %lu sleeps\n", spins, sleeps);
}

module_init(delays_init);
module_exit(delays_exit);

MODULE_DESCRIPTION("Delays between accesses to shared memory, for tests of AF_BUS");
MODULE_LICENSE("GPL");
