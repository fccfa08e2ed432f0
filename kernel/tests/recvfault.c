// SPDX-License-Identifier: GPL-2.0-only
/* Messages are received, waited for and counted while memory runs out at every possible point. */
#include "trycall.h"
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

static void before_recv(struct fixture *f)
{
	OK(set_option(f->b.fd, BUS_PASSSEQ, 1));
	OK(setsockopt(f->b.fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	OK(post(f->a.fd, f->b.id, "all"));
	OK(post(f->a.fd, f->b.id, "next"));
}

static void before_recv_fds(struct fixture *f)
{
	open_files_to_send(f);
	OK(post_fds(f->a.fd, f->b.id, "all", files, 2));
	OK(post(f->a.fd, f->b.id, "next"));
}

static void before_peek_fds(struct fixture *f)
{
	before_recv_fds(f);
	OK(setsockopt(f->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
}

static long call_recv(struct fixture *f)
{
	return take(f->b.fd, &f->got);
}

/*
 * As with any socket, a message may be lost when its reader runs out of memory: this message only,
 * and all of it.
 */
static void recv_failed(struct fixture *f, int err)
{
	struct message m;

	OK(take(f->b.fd, &m));
	close_fds(&m);
	if (same_text(&m, "next") && err == EFAULT)
		return;
	CHECK(same_text(&m, "all"));
	GETS(f->b.fd, f->a.id, "next");
}

static void recv_done(struct fixture *f, long len)
{
	EQ(3, len);
	CHECK(same_text(&f->got, "all"));
	close_fds(&f->got);
	GETS(f->b.fd, f->a.id, "next");
}

/* Descriptors for which the receiver has no room are closed, and the receiver is told. */
static void recv_fds_done(struct fixture *f, long len)
{
	CHECK(f->got.n_fds == 2 || f->got.flags & MSG_CTRUNC);
	recv_done(f, len);
}

static long call_peek(struct fixture *f)
{
	return take_flags(f->b.fd, &f->got, MSG_DONTWAIT | MSG_PEEK);
}

static void peek_again(struct fixture *f, int from)
{
	struct message m;

	EQ(3 - from, OK(take_flags(f->b.fd, &m, MSG_DONTWAIT | MSG_PEEK)));
	close_fds(&m);
	OK(take(f->b.fd, &m));
	CHECK(same_text(&m, "all"));
	EQ(2, m.n_fds);
	close_fds(&m);
	GETS(f->b.fd, f->a.id, "next");
}

/*
 * What a peek failed to show is still there, and the peek offset has not moved, unless the failure
 * came later: common code copies some results out after the socket has done its part.
 */
static void peek_failed(struct fixture *f, int err)
{
	if (err == EFAULT)
		OK(setsockopt(f->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
	peek_again(f, 1);
}

static void peek_done(struct fixture *f, long len)
{
	EQ(2, len);
	close_fds(&f->got);
	OK(setsockopt(f->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 }, sizeof(int)));
	peek_again(f, 0);
}

static long call_poll(struct fixture *f)
{
	struct pollfd many[100];

	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct pollfd){ .fd = f->b.fd, .events = POLLIN };
	return poll(many, ARRAY_SIZE(many), 0);
}

static void poll_done(struct fixture *f, long n)
{
	EQ(100, n);
	EQ(POLLIN, events(f->b.fd) & POLLIN);
}

static void before_epoll(struct fixture *f)
{
	before_recv(f);
	f->fd = OK(epoll_create1(EPOLL_CLOEXEC));
}

static long call_epoll_add(struct fixture *f)
{
	return epoll_ctl(f->fd, EPOLL_CTL_ADD, f->b.fd, &(struct epoll_event){ .events = EPOLLIN });
}

static void epoll_add_failed(struct fixture *f, int err)
{
	(void)err;
	OK(call_epoll_add(f));
}

static void epoll_add_done(struct fixture *f, long result)
{
	(void)result;
	EQ(1, OK(epoll_wait(f->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_inq(struct fixture *f)
{
	int bytes = -1;

	return ioctl(f->b.fd, SIOCINQ, &bytes) ?: bytes;
}

static void inq_done(struct fixture *f, long bytes)
{
	(void)f;
	EQ(7, bytes);
}

static long call_proc(struct fixture *f)
{
	char line[4096];

	f->fd = open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC);
	return f->fd < 0 ? -1 : read(f->fd, line, sizeof(line));
}

static void nothing_more(struct fixture *f, long result)
{
	(void)f;
	(void)result;
}

static const struct call reads[] = {
	{ "recv", before_recv, call_recv, recv_failed, recv_done },
	{ "recv_fds", before_recv_fds, call_recv, recv_failed, recv_fds_done },
	{ "peek_fds", before_peek_fds, call_peek, peek_failed, peek_done },
	{ "poll", before_recv, call_poll, NULL, poll_done },
	{ "epoll_ctl", before_epoll, call_epoll_add, epoll_add_failed, epoll_add_done },
	{ "ioctl_inq", before_recv, call_inq, NULL, inq_done },
	{ "proc_net_bus", before_recv, call_proc, NULL, nothing_more, .also = ENOENT },
};

TEST_EACH(read_fails_cleanly, reads)
{
	try_all(row, row->name);
}
