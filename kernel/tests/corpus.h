/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads corpus.txt, which explains its own format: match rules, messages, and which rule matches
 * which message. Some lines say what nfdbus does differently from all other readers: they are read
 * here, too.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include "dbus.h"

enum corpus_kind { CORPUS_END, CORPUS_RULE, CORPUS_MESSAGE, CORPUS_MATCH };

enum { LITTLE_ENDIAN_ORDER, BIG_ENDIAN_ORDER, ORDERS, MAX_SETS = 4 };

/* The place of corpus_next() in the file, and what it has found there. */
struct corpus {
	FILE *file;
	int number;			/* of the line */
	char line[1 << 16];
	char verdict[8];		/* of the line, for nfdbus */

	char sign;			/* of a rule: + - = ! */
	char rule[8192];
	char base[8192];		/* what = and ! compare it with */
	int yes;			/* of a match */

	char title[128];		/* of a message */
	int valid;
	struct bytes message[ORDERS];

	/* The message under construction. */
	int type, cut, nr_sets;
	char sets[MAX_SETS][32];
	struct bytes body[ORDERS], tail[ORDERS];
};

#define CORPUS_FAIL(c, format, ...) \
	FAIL("corpus.txt:%d: " format, (c)->number, ##__VA_ARGS__)

/*
 * %0a stands for a byte, %{61*500} for 500 of them. Return: the number of bytes; a NUL follows
 * them.
 */
static inline size_t corpus_expand(char *to, size_t room, const char *from)
{
	size_t len = 0, times;
	unsigned int byte;
	int used;

	while (*from) {
		times = 1;
		if (sscanf(from, "%%{%2x*%zu}%n", &byte, &times, &used) < 2 &&
		    sscanf(from, "%%%2x%n", &byte, &used) < 1) {
			byte = *from;
			used = 1;
		}
		if (len + times >= room)
			FAIL("no room for %s", from);
		memset(to + len, byte, times);
		len += times;
		from += used;
	}
	to[len] = '\0';
	return len;
}

/* Cuts off the first word. Return: what follows the one blank after it. */
static inline char *corpus_rest(char *text)
{
	char *end = strchr(text, ' ');

	if (!end)
		return text + strlen(text);
	*end = '\0';
	return end + 1;
}

static inline void corpus_put_signature(struct bytes *b, const char *text)
{
	static char signature[8192];
	size_t len = corpus_expand(signature, sizeof(signature), text);

	put_u8(b, len);
	put(b, signature, len + 1);
}

static inline void corpus_put_text(struct bytes *b, char kind, const char *text)
{
	static char expanded[1 << 17];
	size_t len = corpus_expand(expanded, sizeof(expanded), text);

	if (kind == 's' || kind == 'o') {
		put_u32(b, len);
		put(b, expanded, len + 1);
	} else {
		put(b, expanded, len);
	}
}

static inline void corpus_put_bits(struct bytes *b, uint64_t value, size_t size)
{
	align(b, size);
	for (size_t i = 0; i < size; i++)
		put_u8(b, value >> 8 * (b->big ? size - 1 - i : i));
}

/* Reads a number of the type @code at *@text, which moves past it. */
static inline void corpus_put_number(struct bytes *b, char code, char **text)
{
	static const char types[] = "ybnqiuhxtd";
	static const unsigned char sizes[] = { 1, 4, 2, 2, 4, 4, 4, 8, 8, 8 };
	uint64_t value;
	double real;

	if (code == 'd') {
		real = strtod(*text, text);
		memcpy(&value, &real, sizeof(value));
	} else {
		value = **text == '-' ? (uint64_t)strtoll(*text, text, 10) : strtoull(*text, text, 10);
	}
	corpus_put_bits(b, value, sizes[strchr(types, code) - types]);
}

static inline void corpus_put_hex(struct bytes *b, char **text)
{
	char *start = *text, *end = start + strspn(start, "0123456789abcdef");
	unsigned long times = *end == '*' ? strtoul(end + 1, text, 10) : (*text = end, 1);
	unsigned int byte;

	while (times--) {
		for (char *at = start; at < end && sscanf(at, "%2x", &byte) == 1; at += 2)
			put_u8(b, byte);
	}
}

/* VALUES, as corpus.txt writes them. */
static inline void corpus_put(struct corpus *c, struct bytes *b, const char *values)
{
	static char text[1 << 16];
	size_t open[40], nr_open = 0;
	char *at = text, *end;

	snprintf(text, sizeof(text), "%s", values);
	while (*at) {
		char kind = *at++;

		if (kind == ' ' || strchr(")}", kind))
			continue;
		if (strchr("sog\"", kind)) {
			at += kind != '"';
			end = strchr(at, '"');
			if (!end)
				CORPUS_FAIL(c, "no end: %s", at);
			*end = '\0';
			if (kind == 'g')
				corpus_put_signature(b, at);
			else
				corpus_put_text(b, kind, at);
			at = end + 1;
		} else if (strchr("ybnqiuhxtd", kind)) {
			corpus_put_number(b, kind, &at);
		} else if (kind == '(' || kind == '{') {
			align(b, 8);
		} else if (kind == '|') {
			align(b, *at++ - '0');
		} else if (kind == '!') {
			corpus_put_hex(b, &at);
		} else if (kind == '[') {
			put_u32(b, 0);
			open[nr_open++] = b->len - 4;
			align(b, *at++ - '0');
			open[nr_open++] = b->len;
		} else if (kind == ']') {
			nr_open -= 2;
			set_u32(b, open[nr_open], b->len - open[nr_open + 1]);
		} else {
			CORPUS_FAIL(c, "not understood: %c%s", kind, at);
		}
	}
}

static inline void corpus_field(struct corpus *c, int code, const char *signature, const char *values)
{
	for (int i = 0; i < ORDERS; i++) {
		align(&c->message[i], 8);
		put_u8(&c->message[i], code);
		corpus_put_signature(&c->message[i], strcmp(signature, "-") ? signature : "");
		corpus_put(c, &c->message[i], values);
	}
}

/* A header field of type text; - leaves it out. */
static inline void corpus_text_field(struct corpus *c, int code, const char *signature, const char *text)
{
	static char value[8192];

	if (!strcmp(text, "-"))
		return;
	snprintf(value, sizeof(value), strcmp(signature, "u") ? "%s\"%s\"" : "%s%s", signature, text);
	corpus_field(c, code, signature, value);
}

static inline void corpus_begin(struct corpus *c, char *title)
{
	snprintf(c->title, sizeof(c->title), "%s", title);
	c->type = c->cut = c->nr_sets = 0;
	for (int i = 0; i < ORDERS; i++) {
		c->message[i] = (struct bytes){ .big = i };
		c->body[i].len = c->tail[i].len = 0;
		c->body[i].big = c->tail[i].big = i;
		put_u8(&c->message[i], i ? 'B' : 'l');
		put(&c->message[i], "\0\0\1", 3);
		put_u32(&c->message[i], 0);
		put_u32(&c->message[i], 7);
		put_u32(&c->message[i], 0);
	}
}

/* The type of a message, and its first fields. Return: whether @word is a type. */
static inline int corpus_kind(struct corpus *c, const char *word, char *rest)
{
	char *second = corpus_rest(rest), *third = corpus_rest(second);

	if (!strcmp(word, "type")) {
		c->type = atoi(rest);
	} else if (!strcmp(word, "signal") || !strcmp(word, "call")) {
		c->type = word[0] == 's' ? SIGNAL : CALL;
		corpus_text_field(c, PATH, "o", rest);
		corpus_text_field(c, INTERFACE, "s", second);
		corpus_text_field(c, MEMBER, "s", third);
	} else if (!strcmp(word, "error")) {
		c->type = ERROR;
		corpus_text_field(c, ERROR_NAME, "s", rest);
		corpus_text_field(c, REPLY_SERIAL, "u", second);
	} else if (!strcmp(word, "return")) {
		c->type = RETURN;
		corpus_text_field(c, REPLY_SERIAL, "u", rest);
	} else {
		return 0;
	}
	return 1;
}

static inline void corpus_body(struct corpus *c, char *rest)
{
	char *values = corpus_rest(rest);

	corpus_text_field(c, SIGNATURE, "g", rest);
	for (int i = 0; i < ORDERS; i++)
		corpus_put(c, &c->body[i], values);
}

static inline uint32_t corpus_get_u32(const struct bytes *b, size_t at)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)b->data[at + i] << (b->big ? 24 - 8 * i : 8 * i);
	return value;
}

/* `WHAT NUMBER`: overwrites a number of the fixed header. */
static inline void corpus_set(struct corpus *c, struct bytes *b, const char *set)
{
	static const struct {
		const char *what;
		int at, size;
	} numbers[] = {
		{ "order", 0, 1 }, { "type", 1, 1 }, { "flags", 2, 1 }, { "version", 3, 1 },
		{ "body", 4, 4 }, { "serial", 8, 4 }, { "fields", 12, 4 },
	};
	char what[32], value[32];

	sscanf(set, "%31s %31s", what, value);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int at = numbers[i].at;

		if (strcmp(what, numbers[i].what))
			continue;
		if (numbers[i].size == 1)
			b->data[at] = strtoul(value, NULL, 0);
		else if (strchr("+-", value[0]))
			set_u32(b, at, corpus_get_u32(b, at) + strtol(value, NULL, 0));
		else
			set_u32(b, at, strtoul(value, NULL, 0));
		return;
	}
	CORPUS_FAIL(c, "no such number: %s", set);
}

static inline void corpus_finish(struct corpus *c)
{
	for (int i = 0; i < ORDERS; i++) {
		struct bytes *b = &c->message[i];

		set_u32(b, 12, b->len - 16);
		align(b, 8);
		set_u32(b, 4, c->body[i].len);
		put(b, c->body[i].data, c->body[i].len);
		b->len -= c->cut;
		put(b, c->tail[i].data, c->tail[i].len);
		b->data[1] = c->type;
		for (int n = 0; n < c->nr_sets; n++)
			corpus_set(c, b, c->sets[n]);
	}
}

static inline void corpus_part(struct corpus *c, const char *word, char *rest)
{
	char *signature, *values;

	if (!strcmp(word, "message")) {
		corpus_begin(c, rest);
	} else if (!strcmp(word, "field")) {
		signature = corpus_rest(rest);
		values = corpus_rest(signature);
		corpus_field(c, atoi(rest), signature, values);
	} else if (!strcmp(word, "body")) {
		corpus_body(c, rest);
	} else if (!strcmp(word, "set")) {
		if (c->nr_sets == MAX_SETS)
			CORPUS_FAIL(c, "too many numbers");
		snprintf(c->sets[c->nr_sets++], sizeof(c->sets[0]), "%s", rest);
	} else if (!strcmp(word, "cut")) {
		c->cut = atoi(rest);
	} else if (!strcmp(word, "tail")) {
		for (int i = 0; i < ORDERS; i++)
			corpus_put(c, &c->tail[i], rest);
	} else if (strcmp(word, "is") && !corpus_kind(c, word, rest)) {
		CORPUS_FAIL(c, "not understood: %s", word);
	}
}

/* Finds the next line that is no comment, with what nfdbus does differently. */
static inline char *corpus_line(struct corpus *c)
{
	static char ahead[1 << 12];
	long at;

	do {
		if (!fgets(c->line, sizeof(c->line), c->file))
			return NULL;
		c->line[strcspn(c->line, "\n")] = '\0';
		c->number++;
	} while (!c->line[0] || strchr("#@", c->line[0]));

	c->verdict[0] = '\0';
	for (at = ftell(c->file); fgets(ahead, sizeof(ahead), c->file) && ahead[0] == '@'; at = ftell(c->file)) {
		sscanf(ahead, "@ nfdbus %7s", c->verdict);
		c->number++;
	}
	fseek(c->file, at, SEEK_SET);
	return c->line;
}

static inline void corpus_take_rule(struct corpus *c, char sign, const char *rule)
{
	corpus_expand(c->rule, sizeof(c->rule), rule);
	c->sign = c->verdict[0] ?: sign;
	if (sign == '+')
		memcpy(c->base, c->rule, sizeof(c->base));
}

static inline void corpus_open(struct corpus *c)
{
	c->file = fopen(CORPUS, "re");
	c->number = 0;
	if (!c->file)
		FAIL("no " CORPUS);
}

/* The next rule, message or match. */
static inline enum corpus_kind corpus_next(struct corpus *c)
{
	char *line, *rest;

	while ((line = corpus_line(c))) {
		char first = line[0];

		rest = corpus_rest(line);
		if (strchr("+-=!", first)) {
			corpus_take_rule(c, first, rest);
			return CORPUS_RULE;
		}
		if (!strcmp(line, "yes") || !strcmp(line, "no")) {
			corpus_expand(c->rule, sizeof(c->rule), rest);
			c->yes = (c->verdict[0] ?: first) == 'y';
			return CORPUS_MATCH;
		}
		if (!strcmp(line, "valid") || !strcmp(line, "bad") || (!strcmp(line, "body") && !*rest)) {
			corpus_finish(c);
			/*
			 * A bad body does not make a bad message: nfdbus reads what rules ask for.
			 */
			c->valid = strcmp(c->verdict[0] ? c->verdict : line, "bad") != 0;
			return CORPUS_MESSAGE;
		}
		corpus_part(c, line, rest);
	}
	fclose(c->file);
	return CORPUS_END;
}

#endif
