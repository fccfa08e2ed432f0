// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: a multicast that is not a valid D-Bus message reaches nobody. The corpus
 * has messages that are valid, or invalid in one place; kernel/fuzz/dbus tests the parsers alone,
 * with random input.
 */
#include "dbus.h"

static struct bytes b;

static void expect(struct fixture *f, int delivered, const char *what)
{
	OK(post_bytes(f->a.fd, EVERYONE, &b));
	if (drain(f->all.fd) != delivered)
		FAIL("%s (%s-endian) is %sdelivered", what, b.big ? "big" : "little",
		     delivered ? "not " : "");
}

static void many_fields(struct bytes *b)
{
	put_field(b, 77, "s", "of a code that nobody knows");
	align(b, 8);
	put_u8(b, 200);
	put_signature(b, "a(sa{sv})");
	put_u32(b, 0);
	align(b, 8);
}

static const struct dbus_message full = {
	A_SIGNAL, .sender = ":0.1", .destination = "org.example.Other", .signature = "sous",
	.args = { "text", "/object", "17", "" }, .more_fields = many_fields,
};

TEST(message_cut_off_at_any_byte_reaches_nobody)
{
	struct fixture f = make_fixture();
	struct dbus_message sent = full;
	size_t whole;

	for (sent.big = 0; sent.big < 2; sent.big++) {
		write_message(&b, &sent);
		whole = b.len;
		expect(&f, 1, "the whole message");
		while (b.len--)
			expect(&f, 0, "a part");
		b.len = whole + 1;
		b.data[whole] = 0;
		expect(&f, 0, "a byte more");
	}
}

/* Whatever the message turns into, no harm is done; and if a length is wrong, it is no message. */
TEST_LONG(message_with_any_byte_changed_does_no_harm, 60)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff, '/', 's', 'v', '(' };
	struct fixture f = make_fixture();
	struct dbus_message sent = full;

	OK(add_rule("@bus", f.none.id, "arg3='',arg0='text',arg1path='/object'"));
	for (sent.big = 0; sent.big < 2; sent.big++) {
		write_message(&b, &sent);
		for (size_t i = 0; i < b.len; i++) {
			unsigned char was = b.data[i];

			for (size_t v = 0; v < sizeof(values); v++) {
				b.data[i] = values[v];
				OK(post_bytes(f.a.fd, EVERYONE, &b));
				drain(f.all.fd);
				drain(f.none.fd);
			}
			b.data[i] = was;
		}
		OK(post_bytes(f.a.fd, EVERYONE, &b));
		EQ(1, drain(f.none.fd));
		drain(f.all.fd);
	}
}

static int filler;

static void long_field(struct bytes *b)
{
	static char zeros[1 << 17];

	align(b, 8);
	put_u8(b, 77);
	put_signature(b, "ay");
	put_u32(b, filler);
	put(b, zeros, filler);
	put_field(b, MEMBER, "s", "Behind");
	put_field(b, PATH, "o", "/behind/the/linear/part");
}

/* Fields may be in the pages of a message, or across the edge of a page. */
TEST_LONG(long_headers_are_read_to_their_end, 60)
{
	struct fixture f = make_fixture();
	struct dbus_message sent = {
		.interface = "a.b", .more_fields = long_field, .args = { "argument" },
	};
	int room = 1 << 20;

	OK(setsockopt(f.a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)));
	OK(add_rule("@bus", f.none.id, "path='/behind/the/linear/part',member='Behind',arg0='argument'"));
	for (filler = 0; filler < 65000; filler += filler > 7000 && filler < 8300 ? 1 : 1000) {
		sent.big = filler & 1;
		write_message(&b, &sent);
		expect(&f, 1, "a long header");
		EQ(1, drain(f.none.fd));
	}
	filler = 65536;
	write_message(&b, &sent);
	expect(&f, 0, "a header of more than 64 KiB");
}
