// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 6: /proc/net/bus, /proc/net/protocols and the tracepoints. */
#include "bus.h"
#include <linux/filter.h>

/* Counts the lines of a file that contain @part; @line gets the last one. */
static int lines_with(const char *file, const char *part, char *line, size_t size)
{
	FILE *f = fopen(file, "re");
	char text[1024];
	int n = 0;

	if (!f)
		FAIL("%s: %s", file, errname(errno));
	while (fgets(text, sizeof(text), f))
		if (strstr(text, part)) {
			snprintf(line, size, "%s", text);
			n++;
		}
	fclose(f);
	return n;
}

static int proc_lines(const char *part, char *line, size_t size)
{
	return lines_with("/proc/self/net/bus", part, line, size);
}

static char line[1024];

TEST(proc_net_bus_has_one_line_a_socket)
{
	struct bus bus = open_bus("bus-of-ten");
	struct client a = join(&bus), b = attach(&bus);

	EQ(5, proc_lines("bus-of-ten", line, sizeof(line)));
	close_client(&a);
	close_client(&b);
	EVENTUALLY(proc_lines("bus-of-ten", line, sizeof(line)) == 1);
}

/* (in 2012 the file was never registered) */
TEST(proc_net_bus_names_every_socket_by_its_inode)
{
	struct bus bus = open_bus("@bus");
	struct client c = join_at(&bus, ADDRESS(2, 0xf00ddeadbeefULL));
	int sockets[] = { bus.fd, c.fd, c.accepted };
	struct stat st;
	char inode[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(sockets); i++) {
		OK(fstat(sockets[i], &st));
		snprintf(inode, sizeof(inode), "%llu", (unsigned long long)st.st_ino);
		CHECK(proc_lines(inode, line, sizeof(line)) >= 1);
	}
	OK(fstat(c.fd, &st));
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)st.st_ino);
	EQ(1, proc_lines("f00ddeadbeef", line, sizeof(line)));
	CHECK(strstr(line, inode));
	CHECK(strstr(line, "@bus"));
}

/* The inode of a line's socket, and that of the other half of its pair. */
static void inodes_of(const char *address, const char *state, unsigned long *own,
		      unsigned long *other, char *policy)
{
	char part[64], got[32];
	int protocol;

	snprintf(part, sizeof(part), " %s %s ", address, state);
	EQ(1, proc_lines(part, line, sizeof(line)));
	EQ(5, sscanf(line, "%*s %*s %31s %*d %*d %*d %lu %lu %d %15s", got, own, other,
		     &protocol, policy));
	EQ(0, protocol);
}

TEST(proc_net_bus_pairs_a_client_with_its_accepted_socket)
{
	unsigned long client, accepted, other;
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	char policy[16];
	struct stat st;

	inodes_of("0000/000000000001", "client", &client, &accepted, policy);
	CHECK(!strcmp(policy, "block"));
	OK(fstat(c.fd, &st));
	EQ((long)st.st_ino, (long)client);
	OK(fstat(c.accepted, &st));
	EQ((long)st.st_ino, (long)accepted);

	OK(set_option(bus.fd, BUS_SET_OVERFLOW, BUS_OVERFLOW_EVICT));
	inodes_of("0000/000000000000", "accepted", &accepted, &other, policy);
	EQ((long)client, (long)other);
	CHECK(!strcmp(policy, "evict"));

	close(c.accepted);
	inodes_of("0000/000000000001", "client", &client, &accepted, policy);
	EQ(0, (long)accepted);
}

/* How often a text contains @part. */
static int times(const char *text, const char *part)
{
	int n = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		n++;
	}
	return n;
}

enum { CLOSED_MEANWHILE = 300, STAYING = 100 };

/* The place of a reader must not depend on how many sockets there were before it. */
TEST(proc_net_bus_shows_once_what_stays_while_others_go)
{
	int going[CLOSED_MEANWHILE], staying[STAYING], file;
	static char text[65536];
	size_t len = 0;
	ssize_t got;

	for (int i = 0; i < CLOSED_MEANWHILE; i++)
		going[i] = bus_socket();
	for (int i = 0; i < STAYING; i++)
		staying[i] = bus_socket();

	file = OK(open("/proc/self/net/bus", O_RDONLY | O_CLOEXEC));
	/* More lines than the kernel prints in advance: the reader is among the first ones. */
	len = OK(read(file, text, 1000));
	for (int i = 0; i < CLOSED_MEANWHILE; i++)
		close(going[i]);
	while ((got = OK(read(file, text + len, sizeof(text) - 1 - len))) > 0)
		len += got;

	for (int i = 0; i < STAYING; i++) {
		struct stat st;
		char inode[32];

		OK(fstat(staying[i], &st));
		snprintf(inode, sizeof(inode), " %lu ", (unsigned long)st.st_ino);
		EQ(1, times(text, inode));
	}
}

/* Path Addresses State Joined Eavesdropper Queue Inode Peer Protocol Policy */
TEST(proc_net_bus_follows_the_life_of_a_client)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join(&bus);
	char addrs[256], state[32];
	int joined, eavesdropper, queue;

	static const struct {
		int joined, eavesdropper, queue;
	} want[] = { { 0, 0, 0 }, { 1, 0, 0 }, { 1, 1, 0 }, { 1, 1, 2 } };

	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		if (i == 1)
			OK(let_join(a.accepted));
		if (i == 2)
			OK(watch(a.accepted));
		if (i == 3) {
			OK(post(b.fd, a.id, "one"));
			OK(post(b.fd, MASTER, "two"));
		}
		EQ(1, proc_lines("0000/000000000001", line, sizeof(line)));
		EQ(5, sscanf(line, "@bus %255s %31s %d %d %d", addrs, state, &joined,
			     &eavesdropper, &queue));
		EQ(want[i].joined, joined);
		EQ(want[i].eavesdropper, eavesdropper);
		EQ(want[i].queue, queue);
	}
}

TEST(proc_net_bus_is_per_namespace)
{
	struct bus bus = open_bus("@bus");

	OK(unshare(CLONE_NEWNET));
	EQ(0, proc_lines("@bus", line, sizeof(line)));
	(void)bus;
}

TEST(proc_net_protocols_counts_the_sockets)
{
	long before = bus_sockets();
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	EQ(before + 3, bus_sockets());
	close_client(&c);
	EVENTUALLY(bus_sockets() == before + 1);
}

/* A path cannot pretend to be another line of the file. */
TEST(control_characters_of_a_path_make_no_line)
{
	int lines = proc_lines("", line, sizeof(line));
	struct bus bus = open_bus("@bus\nforged: line");

	EQ(lines + 1, proc_lines("", line, sizeof(line)));
	(void)bus;
}

#define TRACING "/sys/kernel/tracing/"

static void write_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_TRUNC));

	EQ(strlen(text), OK(write(fd, text, strlen(text))));
	close(fd);
}

/*
 * Without the names of tasks, which are not needed: to record them the kernel patches its scheduler
 * while it runs, and an emulator with several threads may crash from that (images/scratch/run).
 */
static void trace_on(void)
{
	if (access(TRACING "trace", F_OK))
		SKIP("no tracefs");
	write_file(TRACING "options/record-cmd", "0");
	write_file(TRACING "events/bus/enable", "1");
	write_file(TRACING "trace", "\n");
}

static int traced(const char *event)
{
	char part[64];

	snprintf(part, sizeof(part), " %s:", event);
	return lines_with(TRACING "trace", part, line, sizeof(line));
}

/* One life of a bus, event by event. */
TEST(tracepoints_tell_a_story)
{
	struct bus bus;
	struct client a, b;

	trace_on();
	bus = open_bus("@traced-bus");
	a = join(&bus);
	b = join_at(&bus, ADDRESS(2, 1));
	EQ(2, traced("connect"));
	CHECK(strstr(line, "@traced-bus"));
	CHECK(strstr(line, " sender=0000/000000000002 recipient=0000/000000000000 len=0"));
	EQ(2, traced("join"));
	CHECK(strstr(line, " bus=@traced-bus seq="));
	CHECK(strstr(line, " sender=0000/000000000000 recipient=0000/000000000002 len=0"));
	EQ(1, traced("addr"));
	CHECK(strstr(line, " sender=0000/000000000002 recipient=0002/000000000001 len=1"));
	OK(del_address(b.accepted, ADDRESS(2, 1)));
	EQ(2, traced("addr"));
	CHECK(strstr(line, " sender=0000/000000000002 recipient=0002/000000000001 len=0"));
	OK(add_address(b.accepted, ADDRESS(2, 1)));
	OK(post(a.fd, GROUP(2), "seven__"));
	EQ(1, traced("send"));
	CHECK(strstr(line, " bus=@traced-bus seq="));
	CHECK(strstr(line, " sender=0000/000000000001 recipient=0002/ffffffffffff len=7"));
	EQ(1, traced("deliver"));
	CHECK(strstr(line, " sender=0000/000000000001 recipient=0000/000000000002 len=7"));
	fill(a.fd, b.id);
	CHECK(traced("send") > 5);
	OK(shutdown(b.accepted, SHUT_RDWR));
	close_client(&a);
	EQ(2, traced("leave"));
	CHECK(strstr(line, " sender=0000/000000000001 recipient=0000/000000000000 len=0"));
	write_file(TRACING "events/bus/enable", "0");
}

/* The copy has no place of its own in the sequence, but its message has. */
TEST(tracepoints_tell_of_copies_that_a_filter_drops)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog nothing = { ARRAY_SIZE(code), code };
	struct client a, b;
	struct bus bus;

	trace_on();
	bus = open_bus("@bus");
	a = join(&bus);
	b = join_at(&bus, ADDRESS(2, 1));
	OK(setsockopt(b.fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing, sizeof(nothing)));
	OK(post(a.fd, GROUP(2), "x"));
	EQ(1, traced("drop"));
	CHECK(!strstr(line, " seq=0 "));
	CHECK(strstr(line, " recipient=0000/000000000002 "));
	write_file(TRACING "events/bus/enable", "0");
}

TEST(tracepoints_tell_of_waiting_and_of_drops)
{
	struct bus bus;
	struct client a, b, e;
	struct job j;

	trace_on();
	bus = open_bus("@bus");
	a = join(&bus);
	b = join(&bus);
	e = join(&bus);
	OK(watch(e.accepted));
	fill(a.fd, b.id);
	start_send(&j, a.fd, b.id, "x");
	await_block(&j);
	CHECK(traced("block") >= 1);
	CHECK(strstr(line, " sender=0000/000000000001 recipient=0000/000000000002 len=1"));
	drain(b.fd);
	ends_with(&j, 0);
	CHECK(traced("drop") >= 1);
	write_file(TRACING "events/bus/enable", "0");
}
