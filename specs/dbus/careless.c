// SPDX-License-Identifier: MIT
/* A program that uses libafbus-dbus carelessly: it hears -EINVAL or the like, breaks nothing, and sends nothing wrong. */
#include "expect.h"

#include <limits.h>
#include <time.h>

static struct afdbus *join(const char *address)
{
	struct afdbus_error error;
	struct afdbus *bus;

	expect(afdbus_connect(&bus, address, &error) == 0);
	return bus;
}

/* What sending it says; it is freed. */
static int sent(struct afdbus *bus, struct afdbus_message *m)
{
	int result = afdbus_send(bus, m, AFDBUS_DEFAULT_TIMEOUT);

	afdbus_free(m);
	return result;
}

static struct afdbus_message *signal_to(const struct afdbus *bus)
{
	struct afdbus_message *m = afdbus_new_signal("/p", "a.B", "M");

	afdbus_set_destination(m, afdbus_name(bus));
	afdbus_append(m, "s", "text");
	return m;
}

/* Of what the client sends to itself. */
static struct afdbus_message *received(struct afdbus *bus, const char *member)
{
	struct afdbus_message *m = NULL;

	while (!m || strcmp(afdbus_member(m), member) != 0) {
		afdbus_free(m);
		expect(afdbus_next(bus, AFDBUS_DEFAULT_TIMEOUT, &m) == 1);
	}
	return m;
}

static void null(const char *address)
{
	struct afdbus *bus = (struct afdbus *)address, *joined;
	struct afdbus_message *m;
	char types[256];

	expect(afdbus_connect(&bus, NULL, NULL) == -EINVAL && bus == NULL);
	bus = (struct afdbus *)address;
	expect(afdbus_connect(&bus, "unix:path=/nowhere", NULL) == -ENOENT && bus == NULL);
	afdbus_disconnect(bus);
	afdbus_free(NULL);

	expect(afdbus_type(NULL) == 0 && afdbus_flags(NULL) == 0 && !afdbus_path(NULL) && !afdbus_sender(NULL));
	expect(!afdbus_signature(NULL) && !afdbus_is_call(NULL, "a.B", "M") && !afdbus_is_signal(NULL, "a.B", "M"));
	expect(afdbus_peek(NULL) == 0 && afdbus_read(NULL, "s", &m) == -ENXIO && afdbus_skip(NULL) == -ENXIO);
	expect(afdbus_enter(NULL, 'a') == -ENXIO && afdbus_leave(NULL) == -ENXIO);
	afdbus_contents(NULL, types);
	expect(types[0] == '\0');

	joined = join(address);
	expect(sent(joined, NULL) == -ENOMEM);
	expect(sent(joined, afdbus_new_return(NULL)) == -EINVAL);
	expect(sent(joined, afdbus_new_error(NULL, "a.B", NULL)) == -EINVAL);
	for (const char *type = "av({"; *type; type++) {
		m = signal_to(joined);
		afdbus_begin(m, *type, NULL);
		expect(sent(joined, m) == -EINVAL);
	}
	m = afdbus_new_call(NULL, NULL, NULL, NULL);
	expect(!afdbus_is_call(m, "a.B", "M"));
	expect(sent(joined, m) == -EINVAL);
	m = driver_call("GetId");
	expect(afdbus_call_async(joined, m, AFDBUS_FOREVER, NULL, NULL) == -EINVAL);
	afdbus_free(m);
	expect(afdbus_request_name(joined, NULL, 0, NULL) == -EINVAL);
	afdbus_disconnect(joined);
}

/* Each of these once wrote into a message that had come, or freed a part of it. */
static void write_to_received(const char *address)
{
	struct afdbus *bus = join(address);
	struct afdbus_message *m;
	const char *text;

	for (int way = 0; way < 5; way++) {
		expect(sent(bus, signal_to(bus)) == 0);
		m = received(bus, "M");
		if (way == 0)
			afdbus_set_destination(m, "a.b");
		if (way == 1)
			afdbus_append(m, "su", "more", 1);
		if (way == 2)
			afdbus_begin(m, 'a', "s");
		if (way == 3)
			afdbus_append_array(m, 'y', "more", 4);
		if (way == 4)
			afdbus_end(m);
		expect(!strcmp(afdbus_destination(m), afdbus_name(bus)) && !strcmp(afdbus_signature(m), "s"));
		expect(afdbus_read(m, "s", &text) == 0 && !strcmp(text, "text") && afdbus_peek(m) == 0);
		expect(sent(bus, m) == -EINVAL);
	}
	afdbus_disconnect(bus);
}

static void read_from_made(const char *address)
{
	struct afdbus_message *m = afdbus_new_signal("/p", "a.B", "M");
	char types[256];
	uint8_t byte;

	(void)address;
	for (int n = 0; n < 64; n++)
		afdbus_begin(m, 'v', "v");
	for (int n = 0; n < 64; n++)
		expect(afdbus_peek(m) == 0 && afdbus_enter(m, 'v') == -ENXIO && afdbus_leave(m) == -ENXIO);
	expect(afdbus_read(m, "y", &byte) == -ENXIO && afdbus_skip(m) == -ENXIO);
	afdbus_contents(m, types);
	expect(types[0] == '\0');
	afdbus_free(m);
}

/* The bus would disconnect the sender of each. */
static void write_wrong(const char *address)
{
	struct afdbus *bus = join(address);
	struct afdbus_message *m = signal_to(bus);
	char *path;

	afdbus_begin(m, '{', "sv");
	afdbus_append(m, "s", "key");
	afdbus_begin(m, 'v', "s");
	afdbus_append(m, "s", "value");
	afdbus_end(m);
	afdbus_end(m);
	expect(sent(bus, m) == -EINVAL);

	for (size_t size = SIZE_MAX; size > (1 << 26); size >>= 1) {
		m = signal_to(bus);
		afdbus_append_array(m, 'y', "few", size);
		expect(sent(bus, m) == -EMSGSIZE);
	}
	m = signal_to(bus);
	afdbus_set_flags(m, 256);
	expect(sent(bus, m) == -EINVAL);

	path = malloc((1 << 26) + 2);
	path[0] = '/';
	memset(path + 1, 'a', 1 << 26);
	path[(1 << 26) + 1] = '\0';
	expect(sent(bus, afdbus_new_signal(path, "a.B", "M")) == -EMSGSIZE);
	free(path);

	expect(afdbus_release_name(bus, "a.b", NULL) == AFDBUS_NON_EXISTENT);
	afdbus_disconnect(bus);
}

static void answer_no_call(void *data, struct afdbus_message *answer)
{
	expect(sent(data, afdbus_new_return(answer)) == -EINVAL);
	expect(sent(data, afdbus_new_error(answer, "a.B", "no")) == -EINVAL);
}

static void answer_what_is_no_call(const char *address)
{
	struct afdbus *bus = join(address);
	struct afdbus_message *call = afdbus_new_call(afdbus_name(bus), "/p", "a.B", "M"), *m;

	expect(afdbus_call_async(bus, call, 0, answer_no_call, bus) == 0);
	expect(sent(bus, afdbus_new_return(call)) == -EINVAL);
	afdbus_free(call);
	m = received(bus, "NameAcquired");
	answer_no_call(bus, m);
	afdbus_free(m);
	for (m = NULL; m || afdbus_timeout(bus) >= 0; afdbus_free(m))
		expect(afdbus_next(bus, 1000, &m) >= 0);
	expect(afdbus_release_name(bus, "a.b", NULL) == AFDBUS_NON_EXISTENT);
	afdbus_disconnect(bus);
}

static int ended;

static void on_answer_disconnect(void *data, struct afdbus_message *answer)
{
	ended++;
	expect(afdbus_type(answer) == AFDBUS_RETURN || afdbus_type(answer) == AFDBUS_ERROR);
	afdbus_disconnect(data);
	expect(afdbus_sender(answer) != NULL);
}

/* An answer, an answer by afdbus_process(), a timeout, afdbus_disconnect() itself. */
static void disconnect_in_callback(const char *address)
{
	for (int way = 0; way < 4; way++) {
		struct afdbus *bus = join(address);
		struct afdbus_message *call = driver_call("GetId"), *m;

		expect(afdbus_call_async(bus, call, way == 2 ? 0 : AFDBUS_FOREVER, on_answer_disconnect, bus) == 0);
		if (way == 3)
			expect(afdbus_call_async(bus, call, AFDBUS_FOREVER, on_answer_disconnect, bus) == 0);
		afdbus_free(call);
		ended = 0;
		if (way == 3)
			afdbus_disconnect(bus);
		while (ended == 0) {
			expect((way == 1 ? afdbus_process(bus, &m) : afdbus_next(bus, AFDBUS_FOREVER, &m)) >= 0);
			afdbus_free(m);
		}
		expect(ended == (way == 3 ? 2 : 1));
	}
}

static void free_after_failure(const char *address)
{
	struct afdbus *bus = join(address);
	struct afdbus_message *call = driver_call("NoSuchMethod"), *reply = call;
	struct afdbus_error error;

	expect(afdbus_call(bus, call, AFDBUS_DEFAULT_TIMEOUT, &reply, &error) == -EREMOTEIO && reply == NULL);
	afdbus_free(reply);
	reply = call;
	expect(afdbus_call(bus, NULL, AFDBUS_DEFAULT_TIMEOUT, &reply, &error) == -ENOMEM && reply == NULL);
	afdbus_free(call);
	afdbus_disconnect(bus);
}

static void on_answer_note(void *data, struct afdbus_message *answer)
{
	*(int *)data = afdbus_type(answer);
}

/* The answer comes while another call waits, and is looked at when its time is over. */
static void late_for_kept(const char *address)
{
	struct afdbus *bus = join(address);
	struct afdbus_message *call = driver_call("GetId"), *m;
	int type = 0;

	expect(afdbus_call_async(bus, call, 500, on_answer_note, &type) == 0);
	expect(afdbus_call(bus, call, AFDBUS_FOREVER, NULL, NULL) == 0);
	expect(afdbus_timeout(bus) == 0);
	nanosleep(&(struct timespec){ .tv_nsec = 600000000 }, NULL);
	while (type == 0) {
		expect(afdbus_process(bus, &m) == 1);
		afdbus_free(m);
	}
	expect(type == AFDBUS_RETURN);
	afdbus_free(call);
	afdbus_disconnect(bus);
}

/* Addresses that dbus-daemon's clients take, and some that they do not. */
static void addresses(const char *address)
{
	char text[600];
	struct afdbus *bus;

	snprintf(text, sizeof(text), "unix:tmpdir=/tmp;tcp:host=localhost;%s,guid=00", address);
	bus = join(text);
	afdbus_disconnect(bus);
	snprintf(text, sizeof(text), "unix:path=/%0106d", 0);
	expect(afdbus_connect(&bus, text, NULL) == -ENOENT);
	snprintf(text, sizeof(text), "unix:path=/%0107d", 0);
	expect(afdbus_connect(&bus, text, NULL) == -ENAMETOOLONG);
	expect(afdbus_connect(&bus, "unix:path=%+1", NULL) == -EINVAL);
	expect(afdbus_connect(&bus, "unix:path=%00", NULL) == -EINVAL);
	expect(afdbus_connect(&bus, "unix:path=/a%4", NULL) == -EINVAL);
	expect(afdbus_connect(&bus, "", NULL) == -EINVAL);
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "null", null },
		{ "write-to-received", write_to_received },
		{ "read-from-made", read_from_made },
		{ "write-wrong", write_wrong },
		{ "answer-no-call", answer_what_is_no_call },
		{ "disconnect-in-callback", disconnect_in_callback },
		{ "free-after-failure", free_after_failure },
		{ "late-for-kept", late_for_kept },
		{ "addresses", addresses },
		{ NULL, NULL },
	};

	return play(scenarios, argc, argv);
}
