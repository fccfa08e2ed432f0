// SPDX-License-Identifier: MIT
/* The connection: gives outgoing messages their serials, and passes incoming ones to the code that waits for them. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int set_error(struct afdbus_error *error, int result, const char *name, const char *text)
{
	if (error) {
		snprintf(error->name, sizeof(error->name), "%s", name);
		snprintf(error->text, sizeof(error->text), "%s", text);
	}
	return result;
}

/* An errno for which there is no error message. */
static int fail_plainly(struct afdbus_error *error, int result)
{
	return set_error(error, result, ERROR_NAME("Failed"), strerror(-result));
}

/* Sending */

/* A serial that nobody can guess, since it may be all that identifies an answer. 0 if there are no random numbers. */
static uint32_t next_serial(struct afdbus *bus)
{
	uint32_t serial;

	do {
		if (bus->n_serials == 0) {
			if (getrandom(bus->serials, sizeof(bus->serials), 0) != sizeof(bus->serials))
				return 0;
			bus->n_serials = SERIALS;
		}
		serial = bus->serials[--bus->n_serials];
	} while (serial == 0 || has_call(&bus->calls, serial));
	return serial;
}

static int check_message(const struct afdbus *bus, const struct afdbus_message *m)
{
	if (!m)
		return -ENOMEM;
	if (m->failed)
		return m->failed;
	if (bus->ended)
		return bus->ended;
	return m->made && m->depth == 0 ? 0 : -EINVAL;
}

static int send_as(struct afdbus *bus, struct afdbus_message *m, uint32_t serial, int64_t deadline)
{
	struct header header;
	int result = marshal_header(m, serial, &header);

	if (result < 0)
		return result;
	result = bus->link.transport->send(&bus->link, m, &header, deadline);
	free(header.bytes);
	return result;
}

PUBLIC int afdbus_send(struct afdbus *bus, struct afdbus_message *m, int timeout)
{
	int result = check_message(bus, m);
	uint32_t serial;

	if (result < 0)
		return result;
	serial = next_serial(bus);
	if (serial == 0)
		return -EIO;
	result = send_as(bus, m, serial, deadline_after(timeout));
	return result == -EAGAIN && timeout != 0 ? -ETIMEDOUT : result;
}

/* Registers the call before it is sent, since its answer may come at once. Returns the serial, or 0 with *result. */
static uint32_t start_call(struct afdbus *bus, struct afdbus_message *call, int64_t deadline,
			   afdbus_on_answer *on_answer, void *data, int *result)
{
	uint32_t serial = 0;

	*result = check_message(bus, call);
	if (*result == 0 && (call->type != AFDBUS_CALL || call->flags & AFDBUS_NO_REPLY_EXPECTED))
		*result = -EINVAL;
	if (*result == 0 && (serial = next_serial(bus)) == 0)
		*result = -EIO;
	if (*result == 0)
		*result = add_call(&bus->calls, call, serial, deadline, on_answer, data);
	if (*result < 0)
		return 0;
	*result = send_as(bus, call, serial, deadline);
	if (*result == 0)
		return serial;
	remove_call(&bus->calls, serial);
	return 0;
}

PUBLIC int afdbus_call_async(struct afdbus *bus, struct afdbus_message *call, int timeout, afdbus_on_answer *on_answer,
			     void *data)
{
	int result;

	if (!on_answer)
		return -EINVAL;
	start_call(bus, call, deadline_after(timeout), on_answer, data, &result);
	return result == -EAGAIN && timeout != 0 ? -ETIMEDOUT : result;
}

/* Receiving */

static bool is_forwarded(const struct afdbus_message *m)
{
	return m->type == AFDBUS_SIGNAL && strcmp(m->member, "Forwarded") == 0 &&
	       strcmp(m->interface, DRIVER ".AF_BUS") == 0 && strcmp(m->sender, DRIVER) == 0;
}

static void learn(struct afdbus *bus, struct afdbus_message *m)
{
	const char *name;
	uint64_t address;

	if (bus->link.routes && afdbus_read(m, "st", &name, &address) == 0 && valid_bus_name(name))
		learn_route(bus->link.routes, name, address);
}

/* Returns 1 with a message that the library does not handle itself. */
static int receive(struct afdbus *bus, int64_t deadline, struct afdbus_message **m)
{
	for (;;) {
		int result = bus->ended ? bus->ended : bus->link.transport->receive(&bus->link, deadline, m);

		if (result == 0)
			result = -ECONNRESET;
		if (result < 0) {
			if (result != -EAGAIN && result != -EINTR && result != -ENOMEM)
				bus->ended = result;
			return result;
		}
		if (!is_forwarded(*m))
			return 1;
		learn(bus, *m);
		afdbus_free(*m);
	}
}

static size_t memory_of(const struct afdbus_message *m)
{
	return sizeof(*m) + m->capacity;
}

static void keep(struct afdbus *bus, struct afdbus_message *m)
{
	bus->kept_bytes += memory_of(m);
	m->next = NULL;
	*bus->last = m;
	bus->last = &m->next;
}

static struct afdbus_message *kept(struct afdbus *bus)
{
	struct afdbus_message *m = bus->first;

	if (m) {
		bus->kept_bytes -= memory_of(m);
		bus->first = m->next;
		if (!bus->first)
			bus->last = &bus->first;
	}
	return m;
}

/* False for answers: they have been passed to their callbacks, or nobody waits for them. */
static bool is_for_caller(struct afdbus *bus, struct afdbus_message *m)
{
	if (answer_call(&bus->calls, m))
		return false;
	if (m->type == AFDBUS_CALL || m->type == AFDBUS_SIGNAL)
		return true;
	afdbus_free(m);
	return false;
}

/* Returns 1 with *m, which is NULL if the message was an answer. */
static int step(struct afdbus *bus, int64_t deadline, struct afdbus_message **m)
{
	int result = 1;

	*m = kept(bus);
	if (!*m)
		result = receive(bus, deadline, m);
	if (result == 1 && !is_for_caller(bus, *m))
		*m = NULL;
	return result;
}

static bool expire(struct afdbus *bus)
{
	if (bus->calls.count == 0)
		return false;
	if (bus->ended && !bus->first)
		return expire_call(&bus->calls, NEVER, ERROR_NAME("Disconnected"), "the connection has ended");
	return bus->calls.soonest != NEVER &&
	       expire_call(&bus->calls, now_ns(), ERROR_NAME("NoReply"), "the callee has not replied in time");
}

PUBLIC int afdbus_process(struct afdbus *bus, struct afdbus_message **m)
{
	int result;

	*m = NULL;
	/* Messages that afdbus_call() has kept came first. */
	if (!bus->first && expire(bus))
		return 1;
	result = step(bus, NOW, m);
	if (result < 0)
		*m = NULL;
	if (result < 0 && bus->ended && expire(bus))
		return 1;
	return result == -EAGAIN || result == -EINTR ? 0 : result;
}

PUBLIC int afdbus_next(struct afdbus *bus, int timeout, struct afdbus_message **m)
{
	int64_t deadline = deadline_after(timeout);

	for (;;) {
		int64_t until = bus->calls.count > 0 && bus->calls.soonest < deadline ? bus->calls.soonest : deadline;
		int result = step(bus, until, m);

		if (result == 1)
			return 1;
		*m = NULL;
		if (expire(bus))
			return 1;
		if (result != -EAGAIN)
			return result;
		if (deadline != NEVER && (deadline == NOW || now_ns() >= deadline))
			return 0;
	}
}

PUBLIC int afdbus_fd(const struct afdbus *bus)
{
	return bus->link.fd;
}

PUBLIC int afdbus_timeout(const struct afdbus *bus)
{
	int64_t left;

	/* In these cases there is work, though the descriptor is not readable. */
	if (bus->first || bus->ended || whole_message(&bus->link) != 0)
		return 0;
	if (bus->calls.count == 0 || bus->calls.soonest == NEVER)
		return -1;
	left = (bus->calls.soonest - now_ns() + 999999) / 1000000;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
}

/* Synchronous calls */

/* Waits for the answer to this call. Keeps all other messages in their order, up to a limit. */
static int await(struct afdbus *bus, uint32_t serial, int64_t deadline, struct afdbus_message **answer)
{
	for (;;) {
		int result = receive(bus, deadline, answer);

		if (result == -EINTR)
			continue;
		if (result < 0)
			return result == -EAGAIN ? -ETIMEDOUT : result;
		if (is_answer(&bus->calls, *answer, serial))
			return 0;
		keep(bus, *answer);
		if (bus->kept_bytes > MAX_KEPT)
			return -ENOBUFS;
	}
}

static int say_why(struct afdbus_error *error, int result)
{
	if (result == -ETIMEDOUT)
		return set_error(error, result, ERROR_NAME("NoReply"), "the callee has not replied in time");
	if (result == -ECONNRESET)
		return set_error(error, result, ERROR_NAME("Disconnected"), "the connection has ended");
	return fail_plainly(error, result);
}

/* The answer is an error: its first argument is the error message, if it is a text. */
static int refused(struct afdbus_message *answer, struct afdbus_error *error)
{
	const char *text = "";

	if (afdbus_peek(answer) == 's')
		afdbus_read(answer, "s", &text);
	set_error(error, -EREMOTEIO, answer->error_name, text);
	afdbus_free(answer);
	return -EREMOTEIO;
}

PUBLIC int afdbus_call(struct afdbus *bus, struct afdbus_message *call, int timeout, struct afdbus_message **reply,
		       struct afdbus_error *error)
{
	int64_t deadline = deadline_after(timeout);
	struct afdbus_message *answer;
	int result;
	uint32_t serial = start_call(bus, call, deadline, NULL, NULL, &result);

	if (reply)
		*reply = NULL;
	if (serial != 0) {
		result = await(bus, serial, deadline, &answer);
		remove_call(&bus->calls, serial);
	}
	if (result < 0)
		return say_why(error, result == -EAGAIN ? -ETIMEDOUT : result);
	if (answer->type == AFDBUS_ERROR)
		return refused(answer, error);
	if (reply)
		*reply = answer;
	else
		afdbus_free(answer);
	return 0;
}

/* From connect() to the reply to Hello */

static int hello(struct afdbus *bus, struct afdbus_error *error)
{
	struct afdbus_message *call = afdbus_new_call(DRIVER, DRIVER_PATH, DRIVER, "Hello"), *reply;
	int result = afdbus_call(bus, call, AFDBUS_DEFAULT_TIMEOUT, &reply, error);
	const char *name;

	afdbus_free(call);
	if (result < 0)
		return result;
	result = afdbus_read(reply, "s", &name);
	if (result == 0)
		snprintf(bus->name, sizeof(bus->name), "%s", name);
	afdbus_free(reply);
	return result < 0 ? fail_plainly(error, result) : 0;
}

PUBLIC int afdbus_connect(struct afdbus **result, const char *text, struct afdbus_error *error)
{
	struct afdbus_error why = { "", "" };
	struct address address = { 0 };
	int64_t deadline = deadline_after(AFDBUS_DEFAULT_TIMEOUT);
	struct afdbus *bus;
	int status = text ? parse_address(text, &address) : -EINVAL;

	*result = NULL;
	if (status < 0)
		return set_error(error, status, ERROR_NAME("BadAddress"), "no address of afbus: or unix: with a path");
	bus = calloc(1, sizeof(*bus));
	if (!bus)
		return fail_plainly(error, -ENOMEM);
	bus->last = &bus->first;
	status = open_link(&bus->link, &address, deadline);
	if (status == 0)
		status = login(&bus->link, deadline, &why);
	if (status == -EAGAIN)
		status = set_error(&why, -ETIMEDOUT, ERROR_NAME("NoReply"), "the bus has not answered in time");
	if (status == 0)
		status = hello(bus, &why);
	if (status == 0) {
		*result = bus;
		return 0;
	}
	if (why.name[0] == '\0')
		fail_plainly(&why, status);
	afdbus_disconnect(bus);
	return set_error(error, status, why.name, why.text);
}

PUBLIC void afdbus_disconnect(struct afdbus *bus)
{
	struct afdbus_message *m;

	if (!bus || bus->closing)
		return;
	bus->closing = true;
	bus->ended = -ECONNRESET;
	while (expire_call(&bus->calls, NEVER, ERROR_NAME("Disconnected"), "the connection was closed"))
		;
	while ((m = kept(bus)))
		afdbus_free(m);
	close_link(&bus->link);
	free(bus);
}

PUBLIC const char *afdbus_name(const struct afdbus *bus)
{
	return bus->name;
}
