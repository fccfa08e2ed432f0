// SPDX-License-Identifier: MIT
/* Reads values from the body of a message, which was checked as a whole when it was received. */
#include "internal.h"

#include <string.h>

void start_reading(struct afdbus_message *m)
{
	m->body.at = 0;
	m->depth = 0;
	m->frames[0] = (struct frame){ .types = m->signature, .end_types = m->signature + strlen(m->signature) };
}

static size_t length_here(const struct frame *f)
{
	/* A dict entry is a type only within an array. */
	return *f->types == '{' ? (size_t)(f->end_types - f->types) :
				  type_length(f->types, f->end_types - f->types);
}

static void advance(struct frame *f)
{
	if (f->type != 'a')
		f->types += length_here(f);
}

PUBLIC int afdbus_peek(const struct afdbus_message *m)
{
	const struct frame *f;
	bool more;

	if (!m || m->made)
		return 0;
	f = &m->frames[m->depth];
	more = f->type == 'a' ? m->body.at < f->end : f->types < f->end_types;

	return more ? *f->types : 0;
}

PUBLIC void afdbus_contents(const struct afdbus_message *m, char types[MAX_SIGNATURE + 1])
{
	const struct frame *f;
	size_t length = 0;

	if (m && !m->made) {
		f = &m->frames[m->depth];
		length = f->end_types - f->types;
		memcpy(types, f->types, length);
	}
	types[length] = '\0';
}

static int read_number(struct afdbus_message *m, char type, va_list *values)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} value;
	int result = wire_number(&m->body, type, &value);

	if (result < 0)
		return result;
	/* The bus does not check whether the index is one of a descriptor. */
	if (type == 'h' && value.u32 >= m->n_fds)
		return -EBADMSG;
	if (type == 'b')
		*va_arg(*values, bool *) = value.u32;
	else if (type == 'h')
		*va_arg(*values, int *) = m->fds[value.u32];
	else
		memcpy(va_arg(*values, void *), &value, size_of(type));
	return 0;
}

static int read_value(struct afdbus_message *m, char type, va_list *values)
{
	size_t at;
	int result;

	if (!is_basic(type) || afdbus_peek(m) != type)
		return -ENXIO;
	at = m->body.at;
	if (size_of(type))
		result = read_number(m, type, values);
	else
		result = wire_text(&m->body, type, va_arg(*values, const char **));
	if (result == 0)
		advance(&m->frames[m->depth]);
	else
		m->body.at = at;	/* the value can still be skipped */
	return result;
}

PUBLIC int afdbus_read(struct afdbus_message *m, const char *types, ...)
{
	int result = 0;
	va_list values;

	va_start(values, types);
	while (*types && result == 0)
		result = read_value(m, *types++, &values);
	va_end(values);
	return result;
}

static int enter_array(struct afdbus_message *m, struct frame *f)
{
	uint32_t length;
	int result = wire_number(&m->body, 'u', &length);

	if (result == 0)
		result = wire_align(&m->body, alignment_of(*f->types));
	f->start = m->body.at;
	f->end = m->body.at + length;
	return result;
}

static int enter_variant(struct afdbus_message *m, struct frame *f)
{
	int result = wire_text(&m->body, 'g', &f->types);

	if (result == 0)
		f->end_types = f->types + strlen(f->types);
	return result;
}

PUBLIC int afdbus_enter(struct afdbus_message *m, char type)
{
	struct frame *outer, *f;
	int result;

	if (type == '\0' || !strchr("av({", type) || afdbus_peek(m) != type)
		return -ENXIO;
	outer = &m->frames[m->depth];
	f = outer + 1;
	*f = (struct frame){ .type = type, .types = outer->types + 1 };
	f->end_types = outer->types + length_here(outer) - (type == '(' || type == '{');
	if (type == 'a')
		result = enter_array(m, f);
	else if (type == 'v')
		result = enter_variant(m, f);
	else
		result = wire_align(&m->body, 8);
	if (result < 0)
		return result;
	advance(outer);
	m->depth++;
	return 0;
}

PUBLIC int afdbus_skip(struct afdbus_message *m)
{
	struct frame *f;
	int result;

	if (afdbus_peek(m) == 0)
		return -ENXIO;
	f = &m->frames[m->depth];
	result = wire_skip(&m->body, f->types, 0);
	if (result == 0)
		advance(f);
	return result;
}

PUBLIC int afdbus_leave(struct afdbus_message *m)
{
	if (!m || m->made || m->depth == 0)
		return -ENXIO;
	while (afdbus_peek(m) != 0) {
		int result = afdbus_skip(m);

		if (result < 0)
			return result;
	}
	m->depth--;
	return 0;
}

/* In place: an array is read once. */
static void swap_array(uint8_t *at, size_t bytes, size_t size)
{
	for (uint8_t *end = at + bytes; at < end; at += size) {
		for (size_t i = 0; i < size / 2; i++) {
			uint8_t byte = at[i];

			at[i] = at[size - 1 - i];
			at[size - 1 - i] = byte;
		}
	}
}

PUBLIC int afdbus_read_array(struct afdbus_message *m, char type, const void **data, size_t *bytes)
{
	struct frame *f;
	int result;

	if (type == '\0' || !strchr("ynqiuxtd", type) || afdbus_peek(m) != 'a' ||
	    m->frames[m->depth].types[1] != type)
		return -ENXIO;
	result = afdbus_enter(m, 'a');
	if (result < 0)
		return result;
	f = &m->frames[m->depth];
	*data = m->body.bytes + f->start;
	*bytes = f->end - f->start;
	if (m->body.swapped)
		swap_array(m->body.bytes + f->start, *bytes, size_of(type));
	m->body.at = f->end;
	return afdbus_leave(m);
}
