// SPDX-License-Identifier: MIT
/*
 * Turns a stream into datagrams: one for each line of the login, then one for each message. The last byte of each is
 * taken from the program only when the datagram is sent.
 */
#include "preload.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bus.h>

enum { SHORT_NAME = offsetof(struct sockaddr_bus, sbus_path), SERIAL = 8 };

/* The program's bytes, and how many of them were taken. */
struct source {
	const struct iovec *parts;
	size_t n_parts, at;	/* in the first part */
	size_t taken;
};

static bool is_empty(struct source *from)
{
	while (from->n_parts > 0 && from->at == from->parts->iov_len) {
		from->parts++;
		from->n_parts--;
		from->at = 0;
	}
	return from->n_parts == 0;
}

static bool reserve(struct stream *s, size_t length)
{
	size_t capacity = s->out_capacity ? s->out_capacity : 4096;
	uint8_t *bytes;

	if (length <= s->out_capacity)
		return true;
	while (capacity < length)
		capacity *= 2;
	bytes = realloc(s->out, capacity);
	if (!bytes)
		return false;
	s->out = bytes;
	s->out_capacity = capacity;
	return true;
}

/* Takes bytes until there are this many, or the source is empty. */
static int gather(struct stream *s, struct source *from, size_t length)
{
	if (!reserve(s, length))
		return -ENOMEM;
	while (s->out_length < length && !is_empty(from)) {
		size_t n = from->parts->iov_len - from->at;

		if (n > length - s->out_length)
			n = length - s->out_length;
		memcpy(s->out + s->out_length, (const char *)from->parts->iov_base + from->at, n);
		s->out_length += n;
		from->at += n;
		from->taken += n;
	}
	return s->out_length >= length;
}

/* Returns 1 if a line is complete. */
static int gather_line(struct stream *s, struct source *from)
{
	enum { MAX_LINE = 16384 };

	while (s->out_length < MAX_LINE) {
		int result = gather(s, from, s->out_length + 1);

		if (result <= 0)
			return result;
		if (s->out_length >= 2 && memcmp(s->out + s->out_length - 2, "\r\n", 2) == 0)
			return 1;
	}
	return 1;	/* too long: the master answers that */
}

static int gather_message(struct stream *s, struct source *from)
{
	int result = gather(s, from, FIXED_HEADER);
	ssize_t length;

	if (result <= 0)
		return result;
	length = message_length(s->out);
	if (length < 0)
		return 1;	/* not a message: the master answers that */
	return gather(s, from, length);
}

/* The number of descriptors in a control message; -EINVAL if its length is impossible. */
static int count_fds(const struct msghdr *message, const struct cmsghdr *c)
{
	size_t space = (const char *)message->msg_control + message->msg_controllen - (const char *)c;
	size_t n;

	if (c->cmsg_len < CMSG_LEN(0) || c->cmsg_len > space)
		return -EINVAL;
	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	return n <= MAX_FDS ? (int)n : -EINVAL;
}

static int keep_fd(struct stream *s, const unsigned char *at)
{
	int fd;

	if (s->out_n_fds == sizeof(s->out_fds) / sizeof(s->out_fds[0]))
		return -ETOOMANYREFS;
	memcpy(&fd, at, sizeof(fd));
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	s->out_fds[s->out_n_fds++] = fd;
	return 0;
}

/* The descriptors come with the first byte of their message. As over AF_UNIX, there are at most MAX_FDS in a call. */
static int keep_fds(struct stream *s, const struct msghdr *message)
{
	struct msghdr reader = *message;
	unsigned int kept = s->out_n_fds;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&reader); c; c = CMSG_NXTHDR(&reader, c)) {
		int n = count_fds(&reader, c), result = 0;

		if (n < 0 || s->out_n_fds - kept + n > MAX_FDS)
			return -EINVAL;
		for (int i = 0; i < n && result == 0; i++)
			result = keep_fd(s, CMSG_DATA(c) + i * sizeof(int));
		if (result < 0)
			return result;
	}
	return 0;
}

static void drop_fds(struct stream *s, unsigned int from, unsigned int count)
{
	close_fds(s->out_fds + from, count);
	s->out_n_fds -= count;
	memmove(s->out_fds + from, s->out_fds + from + count, (s->out_n_fds - from) * sizeof(*s->out_fds));
}

static int send_once(struct stream *s, int fd, uint64_t address, unsigned int n_fds, int flags)
{
	union control control;
	struct iovec data = { s->out, s->out_length };
	struct sockaddr_bus to;
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = SHORT_NAME, .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
	};

	memset(&to, 0, SHORT_NAME);
	to.sbus_family = s->link.family;
	to.sbus_addr.s_addr = address;
	put_fds(&message, s->out_fds, n_fds);
	return NEXT(sendmsg)(fd, &message, flags & (MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

/*
 * If the kernel refuses a message to another client, it goes to the master, which knows what to do: the recipient may
 * have closed or shut down, or this client has not joined, since the master has not read its Hello yet. If this
 * client itself was expelled, the master cannot be reached either.
 */
static int send_datagram(struct stream *s, int fd, uint64_t address, unsigned int n_fds, int flags)
{
	int result = send_once(s, fd, address, n_fds, flags);

	if (address != MASTER && (result == -EPIPE || result == -EHOSTUNREACH))
		result = send_once(s, fd, MASTER, n_fds, flags);
	/* The bus has ended, or has expelled this client: there is no other end. */
	return result == -ECONNREFUSED || result == -ENOBUFS ? -ECONNRESET : result;
}

static bool expects_answer(const struct afdbus_message *m)
{
	return m->type == AFDBUS_CALL && !(m->flags & AFDBUS_NO_REPLY_EXPECTED);
}

/*
 * Who may answer: the client of a unique name, or the master if it is called itself. For any other name, it is the
 * owner at the time when the call arrives.
 */
static uint64_t callee_of(const struct afdbus_message *m, uint64_t address)
{
	bool is_driver = !m->destination || strcmp(m->destination, DRIVER) == 0;

	return is_driver || m->destination[0] == ':' ? address : ANYONE;
}

/* Returns the address to which the message goes. If it expects an answer, *serial is a serial of the bus. */
static uint64_t prepare(struct stream *s, uint32_t *serial)
{
	const struct afdbus_message *m = &s->out_header;
	uint64_t address;

	pthread_mutex_lock(&s->lock);
	address = route_to(s->link.routes, m->destination, m->type);
	if (expects_answer(m))
		*serial = add_pending(&s->pending, m->serial, callee_of(m, address));
	pthread_mutex_unlock(&s->lock);
	return address;
}

static int send_message(struct stream *s, int fd, int flags)
{
	struct afdbus_message *m = &s->out_header;
	unsigned int n_fds = 0;
	uint32_t serial = 0;
	uint64_t address = MASTER;
	int result;

	clear_message(m);
	m->bytes = s->out;
	/* What is not a message goes to the master, which expels its sender. */
	if (message_length(s->out) >= FIXED_HEADER && read_header(m, s->out_length, &n_fds) == 0) {
		address = prepare(s, &serial);
		if (serial != 0)
			put_number(s->out, SERIAL, serial);
	}
	if (n_fds > s->out_n_fds)
		n_fds = s->out_n_fds;
	/*
	 * A datagram cannot have more. With fewer than its header says, the message is invalid, so the master expels
	 * its sender.
	 */
	if (n_fds > MAX_FDS)
		n_fds = MAX_FDS;
	result = send_datagram(s, fd, address, n_fds, flags);
	if (result == 0) {
		drop_fds(s, 0, n_fds);
	} else if (serial != 0) {
		pthread_mutex_lock(&s->lock);
		forget_pending(&s->pending, serial);
		pthread_mutex_unlock(&s->lock);
		put_number(s->out, SERIAL, m->serial);
	}
	return result;
}

static int send_line(struct stream *s, int fd, int flags)
{
	static const char begin[] = "BEGIN\r\n";
	int result = send_datagram(s, fd, MASTER, 0, flags);

	if (result == 0)
		s->begun = s->out_length == sizeof(begin) - 1 && memcmp(s->out, begin, sizeof(begin) - 1) == 0;
	return result;
}

static void empty(struct stream *s)
{
	enum { KEEP = 1 << 20 };

	s->out_length = 0;
	if (s->out_capacity > KEEP) {
		free(s->out);
		s->out = NULL;
		s->out_capacity = 0;
	}
}

/* Sends everything in the source, or what comes before a message that cannot be sent now. */
static int send_all(struct stream *s, int fd, struct source *from, int flags)
{
	while (!is_empty(from)) {
		size_t kept = s->out_length, taken = from->taken;
		int result = s->begun ? gather_message(s, from) : gather_line(s, from);

		if (result == 0)
			return 0;
		if (result > 0)
			result = s->begun ? send_message(s, fd, flags) : send_line(s, fd, flags);
		if (result < 0) {
			s->out_length = kept;
			from->taken = taken;
			return result;
		}
		empty(s);
	}
	return 0;
}

ssize_t stream_send(struct stream *s, int fd, const struct msghdr *message, int flags)
{
	struct source from = { message->msg_iov, message->msg_iovlen, 0, 0 };
	unsigned int had_fds;
	int result;

	pthread_mutex_lock(&s->out_lock);
	had_fds = s->out_n_fds;
	result = keep_fds(s, message);
	if (result == 0)
		result = send_all(s, fd, &from, flags);
	/* Nothing was taken, so the program will pass them again. */
	if (from.taken == 0 && s->out_n_fds > had_fds)
		drop_fds(s, had_fds, s->out_n_fds - had_fds);
	pthread_mutex_unlock(&s->out_lock);
	return from.taken > 0 ? (ssize_t)from.taken : result;
}
