/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The delays of kernel/delays, if the modules are built with them, for chosen threads only.
 */
#ifndef DELAYS_H
#define DELAYS_H

#include "harness.h"
#include <limits.h>
#include <stdint.h>

static inline int delays_file(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/module/afbus_delays/parameters/%s", name);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* From now on, threads that are chosen are delayed. */
static inline void stop_delays(void)
{
	int fd = delays_file("spread");

	if (fd < 0)
		return;
	EQ(1, write(fd, "0", 1));
	close(fd);
}

/* This thread is delayed that many times; @seed alone decides after how many memory accesses. */
static inline void delay_thread(pid_t tid, uint32_t seed, unsigned int times)
{
	static int fd = -2;
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %u %u", tid, seed, times);

	if (fd == -2)
		fd = delays_file("thread");
	if (fd >= 0 && pwrite(fd, text, len, 0) != len)
		FAIL("no delays for \"%s\": %s", text, errname(errno));
}

#endif
