// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: peeking and truncation. */
#include "scm.h"

/* Peeking gives duplicates as well, and takes nothing away. */
TEST(peek_shows_all_and_takes_nothing)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	struct message m;
	int in = new_pipe(NULL);

	switch_on(b.fd, SO_PASSCRED);
	OK(set_option(b.fd, BUS_PASSSEQ, 1));
	OK(post_fds(a.fd, GROUP(2), "peeked", &in, 1));
	for (int i = 0; i < 3; i++) {
		uint64_t seq = m.seq;

		OK(take_flags(b.fd, &m, MSG_DONTWAIT | (i < 2 ? MSG_PEEK : 0)));
		CHECK(same_text(&m, "peeked"));
		EQ(a.id, m.from.sbus_addr.s_addr);
		EQ(1, m.n_fds);
		EQ(getpid(), m.creds.pid);
		CHECK(!i || seq == m.seq);
		close_fds(&m);
	}
	GETS_NOTHING(b.fd);
}

TEST(peek_makes_no_room)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;

	fill(a.fd, b.id);
	OK(take_flags(b.fd, &m, MSG_DONTWAIT | MSG_PEEK));
	FAILS(EAGAIN, post(a.fd, b.id, "x"));
}

TEST(peek_offset_moves_through_the_queue)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char text[8] = "";
	int offset = 0;

	OK(post(a.fd, b.id, "abcdef"));
	OK(setsockopt(b.fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)));
	EQ(3, OK(recv(b.fd, text, 3, MSG_DONTWAIT | MSG_PEEK)));
	CHECK(!memcmp(text, "abc", 3));
	EQ(3, OK(recv(b.fd, text, 8, MSG_DONTWAIT | MSG_PEEK)));
	CHECK(!memcmp(text, "def", 3));
	EQ(6, socket_option(b.fd, SO_PEEK_OFF));
	GETS(b.fd, a.id, "abcdef");
	EQ(0, socket_option(b.fd, SO_PEEK_OFF));
}

TEST(peek_offset_forgets_a_message_that_could_not_be_given)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char text[8];

	OK(post(a.fd, b.id, "abc"));
	OK(post(a.fd, b.id, "next"));
	OK(setsockopt(b.fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 }, sizeof(int)));
	EQ(3, OK(recv(b.fd, text, 8, MSG_DONTWAIT | MSG_PEEK)));
	FAILS(EFAULT, recv(b.fd, (void *)1, 8, MSG_DONTWAIT));
	EQ(0, socket_option(b.fd, SO_PEEK_OFF));
	EQ(4, OK(recv(b.fd, text, 8, MSG_DONTWAIT | MSG_PEEK)));
	CHECK(!memcmp(text, "next", 4));
}

TEST(short_buffer_truncates_and_tells)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char text[4] = "####";
	struct iovec iov = { text, 3 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	OK(post(a.fd, b.id, "abcdef"));
	OK(post(a.fd, b.id, "next"));
	EQ(3, OK(recvmsg(b.fd, &msg, MSG_DONTWAIT)));
	CHECK(msg.msg_flags & MSG_TRUNC);
	CHECK(!memcmp(text, "abc#", 4));
	GETS(b.fd, a.id, "next");
	OK(post(a.fd, b.id, "abcdef"));
	EQ(6, OK(recv(b.fd, text, 3, MSG_DONTWAIT | MSG_TRUNC)));
	OK(post(a.fd, b.id, "abcdef"));
	EQ(6, OK(recv(b.fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK)));
	GETS(b.fd, a.id, "abcdef");
}

TEST(bad_receive_buffer_fails)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(post(a.fd, b.id, "x"));
	FAILS(EFAULT, recv(b.fd, (void *)8, 10, MSG_DONTWAIT));
}
