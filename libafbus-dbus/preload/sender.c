// SPDX-License-Identifier: MIT
/* Changes headers in place: puts in the sender that the kernel names, and the serials that the program knows. */
#include "preload.h"

#include <byteswap.h>
#include <string.h>

enum { FIELDS_LENGTH = 12, SENDER = 7 };

void put_number(uint8_t *message, size_t at, uint32_t value)
{
	bool little = message[0] == 'l';

	if (little != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
		value = bswap_32(value);
	memcpy(message + at, &value, sizeof(value));
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
	size_t fields_end = remove_claims(m), begin = align_up(fields_end, 8);
	size_t header = align_up(begin + size, 8);

	message = body - header;
	memmove(message, m->bytes, fields_end);
	memset(message + fields_end, 0, begin - fields_end);
	memcpy(message + begin, field, header - begin);
	put_number(message, FIELDS_LENGTH, begin + size - FIXED_HEADER);
	*length = header + m->body.length;
	return message;
}
