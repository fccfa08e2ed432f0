/* SPDX-License-Identifier: MIT */
/*
 * libafbus-dbus - a D-Bus client on AF_BUS.
 *
 * Functions that return int return a negative errno when they fail. A connection and its messages belong to one thread
 * at a time. docs/dbus.md ("The C library") is the guide, afbus-dbus(3) the reference.
 */
#ifndef AFBUS_DBUS_H
#define AFBUS_DBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct afdbus;
struct afdbus_message;

/* Name and text of a D-Bus error. Functions that take one set it when they fail; it may be NULL. */
struct afdbus_error {
	char name[256];
	char text[512];
};

/* Timeouts are milliseconds. */
#define AFDBUS_DEFAULT_TIMEOUT	25000
#define AFDBUS_FOREVER		(-1)

/* The connection */

/* afbus:path=…, afbus:abstract=…; also unix:path=… and unix:abstract=…, a D-Bus daemon of any kind. */
/* When it fails, *bus is NULL. */
int afdbus_connect(struct afdbus **bus, const char *address, struct afdbus_error *error);
/* Ends outstanding calls with the error Disconnected, by running their callbacks. Does nothing for NULL. */
void afdbus_disconnect(struct afdbus *bus);
/* The connection's unique name. */
const char *afdbus_name(const struct afdbus *bus);

/* Messages out */

int afdbus_send(struct afdbus *bus, struct afdbus_message *message, int timeout);
/*
 * Waits for the reply, which the caller frees. reply may be NULL; *reply is NULL on failure. Returns -EREMOTEIO if
 * the answer is an error, -ETIMEDOUT if no answer comes in time.
 */
int afdbus_call(struct afdbus *bus, struct afdbus_message *call, int timeout,
		struct afdbus_message **reply, struct afdbus_error *error);

/*
 * answer is a return or an error, perhaps one that this library made (NoReply, Disconnected). The library frees it
 * after the callback has run.
 */
typedef void afdbus_on_answer(void *data, struct afdbus_message *answer);
int afdbus_call_async(struct afdbus *bus, struct afdbus_message *call, int timeout,
		      afdbus_on_answer *on_answer, void *data);

/* Messages in: calls and signals, which the caller frees */

/*
 * Waits for a message or an answer. Returns 1 if a message has come, or if the callback of an answer has run; then
 * *message is NULL. Returns 0 after the timeout.
 */
int afdbus_next(struct afdbus *bus, int timeout, struct afdbus_message **message);
/* The same without waiting. Returns 1 if there may be more, so call it again; 0 if nothing is left. */
int afdbus_process(struct afdbus *bus, struct afdbus_message **message);
/* For poll(2): the longest time to wait for POLLIN; 0 if afdbus_process() has work now. */
int afdbus_fd(const struct afdbus *bus);
int afdbus_timeout(const struct afdbus *bus);

/* The bus driver */

enum {
	AFDBUS_ALLOW_REPLACEMENT = 1,
	AFDBUS_REPLACE_EXISTING = 2,
	AFDBUS_DO_NOT_QUEUE = 4,
};

enum {
	AFDBUS_PRIMARY_OWNER = 1,
	AFDBUS_IN_QUEUE = 2,
	AFDBUS_EXISTS = 3,
	AFDBUS_ALREADY_OWNER = 4,
};

enum {
	AFDBUS_RELEASED = 1,
	AFDBUS_NON_EXISTENT = 2,
	AFDBUS_NOT_OWNER = 3,
};

int afdbus_request_name(struct afdbus *bus, const char *name, unsigned int flags, struct afdbus_error *error);
int afdbus_release_name(struct afdbus *bus, const char *name, struct afdbus_error *error);
int afdbus_add_match(struct afdbus *bus, const char *rule, struct afdbus_error *error);
int afdbus_remove_match(struct afdbus *bus, const char *rule, struct afdbus_error *error);

/*
 * Making messages
 *
 * These functions report no error. The first mistake (a name, a value, no memory) is what sending the message
 * returns, so one check is enough. Sending NULL returns -ENOMEM.
 */
struct afdbus_message *afdbus_new_call(const char *destination, const char *path, const char *interface,
				       const char *member);
struct afdbus_message *afdbus_new_signal(const char *path, const char *interface, const char *member);
struct afdbus_message *afdbus_new_return(const struct afdbus_message *call);
struct afdbus_message *afdbus_new_error(const struct afdbus_message *call, const char *name, const char *text);
void afdbus_free(struct afdbus_message *message);

/* Sends a signal to one client only. */
void afdbus_set_destination(struct afdbus_message *message, const char *destination);

enum {
	AFDBUS_NO_REPLY_EXPECTED = 1,
	AFDBUS_NO_AUTO_START = 2,
	AFDBUS_ALLOW_INTERACTIVE_AUTHORIZATION = 4,
};

void afdbus_set_flags(struct afdbus_message *message, unsigned int flags);

/* Basic types and a value for each: y b n q i u (int), x t (64 bits), d, s o g (text), h (a descriptor: copied). */
void afdbus_append(struct afdbus_message *message, const char *types, ...);
/* Begins a container: 'a', 'v', '(' or '{', with the types in it: afdbus_begin(m, 'a', "{sv}"). */
void afdbus_begin(struct afdbus_message *message, char type, const char *contents);
void afdbus_end(struct afdbus_message *message);
/* A whole array of numbers (y n q i u x t d), in the layout of a C array. */
void afdbus_append_array(struct afdbus_message *message, char type, const void *data, size_t bytes);

/*
 * Reading messages. Texts and arrays belong to the message. A received message is valid as a whole, and nothing can be
 * appended to it; nothing can be read from a message made here. NULL has no type, no fields and no values.
 */

enum {
	AFDBUS_CALL = 1,
	AFDBUS_RETURN = 2,
	AFDBUS_ERROR = 3,
	AFDBUS_SIGNAL = 4,
};

int afdbus_type(const struct afdbus_message *message);
unsigned int afdbus_flags(const struct afdbus_message *message);
/* NULL for a field that the message does not have. */
const char *afdbus_path(const struct afdbus_message *message);
const char *afdbus_interface(const struct afdbus_message *message);
const char *afdbus_member(const struct afdbus_message *message);
const char *afdbus_error_name(const struct afdbus_message *message);
const char *afdbus_destination(const struct afdbus_message *message);
/* The sender's unique name from the kernel, whatever the message says; org.freedesktop.DBus for the bus driver. */
const char *afdbus_sender(const struct afdbus_message *message);
const char *afdbus_signature(const struct afdbus_message *message);
bool afdbus_is_call(const struct afdbus_message *message, const char *interface, const char *member);
bool afdbus_is_signal(const struct afdbus_message *message, const char *interface, const char *member);

/* The type of the next value, as for afdbus_begin(); 0 at the end of the message or container. */
int afdbus_peek(const struct afdbus_message *message);
/*
 * Basic types and a pointer for each: uint8_t, bool, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t, double,
 * const char * (s o g), int (h: a descriptor, which is closed with the message). -ENXIO if the next value is of another
 * type, -EBADMSG for a descriptor that did not come; then values before it have been read.
 */
int afdbus_read(struct afdbus_message *message, const char *types, ...);
/* Enters a container, or leaves it and skips what is left in it. */
int afdbus_enter(struct afdbus_message *message, char type);
/* The types in the container entered last, as for afdbus_begin(), without those already read (not in an array). */
void afdbus_contents(const struct afdbus_message *message, char types[256]);
int afdbus_leave(struct afdbus_message *message);
int afdbus_skip(struct afdbus_message *message);
int afdbus_read_array(struct afdbus_message *message, char type, const void **data, size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
