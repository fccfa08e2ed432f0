// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bodies of messages: signatures, and as much of the arguments as rules ask
 * for. Arrays are skipped by their length, other values one by one.
 */

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "dbus.h"

/* Alignment of a type in bytes; 0 if it is no type. */
static u32 nfdbus_alignment(u8 type)
{
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 'h':
	case 's':
	case 'o':
	case 'a':
		return 4;
	case 'x':
	case 't':
	case 'd':
	case '(':
	case '{':
		return 8;
	default:
		return 0;
	}
}

static bool nfdbus_is_basic(u8 type)
{
	return nfdbus_alignment(type) && type != 'v' && type != 'a' &&
	       type != '(' && type != '{';
}

/**
 * struct nfdbus_open - a container that is open in a signature
 * @kind: the byte that opened it: of a struct or a dict entry
 * @arrays: the number of arrays that it is nested in
 * @members: complete types in it so far, counted to 2
 */
struct nfdbus_open {
	u8	kind;
	u8	arrays;
	u8	members;
};

/**
 * nfdbus_signature_valid() - whether something is a signature
 * @sig: the signature
 * @len: its bytes
 * @single: it must have exactly one complete type
 */
bool nfdbus_signature_valid(const u8 *sig, u32 len, bool single)
{
	/* open[0] is the signature itself: a list of types, as a struct is. */
	struct nfdbus_open open[1 + 2 * NFDBUS_DEPTH_MAX] __uninitialized;
	unsigned int depth = 0, structs = 0, all_arrays = 0;
	unsigned int arrays = 0;	/* those whose element type comes next */
	struct nfdbus_open *o = open;
	unsigned int types = 0;
	u32 i;

	if (len > NFDBUS_SIGNATURE_MAX)
		return false;
	*o = (struct nfdbus_open){ .kind = '(' };

	for (i = 0; i < len; i++) {
		/* A dict entry has two members, and the first, the key, is basic. */
		if (o->kind == '{' && sig[i] != '}' &&
		    ((!o->members && !nfdbus_is_basic(sig[i])) ||
		     o->members == 2))
			return false;

		switch (sig[i]) {
		case 'a':
			if (++all_arrays > NFDBUS_DEPTH_MAX)
				return false;
			arrays++;
			continue;
		case '{':
			/* A dict entry can only be the element of an array. */
			if (!arrays)
				return false;
			o = &open[++depth];
			*o = (struct nfdbus_open){ sig[i], arrays, 0 };
			arrays = 0;
			continue;
		case '(':
			if (++structs > NFDBUS_DEPTH_MAX)
				return false;
			o = &open[++depth];
			*o = (struct nfdbus_open){ sig[i], arrays, 0 };
			arrays = 0;
			continue;
		case ')':
			if (!depth || o->kind != '(' || !o->members || arrays)
				return false;
			break;
		case '}':
			if (!depth || o->kind != '{' || o->members != 2 ||
			    arrays)
				return false;
			break;
		default:
			if (!nfdbus_alignment(sig[i]))
				return false;
		}

		/* A complete type ends here, and the arrays that it is in. */
		if (sig[i] == ')' || sig[i] == '}') {
			arrays = o->arrays;
			structs -= sig[i] == ')';
			o = &open[--depth];
		}
		all_arrays -= arrays;
		arrays = 0;
		o->members = min(o->members + 1, 2);
		types += !depth;
	}
	if (depth || arrays)
		return false;
	return !single || types == 1;
}

/**
 * nfdbus_get_signature() - read a signature, which is not aligned
 * @m: the message
 * @at: where it begins; moved to its end
 * @end: nothing from there on may be read
 * @single: it must have exactly one complete type
 * @sig: result
 *
 * Return: whether there is a valid signature.
 */
bool nfdbus_get_signature(const struct nfdbus_message *m, u32 *at, u32 end,
			  bool single, struct nfdbus_text *sig)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	const u8 *p;
	u32 bytes;
	u8 len;

	if (*at >= end || !nfdbus_get_u8(m, *at, &len) || end - *at < len + 2u)
		return false;

	/* With its NUL it fits into NFDBUS_PIECE: nfdbus_peek() gives it all. */
	bytes = len + 1;
	p = nfdbus_peek(m, *at + 1, &bytes, buf);
	if (!p || bytes != len + 1u || p[len] ||
	    !nfdbus_signature_valid(p, len, single))
		return false;
	*sig = (struct nfdbus_text){ *at + 1, len };
	*at += len + 2;
	return true;
}

/* Skip one complete type of a valid signature. */
static bool nfdbus_skip_type(const struct nfdbus_message *m,
			     struct nfdbus_walk *w)
{
	unsigned int depth = 0;
	u8 type;

	while (w->sig < w->sig_end) {
		if (!nfdbus_get_u8(m, w->sig++, &type))
			return false;
		if (type == 'a')
			continue;
		if (type == '(' || type == '{')
			depth++;
		if (type == ')' || type == '}')
			depth--;
		if (!depth)
			return true;
	}
	return false;
}

static bool nfdbus_skip_array(const struct nfdbus_message *m,
			      struct nfdbus_walk *w, u32 end)
{
	u32 len;
	u8 type;

	if (!nfdbus_get_u32(m, w->at, end, &len) || len > NFDBUS_ARRAY_MAX ||
	    w->sig >= w->sig_end || !nfdbus_get_u8(m, w->sig, &type))
		return false;
	w->at += sizeof(len);
	if (!nfdbus_align(m, &w->at, end, nfdbus_alignment(type)) ||
	    len > end - w->at)
		return false;
	w->at += len;
	return nfdbus_skip_type(m, w);
}

/* A value that is no container, and is aligned. */
static bool nfdbus_skip_basic(const struct nfdbus_message *m,
			      struct nfdbus_walk *w, u32 end, u8 type)
{
	struct nfdbus_text text;
	u32 number, size;

	switch (type) {
	case 's':
	case 'o':
		return nfdbus_get_text(m, &w->at, end, &text);
	case 'g':
		return nfdbus_get_signature(m, &w->at, end, false, &text);
	case 'b':
		if (!nfdbus_get_u32(m, w->at, end, &number) || number > 1)
			return false;
		w->at += sizeof(number);
		return true;
	default:
		/* Its size is its alignment. */
		size = nfdbus_alignment(type);
		if (size > end - w->at)
			return false;
		w->at += size;
		return true;
	}
}

/**
 * nfdbus_skip_value() - skip the value of one complete type
 * @m: the message
 * @w: where it begins; moved to the end of the value, and of its type
 * @end: nothing from there on may be read
 * @steps: how many more values may be skipped
 *
 * A variant has a signature of its own, in which there may be variants again. A
 * stack keeps the signatures to go on with after each; it is as deep as D-Bus
 * lets containers be nested.
 *
 * Return: whether there is such a value, and the steps sufficed.
 */
bool nfdbus_skip_value(const struct nfdbus_message *m, struct nfdbus_walk *w,
		       u32 end, u32 *steps)
{
	u32 sig[2 * NFDBUS_DEPTH_MAX] __uninitialized;
	u8 left[2 * NFDBUS_DEPTH_MAX] __uninitialized;
	unsigned int depth = 0;
	struct nfdbus_walk at;
	struct nfdbus_text text;
	u32 next;
	u8 type;

	/* The walk ends with this one type, not with the signature. */
	at = *w;
	if (!nfdbus_skip_type(m, w))
		return false;
	next = w->sig;
	at.sig_end = next;

	for (;;) {
		if (at.sig == at.sig_end) {
			if (!depth)
				break;
			depth--;
			at.sig = sig[depth];
			at.sig_end = sig[depth] + left[depth];
			continue;
		}
		if (!*steps || !nfdbus_get_u8(m, at.sig++, &type))
			return false;
		(*steps)--;
		if (type == ')' || type == '}')
			continue;
		if (!nfdbus_align(m, &at.at, end, nfdbus_alignment(type)))
			return false;

		switch (type) {
		case '(':
		case '{':
			break;
		case 'a':
			if (!nfdbus_skip_array(m, &at, end))
				return false;
			break;
		case 'v':
			if (depth == ARRAY_SIZE(sig) ||
			    !nfdbus_get_signature(m, &at.at, end, true, &text))
				return false;
			sig[depth] = at.sig;
			left[depth] = at.sig_end - at.sig;
			depth++;
			at.sig = text.at;
			at.sig_end = text.at + text.len;
			break;
		default:
			if (!nfdbus_skip_basic(m, &at, end, type))
				return false;
		}
	}
	w->at = at.at;
	return true;
}

/*
 * Skip the next argument, and note it if it is text. Rules compare no more than
 * the beginning of a long text.
 */
static bool nfdbus_next_arg(struct nfdbus_message *m)
{
	struct nfdbus_text *arg = &m->args[m->nr_args];
	struct nfdbus_walk *w = &m->walk;
	u32 end = m->skb->len;
	u8 type;

	if (w->sig >= w->sig_end || !nfdbus_get_u8(m, w->sig, &type))
		return false;

	*arg = (struct nfdbus_text){};
	if (type == 's' || type == 'o') {
		if (!nfdbus_get_text(m, &w->at, end, arg) ||
		    !(type == 's' ?
		      nfdbus_text_clean(m, arg, NFDBUS_RULE_MAX) :
		      nfdbus_text_is_path(m, arg, NFDBUS_RULE_MAX)))
			return false;
		w->sig++;
	} else if (!nfdbus_skip_value(m, w, end, &m->steps)) {
		return false;
	}

	/* Nothing may be left after the last argument. */
	if (w->sig == w->sig_end && w->at != end)
		return false;
	if (type == 'o')
		m->object_paths |= BIT_ULL(m->nr_args);
	m->nr_args++;
	return true;
}

/**
 * nfdbus_message_arg() - an argument of a message
 * @m: the message, which is valid
 * @n: its number, below NFDBUS_ARGS
 * @object_path: result: whether it is an object path, and not a string
 *
 * Return: the argument; NULL if it is neither a string nor an object path, if
 * there are fewer arguments, or if the body up to there is not what its
 * signature says.
 */
const struct nfdbus_text *nfdbus_message_arg(struct nfdbus_message *m,
					     unsigned int n, bool *object_path)
{
	while (m->nr_args <= n && !m->no_more)
		m->no_more = !nfdbus_next_arg(m);

	if (n >= m->nr_args || !m->args[n].at)
		return NULL;
	*object_path = m->object_paths & BIT_ULL(n);
	return &m->args[n];
}
