// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and paths of D-Bus, as rules and messages have them: "Valid Names" of
 * the D-Bus Specification.
 */

#include <linux/string.h>
#include "dbus.h"

/* What a byte is; 0 if it is in no element. */
#define NFDBUS_DIGIT	BIT(0)
#define NFDBUS_LETTER	BIT(1)
#define NFDBUS_DASH	BIT(2)

/* A table, since every byte of a multicast's names and path is looked up. */
static const u8 nfdbus_bytes[256] = {
	['0' ... '9'] = NFDBUS_DIGIT,
	['A' ... 'Z'] = NFDBUS_LETTER,
	['a' ... 'z'] = NFDBUS_LETTER,
	['_'] = NFDBUS_LETTER,
	['-'] = NFDBUS_DASH,
};

static bool nfdbus_is_digit(char c)
{
	return nfdbus_bytes[(u8)c] == NFDBUS_DIGIT;
}

/**
 * struct nfdbus_elements - a walk over the elements of a name or path
 * @first: what the first byte of an element may be
 * @rest: what the others may be
 * @separator: what is between elements
 * @inside: the walk has ended in an element, and not at its beginning
 * @nr: elements so far
 */
struct nfdbus_elements {
	u8		first;
	u8		rest;
	u8		separator;
	bool		inside;
	unsigned int	nr;
};

/* Go on with a walk; false if bytes may not follow each other like this. */
static __always_inline bool nfdbus_walk_elements(struct nfdbus_elements *e,
						 const char *text, u32 len)
{
	const u8 *p = (const u8 *)text, *end = p + len;

	while (p < end) {
		if (!e->inside) {
			if (!(nfdbus_bytes[*p++] & e->first))
				return false;
			e->inside = true;
			e->nr++;
		}
		while (p < end && nfdbus_bytes[*p] & e->rest)
			p++;
		if (p < end) {
			if (*p++ != e->separator)
				return false;
			e->inside = false;
		}
	}
	return true;
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
	struct nfdbus_elements e = {
		.first = NFDBUS_LETTER | (dashes ? NFDBUS_DASH : 0) |
			 (unique ? NFDBUS_DIGIT : 0),
		.rest = NFDBUS_LETTER | NFDBUS_DIGIT |
			(dashes ? NFDBUS_DASH : 0),
		.separator = '.',
	};

	if (len > NFDBUS_NAME_MAX ||
	    !nfdbus_walk_elements(&e, name + unique, len - unique) || !e.inside)
		return false;
	switch (grammar) {
	case NFDBUS_MEMBER:
		return e.nr == 1;
	case NFDBUS_NAMESPACE:
		return true;
	default:
		return e.nr > 1;
	}
}

/**
 * nfdbus_path_part_valid() - whether something is a part of an object path
 * @before: the byte before it, NUL if it is the beginning
 * @part: the part
 * @len: its bytes, 1 at least
 */
bool nfdbus_path_part_valid(char before, const char *part, u32 len)
{
	struct nfdbus_elements e = {
		.first = NFDBUS_LETTER | NFDBUS_DIGIT,
		.rest = NFDBUS_LETTER | NFDBUS_DIGIT,
		.separator = '/',
		.inside = before != '/',
	};

	if (!before && part[0] != '/')
		return false;
	return nfdbus_walk_elements(&e, part, len);
}

bool nfdbus_path_valid(const char *path, u32 len)
{
	return len && nfdbus_path_part_valid('\0', path, len) &&
	       (len == 1 || path[len - 1] != '/');
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
