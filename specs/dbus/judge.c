// SPDX-License-Identifier: MIT
/*
 * judge - libafbus-dbus as a reader of messages. On stdin one after the other: a length (4 bytes, in this machine's order)
 * and that many bytes. For each a line: `valid` or `bad`; `changed` if a copy that is made value by value is not the same.
 * Then the same bytes with each of them damaged in turn, which nobody judges but the sanitizers.
 */
#include "../daemon/fixtures/copy.h"
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer ones take long, and are made of the same parts. */
enum { LONGEST = 256 };

static struct afdbus_message *parsed(const uint8_t *bytes, uint32_t length)
{
	struct afdbus_message *m = NULL;

	return parse_message(bytes, length, NULL, 0, &m) == 0 ? m : NULL;
}

/* Reads and writes all of its values. */
static const char *rewrite(struct afdbus_message *m)
{
	struct afdbus_message *copy = afdbus_new_signal("/p", "a.B", "M");
	int result = copy_values(copy, m);
	bool same = copy->failed == 0 && strcmp(copy->types, m->signature) == 0 && copy->body.length == m->body.length &&
		    (m->body.swapped || m->body.length == 0 ||
		     memcmp(copy->body.bytes, m->body.bytes, m->body.length) == 0);

	afdbus_free(copy);
	/* Here there are no descriptors, so that a number of one cannot be read. */
	return same || result == -EBADMSG ? "valid" : "changed";
}

static const char *judge(const uint8_t *bytes, uint32_t length)
{
	struct afdbus_message *m = parsed(bytes, length);
	const char *verdict = m ? rewrite(m) : "bad";

	afdbus_free(m);
	return verdict;
}

static void damage(uint8_t *bytes, uint32_t length)
{
	static const uint8_t harm[] = { 0x00, 0x7f, 0xff };

	for (uint32_t at = 0; at < length && length <= LONGEST; at++) {
		uint8_t was = bytes[at];

		for (size_t n = 0; n < sizeof(harm); n++) {
			struct afdbus_message *m;

			bytes[at] = harm[n];
			m = parsed(bytes, length);
			if (m)
				rewrite(m);
			afdbus_free(m);
		}
		bytes[at] = was;
		afdbus_free(parsed(bytes, at));
	}
}

int main(void)
{
	uint32_t length;

	while (fread(&length, 4, 1, stdin) == 1) {
		uint8_t *bytes = malloc(length + 1);

		if (!bytes || fread(bytes, 1, length, stdin) != length)
			return 1;
		puts(judge(bytes, length));
		damage(bytes, length);
		free(bytes);
	}
	return 0;
}
