// SPDX-License-Identifier: MIT
/* Values in bytes: reads a number, or checks and skips a value. */
#include "internal.h"

#include <byteswap.h>
#include <string.h>

int wire_align(struct wire *w, size_t to)
{
	size_t at = align_up(w->at, to);

	if (at > w->length)
		return -EBADMSG;
	while (w->at < at)
		if (w->bytes[w->at++] != 0)
			return -EBADMSG;
	return 0;
}

static void swap(void *value, size_t size)
{
	if (size == 2)
		*(uint16_t *)value = bswap_16(*(uint16_t *)value);
	else if (size == 4)
		*(uint32_t *)value = bswap_32(*(uint32_t *)value);
	else if (size == 8)
		*(uint64_t *)value = bswap_64(*(uint64_t *)value);
}

int wire_number(struct wire *w, char type, void *value)
{
	size_t size = size_of(type);
	int result = wire_align(w, size);

	if (result < 0)
		return result;
	if (w->length - w->at < size)
		return -EBADMSG;
	memcpy(value, w->bytes + w->at, size);
	w->at += size;
	if (w->swapped)
		swap(value, size);
	return 0;
}

static bool valid_text(char type, const char *text, size_t length)
{
	if (memchr(text, '\0', length))
		return false;
	if (type == 'o')
		return valid_path(text);
	if (type == 'g')
		return valid_signature(text, length);
	return valid_utf8(text, length);
}

int wire_text(struct wire *w, char type, const char **text)
{
	uint32_t length = 0;
	uint8_t short_length;
	int result;

	if (type == 'g') {
		result = wire_number(w, 'y', &short_length);
		length = short_length;
	} else {
		result = wire_number(w, 'u', &length);
	}
	if (result < 0)
		return result;
	if (length >= w->length - w->at)
		return -EBADMSG;
	*text = (const char *)w->bytes + w->at;
	w->at += length + 1;
	if (w->bytes[w->at - 1] != '\0' || !valid_text(type, *text, length))
		return -EBADMSG;
	return 0;
}

static int skip_value(struct wire *w, const char *types, unsigned int depth);

static int skip_number(struct wire *w, char type)
{
	union {
		uint32_t u;
		uint64_t t;
	} value;
	int result = wire_number(w, type, &value);

	if (result < 0)
		return result;
	return type == 'b' && value.u > 1 ? -EBADMSG : 0;
}

static int skip_array(struct wire *w, const char *element, unsigned int depth)
{
	uint32_t length;
	size_t end, outer = w->length;
	int result = wire_number(w, 'u', &length);

	if (result == 0)
		result = wire_align(w, alignment_of(*element));
	if (result < 0)
		return result;
	if (length > MAX_ARRAY || length > w->length - w->at)
		return -EBADMSG;
	end = w->at + length;
	if (strchr("ynqiuxtd", *element)) {	/* any value of a number is valid */
		w->at = end;
		return length % size_of(*element) ? -EBADMSG : 0;
	}
	w->length = end;
	while (result == 0 && w->at < end)
		result = skip_value(w, element, depth);
	w->length = outer;
	return result;
}

static int skip_variant(struct wire *w, unsigned int depth)
{
	const char *types;
	int result = wire_text(w, 'g', &types);
	size_t length;

	if (result < 0)
		return result;
	length = strlen(types);
	if (length == 0 || type_length(types, length) != length)
		return -EBADMSG;
	return skip_value(w, types, depth);
}

static int skip_members(struct wire *w, const char *types, char end, unsigned int depth)
{
	int result = wire_align(w, 8);

	while (result == 0 && *types != end) {
		result = skip_value(w, types, depth);
		types += type_length(types, MAX_SIGNATURE);
	}
	return result;
}

static int skip_value(struct wire *w, const char *types, unsigned int depth)
{
	const char *text;

	if (size_of(*types))
		return skip_number(w, *types);
	if (strchr("sog", *types))
		return wire_text(w, *types, &text);
	if (++depth > MAX_DEPTH)
		return -EBADMSG;
	switch (*types) {
	case 'a':
		return skip_array(w, types + 1, depth);
	case 'v':
		return skip_variant(w, depth);
	default:
		return skip_members(w, types + 1, *types == '(' ? ')' : '}', depth);
	}
}

int wire_skip(struct wire *w, const char *types, unsigned int depth)
{
	return skip_value(w, types, depth);
}
