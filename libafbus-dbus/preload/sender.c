// SPDX-License-Identifier: MIT
/* Changes headers in place: puts in the sender that the kernel names, and the serials that the program knows. */
#include "preload.h"

#include <byteswap.h>
#include <string.h>

enum { FIELDS_LENGTH = 12, SENDER = 7 };

struct field {
	uint8_t code;
	size_t begin, value, end;
};

void put_number(uint8_t *message, size_t at, uint32_t value)
{
	bool little = message[0] == 'l';

	if (little != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
		value = bswap_32(value);
	memcpy(message + at, &value, sizeof(value));
}

static struct wire fields_of(const struct afdbus_message *m)
{
	return (struct wire){ m->bytes, FIXED_HEADER + u32_at(m->bytes, FIELDS_LENGTH), FIXED_HEADER, m->body.swapped };
}

/* The header has been checked. */
static bool next_field(struct wire *w, struct field *f)
{
	const char *type;

	if (w->at >= w->length || wire_align(w, 8) < 0)
		return false;
	f->begin = w->at;
	if (wire_number(w, 'y', &f->code) < 0 || wire_text(w, 'g', &type) < 0)
		return false;
	f->value = align_up(w->at, alignment_of(*type));
	if (wire_skip(w, type, 0) < 0)
		return false;
	f->end = w->at;
	return true;
}

size_t find_field(const struct afdbus_message *m, uint8_t code)
{
	struct wire w = fields_of(m);
	struct field f;

	while (next_field(&w, &f))
		if (f.code == code)
			return f.value;
	return 0;
}

/* Removes the sender that the message claims. Returns where its fields end then. */
static size_t remove_sender(const struct afdbus_message *m)
{
	struct wire w = fields_of(m);
	struct field f;
	size_t next;

	do
		if (!next_field(&w, &f))
			return w.length;
	while (f.code != SENDER);
	next = align_up(f.end, 8);
	if (next >= w.length)	/* it is the last one */
		return f.begin;
	memmove(m->bytes + f.begin, m->bytes + next, w.length - next);
	return w.length - (next - f.begin);
}

/* The field of a sender; its length. */
static size_t write_sender(uint8_t *at, const uint8_t *message, const char *sender)
{
	static const uint8_t head[] = { SENDER, 1, 's', 0 };
	uint8_t length[5] = { message[0] };
	size_t n = strlen(sender);

	put_number(length, 1, n);
	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), length + 1, 4);
	memcpy(at + 8, sender, n + 1);
	return 8 + n + 1;
}

/* The body stays where it is, and the header ends before it. */
uint8_t *put_sender(const struct afdbus_message *m, const char *sender, size_t *length)
{
	uint8_t field[SENDER_SPACE] = { 0 }, *body = m->body.bytes, *message;
	size_t size = write_sender(field, m->bytes, sender);
	size_t fields_end = remove_sender(m), begin = align_up(fields_end, 8);
	size_t header = align_up(begin + size, 8);

	message = body - header;
	memmove(message, m->bytes, fields_end);
	memset(message + fields_end, 0, begin - fields_end);
	memcpy(message + begin, field, header - begin);
	put_number(message, FIELDS_LENGTH, begin + size - FIXED_HEADER);
	*length = header + m->body.length;
	return message;
}
