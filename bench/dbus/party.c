// SPDX-License-Identifier: MIT
/* Processes beside the one that measures. */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t fork_party(void)
{
	pid_t pid = fork();

	check(pid, "fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void end_party(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* By the clock that counts instructions, time flies while a daemon waits for its disk: its first answer comes too late. */
enum { TRIES = 50 };

struct afdbus *join(const struct side *side)
{
	struct afdbus_error error;
	struct afdbus *bus;
	int result = -ETIMEDOUT;

	for (int n = 0; n < TRIES && (result == -ETIMEDOUT || result == -ECONNRESET); n++)
		result = afdbus_connect(&bus, side->address, &error);
	if (result < 0)
		fprintf(stderr, "%s: %s: %s\n", side->address, error.name, error.text);
	check(result, side->name);
	return bus;
}

static void answer(struct afdbus *bus, struct afdbus_message *call)
{
	struct afdbus_message *reply = afdbus_new_return(call);
	const void *data;
	size_t bytes;

	check(afdbus_read_array(call, 'y', &data, &bytes), "echo");
	afdbus_append_array(reply, 'y', data, bytes);
	check(afdbus_send(bus, reply, AFDBUS_FOREVER), "echo");
	afdbus_free(reply);
}

static void echo(struct afdbus *bus)
{
	for (;;) {
		struct afdbus_message *call;

		check(afdbus_next(bus, AFDBUS_FOREVER, &call), "echo");
		if (afdbus_is_call(call, INTERFACE, "Echo"))
			answer(bus, call);
		afdbus_free(call);
	}
}

/* A byte through a pipe says that it is ready. */
static void await(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		check(-EPIPE, "a party has ended");
	close(fd);
}

pid_t start_echo(const struct side *side, const char *name)
{
	struct afdbus *bus;
	int ready[2];
	pid_t pid;

	check(pipe(ready), "pipe");
	pid = fork_party();
	if (pid == 0) {
		bus = join(side);
		check(afdbus_request_name(bus, name, 0, NULL), name);
		check(write(ready[1], "", 1), "ready");
		echo(bus);
	}
	close(ready[1]);
	await(ready[0]);
	return pid;
}

pid_t start_raw_echo(int fd)
{
	pid_t pid = fork_party();
	static char bytes[1 << 17];

	ssize_t length;

	if (pid > 0)
		return pid;
	do
		length = recv(fd, bytes, sizeof(bytes), 0);
	while (length > 0 && send(fd, bytes, length, 0) == length);
	_exit(0);	/* the other end is closed: this process has nothing else to do */
}

/* Adds a rule for these signals. */
void want(struct afdbus *bus, const char *interface, const char *member)
{
	char rule[200];

	snprintf(rule, sizeof(rule), "type='signal',interface='%s',member='%s'", interface, member);
	check(afdbus_add_match(bus, rule, NULL), rule);
}

struct afdbus_message *new_signal(void)
{
	struct afdbus_message *m = afdbus_new_signal(PATH, INTERFACE, "Tick");

	afdbus_append(m, "s", "sixteen bytes ...");
	return m;
}
