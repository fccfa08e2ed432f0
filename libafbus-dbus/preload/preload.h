/* SPDX-License-Identifier: MIT */
/*
 * libafbus-dbus-preload.so makes a program that connects to the AF_UNIX socket of a D-Bus daemon of AF_BUS a client
 * of the bus itself, though the program still sees a stream. The AF_BUS socket takes the place of the stream's
 * descriptor, so poll, epoll and select ask the kernel, and need no help:
 * - A message stays in the kernel's queue until the program has read its last byte, so the rest of one is readable.
 * - The last byte of a message is taken from the program when the kernel has taken the message. So a full queue looks
 * like a full stream, and nothing waits in this library without the program's knowledge.
 *
 * Each file uses only those before it in this list: next.c (the functions of libc), find.c (which bus a socket stands
 * for), pending.c (calls without an answer), sender.c (the true sender in a header), incoming.c and outgoing.c
 * (datagrams and streams), table.c (which descriptors are served), hooks.c.
 */
#ifndef AFBUS_DBUS_PRELOAD_H
#define AFBUS_DBUS_PRELOAD_H

#include "../internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/un.h>
#include <unistd.h>

/* Programs built with _FORTIFY_SOURCE call these. */
ssize_t __read_chk(int fd, void *buffer, size_t length, size_t size);
ssize_t __recv_chk(int fd, void *buffer, size_t length, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t length, size_t size, int flags, struct sockaddr *from,
		       socklen_t *from_length);
int fcntl64(int fd, int command, ...);

/* next.c: the functions that the program would call without this library */
#define FOR_ALL_HOOKS(do)                                                                                              \
	do(connect) do(close) do(close_range) do(closefrom) do(dup) do(dup2) do(dup3) do(fcntl) do(fcntl64)             \
	do(getsockname) do(getpeername) do(getsockopt)                                                                 \
	do(read) do(readv) do(recv) do(recvfrom) do(recvmsg) do(__read_chk) do(__recv_chk) do(__recvfrom_chk)          \
	do(write) do(writev) do(send) do(sendto) do(sendmsg)

#define NEXT_MEMBER(name) __typeof__(&name) name;
struct next {
	FOR_ALL_HOOKS(NEXT_MEMBER)
};

const struct next *find_next(void);
#define NEXT(name) (find_next()->name)

/* find.c */
/*
 * The bus whose daemon listens at this path for legacy clients, and the user who put the link there; false if the
 * socket is of something else.
 */
bool find_bus(const char *path, struct address *bus, uid_t *owner);

/*
 * pending.c: serials of calls on the bus. Nobody can guess them, since a serial may be all that identifies an answer.
 */
#define ANYONE UINT64_MAX

struct pending_call {
	uint32_t serial;	/* on the bus; 0 if there is none here */
	uint32_t own;		/* the program's */
	uint64_t callee;	/* who may answer, besides the master */
};

enum { PENDING = 8192 };

struct pending {
	struct pending_call *slots;	/* the one of a serial is its remainder */
	uint32_t serials[64];	/* random numbers; those before n_serials are left */
	unsigned int n_serials;
};

/* A serial for a call, or 0 without random numbers. */
uint32_t add_pending(struct pending *p, uint32_t own, uint64_t callee);
void forget_pending(struct pending *p, uint32_t serial);
/* The program's serial of the call that this sender may answer, which is answered now; 0 if there is none. */
uint32_t answer_pending(struct pending *p, uint32_t serial, uint64_t sender);

/* sender.c */
enum { SENDER_SPACE = 64 };	/* the most that put_sender() adds to a message */

void put_number(uint8_t *message, size_t at, uint32_t value);
/* Gives a message its true sender. The result begins up to SENDER_SPACE bytes before the old one. */
uint8_t *put_sender(const struct afdbus_message *m, const char *sender, size_t *length);

/* A connection that looks like a stream to the program. */
struct stream {
	struct link link;	/* its descriptor is the program's, and is not closed with it */
	struct sockaddr_un peer;	/* the address to which the program connected */
	socklen_t peer_length;
	char name[24];		/* its unique name, of its address on the bus */
	unsigned int users;	/* descriptors of it, and functions that use it now; table.c */

	pthread_mutex_t in_lock;	/* taken before lock, as is out_lock */
	uint8_t *in;		/* the unread part of a message that is still in the kernel's queue */
	size_t in_left;
	bool in_more;		/* that message has control messages */
	struct afdbus_message in_header;

	pthread_mutex_t out_lock;
	uint8_t *out;		/* the part of a message that was taken from the program */
	size_t out_length, out_capacity;
	int out_fds[2 * MAX_FDS];
	unsigned int out_n_fds;
	bool begun;		/* BEGIN was sent: from now on there are messages, not lines */
	struct afdbus_message out_header;

	pthread_mutex_t lock;	/* protects pending and the routes */
	struct pending pending;
};

/* incoming.c, outgoing.c: as recvmsg() and sendmsg(), but with a negative errno */
ssize_t stream_receive(struct stream *s, int fd, struct msghdr *message, int flags);
ssize_t stream_send(struct stream *s, int fd, const struct msghdr *message, int flags);

/* table.c */
/*
 * Puts a socket that is connected to this user's bus in the place of the program's descriptor; false if it leaves
 * that as it is.
 */
bool open_stream(int fd, const struct sockaddr_un *name, socklen_t length, const struct address *bus, uid_t user);
/* The stream at this descriptor, or NULL. The caller must call put_stream() after use. */
struct stream *get_stream(int fd);
void put_stream(struct stream *s);
/* These descriptors are about to be closed, or have become other files. */
void forget_descriptors(unsigned int first, unsigned int last);
/* The second descriptor has become a copy of the first, whatever it was before. */
void copy_descriptor(int from, int to);

#endif
