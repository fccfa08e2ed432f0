// SPDX-License-Identifier: MIT
/*
 * The functions of libc that D-Bus libraries call on their socket. For any other descriptor they do what libc does.
 */
/* With these, the names of functions stand for those of others, which are defined here as well. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include "preload.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static ssize_t with_errno(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* Receiving */

static ssize_t receive(struct stream *s, int fd, struct msghdr *message, int flags)
{
	ssize_t result = stream_receive(s, fd, message, flags);

	put_stream(s);
	return with_errno(result);
}

static ssize_t receive_one(struct stream *s, int fd, void *buffer, size_t length, int flags)
{
	struct iovec data = { buffer, length };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	return receive(s, fd, &message, flags);
}

PUBLIC ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct stream *s = get_stream(fd);

	return s ? receive(s, fd, message, flags) : NEXT(recvmsg)(fd, message, flags);
}

/* read() and readv() of 0 bytes do not wait, as in the kernel. */

PUBLIC ssize_t read(int fd, void *buffer, size_t length)
{
	struct stream *s = length > 0 ? get_stream(fd) : NULL;

	return s ? receive_one(s, fd, buffer, length, 0) : NEXT(read)(fd, buffer, length);
}

PUBLIC ssize_t __read_chk(int fd, void *buffer, size_t length, size_t size)
{
	struct stream *s = length > 0 && length <= size ? get_stream(fd) : NULL;

	return s ? receive_one(s, fd, buffer, length, 0) : NEXT(__read_chk)(fd, buffer, length, size);
}

static bool has_space(const struct iovec *parts, int count)
{
	for (int i = 0; i < count; i++)
		if (parts[i].iov_len > 0)
			return true;
	return false;
}

PUBLIC ssize_t readv(int fd, const struct iovec *parts, int count)
{
	struct stream *s = get_stream(fd);
	struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = count };

	if (s && has_space(parts, count))
		return receive(s, fd, &message, 0);
	if (s)
		put_stream(s);
	return NEXT(readv)(fd, parts, count);
}

PUBLIC ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
	struct stream *s = get_stream(fd);

	return s ? receive_one(s, fd, buffer, length, flags) : NEXT(recv)(fd, buffer, length, flags);
}

PUBLIC ssize_t __recv_chk(int fd, void *buffer, size_t length, size_t size, int flags)
{
	struct stream *s = length <= size ? get_stream(fd) : NULL;

	return s ? receive_one(s, fd, buffer, length, flags) : NEXT(__recv_chk)(fd, buffer, length, size, flags);
}

PUBLIC ssize_t recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *from, socklen_t *from_length)
{
	struct stream *s = get_stream(fd);

	if (!s)
		return NEXT(recvfrom)(fd, buffer, length, flags, from, from_length);
	if (from_length)
		*from_length = 0;
	return receive_one(s, fd, buffer, length, flags);
}

PUBLIC ssize_t __recvfrom_chk(int fd, void *buffer, size_t length, size_t size, int flags, struct sockaddr *from,
			      socklen_t *from_length)
{
	if (length > size)
		return NEXT(__recvfrom_chk)(fd, buffer, length, size, flags, from, from_length);
	return recvfrom(fd, buffer, length, flags, from, from_length);
}

/* Sending */

static ssize_t send_parts(struct stream *s, int fd, const struct msghdr *message, int flags)
{
	ssize_t result = stream_send(s, fd, message, flags);

	put_stream(s);
	return with_errno(result);
}

static ssize_t send_one(struct stream *s, int fd, const void *buffer, size_t length, int flags)
{
	struct iovec data = { (void *)buffer, length };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	return send_parts(s, fd, &message, flags);
}

PUBLIC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct stream *s = get_stream(fd);

	return s ? send_parts(s, fd, message, flags) : NEXT(sendmsg)(fd, message, flags);
}

PUBLIC ssize_t write(int fd, const void *buffer, size_t length)
{
	struct stream *s = get_stream(fd);

	return s ? send_one(s, fd, buffer, length, 0) : NEXT(write)(fd, buffer, length);
}

PUBLIC ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct stream *s = count >= 0 ? get_stream(fd) : NULL;
	struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = count };

	return s ? send_parts(s, fd, &message, 0) : NEXT(writev)(fd, parts, count);
}

PUBLIC ssize_t send(int fd, const void *buffer, size_t length, int flags)
{
	struct stream *s = get_stream(fd);

	return s ? send_one(s, fd, buffer, length, flags) : NEXT(send)(fd, buffer, length, flags);
}

PUBLIC ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *to, socklen_t to_length)
{
	struct stream *s = get_stream(fd);

	return s ? send_one(s, fd, buffer, length, flags) : NEXT(sendto)(fd, buffer, length, flags, to, to_length);
}

/* Questions about the socket */

static bool has_option(int fd, int option, int wanted)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return NEXT(getsockopt)(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

/* One that connect() would connect: of any other, it says why not. */
static bool is_fresh_stream(int fd)
{
	struct sockaddr_un peer;
	socklen_t length = sizeof(peer);

	return has_option(fd, SO_DOMAIN, AF_UNIX) && has_option(fd, SO_TYPE, SOCK_STREAM) &&
	       has_option(fd, SO_ACCEPTCONN, 0) &&
	       NEXT(getpeername)(fd, (struct sockaddr *)&peer, &length) < 0 && errno == ENOTCONN;
}

/* Whether the program is now connected to a bus. */
static bool connect_bus(int fd, const struct sockaddr_un *name, socklen_t length)
{
	struct sockaddr_un copy = { 0 };
	struct address bus = { 0 };
	uid_t owner;
	char path[sizeof(copy.sun_path) + 1] = "";
	int saved = errno;
	bool connected;

	if (length <= offsetof(struct sockaddr_un, sun_path) || length > sizeof(copy))
		return false;
	memcpy(&copy, name, length);
	memcpy(path, copy.sun_path, sizeof(copy.sun_path));
	connected = path[0] != '\0' && is_fresh_stream(fd) && find_bus(path, &bus, &owner) &&
		    open_stream(fd, &copy, length, &bus, owner);
	errno = saved;
	return connected;
}

PUBLIC int connect(int fd, const struct sockaddr *name, socklen_t length)
{
	struct stream *s = get_stream(fd);

	if (s) {
		put_stream(s);
		return with_errno(-EISCONN);
	}
	if (name && length > sizeof(name->sa_family) && name->sa_family == AF_UNIX &&
	    connect_bus(fd, (const struct sockaddr_un *)name, length))
		return 0;
	return NEXT(connect)(fd, name, length);
}

static int put_name(const void *from, socklen_t size, struct sockaddr *name, socklen_t *length)
{
	memcpy(name, from, *length < size ? *length : size);
	*length = size;
	return 0;
}

PUBLIC int getsockname(int fd, struct sockaddr *name, socklen_t *length)
{
	static const sa_family_t unnamed = AF_UNIX;
	struct stream *s = get_stream(fd);

	if (!s)
		return NEXT(getsockname)(fd, name, length);
	put_stream(s);
	return put_name(&unnamed, sizeof(unnamed), name, length);
}

PUBLIC int getpeername(int fd, struct sockaddr *name, socklen_t *length)
{
	struct stream *s = get_stream(fd);

	if (!s)
		return NEXT(getpeername)(fd, name, length);
	put_name(&s->peer, s->peer_length, name, length);
	put_stream(s);
	return 0;
}

/* The value that a stream has for this option; -1 if it is that of the AF_BUS socket. */
static int value_of(int level, int option)
{
	if (level != SOL_SOCKET)
		return -1;
	switch (option) {
	case SO_TYPE:
		return SOCK_STREAM;
	case SO_DOMAIN:
		return AF_UNIX;
	case SO_PROTOCOL:
		return 0;
	default:
		return -1;
	}
}

PUBLIC int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	struct stream *s = get_stream(fd);
	int result = NEXT(getsockopt)(fd, level, option, value, length), told = value_of(level, option);

	if (!s)
		return result;
	put_stream(s);
	if (result == 0 && told >= 0)
		memcpy(value, &told, *length);
	return result;
}

/* Descriptors that are closed or copied */

PUBLIC int close(int fd)
{
	forget_descriptors(fd, fd);
	return NEXT(close)(fd);
}

PUBLIC int close_range(unsigned int first, unsigned int last, int flags)
{
	/* Otherwise it closes none. */
	if (first <= last && (flags & ~CLOSE_RANGE_UNSHARE) == 0)
		forget_descriptors(first, last);
	return NEXT(close_range)(first, last, flags);
}

PUBLIC void closefrom(int first)
{
	forget_descriptors(first > 0 ? first : 0, UINT_MAX);
	NEXT(closefrom)(first);
}

PUBLIC int dup(int fd)
{
	int copy = NEXT(dup)(fd);

	if (copy >= 0)
		copy_descriptor(fd, copy);
	return copy;
}

PUBLIC int dup2(int fd, int to)
{
	if (fd == to)
		return NEXT(dup2)(fd, to);
	return dup3(fd, to, 0);
}

PUBLIC int dup3(int fd, int to, int flags)
{
	int copy = NEXT(dup3)(fd, to, flags);

	if (copy >= 0)
		copy_descriptor(fd, copy);
	return copy;
}

static int with_copy(int fd, int command, int result)
{
	if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
		copy_descriptor(fd, result);
	return result;
}

/* The third argument is an int or a pointer: a register holds either. */
static void *argument_of(va_list arguments)
{
	return va_arg(arguments, void *);
}

PUBLIC int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = argument_of(arguments);
	va_end(arguments);
	return with_copy(fd, command, NEXT(fcntl)(fd, command, argument));
}

PUBLIC int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = argument_of(arguments);
	va_end(arguments);
	return with_copy(fd, command, NEXT(fcntl64)(fd, command, argument));
}
