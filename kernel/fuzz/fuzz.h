/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_H
#define FUZZ_H

#define HARNESS_OWN_MAIN
#include "../tests/bus.h"
#include "dice.h"

/*
 * Descriptors are kept at fixed numbers: what a process draws is a place, not a descriptor, so
 * that its calls do not depend on what earlier ones returned. Bus sockets and other files have
 * places of their own, so that the oracle knows what a call is made on. They are far above what the
 * kernel gives out, also where descriptors came and their numbers could not be written.
 */
enum {
	PLACES = 4000,			/* the first one's number */
	BUS_PLACES = 24,
	OTHER_PLACES = 8,
	NO_PLACE = PLACES + BUS_PLACES + OTHER_PLACES,
};

enum { WORKERS = 6, CALLS = 400, CHILD_CALLS = 30 };

/* What a process can do. The order is that of kinds[] in oracle.c. */
enum kind {
	SOCKET, SOCKETPAIR, BIND, CONNECT, LISTEN, ACCEPT, GETSOCKNAME, GETPEERNAME, SHUTDOWN,
	SET_BUS, GET_BUS, SET_SOCKET, GET_SOCKET, IOCTL, FCNTL,
	SENDMSG, SENDMMSG, SENDTO, WRITE, SENDFILE, RECVMSG, RECVMMSG, READ, MMAP,
	POLL, EPOLL_CREATE, EPOLL_CTL, EPOLL_WAIT, DUP, CLOSE,
	EVENTFD, PIPE, UNIX, UNLINK, RENAME, PROC, FORK, UNSHARE, SIGNAL,
	KINDS,
};

struct kind_of_call {
	const char *name;
	long nr;
	const int *errs;		/* ends with 0; NULL where anything may happen */
};

extern const struct kind_of_call kinds[KINDS];

/* What a process is at, for those who watch it. */
struct progress {
	pid_t pid;
	unsigned int number;
	unsigned int calls;
	enum kind kind;
};

/* Shared by all. */
struct board {
	struct progress progress[WORKERS];
	unsigned long made[KINDS], succeeded[KINDS];
	unsigned long received;		/* messages that were checked */
	char fault[512];
};

struct fuzzer {
	struct dice dice;
	struct progress *at;
	int show;			/* print the calls, make none */
};

extern struct board *board;
extern uint64_t seed;

/* fuzz.c */
void be_interrupted(void);

/* arena.c */
void arena_map(void);
void arena_reset(void);
void *place_in(struct dice *d, const void *data, size_t len);
void *place_out(struct dice *d, size_t len);
int is_whole(const void *p, size_t len);

/* calls.c */
void make_one_call(struct fuzzer *f);

/* oracle.c */
void judge_errno(struct fuzzer *f, enum kind kind, int err, const long args[6]);
void judge_message(struct fuzzer *f, const struct sockaddr_bus *from, socklen_t from_len,
		   const unsigned char *data, size_t len);

__attribute__((noreturn, format(printf, 2, 3)))
void found(struct fuzzer *f, const char *format, ...);

#endif
