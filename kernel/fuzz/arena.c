// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that calls are given, most of it good. It has the same address in every process, so
 * that pointers are the same in every replay.
 *
 *   | good: read and write ... | nothing | read only | nothing |
 *
 * What is placed at an edge begins in good memory and ends where there is none.
 */
#include "fuzz.h"
#include <sys/mman.h>

enum { GOOD = 1 << 20, PAGE = 4096 };

static char *const arena = (char *)0x20000000;
static size_t used;

void arena_map(void)
{
	char *all = mmap(arena, GOOD + 3 * PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(all == arena);
	OK(mprotect(arena, GOOD, PROT_READ | PROT_WRITE));
	OK(mprotect(arena + GOOD + PAGE, PAGE, PROT_READ));
}

/* Frees the memory of the last call. Pages that were not touched fault anew. */
void arena_reset(void)
{
	if (used > 64 * 1024)
		madvise(arena, GOOD, MADV_DONTNEED);
	used = 0;
}

static char *good(size_t len)
{
	char *p = arena + used;

	used += (len + 15) & ~15UL;
	return used <= GOOD - PAGE ? p : NULL;
}

/* An address without memory, or with less of it than the call needs. */
static char *bad(struct rng *d, size_t len)
{
	switch (roll(d, 5)) {
	case 0:
		return NULL;
	case 1:
		return arena + GOOD;
	case 2:
		return (char *)0xffff888000000000;
	case 3:
		return (char *)0x00007ffffffff000 - roll(d, 64);
	default:
		return arena + GOOD - (len ? roll(d, len < PAGE ? len : PAGE) : 0);
	}
}

int is_whole(const void *p, size_t len)
{
	return (const char *)p >= arena && (const char *)p + len <= arena + GOOD;
}

/* Memory that a call reads; as much of it as exists is filled from @data. */
void *arena_in(struct rng *d, const void *data, size_t len)
{
	char *p = one_in(d, 40) ? bad(d, len) : good(len);
	size_t there = len;

	if (p < arena || p >= arena + GOOD)
		return p;
	if (p + there > arena + GOOD)
		there = arena + GOOD - p;
	if (data)
		memcpy(p, data, there);
	return p;
}

/* Memory that a call writes. */
void *arena_out(struct rng *d, size_t len)
{
	if (one_in(d, 60))
		return arena + GOOD + PAGE;
	return one_in(d, 40) ? bad(d, len) : good(len);
}
