// SPDX-License-Identifier: MIT
/* Authentication with EXTERNAL: the kernel gives the user to the bus, so all lines can be sent in one write. */
#include "internal.h"

#include <string.h>

static const char lines[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

static bool refused(const char *answer)
{
	return strncmp(answer, "REJECTED", 8) == 0 || strstr(answer, "\nREJECTED") || strncmp(answer, "ERROR", 5) == 0 ||
	       strstr(answer, "\nERROR");
}

int login(struct link *link, int64_t deadline, struct afdbus_error *error)
{
	char answer[1024] = "";
	size_t length = 0;
	int result = write_all(link, lines, sizeof(lines) - 1, deadline);

	while (result >= 0 && !strstr(answer, "AGREE_UNIX_FD\r\n")) {
		result = read_some(link, answer + length, sizeof(answer) - 1 - length, deadline);
		if (result > 0)
			answer[length += result] = '\0';
		if (result == 0 || refused(answer) || length == sizeof(answer) - 1)
			return set_error(error, -EACCES, ERROR_NAME("AuthFailed"), "the bus does not let this process in");
	}
	return result < 0 ? result : 0;
}
