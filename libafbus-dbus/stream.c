// SPDX-License-Identifier: MIT
/* Messages over an AF_UNIX stream. The daemon at the other end has checked them. */
#include "internal.h"

#include <string.h>
#include <sys/socket.h>

/* Skips what was sent. */
static void consume(struct msghdr *message, size_t sent)
{
	while (message->msg_iovlen > 0 && sent >= message->msg_iov->iov_len) {
		sent -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen > 0) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
		message->msg_iov->iov_len -= sent;
	}
	message->msg_control = NULL;
	message->msg_controllen = 0;
}

static int send_bytes(struct link *link, const struct afdbus_message *m, const struct header *header, int64_t deadline)
{
	union control control;
	struct iovec parts[] = {
		{ header->bytes, header->length },
		{ m->body.bytes, m->body.length },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = &control };
	ssize_t sent;

	put_fds(&message, m->fds, m->n_fds);
	sent = link_send(link, &message, deadline);
	if (sent < 0)
		return sent;
	consume(&message, sent);
	while (message.msg_iovlen > 0) {
		sent = link_send(link, &message, NEVER);
		if (sent < 0) {
			/* The daemon would read the next message as the rest of this one. */
			shutdown(link->fd, SHUT_RDWR);
			return sent;
		}
		consume(&message, sent);
	}
	return 0;
}

ssize_t whole_message(const struct link *link)
{
	size_t there = link->end - link->begin;
	ssize_t length;

	if (there < FIXED_HEADER)
		return 0;
	length = message_length(link->inbox + link->begin);
	return length > (ssize_t)there ? 0 : length;
}

/* Descriptors may come with the end of the previous message, so each message takes as many as its header says. */
static int read_message(struct link *link, size_t length, struct afdbus_message **m)
{
	uint8_t *bytes = link->inbox + link->begin;
	unsigned int n_fds = 0;
	int result = link->n_fds > 0 ? declared_fds(bytes, &n_fds) : 0;

	if (result < 0)
		return result;
	if (n_fds > link->n_fds)
		n_fds = link->n_fds;
	result = parse_message(bytes, length, link->fds, n_fds, m);
	link->n_fds -= n_fds;
	memmove(link->fds, link->fds + n_fds, link->n_fds * sizeof(*link->fds));
	link->begin += length;
	if (link->begin == link->end) {
		trim_inbox(link, link->end);
		link->begin = link->end = 0;
	}
	if (result == 0 && !(*m)->sender)
		(*m)->sender = DRIVER;
	return result;
}

enum { CHUNK = 1 << 16 };

/* Returns the number of bytes to read. Moves what has come of the next message to the start of the inbox. */
static size_t space(struct link *link)
{
	if (link->begin > 0) {
		memmove(link->inbox, link->inbox + link->begin, link->end - link->begin);
		link->end -= link->begin;
		link->begin = 0;
	}
	return MAX_MESSAGE - link->end < CHUNK ? MAX_MESSAGE - link->end : CHUNK;
}

static int fill(struct link *link, int64_t deadline)
{
	union control control;
	size_t length = space(link);	/* first, since it moves the end */
	struct iovec data = { link->inbox + link->end, length };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t got;

	if (link->n_fds > MAX_FDS)	/* more than an incomplete message can have */
		return -EBADMSG;
	got = link_receive(link, &message, deadline);
	if (got <= 0)
		return got;
	link->n_fds += take_fds(&message, link->fds + link->n_fds, MAX_FDS);
	link->end += got;
	/* If one is lost, it is unknown which of the others belongs to which message. */
	return message.msg_flags & MSG_CTRUNC ? -EMFILE : 1;
}

static int receive_bytes(struct link *link, int64_t deadline, struct afdbus_message **m)
{
	for (;;) {
		ssize_t length = whole_message(link);
		int result;

		if (length < 0)
			return length;
		result = length > 0 ? read_message(link, length, m) : fill(link, deadline);
		if (length > 0 && result == 0)
			return 1;
		/* The daemon has checked the message, so its type is newer than this library: ignore it. */
		if (length > 0 && result == -EBADMSG)
			continue;
		if (result <= 0)
			return result;
	}
}

const struct transport stream_transport = { send_bytes, receive_bytes };
