/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NFDBUS_DBUS_H
#define _NFDBUS_DBUS_H

/**
 * DOC: The part that is D-Bus
 *
 * grammar.c knows names and paths, message.c headers, body.c signatures and
 * arguments, rule.c match rules. None of them allocates, sleeps, locks, or
 * knows of anything but what it is given, so that the fuzzer (fuzz/dbus) has
 * the very same code in user space.
 *
 * A message was written by a stranger. Every length in it is unsigned and
 * compared with what is there before it is used, nothing is read but by
 * skb_header_pointer(), and each loop takes a byte of the message or of a
 * signature, or ends. Nothing may change the message meanwhile.
 *
 * Buffers on the stack are filled before they are read; to clear them each time,
 * as some kernels would, takes longer than all the rest.
 */

#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/nfdbus.h>

/* Limits of the D-Bus Specification. */
#define NFDBUS_MESSAGE_MAX	(128u << 20)
#define NFDBUS_ARRAY_MAX	(64u << 20)
#define NFDBUS_SIGNATURE_MAX	255
#define NFDBUS_DEPTH_MAX	32

/* Our own limit: of header fields, which are walked for each message. */
#define NFDBUS_HEADER_MAX	65536

/* Arguments that rules can ask for. */
#define NFDBUS_ARGS		64

/*
 * Values that are walked over to find arguments. Without variants in variants
 * there are no more than a signature has bytes.
 */
#define NFDBUS_STEPS		4096

/* Bytes of a message that can be looked at in one piece. */
#define NFDBUS_PIECE		256

/* grammar.c */

/**
 * enum nfdbus_grammar - what names may look like
 * @NFDBUS_INTERFACE: of an interface or an error
 * @NFDBUS_MEMBER: of a method or a signal
 * @NFDBUS_BUS_NAME: unique or well-known
 * @NFDBUS_NAMESPACE: bus name that may end after its first element
 */
enum nfdbus_grammar {
	NFDBUS_INTERFACE,
	NFDBUS_MEMBER,
	NFDBUS_BUS_NAME,
	NFDBUS_NAMESPACE,
};

bool nfdbus_name_valid(enum nfdbus_grammar grammar, const char *name, u32 len);
bool nfdbus_path_part_valid(char before, const char *part, u32 len);
bool nfdbus_path_valid(const char *path, u32 len);
bool nfdbus_unique_name(const char *name, u32 len, u64 *addr);
bool nfdbus_is_driver(const char *name, u32 len);

/* message.c */

enum nfdbus_type {
	NFDBUS_METHOD_CALL = 1,
	NFDBUS_METHOD_RETURN,
	NFDBUS_ERROR,
	NFDBUS_SIGNAL,
};

/* Codes of header fields. */
enum nfdbus_field {
	NFDBUS_FIELD_PATH = 1,
	NFDBUS_FIELD_INTERFACE,
	NFDBUS_FIELD_MEMBER,
	NFDBUS_FIELD_ERROR_NAME,
	NFDBUS_FIELD_REPLY_SERIAL,
	NFDBUS_FIELD_DESTINATION,
	NFDBUS_FIELD_SENDER,
	NFDBUS_FIELD_SIGNATURE,
	NFDBUS_FIELD_UNIX_FDS,
	__NFDBUS_FIELD_MAX
};

/**
 * struct nfdbus_text - a string in a message
 * @at: where it begins; 0, where no string can be, for none
 * @len: its bytes, without the NUL at the end
 */
struct nfdbus_text {
	u32	at;
	u32	len;
};

/**
 * struct nfdbus_walk - a place in a body
 * @at: the next byte
 * @sig: its type, as a place in the signature
 * @sig_end: end of that signature
 */
struct nfdbus_walk {
	u32	at;
	u32	sig;
	u32	sig_end;
};

/**
 * struct nfdbus_message - what is known of a message
 * @skb: the message, of any owner
 * @valid: it has a header, a body of the length that it says, and nothing else
 * @big: its numbers are big-endian
 * @type: enum nfdbus_type
 * @nr_args: arguments that have been walked over
 * @steps: what is left of NFDBUS_STEPS
 * @no_more: there are no more arguments, or none that could be read
 * @fields: by their codes; numbers have a place, too
 * @walk: the end of the arguments that have been walked over
 * @object_paths: of @args, those that are object paths
 * @args: the first arguments, those that are strings or object paths
 */
struct nfdbus_message {
	const struct sk_buff	*skb;
	bool			valid;
	bool			big;
	u8			type;
	u8			nr_args;
	bool			no_more;
	u32			steps;
	struct nfdbus_text	fields[__NFDBUS_FIELD_MAX];
	struct nfdbus_walk	walk;
	u64			object_paths;
	/* Last: only those walked over are filled in. */
	struct nfdbus_text	args[NFDBUS_ARGS];
};

/*
 * These are called for each piece of each message, so they are part of their
 * callers.
 */

/**
 * nfdbus_peek() - look at a piece of a message
 * @m: the message; only @m->skb needs to be set
 * @at: where it begins
 * @len: bytes that are wanted; set to those that the piece has, which are all
 *	if no more than NFDBUS_PIECE were wanted
 * @buf: NFDBUS_PIECE bytes, for a piece that is not contiguous in the message
 *
 * Return: the piece; NULL if the message ends before that, or @len is 0.
 */
static __always_inline const u8 *nfdbus_peek(const struct nfdbus_message *m,
					     u32 at, u32 *len, u8 *buf)
{
	u32 size = m->skb->len;

	if (at >= size || !*len || *len > size - at)
		return NULL;
	*len = min_t(u32, *len, NFDBUS_PIECE);
	return skb_header_pointer(m->skb, at, *len, buf);
}

static __always_inline bool nfdbus_get_u8(const struct nfdbus_message *m,
					  u32 at, u8 *value)
{
	const u8 *p = skb_header_pointer(m->skb, at, 1, value);

	if (p)
		*value = *p;
	return p;
}

/**
 * nfdbus_get_u32() - read a number, which is aligned
 * @m: the message
 * @at: where it begins
 * @end: nothing from there on may be read
 * @value: result
 *
 * Return: whether there is one.
 */
static __always_inline bool nfdbus_get_u32(const struct nfdbus_message *m,
					   u32 at, u32 end, u32 *value)
{
	const u8 *p;
	u8 buf[4];

	if (at > end || end - at < sizeof(buf))
		return false;
	p = skb_header_pointer(m->skb, at, sizeof(buf), buf);
	if (!p)
		return false;
	*value = m->big ? (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3] :
			  (u32)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
	return true;
}

/**
 * nfdbus_align() - skip padding
 * @m: the message
 * @at: where it begins, 8 at least; moved to its end
 * @end: nothing from there on may be read
 * @to: a power of 2, 8 at most
 *
 * Return: whether all of it is there, and is zeros.
 */
static __always_inline bool nfdbus_align(const struct nfdbus_message *m,
					 u32 *at, u32 end, u32 to)
{
	u32 len = -*at & (to - 1);
	__le64 last, buf;
	const void *p;

	if (*at > end || len > end - *at)
		return false;
	if (!len)
		return true;
	*at += len;
	/* It is the end of eight bytes, which are looked at as a whole. */
	p = skb_header_pointer(m->skb, *at - sizeof(last), sizeof(last), &buf);
	if (!p)
		return false;
	memcpy(&last, p, sizeof(last));
	return !(le64_to_cpu(last) >> (64 - 8 * len));
}

/**
 * nfdbus_get_text() - read a string or an object path
 * @m: the message
 * @at: where, before the padding; moved to its end
 * @end: nothing from there on may be read
 * @text: result; its bytes have not been checked
 *
 * Return: whether there is one, with a NUL at its end.
 */
static __always_inline bool nfdbus_get_text(const struct nfdbus_message *m,
					    u32 *at, u32 end,
					    struct nfdbus_text *text)
{
	u32 pos = *at, len;
	u8 nul;

	if (!nfdbus_align(m, &pos, end, 4) ||
	    !nfdbus_get_u32(m, pos, end, &len))
		return false;
	pos += sizeof(len);
	if (len >= end - pos || !nfdbus_get_u8(m, pos + len, &nul) || nul)
		return false;
	*text = (struct nfdbus_text){ pos, len };
	*at = pos + len + sizeof(nul);
	return true;
}

bool nfdbus_message_parse(struct nfdbus_message *m, const struct sk_buff *skb);
u32 nfdbus_message_fds(const struct nfdbus_message *m);
bool nfdbus_text_clean(const struct nfdbus_message *m,
		       const struct nfdbus_text *text, u32 max);
bool nfdbus_text_is_path(const struct nfdbus_message *m,
			 const struct nfdbus_text *text, u32 max);
bool nfdbus_text_starts(const struct nfdbus_message *m,
			const struct nfdbus_text *text, const char *with,
			u32 len);
bool nfdbus_text_equals(const struct nfdbus_message *m,
			const struct nfdbus_text *text, const char *with,
			u32 len);

/* body.c */
bool nfdbus_signature_valid(const u8 *sig, u32 len, bool single);
bool nfdbus_get_signature(const struct nfdbus_message *m, u32 *at, u32 end,
			  bool single, struct nfdbus_text *sig);
bool nfdbus_skip_value(const struct nfdbus_message *m, struct nfdbus_walk *w,
		       u32 end, u32 *steps);
const struct nfdbus_text *nfdbus_message_arg(struct nfdbus_message *m,
					     unsigned int n, bool *object_path);

/* rule.c */

/* The key of a term of a rule. */
enum nfdbus_key {
	NFDBUS_KEY_TYPE,
	NFDBUS_KEY_SENDER,
	NFDBUS_KEY_INTERFACE,
	NFDBUS_KEY_MEMBER,
	NFDBUS_KEY_PATH,
	NFDBUS_KEY_PATH_NAMESPACE,
	NFDBUS_KEY_DESTINATION,
	NFDBUS_KEY_EAVESDROP,
	/* Of arguments, last: a rule has one of them at most for each. */
	NFDBUS_KEY_ARG,
	NFDBUS_KEY_ARG_PATH,
	NFDBUS_KEY_ARG_NAMESPACE,
};

/**
 * struct nfdbus_term - one condition of a rule
 * @key: enum nfdbus_key
 * @arg: number of the argument, 0 for other keys
 * @at: its value in the values of the rule
 * @len: bytes of the value
 */
struct nfdbus_term {
	u8	key;
	u8	arg;
	u16	at;
	u16	len;
};

/* All other keys, and a term for each argument. */
#define NFDBUS_TERMS	(NFDBUS_KEY_ARG + NFDBUS_ARGS)

/**
 * struct nfdbus_draft - a rule while it is parsed
 * @type: enum nfdbus_type, 0 for any
 * @nr_terms: length of @terms
 * @nr_bytes: length of @values
 * @terms: by key and argument
 * @values: of the terms, without quotes, in sequence
 * @error: what is wrong with the rule
 * @error_at: where, in bytes from its beginning
 */
struct nfdbus_draft {
	u8			type;
	u16			nr_terms;
	u16			nr_bytes;
	struct nfdbus_term	terms[NFDBUS_TERMS];
	char			values[NFDBUS_RULE_MAX];
	const char		*error;
	u32			error_at;
};

/* A sender that does not exist: no client has a multicast address. */
#define NFDBUS_NOBODY		U64_MAX

/**
 * struct nfdbus_rule - a rule
 * @type: enum nfdbus_type, 0 for any
 * @nr_terms: length of @terms
 * @nr_bytes: bytes of values after the terms
 * @from: where the address of the sender is; NULL for any sender
 * @terms: by key and argument
 */
struct nfdbus_rule {
	u8			type;
	u16			nr_terms;
	u16			nr_bytes;
	const u64		*from;
	struct nfdbus_term	terms[];
};

static inline const char *nfdbus_rule_value(const struct nfdbus_rule *rule,
					    const struct nfdbus_term *term)
{
	return (const char *)&rule->terms[rule->nr_terms] + term->at;
}

int nfdbus_rule_parse(struct nfdbus_draft *draft, const char *text, u32 len);
size_t nfdbus_rule_size(const struct nfdbus_draft *draft);
void nfdbus_rule_make(struct nfdbus_rule *rule,
		      const struct nfdbus_draft *draft);
const struct nfdbus_term *nfdbus_rule_term(const struct nfdbus_rule *rule,
					   enum nfdbus_key key,
					   unsigned int arg);
bool nfdbus_rule_equals(const struct nfdbus_rule *a,
			const struct nfdbus_rule *b);
bool nfdbus_rule_fits(const struct nfdbus_rule *rule, struct nfdbus_message *m);

/**
 * nfdbus_rule_is_from() - whether a rule wants messages of a sender
 * @rule: the rule
 * @src: the kernel's address of the sender
 *
 * This may change while a message is on its way: names get other owners. What
 * nfdbus_rule_fits() says of the rest of the rule stays.
 */
static inline bool nfdbus_rule_is_from(const struct nfdbus_rule *rule, u64 src)
{
	return !rule->from || READ_ONCE(*rule->from) == src;
}

#endif /* _NFDBUS_DBUS_H */
