// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz SECONDS SEED [TRIES] - random messages and rules, spoilt afterwards, for the parsers of
 * nfdbus, which are built with the sanitizers. What is tried is a function of SEED and the number
 * of the try.
 *
 * Besides what the sanitizers see:
 * - a message means the same however much of it is linear;
 * - all that was found in it lies within it, and strings end with a NUL;
 * - a rule that is written anew from what was read of it means the same;
 * - the corpus (tests/corpus.txt) means what it says;
 * - what was not spoilt is valid, and each text among its arguments is found.
 */
#define HARNESS_OWN_MAIN
#include "../../tests/corpus.h"
#include "../../nfdbus/dbus.h"
#include "../rng.h"

enum { PIECES = 4, IN_A_HEADER = 4 };

static u64 seed, try;
static struct rng stream;

static u32 draw(u32 sides)
{
	return roll(&stream, sides);
}

__attribute__((noreturn))
static void wrong(const char *what)
{
	printf("fuzz: %s; again: fuzz 0 %llu %llu\n", what, (unsigned long long)seed,
	       (unsigned long long)try + 1);
	fflush(stdout);
	abort();
}

/* Messages. */

static const char *const paths[] = { "/", "/a", "/org/example/Player", "/a/b_2/c" };
static const char *const names[] = { "org.example.Player", "a.b", ":0.1f", "org.freedesktop.DBus", "x-y.z" };
static const char *const members[] = { "Changed", "M", "m_1" };
static const char *const texts[] = { "", "x", "org.example", "org.example.Player", "/aa/bb/", "/aa/bb", "/", "it's, \\" };

#define ONE_OF(list) ((list)[draw(ARRAY_SIZE(list))])
#define SOME(list) (draw(4) ? ONE_OF(list) : NULL)

static const char *random_value(struct bytes *b, const char *sig, int depth);

static bool deep;	/* there may be more variants in variants than are walked over */

/* A type as a signature, at @at; where it ends. */
static char *random_type(char *at, int depth)
{
	static const char basic[] = "ybnqiuxtdsogh";

	switch (depth ? draw(6) : 5) {
	case 0:
		*at++ = 'a';
		if (!draw(3)) {
			*at++ = '{';
			*at++ = basic[draw(sizeof(basic) - 1)];
			at = random_type(at, depth - 1);
			*at++ = '}';
			return at;
		}
		return random_type(at, depth - 1);
	case 1:
		*at++ = '(';
		for (u32 n = 1 + draw(3); n; n--)
			at = random_type(at, depth - 1);
		*at++ = ')';
		return at;
	case 2:
		*at++ = 'v';
		return at;
	default:
		*at++ = draw(2) ? 's' : basic[draw(sizeof(basic) - 1)];
		return at;
	}
}

static const char *after_type(const char *sig)
{
	int depth = 0;

	for (;; sig++) {
		if (*sig == 'a')
			continue;
		depth += *sig == '(' || *sig == '{';
		depth -= *sig == ')' || *sig == '}';
		if (!depth)
			return sig + 1;
	}
}

static void random_array(struct bytes *b, const char *sig, int depth)
{
	size_t at, first;

	put_u32(b, 0);
	at = b->len - 4;
	if (strchr("xtd({", *sig))
		align(b, 8);
	first = b->len;
	for (u32 n = draw(3); n; n--)
		random_value(b, sig, depth - 1);
	set_u32(b, at, b->len - first);
}

/* A value of the first type of @sig; what of @sig is left. */
static const char *random_value(struct bytes *b, const char *sig, int depth)
{
	char inner[256] = "";

	switch (*sig) {
	case 'y':
		put_u8(b, rng_next(&stream));
		break;
	case 'n':
	case 'q':
		align(b, 2);
		put(b, "nq", 2);
		break;
	case 'b':
		put_u32(b, draw(2));
		break;
	case 'x':
	case 't':
	case 'd':
		align(b, 8);
		put(b, "12345678", 8);
		break;
	case 's':
		put_text(b, ONE_OF(texts));
		break;
	case 'o':
		put_text(b, ONE_OF(paths));
		break;
	case 'g':
		put_signature(b, draw(2) ? "a{sv}" : "");
		break;
	case 'v':
		/*
		 * Sometimes deeper than is allowed: not in a header, which would be invalid then.
		 */
		if (depth > IN_A_HEADER && !draw(20)) {
			for (u32 n = draw(100); n; n--)
				put_signature(b, "v");
			depth = 0;
			deep = true;
		}
		*random_type(inner, depth > 0 ? 2 : 0) = '\0';
		put_signature(b, inner);
		random_value(b, inner, depth - 1);
		break;
	case 'a':
		random_array(b, sig + 1, depth);
		break;
	case '(':
	case '{':
		align(b, 8);
		for (sig++; *sig != ')' && *sig != '}';)
			sig = random_value(b, sig, depth - 1);
		return sig + 1;
	default:
		put_u32(b, rng_next(&stream));
	}
	return after_type(sig);
}

static char signature[256];

static void random_body(struct bytes *b)
{
	for (const char *sig = signature; *sig;)
		sig = random_value(b, sig, IN_A_HEADER + 3);
}

static void random_fields(struct bytes *b)
{
	char inner[256] = "";

	for (u32 n = draw(3); n; n--) {
		align(b, 8);
		put_u8(b, 10 + draw(246));
		*random_type(inner, 3) = '\0';
		put_signature(b, inner);
		random_value(b, inner, IN_A_HEADER);
	}
}

static void random_message(struct bytes *b)
{
	struct dbus_message w = {
		.big = draw(2), .type = 1 + draw(4),
		.path = ONE_OF(paths), .interface = names[draw(2)], .member = ONE_OF(members),
		.error = "a.b", .destination = SOME(names), .sender = SOME(names),
		.reply_serial = 1 + draw(9), .signature = signature,
		.more_fields = random_fields, .body = random_body,
	};
	char *end = signature;

	deep = false;
	for (u32 n = draw(5); n; n--)
		end = random_type(end, 3);
	*end = '\0';
	write_message(b, &w);
}

static void spoil(u8 *data, size_t *len, size_t room)
{
	static const u32 numbers[] = { 0, 1, 4, 8, 255, 256, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8 };
	size_t at = draw(*len ?: 1), n = 1 + draw(16);
	u32 number = ONE_OF(numbers);

	switch (draw(8)) {
	case 0:
		*len = at;
		break;
	case 1:
		if (at + 4 <= *len)
			memcpy(data + at / 4 * 4, &number, 4);
		break;
	case 2:
		if (at + 4 <= *len) {
			number = __builtin_bswap32(number);
			memcpy(data + at / 4 * 4, &number, 4);
		}
		break;
	case 3:
		if (at + n <= *len) {
			memmove(data + at, data + at + n, *len - at - n);
			*len -= n;
		}
		break;
	case 4:
		if (at + n <= *len && *len + n <= room) {
			memmove(data + at + n, data + at, *len - at);
			*len += n;
		}
		break;
	case 5:
		if (at < *len)
			data[at] ^= 1 << draw(8);
		break;
	case 6:
		if (at < *len)
			data[at] = "lBsoagvay(){}\0/.,'\\=:"[draw(21)];
		break;
	default:
		if (at < *len)
			data[at] = rng_next(&stream);
	}
}

/* Rules. */

static const char *const keys[] = {
	"type=signal", "type='method_call'", "sender='org.example.Player'", "sender=':0.1f'",
	"interface='org.example.Player'", "interface=a.b", "member=Changed", "member='M'",
	"path='/a'", "path_namespace='/org/example'", "path_namespace=/", "destination=':0.1f'",
	"arg0='x'", "arg0path='/aa/'", "arg0namespace='org.example'", "arg1=x", "arg2path='/'",
	"arg3=''", "eavesdrop=true", "eavesdrop=false", "arg63=x", "arg1='it'\\''s, \\\\'", " arg4 = x",
};

static size_t random_rule(char *text)
{
	size_t len = 0;

	for (u32 n = draw(5); n; n--)
		len += sprintf(text + len, "%s%s", ONE_OF(keys), n > 1 ? "," : "");
	return len;
}

/* In memory of its own, which ends at its last byte. */
static void *exact(const void *data, size_t len)
{
	void *copy = malloc(len ?: 1);

	memcpy(copy, data, len);
	return copy;
}

static const u64 somebody = 0x1f;

/* The rule of a text, or NULL. */
static struct nfdbus_rule *read_rule(const char *text, size_t len)
{
	struct nfdbus_draft *d = malloc(sizeof(*d));
	struct nfdbus_rule *rule = NULL;
	char *copy = exact(text, len);

	if (!nfdbus_rule_parse(d, copy, len)) {
		if (d->nr_bytes > len || d->nr_terms > NFDBUS_TERMS)
			wrong("a rule of more than its text");
		rule = malloc(nfdbus_rule_size(d));
		nfdbus_rule_make(rule, d);
		rule->from = &somebody;
	} else if (!d->error || d->error_at > len) {
		wrong("a refusal without a reason or a slot");
	}
	free(copy);
	free(d);
	return rule;
}

static size_t write_term(char *text, const struct nfdbus_rule *rule, const struct nfdbus_term *t)
{
	static const char *const words[] = {
		"type", "sender", "interface", "member", "path", "path_namespace", "destination", "eavesdrop",
	};
	const char *value = nfdbus_rule_value(rule, t);
	size_t len;

	if (t->key == NFDBUS_KEY_EAVESDROP)
		return sprintf(text, "eavesdrop=%s,", t->len ? "true" : "false");
	if (t->key < NFDBUS_KEY_ARG)
		len = sprintf(text, "%s='", words[t->key]);
	else
		len = sprintf(text, "arg%u%s='", t->arg, t->key == NFDBUS_KEY_ARG ? "" :
			      t->key == NFDBUS_KEY_ARG_PATH ? "path" : "namespace");
	for (u32 i = 0; i < t->len; i++) {
		if (value[i] == '\'')
			len += sprintf(text + len, "'\\''");
		else
			text[len++] = value[i];
	}
	return len + sprintf(text + len, "',");
}

static void check_rule(const struct nfdbus_rule *rule)
{
	char text[8192];
	struct nfdbus_rule *again;
	size_t len = 0;

	for (u32 i = rule->nr_terms; i; i--)
		len += write_term(text + len, rule, &rule->terms[i - 1]);
	if (len > NFDBUS_RULE_MAX)
		return;
	again = read_rule(text, len);
	if (!again || !nfdbus_rule_equals(rule, again) || !nfdbus_rule_equals(again, rule))
		wrong("a rule is another one when it is written anew");
	free(again);
}

/* Both. */

static void check_text(const struct nfdbus_text *text, const u8 *data, size_t len)
{
	if (text->at && (text->at >= len || text->len >= len - text->at || data[text->at + text->len]))
		wrong("a string that is not in the message");
}

static void check_found(struct nfdbus_message *m, const u8 *data, size_t len)
{
	u32 fields, at;
	bool object_path;

	if (!nfdbus_get_u32(m, 12, len, &fields) || fields > len - 16)
		wrong("a header that is longer than its message");
	for (u32 i = 0; i < __NFDBUS_FIELD_MAX; i++) {
		if (m->fields[i].at && m->fields[i].at + m->fields[i].len > 16 + fields)
			wrong("a field that is not in the header");
		if (i != NFDBUS_FIELD_REPLY_SERIAL && i != NFDBUS_FIELD_UNIX_FDS)
			check_text(&m->fields[i], data, len);
	}
	at = 16 + fields;
	for (u32 i = 0; i < NFDBUS_ARGS; i++) {
		const struct nfdbus_text *arg = nfdbus_message_arg(m, i, &object_path);

		if (!arg)
			continue;
		check_text(arg, data, len);
		if (arg->at < at)
			wrong("an argument that is not behind the one before");
		at = arg->at + arg->len + 1;
	}
}

/* What a rule, and the check of validity, find with that much of the message linear. */
static int look(const u8 *data, size_t len, size_t linear, const struct nfdbus_rule *rule)
{
	struct sk_buff skb = { .linear = linear, .len = len };
	struct nfdbus_message *m = malloc(sizeof(*m));
	int result;

	/* Arguments are not cleared: the kernel does not clear them either. */
	memset(m, 0xa5, sizeof(*m));
	skb.data = exact(data, linear);
	skb.rest = exact(data + linear, len - linear);
	result = nfdbus_message_parse(m, &skb);
	if (result && rule)
		result += nfdbus_rule_is_from(rule, 0x1f) && nfdbus_rule_fits(rule, m) ? 2 : 0;
	if (result)
		check_found(m, data, len);
	free((void *)skb.data);
	free((void *)skb.rest);
	free(m);
	return result;
}

/* In a good message each text is found. */
static void check_args(const struct bytes *b)
{
	struct sk_buff skb = { .data = b->data, .linear = b->len, .len = b->len };
	struct nfdbus_message *m = malloc(sizeof(*m));
	const char *sig = signature;
	bool object_path;

	nfdbus_message_parse(m, &skb);
	for (u32 i = 0; *sig && i < NFDBUS_ARGS; i++, sig = after_type(sig)) {
		bool text = *sig == 's' || *sig == 'o';

		if (!nfdbus_message_arg(m, i, &object_path) == text ||
		    (text && object_path != (*sig == 'o')))
			wrong("an argument is not found, or is one that it is not");
	}
	free(m);
}

static u64 valid, valid_unspoilt, unspoilt, matched, rules;

static void one_try(void)
{
	static struct bytes b;
	char text[2048];
	struct nfdbus_rule *rule;
	u32 spoils = draw(4);
	size_t len;
	int result;

	len = random_rule(text);
	for (u32 n = draw(3); n; n--)
		spoil((u8 *)text, &len, sizeof(text));
	rule = read_rule(text, len);
	if (rule) {
		rules++;
		check_rule(rule);
	}

	random_message(&b);
	for (u32 n = spoils; n; n--)
		spoil(b.data, &b.len, sizeof(b.data));
	result = look(b.data, b.len, b.len, rule);
	valid += !!result;
	matched += result == 3;
	unspoilt += !spoils;
	valid_unspoilt += !spoils && result;
	if (!spoils && !result && b.len < 60000)
		wrong("a good message is refused");
	if (!spoils && result && !deep)
		check_args(&b);
	for (int i = 0; i < PIECES; i++) {
		if (look(b.data, b.len, draw(b.len + 1), rule) != result)
			wrong("a message means something else in pieces");
	}
	free(rule);
}

static struct corpus corpus;

static void check_corpus_rule(void)
{
	struct nfdbus_rule *rule = read_rule(corpus.rule, strlen(corpus.rule));
	struct nfdbus_rule *base;

	if (!rule != (corpus.sign == '-'))
		CORPUS_FAIL(&corpus, "%s is %s", corpus.rule, rule ? "taken" : "refused");
	if (rule && strchr("=!", corpus.sign)) {
		base = read_rule(corpus.base, strlen(corpus.base));
		if (nfdbus_rule_equals(rule, base) != (corpus.sign == '='))
			CORPUS_FAIL(&corpus, "%s and %s", corpus.rule, corpus.base);
		free(base);
	}
	free(rule);
}

/* Whole, and with every other length of its linear part. */
static void check_corpus_message(struct nfdbus_rule *rule, int expected)
{
	for (int i = 0; i < ORDERS; i++) {
		const struct bytes *b = &corpus.message[i];

		for (u32 linear = b->len % 7; linear <= b->len; linear += 1 + b->len / 50) {
			if (look(b->data, b->len, linear, rule) != expected)
				CORPUS_FAIL(&corpus, "%s: %s", corpus.title, corpus.rule);
		}
	}
}

static void check_corpus_match(void)
{
	struct nfdbus_rule *rule;

	/* The kernel, which is missing here, decides about the sender. */
	if (!corpus.valid || strstr(corpus.rule, "sender="))
		return;
	rule = read_rule(corpus.rule, strlen(corpus.rule));
	if (!rule)
		CORPUS_FAIL(&corpus, "%s is refused", corpus.rule);
	check_corpus_message(rule, corpus.yes ? 3 : 1);
	free(rule);
}

static void check_corpus(void)
{
	corpus_open(&corpus);
	for (enum corpus_kind kind; (kind = corpus_next(&corpus));) {
		if (kind == CORPUS_RULE)
			check_corpus_rule();
		else if (kind == CORPUS_MESSAGE)
			check_corpus_message(NULL, corpus.valid);
		else
			check_corpus_match();
	}
}

int main(int argc, char **argv)
{
	long long end = now_ms() + (argc > 1 ? atoll(argv[1]) : 10) * 1000;
	u64 tries = argc > 3 ? strtoull(argv[3], NULL, 0) : U64_MAX;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (argc > 3)
		end = INT64_MAX;
	check_corpus();
	for (try = 0; try < tries && (try % 256 || now_ms() < end); try++) {
		stream = rng_for(seed, try);
		one_try();
	}
	printf("fuzz: %llu tries, %llu rules, %llu valid messages of which %llu matched, no fault\n",
	       (unsigned long long)try, (unsigned long long)rules, (unsigned long long)valid,
	       (unsigned long long)matched);
	return valid_unspoilt == unspoilt ? 0 : 1;
}
