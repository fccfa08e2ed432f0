/* SPDX-License-Identifier: MIT */
/* A program of scenarios: the arguments say which one to play, and it exits 0 if all that it expects holds. */
#ifndef EXPECT_H
#define EXPECT_H

#include <afbus-dbus.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define expect(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			exit(1); \
		} \
	} while (0)

struct scenario {
	const char *name;
	void (*play)(const char *address);
};

/* `PROGRAM SCENARIO [ADDRESS]` */
static int play(const struct scenario *scenarios, int argc, char **argv)
{
	for (; scenarios->name; scenarios++) {
		if (argc > 1 && !strcmp(scenarios->name, argv[1])) {
			scenarios->play(argc > 2 ? argv[2] : NULL);
			return 0;
		}
	}
	fprintf(stderr, "usage: %s SCENARIO [ADDRESS]\n", argv[0]);
	return 2;
}

static inline struct afdbus_message *driver_call(const char *member)
{
	return afdbus_new_call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", member);
}

#endif
