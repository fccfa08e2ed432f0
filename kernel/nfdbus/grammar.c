// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and paths of D-Bus, as rules and messages have them: "Valid Names" of
 * the D-Bus Specification.
 */

#include <linux/string.h>
#include "dbus.h"

/* A table, since every byte of a multicast's names and path is looked up. */
const u8 nfdbus_bytes[256] = {
	['0' ... '9'] = NFDBUS_DIGIT,
	['A' ... 'Z'] = NFDBUS_LETTER,
	['a' ... 'z'] = NFDBUS_LETTER,
	['_'] = NFDBUS_LETTER,
};

static bool nfdbus_is_digit(char c)
{
	return nfdbus_bytes[(u8)c] == NFDBUS_DIGIT;
}

static bool nfdbus_is_letter(char c)
{
	return nfdbus_bytes[(u8)c] == NFDBUS_LETTER;
}

/*
 * Whether @c may follow @before in an element of a name. For the first byte of
 * an element, @before is a dot.
 */
static bool nfdbus_name_step(char before, char c, bool dashes, bool digits)
{
	if (nfdbus_is_letter(c) || (dashes && c == '-'))
		return true;
	return nfdbus_is_digit(c) && (before != '.' || digits);
}

/**
 * nfdbus_name_valid() - whether something is a name
 * @grammar: of which kind
 * @name: the name, not NUL-terminated
 * @len: its bytes
 */
bool nfdbus_name_valid(enum nfdbus_grammar grammar, const char *name, u32 len)
{
	bool dashes = grammar == NFDBUS_BUS_NAME || grammar == NFDBUS_NAMESPACE;
	bool unique = dashes && len && name[0] == ':';
	unsigned int elements = 1;
	char before = '.';
	u32 i;

	if (!len || len > NFDBUS_NAME_MAX)
		return false;

	for (i = unique; i < len; i++) {
		if (name[i] == '.') {
			if (before == '.' || grammar == NFDBUS_MEMBER)
				return false;
			elements++;
		} else if (!nfdbus_name_step(before, name[i], dashes, unique)) {
			return false;
		}
		before = name[i];
	}
	if (before == '.')
		return false;
	return elements > 1 || grammar == NFDBUS_MEMBER ||
	       grammar == NFDBUS_NAMESPACE;
}

bool nfdbus_path_valid(const char *path, u32 len)
{
	char before = '\0';
	u32 i;

	for (i = 0; i < len; i++) {
		if (!nfdbus_path_step(before, path[i]))
			return false;
		before = path[i];
	}
	return len == 1 || (len && before != '/');
}

/**
 * nfdbus_unique_name() - the address that a unique name stands for
 * @name: the name
 * @len: its bytes
 * @addr: result
 *
 * Return: false if no client can have that name: other unique names, and
 * numbers that are not written in the one way that names of clients are.
 */
bool nfdbus_unique_name(const char *name, u32 len, u64 *addr)
{
	u64 value = 0;
	u32 i;

	if (len < 4 || len > 3 + BUS_CLIENT_BITS / 4 ||
	    memcmp(name, ":0.", 3) || name[3] == '0')
		return false;

	for (i = 3; i < len; i++) {
		value <<= 4;
		if (nfdbus_is_digit(name[i]))
			value |= name[i] - '0';
		else if (name[i] >= 'a' && name[i] <= 'f')
			value |= name[i] - 'a' + 10;
		else
			return false;
	}
	*addr = value;
	return value != BUS_CLIENT_MASK;
}

/* Whether a name is the bus's own. */
bool nfdbus_is_driver(const char *name, u32 len)
{
	static const char driver[] = "org.freedesktop.DBus";

	return len == sizeof(driver) - 1 && !memcmp(name, driver, len);
}
