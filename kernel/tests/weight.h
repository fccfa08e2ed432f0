/* SPDX-License-Identifier: GPL-2.0-only */
/* Contract section 4: a bus with a group of two, and what messages weigh for their sender. */
#ifndef WEIGHT_H
#define WEIGHT_H

#include "bus.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

enum { OVERHEAD = 768, LONG_QUEUE = 4000 };

static char big[1 << 20];

static inline int weight(int len)
{
	return len + OVERHEAD;
}

static inline int charged(int fd)
{
	int n = -1;

	OK(ioctl(fd, SIOCOUTQ, &n));
	return n;
}

static inline int send_big(int fd, uint64_t to, size_t len)
{
	return send_bytes(fd, to, big, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends until a send fails. Return: how many messages went. */
static inline int send_all(int fd, uint64_t to, size_t len)
{
	int n = 0;

	while (send_big(fd, to, len) >= 0)
		CHECK(++n < LONG_QUEUE);
	return n;
}

static inline int drain_all(int fd)
{
	int n = 0;

	while (recv(fd, big, sizeof(big), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

struct fixture {
	struct bus bus;
	struct client a, b, c;	/* b and c are a group */
	int buffer;
};

/* No queue becomes full by the number of messages. */
static inline struct fixture make_fixture(int policy, int buffer)
{
	static const char *const names[] = { "@block", "@fail", "@evict" };
	struct fixture f = { .bus = open_bus(names[policy]) };

	OK(set_option(f.bus.fd, BUS_SET_MAXQLEN, LONG_QUEUE));
	OK(set_option(f.bus.fd, BUS_SET_OVERFLOW, policy));
	if (buffer)
		OK(set_option(f.bus.fd, BUS_SET_SENDBUF, buffer));
	f.a = join(&f.bus);
	f.b = join_at(&f.bus, ADDRESS(2, 1));
	f.c = join_at(&f.bus, ADDRESS(2, 2));
	f.buffer = socket_option(f.a.fd, SO_SNDBUF);
	return f;
}

#endif
