/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two threads on one descriptor: the tables that the matrix is made of.
 *
 * A cell is a protocol, a state of the socket, a script for one thread and
 * a call for the other. Most scripts are one call; the others are the ways
 * from one state to another.
 */
#ifndef MATRIX_H
#define MATRIX_H

#define HARNESS_OWN_MAIN
#define BUS_PROTOCOL protocol
extern int protocol;			/* of the cell */
#include "../tests/dbus.h"
#include "../fuzz/rng.h"
#include "../tests/delays.h"

/*
 * Every socket of a cell has a number of its own. TARGET is the descriptor that
 * both threads use: nothing else holds its file, so that closing it is the end.
 */
enum {
	TARGET = 500,
	LISTENER,
	PEER,				/* the other half of TARGET */
	READER, READER_PEER,		/* a member with room in its queue */
	FULL, FULL_PEER,		/* a member whose queue is full */
	BYSTANDER, BYSTANDER_PEER,	/* a member that no cell touches: it must go on */
	WAITING,			/* connected, and not accepted yet */
	LAST_SOCKET,
};

/* The addresses that these hold besides their own. */
#define READER_ADDR	ADDRESS(1, 1)
#define FULL_ADDR	ADDRESS(2, 2)
#define TARGET_ADDR	ADDRESS(1, 3)
#define SPARE_ADDR	ADDRESS(1, 4)
#define THE_GROUP	GROUP(1)

/* What a call may need to know of the cell. */
struct parties {
	char path[32];
	uint64_t target_id;		/* prefix-0 address of TARGET's client, 0 without */
	uint64_t reader_id, bystander_id;
};

extern struct parties parties;

enum {
	WAITS = 1,			/* may sleep until a signal comes */
	CLOSES = 2,			/* another file, or none, is at TARGET afterwards */
	EVICTS = 4,			/* members may be expelled from now on */
	ONCE = 8,			/* need not be made again and again */
	OTHERS = 16,			/* not made on TARGET */
};

struct call {
	const char *name;
	long (*make)(void);		/* -1 and errno, as system calls do */
	const int *errs;		/* that it may fail with, ends with 0 */
	int flags;
};

extern const struct call calls[];
extern const unsigned int n_calls;

struct state {
	const char *name;
	void (*make)(void);
	int lonely;			/* there is no other bus, and no member */
};

extern const struct state states[];
extern const unsigned int n_states;

enum { MAX_STEPS = 6 };

/* A way from one state to others, call by call. */
struct walk {
	const char *name, *from;
	const char *steps[MAX_STEPS + 1];
};

extern const struct walk walks[];
extern const unsigned int n_walks;

/* states.c */
void begin_round(const struct state *state);
void end_round(int flags);
void close_all(void);

#endif
