// SPDX-License-Identifier: MIT
/* The functions of libc under this library's. They are looked up once, before main(): not between vfork() and exec(). */
#include "preload.h"

#include <dlfcn.h>

static struct next next;
static bool found;

/* Constructors of other libraries may be earlier; the values are the same each time. */
static void __attribute__((constructor)) find_all(void)
{
#define FIND(name) next.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);
	FOR_ALL_HOOKS(FIND)
	__atomic_store_n(&found, true, __ATOMIC_RELEASE);
}

const struct next *find_next(void)
{
	if (!__atomic_load_n(&found, __ATOMIC_ACQUIRE))
		find_all();
	return &next;
}
