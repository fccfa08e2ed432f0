// SPDX-License-Identifier: MIT
/* Headers of messages: written as bytes, and read from bytes with every check. */
#include "internal.h"

#include <byteswap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum field {
	PATH = 1, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE, UNIX_FDS,
};

enum {
	VERSION = 1,
	FIELD_DEPTH = 3,	/* the header's array, its struct, the variant */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static const char own_order = 'l', other_order = 'B';
#else
static const char own_order = 'B', other_order = 'l';
#endif

/* Writing: the length is computed before anything is written. */

struct text_field {
	uint8_t code;
	char type;
	const char *text;
};

static uint8_t *put_field(uint8_t *at, const uint8_t *base, uint8_t code, char type)
{
	size_t gap = align_up(at - base, 8) - (at - base);

	memset(at, 0, gap);
	at += gap;
	*at++ = code;
	*at++ = 1;
	*at++ = type;
	*at++ = '\0';
	return at;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
	return at + 4;
}

static uint8_t *put_text_field(uint8_t *at, const uint8_t *base, const struct text_field *f)
{
	size_t length = strlen(f->text);

	at = put_field(at, base, f->code, f->type);
	if (f->type == 'g')
		*at++ = length;
	else
		at = put_u32(at, length);
	memcpy(at, f->text, length + 1);
	return at + length + 1;
}

static uint8_t *put_fields(const struct afdbus_message *m, const struct text_field *texts, size_t n, uint8_t *base)
{
	uint8_t *at = base + FIXED_HEADER;

	for (size_t i = 0; i < n; i++)
		if (texts[i].text && texts[i].text[0])
			at = put_text_field(at, base, &texts[i]);
	if (m->reply_serial)
		at = put_u32(put_field(at, base, REPLY_SERIAL, 'u'), m->reply_serial);
	if (m->n_fds)
		at = put_u32(put_field(at, base, UNIX_FDS, 'u'), m->n_fds);
	return at;
}

int marshal_header(const struct afdbus_message *m, uint32_t serial, struct header *header)
{
	const struct text_field texts[] = {
		{ PATH, 'o', m->path },
		{ DESTINATION, 's', m->destination },
		{ INTERFACE, 's', m->interface },
		{ MEMBER, 's', m->member },
		{ ERROR_NAME, 's', m->error_name },
		{ SIGNATURE, 'g', m->types },
	};
	const size_t n = sizeof(texts) / sizeof(texts[0]);
	size_t most = FIXED_HEADER + 8 + 2 * 16;
	uint8_t *base, *end;
	uint32_t body = m->body.length;

	for (size_t i = 0; i < n; i++)
		most += texts[i].text ? strlen(texts[i].text) + 16 : 0;
	if (most > MAX_ARRAY)
		return -EMSGSIZE;
	base = malloc(most);
	if (!base)
		return -ENOMEM;
	end = put_fields(m, texts, n, base);
	memcpy(base, (uint8_t[]){ own_order, m->type, m->flags, VERSION }, 4);
	put_u32(base + 4, body);
	put_u32(base + 8, serial);
	put_u32(base + 12, end - base - FIXED_HEADER);
	header->length = align_up(end - base, 8);
	memset(end, 0, header->length - (end - base));
	header->bytes = base;
	if (header->length + body <= MAX_MESSAGE)
		return 0;
	free(base);
	return -EMSGSIZE;
}

/* Reading */

uint32_t u32_at(const uint8_t *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, 4);
	return bytes[0] == other_order ? bswap_32(value) : value;
}

ssize_t message_length(const uint8_t *fixed)
{
	uint64_t length, fields;

	if (fixed[0] != own_order && fixed[0] != other_order)
		return -EBADMSG;
	fields = u32_at(fixed, 12);
	if (fields > MAX_ARRAY)
		return -EBADMSG;
	length = align_up(FIXED_HEADER + fields, 8) + u32_at(fixed, 4);
	return length <= MAX_MESSAGE ? (ssize_t)length : -EBADMSG;
}

static bool valid_interface_field(const char *name)
{
	return valid_interface(name) && strcmp(name, DRIVER ".Local") != 0;
}

static bool valid_path_field(const char *path)
{
	return valid_path(path) && strcmp(path, DRIVER_PATH "/Local") != 0;
}

struct known_field {
	char type;
	size_t offset;
	bool (*valid)(const char *text);
};

#define FIELD(type, member, valid) { type, offsetof(struct afdbus_message, member), valid }

static const struct known_field known_fields[] = {
	[PATH] = FIELD('o', path, valid_path_field),
	[INTERFACE] = FIELD('s', interface, valid_interface_field),
	[MEMBER] = FIELD('s', member, valid_member),
	[ERROR_NAME] = FIELD('s', error_name, valid_interface),
	[REPLY_SERIAL] = { 'u', 0, NULL },
	[DESTINATION] = FIELD('s', destination, valid_bus_name),
	[SENDER] = FIELD('s', sender, valid_bus_name),
	[SIGNATURE] = FIELD('g', signature, NULL),
	[UNIX_FDS] = { 'u', 0, NULL },
};

struct seen {
	uint32_t fields;	/* a bit for each */
	uint32_t unix_fds;
};

/* It follows the four bytes of its code and signature, which are aligned to 8: it needs no padding. */
static int read_u32(struct wire *w, uint32_t *value)
{
	if (w->length - w->at < sizeof(*value))
		return -EBADMSG;
	*value = u32_at(w->bytes, w->at);
	w->at += sizeof(*value);
	return 0;
}

/* Names and paths are ASCII, so no other check of their encoding is needed. */
static int read_name(struct wire *w, const struct known_field *field, const char **text)
{
	uint32_t length;
	int result = read_u32(w, &length);

	if (result < 0)
		return result;
	if (length >= w->length - w->at)
		return -EBADMSG;
	*text = (const char *)w->bytes + w->at;
	w->at += length + 1;
	if (w->bytes[w->at - 1] != '\0' || strlen(*text) != length || !field->valid(*text))
		return -EBADMSG;
	return 0;
}

static int read_known(struct wire *w, struct afdbus_message *m, uint8_t code, struct seen *seen)
{
	const struct known_field *field = &known_fields[code];
	const char **text = (const char **)((char *)m + field->offset);
	int result;

	if (seen->fields & 1U << code)
		return -EBADMSG;
	seen->fields |= 1U << code;
	if (code == REPLY_SERIAL) {
		result = read_u32(w, &m->reply_serial);
		m->reply_serial_at = w->at - sizeof(m->reply_serial);
		return result == 0 && m->reply_serial == 0 ? -EBADMSG : result;
	}
	if (code == UNIX_FDS)
		return read_u32(w, &seen->unix_fds);
	return code == SIGNATURE ? wire_text(w, 'g', text) : read_name(w, field, text);
}

static int skip_unknown(struct wire *w)
{
	const char *type;
	int result = wire_text(w, 'g', &type);

	if (result < 0)
		return result;
	if (*type == '\0' || type_length(type, strlen(type)) != strlen(type))
		return -EBADMSG;
	return wire_skip(w, type, FIELD_DEPTH);
}

/* The signature of a known field is its one type. */
static bool read_type(struct wire *w, char type)
{
	const uint8_t signature[] = { 1, type, '\0' };

	if (w->length - w->at < sizeof(signature) || memcmp(w->bytes + w->at, signature, sizeof(signature)) != 0)
		return false;
	w->at += sizeof(signature);
	return true;
}

static int read_field(struct wire *w, struct afdbus_message *m, struct seen *seen)
{
	uint8_t code;

	if (wire_align(w, 8) < 0 || w->at == w->length)
		return -EBADMSG;
	code = w->bytes[w->at++];
	if (code > UNIX_FDS) {
		m->unknown_fields = true;
		return skip_unknown(w);
	}
	if (code == 0 || !read_type(w, known_fields[code].type))
		return -EBADMSG;
	return read_known(w, m, code, seen);
}

/* The fields that a message of this type must have. */
static bool complete(const struct afdbus_message *m)
{
	switch (m->type) {
	case AFDBUS_CALL:
		return m->path && m->member;
	case AFDBUS_RETURN:
		return m->reply_serial;
	case AFDBUS_ERROR:
		return m->reply_serial && m->error_name;
	case AFDBUS_SIGNAL:
		return m->path && m->interface && m->member;
	default:
		return false;	/* of an unknown type: to be ignored */
	}
}

static int check_body(struct afdbus_message *m)
{
	const char *types = m->signature, *end = types + strlen(types);
	int result = 0;

	while (result == 0 && types < end) {
		result = wire_skip(&m->body, types, 0);
		types += type_length(types, end - types);
	}
	return result == 0 && m->body.at != m->body.length ? -EBADMSG : result;
}

static int read_fields(struct wire *w, struct afdbus_message *m, struct seen *seen)
{
	int result = 0;

	w->length = FIXED_HEADER + u32_at(w->bytes, 12);
	while (result == 0 && w->at < w->length)
		result = read_field(w, m, seen);
	return result;
}

size_t remove_claims(const struct afdbus_message *m)
{
	struct wire w = { m->bytes, FIXED_HEADER + u32_at(m->bytes, 12), FIXED_HEADER, m->bytes[0] == other_order };
	size_t begin, to, end = w.at;
	const char *type;
	uint8_t code;

	if (!m->sender && !m->unknown_fields)
		return w.length;
	while (w.at < w.length) {
		wire_align(&w, 8);
		begin = w.at;
		wire_number(&w, 'y', &code);
		wire_text(&w, 'g', &type);
		wire_skip(&w, type, FIELD_DEPTH);
		if (code == SENDER || code > UNIX_FDS)
			continue;
		to = align_up(end, 8);
		memset(m->bytes + end, 0, to - end);
		memmove(m->bytes + to, m->bytes + begin, w.at - begin);
		end = to + w.at - begin;
	}
	return end;
}

int declared_fds(uint8_t *bytes, unsigned int *n_fds)
{
	struct afdbus_message *m = new_message();
	struct wire w = { bytes, 0, FIXED_HEADER, bytes[0] == other_order };
	struct seen seen = { 0 };

	if (!m)
		return -ENOMEM;
	read_fields(&w, m, &seen);
	afdbus_free(m);
	*n_fds = seen.unix_fds;
	return 0;
}

int read_header(struct afdbus_message *m, size_t length, unsigned int *unix_fds)
{
	struct seen seen = { 0 };
	struct wire w = { m->bytes, 0, FIXED_HEADER, m->bytes[0] == other_order };
	int result;

	if (m->bytes[3] != VERSION || message_length(m->bytes) != (ssize_t)length)
		return -EBADMSG;
	m->type = m->bytes[1];
	m->flags = m->bytes[2];
	m->serial = u32_at(m->bytes, 8);
	m->signature = "";
	result = read_fields(&w, m, &seen);
	if (result < 0)
		return result;
	if (m->serial == 0 || !complete(m))
		return -EBADMSG;
	w.length = align_up(w.length, 8);
	result = wire_align(&w, 8);
	m->body = (struct wire){ m->bytes + w.length, length - w.length, 0, w.swapped };
	*unix_fds = seen.unix_fds;
	return result;
}

int read_whole(struct afdbus_message *m, size_t length)
{
	unsigned int unix_fds;
	int result = length >= FIXED_HEADER ? read_header(m, length, &unix_fds) : -EBADMSG;

	if (result == 0 && unix_fds != m->n_fds)
		return -EBADMSG;
	return result < 0 ? result : check_body(m);
}

int parse_message(const uint8_t *bytes, size_t length, int *fds, unsigned int n_fds, struct afdbus_message **message)
{
	struct afdbus_message *m = new_message();
	int result = -ENOMEM;

	if (m && n_fds > 0)
		m->fds = malloc(n_fds * sizeof(*fds));
	if (m)
		m->bytes = malloc(length > 0 ? length : 1);
	if (!m || !m->bytes || (n_fds > 0 && !m->fds)) {
		close_fds(fds, n_fds);
	} else {
		memcpy(m->bytes, bytes, length);
		m->capacity = length;
		if (n_fds > 0)
			memcpy(m->fds, fds, n_fds * sizeof(*fds));
		m->n_fds = n_fds;
		result = read_whole(m, length);
	}
	if (result < 0) {
		afdbus_free(m);
		return result;
	}
	start_reading(m);
	*message = m;
	return 0;
}
