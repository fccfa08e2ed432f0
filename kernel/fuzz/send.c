// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is sent, and by which calls.
 */
#include "fuzz.h"
#include <sys/uio.h>

size_t some_length(struct rng *d)
{
	static const unsigned int usual[] = { 0, 1, 4, 100, 100, 1000, 4000 };
	static const unsigned int heavy[] = { 16000, 65535, 130000, 212960, 212961, 300000 };

	return one_in(d, 15) ? PICK(d, heavy) : PICK(d, usual);
}

static int is_many(uint64_t addr)
{
	return addr == GROUP(addr >> BUS_CLIENT_BITS);
}

/* Bytes that count up, or a message of D-Bus; @many: they go to a group. */
static const unsigned char *some_payload(struct rng *d, int slot, int many, size_t max, size_t *len)
{
	static unsigned char bytes[1 << 19];
	int dbus = slot >= SLOTS + NONE_SLOTS ? !one_in(d, 4) : one_in(d, 10);
	unsigned char first = roll(d, 256);

	if (dbus)
		return some_dbus(d, many, len);
	*len = max ? (size_t)roll(d, max + 1) : some_length(d);
	for (size_t i = 0; i < *len; i++)
		bytes[i] = first + i * (many ? STEP_MANY : STEP);
	return bytes;
}

/* Vectors over @len bytes of payload, or over room for that many. */
struct iovec *some_vectors(struct rng *d, const unsigned char *bytes, size_t len, unsigned int *n)
{
	struct iovec iov[4];

	*n = one_in(d, 4) ? 1 + roll(d, ARRAY_SIZE(iov)) : 1;
	for (unsigned int i = 0; i < *n; i++) {
		size_t part = len * i / *n, end = len * (i + 1) / *n;

		iov[i].iov_len = end - part;
		iov[i].iov_base = bytes ? arena_in(d, bytes + part, end - part) :
					  arena_out(d, end - part);
	}
	return arena_in(d, iov, sizeof(iov[0]) * *n);
}

static void *some_control(struct rng *d, size_t *len)
{
	static const unsigned int counts[] = { 1, 1, 1, 2, 3, 8, 253, 254 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 254)];
	} control = { 0 };
	struct cmsghdr *c = &control.header;
	int *fds = (int *)CMSG_DATA(c);
	unsigned int n = 0;

	c->cmsg_level = SOL_SOCKET;
	if (roll(d, 4)) {
		n = one_in(d, 20) ? PICK(d, counts) : 1 + roll(d, 3);
		c->cmsg_type = SCM_RIGHTS;
		for (unsigned int i = 0; i < n; i++)
			fds[i] = n > 8 ? (int)i % 3 : any_slot(d);
		*len = sizeof(int) * n;
	} else {
		struct ucred creds = { one_in(d, 2) ? 1 : 0x7fffffff, roll(d, 2), roll(d, 2) };

		c->cmsg_type = SCM_CREDENTIALS;
		memcpy(CMSG_DATA(c), &creds, sizeof(creds));
		*len = sizeof(creds);
	}
	c->cmsg_len = CMSG_LEN(*len);
	*len = CMSG_SPACE(*len);
	if (one_in(d, 30)) {
		c->cmsg_level = roll(d, 300);
		c->cmsg_type = roll(d, 10);
	}
	if (one_in(d, 30))
		c->cmsg_len = roll(d, 60);
	if (one_in(d, 30))
		*len = roll(d, sizeof(control.bytes));
	return arena_in(d, &control, *len);
}

static int send_flags(struct rng *d)
{
	static const int odd[] = {
		MSG_OOB, MSG_ZEROCOPY, MSG_MORE, MSG_EOR, MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN,
	};
	int flags = MSG_NOSIGNAL | (roll(d, 6) ? MSG_DONTWAIT : 0);

	if (one_in(d, 20))
		flags |= PICK(d, odd);
	return one_in(d, 100) ? (int)rng_next(d) : flags;
}

/* The bytes of an address that are there, in a name of the given length. */
static int names_many(uint64_t addr, long len)
{
	return is_many(addr) && len >= (long)offsetof(struct sockaddr_bus, sbus_path);
}

static struct msghdr some_message(struct rng *d, int slot)
{
	struct msghdr msg = { 0 };
	uint64_t addr = some_address(d);
	const unsigned char *bytes;
	long len = 0;
	unsigned int n;
	size_t size;

	if (roll(d, 8))
		msg.msg_name = some_name(d, one_in(d, 10) ? some_path(d) : NULL, addr, &len);
	msg.msg_namelen = len;
	bytes = some_payload(d, slot, names_many(addr, len), 0, &size);
	msg.msg_iov = some_vectors(d, bytes, size, &n);
	msg.msg_iovlen = n;
	if (one_in(d, 4))
		msg.msg_control = some_control(d, &msg.msg_controllen);
	return msg;
}

void do_sendmsg(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int slot = bus_slot(d);
	struct msghdr msg = some_message(d, slot);
	int flags = send_flags(d);

	CALL(f, SENDMSG, slot, arena_in(d, &msg, sizeof(msg)), flags);
}

void do_sendmmsg(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	unsigned int n = 1 + roll(d, 4);
	struct mmsghdr msgs[4] = { 0 };
	int flags = send_flags(d), slot = bus_slot(d);

	for (unsigned int i = 0; i < n; i++)
		msgs[i].msg_hdr = some_message(d, slot);
	CALL(f, SENDMMSG, slot, arena_in(d, msgs, sizeof(msgs[0]) * n), n, flags);
}

void do_sendto(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	uint64_t addr = some_address(d);
	long name_len;
	void *name = some_name(d, NULL, addr, &name_len);
	int flags = send_flags(d), slot = bus_slot(d);
	size_t len;
	const unsigned char *bytes = some_payload(d, slot, names_many(addr, name_len), 64, &len);

	CALL(f, SENDTO, slot, arena_in(d, bytes, len), len, flags, name, name_len);
}

void do_write(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int slot = bus_slot(d);
	size_t len;
	const unsigned char *bytes = some_payload(d, slot, 0, 64, &len);

	CALL(f, WRITE, slot, arena_in(d, bytes, len), len);
}

/* The bytes of the file count up as those of every payload do. */
void do_sendfile(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	int from = f->show ? -1 : open("pattern", O_RDONLY | O_CLOEXEC);
	uint64_t offset = roll(d, 1000);

	CALL(f, SENDFILE, bus_slot(d), f->show ? -1 : from, arena_in(d, &offset, sizeof(offset)),
	     roll(d, 10000));
	if (from >= 0)
		close(from);
}
