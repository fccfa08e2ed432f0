/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of ancillary data share: who sends, to which destination, and things to send. */
#ifndef SCM_H
#define SCM_H

#include "bus.h"

static inline int new_pipe(int *write_end)
{
	int fds[2];

	OK(pipe2(fds, O_CLOEXEC));
	if (write_end)
		*write_end = fds[1];
	else
		close(fds[1]);
	return fds[0];
}

static inline void switch_on(int fd, int option)
{
	int on = 1;

	OK(setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)));
}

static const struct {
	const char *name;
	uint64_t to;
	int via_master;
} deliveries[] = {
	{ "unicast", 2, 0 },
	{ "given_address", ADDRESS(2, 1), 0 },
	{ "group", GROUP(2), 0 },
	{ "from_the_master", 2, 1 },
	{ "group_from_the_master", GROUP(2), 1 },
};

static inline ssize_t send_control(int fd, uint64_t to, int type, const void *data, size_t len)
{
	struct sockaddr_bus name = bus_name(NULL, to);
	struct iovec iov = { "x", 1 };
	char control[512] = "";
	struct msghdr msg = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

#endif
