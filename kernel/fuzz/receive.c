// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving, and what the oracle is shown of what arrives.
 */
#include "fuzz.h"
#include <sys/uio.h>

static int recv_flags(struct rng *d)
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
	struct rng kept;		/* where descriptors go */
	int other_base;
};

static struct receipt some_receipt(struct rng *d)
{
	struct receipt r = { 0 };
	unsigned int n;

	r.iov.iov_len = one_in(d, 3) ? some_length(d) : 1 << 16;
	r.iov.iov_base = arena_out(d, r.iov.iov_len);
	r.msg.msg_iov = arena_in(d, &r.iov, sizeof(r.iov));
	r.msg.msg_iovlen = 1;
	if (one_in(d, 10)) {
		r.msg.msg_iov = some_vectors(d, NULL, 1000, &n);
		r.msg.msg_iovlen = n;
		r.iov.iov_base = NULL;
	}
	if (roll(d, 4)) {
		r.msg.msg_namelen = one_in(d, 20) ? roll(d, 200) : sizeof(struct sockaddr_bus);
		r.msg.msg_name = arena_out(d, r.msg.msg_namelen);
	}
	if (roll(d, 4)) {
		r.msg.msg_controllen = one_in(d, 4) ? roll(d, 200) : 2000;
		r.msg.msg_control = arena_out(d, r.msg.msg_controllen);
	}
	r.kept.state = rng_next(d);
	r.other_base = roll(d, OTHER_SLOTS);
	return r;
}

/*
 * Whether it is of the sort that the slot is for: an accepted socket, or one without an address, is
 * no client.
 */
static int sort_of(int fd)
{
	struct sockaddr_bus name = { 0 };
	socklen_t len = sizeof(name);
	int proto = BUS_PROTO_NONE;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &(socklen_t){ sizeof(proto) });
	if (proto != BUS_PROTO_DBUS)
		return SLOTS;
	if (getsockname(fd, (struct sockaddr *)&name, &len) || !name.sbus_addr.s_addr)
		return SLOTS + NONE_SLOTS + DBUS_SLOTS;
	return SLOTS + NONE_SLOTS;
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
				put_away(fd, slot_like(&r->kept, sort_of(fd)));
			else
				put_away(fd, SLOTS + BUS_SLOTS + r->other_base++ % OTHER_SLOTS);
		}
	}
}

/* Only what was received into good memory can be checked. */
static void judge_receipt(struct fuzzer *f, int slot, struct receipt *r, struct msghdr *msg, long len)
{
	size_t size = (size_t)len < r->iov.iov_len ? (size_t)len : r->iov.iov_len;

	if (msg->msg_control && is_whole(msg->msg_control, r->msg.msg_controllen))
		keep_received(r, msg);
	if (msg->msg_iovlen != 1 || !is_whole(r->iov.iov_base, r->iov.iov_len))
		return;
	/* At the end there is no name; an empty message has a name and nothing else. */
	if (!len && !msg->msg_namelen)
		return;
	judge_message(f, slot, msg->msg_name && is_whole(msg->msg_name, sizeof(struct sockaddr_bus)) &&
		      r->msg.msg_namelen >= sizeof(struct sockaddr_bus) ? msg->msg_name : NULL,
		      msg->msg_namelen, r->iov.iov_base, size);
}

void do_recvmsg(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	struct receipt r = some_receipt(d);
	struct msghdr *msg = arena_in(d, &r.msg, sizeof(r.msg));
	int flags = recv_flags(d), slot = bus_slot(d);
	long len = CALL(f, RECVMSG, slot, msg, flags);

	if (len >= 0 && is_whole(msg, sizeof(*msg)))
		judge_receipt(f, slot, &r, msg, len);
}

void do_recvmmsg(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	unsigned int n = 1 + roll(d, 4);
	struct receipt receipts[4];
	struct mmsghdr msgs[4] = { 0 }, *placed;
	int flags = recv_flags(d), slot = bus_slot(d);
	long got;

	for (unsigned int i = 0; i < n; i++) {
		receipts[i] = some_receipt(d);
		msgs[i].msg_hdr = receipts[i].msg;
	}
	placed = arena_in(d, msgs, sizeof(msgs[0]) * n);
	got = CALL(f, RECVMMSG, slot, placed, n, flags, 0);
	if (!is_whole(placed, sizeof(msgs[0]) * n))
		return;
	for (long i = 0; i < got; i++)
		judge_receipt(f, slot, &receipts[i], &placed[i].msg_hdr, placed[i].msg_len);
}

void do_read(struct fuzzer *f)
{
	struct rng *d = &f->rng;
	size_t room = some_length(d);
	unsigned char *data = arena_out(d, room);
	int slot = bus_slot(d);
	long len = CALL(f, READ, slot, data, room);

	if (len > 0 && is_whole(data, room))
		judge_message(f, slot, NULL, 0, data, len);
}
