// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages are sent while memory runs out at every possible point: no recipient has such a message,
 * or every recipient has all of it.
 */
#include "trycall.h"
#include <linux/filter.h>
#include <sys/epoll.h>

enum { LONG = 150000 };

static char text[LONG];

static void got_by(int fd, struct fixture *f, int n_fds)
{
	struct message m;

	EQ(3, OK(take(fd, &m)));
	CHECK(same_text(&m, "all"));
	EQ(f->a.id, m.from.sbus_addr.s_addr);
	EQ(n_fds, m.n_fds);
	close_fds(&m);
	GETS_NOTHING(fd);
}

/*
 * An eavesdropper may have missed it, if there was no memory for its copy: then its next message
 * says so.
 */
static void watched(struct fixture *f, int n_fds)
{
	struct message m;

	if (events(f->spy.fd) & POLLIN) {
		got_by(f->spy.fd, f, n_fds);
		return;
	}
	OK(post(f->a.fd, f->b.id, "nex"));
	GETS(f->b.fd, f->a.id, "nex");
	EQ(3, OK(take(f->spy.fd, &m)));
	CHECK(same_text(&m, "nex"));
	EQ(1, m.lost);
}

static void got_by_all(struct fixture *f, int n_fds)
{
	for (int i = 0; i < MEMBERS; i++)
		got_by(f->members[i].fd, f, n_fds);
	GETS_NOTHING(f->b.fd);
	GETS_NOTHING(f->a.accepted);
	watched(f, n_fds);
}

static void got_by_none(struct fixture *f, int err)
{
	(void)err;
	for (int i = 0; f->spy.fd >= 0 && i < MEMBERS; i++)
		GETS_NOTHING(f->members[i].fd);
	if (f->spy.fd >= 0)
		GETS_NOTHING(f->spy.fd);
	GETS_NOTHING(f->b.fd);
	GETS_NOTHING(f->a.accepted);
}

static long call_send(struct fixture *f)
{
	return post(f->a.fd, ADDRESS(2, 1), "all");
}

static void send_done(struct fixture *f, long len)
{
	EQ(3, len);
	got_by(f->b.fd, f, 0);
}

static long call_send_fds(struct fixture *f)
{
	return post_fds(f->a.fd, ADDRESS(2, 1), "all", files, 2);
}

static void send_fds_done(struct fixture *f, long len)
{
	EQ(3, len);
	got_by(f->b.fd, f, 2);
}

static long call_send_to_master(struct fixture *f)
{
	return send(f->a.fd, "all", 3, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_to_master_done(struct fixture *f, long len)
{
	EQ(3, len);
	got_by(f->a.accepted, f, 0);
	GETS_NOTHING(f->b.fd);
}

static long call_multicast(struct fixture *f)
{
	return post(f->a.fd, GROUP(3), "all");
}

static void multicast_done(struct fixture *f, long len)
{
	EQ(3, len);
	got_by_all(f, 0);
}

static long call_multicast_fds(struct fixture *f)
{
	return post_fds(f->a.fd, GROUP(3), "all", files, 2);
}

static void multicast_fds_done(struct fixture *f, long len)
{
	EQ(3, len);
	got_by_all(f, 2);
}

/* A filter that cuts a message needs a copy to cut. */
static void before_filtered(struct fixture *f)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 3) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	for (int i = 0; i < MEMBERS; i++)
		OK(setsockopt(f->members[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			      sizeof(program)));
	OK(setsockopt(f->spy.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static long call_filtered(struct fixture *f)
{
	memcpy(text, "all", 3);
	return send_bytes(f->a.fd, GROUP(3), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void filtered_done(struct fixture *f, long len)
{
	EQ(LONG, len);
	got_by_all(f, 0);
}

static void before_long(struct fixture *f)
{
	OK(setsockopt(f->a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 2 * LONG }, sizeof(int)));
}

static void before_long_filtered(struct fixture *f)
{
	before_long(f);
	before_filtered(f);
}

static long call_send_long(struct fixture *f)
{
	for (int i = 0; i < LONG; i++)
		text[i] = i % 251;
	return send_bytes(f->a.fd, ADDRESS(2, 1), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_long_done(struct fixture *f, long len)
{
	static char back[LONG];

	EQ(LONG, len);
	EQ(LONG, OK(recv(f->b.fd, back, sizeof(back), MSG_DONTWAIT)));
	EQ(0, memcmp(text, back, LONG));
	GETS_NOTHING(f->b.fd);
}

/*
 * A sender that may not wait leaves a waiter at the full queue: it is told of room, or gets
 * ENOMEM.
 */
static void before_full(struct fixture *f)
{
	f->fd = OK(epoll_create1(EPOLL_CLOEXEC));
	fill(f->members[0].fd, ADDRESS(2, 1));
	OK(epoll_ctl(f->fd, EPOLL_CTL_ADD, f->a.fd,
		     &(struct epoll_event){ .events = EPOLLOUT | EPOLLET }));
	EQ(1, OK(epoll_wait(f->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_send_full(struct fixture *f)
{
	/* Here EAGAIN is success. */
	return post(f->a.fd, ADDRESS(2, 1), "all") < 0 && errno == EAGAIN ? 0 : -1;
}

static void send_full_failed(struct fixture *f, int err)
{
	(void)err;
	EQ(ROOM, drain(f->b.fd));
}

static void send_full_done(struct fixture *f, long result)
{
	(void)result;
	EQ(0, OK(epoll_wait(f->fd, &(struct epoll_event){ 0 }, 1, 0)));
	EQ(ROOM, drain(f->b.fd));
	EQ(1, OK(epoll_wait(f->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static const struct call sends[] = {
	{ "unicast", NULL, call_send, got_by_none, send_done },
	{ "unicast_fds", open_files_to_send, call_send_fds, got_by_none, send_fds_done },
	{ "to_the_master", NULL, call_send_to_master, got_by_none, send_to_master_done },
	{ "long", before_long, call_send_long, got_by_none, send_long_done },
	{ "multicast_eavesdropped", NULL, call_multicast, got_by_none, multicast_done, .crowd = 1 },
	{ "multicast_fds_eavesdropped", open_files_to_send, call_multicast_fds, got_by_none,
	  multicast_fds_done, .crowd = 1 },
	{ "multicast_filtered", before_long_filtered, call_filtered, got_by_none, filtered_done,
	  .crowd = 1 },
	{ "full_recipient", before_full, call_send_full, send_full_failed, send_full_done,
	  .crowd = 1 },
};

TEST_EACH(send_reaches_all_or_none, sends)
{
	try_all(row, row->name);
}
