// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 2: bind and listen. */
#include "bus.h"

static int bind_raw(int fd, const void *name, socklen_t len)
{
	return bind(fd, name, len);
}

TEST(pathname_makes_a_socket_inode_with_the_umask_mode)
{
	struct stat st;

	umask(027);
	OK(bind_to(bus_socket(), "bus"));
	OK(stat("bus", &st));
	CHECK(S_ISSOCK(st.st_mode));
	EQ(0750, st.st_mode & 07777);
}

static const struct {
	const char *name, *path;
} taken[] = { { "pathname", "bus" }, { "abstract", "@bus" } };

TEST_EACH(name_in_use_fails, taken)
{
	struct bus bus = open_bus(row->path);
	int fd = bus_socket();

	FAILS(EADDRINUSE, bind_to(fd, row->path));
	OK(bind_to(fd, "@another"));
	(void)bus;
}

TEST_EACH(name_bound_but_not_listened_on_is_in_use, taken)
{
	OK(bind_to(bus_socket(), row->path));
	FAILS(EADDRINUSE, bind_to(bus_socket(), row->path));
}

TEST(existing_file_of_any_kind_fails)
{
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	OK(mkdir("dir", 0700));
	OK(symlink("nowhere", "link"));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "file"));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "dir"));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "link"));
}

/* A failed bind leaves the socket as it was: it binds elsewhere. */
TEST(failed_bind_can_be_tried_again)
{
	int fd = bus_socket();

	FAILS(ENOENT, bind_to(fd, "no/such/dir"));
	OK(bind_to(fd, "bus"));
	OK(listen(fd, 1));
}

TEST(path_errors_are_the_file_systems)
{
	OK(mkdir("closed", 0700));
	FAILS(ENOENT, bind_to(bus_socket(), "missing/bus"));
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	FAILS(ENOTDIR, bind_to(bus_socket(), "file/bus"));
	OK(setresuid(65534, 65534, 65534));
	FAILS(EACCES, bind_to(bus_socket(), "closed/bus"));
	FAILS(EACCES, bind_to(bus_socket(), "bus"));
}

TEST(read_only_file_system_fails)
{
	OK(mkdir("ro", 0700));
	OK(mount("ro", "ro", "tmpfs", MS_RDONLY, NULL));
	FAILS(EROFS, bind_to(bus_socket(), "ro/bus"));
}

TEST(address_part_is_ignored_and_becomes_0)
{
	struct sockaddr_bus name = bus_name("bus", ADDRESS(7, 0xf00d)), got;
	socklen_t len = sizeof(got);
	int fd = bus_socket();

	OK(bind_raw(fd, &name, sizeof(name)));
	OK(getsockname(fd, (struct sockaddr *)&got, &len));
	EQ(0, got.sbus_addr.s_addr);
	CHECK(!strcmp(got.sbus_path, "bus"));
}

/* The name ends at the NUL after it: what follows does not count. */
TEST(abstract_name_ends_at_the_next_nul)
{
	struct sockaddr_bus name = bus_name("@abc", 0);
	int fd = bus_socket();

	memcpy(name.sbus_path + 5, "rest", 4);
	OK(bind_raw(fd, &name, sizeof(name)));
	OK(listen(fd, 1));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "@abc"));
	OK(connect_to(bus_socket(), "@abc"));
}

/* The given length ends the name as well as a NUL does. */
TEST(abstract_name_ends_at_the_length)
{
	struct sockaddr_bus name = bus_name("@abcdef", 0);

	OK(bind_raw(bus_socket(), &name, offsetof(struct sockaddr_bus, sbus_path) + 4));
	FAILS(EADDRINUSE, bind_to(bus_socket(), "@abc"));
	OK(bind_to(bus_socket(), "@abcdef"));
}

/* In 2012 the unused bytes of the struct were compared, and the end of the name was not. */
TEST(abstract_names_differ_to_their_last_byte)
{
	OK(bind_to(bus_socket(), "@tenant-A"));
	OK(bind_to(bus_socket(), "@tenant-B"));
	OK(bind_to(bus_socket(), "@tenant-"));
	OK(bind_to(bus_socket(), "@tenant-AA"));
}

TEST(padding_is_no_part_of_the_name)
{
	struct sockaddr_bus name = bus_name("@bus", 0);
	char *bytes = (char *)&name;

	OK(bind_to(bus_socket(), "@bus"));
	memset(bytes + sizeof(sa_family_t), 0x5a, 8 - sizeof(sa_family_t));
	memset(bytes + 16 + BUS_PATH_MAX, 0x5a, 4);
	name.sbus_addr.s_addr = ~0ULL;
	FAILS(EADDRINUSE, bind_raw(bus_socket(), &name, sizeof(name)));
}

static const struct {
	const char *name;
	char first;
} longest[] = { { "pathname", 'p' }, { "abstract", '@' } };

TEST_EACH(name_may_fill_all_108_bytes, longest)
{
	char path[BUS_PATH_MAX + 1];
	struct stat st;
	struct bus bus;

	memset(path, 'p', BUS_PATH_MAX);
	path[0] = row->first;
	path[BUS_PATH_MAX] = '\0';
	bus = open_bus(path);
	if (row->first != '@')
		OK(stat(path, &st));

	struct client c = join(&bus);

	OK(post(c.fd, MASTER, "hello"));
	GETS(c.accepted, c.id, "hello");
}

/* The kernel must not read beyond the given length. */
TEST(bytes_behind_the_length_are_not_read)
{
	struct sockaddr_bus name = bus_name("abcdef", 0);
	struct stat st;

	OK(bind_raw(bus_socket(), &name, offsetof(struct sockaddr_bus, sbus_path) + 3));
	OK(stat("abc", &st));
	FAILS(ENOENT, stat("abcdef", &st));
}

static const struct {
	const char *name;
	int family, len;
} malformed[] = {
	{ "family_unix", AF_UNIX, 128 },
	{ "family_unspec", AF_UNSPEC, 128 },
	{ "length_0", -1, 0 },
	{ "length_1", -1, 1 },
	{ "length_2", -1, 2 },
	{ "length_15", -1, 15 },
	{ "length_16_no_path", -1, 16 },
	{ "length_129", -1, 129 },
	{ "length_4096", -1, 4096 },
	{ "length_negative", -1, -1 },
};

TEST_EACH(wrong_family_or_length_fails, malformed)
{
	static char space[4096];
	struct sockaddr_bus *name = (struct sockaddr_bus *)space;

	*name = bus_name("bus", 0);
	if (row->family >= 0)
		name->sbus_family = row->family;
	FAILS(EINVAL, bind_raw(bus_socket(), name, row->len));
}

TEST(empty_name_fails)
{
	FAILS(EINVAL, bind_to(bus_socket(), NULL));
}

TEST(bind_twice_fails)
{
	struct bus bus = open_bus("@bus");

	FAILS(EINVAL, bind_to(bus.fd, "@bus"));
	FAILS(EINVAL, bind_to(bus.fd, "@other"));
	OK(bind_to(bus_socket(), "@other"));
}

TEST(clients_and_accepted_sockets_cannot_bind)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	FAILS(EINVAL, bind_to(c.fd, "@other"));
	FAILS(EINVAL, bind_to(c.accepted, "@other"));
}

TEST(bad_pointer_fails)
{
	FAILS(EFAULT, bind_raw(bus_socket(), (void *)8, sizeof(struct sockaddr_bus)));
}

TEST(listen_wants_a_bound_socket)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	FAILS(EINVAL, listen(bus_socket(), 1));
	FAILS(EINVAL, listen(c.fd, 1));
	FAILS(EINVAL, listen(c.accepted, 1));
}

/* backlog is the queue length, too: a queue is full when it holds more. */
TEST(backlog_becomes_the_queue_length)
{
	struct bus bus = open_bus("@bus");

	OK(listen(bus.fd, 3));
	EQ(3, OK(get_option(bus.fd, BUS_SET_MAXQLEN)));

	struct client a = join(&bus), b = join(&bus);

	EQ(4, fill(a.fd, MASTER));
	EQ(4, fill(a.fd, b.id));
}

/* Once the master has set the length of queues, listen no longer does. */
TEST(maxqlen_outlives_a_second_listen)
{
	struct bus bus = open_bus("@bus");

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 5));
	OK(listen(bus.fd, 2));
	EQ(5, OK(get_option(bus.fd, BUS_SET_MAXQLEN)));
}
