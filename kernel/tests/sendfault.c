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

static void got_by(int fd, struct world *w, int n_fds)
{
	struct message m;

	EQ(3, OK(take(fd, &m)));
	CHECK(same_text(&m, "all"));
	EQ(w->a.id, m.from.sbus_addr.s_addr);
	EQ(n_fds, m.n_fds);
	close_fds(&m);
	GETS_NOTHING(fd);
}

/*
 * An eavesdropper may have missed it, if there was no memory for its copy: then its next message
 * says so.
 */
static void watched(struct world *w, int n_fds)
{
	struct message m;

	if (events(w->spy.fd) & POLLIN) {
		got_by(w->spy.fd, w, n_fds);
		return;
	}
	OK(post(w->a.fd, w->b.id, "nex"));
	GETS(w->b.fd, w->a.id, "nex");
	EQ(3, OK(take(w->spy.fd, &m)));
	CHECK(same_text(&m, "nex"));
	EQ(1, m.lost);
}

static void got_by_all(struct world *w, int n_fds)
{
	for (int i = 0; i < MEMBERS; i++)
		got_by(w->members[i].fd, w, n_fds);
	GETS_NOTHING(w->b.fd);
	GETS_NOTHING(w->a.accepted);
	watched(w, n_fds);
}

static void got_by_none(struct world *w, int err)
{
	(void)err;
	for (int i = 0; w->spy.fd >= 0 && i < MEMBERS; i++)
		GETS_NOTHING(w->members[i].fd);
	if (w->spy.fd >= 0)
		GETS_NOTHING(w->spy.fd);
	GETS_NOTHING(w->b.fd);
	GETS_NOTHING(w->a.accepted);
}

static long call_send(struct world *w)
{
	return post(w->a.fd, ADDRESS(2, 1), "all");
}

static void send_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->b.fd, w, 0);
}

static long call_send_fds(struct world *w)
{
	return post_fds(w->a.fd, ADDRESS(2, 1), "all", files, 2);
}

static void send_fds_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->b.fd, w, 2);
}

static long call_send_to_master(struct world *w)
{
	return send(w->a.fd, "all", 3, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_to_master_done(struct world *w, long len)
{
	EQ(3, len);
	got_by(w->a.accepted, w, 0);
	GETS_NOTHING(w->b.fd);
}

static long call_multicast(struct world *w)
{
	return post(w->a.fd, GROUP(3), "all");
}

static void multicast_done(struct world *w, long len)
{
	EQ(3, len);
	got_by_all(w, 0);
}

static long call_multicast_fds(struct world *w)
{
	return post_fds(w->a.fd, GROUP(3), "all", files, 2);
}

static void multicast_fds_done(struct world *w, long len)
{
	EQ(3, len);
	got_by_all(w, 2);
}

/* A filter that cuts a message needs a copy to cut. */
static void before_filtered(struct world *w)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 3) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	for (int i = 0; i < MEMBERS; i++)
		OK(setsockopt(w->members[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			      sizeof(program)));
	OK(setsockopt(w->spy.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static long call_filtered(struct world *w)
{
	memcpy(text, "all", 3);
	return send_bytes(w->a.fd, GROUP(3), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void filtered_done(struct world *w, long len)
{
	EQ(LONG, len);
	got_by_all(w, 0);
}

static void before_long(struct world *w)
{
	OK(setsockopt(w->a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 2 * LONG }, sizeof(int)));
}

static void before_long_filtered(struct world *w)
{
	before_long(w);
	before_filtered(w);
}

static long call_send_long(struct world *w)
{
	for (int i = 0; i < LONG; i++)
		text[i] = i % 251;
	return send_bytes(w->a.fd, ADDRESS(2, 1), text, LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_long_done(struct world *w, long len)
{
	static char back[LONG];

	EQ(LONG, len);
	EQ(LONG, OK(recv(w->b.fd, back, sizeof(back), MSG_DONTWAIT)));
	EQ(0, memcmp(text, back, LONG));
	GETS_NOTHING(w->b.fd);
}

/*
 * A sender that may not wait leaves a waiter at the full queue: it is told of space, or gets
 * ENOMEM.
 */
static void before_full(struct world *w)
{
	w->fd = OK(epoll_create1(EPOLL_CLOEXEC));
	fill(w->members[0].fd, ADDRESS(2, 1));
	OK(epoll_ctl(w->fd, EPOLL_CTL_ADD, w->a.fd,
		     &(struct epoll_event){ .events = EPOLLOUT | EPOLLET }));
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
}

static long call_send_full(struct world *w)
{
	/* Here EAGAIN is success. */
	return post(w->a.fd, ADDRESS(2, 1), "all") < 0 && errno == EAGAIN ? 0 : -1;
}

static void send_full_failed(struct world *w, int err)
{
	(void)err;
	EQ(ROOM, drain(w->b.fd));
}

static void send_full_done(struct world *w, long result)
{
	(void)result;
	EQ(0, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
	EQ(ROOM, drain(w->b.fd));
	EQ(1, OK(epoll_wait(w->fd, &(struct epoll_event){ 0 }, 1, 0)));
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
