// SPDX-License-Identifier: MIT
/* Names, paths and signatures, as in the D-Bus Specification. */
#include "internal.h"

#include <string.h>

/* What a character is in a name: every message has several names, each of which is walked over. */
enum { LETTER = 1, DIGIT = 2, HYPHEN = 4 };

static const uint8_t kinds[256] = {
	['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER, ['_'] = LETTER, ['0' ... '9'] = DIGIT, ['-'] = HYPHEN,
};

static bool is_one_of(char c, unsigned int wanted)
{
	return kinds[(uint8_t)c] & wanted;
}

/* Length of an element of a path or name. */
static size_t element(const char *text, bool digit_first, bool hyphen)
{
	unsigned int wanted = LETTER | DIGIT | (hyphen ? HYPHEN : 0);
	size_t n = 0;

	if (!digit_first && is_one_of(text[0], DIGIT))
		return 0;
	while (is_one_of(text[n], wanted))
		n++;
	return n;
}

bool valid_path(const char *path)
{
	if (path[0] != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path == '/') {
		size_t n = element(++path, true, false);

		if (n == 0)
			return false;
		path += n;
	}
	return *path == '\0';
}

/* At least two elements with dots between them. */
static bool dotted(const char *name, bool digit_first, bool hyphen)
{
	unsigned int elements = 0;

	for (;;) {
		size_t n = element(name, digit_first, hyphen);

		if (n == 0)
			return false;
		elements++;
		name += n;
		if (*name == '\0')
			return elements > 1;
		if (*name++ != '.')
			return false;
	}
}

bool valid_interface(const char *name)
{
	return strnlen(name, MAX_NAME + 1) <= MAX_NAME && dotted(name, false, false);
}

bool valid_member(const char *name)
{
	size_t n = element(name, false, false);

	return n > 0 && n <= MAX_NAME && name[n] == '\0';
}

bool valid_bus_name(const char *name)
{
	if (strnlen(name, MAX_NAME + 1) > MAX_NAME)
		return false;
	return name[0] == ':' ? dotted(name + 1, true, true) : dotted(name, false, true);
}

/* The number of bytes after the first one, and the smallest character that needs them. */
static unsigned int following(uint8_t first, uint32_t *least)
{
	if (first >= 0xf0) {
		*least = 0x10000;
		return 3;
	}
	*least = first >= 0xe0 ? 0x800 : 0x80;
	return first >= 0xe0 ? 2 : 1;
}

bool valid_utf8(const char *text, size_t length)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + length;

	while (at < end) {
		uint32_t least, c = *at++;
		unsigned int more;

		if (c < 0x80)
			continue;
		if (c < 0xc2 || c > 0xf4)
			return false;
		more = following(c, &least);
		if (end - at < more)
			return false;
		for (c &= 0x3f >> more; more > 0; more--) {
			if ((*at & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*at++ & 0x3f);
		}
		if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}

bool is_basic(char type)
{
	return size_of(type) > 0 || type == 's' || type == 'o' || type == 'g';
}

struct nesting {
	unsigned int arrays, structs;
};

static size_t nested_type(const char *types, size_t max, struct nesting in);

static size_t struct_length(const char *types, size_t max, struct nesting in)
{
	size_t n = 1;

	if (++in.structs > 32)
		return 0;
	do {
		size_t member = nested_type(types + n, max - n, in);

		if (member == 0)
			return 0;
		n += member;
	} while (n < max && types[n] != ')');
	return n < max ? n + 1 : 0;
}

/* A dict entry {kv}, which is allowed only within an array, and so needs no bound of its own. */
static size_t entry_length(const char *types, size_t max, struct nesting in)
{
	size_t value;

	if (max < 4 || !is_basic(types[1]))
		return 0;
	value = nested_type(types + 2, max - 2, in);
	return value > 0 && 2 + value < max && types[2 + value] == '}' ? value + 3 : 0;
}

static size_t nested_type(const char *types, size_t max, struct nesting in)
{
	size_t n;

	if (max == 0)
		return 0;
	if (is_basic(types[0]) || types[0] == 'v')
		return 1;
	if (types[0] == '(')
		return struct_length(types, max, in);
	if (types[0] != 'a' || ++in.arrays > 32 || max < 2)
		return 0;
	n = types[1] == '{' ? entry_length(types + 1, max - 1, in) : nested_type(types + 1, max - 1, in);
	return n > 0 ? n + 1 : 0;
}

size_t type_length(const char *types, size_t max)
{
	return nested_type(types, max, (struct nesting){ 0 });
}

bool valid_signature(const char *types, size_t length)
{
	size_t at = 0;

	if (length > MAX_SIGNATURE)
		return false;
	while (at < length) {
		size_t n = type_length(types + at, length - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

size_t size_of(char type)
{
	switch (type) {
	case 'y':
		return 1;
	case 'n': case 'q':
		return 2;
	case 'b': case 'i': case 'u': case 'h':
		return 4;
	case 'x': case 't': case 'd':
		return 8;
	default:
		return 0;
	}
}

size_t alignment_of(char type)
{
	switch (type) {
	case 's': case 'o': case 'a':
		return 4;
	case 'g': case 'v':
		return 1;
	case '(': case '{':
		return 8;
	default:
		return size_of(type);
	}
}
