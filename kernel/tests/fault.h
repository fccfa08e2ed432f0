/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel makes the n-th allocation, or the n-th access to user memory, of a call fail, for n =
 * 1, 2, 3, … until the call gets through without a failure. Kernels without
 * CONFIG_FAULT_INJECTION cannot do this.
 */
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
 * Any allocation may fail, except pages of user space, which are no part of a call. Failures are
 * not logged: in the kernel's log they would look like faults.
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

/*
 * Return: whether the failure has struck. If it has not, it is called off, since it may strike what
 * follows.
 */
static int disarm(void)
{
	char left[16] = "";
	ssize_t len = pread(fail_nth, left, sizeof(left) - 1, 0);
	int struck = len > 0 && atoi(left) == 0;

	while (pwrite(fail_nth, "0", 1, 0) < 0)
		EQ(EFAULT, errno);
	return struck;
}

enum { ENOUGH = 5000, ANY = -1 };

/*
 * A call fails because of the fault alone, with an error for that, or with one that it may @also
 * fail with, which may be ANY.
 */
static void check_error(const char *call, unsigned int n, int struck, int err, int also)
{
	if (!struck)
		FAIL("%s fails with %s for no reason", call, errname(err));
	if (err == ENOMEM || err == ENOBUFS || err == EFAULT || err == also || also == ANY)
		return;
	FAIL("fault %u makes %s fail with %s", n, call, errname(err));
}

/*
 * Each program defines the call, and tries it once. Return: true if it got through without a
 * failure.
 */
struct call;
static int try_call(const struct call *c, unsigned int n);

static void try_all(const struct call *c, const char *name)
{
	unsigned int n = 1;

	may_fail();
	while (!try_call(c, n))
		if (++n == ENOUGH)
			FAIL("%s never gets through", name);
	dprintf(1, "# points of failure: %u\n", n - 1);
}

#endif
