// SPDX-License-Identifier: MIT
/* Turns datagrams into a stream. A datagram leaves the kernel's queue when the program has read its last byte. */
#include "preload.h"

#include <string.h>

#include <linux/bus.h>

/* What the driver calls a client that has no name, since its Hello was refused. */
static const char NOBODY[] = ":not.active.yet";

/* The next message as the kernel shows it without taking it from the queue. */
struct shown {
	size_t length;
	uint64_t from;
	bool ended;
	bool more;	/* it has control messages */
};

static uint8_t *inbox(const struct stream *s)
{
	return s->link.inbox + SENDER_SPACE;
}

/* A client is evicted with ENOBUFS because its queue is full; a stream has no such errno. */
static int end_of_stream(int error)
{
	return error == ENOBUFS ? -ECONNRESET : -error;
}

static int show_next(struct stream *s, int fd, int flags, struct shown *shown)
{
	struct sockaddr_bus from;
	struct iovec data = { inbox(s), MAX_MESSAGE - SENDER_SPACE };
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t length = NEXT(recvmsg)(fd, &message, MSG_PEEK | (flags & MSG_DONTWAIT));

	if (length < 0)
		return end_of_stream(errno);
	*shown = (struct shown){
		.length = length,
		.ended = length == 0 && message.msg_namelen == 0,
		.more = message.msg_flags & MSG_CTRUNC,
	};
	if (!shown->ended)
		shown->from = from.sbus_addr.s_addr;
	return 0;
}

/*
 * How many descriptors the next message has. To count them, they are received and closed. If this process has no
 * descriptor numbers left, the count is what the message says, and the program gets as many as it has room for, as
 * from a stream.
 */
static unsigned int count_fds(int fd, struct afdbus_message *m, size_t length)
{
	union control control;
	int fds[MAX_FDS];
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	unsigned int n_fds;

	if (NEXT(recvmsg)(fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return 0;
	n_fds = take_fds(&message, fds, MAX_FDS);
	close_fds(fds, n_fds);
	if (message.msg_flags & MSG_CTRUNC && length >= FIXED_HEADER)
		read_header(m, length, &n_fds);
	return n_fds;
}

/*
 * The client that sent the message, or the master if the driver sent it. The master forwards messages of clients, and
 * writes their true senders.
 */
static uint64_t sender_of(const struct afdbus_message *m, uint64_t from)
{
	if (from != MASTER || !m->sender || m->sender[0] != ':')
		return from;
	return route_to(NULL, m->sender, m->type);
}

static bool is_forwarded(const struct afdbus_message *m, uint64_t from)
{
	return m->type == AFDBUS_SIGNAL && strcmp(m->member, "Forwarded") == 0 &&
	       strcmp(m->interface, DRIVER ".AF_BUS") == 0 && sender_of(m, from) == MASTER;
}

static void learn(struct stream *s, struct afdbus_message *m)
{
	const char *name;
	uint64_t address;

	start_reading(m);
	if (afdbus_read(m, "st", &name, &address) < 0 || !valid_bus_name(name))
		return;
	pthread_mutex_lock(&s->lock);
	learn_route(s->link.routes, name, address);
	pthread_mutex_unlock(&s->lock);
}

/*
 * The master sends to a monitor, or to who eavesdrops, what others get. An answer is for a unique name, or for
 * NOBODY.
 */
static bool is_for_another(const struct stream *s, const struct afdbus_message *m, uint64_t from)
{
	return from == MASTER && m->destination && strcmp(m->destination, s->name) != 0;
}

/* Gives an answer the serial of the program's call; false if it is for the program, and answers no call. */
static bool put_reply_serial(struct stream *s, struct afdbus_message *m, uint64_t from)
{
	bool is_foreign = is_for_another(s, m, from);
	uint32_t own;

	if ((m->type != AFDBUS_RETURN && m->type != AFDBUS_ERROR) ||
	    (is_foreign && strcmp(m->destination, NOBODY) != 0))
		return true;
	pthread_mutex_lock(&s->lock);
	own = answer_pending(&s->pending, m->reply_serial, sender_of(m, from));
	pthread_mutex_unlock(&s->lock);
	if (own != 0)
		put_number(m->bytes, m->reply_serial_at, own);
	return own != 0 || is_foreign;
}

/*
 * The sender is the client whose address the kernel gives. A message of the master is of the driver, or is forwarded
 * in the name of a client.
 */
static void take_message(struct stream *s, const struct shown *shown)
{
	struct afdbus_message *m = &s->in_header;
	char sender[24];

	name_of_address(shown->from, sender);
	s->in = m->bytes;
	s->in_left = shown->length;
	/* The master has removed what nobody knows. */
	if (shown->from == MASTER ? !m->sender :
				    m->unknown_fields || !m->sender || strcmp(m->sender, sender) != 0)
		s->in = put_sender(m, shown->from == MASTER ? DRIVER : sender, &s->in_left);
}

/*
 * Whether the message is for the program. Any client may send anything: a datagram that is not a message is ignored.
 */
static bool accept_shown(struct stream *s, int fd, const struct shown *shown)
{
	struct afdbus_message *m = &s->in_header;

	clear_message(m);
	m->bytes = inbox(s);
	if (shown->more)
		m->n_fds = count_fds(fd, m, shown->length);
	if (read_whole(m, shown->length) < 0)
		return false;
	if (is_forwarded(m, shown->from)) {
		learn(s, m);
		return false;
	}
	if (!put_reply_serial(s, m, shown->from))
		return false;
	take_message(s, shown);
	return true;
}

/* The master answers the lines of the login with lines. */
static bool is_line(const struct stream *s, const struct shown *shown)
{
	uint8_t first = inbox(s)[0];

	return shown->from == MASTER && shown->length > 0 && first != 'l' && first != 'B';
}

/* Takes the message out of the queue. This does not wait, since the message is there. */
static int take_out(int fd)
{
	return NEXT(recv)(fd, NULL, 0, MSG_DONTWAIT) < 0 ? end_of_stream(errno) : 0;
}

/* The same, with the message's descriptors if there is room for them. */
static int take_out_with(int fd, struct msghdr *control, int flags)
{
	struct msghdr message = { .msg_control = control->msg_control, .msg_controllen = control->msg_controllen };

	if (NEXT(recvmsg)(fd, &message, MSG_DONTWAIT | (flags & MSG_CMSG_CLOEXEC)) < 0)
		return end_of_stream(errno);
	control->msg_controllen = message.msg_controllen;
	control->msg_flags |= message.msg_flags & MSG_CTRUNC;
	return 0;
}

/* Returns 1 with bytes for the program, 0 at the end of the connection. */
static int fill(struct stream *s, int fd, int flags)
{
	for (;;) {
		struct shown shown = { .ended = true };
		int result = show_next(s, fd, flags, &shown);

		if (result < 0 || shown.ended)
			return result;
		s->in_more = shown.more;
		if (is_line(s, &shown)) {
			s->in = inbox(s);
			s->in_left = shown.length;
			return 1;
		}
		if (accept_shown(s, fd, &shown))
			return 1;
		result = take_out(fd);
		trim_inbox(&s->link, SENDER_SPACE + shown.length);
		if (result < 0)
			return result;
	}
}

static size_t copy_out(struct stream *s, const struct msghdr *message)
{
	size_t done = 0;

	for (size_t i = 0; i < message->msg_iovlen && done < s->in_left; i++) {
		size_t n = message->msg_iov[i].iov_len;

		if (n > s->in_left - done)
			n = s->in_left - done;
		memcpy(message->msg_iov[i].iov_base, s->in + done, n);
		done += n;
	}
	return done;
}

static ssize_t receive(struct stream *s, int fd, struct msghdr *message, int flags)
{
	int result = s->in_left > 0 ? 1 : fill(s, fd, flags);
	bool whole;
	size_t n;

	if (result <= 0) {
		message->msg_controllen = 0;
		return result;
	}
	n = copy_out(s, message);
	whole = n == s->in_left && !(flags & MSG_PEEK);
	if (whole && s->in_more) {
		result = take_out_with(fd, message, flags);
	} else {
		message->msg_controllen = 0;
		if (whole)
			result = take_out(fd);
	}
	if (result < 0)
		return result;
	if (whole)
		trim_inbox(&s->link, s->in - s->link.inbox + s->in_left);
	if (!(flags & MSG_PEEK)) {
		s->in += n;
		s->in_left -= n;
	}
	return n;
}

ssize_t stream_receive(struct stream *s, int fd, struct msghdr *message, int flags)
{
	struct msghdr received = *message;
	ssize_t result;

	received.msg_namelen = 0;
	received.msg_flags = 0;
	pthread_mutex_lock(&s->in_lock);
	result = receive(s, fd, &received, flags);
	pthread_mutex_unlock(&s->in_lock);
	/* A caller may try again with the same header, so a failure leaves it as it was. */
	if (result >= 0)
		*message = received;
	return result;
}
