// SPDX-License-Identifier: MIT
/* A connected socket: how it connects, and how it waits. */
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/bus.h>

enum { DEFAULT_FAMILY = 19 };

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t deadline_after(int timeout)
{
	if (timeout < 0)
		return NEVER;
	return timeout == 0 ? NOW : now_ns() + timeout * 1000000LL;
}

/* The family number that the module has registered, as sysfs shows it. */
static int bus_family(void)
{
	char text[16] = { 0 };
	int fd = open("/sys/module/af_bus/parameters/family", O_RDONLY | O_CLOEXEC), family = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			family = atoi(text);
		close(fd);
	}
	return family;
}

/* A socket of the default number makes the kernel load the module. */
static int find_family(void)
{
	int family = bus_family();

	if (family == 0) {
		int probe = socket(DEFAULT_FAMILY, SOCK_SEQPACKET | SOCK_CLOEXEC, BUS_PROTO_DBUS);

		if (probe >= 0)
			close(probe);
		family = bus_family();
	}
	return family > 0 ? family : -EAFNOSUPPORT;
}

static socklen_t put_path(char *to, const struct address *address)
{
	size_t length = strlen(address->path);

	memcpy(to + address->abstract, address->path, length);
	return length + 1;
}

static int limit_wait(struct link *link, int option, int *current, int64_t deadline);

/* connect() waits while the bus accepts no clients. */
static int connect_to(struct link *link, const void *name, socklen_t length, int64_t deadline)
{
	int result;

	do {
		result = limit_wait(link, SO_SNDTIMEO, &link->send_timeout, deadline);
		if (result == 0)
			result = connect(link->fd, name, length) < 0 ? -errno : 0;
	} while (result == -EINTR);
	return result;
}

static int connect_bus(struct link *link, const struct address *address, int64_t deadline)
{
	struct sockaddr_bus name = { 0 };
	int family = find_family();

	if (family < 0)
		return family;
	link->family = name.sbus_family = family;
	put_path(name.sbus_path, address);
	link->transport = &bus_transport;
	link->routes = calloc(1, sizeof(*link->routes));
	link->fd = socket(family, SOCK_SEQPACKET | SOCK_CLOEXEC, BUS_PROTO_DBUS);
	if (link->fd < 0)
		return -errno;
	return link->routes ? connect_to(link, &name, sizeof(name), deadline) : -ENOMEM;
}

static int connect_unix(struct link *link, const struct address *address, int64_t deadline)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + put_path(name.sun_path, address);

	link->transport = &stream_transport;
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return link->fd < 0 ? -errno : connect_to(link, &name, length, deadline);
}

int open_link(struct link *link, const struct address *address, int64_t deadline)
{
	int result;

	link->fd = -1;
	/* One byte more, for the NUL before an abstract name or after a path. */
	if (strlen(address->path) + 1 > BUS_PATH_MAX)
		return -ENAMETOOLONG;
	link->inbox = mmap(NULL, MAX_MESSAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (link->inbox == MAP_FAILED) {
		link->inbox = NULL;
		return -ENOMEM;
	}
	result = address->bus ? connect_bus(link, address, deadline) : connect_unix(link, address, deadline);
	if (result < 0)
		close_link(link);
	return result;
}

void close_link(struct link *link)
{
	close_fds(link->fds, link->n_fds);
	link->n_fds = 0;
	free(link->routes);
	link->routes = NULL;
	if (link->inbox)
		munmap(link->inbox, MAX_MESSAGE);
	link->inbox = NULL;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

/*
 * The kernel waits inside the system call, for as long as the socket's timeout says, so a call and its reply take two
 * system calls. Most waits are as long as the one before, so the timeout is hardly ever set.
 */
static int limit_wait(struct link *link, int option, int *current, int64_t deadline)
{
	int64_t left = deadline == NEVER ? 0 : (deadline - now_ns() + 999999) / 1000000;
	struct timeval t;

	if (deadline != NEVER && left <= 0)
		return -EAGAIN;
	if (left > INT32_MAX)
		left = INT32_MAX;
	if (*current == left)
		return 0;
	t = (struct timeval){ left / 1000, left % 1000 * 1000 };
	if (setsockopt(link->fd, SOL_SOCKET, option, &t, sizeof(t)) < 0)
		return -errno;
	*current = left;
	return 0;
}

ssize_t link_send(struct link *link, struct msghdr *message, int64_t deadline)
{
	for (;;) {
		int wait = deadline == NOW ? 0 : limit_wait(link, SO_SNDTIMEO, &link->send_timeout, deadline);
		ssize_t sent;

		if (wait < 0)
			return wait;
		sent = sendmsg(link->fd, message, MSG_NOSIGNAL | (deadline == NOW ? MSG_DONTWAIT : 0));
		if (sent >= 0)
			return sent;
		if (errno != EINTR)
			return errno == EPIPE ? -ECONNRESET : -errno;
	}
}

ssize_t link_receive(struct link *link, struct msghdr *message, int64_t deadline)
{
	int wait = deadline == NOW ? 0 : limit_wait(link, SO_RCVTIMEO, &link->receive_timeout, deadline);
	ssize_t got;

	if (wait < 0)
		return wait;
	got = recvmsg(link->fd, message, MSG_CMSG_CLOEXEC | (deadline == NOW ? MSG_DONTWAIT : 0));
	return got >= 0 ? got : -errno;
}

int write_all(struct link *link, const char *bytes, size_t length, int64_t deadline)
{
	while (length > 0) {
		struct iovec data = { (char *)bytes, length };
		struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
		ssize_t sent = link_send(link, &message, deadline);

		if (sent < 0)
			return sent;
		bytes += sent;
		length -= sent;
	}
	return 0;
}

int read_some(struct link *link, char *bytes, size_t length, int64_t deadline)
{
	struct iovec data = { bytes, length };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t got;

	do
		got = link_receive(link, &message, deadline);
	while (got == -EINTR);
	return got;
}

unsigned int take_fds(struct msghdr *message, int *fds, unsigned int max)
{
	unsigned int count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		unsigned int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (unsigned int i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (count < max)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

/* The message's control buffer has room for MAX_FDS. */
void put_fds(struct msghdr *message, const int *fds, unsigned int n)
{
	struct cmsghdr *c = message->msg_control;

	if (n == 0) {
		message->msg_control = NULL;
		return;
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(*fds));
	memcpy(CMSG_DATA(c), fds, n * sizeof(*fds));
	message->msg_controllen = CMSG_SPACE(n * sizeof(*fds));
}

void trim_inbox(struct link *link, size_t used)
{
	enum { KEEP = 1 << 20 };

	if (used > KEEP)
		madvise(link->inbox + KEEP, align_up(used - KEEP, 4096), MADV_DONTNEED);
}

void close_fds(const int *fds, unsigned int count)
{
	for (unsigned int n = 0; n < count; n++)
		close(fds[n]);
}
