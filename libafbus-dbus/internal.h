/* SPDX-License-Identifier: MIT */
/*
 * What the files of the library share. Each file uses only those before it in this list: syntax.c (names and
 * signatures), wire.c (values in bytes), message.c, write.c and read.c (messages), header.c (messages as bytes),
 * address.c, login.c, routes.c, bus_socket.c and stream.c (transports), calls.c, connection.c, driver.c.
 */
#ifndef AFBUS_DBUS_INTERNAL_H
#define AFBUS_DBUS_INTERNAL_H

#include "afbus-dbus.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define PUBLIC __attribute__((visibility("default")))

#define DRIVER "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"
#define ERROR_NAME(name) DRIVER ".Error." name

enum {
	MAX_NAME = 255,
	MAX_SIGNATURE = 255,
	MAX_DEPTH = 64,		/* of containers, variants included */
	MAX_MESSAGE = 1 << 27,
	MAX_ARRAY = 1 << 26,
	MAX_FDS = 253,		/* in one datagram: the kernel's SCM_MAX_FD */
	FIXED_HEADER = 16,
};

static inline size_t align_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* syntax.c */
bool valid_path(const char *path);
bool valid_interface(const char *name);
bool valid_member(const char *name);
bool valid_bus_name(const char *name);
bool valid_utf8(const char *text, size_t length);
/* Length of the complete type that begins here; 0 if it is invalid, or does not end within max bytes. */
size_t type_length(const char *types, size_t max);
bool valid_signature(const char *types, size_t length);
size_t alignment_of(char type);
/* Size of a value in bytes, if it is fixed; else 0. */
size_t size_of(char type);
bool is_basic(char type);

/* wire.c: values in bytes, of either byte order */
struct wire {
	uint8_t *bytes;
	size_t length;
	size_t at;
	bool swapped;
};

int wire_align(struct wire *w, size_t to);
/* A number of size_of(type) bytes. */
int wire_number(struct wire *w, char type, void *value);
int wire_text(struct wire *w, char type, const char **text);
/* Checks and skips one value of the type that begins at types; depth is the number of containers that it is in. */
int wire_skip(struct wire *w, const char *types, unsigned int depth);

/* A container that is being read or written. */
struct frame {
	char type;
	const char *types;	/* the next type in the container; for an array, its only one */
	const char *end_types;
	size_t start;		/* start of an array's elements */
	size_t end;		/* reading: end of an array's elements. writing: position of its length */
	char *owned;		/* writing: the types of a variant */
};

struct afdbus_message {
	uint8_t type, flags;
	uint32_t serial, reply_serial;
	size_t reply_serial_at;	/* in the bytes of a received message; 0: not there */
	bool unknown_fields;	/* a received message has some */
	const char *path, *interface, *member, *error_name, *destination, *sender, *signature;
	char from[24];		/* the sender, if it was made from its address */
	bool made;		/* made by this program: it owns its texts, and is written, not read */
	uint8_t *bytes;		/* all bytes of a received message; the body of one made here */
	size_t capacity;
	struct wire body;
	char types[MAX_SIGNATURE + 1];	/* signature of a body made here */
	int failed;		/* errno of the first mistake made while writing it */
	int *fds;
	unsigned int n_fds;
	struct frame frames[MAX_DEPTH + 1];
	unsigned int depth;
	struct afdbus_message *next;	/* in a queue */
};

/* Only the first mistake is reported. */
static inline void fail(struct afdbus_message *m, int error)
{
	if (m->failed == 0)
		m->failed = error;
}

/* Whether values can be appended. They cannot to a received message, since its fields point into its bytes. */
static inline bool writable(struct afdbus_message *m)
{
	if (m && !m->made)
		fail(m, -EINVAL);
	return m && m->failed == 0;
}

struct afdbus_message *new_message(void);
void clear_message(struct afdbus_message *m);
void start_reading(struct afdbus_message *m);

/* header.c */
struct header {
	uint8_t *bytes;
	size_t length;
};

/* Makes the header for a message with this serial; the caller frees its bytes. */
int marshal_header(const struct afdbus_message *m, uint32_t serial, struct header *header);
/* The length of the message that begins with these 16 bytes; -EBADMSG if they cannot be the beginning of one. */
ssize_t message_length(const uint8_t *fixed);
/* The value of the field UNIX_FDS of a complete message, or -ENOMEM. */
int declared_fds(uint8_t *bytes, unsigned int *n_fds);
/* Reads a number from the message that begins with these bytes, in the message's byte order. */
uint32_t u32_at(const uint8_t *bytes, size_t at);
/* Reads the header of the message in m->bytes, in place; does not look at the body. */
int read_header(struct afdbus_message *m, size_t length, unsigned int *unix_fds);
/*
 * Removes from a header that was read what a bus removes: the sender that it claims, and fields that nobody knows. Nothing
 * that points into the header is valid then. Returns where its fields end, without the padding after them.
 */
size_t remove_claims(const struct afdbus_message *m);
/* Reads and checks the whole message in m->bytes, which has m->n_fds descriptors. -EBADMSG if it is not valid. */
int read_whole(struct afdbus_message *m, size_t length);
/*
 * Makes a message with a copy of these bytes. Takes over the descriptors, even if it fails with -EBADMSG or -ENOMEM.
 */
int parse_message(const uint8_t *bytes, size_t length, int *fds, unsigned int n_fds, struct afdbus_message **m);

/* address.c */
struct address {
	bool bus;		/* afbus:, else unix: */
	bool abstract;
	char path[108];
};

int parse_address(const char *text, struct address *address);

/* routes.c: where messages go on AF_BUS */
enum {
	ROUTES = 256,
	MASTER = 0,
};

#define EVERYONE ((uint64_t)0xffffffffffff)

struct route {
	char name[MAX_NAME + 1];
	uint64_t address;
	uint64_t used;
	struct route *next;
};

struct routes {
	struct route *buckets[ROUTES];
	struct route entries[ROUTES];
	unsigned int count;
	uint64_t clock;
};

uint64_t route_to(struct routes *routes, const char *destination, uint8_t type);
void learn_route(struct routes *routes, const char *name, uint64_t address);
void name_of_address(uint64_t address, char name[24]);

/* Transports: messages over either kind of socket */
#define NOW ((int64_t)0)
#define NEVER INT64_MAX

int64_t now_ns(void);
int64_t deadline_after(int timeout);

struct link;

struct transport {
	/* -EAGAIN if the deadline passes before the send has begun. */
	int (*send)(struct link *link, const struct afdbus_message *m, const struct header *header, int64_t deadline);
	/*
	 * Returns 1 with a message, 0 at the end of the connection, -EAGAIN after the deadline, -EINTR after a
	 * signal.
	 */
	int (*receive)(struct link *link, int64_t deadline, struct afdbus_message **m);
};

/* A connected socket, and what was received from it. */
struct link {
	const struct transport *transport;
	int fd;
	uint16_t family;
	int send_timeout, receive_timeout;	/* the timeouts set on the socket, in ms; 0 means none */
	uint8_t *inbox;		/* address space for the longest message; only received bytes take memory */
	size_t begin, end;	/* stream: received bytes that have not been read */
	int fds[2 * MAX_FDS];	/* stream: descriptors of an incomplete message, and of the next one */
	unsigned int n_fds;
	struct routes *routes;	/* only on AF_BUS */
};

/* Room for the descriptors of one message. */
union control {
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int open_link(struct link *link, const struct address *address, int64_t deadline);
void close_link(struct link *link);
/* sendmsg() and recvmsg() that wait until the deadline. */
ssize_t link_send(struct link *link, struct msghdr *message, int64_t deadline);
ssize_t link_receive(struct link *link, struct msghdr *message, int64_t deadline);
/* Writes bytes that are not a message: the lines of the login. */
int write_all(struct link *link, const char *bytes, size_t length, int64_t deadline);
int read_some(struct link *link, char *bytes, size_t length, int64_t deadline);
unsigned int take_fds(struct msghdr *message, int *fds, unsigned int max);
void put_fds(struct msghdr *message, const int *fds, unsigned int n);
void close_fds(const int *fds, unsigned int count);
/* Gives back the memory of a long message. */
void trim_inbox(struct link *link, size_t used);
/* The length of the first message in the inbox of a stream; 0 if it is incomplete. */
ssize_t whole_message(const struct link *link);
extern const struct transport bus_transport, stream_transport;

/* login.c */
int login(struct link *link, int64_t deadline, struct afdbus_error *error);

/* calls.c: outstanding calls */
struct call {
	uint32_t serial;
	char *callee;		/* who may answer, besides the driver; NULL: a well-known name was called */
	int64_t deadline;
	afdbus_on_answer *on_answer;
	void *data;
	struct call *next;
};

enum { CALL_BUCKETS = 64 };

struct calls {
	struct call *buckets[CALL_BUCKETS];
	unsigned int count;
	int64_t soonest;	/* no call has an earlier deadline */
};

int add_call(struct calls *calls, const struct afdbus_message *m, uint32_t serial, int64_t deadline,
	     afdbus_on_answer *on_answer, void *data);
bool has_call(const struct calls *calls, uint32_t serial);
void remove_call(struct calls *calls, uint32_t serial);
/* Whether this message answers the call with this serial. */
bool is_answer(const struct calls *calls, const struct afdbus_message *m, uint32_t serial);
/* Passes an answer to its callback and frees it; false if the message answers no call. */
bool answer_call(struct calls *calls, struct afdbus_message *m);
/* Ends one call whose deadline has passed; with NEVER, any call. Allocates no memory, so it can end every call. */
bool expire_call(struct calls *calls, int64_t now, const char *name, const char *text);

/* connection.c */
enum {
	SERIALS = 64,
	MAX_KEPT = 1 << 26,	/* bytes */
};

struct afdbus {
	struct link link;
	struct calls calls;
	char name[MAX_NAME + 1];
	uint32_t serials[SERIALS];	/* random numbers; the first n_serials are unused */
	unsigned int n_serials;
	struct afdbus_message *first, **last;	/* messages that came while a synchronous call waited */
	size_t kept_bytes;	/* size of these messages */
	int ended;		/* errno with which the connection has ended */
	bool closing;
};

int set_error(struct afdbus_error *error, int result, const char *name, const char *text);

#endif
