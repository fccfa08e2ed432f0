// SPDX-License-Identifier: GPL-2.0-only
/* The manual page: its example, taken out of it and compiled as it is, does what the page says. */
#include "bus.h"
#include <libgen.h>

TEST(example_prints_what_the_manual_says)
{
	char self[256] = "", program[300], line[64] = "";
	FILE *out;

	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(program, sizeof(program), "%s/manual-example", dirname(self));
	out = popen(program, "re");
	CHECK(out && fgets(line, sizeof(line), out));
	if (strcmp(line, "hello from client 1\n"))
		FAIL("it prints %s", line);
	EQ(0, pclose(out));
}
