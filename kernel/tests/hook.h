/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook/bus_hook.c, a module that is loaded for the time of a test, and its parameters: what it has
 * counted, and what it is told to do.
 */
#ifndef HOOK_H
#define HOOK_H

#include "bus.h"
#include <libgen.h>
#include <limits.h>
#include <sys/utsname.h>

static inline int hook_file(const char *parameter, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/bus_hook/parameters/%s", parameter);
	return OK(open(path, flags | O_CLOEXEC));
}

static inline unsigned long long hook_says(const char *parameter)
{
	int fd = hook_file(parameter, O_RDONLY);
	char text[32] = "";

	OK(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoull(text, NULL, 10);
}

static inline void tell_hook(const char *parameter, unsigned long value)
{
	int fd = hook_file(parameter, O_WRONLY);

	CHECK(dprintf(fd, "%lu", value) > 0);
	close(fd);
}

static inline void unload_hook(void)
{
	syscall(SYS_delete_module, "bus_hook", O_NONBLOCK);
}

static inline void load_hook(void)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 256];
	struct utsname machine;
	int fd;

	OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	OK(uname(&machine));
	snprintf(path, sizeof(path), "%s/hook-%s/bus_hook.ko", dirname(self), machine.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no %s", path);
	unload_hook();
	OK((int)syscall(SYS_finit_module, fd, "", 0));
	close(fd);
}

#endif
