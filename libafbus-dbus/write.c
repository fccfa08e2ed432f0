// SPDX-License-Identifier: MIT
/* Writes values into the body of a message. After the first mistake, nothing more is written. */
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room at the end of the body; NULL if that fails. */
static uint8_t *extend(struct afdbus_message *m, size_t size)
{
	size_t at = m->body.length, wanted = at + size;

	if (m->failed)
		return NULL;
	if (size > MAX_MESSAGE - at) {
		fail(m, -EMSGSIZE);
		return NULL;
	}
	if (wanted > m->capacity) {
		size_t capacity = wanted < 128 ? 256 : wanted * 2;
		uint8_t *bytes = realloc(m->bytes, capacity);

		if (!bytes) {
			fail(m, -ENOMEM);
			return NULL;
		}
		m->body.bytes = m->bytes = bytes;
		m->capacity = capacity;
	}
	m->body.length = wanted;
	return m->bytes + at;
}

static void pad(struct afdbus_message *m, size_t to)
{
	size_t size = align_up(m->body.length, to) - m->body.length;
	uint8_t *at = extend(m, size);

	if (at && size > 0)
		memset(at, 0, size);
}

static void put(struct afdbus_message *m, const void *data, size_t size)
{
	uint8_t *at = extend(m, size);

	if (at && size > 0)
		memcpy(at, data, size);
}

static void put_u32(struct afdbus_message *m, uint32_t value)
{
	pad(m, 4);
	put(m, &value, 4);
}

/* Records one complete type: a container must expect it, and a message adds it to its signature. */
static const char *take_type(struct afdbus_message *m, const char *type, size_t length)
{
	struct frame *f = &m->frames[m->depth];
	const char *here = f->types;

	if (m->failed)
		return NULL;
	if (m->depth == 0) {
		size_t used = strlen(m->types);

		if (used + length > MAX_SIGNATURE) {
			fail(m, -EINVAL);
			return NULL;
		}
		memcpy(m->types + used, type, length);
		m->types[used + length] = '\0';
		return m->types + used;
	}
	if ((size_t)(f->end_types - here) < length || memcmp(here, type, length) != 0) {
		fail(m, -EINVAL);
		return NULL;
	}
	if (f->type != 'a')
		f->types += length;
	return here;
}

static void put_text(struct afdbus_message *m, char type, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	bool valid = text && (type == 's' ? valid_utf8(text, length) :
			      type == 'o' ? valid_path(text) : valid_signature(text, length));

	if (!valid) {
		fail(m, -EINVAL);
		return;
	}
	if (type == 'g')
		put(m, &(uint8_t){ length }, 1);
	else
		put_u32(m, length);
	put(m, text, length + 1);
}

static void put_fd(struct afdbus_message *m, int fd)
{
	int *fds = m->n_fds < MAX_FDS ? realloc(m->fds, (m->n_fds + 1) * sizeof(*fds)) : NULL;
	int copy;

	if (!fds) {
		fail(m, m->n_fds < MAX_FDS ? -ENOMEM : -ETOOMANYREFS);
		return;
	}
	m->fds = fds;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0) {
		fail(m, -errno);
		return;
	}
	put_u32(m, m->n_fds);
	fds[m->n_fds++] = copy;
}

static void put_number(struct afdbus_message *m, char type, uint64_t value)
{
	size_t size = size_of(type);
	uint8_t u8 = value;
	uint16_t u16 = value;
	uint32_t u32 = type == 'b' ? value != 0 : value;
	const void *data = size == 1 ? (void *)&u8 : size == 2 ? (void *)&u16 : size == 4 ? (void *)&u32 : &value;

	pad(m, size);
	put(m, data, size);
}

static void put_double(struct afdbus_message *m, double value)
{
	pad(m, 8);
	put(m, &value, 8);
}

PUBLIC void afdbus_append(struct afdbus_message *m, const char *types, ...)
{
	va_list values;

	if (!writable(m))
		return;
	va_start(values, types);
	for (; *types && m->failed == 0; types++) {
		if (!is_basic(*types)) {
			fail(m, -EINVAL);
			break;
		}
		if (!take_type(m, types, 1))
			break;
		if (strchr("sog", *types))
			put_text(m, *types, va_arg(values, const char *));
		else if (*types == 'h')
			put_fd(m, va_arg(values, int));
		else if (*types == 'd')
			put_double(m, va_arg(values, double));
		else if (size_of(*types) == 8)
			put_number(m, *types, va_arg(values, uint64_t));
		else
			put_number(m, *types, va_arg(values, unsigned int));
	}
	va_end(values);
}

/* The type of a container. For a dict entry, it includes the array around it, since an entry is a type only there. */
static bool container_type(char type, const char *contents, char whole[MAX_SIGNATURE + 2])
{
	const char *form = type == 'a' ? "a%s" : type == '(' ? "(%s)" : type == '{' ? "a{%s}" : "v";
	int length = snprintf(whole, MAX_SIGNATURE + 2, form, contents);

	if (type != 'v')
		return length <= MAX_SIGNATURE && type_length(whole, length) == (size_t)length;
	return contents[0] && type_length(contents, strlen(contents)) == strlen(contents);
}

static void begin_array(struct afdbus_message *m, struct frame *f)
{
	pad(m, 4);
	f->end = m->body.length;
	put_u32(m, 0);
	pad(m, alignment_of(*f->types));
	f->start = m->body.length;
}

static void begin_variant(struct afdbus_message *m, struct frame *f, const char *contents)
{
	f->owned = strdup(contents);
	if (!f->owned)
		fail(m, -ENOMEM);
	else
		put_text(m, 'g', contents);
	f->types = f->owned;
}

PUBLIC void afdbus_begin(struct afdbus_message *m, char type, const char *contents)
{
	char whole[MAX_SIGNATURE + 2];
	const char *here;
	struct frame *f;

	if (!writable(m))
		return;
	/* A dict entry is not a type outside an array, so it cannot be in a message. */
	if (type == '\0' || !strchr("av({", type) || !contents || (type == '{' && m->depth == 0) || !container_type(type, contents, whole) || m->depth == MAX_DEPTH) {
		fail(m, -EINVAL);
		return;
	}
	here = take_type(m, whole + (type == '{'), strlen(whole) - (type == '{'));
	if (!here)
		return;
	f = &m->frames[++m->depth];
	*f = (struct frame){ .type = type, .types = here + 1 };
	if (type == 'a')
		begin_array(m, f);
	else if (type == 'v')
		begin_variant(m, f, contents);
	else
		pad(m, 8);
	if (f->types)
		f->end_types = f->types + strlen(contents);
}

PUBLIC void afdbus_end(struct afdbus_message *m)
{
	struct frame *f;
	uint32_t length;

	if (!writable(m))
		return;
	f = &m->frames[m->depth];
	if (m->depth == 0 || (f->type != 'a' && f->types != f->end_types)) {
		fail(m, -EINVAL);
		return;
	}
	if (f->type == 'a') {
		length = m->body.length - f->start;
		memcpy(m->bytes + f->end, &length, 4);
		if (length > MAX_ARRAY)
			fail(m, -EMSGSIZE);
	}
	free(f->owned);
	m->depth--;
}

PUBLIC void afdbus_append_array(struct afdbus_message *m, char type, const void *data, size_t bytes)
{
	if (!writable(m))
		return;
	if (type == '\0' || !strchr("ynqiuxtd", type) || bytes % size_of(type)) {
		fail(m, -EINVAL);
		return;
	}
	afdbus_begin(m, 'a', (char[]){ type, '\0' });
	put(m, data, bytes);
	afdbus_end(m);
}
