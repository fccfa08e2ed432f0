// SPDX-License-Identifier: MIT
/*
 * A service and its caller at once, on the bus whose address is the argument:
 *
 *   cc player.c $(pkg-config --cflags --libs afbus-dbus) -o player
 *   ./player afbus:abstract=my-bus
 */
#include <afbus-dbus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.example.Player"
#define PATH "/org/example/Player"

static void check(int result, const char *what, const struct afdbus_error *error)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, error ? error->text : strerror(-result));
	exit(1);
}

/* Play(s) → b: answers, and emits the signal that the song has started. */
static void play(struct afdbus *bus, struct afdbus_message *call)
{
	struct afdbus_message *reply, *started;
	const char *track;

	if (afdbus_read(call, "s", &track) < 0) {
		reply = afdbus_new_error(call, "org.freedesktop.DBus.Error.InvalidArgs", "Play takes one text");
	} else {
		started = afdbus_new_signal(PATH, NAME, "Started");
		afdbus_append(started, "s", track);
		check(afdbus_send(bus, started, AFDBUS_DEFAULT_TIMEOUT), "Started", NULL);
		afdbus_free(started);
		reply = afdbus_new_return(call);
		afdbus_append(reply, "b", track[0] != '\0');
	}
	check(afdbus_send(bus, reply, AFDBUS_DEFAULT_TIMEOUT), "reply", NULL);
	afdbus_free(reply);
}

static void on_played(void *data, struct afdbus_message *answer)
{
	bool played = false;

	afdbus_read(answer, "b", &played);
	printf("played %s\n", played ? "true" : "false");
	*(bool *)data = true;
}

int main(int argc, char **argv)
{
	struct afdbus_error error;
	struct afdbus_message *call, *message;
	struct afdbus *service, *caller;
	bool answered = false;
	const char *track;

	if (argc != 2) {
		fprintf(stderr, "usage: %s ADDRESS\n", argv[0]);
		return 2;
	}
	check(afdbus_connect(&service, argv[1], &error), "connect", &error);
	check(afdbus_connect(&caller, argv[1], &error), "connect", &error);
	check(afdbus_request_name(service, NAME, 0, &error), NAME, &error);
	check(afdbus_add_match(caller, "sender='" NAME "',member='Started'", &error), "match", &error);

	call = afdbus_new_call(NAME, PATH, NAME, "Play");
	afdbus_append(call, "s", "a song");
	check(afdbus_call_async(caller, call, AFDBUS_DEFAULT_TIMEOUT, on_played, &answered), "Play", NULL);
	afdbus_free(call);

	for (bool done = false; !done; afdbus_free(message)) {
		check(afdbus_next(service, AFDBUS_FOREVER, &message), "service", NULL);
		done = afdbus_is_call(message, NAME, "Play");
		if (done)
			play(service, message);
	}
	for (bool done = false; !done; afdbus_free(message)) {
		check(afdbus_next(caller, AFDBUS_FOREVER, &message), "caller", NULL);
		done = afdbus_is_signal(message, NAME, "Started");
		if (done && afdbus_read(message, "s", &track) == 0)
			printf("started %s\n", track);
	}
	while (!answered) {
		check(afdbus_next(caller, AFDBUS_FOREVER, &message), "caller", NULL);
		afdbus_free(message);
	}
	afdbus_disconnect(caller);
	afdbus_disconnect(service);
	return 0;
}
