/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parties of a measurement: ends of connections, and processes that hold them.
 *
 * The process that measures sends; the others answer or only read, for as long as the measurement
 * takes.
 */
#ifndef PARTIES_H
#define PARTIES_H

#include "bus.h"
#include "bench.h"

enum { ANY_CPU = -1 };
enum { MAX_MESSAGE = 65536 };

/* A queue length beyond what the send buffer allows: so the send buffer bounds both families. */
enum { LONG_QUEUE = 4096 };

/* One end of a connection, and the name that it sends to; NULL if there is only one peer. */
struct end {
	int fd;
	struct sockaddr_bus to;
	socklen_t to_len;
};

struct pair {
	struct end near, far;
	int master[2];		/* accepted sockets, -1 for AF_UNIX */
};

/* The first byte of a message. */
enum mark { PLAIN, LAST };

struct pair unix_pair(void);
struct pair bus_pair(const struct bus *bus);
void close_pair(struct pair *pair);
struct end end_to(int fd, uint64_t to);
struct bus wide_bus(const char *name, int maxqlen);

void give(const struct end *end, size_t size, enum mark mark);
enum mark receive(const struct end *end, size_t size);
/* The number of messages that fit between two ends while nobody reads. */
int in_flight(const struct pair *pair, size_t size);

void pin(int cpu);
/* A process that runs @body for ever; it ends with this process, or by dismiss(). */
pid_t hire(int cpu, void (*body)(void *), void *state);
void dismiss(pid_t pid);
void halt(pid_t pid);
void go_on(pid_t pid);

/* A counter that others raise, and for which the measuring process waits. */
int new_tally(void);
void tally(int fd);
void await_tally(int fd, int n);

/* stream.c: two processes, and what goes one way between them. */
struct stream {
	struct pair pair;
	size_t size;
	int arrived;
	pid_t helper;
};

struct stream new_stream(struct pair pair, size_t size);
void stream_read(void *state);
double stream_messages_per_second(void *state, long n);
void end_stream(struct stream *s);

#endif
