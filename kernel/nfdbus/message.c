// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers of messages: "Message Format" of the D-Bus Specification.
 */

#include <linux/minmax.h>
#include <linux/string.h>
#include "dbus.h"

/*
 * The fixed part of a header, with the length of the array of fields after it.
 */
#define NFDBUS_FIXED		12
#define NFDBUS_FIELDS		16

#define NFDBUS_VERSION		1

/* Whether there is no NUL in the first @max bytes of a string. */
bool nfdbus_text_clean(const struct nfdbus_message *m,
		       const struct nfdbus_text *text, u32 max)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	u32 done, len;
	const u8 *p;

	max = min(max, text->len);
	for (done = 0; done < max; done += len) {
		len = max - done;
		p = nfdbus_peek(m, text->at + done, &len, buf);
		if (!p || memchr(p, 0, len))
			return false;
	}
	return true;
}

/* Whether the first @max bytes of a string can be of an object path. */
bool nfdbus_text_is_path(const struct nfdbus_message *m,
			 const struct nfdbus_text *text, u32 max)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	char before = '\0';
	u32 done, len;
	const u8 *p;

	max = min(max, text->len);
	for (done = 0; done < max; done += len) {
		len = max - done;
		p = nfdbus_peek(m, text->at + done, &len, buf);
		if (!p || !nfdbus_path_part_valid(before, (const char *)p, len))
			return false;
		before = p[len - 1];
	}
	return text->len == 1 || max < text->len || (max && before != '/');
}

/**
 * nfdbus_text_starts() - compare the beginning of a string
 * @m: the message
 * @text: the string
 * @with: what it may begin with
 * @len: bytes of @with
 */
bool nfdbus_text_starts(const struct nfdbus_message *m,
			const struct nfdbus_text *text, const char *with,
			u32 len)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	u32 done, part;
	const u8 *p;

	if (!text->at || text->len < len)
		return false;
	for (done = 0; done < len; done += part) {
		part = len - done;
		p = nfdbus_peek(m, text->at + done, &part, buf);
		if (!p || memcmp(p, with + done, part))
			return false;
	}
	return true;
}

bool nfdbus_text_equals(const struct nfdbus_message *m,
			const struct nfdbus_text *text, const char *with,
			u32 len)
{
	return text->len == len && nfdbus_text_starts(m, text, with, len);
}

static bool nfdbus_text_is_name(const struct nfdbus_message *m,
				const struct nfdbus_text *text,
				enum nfdbus_grammar grammar)
{
	u8 buf[NFDBUS_PIECE] __uninitialized;
	u32 len = text->len;
	const u8 *p;

	if (len > NFDBUS_NAME_MAX)
		return false;
	p = nfdbus_peek(m, text->at, &len, buf);
	return p && nfdbus_name_valid(grammar, (const char *)p, len);
}

/* The fields: the only type that each can have, and what a name must be like. */
static const struct {
	u8	type;
	u8	grammar;
} nfdbus_fields[__NFDBUS_FIELD_MAX] = {
	[NFDBUS_FIELD_PATH]		= { 'o' },
	[NFDBUS_FIELD_INTERFACE]	= { 's', NFDBUS_INTERFACE },
	[NFDBUS_FIELD_MEMBER]		= { 's', NFDBUS_MEMBER },
	[NFDBUS_FIELD_ERROR_NAME]	= { 's', NFDBUS_INTERFACE },
	[NFDBUS_FIELD_REPLY_SERIAL]	= { 'u' },
	[NFDBUS_FIELD_DESTINATION]	= { 's', NFDBUS_BUS_NAME },
	[NFDBUS_FIELD_SENDER]		= { 's', NFDBUS_BUS_NAME },
	[NFDBUS_FIELD_SIGNATURE]	= { 'g' },
	[NFDBUS_FIELD_UNIX_FDS]		= { 'u' },
};

static bool nfdbus_get_number(const struct nfdbus_message *m, u8 code, u32 *at,
			      u32 end, struct nfdbus_text *text)
{
	u32 number;

	if (!nfdbus_align(m, at, end, sizeof(number)) ||
	    !nfdbus_get_u32(m, *at, end, &number))
		return false;
	text->at = *at;
	text->len = sizeof(number);
	*at += sizeof(number);
	return number || code == NFDBUS_FIELD_UNIX_FDS;
}

/* The value of a field with a known code. */
static bool nfdbus_known_field(struct nfdbus_message *m, u8 code, u8 type,
			       u32 *at, u32 end)
{
	struct nfdbus_text *text = &m->fields[code];

	/* A field occurs once at most. */
	if (text->at || type != nfdbus_fields[code].type)
		return false;
	if (type == 's')
		return nfdbus_get_text(m, at, end, text) &&
		       nfdbus_text_is_name(m, text, nfdbus_fields[code].grammar);
	if (type == 'o')
		return nfdbus_get_text(m, at, end, text) &&
		       nfdbus_text_is_path(m, text, text->len);
	if (type == 'g')
		return nfdbus_get_signature(m, at, end, false, text);
	return nfdbus_get_number(m, code, at, end, text);
}

/*
 * The usual beginning of a field: a known code, and a signature of one byte. It
 * is looked at as a whole, since nearly all messages have no other fields.
 */
static const u8 *nfdbus_plain_field(const struct nfdbus_message *m, u32 at,
				    u32 end, u8 buf[4])
{
	const u8 *p;

	if (at > end || end - at < 4)
		return NULL;
	p = skb_header_pointer(m->skb, at, 4, buf);
	return p && p[0] && p[0] < __NFDBUS_FIELD_MAX && p[1] == 1 && !p[3] ?
		p : NULL;
}

/* One field: its code, and a variant. Unknown codes are ignored. */
static bool nfdbus_get_field(struct nfdbus_message *m, u32 *at, u32 end)
{
	/* Enough for any field: each step takes a byte, and a header has no more. */
	u32 steps = NFDBUS_HEADER_MAX;
	struct nfdbus_text sig;
	struct nfdbus_walk w;
	u8 code, type, buf[4];
	const u8 *p;

	if (!nfdbus_align(m, at, end, 8))
		return false;
	p = nfdbus_plain_field(m, *at, end, buf);
	if (p) {
		*at += sizeof(buf);
		return nfdbus_known_field(m, p[0], p[2], at, end);
	}
	if (*at >= end || !nfdbus_get_u8(m, *at, &code) || !code)
		return false;
	(*at)++;
	if (!nfdbus_get_signature(m, at, end, true, &sig) ||
	    !nfdbus_get_u8(m, sig.at, &type))
		return false;

	if (code < __NFDBUS_FIELD_MAX)
		return sig.len == 1 &&
		       nfdbus_known_field(m, code, type, at, end);

	w = (struct nfdbus_walk){ *at, sig.at, sig.at + sig.len };
	if (!nfdbus_skip_value(m, &w, end, &steps))
		return false;
	*at = w.at;
	return true;
}

static bool nfdbus_has_required(const struct nfdbus_message *m)
{
	const struct nfdbus_text *f = m->fields;

	switch (m->type) {
	case NFDBUS_METHOD_CALL:
		return f[NFDBUS_FIELD_PATH].at && f[NFDBUS_FIELD_MEMBER].at;
	case NFDBUS_SIGNAL:
		return f[NFDBUS_FIELD_PATH].at && f[NFDBUS_FIELD_MEMBER].at &&
		       f[NFDBUS_FIELD_INTERFACE].at;
	case NFDBUS_ERROR:
		return f[NFDBUS_FIELD_ERROR_NAME].at &&
		       f[NFDBUS_FIELD_REPLY_SERIAL].at;
	case NFDBUS_METHOD_RETURN:
		return f[NFDBUS_FIELD_REPLY_SERIAL].at;
	default:
		return false;
	}
}

/* The path and interface that libraries use internally, and nobody may send. */
static bool nfdbus_is_local(const struct nfdbus_message *m)
{
	static const char path[] = "/org/freedesktop/DBus/Local";
	static const char interface[] = "org.freedesktop.DBus.Local";

	return nfdbus_text_equals(m, &m->fields[NFDBUS_FIELD_PATH], path,
				  sizeof(path) - 1) ||
	       nfdbus_text_equals(m, &m->fields[NFDBUS_FIELD_INTERFACE],
				  interface, sizeof(interface) - 1);
}

/* The fixed part, and the lengths of the body and of the fields. */
static bool nfdbus_get_fixed(struct nfdbus_message *m, u32 *body, u32 *fields)
{
	u32 size = m->skb->len;
	const u8 *p;
	u32 serial;
	u8 buf[4];

	p = skb_header_pointer(m->skb, 0, sizeof(buf), buf);
	if (!p || (p[0] != 'l' && p[0] != 'B') || p[3] != NFDBUS_VERSION)
		return false;
	m->big = p[0] == 'B';
	m->type = p[1];
	return nfdbus_get_u32(m, 4, size, body) &&
	       nfdbus_get_u32(m, 8, size, &serial) && serial &&
	       nfdbus_get_u32(m, NFDBUS_FIXED, size, fields);
}

static bool nfdbus_get_header(struct nfdbus_message *m)
{
	const struct nfdbus_text *sig = &m->fields[NFDBUS_FIELD_SIGNATURE];
	u32 size = m->skb->len, at = NFDBUS_FIELDS;
	u32 body, fields, end;

	if (size > NFDBUS_MESSAGE_MAX || !nfdbus_get_fixed(m, &body, &fields) ||
	    fields > NFDBUS_HEADER_MAX || fields > size - at)
		return false;

	end = at + fields;
	while (at < end) {
		if (!nfdbus_get_field(m, &at, end))
			return false;
	}
	if (!nfdbus_align(m, &at, size, 8) || body != size - at)
		return false;

	/* No type takes no bytes. */
	if (!sig->len != !body)
		return false;
	m->walk = (struct nfdbus_walk){ at, sig->at, sig->at + sig->len };
	return nfdbus_has_required(m) && !nfdbus_is_local(m);
}

/**
 * nfdbus_message_parse() - read the header of a message
 * @m: result
 * @skb: the message, which has to outlive @m
 *
 * Return: @m->valid. The body is looked at only if a rule asks for an argument.
 */
bool nfdbus_message_parse(struct nfdbus_message *m, const struct sk_buff *skb)
{
	memset(m, 0, offsetof(struct nfdbus_message, args));
	m->skb = skb;
	m->steps = NFDBUS_STEPS;
	m->valid = nfdbus_get_header(m);
	return m->valid;
}

/**
 * nfdbus_message_fds() - how many descriptors a message declares
 * @m: a valid message
 */
u32 nfdbus_message_fds(const struct nfdbus_message *m)
{
	u32 at = m->fields[NFDBUS_FIELD_UNIX_FDS].at, fds = 0;

	if (at)
		nfdbus_get_u32(m, at, m->skb->len, &fds);
	return fds;
}
