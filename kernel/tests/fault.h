/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel makes the n-th allocation, or access to user memory, of this thread fail. */
#ifndef FAULT_H
#define FAULT_H

#include <sys/mman.h>

#define FAIL_NTH "/proc/thread-self/fail-nth"

static int fail_nth = -1;

static void write_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/*
 * Any allocation may fail, but the pages of user space: those are no part of a
 * call. Not a word of it in the kernel's log, where it would look like a fault.
 */
static void may_fail(void)
{
	static const char *const off[] = {
		"failslab/verbose", "failslab/ignore-gfp-wait",
		"fail_page_alloc/verbose", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/min-order", "fail_usercopy/verbose",
	};
	char path[128];

	fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		SKIP("this kernel makes no call fail");
	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", off[i]);
		write_file(path, "0");
	}
	OK(mlockall(MCL_CURRENT | MCL_FUTURE));
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	EQ(len, pwrite(fail_nth, text, len, 0));
}

/* Whether the failure has struck. If not, it may strike what is done here, and is called off. */
static int disarm(void)
{
	char left[16] = "";
	ssize_t len = pread(fail_nth, left, sizeof(left) - 1, 0);
	int struck = len > 0 && atoi(left) == 0;

	while (pwrite(fail_nth, "0", 1, 0) < 0)
		EQ(EFAULT, errno);
	return struck;
}

#endif
