// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: credentials, labels and times that come with a message. */
#include "scm.h"
#include <pthread.h>

TEST_EACH(credentials_come_when_asked_for, deliveries)
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

static void *toggle(void *fd)
{
	for (int on = 1;; on = !on) {
		OK(setsockopt(*(int *)fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
		pthread_testcancel();
	}
	return NULL;
}

TEST(credentials_asked_for_in_the_middle_are_the_senders)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int with = 0, without = 0;
	struct message m;
	pthread_t thread;

	EQ(0, pthread_create(&thread, NULL, toggle, &b.fd));
	for (int i = 0; i < 20000 || !with || !without; i++) {
		OK(post(a.fd, GROUP(2), "x"));
		OK(take(b.fd, &m));
		with += m.has_creds;
		without += !m.has_creds;
		if (m.has_creds)
			EQ(getpid(), m.creds.pid);
	}
	EQ(0, pthread_cancel(thread));
	EQ(0, pthread_join(thread, NULL));
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

/* The master sees the user that connected, the client the one that listened. */
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

TEST_EACH(security_label_comes_when_asked_for, deliveries)
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

TEST_EACH(timestamps_come_when_asked_for, deliveries)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int sender = row->via_master ? a.accepted : a.fd;

	switch_on(b.fd, SO_TIMESTAMP);
	OK(post(sender, row->to, "x"));
	EQ(1, has_timestamp(b.fd));
}

TEST(accepted_socket_has_passsec_of_its_listener)
{
	struct bus bus = open_bus("@bus");

	EQ(0, socket_option(attach(&bus).accepted, SO_PASSSEC));
	OK(setsockopt(bus.fd, SOL_SOCKET, SO_PASSSEC, &(int){ 1 }, sizeof(int)));
	EQ(1, socket_option(attach(&bus).accepted, SO_PASSSEC));
}
