/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Liveness: nobody sleeps while what it waits for is there.
 *
 * A scene is a bus with a few clients and short queues. Players are processes that share its
 * descriptors and make calls that wait. Only the judge changes the bus's policy, so it knows the
 * recipients of each message. Now and then all players are told to be quiet: each one parks as soon
 * as its call has ended. The judge then compares what the others wait for with the state of the
 * bus.
 */
#ifndef LIVENESS_H
#define LIVENESS_H

#define HARNESS_OWN_MAIN
#define BUS_PROTOCOL protocol
extern int protocol;			/* of the scene */
#include "../../tests/dbus.h"
#include "../../tests/delays.h"
#include "../rng.h"

enum { MAX_CLIENTS = 6, MAX_PLAYERS = 8, MAX_CROWD = 300 };
enum { WAIT_MS = 10000 };	/* for a call that has no reason to wait */

/* Every socket has a number of its own. */
enum {
	LISTENER = 500,
	CLIENTS,
	ACCEPTED = CLIENTS + MAX_CLIENTS,
	SIDE_LISTENER = ACCEPTED + MAX_CLIENTS,	/* of a bus for connections alone */
	LAST_SOCKET,
};

enum op {
	PARKED,
	SEND,				/* waits until all recipients have room */
	SEND_ON_EDGE,			/* the same by EAGAIN and edges of POLLOUT */
	SEND_NOW,			/* does not wait */
	RECEIVE,
	RECEIVE_NOW,
	CONNECT,			/* to the side bus */
	ACCEPT,
	CHANGE_RULES,			/* again and again, also while all are quiet */
	N_OPS,
};

extern const char *const op_names[N_OPS];

/* What a player is doing: written by the player, read by the judge. */
struct player {
	pid_t pid;
	uint64_t seed;
	enum op op;
	int fd;				/* on which socket */
	uint64_t to;			/* a send's destination; NOWHERE: none */
	unsigned int steps;		/* grows with each call that ends */
};

#define NOWHERE (~0ULL - 1)
#define ALONE (-1)

/* Shared by the judge and the players. */
struct shared {
	int quiet;
	int storm;			/* rules change all the time */
	unsigned long calls[N_OPS];
	struct player players[MAX_PLAYERS];
	int users[LAST_SOCKET - LISTENER];	/* how many send through each socket; or ALONE */
	/* The addresses from which players draw destinations. */
	unsigned int n_clients;
	uint64_t ids[MAX_CLIENTS];
	char path[32], side_path[32];
};

extern struct shared *shared;

/* What the judge has made of a client. */
struct client_state {
	int watches;
	int gone;			/* expelled, by the judge or for its full queue */
	int wants_all;			/* it has a rule that matches everything */
	uint64_t addr;			/* in a group; 0: none */
};

struct scene {
	unsigned int number;
	unsigned int n_players;
	int overflow;
	struct client_state clients[MAX_CLIENTS];
};

extern struct scene scene;

/* liveness.c */
int is_over(void);

/* players.c */
void be_player(struct player *p);
void give_back(struct player *p);

/* scene.c */
void make_scene(struct rng *rng, unsigned int number);
const char *change_scene(struct rng *rng);
void look_for_gone(void);
void end_scene(void);

/* judge.c */
int input(int fd);
void judge(struct rng *rng);
void kill_player(struct player *p);
void show_all_stacks(void);

#endif
