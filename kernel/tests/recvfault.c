// SPDX-License-Identifier: GPL-2.0-only
/* Messages are received, waited for and counted while memory runs out at every possible point. */
#include "trycall.h"
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

static void before_recv(struct world *w)
{
	OK(set_option(w->b.fd, BUS_PASSSEQ, 1));
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	OK(post(w->a.fd, w->b.id, "all"));
	OK(post(w->a.fd, w->b.id, "next"));
}

static void before_recv_fds(struct world *w)
{
	open_files_to_send(w);
	OK(post_fds(w->a.fd, w->b.id, "all", files, 2));
	OK(post(w->a.fd, w->b.id, "next"));
}

static void before_peek_fds(struct world *w)
{
	before_recv_fds(w);
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
}

static long call_recv(struct world *w)
{
	return take(w->b.fd, &w->got);
}

/*
 * As with any socket, a message may be lost when its reader runs out of memory: this message only,
 * and all of it.
 */
static void recv_failed(struct world *w, int err)
{
	struct message m;

	OK(take(w->b.fd, &m));
	close_fds(&m);
	if (same_text(&m, "next") && err == EFAULT)
		return;
	CHECK(same_text(&m, "all"));
	GETS(w->b.fd, w->a.id, "next");
}

static void recv_done(struct world *w, long len)
{
	EQ(3, len);
	CHECK(same_text(&w->got, "all"));
	close_fds(&w->got);
	GETS(w->b.fd, w->a.id, "next");
}

/* Descriptors for which the receiver has no room are closed, and the receiver is told. */
static void recv_fds_done(struct world *w, long len)
{
	CHECK(w->got.n_fds == 2 || w->got.flags & MSG_CTRUNC);
	recv_done(w, len);
}

static long call_peek(struct world *w)
{
	return take_flags(w->b.fd, &w->got, MSG_DONTWAIT | MSG_PEEK);
}

static void peek_again(struct world *w, int from)
{
	struct message m;

	EQ(3 - from, OK(take_flags(w->b.fd, &m, MSG_DONTWAIT | MSG_PEEK)));
	close_fds(&m);
	OK(take(w->b.fd, &m));
	CHECK(same_text(&m, "all"));
	EQ(2, m.n_fds);
	close_fds(&m);
	GETS(w->b.fd, w->a.id, "next");
}

/*
 * What a peek failed to show is still there, and the peek offset has not moved, unless the failure
 * came later: common code copies some results out after the socket has done its part.
 */
static void peek_failed(struct world *w, int err)
{
	if (err == EFAULT)
		OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 1 }, sizeof(int)));
	peek_again(w, 1);
}

static void peek_done(struct world *w, long len)
{
	EQ(2, len);
	close_fds(&w->got);
	OK(setsockopt(w->b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 }, sizeof(int)));
	peek_again(w, 0);
}

static long call_poll(struct world *w)
{
	struct pollfd many[100];

	for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct pollfd){ .fd = w->b.fd, .events = POLLIN };
	return poll(many, ARRAY_SIZE(many), 0);
}

static void poll_done(struct world *w, long n)
{
	EQ(100, n);
	EQ(POLLIN, events(w->b.fd) & POLLIN);
}

static void before_epoll(struct world *w)
{
	before_recv(w);
	w->fd = OK(epoll_create1(EPOLL_CLOEXEC));
}

static long call_epoll_add(struct world *w)
{
	return epoll_ctl(w->fd, EPOLL_CTL_ADD, w->b.fd, &(struct epoll_event){ .events = EPOLLIN });
}

static void epoll_add_failed(struct world *w, int err)
{
	(void)err;
	OK(call_epoll_add(w));
}

static void epoll_add_done(struct world *w, long result)
{
	(void)result;
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_inq(struct world *w)
{
	int bytes = -1;

	return ioctl(w->b.fd, SIOCINQ, &bytes) ?: bytes;
}

static void inq_done(struct world *w, long bytes)
{
	(void)w;
	EQ(7, bytes);
}

static long call_proc(struct world *w)
{
	char line[4096];

	w->fd = open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC);
	return w->fd < 0 ? -1 : read(w->fd, line, sizeof(line));
}

static void nothing_more(struct world *w, long result)
{
	(void)w;
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
