// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: descriptors, credentials, peeking, truncation. */
#include "bus.h"
#include <sys/resource.h>

static int new_pipe(int *write_end)
{
	int fds[2];

	OK(pipe2(fds, O_CLOEXEC));
	if (write_end)
		*write_end = fds[1];
	else
		close(fds[1]);
	return fds[0];
}

static int own_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void switch_on(int fd, int option)
{
	int on = 1;

	OK(setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)));
}

static const struct {
	const char *name;
	uint64_t to;
	int via_master;
} ways[] = {
	{ "unicast", 2, 0 },
	{ "given_address", ADDRESS(2, 1), 0 },
	{ "group", GROUP(2), 0 },
	{ "from_the_master", 2, 1 },
	{ "group_from_the_master", GROUP(2), 1 },
};

/* What goes in at one end comes out at the other. */
TEST_EACH(descriptors_arrive_and_work, ways)
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

/* Each recipient has duplicates of its own: one's close is not the other's. */
TEST(every_recipient_of_a_multicast_has_its_own_descriptors)
{
	enum { MANY = 20 };
	struct bus bus = open_bus("@bus");
	struct client sender = join(&bus), to[MANY];
	struct message m[MANY];
	int out, in = new_pipe(&out);

	for (int i = 0; i < MANY; i++)
		to[i] = join_at(&bus, ADDRESS(2, i));
	OK(post_fds(sender.fd, GROUP(2), "x", &in, 1));
	close(in);
	for (int i = 0; i < MANY; i++) {
		OK(take(to[i].fd, &m[i]));
		EQ(1, m[i].n_fds);
	}
	for (int i = 0; i < MANY; i++) {
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

/* Descriptors that nobody received stay nobody's. (in 2012 some stayed open for ever) */
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

/* The machine's count of open files is too coarse for a few: so thousands. */
TEST(no_descriptor_is_lost_on_the_way)
{
	enum { MANY = 100, ROUNDS = 50 };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	long before = open_files();
	int fds[MANY];

	for (int round = 0; round < ROUNDS; round++) {
		struct client d = join_at(&bus, ADDRESS(2, 3));

		for (int i = 0; i < MANY; i++)
			fds[i] = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
		OK(post_fds(a.fd, GROUP(2), "received by all", fds, MANY));
		OK(post_fds(a.fd, d.id, "never received", fds, MANY));
		fill(a.fd, d.id);
		FAILS(EAGAIN, post_fds(a.fd, GROUP(2), "failed", fds, MANY));
		OK(post_fds(a.fd, GROUP(9), "to nobody", fds, MANY));
		for (int i = 0; i < MANY; i++)
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

static ssize_t send_control(int fd, uint64_t to, int type, const void *data, size_t len)
{
	struct sockaddr_bus name = bus_name(NULL, to);
	struct iovec iov = { "x", 1 };
	char control[512] = "";
	struct msghdr msg = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
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

TEST_EACH(credentials_come_when_asked_for, ways)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int sender = row->via_master ? a.accepted : a.fd;
	struct message m;

	OK(post(sender, row->to, "x"));
	OK(take(b.fd, &m));
	CHECK(!m.has_creds);
	switch_on(b.fd, SO_PASSCRED);
	OK(post(sender, row->to, "x"));
	OK(take(b.fd, &m));
	CHECK(m.has_creds);
	EQ(getpid(), m.creds.pid);
	EQ(getuid(), m.creds.uid);
	EQ(getgid(), m.creds.gid);
}

TEST(credentials_are_of_the_process_that_sent)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	struct message m;
	pid_t child;

	switch_on(b.fd, SO_PASSCRED);
	child = OK(fork());
	if (!child) {
		OK(setresgid(4, 4, 4));
		OK(setresuid(3, 3, 3));
		OK(post(a.fd, GROUP(2), "x"));
		_exit(PASSED);
	}
	OK(waitpid(child, NULL, 0));
	OK(take(b.fd, &m));
	EQ(child, m.creds.pid);
	EQ(3, m.creds.uid);
	EQ(4, m.creds.gid);
}

TEST(forged_credentials_need_a_capability)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	struct ucred forged = { 1, 0, 0 }, true_ones;
	struct message m;

	switch_on(b.fd, SO_PASSCRED);
	OK(send_control(a.fd, GROUP(2), SCM_CREDENTIALS, &forged, sizeof(forged)));
	OK(take(b.fd, &m));
	EQ(1, m.creds.pid);
	OK(setresgid(4, 4, 4));
	OK(setresuid(3, 3, 3));
	FAILS(EPERM, send_control(a.fd, GROUP(2), SCM_CREDENTIALS, &forged, sizeof(forged)));
	forged = (struct ucred){ getpid(), 0, 4 };
	FAILS(EPERM, send_control(a.fd, b.id, SCM_CREDENTIALS, &forged, sizeof(forged)));
	forged = (struct ucred){ getpid(), 3, 0 };
	FAILS(EPERM, send_control(a.fd, b.id, SCM_CREDENTIALS, &forged, sizeof(forged)));
	GETS_NOTHING(b.fd);
	true_ones = (struct ucred){ getpid(), 3, 4 };
	OK(send_control(a.fd, GROUP(2), SCM_CREDENTIALS, &true_ones, sizeof(true_ones)));
	OK(take(b.fd, &m));
	EQ(3, m.creds.uid);
}

static struct ucred peer_of(int fd)
{
	struct ucred creds = { -1, -1, -1 };
	socklen_t len = sizeof(creds);

	OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &len));
	return creds;
}

/* The master sees who connected, the client who listened. */
TEST(peercred_names_who_connected_and_who_listened)
{
	struct bus bus = open_bus("@bus");
	int to_parent[2], fd, status;
	pid_t child;

	OK(pipe(to_parent));
	child = OK(fork());
	if (!child) {
		OK(setresgid(4, 4, 4));
		OK(setresuid(3, 3, 3));
		fd = bus_socket();
		OK(connect_bus(fd, &bus));
		EQ(getppid(), peer_of(fd).pid);
		EQ(0, peer_of(fd).uid);
		_exit(PASSED);
	}
	fd = OK(accept(bus.fd, NULL, NULL));
	EQ(child, peer_of(fd).pid);
	EQ(3, peer_of(fd).uid);
	EQ(4, peer_of(fd).gid);
	OK(waitpid(child, &status, 0));
	EQ(0, status);
}

#ifndef SCM_SECURITY
#define SCM_SECURITY 3	/* the C library has no name for it */
#endif

/* Security modules know no label of the peer outside their own list of families. */
TEST(peersec_is_not_known_to_security_modules)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	socklen_t len = 256;
	char label[256];

	FAILS(ENOPROTOOPT, getsockopt(a.accepted, SOL_SOCKET, SO_PEERSEC, label, &len));
}

/* The security label that came with the next message, "" for none. */
static void take_label(int fd, char *label, size_t size)
{
	char control[512], data[16];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	label[0] = '\0';
	OK(recvmsg(fd, &msg, MSG_DONTWAIT));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_SECURITY)
			snprintf(label, size, "%.*s", (int)(c->cmsg_len - CMSG_LEN(0)), (char *)CMSG_DATA(c));
}

TEST_EACH(security_label_comes_when_asked_for, ways)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC), on = 1;
	char mine[256] = "", got[256];

	if (fd < 0 || read(fd, mine, sizeof(mine) - 1) <= 0)
		SKIP("no security module that gives labels");
	OK(post(row->via_master ? a.accepted : a.fd, row->to, "x"));
	take_label(b.fd, got, sizeof(got));
	CHECK(!got[0]);
	OK(setsockopt(b.fd, SOL_SOCKET, SO_PASSSEC, &on, sizeof(on)));
	OK(post(row->via_master ? a.accepted : a.fd, row->to, "x"));
	take_label(b.fd, got, sizeof(got));
	if (strncmp(mine, got, strlen(got)) || !got[0])
		FAIL("the label is \"%s\", not \"%s\"", got, mine);
}

static int has_timestamp(int fd)
{
	char control[512], data[16];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	OK(recvmsg(fd, &msg, MSG_DONTWAIT));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP) {
			struct timeval t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return t.tv_sec > 0;
		}
	return 0;
}

TEST_EACH(timestamps_come_when_asked_for, ways)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int sender = row->via_master ? a.accepted : a.fd;

	switch_on(b.fd, SO_TIMESTAMP);
	OK(post(sender, row->to, "x"));
	EQ(1, has_timestamp(b.fd));
}

/* What counts against the sender's limit is what is in flight. */
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

/* What is under way over AF_UNIX counts as well. */
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

/* No byte of the kernel's comes with a message that the sender did not write. */
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
