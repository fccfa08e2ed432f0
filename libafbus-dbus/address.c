// SPDX-License-Identifier: MIT
/* D-Bus addresses: finds the first one in a list that this library can use. */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Decodes the %xx of a value. Returns its length, or a negative errno. */
static int unescape(const char *text, size_t length, char *value, size_t size)
{
	size_t n = 0;

	for (size_t at = 0; at < length; at++, n++) {
		char digits[3] = { 0 };

		if (n + 1 >= size)
			return -ENAMETOOLONG;
		value[n] = text[at];
		if (text[at] != '%')
			continue;
		if (at + 2 < length)
			memcpy(digits, text + at + 1, 2);
		if (!isxdigit((uint8_t)digits[0]) || !isxdigit((uint8_t)digits[1]))
			return -EINVAL;
		value[n] = strtoul(digits, NULL, 16);
		if (value[n] == '\0')
			return -EINVAL;
		at += 2;
	}
	value[n] = '\0';
	return n;
}

/* path=…,guid=… */
static int parse_keys(const char *keys, size_t length, struct address *address)
{
	int result = -EINVAL;

	while (length > 0) {
		size_t n = strcspn(keys, ",;");
		bool abstract;

		if (n > length)
			n = length;
		abstract = n > 9 && strncmp(keys, "abstract=", 9) == 0;
		if (abstract || (n > 5 && strncmp(keys, "path=", 5) == 0)) {
			size_t key = abstract ? 9 : 5;

			address->abstract = abstract;
			result = unescape(keys + key, n - key, address->path, sizeof(address->path));
			if (result < 0)
				return result;
		}
		keys += n;
		length -= n;
		if (length > 0) {
			keys++;
			length--;
		}
	}
	return result < 0 ? result : 0;
}

int parse_address(const char *text, struct address *address)
{
	int result = -EINVAL;

	while (*text && result == -EINVAL) {
		size_t length = strcspn(text, ";");
		bool bus = strncmp(text, "afbus:", 6) == 0;
		size_t scheme = bus ? 6 : 5;

		if (bus || strncmp(text, "unix:", 5) == 0) {
			address->bus = bus;
			result = parse_keys(text + scheme, length - scheme, address);
		}
		text += length + (text[length] == ';');
	}
	return result;
}
