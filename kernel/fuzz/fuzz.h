/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_H
#define FUZZ_H

#define HARNESS_OWN_MAIN
#define BUS_PROTOCOL shared_protocol
extern int shared_protocol;		/* of a bus that the next pair inherits */
#include "../tests/dbus.h"
#include "rng.h"

/*
 * Descriptors are kept at fixed numbers: a process draws a slot and not a descriptor, so that its
 * calls do not depend on results of earlier ones. Bus sockets and other files have slots of their
 * own, so that the oracle knows what a call is made on. Slots are far above the numbers that the
 * kernel gives out, also for received descriptors whose numbers could not be written.
 *
 * Sockets of BUS_PROTO_DBUS are in the last of the bus slots: first clients and sockets that may
 * become clients, then accepted sockets, for which nfdbus filters nothing.
 */
enum {
	SLOTS = 4000,			/* the first one's number */
	NONE_SLOTS = 24,
	DBUS_SLOTS = 6,
	MASTER_SLOTS = 6,
	BUS_SLOTS = NONE_SLOTS + DBUS_SLOTS + MASTER_SLOTS,
	OTHER_SLOTS = 8,
	/*
	 * No call reaches these: they keep a bus of D-Bus and some members, for requests to find.
	 */
	HELD_SLOTS = 5,
	FIRST_HELD = SLOTS + BUS_SLOTS + OTHER_SLOTS,
	GENERIC_SLOT = FIRST_HELD + HELD_SLOTS,
	CONNECTOR_SLOT,
	NO_SLOT,
};

static inline int is_dbus_client(int slot)
{
	return slot >= SLOTS + NONE_SLOTS && slot < SLOTS + NONE_SLOTS + DBUS_SLOTS;
}

static inline int is_dbus_master(int slot)
{
	return slot >= SLOTS + NONE_SLOTS + DBUS_SLOTS && slot < SLOTS + BUS_SLOTS;
}

/* The other address of the i-th member of an inherited bus. */
static inline uint64_t shared_address(unsigned int i)
{
	return ADDRESS(1 + i % 3, i);
}

/* Path of the bus of D-Bus that a process inherits. */
static inline const char *shared_dbus(unsigned int number)
{
	static char path[32];

	snprintf(path, sizeof(path), number & 2 ? "@dbus%u" : "dbus%u", number & ~1U);
	return path;
}

enum { WORKERS = 6, MEMBERS = 4, CALLS = 400, CHILD_CALLS = 30 };

/* What a process can do. The order is that of kinds[] in oracle.c. */
enum kind {
	SOCKET, SOCKETPAIR, BIND, CONNECT, LISTEN, ACCEPT, GETSOCKNAME, GETPEERNAME, SHUTDOWN,
	SET_BUS, GET_BUS, SET_SOCKET, GET_SOCKET, IOCTL, FCNTL,
	SENDMSG, SENDMMSG, SENDTO, WRITE, SENDFILE, RECVMSG, RECVMMSG, READ, MMAP,
	POLL, EPOLL_CREATE, EPOLL_CTL, EPOLL_WAIT, DUP, CLOSE,
	EVENTFD, PIPE, UNIX, UNLINK, RENAME, PROC, FORK, UNSHARE, KILL,
	NETLINK, ADD, REMOVE, REMOVE_ALL, GET, SET_NAME, UNSET_NAME, NO_COMMAND, ANSWER,
	CN_ADD, CN_REMOVE, CN_REMOVE_ALL, CN_NO_COMMAND, CN_ANSWER,
	KINDS,
};

struct kind_of_call {
	const char *name;
	long nr;
	const int *errs;		/* ends with 0; NULL if anything may happen */
	int answered;			/* an answer tells whether it succeeds */
};

extern const struct kind_of_call kinds[KINDS];

/* What a process is doing, for those that watch it. */
struct progress {
	pid_t pid;
	unsigned int number;
	unsigned int calls;
	enum kind kind;
};

/* Shared by all processes. */
struct shared {
	struct progress progress[WORKERS];
	unsigned long made[KINDS], succeeded[KINDS];
	unsigned long received;		/* messages that were checked */
	unsigned long said;		/* of them, those of D-Bus */
	unsigned long dumped;		/* rules and names that were checked */
	unsigned int nfdbus;		/* number of the generic netlink family */
	char fault[512];
};

struct fuzzer {
	struct rng rng;
	struct progress *at;
	int show;			/* print the calls, make none */
	char path[32];			/* of its last bus of D-Bus */
	uint64_t addrs[4];		/* and what its members hold, if there are that many */
};

extern struct shared *shared;
extern uint64_t seed;

/* fuzz.c */
void be_interrupted(void);

/* arena.c */
void arena_map(void);
void arena_reset(void);
void *arena_in(struct rng *d, const void *data, size_t len);
void *arena_out(struct rng *d, size_t len);
int is_whole(const void *p, size_t len);

/* calls.c */
long call6(struct fuzzer *f, enum kind kind, long a, long b, long c, long d, long e, long g);
void make_one_call(struct fuzzer *f);

#define ARG(n, a, b, c, d, e, g, ...) (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(g)
#define CALL(f, kind, ...) call6(f, kind, ARG(0, __VA_ARGS__, 0, 0, 0, 0, 0, 0))

/* slots.c */
int bus_slot(struct rng *d);
int slot_like(struct rng *d, int slot);
int slot_for(struct rng *d, int proto);
int master_slot(struct rng *d, int listener);
int some_protocol(struct rng *d);
int other_slot(struct rng *d);
int epoll_slot(struct rng *d);
int any_slot(struct rng *d);
void put_away(long fd, int slot);
uint64_t some_address(struct rng *d);
const char *some_path(struct rng *d);
void *some_name(struct rng *d, const char *path, uint64_t addr, long *len);

/* options.c */
void do_set_bus(struct fuzzer *f);
void do_get_bus(struct fuzzer *f);
void do_set_socket(struct fuzzer *f);
void do_timeout(struct fuzzer *f);
void do_filter(struct fuzzer *f);
void do_get_socket(struct fuzzer *f);
void do_ioctl(struct fuzzer *f);
void do_fcntl(struct fuzzer *f);

/* send.c */
size_t some_length(struct rng *d);
struct iovec *some_vectors(struct rng *d, const unsigned char *bytes, size_t len, unsigned int *n);
void do_sendmsg(struct fuzzer *f);
void do_sendmmsg(struct fuzzer *f);
void do_sendto(struct fuzzer *f);
void do_write(struct fuzzer *f);
void do_sendfile(struct fuzzer *f);

/* receive.c */
void do_recvmsg(struct fuzzer *f);
void do_recvmmsg(struct fuzzer *f);
void do_read(struct fuzzer *f);

/* message.c */
void prepare_messages(void);
const unsigned char *some_dbus(struct rng *d, int many, size_t *len);
int is_dbus(const unsigned char *data, size_t len);
int is_broken_multicast(const unsigned char *data, size_t len);

/* request.c */
extern const char *const good_rules[], *const good_names[];
void ask_for_rule(struct fuzzer *f, const char *path, uint64_t addr);
void do_request(struct fuzzer *f);
void do_connector(struct fuzzer *f);
void do_answer(struct fuzzer *f);
void do_netlink(struct fuzzer *f);

/* oracle.c */
enum { STEP = 1, STEP_MANY = 3 };	/* from byte to byte of a payload, the second to a group */
enum { MUST_FAIL = 1 << 8 };		/* in the sequence number of a request, with its kind */

void judge_errno(struct fuzzer *f, enum kind kind, int err, const long args[6]);
void judge_message(struct fuzzer *f, int slot, const struct sockaddr_bus *from,
		   socklen_t from_len, const unsigned char *data, size_t len);
void judge_answers(struct fuzzer *f, const void *data, int len);
void judge_connector(struct fuzzer *f, const void *data, int len);

__attribute__((noreturn, format(printf, 2, 3)))
void found(struct fuzzer *f, const char *format, ...);

#endif
