// SPDX-License-Identifier: MIT
/* A method call there and back: one at a time, and 32 at a time. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLS = 16, MANY = 128, OUTSTANDING = 32 };

struct load {
	size_t size;
	int outstanding;
};

struct stage {
	struct load load;
	struct afdbus *bus;
	int raw;
	pid_t echo;
	struct afdbus_message *call;
	char *bytes;
	int left, waiting;
};

static struct stage *begin(const struct side *side, const void *arguments)
{
	struct stage *s = calloc(1, sizeof(*s));
	int pair[2];

	s->load = *(const struct load *)arguments;
	s->bytes = calloc(1, s->load.size + 256);
	if (!side->address) {
		check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "socketpair");
		s->raw = pair[0];
		s->echo = start_raw_echo(pair[1]);
		close(pair[1]);
		return s;
	}
	s->echo = start_echo(side, "org.example.Echo");
	s->bus = join(side);
	s->call = afdbus_new_call("org.example.Echo", PATH, INTERFACE, "Echo");
	afdbus_append_array(s->call, 'y', s->bytes, s->load.size);
	return s;
}

static void one_call(struct stage *s)
{
	check(afdbus_call(s->bus, s->call, AFDBUS_FOREVER, NULL, NULL), "call");
}

/* As many bytes as a message of D-Bus would have. */
static void one_raw(struct stage *s)
{
	size_t size = s->load.size + 136;

	if (send(s->raw, s->bytes, size, 0) < 0 || recv(s->raw, s->bytes, size, 0) < 0)
		check(-errno, "raw");
}

static void on_answer(void *data, struct afdbus_message *answer)
{
	struct stage *s = data;

	if (afdbus_type(answer) != AFDBUS_RETURN)
		check(-EREMOTEIO, afdbus_error_name(answer));
	s->waiting--;
}

static void many_calls(struct stage *s)
{
	struct afdbus_message *m;

	for (s->left = MANY; s->left > 0 || s->waiting > 0;) {
		for (; s->left > 0 && s->waiting < s->load.outstanding; s->left--, s->waiting++)
			check(afdbus_call_async(s->bus, s->call, AFDBUS_FOREVER, on_answer, s), "call");
		check(afdbus_next(s->bus, AFDBUS_FOREVER, &m), "next");
		afdbus_free(m);
	}
}

static void many_raw(struct stage *s)
{
	size_t size = s->load.size + 136;

	for (int done = 0; done < MANY; done += s->load.outstanding) {
		for (int n = 0; n < s->load.outstanding; n++)
			check(send(s->raw, s->bytes, size, 0) < 0 ? -errno : 0, "raw");
		for (int n = 0; n < s->load.outstanding; n++)
			check(recv(s->raw, s->bytes, size, 0) < 0 ? -errno : 0, "raw");
	}
}

static double microseconds(struct stage *s)
{
	int64_t start = now_ns();

	for (int n = 0; n < CALLS; n++) {
		if (s->bus)
			one_call(s);
		else
			one_raw(s);
	}
	return (now_ns() - start) / 1e3 / CALLS;
}

static double per_second(struct stage *s)
{
	int64_t start = now_ns();

	if (s->bus)
		many_calls(s);
	else
		many_raw(s);
	return MANY * 1e9 / (now_ns() - start);
}

static void end(struct stage *s)
{
	end_party(s->echo);
	afdbus_free(s->call);
	afdbus_disconnect(s->bus);
	if (!s->bus)
		close(s->raw);
	free(s->bytes);
	free(s);
}

void bench_calls(void)
{
	static const struct measure single = { begin, microseconds, end }, many = { begin, per_second, end };
	static const size_t sizes[] = { 16, 1024, 8192, 65536 };
	struct row row = { .unit = "us" };

	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		snprintf(row.name, sizeof(row.name), "call %zu B", sizes[n]);
		compare(&row, &single, &(struct load){ sizes[n], 1 });
	}
	row = (struct row){ .name = "calls, 32 outstanding", .unit = "calls/s", .more_is_better = true };
	compare(&row, &many, &(struct load){ 16, OUTSTANDING });
}
