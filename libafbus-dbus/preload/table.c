// SPDX-License-Identifier: MIT
/* Which descriptors are streams of this library. For any other descriptor, the check is a single load. */
#include "preload.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bus.h>

enum { DESCRIPTORS = 1 << 16 };

static struct stream *streams[DESCRIPTORS];
static unsigned int end;	/* no descriptor from this one on was a stream */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
/*
 * The process of the table; there is one if there are streams. A child of vfork() shares the memory, but has its own
 * descriptors. In a child that has a copy of the memory the kernel has put 0 there, however the child was made: _Fork()
 * and clone() call no handlers.
 */
static pid_t *owner;

static bool in_range(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS;
}

static void free_stream(struct stream *s)
{
	close_fds(s->out_fds, s->out_n_fds);
	free(s->out);
	free(s->pending.slots);
	s->link.fd = -1;	/* the program's */
	close_link(&s->link);
	free(s);
}

static void init_locks(struct stream *s)
{
	pthread_mutex_init(&s->in_lock, NULL);
	pthread_mutex_init(&s->out_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
}

/* The child does not have the threads that held locks and used streams, and draws random numbers of its own. */
static void after_fork(void)
{
	*owner = getpid();
	pthread_mutex_init(&table_lock, NULL);
	for (unsigned int fd = 0; fd < end; fd++) {
		if (!streams[fd])
			continue;
		init_locks(streams[fd]);
		streams[fd]->pending.n_serials = 0;
		streams[fd]->users = 0;
	}
	for (unsigned int fd = 0; fd < end; fd++)
		if (streams[fd])
			streams[fd]->users++;
}

/* Whether there is a stream at this number in this memory; before it is used, the memory is this process's own. */
static bool is_stream(int fd)
{
	if (!__atomic_load_n(&streams[fd], __ATOMIC_ACQUIRE))
		return false;
	if (*owner == 0)
		after_fork();
	return true;
}

struct stream *get_stream(int fd)
{
	struct stream *s;

	if (!in_range(fd) || !is_stream(fd))
		return NULL;
	pthread_mutex_lock(&table_lock);
	s = streams[fd];
	if (s)
		s->users++;
	pthread_mutex_unlock(&table_lock);
	return s;
}

void put_stream(struct stream *s)
{
	bool last;

	pthread_mutex_lock(&table_lock);
	last = --s->users == 0;
	pthread_mutex_unlock(&table_lock);
	if (last)
		free_stream(s);
}

/* Takes over the caller's reference. */
static void set(int fd, struct stream *s)
{
	pthread_mutex_lock(&table_lock);
	__atomic_store_n(&streams[fd], s, __ATOMIC_RELEASE);
	if ((unsigned int)fd >= end)
		__atomic_store_n(&end, fd + 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&table_lock);
}

static void forget(int fd)
{
	struct stream *s;

	if (!is_stream(fd) || getpid() != *owner)
		return;
	pthread_mutex_lock(&table_lock);
	s = streams[fd];
	__atomic_store_n(&streams[fd], NULL, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&table_lock);
	if (s)
		put_stream(s);
}

void forget_descriptors(unsigned int first, unsigned int last)
{
	unsigned int after = __atomic_load_n(&end, __ATOMIC_ACQUIRE);

	for (unsigned int fd = first; fd < after && fd <= last; fd++)
		forget(fd);
}

void copy_descriptor(int from, int to)
{
	struct stream *s;

	forget_descriptors(to, to);
	s = get_stream(from);
	if (s && in_range(to) && getpid() == *owner)
		set(to, s);
	else if (s)
		put_stream(s);
}

/* Any user may have bound the address first: only the one who speaks for the socket is its bus. */
static bool is_bus_of(int fd, uid_t user)
{
	struct ucred master;
	socklen_t length = sizeof(master);

	return NEXT(getsockopt)(fd, SOL_SOCKET, SO_PEERCRED, &master, &length) == 0 &&
	       (master.uid == user || master.uid == 0);
}

/* Closes its own socket. */
static void give_up(struct stream *s)
{
	int fd = s->link.fd;

	free_stream(s);
	if (fd >= 0)
		NEXT(close)(fd);
}

/* As the program has set them: what limits a wait here is from connecting. */
static bool copy_timeouts(int from, int to)
{
	static const int options[] = { SO_RCVTIMEO, SO_SNDTIMEO };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct timeval t;
		socklen_t length = sizeof(t);

		if (NEXT(getsockopt)(from, SOL_SOCKET, options[i], &t, &length) < 0 ||
		    setsockopt(to, SOL_SOCKET, options[i], &t, length) < 0)
			return false;
	}
	return true;
}

static bool learn_name(struct stream *s)
{
	struct sockaddr_bus own;
	socklen_t length = sizeof(own);

	if (NEXT(getsockname)(s->link.fd, (struct sockaddr *)&own, &length) < 0)
		return false;
	name_of_address(own.sbus_addr.s_addr, s->name);
	return true;
}

static struct stream *new_stream(const struct address *bus, uid_t user)
{
	/* Of a bus that accepts nobody; it may be anyone's. */
	enum { PATIENCE = 1000 };
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->users = 1;
	s->link.fd = -1;
	init_locks(s);
	s->pending.slots = calloc(PENDING, sizeof(*s->pending.slots));
	if (s->pending.slots && open_link(&s->link, bus, deadline_after(PATIENCE)) == 0 &&
	    is_bus_of(s->link.fd, user) && learn_name(s))
		return s;
	give_up(s);
	return NULL;
}

/* Gives the new socket the number and the flags of the program's descriptor. */
static bool take_place(struct stream *s, int fd)
{
	int flags = fcntl(fd, F_GETFL), own_flags = fcntl(fd, F_GETFD), bus_fd = s->link.fd;
	bool done = flags >= 0 && own_flags >= 0 && copy_timeouts(fd, bus_fd) && fcntl(bus_fd, F_SETFL, flags) == 0 &&
		    NEXT(dup3)(bus_fd, fd, own_flags & FD_CLOEXEC ? O_CLOEXEC : 0) == fd;

	NEXT(close)(bus_fd);
	return done;
}

static void begin(void)
{
	pid_t *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, sizeof(*page), MADV_WIPEONFORK) < 0)
		return;
	*page = getpid();
	owner = page;
	/* Before the child has threads. */
	pthread_atfork(NULL, NULL, after_fork);
}

bool open_stream(int fd, const struct sockaddr_un *name, socklen_t length, const struct address *bus, uid_t user)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct stream *s;

	pthread_once(&once, begin);
	s = owner && in_range(fd) ? new_stream(bus, user) : NULL;
	if (!s)
		return false;
	memcpy(&s->peer, name, length);
	s->peer_length = length;
	if (!take_place(s, fd)) {
		free_stream(s);
		return false;
	}
	set(fd, s);
	return true;
}
