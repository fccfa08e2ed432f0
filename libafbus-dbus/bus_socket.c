// SPDX-License-Identifier: MIT
/* Messages over AF_BUS: each datagram is a message, and the kernel names its sender. */
#include "internal.h"

#include <string.h>
#include <sys/socket.h>

#include <linux/bus.h>

/* The length of an address without a path. */
enum { SHORT_NAME = offsetof(struct sockaddr_bus, sbus_path) };

static int send_to(struct link *link, uint64_t address, const struct afdbus_message *m, const struct header *header,
		   int64_t deadline)
{
	union control control;
	struct iovec parts[] = {
		{ header->bytes, header->length },
		{ m->body.bytes, m->body.length },
	};
	struct sockaddr_bus to;
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = SHORT_NAME,
		.msg_iov = parts, .msg_iovlen = m->body.length > 0 ? 2 : 1,
		.msg_control = &control,
	};
	ssize_t sent;

	memset(&to, 0, SHORT_NAME);
	to.sbus_family = link->family;
	to.sbus_addr.s_addr = address;
	put_fds(&message, m->fds, m->n_fds);
	sent = link_send(link, &message, deadline);
	/* A client that was expelled is told once by this errno, and then that there is no other end. */
	if (sent == -ENOBUFS)
		sent = link_send(link, &message, deadline);
	return sent < 0 ? sent : 0;
}

/*
 * If the kernel refuses a message to another client, it goes to the master, which knows what to do: the recipient may
 * have closed or shut down. If this client itself was expelled, the master cannot be reached either.
 */
static int send_datagram(struct link *link, const struct afdbus_message *m, const struct header *header, int64_t deadline)
{
	uint64_t address = route_to(link->routes, m->destination, m->type);
	int result = send_to(link, address, m, header, deadline);

	if (address != MASTER && (result == -ECONNRESET || result == -EHOSTUNREACH))
		result = send_to(link, MASTER, m, header, deadline);
	return result;
}

/*
 * The sender is the client whose address the kernel gives. A message of the master is of the driver, or is forwarded
 * in the name of a client.
 */
static void set_sender(struct afdbus_message *m, uint64_t address)
{
	if (address == MASTER) {
		if (!m->sender)
			m->sender = DRIVER;
		return;
	}
	name_of_address(address, m->from);
	m->sender = m->from;
}

static int receive_datagram(struct link *link, int64_t deadline, struct afdbus_message **m)
{
	for (;;) {
		union control control;
		int fds[MAX_FDS];
		struct sockaddr_bus from;
		struct iovec data = { link->inbox, MAX_MESSAGE };
		struct msghdr message = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &data, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};
		ssize_t length = link_receive(link, &message, deadline);
		int result;

		/* It was expelled, because its queue was full. */
		if (length < 0)
			return length == -ENOBUFS ? -ECONNRESET : length;
		if (length == 0 && message.msg_namelen == 0)
			return 0;
		result = parse_message(link->inbox, length, fds, take_fds(&message, fds, MAX_FDS), m);
		trim_inbox(link, length);
		/* Any client may send anything: a datagram that is not a message is ignored. */
		if (result == -EBADMSG)
			continue;
		if (result < 0)
			return result;
		set_sender(*m, from.sbus_addr.s_addr);
		return 1;
	}
}

const struct transport bus_transport = { send_datagram, receive_datagram };
