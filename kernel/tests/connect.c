// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 2: connect and accept. */
#include "bus.h"

TEST(missing_inode_fails)
{
	FAILS(ENOENT, connect_to(bus_socket(), "nowhere"));
	FAILS(ENOENT, connect_to(bus_socket(), "no/such/dir"));
}

TEST(unwritable_inode_fails)
{
	struct bus bus = open_bus("bus");

	OK(chmod("bus", 0555));
	OK(setresuid(65534, 65534, 65534));
	FAILS(EACCES, connect_bus(bus_socket(), &bus));
}

TEST(unsearchable_folder_fails)
{
	OK(mkdir("closed", 0700));

	struct bus bus = open_bus("closed/bus");

	OK(chmod("closed/bus", 0777));
	OK(setresuid(65534, 65534, 65534));
	FAILS(EACCES, connect_bus(bus_socket(), &bus));
}

static void make_file(void)
{
	close(OK(open("target", O_CREAT | O_WRONLY, 0600)));
}

static void make_folder(void)
{
	OK(mkdir("target", 0700));
}

static void make_inode(void)
{
	OK(mknod("target", S_IFSOCK | 0777, 0));
}

static void make_unix_socket(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "target" };
	int fd = OK(socket(AF_UNIX, SOCK_SEQPACKET, 0));

	OK(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	OK(listen(fd, 5));
}

static void bind_only(void)
{
	OK(bind_to(bus_socket(), "target"));
}

static void close_listener(void)
{
	close(open_bus("target").fd);
}

static const struct {
	const char *name;
	void (*make)(void);
} not_buses[] = {
	{ "regular_file", make_file },
	{ "folder", make_folder },
	{ "bare_socket_inode", make_inode },
	{ "af_unix_socket", make_unix_socket },
	{ "bound_not_listening", bind_only },
	{ "listener_closed", close_listener },
};

TEST_EACH(what_is_no_bus_refuses, not_buses)
{
	row->make();
	FAILS(ECONNREFUSED, connect_to(bus_socket(), "target"));
}

TEST(unknown_abstract_name_refuses)
{
	FAILS(ECONNREFUSED, connect_to(bus_socket(), "@nobody"));
}

TEST(abstract_name_not_yet_listened_on_refuses)
{
	int fd = bus_socket();

	OK(bind_to(fd, "@bus"));
	FAILS(ECONNREFUSED, connect_to(bus_socket(), "@bus"));
	OK(listen(fd, 1));
	OK(connect_to(bus_socket(), "@bus"));
}

static const struct {
	const char *name, *path;
} paths[] = { { "pathname", "bus" }, { "abstract", "@bus" } };

TEST_EACH(other_network_namespace_refuses, paths)
{
	struct bus bus = open_bus(row->path);
	int home = OK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));

	OK(unshare(CLONE_NEWNET));
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
	OK(setns(home, CLONE_NEWNET));
	OK(connect_bus(bus_socket(), &bus));
}

/*
 * A socket connects only to a bus of its own protocol, whichever of the two
 * that is.
 */
TEST(other_protocol_refuses)
{
	int dbus = OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_DBUS));

	OK(bind_to(dbus, "@dbus"));
	OK(listen(dbus, 5));

	struct bus bus = open_bus("@bus");

	FAILS(ECONNREFUSED, connect_to(bus_socket(), "@dbus"));
	FAILS(ECONNREFUSED, connect_bus(OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_DBUS)), &bus));
	OK(connect_to(OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_DBUS)), "@dbus"));
}

TEST(refused_socket_can_try_again)
{
	int fd = bus_socket();

	FAILS(ENOENT, connect_to(fd, "bus"));
	FAILS(ECONNREFUSED, connect_to(fd, "@bus"));

	struct bus bus = open_bus("bus");

	OK(connect_bus(fd, &bus));
}

TEST(connected_sockets_fail)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	struct client c = attach(&bus);

	FAILS(EISCONN, connect_bus(c.fd, &bus));
	FAILS(EISCONN, connect_bus(c.fd, &other));
	FAILS(EISCONN, connect_bus(c.accepted, &other));
	OK(let_join(c.accepted));
	FAILS(EISCONN, connect_bus(c.fd, &other));
}

/* In 2012 a master that connected elsewhere was never taken off the other bus. */
TEST(masters_cannot_connect)
{
	struct bus bus = open_bus("@bus"), other = open_bus("@other");
	int bound = bus_socket();

	OK(bind_to(bound, "@bound"));
	FAILS(EINVAL, connect_bus(bound, &other));
	FAILS(EINVAL, connect_bus(bus.fd, &other));
	FAILS(EINVAL, connect_bus(bus.fd, &bus));
	OK(connect_bus(bus_socket(), &other));
}

static const struct {
	const char *name;
	int family, len;
} malformed[] = {
	{ "family_unix", AF_UNIX, 128 },
	{ "length_0", -1, 0 },
	{ "length_15", -1, 15 },
	{ "length_129", -1, 129 },
};

TEST_EACH(wrong_family_or_length_fails, malformed)
{
	struct bus bus = open_bus("@bus");
	char space[256] = "";
	struct sockaddr_bus *name = (struct sockaddr_bus *)space;

	*name = bus.name;
	if (row->family >= 0)
		name->sbus_family = row->family;
	FAILS(EINVAL, connect(bus_socket(), (struct sockaddr *)name, row->len));
}

TEST(address_part_is_ignored)
{
	struct bus bus = open_bus("@bus");
	struct sockaddr_bus name = bus_name("@bus", ADDRESS(9, 9));
	int fd = bus_socket();

	OK(connect(fd, (struct sockaddr *)&name, sizeof(name)));

	int accepted = OK(accept(bus.fd, NULL, NULL));

	OK(post(fd, MASTER, "hello"));
	GETS(accepted, 1, "hello");
}

static const struct {
	const char *name, *path;
} aliases[] = {
	{ "dot", "./bus" },
	{ "folder_and_back", "dir/../bus" },
	{ "symbolic_link", "link" },
	{ "link_to_a_link", "dir/link" },
	{ "absolute", "/mnt/bus" },
	{ "hard_link", "hard" },
	{ "bind_mount", "mounted" },
};

/* The path leads to the inode that bind made, whatever it is called. */
TEST_EACH(every_path_to_the_inode_connects, aliases)
{
	struct bus bus = open_bus("bus");
	int fd = bus_socket();

	OK(mkdir("dir", 0700));
	OK(symlink("bus", "link"));
	OK(symlink("../link", "dir/link"));
	OK(link("bus", "hard"));
	close(OK(open("mounted", O_CREAT | O_WRONLY, 0600)));
	OK(mount("bus", "mounted", NULL, MS_BIND, NULL));
	OK(connect_to(fd, row->path));

	int accepted = OK(accept(bus.fd, NULL, NULL));

	OK(post(fd, MASTER, "hello"));
	GETS(accepted, 1, "hello");
}

TEST(renamed_inode_connects_by_its_new_name)
{
	open_bus("old");
	OK(rename("old", "new"));
	FAILS(ENOENT, connect_to(bus_socket(), "old"));
	OK(connect_to(bus_socket(), "new"));
}

TEST(unlinked_inode_is_gone_and_its_bus_goes_on)
{
	struct bus bus = open_bus("bus");
	struct client a = join(&bus), b = join(&bus);

	OK(unlink("bus"));
	FAILS(ENOENT, connect_bus(bus_socket(), &bus));
	OK(post(a.fd, b.id, "still here"));
	GETS(b.fd, a.id, "still here");
}

/*
 * In another mount namespace somebody makes a socket inode at the path of a bus.
 * In 2012 that opened the way to the host's bus, for it was found by its path.
 */
TEST(look_alike_inode_in_another_mount_refuses)
{
	struct bus bus = open_bus("/mnt/bus");

	OK(unshare(CLONE_NEWNS));
	OK(mount("fake", "/mnt", "tmpfs", 0, NULL));
	OK(mknod("/mnt/bus", S_IFSOCK | 0777, 0));
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
}

TEST(relative_path_of_another_folder_does_not_connect)
{
	open_bus("bus");
	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	FAILS(ENOENT, connect_to(bus_socket(), "bus"));
	OK(connect_to(bus_socket(), "../bus"));
}

TEST(two_folders_with_the_same_relative_path_are_two_buses)
{
	OK(mkdir("a", 0700));
	OK(mkdir("b", 0700));
	OK(chdir("a"));

	struct bus a = open_bus("bus");

	OK(chdir("../b"));

	struct bus b = open_bus("bus");
	struct client c = join(&b);

	OK(post(c.fd, MASTER, "to b"));
	GETS(c.accepted, 1, "to b");
	OK(fcntl(a.fd, F_SETFL, O_NONBLOCK));
	FAILS(EAGAIN, accept(a.fd, NULL, NULL));
}

TEST(accept_names_the_clients_prefix_0_address)
{
	struct bus bus = open_bus("@bus");
	struct sockaddr_bus peer, own;
	socklen_t peer_len = sizeof(peer), own_len = sizeof(own);
	int fd = bus_socket();

	memset(&peer, 0xee, sizeof(peer));
	OK(connect_bus(fd, &bus));
	OK(accept(bus.fd, (struct sockaddr *)&peer, &peer_len));
	OK(getsockname(fd, (struct sockaddr *)&own, &own_len));
	EQ(sizeof(peer), peer_len);
	EQ(sizeof(own), own_len);
	EQ(1, own.sbus_addr.s_addr);
	CHECK(!memcmp(&peer, &own, sizeof(own)));
}

TEST(connection_makes_the_listening_socket_readable)
{
	struct bus bus = open_bus("@bus");

	CHECK(!(events(bus.fd) & POLLIN));
	OK(connect_bus(bus_socket(), &bus));
	CHECK(events(bus.fd) & POLLIN);
	OK(accept(bus.fd, NULL, NULL));
	CHECK(!(events(bus.fd) & POLLIN));
}

TEST(accept_without_a_connection_or_a_listener_fails)
{
	struct bus bus = open_bus("@bus");
	struct client c = attach(&bus);

	OK(fcntl(bus.fd, F_SETFL, O_NONBLOCK));
	FAILS(EAGAIN, accept(bus.fd, NULL, NULL));
	FAILS(EINVAL, accept(bus_socket(), NULL, NULL));
	FAILS(EINVAL, accept(c.fd, NULL, NULL));
	FAILS(EINVAL, accept(c.accepted, NULL, NULL));
}

/* Connections come out in the order they went in. */
TEST(accept_is_first_come_first_served)
{
	struct bus bus = open_bus("@bus");
	int fds[3];

	for (int i = 0; i < 3; i++)
		OK(connect_bus(fds[i] = bus_socket(), &bus));
	for (int i = 0; i < 3; i++) {
		int accepted = OK(accept(bus.fd, NULL, NULL));

		OK(post(fds[i], MASTER, "hello"));
		GETS(accepted, i + 1, "hello");
	}
}

/* A client can send before it is accepted. */
TEST(message_sent_before_accept_arrives)
{
	struct bus bus = open_bus("@bus");
	int fd = bus_socket();

	OK(connect_bus(fd, &bus));
	OK(post(fd, MASTER, "early"));
	GETS(OK(accept(bus.fd, NULL, NULL)), 1, "early");
}

static struct bus small_bus(void)
{
	struct bus bus = open_bus("@small");

	OK(listen(bus.fd, 1));
	return bus;
}

static int fill_backlog(const struct bus *bus)
{
	int n = 0;

	for (;;) {
		int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));

		if (connect_bus(fd, bus))
			return n;
		CHECK(++n < 10);
	}
}

TEST(full_backlog_fails_without_blocking)
{
	struct bus bus = small_bus();
	int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));

	CHECK(fill_backlog(&bus) >= 1);
	FAILS(EAGAIN, connect_bus(fd, &bus));
	OK(accept(bus.fd, NULL, NULL));
	OK(connect_bus(fd, &bus));
}

static void *job_connect(void *data)
{
	struct job *j = data;
	struct sockaddr_bus name = bus_name(j->text, 0);
	long long start = tick_ms();

	j->tid = syscall(SYS_gettid);
	j->result = connect(j->fd, (struct sockaddr *)&name, sizeof(name));
	j->err = j->result < 0 ? errno : 0;
	j->took_ms = tick_ms() - start;
	j->done = 1;
	return NULL;
}

static void start_connect(struct job *j)
{
	*j = (struct job){ .fd = bus_socket(), .text = "@small" };
	start_job(j, job_connect);
}

TEST(full_backlog_makes_connect_wait)
{
	struct bus bus = small_bus();
	struct job j;

	fill_backlog(&bus);
	start_connect(&j);
	await_block(&j);
	OK(accept(bus.fd, NULL, NULL));
	ends_with(&j, 0);
}

TEST(waiting_connect_is_refused_when_the_listener_closes)
{
	struct bus bus = small_bus();
	struct job j;

	fill_backlog(&bus);
	start_connect(&j);
	await_block(&j);
	close(bus.fd);
	ends_with(&j, ECONNREFUSED);
}

TEST(waiting_connect_ends_with_the_send_timeout)
{
	struct bus bus = small_bus();
	int fd = bus_socket();

	fill_backlog(&bus);
	OK(set_timeout(fd, SO_SNDTIMEO, 100));

	long long start = tick_ms();

	FAILS(EAGAIN, connect_bus(fd, &bus));
	CHECK(tick_ms() - start >= 50);
}

TEST(waiting_connect_ends_with_a_signal)
{
	struct bus bus = small_bus();
	struct job j;

	handle(SIGUSR1, 0);
	fill_backlog(&bus);
	start_connect(&j);
	await_block(&j);
	pthread_kill(j.thread, SIGUSR1);
	ends_with(&j, EINTR);
}

/*
 * Three threads wait for a backlog of one, two of them with one socket: one of these two finds it
 * connected.
 */
TEST(connect_that_needs_no_place_leaves_it_to_others)
{
	struct bus bus = open_bus("@small");
	struct job twice[2], other;

	OK(listen(bus.fd, 0));
	OK(connect_bus(bus_socket(), &bus));
	start_connect(&twice[0]);
	await_block(&twice[0]);
	twice[1] = (struct job){ .fd = twice[0].fd, .text = twice[0].text };
	start_job(&twice[1], job_connect);
	await_block(&twice[1]);
	start_connect(&other);
	await_block(&other);

	OK(accept(bus.fd, NULL, NULL));
	ends_with(&twice[0], 0);
	OK(accept(bus.fd, NULL, NULL));
	ends_with(&twice[1], EISCONN);
	ends_with(&other, 0);
}

static void *job_accept(void *data)
{
	struct job *j = data;

	j->tid = syscall(SYS_gettid);
	j->result = accept(j->fd, NULL, NULL);
	j->err = j->result < 0 ? errno : 0;
	j->done = 1;
	return NULL;
}

/*
 * The connection and a signal arrive together at the accept that has waited longest: one of the two
 * accepts takes the connection.
 */
TEST(connection_is_not_lost_to_a_signal)
{
	struct sched_param first = { .sched_priority = 10 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
	handle(SIGUSR1, 0);
	for (int round = 0; round < 5; round++) {
		struct bus bus = open_bus("@bus");
		struct job waiting[2];
		int fd = bus_socket();

		for (int i = 0; i < 2; i++) {
			waiting[i] = (struct job){ .fd = bus.fd };
			start_job(&waiting[i], job_accept);
			await_block(&waiting[i]);
		}
		OK(sched_setscheduler(0, SCHED_FIFO, &first));
		OK(connect_bus(fd, &bus));
		pthread_kill(waiting[0].thread, SIGUSR1);
		OK(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){}));
		EVENTUALLY((waiting[0].done && waiting[0].result >= 0) ||
			   (waiting[1].done && waiting[1].result >= 0));

		OK(shutdown(bus.fd, SHUT_RDWR));
		for (int i = 0; i < 2; i++) {
			await_end(&waiting[i]);
			if (waiting[i].result >= 0)
				close(waiting[i].result);
		}
		close(bus.fd);
		close(fd);
	}
}

/* A client that gives up before accept leaves a connection that has ended. */
TEST(client_that_left_before_accept_reads_as_ended)
{
	struct bus bus = open_bus("@bus");
	int fd = bus_socket();

	OK(connect_bus(fd, &bus));
	close(fd);

	int accepted = OK(accept(bus.fd, NULL, NULL));

	ENDS(accepted);
	FAILS(ENOTCONN, let_join(accepted));
}

TEST(clients_never_accepted_are_hung_up_when_the_listener_closes)
{
	struct bus bus = open_bus("@bus");
	int fd = bus_socket();

	OK(connect_bus(fd, &bus));
	close(bus.fd);
	CHECK(events(fd) & POLLHUP);
	CHECK(post(fd, MASTER, "anybody?") < 0);
}

/* Connections whose clients have left stay in the backlog: so the number of sockets is bounded. */
TEST(clients_that_come_and_go_are_no_more_than_the_backlog)
{
	enum { TRIES = 200 };
	struct bus bus = small_bus();
	int connected = 0;

	OK(listen(bus.fd, 5));
	for (int i = 0; i < TRIES; i++) {
		int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0));

		if (!connect_bus(fd, &bus))
			connected++;
		else
			EQ(EAGAIN, errno);
		close(fd);
	}
	CHECK(connected >= 5);
	CHECK(connected <= 6);
	for (int i = 0; i < connected; i++) {
		int accepted = OK(accept(bus.fd, NULL, NULL));

		ENDS(accepted);
		close(accepted);
	}
}
