// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: descriptors. */
#include "scm.h"
#include <sys/resource.h>

static int own_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What is written at one end can be read at the other. */
TEST_EACH(descriptors_arrive_and_work, deliveries)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	struct message m;
	int out, in = new_pipe(&out);
	char text[8];

	OK(post_fds(row->via_master ? a.accepted : a.fd, row->to, "x", &in, 1));
	close(in);
	OK(take(b.fd, &m));
	EQ(1, m.n_fds);
	EQ(FD_CLOEXEC, fcntl(m.fds[0], F_GETFD));
	OK(write(out, "hello", 5));
	EQ(5, OK(read(m.fds[0], text, sizeof(text))));
	close_fds(&m);
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(out, "x", 1));
}

TEST(descriptors_reach_the_master)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus);
	struct message m;
	int in = new_pipe(NULL);

	OK(post_fds(a.fd, MASTER, "x", &in, 1));
	OK(take(a.accepted, &m));
	EQ(1, m.n_fds);
}

/* Each recipient has duplicates of its own: closing one leaves the others open. */
TEST(every_recipient_of_a_multicast_has_its_own_descriptors)
{
	enum { RECIPIENTS = 20 };
	struct bus bus = open_bus("@bus");
	struct client sender = join(&bus), to[RECIPIENTS];
	struct message m[RECIPIENTS];
	int out, in = new_pipe(&out);

	for (int i = 0; i < RECIPIENTS; i++)
		to[i] = join_at(&bus, ADDRESS(2, i));
	OK(post_fds(sender.fd, GROUP(2), "x", &in, 1));
	close(in);
	for (int i = 0; i < RECIPIENTS; i++) {
		OK(take(to[i].fd, &m[i]));
		EQ(1, m[i].n_fds);
	}
	for (int i = 0; i < RECIPIENTS; i++) {
		char c;

		OK(write(out, "!", 1));
		EQ(1, OK(read(m[i].fds[0], &c, 1)));
		close_fds(&m[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(out, "x", 1));
}

/* Unread descriptors close with the queue that holds them. */
TEST(descriptors_never_received_are_closed)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	int out, in = new_pipe(&out);

	signal(SIGPIPE, SIG_IGN);
	OK(post_fds(a.fd, GROUP(2), "x", &in, 1));
	close(in);
	close_client(&b);
	OK(write(out, "!", 1));
	close_client(&c);
	EVENTUALLY(write(out, "!", 1) < 0);
}

/* Descriptors that nobody received are closed. (in 2012 some stayed open for ever) */
TEST(descriptors_of_a_failed_or_lonely_send_are_closed)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int out, in = new_pipe(&out);

	signal(SIGPIPE, SIG_IGN);
	OK(post_fds(a.fd, GROUP(9), "to nobody", &in, 1));
	fill(a.fd, b.id);
	FAILS(EAGAIN, post_fds(a.fd, GROUP(2), "x", &in, 1));
	close(in);
	EVENTUALLY(write(out, "!", 1) < 0);
}

/* The machine's count of open files is too coarse to show a few, so these are thousands. */
TEST(no_descriptor_is_lost_on_the_way)
{
	enum { FDS = 100, ROUNDS = 50 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	long before = open_files();
	int fds[FDS];

	for (int round = 0; round < ROUNDS; round++) {
		struct client d = join_at(&bus, ADDRESS(2, 3));

		for (int i = 0; i < FDS; i++)
			fds[i] = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
		OK(post_fds(a.fd, GROUP(2), "received by all", fds, FDS));
		OK(post_fds(a.fd, d.id, "never received", fds, FDS));
		fill(a.fd, d.id);
		FAILS(EAGAIN, post_fds(a.fd, GROUP(2), "failed", fds, FDS));
		OK(post_fds(a.fd, GROUP(9), "to nobody", fds, FDS));
		for (int i = 0; i < FDS; i++)
			close(fds[i]);
		EQ(1, drain(b.fd));
		EQ(1, drain(c.fd));
		close_client(&d);
	}
	EVENTUALLY(open_files() - before <= FILES_MARGIN);
}

TEST(many_descriptors_arrive_in_order)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int fds[253];
	struct stat want, got;
	struct message m;

	for (int i = 0; i < 253; i++)
		fds[i] = i % 2 ? a.fd : b.fd;
	OK(post_fds(a.fd, b.id, "x", fds, 253));
	OK(take(b.fd, &m));
	EQ(253, m.n_fds);
	for (int i = 0; i < 253; i++) {
		OK(fstat(fds[i], &want));
		OK(fstat(m.fds[i], &got));
		EQ(want.st_ino, got.st_ino);
	}
	close_fds(&m);
}

TEST(more_than_scm_max_fd_fail)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int fds[254];

	for (int i = 0; i < 254; i++)
		fds[i] = 0;
	FAILS(EINVAL, post_fds(a.fd, b.id, "x", fds, 254));
	GETS_NOTHING(b.fd);
}

TEST(malformed_control_messages_fail)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int zero = 0;

	FAILS(EINVAL, send_control(a.fd, b.id, SCM_CREDENTIALS, &zero, sizeof(zero)));
	FAILS(EINVAL, send_control(a.fd, b.id, 0x7777, &zero, sizeof(zero)));
	GETS_NOTHING(b.fd);
}

TEST(receiver_out_of_descriptors_loses_the_surplus)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct rlimit limit;
	struct message m;
	int out, fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = new_pipe(i ? NULL : &out);
	OK(post_fds(a.fd, b.id, "x", fds, 4));
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = fds[0] + 1;
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	OK(take(b.fd, &m));
	CHECK(m.n_fds <= 1);
	CHECK(m.flags & MSG_CTRUNC);
}

static ssize_t take_with_room(int fd, struct message *m, size_t room, int flags)
{
	char control[512];
	struct iovec iov = { m->data, sizeof(m->data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = room,
	};

	memset(m, 0, sizeof(*m));
	m->len = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	m->flags = msg.msg_flags;
	if (m->len >= 0)
		take_control(m, &msg);
	return m->len;
}

TEST(surplus_descriptors_are_closed_and_told)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;
	int files, fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = new_pipe(NULL);
	files = own_files();
	OK(post_fds(a.fd, b.id, "x", fds, 3));
	OK(take_with_room(b.fd, &m, CMSG_LEN(sizeof(int)), 0));
	CHECK(m.flags & MSG_CTRUNC);
	EQ(1, m.n_fds);
	EQ(files + 1, own_files());
	close_fds(&m);
	OK(post_fds(a.fd, b.id, "x", fds, 3));
	EQ(1, OK(recv(b.fd, &m, 1, MSG_DONTWAIT)));
	EQ(files, own_files());
	OK(post_fds(a.fd, b.id, "x", fds, 3));
	OK(take_with_room(b.fd, &m, 4, 0));
	CHECK(m.flags & MSG_CTRUNC);
	EQ(files, own_files());
}

TEST(descriptors_close_on_exec_only_when_asked)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct message m;
	int in = new_pipe(NULL);

	OK(post_fds(a.fd, b.id, "x", &in, 1));
	OK(take_with_room(b.fd, &m, 512, 0));
	EQ(0, fcntl(m.fds[0], F_GETFD));
	OK(post_fds(a.fd, b.id, "x", &in, 1));
	OK(take_with_room(b.fd, &m, 512, MSG_CMSG_CLOEXEC));
	EQ(FD_CLOEXEC, fcntl(m.fds[0], F_GETFD));
}

/* Descriptors in flight count against the sender's limit. */
TEST(descriptors_in_flight_count_against_rlimit_nofile)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;
	struct rlimit limit = { 64, 64 };
	struct message m;
	int fds[20], n = 0;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1000));
	a = join(&bus);
	b = join(&bus);
	for (int i = 0; i < 20; i++)
		fds[i] = a.fd;
	OK(setresgid(4, 4, 4));
	OK(setresuid(3, 3, 3));
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	while (post_fds(a.fd, b.id, "x", fds, 20) > 0)
		CHECK(++n < 50);
	EQ(ETOOMANYREFS, errno);
	CHECK(n >= 3);
	OK(take(b.fd, &m));
	EQ(20, m.n_fds);
	close_fds(&m);
	OK(post_fds(a.fd, b.id, "x", fds, 20));
}

/* Descriptors in flight over AF_UNIX count as well. */
TEST(descriptors_in_flight_are_counted_with_those_of_af_unix)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	struct rlimit limit = { 40, 40 };
	struct message m;
	int pair[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	OK(setresuid(3, 3, 3));
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i <= 40; i++)
		send_over_unix(pair[0], a.fd);
	EQ(-1, post_fds(a.fd, b.id, "x", &a.fd, 1));
	EQ(ETOOMANYREFS, errno);
	OK(take(pair[1], &m));
	close_fds(&m);
	OK(post_fds(a.fd, b.id, "x", &a.fd, 1));
}

TEST(failed_send_for_too_many_in_flight_reaches_nobody)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;
	struct rlimit limit = { 40, 40 };
	int fds[20], n = 0;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1000));
	a = join(&bus);
	b = join_at(&bus, ADDRESS(2, 1));
	for (int i = 0; i < 20; i++)
		fds[i] = a.fd;
	OK(setresuid(3, 3, 3));
	OK(setrlimit(RLIMIT_NOFILE, &limit));
	while (post_fds(a.fd, GROUP(2), "x", fds, 20) > 0)
		CHECK(++n < 50);
	EQ(ETOOMANYREFS, errno);
	EQ(n, drain(b.fd));
}

/* A message never brings bytes of the kernel's memory that the sender did not write. */
TEST(control_messages_and_names_leak_no_memory)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char bytes[256];
	struct sockaddr_bus *name = (struct sockaddr_bus *)bytes;
	socklen_t len = sizeof(bytes);
	char c;

	memset(bytes, 0xee, sizeof(bytes));
	OK(post(a.fd, b.id, "x"));
	OK(recvfrom(b.fd, &c, 1, MSG_DONTWAIT, (struct sockaddr *)bytes, &len));
	EQ(sizeof(*name), len);
	for (unsigned int i = 2; i < 8; i++)
		EQ(0, bytes[i]);
	for (unsigned int i = 16 + 4; i < 128; i++)
		EQ(0, bytes[i]);
	for (unsigned int i = 128; i < 256; i++)
		EQ((char)0xee, bytes[i]);
}
