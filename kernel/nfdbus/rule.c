// SPDX-License-Identifier: GPL-2.0-only
/*
 * Match rules: "Match Rules" of the D-Bus Specification. tests/corpus.txt says
 * which are accepted, which are refused, and what they match.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "dbus.h"

/**
 * struct nfdbus_reader - the text of a rule while it is read
 * @text: the rule
 * @len: its bytes
 * @at: the next one
 */
struct nfdbus_reader {
	const char	*text;
	u32		len;
	u32		at;
};

static bool nfdbus_bad(struct nfdbus_draft *d, u32 at, const char *error)
{
	d->error = error;
	d->error_at = at;
	return false;
}

static bool nfdbus_is(const char *text, u32 len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

static bool nfdbus_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void nfdbus_skip_blanks(struct nfdbus_reader *r)
{
	while (r->at < r->len && nfdbus_is_blank(r->text[r->at]))
		r->at++;
}

/*
 * A value, up to a comma or the end; blanks belong to it. Between apostrophes
 * every byte stands for itself. Outside, a backslash makes the apostrophe after
 * it a part of the value; any other backslash stands for itself.
 */
static bool nfdbus_read_value(struct nfdbus_draft *d, struct nfdbus_reader *r)
{
	bool quoted = false;
	u32 start = r->at;
	char c;

	while (r->at < r->len && (quoted || r->text[r->at] != ',')) {
		c = r->text[r->at++];
		if (c == '\'') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && !quoted && r->at < r->len &&
		    r->text[r->at] == '\'')
			c = r->text[r->at++];
		/* It fits: a value is no longer than its text. */
		d->values[d->nr_bytes++] = c;
	}
	if (quoted)
		return nfdbus_bad(d, start, "apostrophe without a closing one");
	/* The comma. */
	if (r->at < r->len)
		r->at++;
	return true;
}

/* argN, argNpath, arg0namespace, with N from 0 to 63 in one digit or two. */
static bool nfdbus_read_arg(const char *key, u32 len, struct nfdbus_term *term)
{
	unsigned int n = 0, i = 3;

	if (len < 4 || memcmp(key, "arg", 3))
		return false;
	for (; i < len && i < 5 && key[i] >= '0' && key[i] <= '9'; i++)
		n = 10 * n + key[i] - '0';
	if (i == 3 || n >= NFDBUS_ARGS)
		return false;

	term->arg = n;
	if (i == len)
		term->key = NFDBUS_KEY_ARG;
	else if (nfdbus_is(key + i, len - i, "path"))
		term->key = NFDBUS_KEY_ARG_PATH;
	else if (nfdbus_is(key + i, len - i, "namespace") && !n)
		term->key = NFDBUS_KEY_ARG_NAMESPACE;
	else
		return false;
	return true;
}

static bool nfdbus_read_key(const char *key, u32 len, struct nfdbus_term *term)
{
	static const char *const keys[] = {
		[NFDBUS_KEY_TYPE]		= "type",
		[NFDBUS_KEY_SENDER]		= "sender",
		[NFDBUS_KEY_INTERFACE]		= "interface",
		[NFDBUS_KEY_MEMBER]		= "member",
		[NFDBUS_KEY_PATH]		= "path",
		[NFDBUS_KEY_PATH_NAMESPACE]	= "path_namespace",
		[NFDBUS_KEY_DESTINATION]	= "destination",
		[NFDBUS_KEY_EAVESDROP]		= "eavesdrop",
	};
	unsigned int i;

	*term = (struct nfdbus_term){};
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (nfdbus_is(key, len, keys[i])) {
			term->key = i;
			return true;
		}
	}
	return nfdbus_read_arg(key, len, term);
}

static u8 nfdbus_type_of(const char *name, u32 len)
{
	static const char *const types[] = {
		[NFDBUS_METHOD_CALL]	= "method_call",
		[NFDBUS_METHOD_RETURN]	= "method_return",
		[NFDBUS_ERROR]		= "error",
		[NFDBUS_SIGNAL]		= "signal",
	};
	u8 i;

	for (i = NFDBUS_METHOD_CALL; i < ARRAY_SIZE(types); i++) {
		if (nfdbus_is(name, len, types[i]))
			return i;
	}
	return 0;
}

/* What is wrong with a value; NULL if nothing is. */
static const char *nfdbus_judge_value(struct nfdbus_draft *d,
				      const struct nfdbus_term *term)
{
	const char *value = d->values + term->at;
	u32 len = term->len;

	switch (term->key) {
	case NFDBUS_KEY_TYPE:
		d->type = nfdbus_type_of(value, len);
		return d->type ? NULL : "not a message type";
	case NFDBUS_KEY_SENDER:
	case NFDBUS_KEY_DESTINATION:
		return nfdbus_name_valid(NFDBUS_BUS_NAME, value, len) ?
			NULL : "not a bus name";
	case NFDBUS_KEY_INTERFACE:
		return nfdbus_name_valid(NFDBUS_INTERFACE, value, len) ?
			NULL : "not an interface name";
	case NFDBUS_KEY_MEMBER:
		return nfdbus_name_valid(NFDBUS_MEMBER, value, len) ?
			NULL : "not a member name";
	case NFDBUS_KEY_PATH:
	case NFDBUS_KEY_PATH_NAMESPACE:
		return nfdbus_path_valid(value, len) ? NULL : "not an object path";
	case NFDBUS_KEY_ARG_NAMESPACE:
		return nfdbus_name_valid(NFDBUS_NAMESPACE, value, len) ?
			NULL : "not a namespace of bus names";
	case NFDBUS_KEY_EAVESDROP:
		return nfdbus_is(value, len, "true") ||
		       nfdbus_is(value, len, "false") ?
			NULL : "neither true nor false";
	default:
		return NULL;
	}
}

/*
 * The place of a term in the order of terms; equal if two exclude each other.
 */
static unsigned int nfdbus_place(const struct nfdbus_term *term)
{
	if (term->key >= NFDBUS_KEY_ARG)
		return NFDBUS_KEY_ARG + term->arg;
	/* A path and its namespace. */
	return term->key == NFDBUS_KEY_PATH_NAMESPACE ? NFDBUS_KEY_PATH :
							term->key;
}

/* Put a term into its place; false if there is one already. */
static bool nfdbus_insert_term(struct nfdbus_draft *d,
			       const struct nfdbus_term *term)
{
	unsigned int place = nfdbus_place(term), i = d->nr_terms;

	while (i && nfdbus_place(&d->terms[i - 1]) > place)
		i--;
	if (i && nfdbus_place(&d->terms[i - 1]) == place)
		return false;
	/* It fits: each place is taken once at most. */
	memmove(&d->terms[i + 1], &d->terms[i],
		(d->nr_terms - i) * sizeof(*term));
	d->terms[i] = *term;
	d->nr_terms++;
	return true;
}

/* One key and its value. */
static bool nfdbus_read_term(struct nfdbus_draft *d, struct nfdbus_reader *r)
{
	u32 start = r->at, key_len, value;
	struct nfdbus_term term;
	const char *error;

	while (r->at < r->len && r->text[r->at] != '=' &&
	       !nfdbus_is_blank(r->text[r->at]))
		r->at++;
	key_len = r->at - start;
	nfdbus_skip_blanks(r);
	if (r->at == r->len || r->text[r->at] != '=')
		return nfdbus_bad(d, start, "key without a value");
	if (!nfdbus_read_key(r->text + start, key_len, &term))
		return nfdbus_bad(d, start, "no such key");
	r->at++;

	value = r->at;
	term.at = d->nr_bytes;
	if (!nfdbus_read_value(d, r))
		return false;
	term.len = d->nr_bytes - term.at;
	error = nfdbus_judge_value(d, &term);
	if (error)
		return nfdbus_bad(d, value, error);

	/* The same as a rule without this key. */
	if (term.key == NFDBUS_KEY_EAVESDROP && term.len == strlen("false"))
		term.len = 0;
	if (!nfdbus_insert_term(d, &term))
		return nfdbus_bad(d, start, "repeats or contradicts an earlier key");
	return true;
}

/**
 * nfdbus_rule_parse() - read a rule
 * @draft: result
 * @text: the rule, not NUL-terminated
 * @len: its bytes
 *
 * Return: 0; -EINVAL, with @draft->error saying what is wrong.
 */
int nfdbus_rule_parse(struct nfdbus_draft *draft, const char *text, u32 len)
{
	struct nfdbus_reader r = { .text = text, .len = len };

	draft->type = 0;
	draft->nr_terms = 0;
	draft->nr_bytes = 0;
	draft->error = NULL;
	draft->error_at = 0;
	if (len > NFDBUS_RULE_MAX)
		nfdbus_bad(draft, NFDBUS_RULE_MAX, "too long");
	else if (memchr(text, 0, len))
		nfdbus_bad(draft, strnlen(text, len), "NUL in a rule");

	nfdbus_skip_blanks(&r);
	while (!draft->error && r.at < len) {
		nfdbus_read_term(draft, &r);
		nfdbus_skip_blanks(&r);
	}
	return draft->error ? -EINVAL : 0;
}

/* Size of the rule that is made of a draft. */
size_t nfdbus_rule_size(const struct nfdbus_draft *draft)
{
	return sizeof(struct nfdbus_rule) +
	       draft->nr_terms * sizeof(struct nfdbus_term) + draft->nr_bytes;
}

/**
 * nfdbus_rule_make() - make a rule of a draft
 * @rule: result, nfdbus_rule_size() bytes; @from is not filled in
 * @draft: the draft, without error
 */
void nfdbus_rule_make(struct nfdbus_rule *rule,
		      const struct nfdbus_draft *draft)
{
	rule->type = draft->type;
	rule->nr_terms = draft->nr_terms;
	rule->nr_bytes = draft->nr_bytes;
	rule->from = NULL;
	memcpy(rule->terms, draft->terms,
	       draft->nr_terms * sizeof(struct nfdbus_term));
	memcpy(rule->terms + draft->nr_terms, draft->values, draft->nr_bytes);
}

const struct nfdbus_term *nfdbus_rule_term(const struct nfdbus_rule *rule,
					   enum nfdbus_key key,
					   unsigned int arg)
{
	const struct nfdbus_term *term;

	for (term = rule->terms; term < rule->terms + rule->nr_terms; term++) {
		if (term->key == key && term->arg == arg)
			return term;
	}
	return NULL;
}

/* The next term that matters: eavesdrop='false' means the same as no term. */
static unsigned int nfdbus_next_term(const struct nfdbus_rule *rule,
				     unsigned int i)
{
	while (i < rule->nr_terms && rule->terms[i].key == NFDBUS_KEY_EAVESDROP &&
	       !rule->terms[i].len)
		i++;
	return i;
}

/**
 * nfdbus_rule_equals() - whether two rules are the same
 * @a: a rule
 * @b: a rule; order, blanks and quotes do not matter
 */
bool nfdbus_rule_equals(const struct nfdbus_rule *a,
			const struct nfdbus_rule *b)
{
	unsigned int i = nfdbus_next_term(a, 0), j = nfdbus_next_term(b, 0);
	const struct nfdbus_term *s, *t;

	while (i < a->nr_terms && j < b->nr_terms) {
		s = &a->terms[i];
		t = &b->terms[j];
		if (s->key != t->key || s->arg != t->arg || s->len != t->len ||
		    memcmp(nfdbus_rule_value(a, s), nfdbus_rule_value(b, t),
			   s->len))
			return false;
		i = nfdbus_next_term(a, i + 1);
		j = nfdbus_next_term(b, j + 1);
	}
	return i == a->nr_terms && j == b->nr_terms;
}

/* In a namespace are @value itself, and @value with a @separator and more. */
static bool nfdbus_in_namespace(const struct nfdbus_message *m,
				const struct nfdbus_text *text,
				const char *value, u32 len, char separator)
{
	u8 next;

	if (!nfdbus_text_starts(m, text, value, len))
		return false;
	return text->len == len ||
	       (nfdbus_get_u8(m, text->at + len, &next) && next == separator);
}

/* Equal, or one ends with a slash and the other begins with it. */
static bool nfdbus_is_arg_path(const struct nfdbus_message *m,
			       const struct nfdbus_text *text,
			       const char *value, u32 len)
{
	u8 last;

	if (text->len == len)
		return nfdbus_text_starts(m, text, value, len);
	if (text->len > len)
		return len && value[len - 1] == '/' &&
		       nfdbus_text_starts(m, text, value, len);
	return text->len && nfdbus_text_starts(m, text, value, text->len) &&
	       nfdbus_get_u8(m, text->at + text->len - 1, &last) && last == '/';
}

static bool nfdbus_arg_matches(struct nfdbus_message *m,
			       const struct nfdbus_term *term,
			       const char *value)
{
	const struct nfdbus_text *arg;
	bool object_path;

	arg = nfdbus_message_arg(m, term->arg, &object_path);
	if (!arg)
		return false;
	if (term->key == NFDBUS_KEY_ARG_PATH)
		return nfdbus_is_arg_path(m, arg, value, term->len);
	if (object_path)
		return false;
	if (term->key == NFDBUS_KEY_ARG)
		return nfdbus_text_equals(m, arg, value, term->len);
	return nfdbus_in_namespace(m, arg, value, term->len, '.');
}

static bool nfdbus_term_matches(const struct nfdbus_rule *rule,
				const struct nfdbus_term *term,
				struct nfdbus_message *m)
{
	const char *value = nfdbus_rule_value(rule, term);
	const struct nfdbus_text *f = m->fields;

	switch (term->key) {
	case NFDBUS_KEY_TYPE:
		return m->type == rule->type;
	case NFDBUS_KEY_INTERFACE:
		return nfdbus_text_equals(m, &f[NFDBUS_FIELD_INTERFACE], value,
					  term->len);
	case NFDBUS_KEY_MEMBER:
		return nfdbus_text_equals(m, &f[NFDBUS_FIELD_MEMBER], value,
					  term->len);
	case NFDBUS_KEY_PATH:
		return nfdbus_text_equals(m, &f[NFDBUS_FIELD_PATH], value,
					  term->len);
	case NFDBUS_KEY_PATH_NAMESPACE:
		/* Everything is below the root. */
		if (term->len == 1)
			return f[NFDBUS_FIELD_PATH].at;
		return nfdbus_in_namespace(m, &f[NFDBUS_FIELD_PATH], value,
					   term->len, '/');
	case NFDBUS_KEY_DESTINATION:
		return nfdbus_text_equals(m, &f[NFDBUS_FIELD_DESTINATION],
					  value, term->len);
	case NFDBUS_KEY_SENDER:
	case NFDBUS_KEY_EAVESDROP:
		return true;
	default:
		return nfdbus_arg_matches(m, term, value);
	}
}

/**
 * nfdbus_rule_fits() - whether a rule matches a message, its sender aside
 * @rule: the rule
 * @m: the message, valid
 *
 * nfdbus_rule_is_from() compares the sender.
 */
bool nfdbus_rule_fits(const struct nfdbus_rule *rule, struct nfdbus_message *m)
{
	const struct nfdbus_term *term;

	for (term = rule->terms; term < rule->terms + rule->nr_terms; term++) {
		if (!nfdbus_term_matches(rule, term, m))
			return false;
	}
	return true;
}
