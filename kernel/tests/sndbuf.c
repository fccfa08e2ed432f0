// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 4: unread messages use up the send buffer of their sender, and of no one else.
 */
#include "pair.h"
#include <linux/sockios.h>

static char big[1 << 20];

static int outstanding(int fd)
{
	int n = -1;

	OK(ioctl(fd, SIOCOUTQ, &n));
	return n;
}

/* What is queued and unread is the sender's own memory. */
TEST(unread_messages_use_up_the_send_buffer)
{
	struct bus bus = open_bus("@bus");
	struct client a, to[4];
	struct message m;
	int n = 0;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1000));
	a = join(&bus);
	for (int i = 0; i < 4; i++)
		to[i] = join(&bus);
	EQ(0, outstanding(a.fd));
	while (send_bytes(a.fd, to[n % 4].id, big, 20000, MSG_DONTWAIT) > 0)
		CHECK(++n < 100);
	EQ(EAGAIN, errno);
	CHECK(n >= 5);
	CHECK(outstanding(a.fd) >= n * 20000);
	CHECK(!(events(a.fd) & POLLOUT));
	CHECK(events(to[0].fd) & POLLOUT);
	OK(post(to[0].fd, to[1].id, "not my memory"));
	for (int i = 0; i < 4; i++)
		while (take(to[i].fd, &m) > 0)
			;
	CHECK(events(a.fd) & POLLOUT);
	EQ(0, outstanding(a.fd));
	EQ(0, outstanding(to[0].fd));
}

TEST(used_up_send_buffer_makes_the_sender_wait)
{
	struct bus bus = open_bus("@bus");
	struct client a, b, c, d;
	struct job j;

	a = join(&bus);
	b = join(&bus);
	c = join(&bus);
	d = join(&bus);
	while (send_bytes(a.fd, b.id, big, 20000, MSG_DONTWAIT) > 0)
		;
	while (send_bytes(a.fd, c.id, big, 20000, MSG_DONTWAIT) > 0)
		;
	start_send(&j, a.fd, d.id, "x");
	await_block(&j);
	drain(b.fd);
	ends_with(&j, 0);
}

static void *job_poll(void *data)
{
	struct job *j = data;
	struct pollfd p = { .fd = j->fd, .events = POLLOUT };

	j->tid = syscall(SYS_gettid);
	j->result = poll(&p, 1, -1);
	j->err = j->result < 0 ? errno : 0;
	j->done = 1;
	return NULL;
}

/*
 * The memory of a send that waits comes back when the send fails, and another thread waits for just
 * that.
 */
TEST(send_that_fails_tells_of_its_memory)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), c = join(&bus);
	struct job waiting, polling = { .fd = a.fd };
	static char text[4500];
	int small = 1;

	handle(SIGUSR1, 0);
	memset(text, 'x', sizeof(text) - 1);
	fill(c.fd, b.id);
	OK(setsockopt(a.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
	start_send(&waiting, a.fd, b.id, text);
	await_block(&waiting);
	CHECK(!(events(a.fd) & POLLOUT));
	start_job(&polling, job_poll);
	await_block(&polling);
	pthread_kill(waiting.thread, SIGUSR1);
	ends_with(&waiting, EINTR);
	ends_with(&polling, 0);
}

/* In 2012 recipients were charged, and a message to oneself stayed charged. */
TEST(sender_is_charged_once_and_no_recipient_is)
{
	struct bus bus = open_bus("@bus");
	struct client a, to[8];
	int one;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 100));
	a = join(&bus);
	for (int i = 0; i < 8; i++)
		to[i] = join_at(&bus, ADDRESS(2, i));
	OK(send_bytes(a.fd, to[0].id, big, 50000, MSG_DONTWAIT));
	one = outstanding(a.fd);
	drain(to[0].fd);
	EQ(0, outstanding(a.fd));
	OK(send_bytes(a.fd, GROUP(2), big, 50000, MSG_DONTWAIT));
	CHECK(outstanding(a.fd) < one * 2);
	for (int i = 0; i < 8; i++) {
		EQ(0, outstanding(to[i].fd));
		CHECK(outstanding(a.fd) > 0);
		drain(to[i].fd);
	}
	EQ(0, outstanding(a.fd));
	OK(post(a.fd, a.id, "me"));
	drain(a.fd);
	EQ(0, outstanding(a.fd));
}

TEST(siocinq_is_the_length_of_what_is_queued)
{
	struct pair p = make_pair(2);
	struct message m;
	int n = -1;

	OK(ioctl(p.b.fd, SIOCINQ, &n));
	EQ(0, n);
	OK(post(p.a.fd, p.b.id, "seven"));
	OK(post(p.a.fd, p.b.id, "eight..."));
	OK(ioctl(p.b.fd, SIOCINQ, &n));
	EQ(13, n);
	OK(take(p.b.fd, &m));
	OK(ioctl(p.b.fd, SIOCINQ, &n));
	EQ(8, n);
}
