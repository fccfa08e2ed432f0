// SPDX-License-Identifier: GPL-2.0-only
/*
 * The D-Bus messages that are sent: a few, in both byte orders, each once for a group and once for
 * one recipient, and some for a group that are surely invalid. A few bytes of what is sent may be
 * spoilt besides, which may make it invalid or not; a receiver still recognises what arrives.
 */
#include "fuzz.h"

enum { SPOILT = 3, MAX_MESSAGES = 64, LONG = 20000 };

struct saying {
	unsigned char *data;
	size_t len;
	int broken;
};

struct sayings {
	struct saying one[MAX_MESSAGES];
	unsigned int n;
};

static struct sayings sayings[2];	/* for one recipient, and for many */

static void a_long_body(struct bytes *b)
{
	static char text[LONG];

	memset(text, 'x', sizeof(text) - 1);
	put_text(b, text);
	put_text(b, "org.example.Player");
}

static void a_deep_body(struct bytes *b)
{
	put_signature(b, "v");
	put_signature(b, "(us)");
	align(b, 8);
	put_u32(b, 1);
	put_text(b, "within");
	put_text(b, "behind");
}

static const struct dbus_message known[] = {
	{ A_SIGNAL },
	{ A_SIGNAL, .destination = ":0.2" },
	{ .path = "/", .interface = "a.b", .member = "M", .args = { "", "/aa/bb/", "x" } },
	{ A_SIGNAL, .args = { "org.example.Player", "/aa/bb" }, .sender = "org.example.Player" },
	{ .type = CALL, .path = "/org/example/Player", .member = "Play", .destination = "x-y.z" },
	{ .type = RETURN, .reply_serial = 7, .signature = "ou", .args = { "/aa/bb", "12" } },
	{ .type = ERROR, .error = "a.b.Failed", .reply_serial = 8, .args = { "no" } },
	{ A_SIGNAL, .signature = "vs", .body = a_deep_body },
	{ A_SIGNAL, .signature = "ss", .body = a_long_body },
};

static struct saying *add_saying(struct sayings *s, const struct bytes *b)
{
	struct saying *one = &s->one[s->n++];

	CHECK(s->n <= MAX_MESSAGES);
	one->data = malloc(b->len);
	CHECK(one->data);
	memcpy(one->data, b->data, b->len);
	one->len = b->len;
	return one;
}

/* A header field that no receiver knows tells the two apart. */
static void for_one(struct bytes *b)
{
	put_field(b, 77, "s", "to somebody");
}

static void for_many(struct bytes *b)
{
	put_field(b, 77, "s", "to everyone who is there");
}

/* It has the original length, so that no message that was cut looks the same. */
static void keep_broken(const struct bytes *whole)
{
	static const struct {
		unsigned int at;
		unsigned char value;
	} changes[] = {
		{ 0, 'x' }, { 1, 0 }, { 3, 2 }, { 4, 200 }, { 8, 0 }, { 12, 1 }, { 15, 255 }, { 17, 'q' },
	};
	static struct bytes b;

	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		b = *whole;
		b.data[changes[i].at] = changes[i].value;
		/* A serial of 0 is none. */
		if (changes[i].at == 8)
			memset(b.data + 8, 0, 4);
		add_saying(&sayings[1], &b)->broken = 1;
	}
}

void prepare_messages(void)
{
	static struct bytes b;

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(known); i++) {
		struct dbus_message w = known[i / 2];

		w.big = i % 2;
		w.more_fields = for_one;
		write_message(&b, &w);
		add_saying(&sayings[0], &b);
		w.more_fields = for_many;
		write_message(&b, &w);
		add_saying(&sayings[1], &b);
		if (i < 2)
			keep_broken(&b);
	}
}

/* One of them, as it is or spoilt; good until the next one is drawn. */
const unsigned char *some_dbus(struct rng *d, int many, size_t *len)
{
	static unsigned char data[1 << 16];
	const struct sayings *s = &sayings[many];
	const struct saying *one = &s->one[roll(d, s->n)];

	*len = one->len;
	memcpy(data, one->data, one->len);
	if (one_in(d, 4))
		for (unsigned int n = 1 + roll(d, SPOILT); n; n--)
			data[one_in(d, 2) ? roll(d, 16) : roll(d, one->len)] = rng_next(d);
	return data;
}

static int is_like(const unsigned char *a, const unsigned char *b, size_t len)
{
	unsigned int spoilt = 0;

	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && ++spoilt > SPOILT)
			return 0;
	return 1;
}

static int is_piece(const unsigned char *data, size_t len, const struct saying *of)
{
	for (size_t at = 0; at + len <= of->len; at++)
		if (is_like(data, of->data + at, len))
			return 1;
	return 0;
}

/* Return: whether it is one of them, or a piece of one, spoilt no more than they may be. */
int is_dbus(const unsigned char *data, size_t len)
{
	for (int many = 0; many < 2; many++)
		for (unsigned int i = 0; i < sayings[many].n; i++)
			if (is_piece(data, len, &sayings[many].one[i]))
				return 1;
	return 0;
}

int is_broken_multicast(const unsigned char *data, size_t len)
{
	const struct sayings *s = &sayings[1];

	for (unsigned int i = 0; i < s->n; i++)
		if (s->one[i].broken && s->one[i].len == len && !memcmp(s->one[i].data, data, len))
			return 1;
	return 0;
}
