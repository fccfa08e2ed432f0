// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: a multicast that is no valid message of D-Bus reaches nobody, and
 * arguments are found or not. kernel/fuzz/dbus has the parsers alone, and the dice.
 */
#include "dbus.h"

static struct bytes b;

static void expect(struct world *w, int delivered, const char *what)
{
	OK(post_bytes(w->a.fd, EVERYONE, &b));
	if (drain(w->all.fd) != delivered)
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

static const struct words full = {
	A_SIGNAL, .sender = ":0.1", .destination = "org.example.Other", .signature = "sous",
	.args = { "text", "/object", "17", "" }, .more_fields = many_fields,
};

TEST(message_cut_off_at_any_byte_reaches_nobody)
{
	struct world w = make_world();
	struct words words = full;
	size_t whole;

	for (words.big = 0; words.big < 2; words.big++) {
		write_message(&b, &words);
		whole = b.len;
		expect(&w, 1, "the whole message");
		while (b.len--)
			expect(&w, 0, "a part");
		b.len = whole + 1;
		b.data[whole] = 0;
		expect(&w, 0, "a byte more");
	}
}

/* Whatever it turns into: no harm, and where a length is one off, no message. */
TEST_LONG(message_with_any_byte_changed_does_no_harm, 60)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff, '/', 's', 'v', '(' };
	struct world w = make_world();
	struct words words = full;

	OK(add_rule("@bus", w.none.id, "arg3='',arg0='text',arg1path='/object'"));
	for (words.big = 0; words.big < 2; words.big++) {
		write_message(&b, &words);
		for (size_t i = 0; i < b.len; i++) {
			unsigned char was = b.data[i];

			for (size_t v = 0; v < sizeof(values); v++) {
				b.data[i] = values[v];
				OK(post_bytes(w.a.fd, EVERYONE, &b));
				drain(w.all.fd);
				drain(w.none.fd);
			}
			b.data[i] = was;
		}
		OK(post_bytes(w.a.fd, EVERYONE, &b));
		EQ(1, drain(w.none.fd));
		drain(w.all.fd);
	}
}

static void field_0(struct bytes *b) { put_field(b, 0, "s", "x"); }
static void path_twice(struct bytes *b) { put_field(b, PATH, "o", "/twice"); }
static void path_as_string(struct bytes *b) { put_field(b, PATH, "s", "/string"); }
static void member_as_path(struct bytes *b) { put_field(b, MEMBER, "o", "/object"); }
static void signature_as_string(struct bytes *b) { put_field(b, SIGNATURE, "s", ""); }
static void serial_0(struct bytes *b) { put_field(b, REPLY_SERIAL, "u", "0"); }
static void fds_as_string(struct bytes *b) { put_field(b, UNIX_FDS, "s", "1"); }

static void two_types(struct bytes *b)
{
	align(b, 8);
	put_u8(b, 77);
	put_signature(b, "yy");
	put(b, "xx", 2);
}

static void no_type(struct bytes *b)
{
	align(b, 8);
	put_u8(b, 77);
	put_signature(b, "");
}

static void field_runs_over(struct bytes *b)
{
	align(b, 8);
	put_u8(b, 77);
	put_signature(b, "s");
	put_u32(b, 0xffffffff);
}

static void field_array_runs_over(struct bytes *b)
{
	align(b, 8);
	put_u8(b, 77);
	put_signature(b, "ay");
	put_u32(b, 100);
}

static void dirty_padding(struct bytes *b)
{
	while (b->len % 8)
		put_u8(b, 'x');
	put_u8(b, 77);
	put_signature(b, "y");
	put_u8(b, 0);
}

static void nul_in_member(struct bytes *b)
{
	align(b, 8);
	put_u8(b, MEMBER);
	put_signature(b, "s");
	put_u32(b, 3);
	put(b, "a\0b", 4);
}

static void no_nul_behind_member(struct bytes *b)
{
	align(b, 8);
	put_u8(b, MEMBER);
	put_signature(b, "s");
	put_u32(b, 3);
	put(b, "abcd", 4);
}

#define BUT_MEMBER .path = "/", .interface = "a.b"
#define BUT_PATH .interface = "a.b", .member = "c"

static const struct {
	const char *name;
	struct words words;
} misfits[] = {
	{ "signal_without_a_path", { BUT_PATH } },
	{ "signal_without_an_interface", { .path = "/", .member = "c" } },
	{ "signal_without_a_member", { BUT_MEMBER } },
	{ "call_without_a_member", { .type = CALL, BUT_MEMBER } },
	{ "call_without_a_path", { .type = CALL, BUT_PATH } },
	{ "return_without_a_serial", { .type = RETURN, A_SIGNAL } },
	{ "error_without_a_name", { .type = ERROR, .reply_serial = 1 } },
	{ "error_without_a_serial", { .type = ERROR, .error = "a.b" } },
	{ "type_5", { .type = 5, A_SIGNAL } },
	{ "field_0", { A_SIGNAL, .more_fields = field_0 } },
	{ "path_twice", { A_SIGNAL, .more_fields = path_twice } },
	{ "path_as_string", { BUT_PATH, .more_fields = path_as_string } },
	{ "member_as_path", { BUT_MEMBER, .more_fields = member_as_path } },
	{ "signature_as_string", { A_SIGNAL, .more_fields = signature_as_string } },
	{ "reply_to_serial_0", { A_SIGNAL, .more_fields = serial_0 } },
	{ "number_of_fds_as_string", { A_SIGNAL, .more_fields = fds_as_string } },
	{ "field_of_two_types", { A_SIGNAL, .more_fields = two_types } },
	{ "field_of_no_type", { A_SIGNAL, .more_fields = no_type } },
	{ "field_that_runs_over", { A_SIGNAL, .more_fields = field_runs_over } },
	{ "field_whose_array_runs_over", { A_SIGNAL, .more_fields = field_array_runs_over } },
	{ "padding_that_is_not_zero", { .path = "/", .interface = "a.b", .member = "cccccc", .more_fields = dirty_padding } },
	{ "nul_inside_a_name", { BUT_MEMBER, .more_fields = nul_in_member } },
	{ "no_nul_behind_a_name", { BUT_MEMBER, .more_fields = no_nul_behind_member } },
	{ "bad_path", { BUT_PATH, .path = "/a//b" } },
	{ "empty_path", { BUT_PATH, .path = "" } },
	{ "path_with_an_end", { BUT_PATH, .path = "/a/" } },
	{ "bad_interface", { .path = "/", .member = "c", .interface = "ab" } },
	{ "bad_member", { BUT_MEMBER, .member = "a.b" } },
	{ "bad_destination", { A_SIGNAL, .destination = "nobody" } },
	{ "bad_sender", { A_SIGNAL, .sender = "nobody" } },
	{ "bad_error_name", { .type = ERROR, .reply_serial = 1, .error = "ab" } },
	{ "local_path", { BUT_PATH, .path = "/org/freedesktop/DBus/Local" } },
	{ "local_interface", { .path = "/", .member = "c", .interface = "org.freedesktop.DBus.Local" } },
};

TEST_EACH(message_that_breaks_a_rule_of_headers_reaches_nobody, misfits)
{
	struct world w = make_world();
	struct words words = row->words;

	for (words.big = 0; words.big < 2; words.big++) {
		write_message(&b, &words);
		expect(&w, 0, row->name);
	}
}

/* One number of a message is changed: at the end of a row, to this. */
static const struct {
	const char *name;
	int at, bytes;
	uint32_t value;
} changed[] = {
	{ "byte_order", 0, 1, 'L' },
	{ "no_type", 1, 1, 0 },
	{ "version_0", 3, 1, 0 },
	{ "version_2", 3, 1, 2 },
	{ "body_of_0", 4, 4, 0 },
	{ "body_of_1", 4, 4, 1 },
	{ "endless_body", 4, 4, 0xffffffff },
	{ "half_of_everything", 4, 4, 0x80000000 },
	{ "serial_0", 8, 4, 0 },
	{ "no_fields", 12, 4, 0 },
	{ "fields_end_early", 12, 4, 8 },
	{ "fields_reach_into_the_body", 12, 4, 512 },
	{ "endless_fields", 12, 4, 0xffffffff },
	{ "negative_fields", 12, 4, 0x80000000 },
	{ "fields_wrap_around", 12, 4, 0xfffffff0 },
	{ "first_field_has_no_code", 16, 1, 0 },
	{ "first_field_is_no_path", 16, 1, SENDER },
	{ "long_signature", 17, 1, 255 },
	{ "empty_signature", 17, 1, 0 },
	{ "signature_without_its_nul", 19, 1, 's' },
	{ "endless_path", 20, 4, 0xffffffff },
	{ "negative_path", 20, 4, 0x80000000 },
	{ "path_ends_early", 20, 4, 1 },
};

TEST_EACH(message_with_a_wrong_number_reaches_nobody, changed)
{
	struct world w = make_world();
	struct words words = { A_SIGNAL, .args = { "0123456789", "x" } };

	for (words.big = 0; words.big < 2; words.big++) {
		write_message(&b, &words);
		if (row->bytes == 1)
			b.data[row->at] = row->value;
		else
			set_u32(&b, row->at, row->value);
		expect(&w, 0, row->name);
	}
}

static char nested[2][256];

static const char *nest(int i, const char *open, const char *inside, const char *close, int times)
{
	nested[i][0] = '\0';
	for (int n = 0; n < times; n++)
		strcat(nested[i], open);
	strcat(nested[i], inside);
	for (int n = 0; n < times; n++)
		strcat(nested[i], close);
	return nested[i];
}

static void some_body(struct bytes *b)
{
	put(b, "\0\0\0\0\0\0\0", 8);
}

static void check_signature(struct world *w, const char *signature, int valid)
{
	struct words words = { A_SIGNAL, .signature = signature, .body = some_body };

	write_message(&b, &words);
	expect(w, valid, signature);
}

TEST(signatures_are_checked)
{
	static const char *const good[] = {
		"y", "bnqiuxtdsoghv", "as", "aas", "(y)", "((y))", "a(yv)", "a{sv}", "a{ya{sv}}",
		"a{s(a{uv})}", "(a{sv}y)", "aa{sas}", "a{saas}y",
	};
	static const char *const bad[] = {
		"z", "e", "r", "a", "aa", "(", ")", "()", "(y", "y)", "(a)", "a()", "{sv}", "({sv})",
		"a{}", "a{s}", "a{svy}", "a{vs}", "a{(y)s}", "a{ass}", "a{sv", "a{sv)", "(y}", "a{sa}",
		"a{s(}", " ", "s\n", "a{{sv}}",
	};
	struct world w = make_world();

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		check_signature(&w, good[i], 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_signature(&w, bad[i], 0);
	check_signature(&w, nest(0, "a", "y", "", 32), 1);
	check_signature(&w, nest(0, "a", "y", "", 33), 0);
	check_signature(&w, nest(0, "(", "y", ")", 32), 1);
	check_signature(&w, nest(0, "(", "y", ")", 33), 0);
	check_signature(&w, nest(0, "a(", "y", ")", 32), 1);
	check_signature(&w, nest(0, "a(", "ay", ")", 32), 0);
	check_signature(&w, nest(0, "a{y", "y", "}", 32), 1);
	check_signature(&w, nest(0, "y", "", "", 255), 1);
	/* In a row, not in each other. */
	check_signature(&w, nest(0, "ay", "", "", 100), 1);
	check_signature(&w, nest(0, "(y)", "", "", 80), 1);
}

static void no_body(struct bytes *b) { (void)b; }

TEST(body_and_signature_want_each_other)
{
	struct world w = make_world();

	write_message(&b, &(struct words){ A_SIGNAL, .signature = "s", .body = no_body });
	expect(&w, 0, "a signature without a body");
	write_message(&b, &(struct words){ A_SIGNAL, .signature = "", .body = some_body });
	expect(&w, 0, "a body without a signature");
	write_message(&b, &(struct words){ A_SIGNAL, .signature = "", .body = no_body });
	expect(&w, 1, "neither");
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

/* Fields may lie where the message is in pages, or across their edges. */
TEST_LONG(long_headers_are_read_to_their_end, 60)
{
	struct world w = make_world();
	struct words words = { .interface = "a.b", .more_fields = long_field, .args = { "argument" } };
	int room = 1 << 20;

	OK(setsockopt(w.a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)));
	OK(add_rule("@bus", w.none.id, "path='/behind/the/linear/part',member='Behind',arg0='argument'"));
	for (filler = 0; filler < 65000; filler += filler > 7000 && filler < 8300 ? 1 : 1000) {
		words.big = filler & 1;
		write_message(&b, &words);
		expect(&w, 1, "a long header");
		EQ(1, drain(w.none.fd));
	}
	filler = 65536;
	write_message(&b, &words);
	expect(&w, 0, "a header of more than 64 KiB");
}

/* Bodies are looked at where rules ask for arguments. */

static void deep_variant(struct bytes *b, int depth)
{
	while (depth-- > 1)
		put_signature(b, "v");
	put_signature(b, "y");
	put_u8(b, 1);
}

static void variants_64(struct bytes *b) { deep_variant(b, 64); put_text(b, "x"); }
static void variants_65(struct bytes *b) { deep_variant(b, 65); put_text(b, "x"); }

static void dict(struct bytes *b)
{
	size_t at;

	put_u32(b, 0);
	at = b->len;
	align(b, 8);
	for (int i = 0; i < 3; i++) {
		align(b, 8);
		put_text(b, "key");
		put_signature(b, "au");
		put_u32(b, 4);
		put_u32(b, 7);
	}
	set_u32(b, at - 4, b->len - at - (8 - at % 8) % 8);
	put_text(b, "x");
}

static void empty_array_of_structs(struct bytes *b)
{
	put_u32(b, 0);
	align(b, 8);
	put_text(b, "x");
}

static void variant_of_a_struct(struct bytes *b)
{
	put_signature(b, "(yv(ts))");
	align(b, 8);
	put_u8(b, 1);
	put_signature(b, "s");
	put_text(b, "inside");
	align(b, 8);
	put(b, "\0\0\0\0\0\0\0", 8);
	put_text(b, "inside");
	put_text(b, "x");
}

static void all_basic(struct bytes *b)
{
	put_u8(b, 1);
	put_u32(b, 1);
	align(b, 2);
	put(b, "nnqq", 4);
	put_u32(b, 1);
	put_u32(b, 1);
	align(b, 8);
	for (int i = 0; i < 3; i++)
		put(b, "xxxxtttt", 8);
	put_text(b, "s");
	put_text(b, "/o");
	put_signature(b, "g");
	put_u32(b, 1);
	put_text(b, "x");
}

static void string_runs_over(struct bytes *b) { put_u32(b, 100); put(b, "x", 2); }
static void endless_string(struct bytes *b) { put_u32(b, 0xffffffff); put(b, "x", 2); }
static void string_to_the_last_byte(struct bytes *b) { put_u32(b, 2); put(b, "x", 2); }
static void nul_in_string(struct bytes *b) { put_u32(b, 3); put(b, "x\0y", 4); }
static void no_nul_behind_string(struct bytes *b) { put_u32(b, 1); put(b, "xy", 2); }
static void byte_too_many(struct bytes *b) { put_text(b, "x"); put_u8(b, 0); }
static void second_missing(struct bytes *b) { put_text(b, "x"); }
static void bool_of_2(struct bytes *b) { put_u32(b, 2); put_text(b, "x"); }
static void array_runs_over(struct bytes *b) { put_u32(b, 100); put_text(b, "x"); }
static void endless_array(struct bytes *b) { put_u32(b, 0xffffffff); put_text(b, "x"); }
static void variant_of_two(struct bytes *b) { put_signature(b, "yy"); put(b, "yy", 2); put_text(b, "x"); }
static void variant_of_nothing(struct bytes *b) { put_signature(b, ""); put_text(b, "x"); }
static void variant_of_nonsense(struct bytes *b) { put_signature(b, "z"); put_text(b, "x"); }
static void variant_cut_off(struct bytes *b) { put_u8(b, 1); }
static void variant_of_much(struct bytes *b) { put_u8(b, 255); put_text(b, "x"); }
static void bad_object(struct bytes *b) { put_text(b, "object"); put_text(b, "x"); }
static void padding_dirty(struct bytes *b) { put(b, "\1\1\1\1", 4); put_text(b, "x"); }

static void variants_of_a_few(struct bytes *b)
{
	put_signature(b, "(vvv)");
	align(b, 8);
	for (int i = 0; i < 3; i++) {
		put_signature(b, "(yyyyyyyy)");
		align(b, 8);
		put(b, "12345678", 8);
	}
	put_text(b, "x");
}

/* 18 variants of structs of 230 bytes each take more steps than there are. */
static void variants_without_end(struct bytes *b)
{
	char sig[256];

	snprintf(sig, sizeof(sig), "(%s)", nest(0, "v", "", "", 18));
	put_signature(b, sig);
	align(b, 8);
	for (int i = 0; i < 18; i++) {
		snprintf(sig, sizeof(sig), "(%s)", nest(0, "y", "", "", 230));
		put_signature(b, sig);
		align(b, 8);
		for (int j = 0; j < 230; j++)
			put_u8(b, 1);
	}
	put_text(b, "x");
}

static const struct {
	const char *name, *signature, *rule;
	void (*body)(struct bytes *b);
	int matches;
} bodies[] = {
	{ "variants_64_deep", "vs", "arg1=x", variants_64, 1 },
	{ "variants_65_deep", "vs", "arg1=x", variants_65, 0 },
	{ "dict", "a{sv}s", "arg1=x", dict, 1 },
	{ "empty_array", "a(ts)s", "arg1=x", empty_array_of_structs, 1 },
	{ "variant_of_a_struct", "vs", "arg1=x", variant_of_a_struct, 1 },
	{ "variants_of_a_few", "vs", "arg1=x", variants_of_a_few, 1 },
	{ "more_values_than_are_walked_over", "vs", "arg1=x", variants_without_end, 0 },
	{ "all_basic_types", "ybnqiuxtdsoghs", "arg13=x", all_basic, 1 },
	{ "string_runs_over", "s", "arg0=x", string_runs_over, 0 },
	{ "endless_string", "s", "arg0=x", endless_string, 0 },
	{ "string_to_the_last_byte", "s", "arg0=x", string_to_the_last_byte, 0 },
	{ "nul_in_string", "s", "arg0path=x/", nul_in_string, 0 },
	{ "no_nul_behind_string", "s", "arg0=x", no_nul_behind_string, 0 },
	{ "byte_too_many", "s", "arg0=x", byte_too_many, 0 },
	{ "second_missing", "ss", "arg0=x,arg1=''", second_missing, 0 },
	{ "bool_of_2", "bs", "arg1=x", bool_of_2, 0 },
	{ "array_runs_over", "ays", "arg1=x", array_runs_over, 0 },
	{ "endless_array", "ays", "arg1=x", endless_array, 0 },
	{ "variant_of_two", "vs", "arg1=x", variant_of_two, 0 },
	{ "variant_of_nothing", "vs", "arg1=x", variant_of_nothing, 0 },
	{ "variant_of_nonsense", "vs", "arg1=x", variant_of_nonsense, 0 },
	{ "variant_cut_off", "vs", "arg1=x", variant_cut_off, 0 },
	{ "variant_of_much", "vs", "arg1=x", variant_of_much, 0 },
	{ "bad_object", "os", "arg1=x", bad_object, 0 },
	{ "padding_that_is_not_zero", "ys", "arg1=x", padding_dirty, 0 },
};

TEST_EACH(arguments_are_found_or_the_rule_does_not_match, bodies)
{
	struct world w = make_world();
	struct words words = { A_SIGNAL, .signature = row->signature, .body = row->body };

	OK(add_rule("@bus", w.none.id, row->rule));
	for (words.big = 0; words.big < 2; words.big++) {
		write_message(&b, &words);
		/* Nobody who does not ask for arguments is bothered with them. */
		expect(&w, 1, row->name);
		EQ(row->matches, drain(w.none.fd));
	}
}

TEST(argument_63_is_the_last)
{
	struct world w = make_world();
	struct words words = { A_SIGNAL };

	for (int i = 0; i < 64; i++)
		words.args[i] = i == 63 ? "last" : "";
	OK(add_rule("@bus", w.none.id, "arg63=last"));
	OK(signal_all(w.a.fd, &words));
	EQ(1, drain(w.none.fd));
}
