/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vocabulary of tests of BUS_PROTO_DBUS: D-Bus messages in both byte orders, and requests to
 * nfdbus.
 */
#ifndef DBUS_H
#define DBUS_H

#ifndef BUS_PROTOCOL
#define BUS_PROTOCOL BUS_PROTO_DBUS
#endif
#include "bus.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nfdbus.h>
#include <sys/utsname.h>

/* Bytes of a message under construction. */
struct bytes {
	int big;
	size_t len;
	unsigned char data[1 << 18];
};

static inline void put(struct bytes *b, const void *data, size_t len)
{
	if (b->len + len > sizeof(b->data))
		FAIL("a message of more than %zu bytes", sizeof(b->data));
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static inline void put_u8(struct bytes *b, unsigned char value)
{
	put(b, &value, 1);
}

static inline void set_u32(struct bytes *b, size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		b->data[at + i] = value >> (b->big ? 24 - 8 * i : 8 * i);
}

static inline void align(struct bytes *b, size_t to)
{
	while (b->len % to)
		put_u8(b, 0);
}

static inline void put_u32(struct bytes *b, uint32_t value)
{
	align(b, 4);
	put(b, "\0\0\0", 4);
	set_u32(b, b->len - 4, value);
}

static inline void put_text(struct bytes *b, const char *text)
{
	put_u32(b, strlen(text));
	put(b, text, strlen(text) + 1);
}

static inline void put_signature(struct bytes *b, const char *signature)
{
	put_u8(b, strlen(signature));
	put(b, signature, strlen(signature) + 1);
}

enum { CALL = 1, RETURN, ERROR, SIGNAL };
enum { PATH = 1, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE, UNIX_FDS };

/* A message to write. A field that is not given is left out; the type is a signal by default. */
struct dbus_message {
	int big;
	int type;
	const char *path, *interface, *member, *error, *destination, *sender;
	uint32_t reply_serial;
	const char *signature;		/* of the body; by default all are strings */
	const char *args[65];		/* each as a string; numbers as digits */
	void (*more_fields)(struct bytes *b);
	void (*body)(struct bytes *b);	/* instead of @args */
};

static inline void put_field(struct bytes *b, int code, const char *type, const char *value)
{
	if (!value)
		return;
	align(b, 8);
	put_u8(b, code);
	put_signature(b, type);
	if (type[0] == 'g')
		put_signature(b, value);
	else if (type[0] == 'u')
		put_u32(b, strtoul(value, NULL, 0));
	else
		put_text(b, value);
}

static inline void put_args(struct bytes *b, const struct dbus_message *w, const char *signature)
{
	for (int i = 0; signature[i]; i++) {
		if (signature[i] == 's' || signature[i] == 'o')
			put_text(b, w->args[i]);
		else if (signature[i] == 'g')
			put_signature(b, w->args[i]);
		else if (signature[i] == 'u' || signature[i] == 'b')
			put_u32(b, strtoul(w->args[i], NULL, 0));
		else if (signature[i] == 'y')
			put_u8(b, strtoul(w->args[i], NULL, 0));
		else
			FAIL("cannot write arguments of type %s", signature);
	}
}

static inline void write_message(struct bytes *b, const struct dbus_message *w)
{
	char serial[16], strings[65] = "";
	const char *signature = w->signature;
	static __thread struct bytes body;
	int type = w->type ?: SIGNAL;

	if (!signature) {
		for (int i = 0; w->args[i]; i++)
			strings[i] = 's';
		signature = strings;
	}
	body.big = b->big = w->big;
	body.len = b->len = 0;
	put_u8(b, w->big ? 'B' : 'l');
	put_u8(b, type);
	put_u8(b, 0);
	put_u8(b, 1);
	put_u32(b, 0);
	put_u32(b, 7);
	put_u32(b, 0);
	put_field(b, PATH, "o", w->path);
	put_field(b, INTERFACE, "s", w->interface);
	put_field(b, MEMBER, "s", w->member);
	put_field(b, ERROR_NAME, "s", w->error);
	snprintf(serial, sizeof(serial), "%u", w->reply_serial);
	put_field(b, REPLY_SERIAL, "u", w->reply_serial ? serial : NULL);
	put_field(b, DESTINATION, "s", w->destination);
	put_field(b, SENDER, "s", w->sender);
	if (signature[0])
		put_field(b, SIGNATURE, "g", signature);
	if (w->more_fields)
		w->more_fields(b);
	set_u32(b, 12, b->len - 16);
	align(b, 8);

	if (w->body)
		w->body(&body);
	else
		put_args(&body, w, signature);
	set_u32(b, 4, body.len);
	put(b, body.data, body.len);
}

/* A signal with the fields that it must have, and no others. */
#define A_SIGNAL .path = "/org/example/Player", .interface = "org.example.Player", .member = "Changed"

static const struct dbus_message a_signal = { A_SIGNAL };

static inline ssize_t post_bytes(int fd, uint64_t to, const struct bytes *b)
{
	return send_bytes(fd, to, b->data, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static inline ssize_t signal_all(int fd, const struct dbus_message *w)
{
	static __thread struct bytes b;

	write_message(&b, w);
	return post_bytes(fd, EVERYONE, &b);
}

/* Netlink. */

static __thread char said[256];		/* extended ack text of the last request */
static __thread int said_attr;		/* and whether an attribute was named */

static inline int netlink(int protocol)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)), on = 1;

	OK(bind(fd, (struct sockaddr *)&self, sizeof(self)));
	OK(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)));
	OK(setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)));
	return fd;
}

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[8192];
};

static inline void begin_request(struct request *r, int type, int cmd, int flags)
{
	memset(r, 0, sizeof(*r));
	r->nl.nlmsg_len = NLMSG_LENGTH(sizeof(r->genl));
	r->nl.nlmsg_type = type;
	r->nl.nlmsg_flags = NLM_F_REQUEST | flags;
	r->nl.nlmsg_seq = 1;
	r->genl.cmd = cmd;
	r->genl.version = 1;
}

static inline void add_attr(struct request *r, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)r + NLMSG_ALIGN(r->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy(a + 1, data, len);
	r->nl.nlmsg_len = NLMSG_ALIGN(r->nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static inline void add_bus(struct request *r, const char *path)
{
	char copy[BUS_PATH_MAX] = "";
	size_t len = strlen(path);

	memcpy(copy, path, len);
	if (copy[0] == '@')
		copy[0] = '\0';
	add_attr(r, NFDBUS_ATTR_PATH, copy, len);
}

/* The explanation that comes with an error. */
static inline void hear(const struct nlmsghdr *nl)
{
	const struct nlmsgerr *err = NLMSG_DATA(nl);
	size_t at = NLMSG_LENGTH(sizeof(*err));

	if (!(nl->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nl->nlmsg_flags & NLM_F_CAPPED))
		at += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	while (at + NLA_HDRLEN <= nl->nlmsg_len) {
		const struct nlattr *a = (const void *)((const char *)nl + at);

		if (a->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(said, sizeof(said), "%s", (const char *)(a + 1));
		if (a->nla_type == NLMSGERR_ATTR_OFFS)
			said_attr = 1;
		at += NLA_ALIGN(a->nla_len);
	}
}

static inline int send_request(int fd, const struct request *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(fd, r, r->nl.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
}

/* The acknowledgement of a request: 0, or -1 and errno. */
static inline int await_ack(int fd)
{
	char answer[16384];
	struct nlmsghdr *nl = (struct nlmsghdr *)answer;
	const struct nlmsgerr *err = NLMSG_DATA(nl);

	said[0] = '\0';
	said_attr = 0;
	OK(recv(fd, answer, sizeof(answer), 0));
	EQ(NLMSG_ERROR, nl->nlmsg_type);
	hear(nl);
	errno = -err->error;
	return err->error ? -1 : 0;
}

/* Asks for the number of the family, which loads the module. */
static inline int nfdbus_family(int fd)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct request r;
	char answer[8192];
	struct nlmsghdr *nl = (struct nlmsghdr *)answer;
	ssize_t len;

	begin_request(&r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	add_attr(&r, CTRL_ATTR_FAMILY_NAME, NFDBUS_GENL_NAME, sizeof(NFDBUS_GENL_NAME));
	OK(sendto(fd, &r, r.nl.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)));
	len = OK(recv(fd, answer, sizeof(answer), 0));
	if (nl->nlmsg_type == NLMSG_ERROR) {
		errno = -((struct nlmsgerr *)NLMSG_DATA(nl))->error;
		return -1;
	}
	for (ssize_t at = NLMSG_LENGTH(GENL_HDRLEN); at < len;) {
		struct nlattr *a = (struct nlattr *)(answer + at);

		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(unsigned short *)(a + 1);
		at += NLA_ALIGN(a->nla_len);
	}
	FAIL("the family has no number");
}

static __thread int nl_fd = -1, nl_type;

static inline void use_netlink(void)
{
	if (nl_fd >= 0)
		return;
	nl_fd = netlink(NETLINK_GENERIC);
	nl_type = OK(nfdbus_family(nl_fd));
}

static inline void begin_ask(struct request *r, int cmd, const char *path)
{
	use_netlink();
	begin_request(r, nl_type, cmd, NLM_F_ACK);
	add_bus(r, path);
}

static inline int ask(const struct request *r)
{
	OK(send_request(nl_fd, r));
	return await_ack(nl_fd);
}

static inline int ask_for(int cmd, const char *path, uint64_t addr, int attr, const char *text)
{
	struct request r;

	begin_ask(&r, cmd, path);
	add_attr(&r, NFDBUS_ATTR_ADDRESS, &addr, sizeof(addr));
	if (text)
		add_attr(&r, attr, text, strlen(text) + 1);
	return ask(&r);
}

static inline int add_rule(const char *path, uint64_t addr, const char *rule)
{
	return ask_for(NFDBUS_CMD_ADD, path, addr, NFDBUS_ATTR_RULE, rule);
}

static inline int remove_rule(const char *path, uint64_t addr, const char *rule)
{
	return ask_for(NFDBUS_CMD_REMOVE, path, addr, NFDBUS_ATTR_RULE, rule);
}

static inline int remove_rules(const char *path, uint64_t addr)
{
	return ask_for(NFDBUS_CMD_REMOVE_ALL, path, addr, 0, NULL);
}

static inline int set_name(const char *path, uint64_t addr, const char *name)
{
	return ask_for(NFDBUS_CMD_SET_NAME, path, addr, NFDBUS_ATTR_NAME, name);
}

static inline int unset_name(const char *path, const char *name)
{
	struct request r;

	begin_ask(&r, NFDBUS_CMD_UNSET_NAME, path);
	add_attr(&r, NFDBUS_ATTR_NAME, name, strlen(name) + 1);
	return ask(&r);
}

/* A dump: how many rules and names there are, and what they say. */
struct dumped {
	int rules, names, interrupted;
	struct {
		uint64_t addr;
		char text[NFDBUS_RULE_MAX + 1];
		int is_name;
	} one[64];
};

static inline void take_dumped(struct dumped *d, const struct nlmsghdr *nl)
{
	int i = d->rules + d->names < 64 ? d->rules + d->names : 63;

	for (size_t at = NLMSG_LENGTH(GENL_HDRLEN); at < nl->nlmsg_len;) {
		const struct nlattr *a = (const void *)((const char *)nl + at);

		if (a->nla_type == NFDBUS_ATTR_ADDRESS)
			memcpy(&d->one[i].addr, a + 1, sizeof(uint64_t));
		if (a->nla_type == NFDBUS_ATTR_RULE || a->nla_type == NFDBUS_ATTR_NAME) {
			d->one[i].is_name = a->nla_type == NFDBUS_ATTR_NAME;
			snprintf(d->one[i].text, sizeof(d->one[i].text), "%s",
				 (const char *)(a + 1));
		}
		at += NLA_ALIGN(a->nla_len);
	}
	if (d->one[i].is_name)
		d->names++;
	else
		d->rules++;
}

/* @addr: the client to dump; 0 for all. */
static inline int dump(struct dumped *d, const char *path, uint64_t addr)
{
	struct request r;
	char answer[65536];

	memset(d, 0, sizeof(*d));
	use_netlink();
	begin_request(&r, nl_type, NFDBUS_CMD_GET, NLM_F_DUMP);
	add_bus(&r, path);
	if (addr)
		add_attr(&r, NFDBUS_ATTR_ADDRESS, &addr, sizeof(addr));
	OK(send_request(nl_fd, &r));
	said[0] = '\0';
	for (;;) {
		int len = OK(recv(nl_fd, answer, sizeof(answer), 0));

		for (struct nlmsghdr *nl = (struct nlmsghdr *)answer; NLMSG_OK(nl, len);
		     nl = NLMSG_NEXT(nl, len)) {
			if (nl->nlmsg_flags & NLM_F_DUMP_INTR)
				d->interrupted = 1;
			if (nl->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nl->nlmsg_type == NLMSG_ERROR) {
				hear(nl);
				errno = -((struct nlmsgerr *)NLMSG_DATA(nl))->error;
				return -1;
			}
			take_dumped(d, nl);
		}
	}
}

/* Runs a function in a child process, which may drop its rights. */
#define APART(story) do {						\
	int __status;							\
	pid_t __child = OK(fork());					\
									\
	if (!__child) {							\
		if (nl_fd >= 0)						\
			close(nl_fd);					\
		nl_fd = -1;						\
		story;							\
		_exit(PASSED);						\
	}								\
	OK(waitpid(__child, &__status, 0));				\
	EQ(0, __status);						\
} while (0)

/* A request is refused, with a reason. */
#define REFUSED(err, call) do {						\
	FAILS(err, call);						\
	if (!said[0])							\
		FAIL("%s is refused without a word", #call);		\
} while (0)

/* Linux 6.1 has no way to say why it begins no dump. */
#define REFUSED_DUMP(err, call) do {					\
	struct utsname __machine;					\
									\
	OK(uname(&__machine));						\
	if (strncmp(__machine.release, "6.1.", 4))			\
		REFUSED(err, call);					\
	else								\
		FAILS(err, call);					\
} while (0)

static inline int has_rules(const char *path, uint64_t addr, int n)
{
	static __thread struct dumped d;

	OK(dump(&d, path, addr));
	return d.rules == n;
}

/* A bus with a sender, one that wants everything, and one that wants nothing. */
struct fixture {
	struct bus bus;
	struct client a, all, none;
};

static inline struct fixture make_fixture(void)
{
	struct fixture f = { .bus = open_bus("@bus") };

	f.a = join(&f.bus);
	f.all = join(&f.bus);
	f.none = join(&f.bus);
	OK(add_rule("@bus", f.all.id, ""));
	return f;
}

#endif
