// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls, and how often each is made; those to nfdbus are in request.c. All that a call is given
 * is drawn before it is made, and nothing is drawn for what it returns: so the calls of a process
 * are the same in every replay.
 */
#include "fuzz.h"
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

long call6(struct fuzzer *f, enum kind kind, long a, long b, long c, long d, long e, long g)
{
	long value;

	f->at->calls++;
	f->at->kind = kind;
	if (f->show) {
		printf("%u %s %#lx %#lx %#lx %#lx %#lx %#lx\n", f->at->calls, kinds[kind].name,
		       a, b, c, d, e, g);
		errno = ENOSYS;
		return -1;
	}
	__atomic_fetch_add(&board->made[kind], 1, __ATOMIC_RELAXED);
	value = syscall(kinds[kind].nr, a, b, c, d, e, g);
	if (value >= 0 && !kinds[kind].answered)
		__atomic_fetch_add(&board->succeeded[kind], 1, __ATOMIC_RELAXED);
	if (value < 0)
		judge_errno(f, kind, errno, (const long[]){ a, b, c, d, e, g });
	return value;
}

static int bus_place(struct dice *d)
{
	return PLACES + roll(d, BUS_PLACES);
}

/* Another for the same sort of sockets. */
static int place_like(struct dice *d, int place)
{
	if (is_dbus_client(place))
		return PLACES + NONE_PLACES + roll(d, DBUS_PLACES);
	if (is_dbus_master(place))
		return PLACES + NONE_PLACES + DBUS_PLACES + roll(d, MASTER_PLACES);
	return PLACES + roll(d, NONE_PLACES);
}

static int place_for(struct dice *d, int proto)
{
	return place_like(d, proto == BUS_PROTO_DBUS ? PLACES + NONE_PLACES : PLACES);
}

/* For what is accepted at one. */
static int master_place(struct dice *d, int listener)
{
	int dbus = is_dbus_client(listener) || is_dbus_master(listener);

	return place_like(d, dbus ? PLACES + NONE_PLACES + DBUS_PLACES : PLACES);
}

static int some_protocol(struct dice *d)
{
	return one_in(d, 4) ? BUS_PROTO_DBUS : BUS_PROTO_NONE;
}

static int other_place(struct dice *d)
{
	return PLACES + BUS_PLACES + roll(d, OTHER_PLACES);
}

/* Two of the others, so that what watches and what is watched meet. */
static int epoll_place(struct dice *d)
{
	return PLACES + BUS_PLACES + roll(d, 2);
}

static int any_place(struct dice *d)
{
	return roll(d, 4) ? bus_place(d) : other_place(d);
}

/* Puts a new descriptor in its place; what was there is closed. */
void put_away(long fd, int place)
{
	if (fd < 0)
		return;
	dup3(fd, place, O_CLOEXEC);
	close(fd);
}

uint64_t some_address(struct dice *d)
{
	switch (roll(d, 8)) {
	case 0:
		return MASTER;
	case 1:
		return EVERYONE;
	case 2:
		return GROUP(1 + roll(d, 3));
	case 3: case 4:
		return ADDRESS(1 + roll(d, 3), roll(d, 6));
	case 5: case 6:
		return 1 + roll(d, 12);
	default:
		return dice_next(d);
	}
}

const char *some_path(struct dice *d)
{
	static const char long_path[] = "@0123456789012345678901234567890123456789012345678901234567890"
					"12345678901234567890123456789012345678901234567890";
	static const char *const usual[] = { "@x", "@y", "@z", "a", "b" };
	static const char *const odd[] = {
		"", "link", "d/a", "d/../b", "./a", "d", "missing/a", "loop", "/", long_path,
	};

	return one_in(d, 6) ? PICK(d, odd) : PICK(d, usual);
}

/* An address in the arena; how long it is said to be goes to @len. */
static void *some_name(struct dice *d, const char *path, uint64_t addr, long *len)
{
	static const int odd[] = { 0, 1, 2, 8, 15, 16, 17, 20, 127, 129, 4096, -1 };
	struct sockaddr_bus name = bus_name(path, addr);

	if (one_in(d, 40))
		name.sbus_family = roll(d, 46);
	*len = one_in(d, 20) ? PICK(d, odd) : (int)sizeof(name);
	return place_in(d, &name, sizeof(name));
}

static void do_socket(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int type = one_in(d, 20) ? (int)roll(d, 11) : SOCK_SEQPACKET;
	int flags = one_in(d, 3) ? SOCK_NONBLOCK : 0;
	int proto = one_in(d, 20) ? (int)roll(d, 4) - 1 : some_protocol(d);
	int place = place_for(d, proto);

	put_away(CALL(f, SOCKET, family(), type | flags, proto), place);
}

static void do_socketpair(struct fuzzer *f)
{
	struct dice *d = &f->dice;

	CALL(f, SOCKETPAIR, family(), SOCK_SEQPACKET, roll(d, 2), place_out(d, 8));
}

static void do_bind(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	long len;
	void *name = some_name(d, some_path(d), some_address(d), &len);

	CALL(f, BIND, bus_place(d), name, len);
}

static void do_connect(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	long len;
	void *name = some_name(d, some_path(d), some_address(d), &len);

	CALL(f, CONNECT, bus_place(d), name, len);
}

static void do_listen(struct fuzzer *f)
{
	static const int backlogs[] = { 0, 1, 3, 10, 100, -1, 1 << 30 };
	struct dice *d = &f->dice;

	CALL(f, LISTEN, bus_place(d), PICK(d, backlogs));
}

static void do_accept(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	socklen_t room = sizeof(struct sockaddr_bus);
	void *name = one_in(d, 2) ? place_out(d, room) : NULL;
	void *len = place_in(d, &room, sizeof(room));
	int flags = one_in(d, 10) ? 0 : one_in(d, 10) ? (int)roll(d, 1 << 12) : SOCK_NONBLOCK;
	int from = bus_place(d), to = master_place(d, from);

	put_away(CALL(f, ACCEPT, from, name, len, flags), to);
}

static void do_getname(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	enum kind kind = one_in(d, 2) ? GETSOCKNAME : GETPEERNAME;
	socklen_t room = one_in(d, 4) ? roll(d, 200) : sizeof(struct sockaddr_bus);
	void *name = place_out(d, room);
	socklen_t *len = place_in(d, &room, sizeof(room));

	if (CALL(f, kind, bus_place(d), name, len) >= 0 && *len != sizeof(struct sockaddr_bus))
		found(f, "%s says %u bytes", kinds[kind].name, *len);
}

static void do_shutdown(struct fuzzer *f)
{
	struct dice *d = &f->dice;

	CALL(f, SHUTDOWN, bus_place(d), one_in(d, 10) ? (int)roll(d, 6) - 1 : (int)roll(d, 3));
}

static void do_set_bus(struct fuzzer *f)
{
	static const int policy[] = {
		BUS_ADD_ADDR, BUS_ADD_ADDR, BUS_DEL_ADDR, BUS_JOIN_BUS, BUS_JOIN_BUS, BUS_JOIN_BUS,
		BUS_SET_EAVESDROP, BUS_UNSET_EAVESDROP, BUS_SET_SENDBUF, BUS_SET_MAXQLEN,
		BUS_GET_QLENFULL, BUS_SET_OVERFLOW, BUS_PASSSEQ,
	};
	static const int values[] = { 0, 1, 2, 3, 20, 100, 4096, 1 << 20, -1, INT32_MAX, INT32_MIN };
	struct dice *d = &f->dice;
	int option = one_in(d, 20) ? (int)roll(d, 64) : PICK(d, policy);
	int is_addr = option == BUS_ADD_ADDR || option == BUS_DEL_ADDR;
	uint64_t value = is_addr ? some_address(d) : (uint64_t)(uint32_t)PICK(d, values);
	int len = one_in(d, 20) ? (int)roll(d, 20) - 2 : is_addr ? 8 : 4;

	CALL(f, SET_BUS, bus_place(d), SOL_BUS, option, place_in(d, &value, sizeof(value)), len);
}

static void do_get_bus(struct fuzzer *f)
{
	static const int options[] = {
		BUS_SET_SENDBUF, BUS_SET_MAXQLEN, BUS_SET_OVERFLOW, BUS_GET_QLENFULL, BUS_PASSSEQ,
	};
	struct dice *d = &f->dice;
	int option = one_in(d, 10) ? (int)roll(d, 64) : PICK(d, options);
	int room = one_in(d, 5) ? (int)roll(d, 20) - 2 : 4;
	void *value = place_out(d, 4);

	CALL(f, GET_BUS, bus_place(d), SOL_BUS, option, value, place_in(d, &room, sizeof(room)));
}

static void do_set_socket(struct fuzzer *f)
{
	static const int options[] = {
		SO_PASSCRED, SO_PASSSEC, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_PEEK_OFF, SO_PEEK_OFF,
		SO_SNDBUF, SO_RCVBUF, SO_LOCK_FILTER, SO_DETACH_FILTER, SO_ZEROCOPY, SO_LINGER,
	};
	static const int values[] = { 0, 1, 1, 5, 4000, 20000, 1 << 20, -1 };
	struct dice *d = &f->dice;
	int option = one_in(d, 8) ? (int)roll(d, 80) : PICK(d, options);
	int value = PICK(d, values);

	CALL(f, SET_SOCKET, bus_place(d), SOL_SOCKET, option, place_in(d, &value, sizeof(value)),
	     sizeof(value));
}

static void do_timeout(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	struct timeval t = { 0, roll(d, 3) * 5000 };

	CALL(f, SET_SOCKET, bus_place(d), SOL_SOCKET, one_in(d, 2) ? SO_SNDTIMEO : SO_RCVTIMEO,
	     place_in(d, &t, sizeof(t)), sizeof(t));
}

/* Keeps a number of bytes, or decides by the first one. */
static void do_filter(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	static const int froms[] = { 0, 0, 0, 64, SKF_NET_OFF, SKF_LL_OFF, SKF_AD_OFF + SKF_AD_PAY_OFFSET };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned int)PICK(d, froms)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, roll(d, 256), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, one_in(d, 2) ? roll(d, 5000) : 1U << 30),
	};
	unsigned int from = one_in(d, 2) ? 3 : 0;
	struct sock_fprog prog = { ARRAY_SIZE(code) - from, NULL };

	prog.filter = place_in(d, code + from, sizeof(code[0]) * prog.len);
	CALL(f, SET_SOCKET, bus_place(d), SOL_SOCKET, SO_ATTACH_FILTER,
	     place_in(d, &prog, sizeof(prog)), sizeof(prog));
}

static void do_get_socket(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int room = roll(d, 80);
	void *value = place_out(d, 80);
	int option = one_in(d, 2) ? SO_ERROR : (int)roll(d, 80);

	CALL(f, GET_SOCKET, bus_place(d), SOL_SOCKET, option, value,
	     place_in(d, &room, sizeof(room)));
}

static void do_ioctl(struct fuzzer *f)
{
	static const unsigned int commands[] = {
		SIOCINQ, SIOCINQ, SIOCOUTQ, SIOCOUTQ, FIOASYNC, SIOCATMARK, SIOCGPGRP, SIOCPROTOPRIVATE,
	};
	struct dice *d = &f->dice;
	int zero = 0;

	CALL(f, IOCTL, bus_place(d), PICK(d, commands), place_in(d, &zero, sizeof(zero)));
}

static void do_fcntl(struct fuzzer *f)
{
	struct dice *d = &f->dice;

	CALL(f, FCNTL, bus_place(d), F_SETFL, one_in(d, 2) ? O_NONBLOCK : 0);
}

static size_t some_length(struct dice *d)
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
static const unsigned char *some_payload(struct dice *d, int place, int many, size_t max, size_t *len)
{
	static unsigned char bytes[1 << 19];
	int dbus = place >= PLACES + NONE_PLACES ? !one_in(d, 4) : one_in(d, 10);
	unsigned char first = roll(d, 256);

	if (dbus)
		return some_dbus(d, many, len);
	*len = max ? (size_t)roll(d, max + 1) : some_length(d);
	for (size_t i = 0; i < *len; i++)
		bytes[i] = first + i * (many ? STEP_MANY : STEP);
	return bytes;
}

/* Vectors over @len bytes of payload, or over room for as many. */
static struct iovec *some_vectors(struct dice *d, const unsigned char *bytes, size_t len, unsigned int *n)
{
	struct iovec iov[4];

	*n = one_in(d, 4) ? 1 + roll(d, ARRAY_SIZE(iov)) : 1;
	for (unsigned int i = 0; i < *n; i++) {
		size_t part = len * i / *n, end = len * (i + 1) / *n;

		iov[i].iov_len = end - part;
		iov[i].iov_base = bytes ? place_in(d, bytes + part, end - part) :
					  place_out(d, end - part);
	}
	return place_in(d, iov, sizeof(iov[0]) * *n);
}

static void *some_control(struct dice *d, size_t *len)
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
			fds[i] = n > 8 ? (int)i % 3 : any_place(d);
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
	return place_in(d, &control, *len);
}

static int send_flags(struct dice *d)
{
	static const int odd[] = {
		MSG_OOB, MSG_ZEROCOPY, MSG_MORE, MSG_EOR, MSG_CONFIRM, MSG_DONTROUTE, MSG_FASTOPEN,
	};
	int flags = MSG_NOSIGNAL | (roll(d, 6) ? MSG_DONTWAIT : 0);

	if (one_in(d, 20))
		flags |= PICK(d, odd);
	return one_in(d, 100) ? (int)dice_next(d) : flags;
}

/* What there is of an address in a name that is said to be so long. */
static int names_many(uint64_t addr, long len)
{
	return is_many(addr) && len >= (long)offsetof(struct sockaddr_bus, sbus_path);
}

static struct msghdr some_message(struct dice *d, int place)
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
	bytes = some_payload(d, place, names_many(addr, len), 0, &size);
	msg.msg_iov = some_vectors(d, bytes, size, &n);
	msg.msg_iovlen = n;
	if (one_in(d, 4))
		msg.msg_control = some_control(d, &msg.msg_controllen);
	return msg;
}

static void do_sendmsg(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int place = bus_place(d);
	struct msghdr msg = some_message(d, place);
	int flags = send_flags(d);

	CALL(f, SENDMSG, place, place_in(d, &msg, sizeof(msg)), flags);
}

static void do_sendmmsg(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	unsigned int n = 1 + roll(d, 4);
	struct mmsghdr msgs[4] = { 0 };
	int flags = send_flags(d), place = bus_place(d);

	for (unsigned int i = 0; i < n; i++)
		msgs[i].msg_hdr = some_message(d, place);
	CALL(f, SENDMMSG, place, place_in(d, msgs, sizeof(msgs[0]) * n), n, flags);
}

static void do_sendto(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	uint64_t addr = some_address(d);
	long name_len;
	void *name = some_name(d, NULL, addr, &name_len);
	int flags = send_flags(d), place = bus_place(d);
	size_t len;
	const unsigned char *bytes = some_payload(d, place, names_many(addr, name_len), 64, &len);

	CALL(f, SENDTO, place, place_in(d, bytes, len), len, flags, name, name_len);
}

static void do_write(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int place = bus_place(d);
	size_t len;
	const unsigned char *bytes = some_payload(d, place, 0, 64, &len);

	CALL(f, WRITE, place, place_in(d, bytes, len), len);
}

/* The file's bytes count up as those of every payload do. */
static void do_sendfile(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int from = f->show ? -1 : open("pattern", O_RDONLY | O_CLOEXEC);
	uint64_t offset = roll(d, 1000);

	CALL(f, SENDFILE, bus_place(d), f->show ? -1 : from, place_in(d, &offset, sizeof(offset)),
	     roll(d, 10000));
	if (from >= 0)
		close(from);
}

static int recv_flags(struct dice *d)
{
	static const int odd[] = { MSG_OOB, MSG_TRUNC, MSG_WAITALL, MSG_ERRQUEUE, MSG_CTRUNC };
	int flags = roll(d, 12) ? MSG_DONTWAIT : 0;

	if (one_in(d, 5))
		flags |= MSG_PEEK;
	if (one_in(d, 20))
		flags |= PICK(d, odd);
	return flags | MSG_CMSG_CLOEXEC;
}

struct receipt {
	struct msghdr msg;
	struct iovec iov;
	struct dice kept;		/* where descriptors go */
	int other_base;
};

static struct receipt some_receipt(struct dice *d)
{
	struct receipt r = { 0 };
	unsigned int n;

	r.iov.iov_len = one_in(d, 3) ? some_length(d) : 1 << 16;
	r.iov.iov_base = place_out(d, r.iov.iov_len);
	r.msg.msg_iov = place_in(d, &r.iov, sizeof(r.iov));
	r.msg.msg_iovlen = 1;
	if (one_in(d, 10)) {
		r.msg.msg_iov = some_vectors(d, NULL, 1000, &n);
		r.msg.msg_iovlen = n;
		r.iov.iov_base = NULL;
	}
	if (roll(d, 4)) {
		r.msg.msg_namelen = one_in(d, 20) ? roll(d, 200) : sizeof(struct sockaddr_bus);
		r.msg.msg_name = place_out(d, r.msg.msg_namelen);
	}
	if (roll(d, 4)) {
		r.msg.msg_controllen = one_in(d, 4) ? roll(d, 200) : 2000;
		r.msg.msg_control = place_out(d, r.msg.msg_controllen);
	}
	r.kept.state = dice_next(d);
	r.other_base = roll(d, OTHER_PLACES);
	return r;
}

/* Of the sort that is to be kept there: a master's half, and what has no address, is no client. */
static int sort_of(int fd)
{
	struct sockaddr_bus name = { 0 };
	socklen_t len = sizeof(name);
	int proto = BUS_PROTO_NONE;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &(socklen_t){ sizeof(proto) });
	if (proto != BUS_PROTO_DBUS)
		return PLACES;
	if (getsockname(fd, (struct sockaddr *)&name, &len) || !name.sbus_addr.s_addr)
		return PLACES + NONE_PLACES + DBUS_PLACES;
	return PLACES + NONE_PLACES;
}

static void keep_received(struct receipt *r, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (int i = 0; i < n; i++) {
			int fd = ((int *)CMSG_DATA(c))[i], domain = 0;
			socklen_t len = sizeof(domain);

			getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
			if (domain == family())
				put_away(fd, place_like(&r->kept, sort_of(fd)));
			else
				put_away(fd, PLACES + BUS_PLACES + r->other_base++ % OTHER_PLACES);
		}
	}
}

/* Only what was received into good memory can be looked at. */
static void judge_receipt(struct fuzzer *f, int place, struct receipt *r, struct msghdr *msg, long len)
{
	size_t size = (size_t)len < r->iov.iov_len ? (size_t)len : r->iov.iov_len;

	if (msg->msg_control && is_whole(msg->msg_control, r->msg.msg_controllen))
		keep_received(r, msg);
	if (msg->msg_iovlen != 1 || !is_whole(r->iov.iov_base, r->iov.iov_len))
		return;
	/* The end has no name, and an empty message has no more than that. */
	if (!len && !msg->msg_namelen)
		return;
	judge_message(f, place, msg->msg_name && is_whole(msg->msg_name, sizeof(struct sockaddr_bus)) &&
		      r->msg.msg_namelen >= sizeof(struct sockaddr_bus) ? msg->msg_name : NULL,
		      msg->msg_namelen, r->iov.iov_base, size);
}

static void do_recvmsg(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	struct receipt r = some_receipt(d);
	struct msghdr *msg = place_in(d, &r.msg, sizeof(r.msg));
	int flags = recv_flags(d), place = bus_place(d);
	long len = CALL(f, RECVMSG, place, msg, flags);

	if (len >= 0 && is_whole(msg, sizeof(*msg)))
		judge_receipt(f, place, &r, msg, len);
}

static void do_recvmmsg(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	unsigned int n = 1 + roll(d, 4);
	struct receipt receipts[4];
	struct mmsghdr msgs[4] = { 0 }, *placed;
	int flags = recv_flags(d), place = bus_place(d);
	long got;

	for (unsigned int i = 0; i < n; i++) {
		receipts[i] = some_receipt(d);
		msgs[i].msg_hdr = receipts[i].msg;
	}
	placed = place_in(d, msgs, sizeof(msgs[0]) * n);
	got = CALL(f, RECVMMSG, place, placed, n, flags, 0);
	if (!is_whole(placed, sizeof(msgs[0]) * n))
		return;
	for (long i = 0; i < got; i++)
		judge_receipt(f, place, &receipts[i], &placed[i].msg_hdr, placed[i].msg_len);
}

static void do_read(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	size_t room = some_length(d);
	unsigned char *data = place_out(d, room);
	int place = bus_place(d);
	long len = CALL(f, READ, place, data, room);

	if (len > 0 && is_whole(data, room))
		judge_message(f, place, NULL, 0, data, len);
}

static void do_mmap(struct fuzzer *f)
{
	CALL(f, MMAP, 0, 4096, 1, 2, bus_place(&f->dice), 0);
}

static void do_poll(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	struct pollfd p[8];
	unsigned int n = 1 + roll(d, ARRAY_SIZE(p));

	for (unsigned int i = 0; i < n; i++)
		p[i] = (struct pollfd){ any_place(d), roll(d, 0x10000), 0 };
	CALL(f, POLL, place_in(d, p, sizeof(p[0]) * n), n, roll(d, 3));
}

static void do_epoll_create(struct fuzzer *f)
{
	int place = epoll_place(&f->dice);

	put_away(CALL(f, EPOLL_CREATE, EPOLL_CLOEXEC), place);
}

static void do_epoll_ctl(struct fuzzer *f)
{
	static const uint32_t modes[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
	struct dice *d = &f->dice;
	struct epoll_event event = { roll(d, 0x2020) | PICK(d, modes), { .u32 = 0 } };

	CALL(f, EPOLL_CTL, epoll_place(d), 1 + roll(d, 3), bus_place(d),
	     place_in(d, &event, sizeof(event)));
}

static void do_epoll_wait(struct fuzzer *f)
{
	struct dice *d = &f->dice;

	CALL(f, EPOLL_WAIT, epoll_place(d), place_out(d, sizeof(struct epoll_event) * 8), 8,
	     roll(d, 3));
}

static void do_dup(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int from = bus_place(d);

	CALL(f, DUP, from, place_like(d, from), O_CLOEXEC);
}

static void do_close(struct fuzzer *f)
{
	CALL(f, CLOSE, any_place(&f->dice));
}

static void do_other_file(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	enum kind kind = PICK(d, ((const enum kind[]){ EVENTFD, PIPE, UNIX }));
	int first = PLACES + BUS_PLACES + 2 + roll(d, OTHER_PLACES - 2), second = other_place(d);
	int fds[2] = { -1, -1 };

	if (kind == EVENTFD)
		fds[0] = CALL(f, kind, 0, O_NONBLOCK);
	else if (kind == PIPE)
		CALL(f, kind, f->show ? NULL : fds, O_NONBLOCK);
	else
		CALL(f, kind, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->show ? NULL : fds);
	put_away(fds[0], first);
	put_away(fds[1], second);
}

static void do_unlink(struct fuzzer *f)
{
	CALL(f, UNLINK, one_in(&f->dice, 2) ? "a" : "b");
}

static void do_rename(struct fuzzer *f)
{
	CALL(f, RENAME, "a", "b");
}

static void do_proc(struct fuzzer *f)
{
	char text[4096];
	int fd;

	f->at->calls++;
	f->at->kind = PROC;
	if (f->show)
		return;
	fd = open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC);
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void do_unshare(struct fuzzer *f)
{
	CALL(f, UNSHARE, CLONE_NEWNET);
}

/* What another worker is at is interrupted, or the worker killed. */
static void do_signal(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	unsigned int victim = roll(d, WORKERS);
	int signal = one_in(d, 20) ? SIGKILL : SIGUSR1;

	f->at->calls++;
	f->at->kind = KILL;
	if (f->show)
		printf("%u kill worker %u %d\n", f->at->calls, victim, signal);
	else if (board->progress[victim].pid > 1)
		kill(board->progress[victim].pid, signal);
}

/* A bus of its own with members: what random calls seldom bring about. */
static void do_open_bus(struct fuzzer *f)
{
	struct dice *d = &f->dice;
	int proto = some_protocol(d), dbus = proto == BUS_PROTO_DBUS;
	int listener = place_for(d, proto), place = listener - PLACES;
	unsigned int n = 1 + roll(d, 4);
	struct sockaddr_bus name;
	char path[32];

	snprintf(path, sizeof(path), "@%u.%u", f->at->number, f->at->calls);
	if (!roll(d, dbus ? 2 : 4))
		snprintf(path, sizeof(path), "%s", some_path(d));
	name = bus_name(path, 0);
	if (dbus)
		memcpy(f->path, path, sizeof(path));

	put_away(CALL(f, SOCKET, family(), SOCK_SEQPACKET, proto), listener);
	CALL(f, BIND, listener, place_in(d, &name, sizeof(name)), sizeof(name));
	CALL(f, LISTEN, listener, 3);
	for (unsigned int i = 0; i < n; i++) {
		int client = PLACES + ++place % NONE_PLACES, accepted = PLACES + ++place % NONE_PLACES;
		int one = 1;
		uint64_t addr = ADDRESS(1 + roll(d, 3), roll(d, 6));

		if (dbus) {
			f->addrs[i] = addr;
			client = PLACES + NONE_PLACES + (listener - PLACES - NONE_PLACES + 1 + i) % DBUS_PLACES;
			accepted = PLACES + NONE_PLACES + DBUS_PLACES + i;
		}
		put_away(CALL(f, SOCKET, family(), SOCK_SEQPACKET, proto), client);
		CALL(f, CONNECT, client, place_in(d, &name, sizeof(name)), sizeof(name));
		put_away(CALL(f, ACCEPT, listener, 0, 0, SOCK_NONBLOCK), accepted);
		CALL(f, SET_BUS, accepted, SOL_BUS, BUS_JOIN_BUS, 0, 0);
		CALL(f, SET_BUS, accepted, SOL_BUS, BUS_ADD_ADDR,
		     place_in(d, &addr, sizeof(addr)), sizeof(addr));
		if (one_in(d, 4))
			CALL(f, SET_BUS, accepted, SOL_BUS, BUS_SET_EAVESDROP, 0, 0);
		if (one_in(d, 2))
			CALL(f, SET_SOCKET, client, SOL_SOCKET, SO_PASSCRED,
			     place_in(d, &one, sizeof(one)), sizeof(one));
		if (dbus && roll(d, 4))
			ask_for_rule(f, path, addr);
	}
}

static void do_fork(struct fuzzer *f);

static const struct {
	unsigned int weight;
	void (*make)(struct fuzzer *f);
} calls[] = {
	{ 15, do_open_bus },
	{ 4, do_socket },
	{ 1, do_socketpair },
	{ 6, do_bind },
	{ 30, do_connect },
	{ 10, do_listen },
	{ 15, do_accept },
	{ 10, do_getname },
	{ 4, do_shutdown },
	{ 60, do_set_bus },
	{ 20, do_get_bus },
	{ 20, do_set_socket },
	{ 10, do_timeout },
	{ 5, do_filter },
	{ 5, do_get_socket },
	{ 10, do_ioctl },
	{ 5, do_fcntl },
	{ 160, do_sendmsg },
	{ 20, do_sendmmsg },
	{ 60, do_sendto },
	{ 10, do_write },
	{ 3, do_sendfile },
	{ 160, do_recvmsg },
	{ 30, do_recvmmsg },
	{ 8, do_read },
	{ 2, do_mmap },
	{ 15, do_poll },
	{ 3, do_epoll_create },
	{ 15, do_epoll_ctl },
	{ 8, do_epoll_wait },
	{ 10, do_dup },
	{ 8, do_close },
	{ 5, do_other_file },
	{ 8, do_unlink },
	{ 2, do_rename },
	{ 3, do_proc },
	{ 8, do_fork },
	{ 1, do_unshare },
	{ 3, do_signal },
	{ 60, do_request },
	{ 8, do_connector },
	{ 25, do_answer },
	{ 3, do_netlink },
};

void make_one_call(struct fuzzer *f)
{
	unsigned int sum = 0, at;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		sum += calls[i].weight;
	at = roll(&f->dice, sum);
	arena_reset();
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (at < calls[i].weight) {
			calls[i].make(f);
			return;
		}
		at -= calls[i].weight;
	}
}

/* A child with copies of the descriptors, and a stream of its own that its parent's place gives. */
static void do_fork(struct fuzzer *f)
{
	struct dice stream = dice_for(seed ^ dice_next(&f->dice), f->at->number);
	int quit = roll(&f->dice, CHILD_CALLS);
	static struct progress nowhere;
	struct fuzzer child;
	pid_t pid;

	f->at->calls++;
	f->at->kind = FORK;
	if (f->show) {
		printf("%u fork a child of stream %#llx\n", f->at->calls,
		       (unsigned long long)stream.state);
		return;
	}
	/* Children have no children. */
	if (f->at == &nowhere)
		return;
	pid = fork();
	if (pid)
		return;
	be_interrupted();
	nowhere = (struct progress){ .number = f->at->number };
	child = (struct fuzzer){ .dice = stream, .at = &nowhere };
	while (quit--)
		make_one_call(&child);
	_exit(PASSED);
}
