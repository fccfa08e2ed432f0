/* SPDX-License-Identifier: MIT */
/*
 * D-Bus beside D-Bus: the same program over each bus. A *side* is a bus, or a plain socket as the limit; a *row* is one
 * figure for each side. Sides take turns within a round, so that what else the machine does falls on all alike.
 */
#ifndef BENCH_DBUS_H
#define BENCH_DBUS_H

#include <afbus-dbus.h>

#include <stdint.h>
#include <sys/types.h>

enum { MAX_SIDES = 8, MAX_ROUNDS = 200 };

#define INTERFACE "org.example.Bench"
#define PATH "/org/example/Bench"

struct side {
	const char *name;
	const char *address;	/* NULL: an AF_UNIX SEQPACKET pair with no bus */
};

struct row {
	char name[96];
	const char *unit;
	bool more_is_better;
	bool needs_bus;		/* there is no such thing on a plain socket */
};

/* What a row has made for one side. */
struct stage;

struct measure {
	struct stage *(*begin)(const struct side *side, const void *arguments);
	double (*measure)(struct stage *stage);
	void (*end)(struct stage *stage);
};

/* main.c */
void check(int result, const char *what);
int64_t now_ns(void);
bool chosen(const char *name);
void compare(const struct row *row, const struct measure *measure, const void *arguments);

/* party.c: processes that serve, listen, or are just there */
pid_t fork_party(void);
void end_party(pid_t pid);
struct afdbus *join(const struct side *side);
/* Owns a name, and returns what is sent to it until it is killed. Returns when it is ready. */
pid_t start_echo(const struct side *side, const char *name);
pid_t start_raw_echo(int fd);
struct afdbus_message *new_signal(void);
void want(struct afdbus *bus, const char *interface, const char *member);

/* The rows */
void bench_calls(void);
void bench_signals(void);
void bench_rules(void);

#endif
