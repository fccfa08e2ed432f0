// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 7: what an unprivileged user of a shared machine must not be able to do to
 * others.
 */
#define BUS_PROTOCOL BUS_PROTO_NONE
#include "dbus.h"
#include "hook.h"
#include <linux/filter.h>
#include <linux/fuse.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define GROUPS	"/sys/fs/cgroup"
#define SLOW	"slow"

enum { USER = 1000, MB = 1 << 20 };

static void write_text(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(strlen(text), OK(write(fd, text, strlen(text))));
	close(fd);
}

/* It ends with the test. */
static pid_t spawn(void)
{
	pid_t pid = OK(fork());

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int has_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}

/* Becomes an unprivileged user in namespaces of its own, where it may mount. */
static void become_user(void)
{
	OK(setresgid(USER, USER, USER));
	OK(setresuid(USER, USER, USER));
	prctl(PR_SET_DUMPABLE, 1);
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 1000 1");
	write_text("/proc/self/gid_map", "0 1000 1");
}

/*
 * A file system that answers nothing after the first question; its descriptor is readable once
 * another question was asked.
 */
static int mount_slow(void)
{
	char buf[FUSE_MIN_READ_BUFFER], options[128];
	struct fuse_in_header *in = (void *)buf;
	struct {
		struct fuse_out_header h;
		struct fuse_init_out init;
	} out = { .h.len = sizeof(out), .init = { .major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096 } };
	int fd = OK(open("/dev/fuse", O_RDWR | O_CLOEXEC));

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	OK(mount("slow", SLOW, "fuse", 0, options));
	OK(read(fd, buf, sizeof(buf)));
	EQ(FUSE_INIT, in->opcode);
	out.h.unique = in->unique;
	OK(write(fd, &out, sizeof(out)));
	return fd;
}

/* On a machine with udev, any user may open it. */
static void need_fuse(void)
{
	if (access("/dev/fuse", F_OK) && (system("modprobe -q fuse") || access("/dev/fuse", F_OK)))
		SKIP("no FUSE");
	OK(chmod("/dev/fuse", 0666));
	OK(chmod(".", 0755));
	OK(mkdir(SLOW, 0777));
	OK(chown(SLOW, USER, USER));
}

static int is_asked(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

/*
 * A request holds a lock for which every user of generic netlink waits: no request may wait for a
 * file system.
 */
TEST(request_of_a_user_asks_no_file_system_for_a_path)
{
	pid_t user, asker;
	int status;

	need_fuse();
	use_netlink();
	user = spawn();
	if (!user) {
		int fd;

		become_user();
		fd = mount_slow();
		asker = spawn();
		if (!asker) {
			nl_fd = -1;
			FAILS(EAGAIN, add_rule(SLOW "/bus", 1, "type='signal'"));
			_exit(PASSED);
		}
		while (waitpid(asker, &status, WNOHANG) != asker) {
			if (is_asked(fd))
				FAIL("the file system is asked");
			usleep(1000);
		}
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : FAILED);
	}
	OK(waitpid(user, &status, 0));
	EQ(PASSED, status);
}

/* Once the path of a bus is in memory, requests of its owner need no file system. */
TEST(request_of_a_user_finds_the_bus_by_its_path)
{
	int status;

	OK(chmod(".", 0777));
	if (!OK(fork())) {
		struct bus bus = { .name = bus_name("bus", 0) };
		int fd;

		become_user();
		bus.fd = OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_DBUS));
		OK(bind(bus.fd, (struct sockaddr *)&bus.name, sizeof(bus.name)));
		OK(listen(bus.fd, 1));
		fd = OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_DBUS));
		OK(connect_bus(fd, &bus));
		OK(let_join(OK(accept(bus.fd, NULL, NULL))));
		OK(add_rule("bus", 1, "type='signal'"));
		_exit(PASSED);
	}
	OK(wait(&status));
	EQ(PASSED, status);
}

/* A bind waits for the file system, and no other call on the socket waits for the bind. */
TEST(bind_on_a_slow_file_system_holds_up_no_call_on_the_socket)
{
	int fd = bus_socket(), asked[2], one = 1;
	pid_t user, other;
	char byte;

	need_fuse();
	OK(pipe2(asked, O_CLOEXEC));
	user = spawn();
	if (!user) {
		int fuse;

		become_user();
		fuse = mount_slow();
		if (!spawn()) {
			bind_to(fd, SLOW "/bus");
			_exit(0);
		}
		EVENTUALLY(is_asked(fuse));
		EQ(1, write(asked[1], "", 1));
		for (;;)
			pause();
	}
	EQ(1, read(asked[0], &byte, 1));

	other = spawn();
	if (!other) {
		OK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
		FAILS(EINVAL, listen(fd, 1));
		FAILS(EINVAL, bind_to(fd, "@bus"));
		_exit(0);
	}
	for (long long end = now_ms() + 10000 * patience(); !has_ended(other); usleep(1000)) {
		if (now_ms() < end)
			continue;
		/* Releases the lock: otherwise the test could not end. */
		kill(user, SIGKILL);
		FAIL("a call on the socket waits for the bind");
	}
	kill(user, SIGKILL);
}

static void write_number(const char *path, long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", n);
	write_text(path, text);
}

static const char *group_file(const char *file)
{
	static pid_t owner;
	static char path[128];

	owner = owner ?: getpid();
	snprintf(path, sizeof(path), GROUPS "/neighbour-%d/%s", owner, file);
	return path;
}

static void make_group(void)
{
	if (access(GROUPS "/cgroup.controllers", R_OK))
		SKIP("no cgroup2");
	write_text(GROUPS "/cgroup.subtree_control", "+memory");
	OK(mkdir(group_file(""), 0755));
}

static long charged(void)
{
	return file_number(group_file("memory.current"));
}

/* The memory that the kernel has left, in bytes. */
static long free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "MemFree:", 8))
			kb = atol(line + 8);
	fclose(f);
	return kb * 1024;
}

/*
 * A filter that cuts a long message leaves a copy of its head, which is charged to the sender like
 * the rest.
 */
TEST_LONG(copies_that_a_filter_cuts_are_charged, 60)
{
	enum { CLIENTS = 1000, BYTES = 9000 };
	struct rlimit files = { 60000, 60000 };
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 1) };
	struct sock_fprog filter = { 1, code };
	static char payload[BYTES];
	long group, gone;
	struct bus bus = open_bus("@bus");
	struct client a;
	int n = 0;

	OK(setrlimit(RLIMIT_NOFILE, &files));
	make_group();
	OK(listen(bus.fd, 10));
	a = join(&bus);
	for (int i = 0; i < CLIENTS; i++) {
		struct client c = join_at(&bus, ADDRESS(2, i + 1));

		OK(setsockopt(c.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
	}
	write_number(group_file("cgroup.procs"), getpid());
	group = charged();
	gone = free_memory();
	while (send_bytes(a.fd, GROUP(2), payload, BYTES, MSG_DONTWAIT) == BYTES)
		n++;
	gone -= free_memory();
	group = charged() - group;
	dprintf(1, "# %d multicasts: %ld MB of memory gone, %ld MB charged\n", n, gone / MB, group / MB);
	CHECK(n > 5);
	CHECK(gone < 2 * group + 8 * MB);
}

/*
 * A sender whose cgroup is over memory.high is throttled, for up to 2 s for each 512 KiB that it
 * gets. That holds up no change of policy, not even in its fourth round, in which it lets no change
 * overtake it. The hook sees to three rounds: one more member is let in in each of them, and the
 * first one may need a new copy once there is a second. The last change lets in a crowd, whose
 * copies take more than 1 MiB, and more clients are let in while the sender gets its memory.
 */

enum { GROUP_PREFIX = 5, MANY_CALLS = 1000000, LATE = 40,
       MOST = 4600, LONGEST = 9000, DESCRIPTORS = 253 };

static struct client heavy[MOST + LATE];

static const struct throttled {
	const char *name;
	int members;
	int bytes;
	int cut;		/* a filter may cut each copy, so it has a head of its own */
	int fds;
	unsigned int calls;	/* of the hook in three rounds */
} throttled[] = {
	{ "short_messages", MOST, 1, 0, 0, 1 + 2 + 2 },
	{ "long_messages_and_filters", 250, LONGEST, 1, 0, 1 + 1 + 1 },
	{ "descriptors", 700, 1, 0, DESCRIPTORS, 1 + 2 + 2 },
};

static void let_in(const struct client *c)
{
	OK(add_address(c->accepted, ADDRESS(GROUP_PREFIX, c->id)));
}

static long post_heavy(int fd, const struct throttled *row)
{
	static char payload[LONGEST];
	int fds[DESCRIPTORS];

	if (!row->fds)
		return send_bytes(fd, GROUP(GROUP_PREFIX), payload, row->bytes, MSG_DONTWAIT);
	for (int i = 0; i < row->fds; i++)
		fds[i] = 0;
	return post_fds(fd, GROUP(GROUP_PREFIX), "x", fds, row->fds);
}

/* Up to the last change that overtakes the message: it brings in all members that are left. */
static void overtake(const struct throttled *row, int members)
{
	int next = 1;

	for (unsigned int calls = 1; calls < row->calls; calls++) {
		EVENTUALLY(hook_says("calls") >= calls);
		let_in(&heavy[next++]);
		tell_hook("changes", calls);
	}
	EVENTUALLY(hook_says("calls") >= row->calls);
	write_text(group_file("memory.high"), "0");
	while (next < members)
		let_in(&heavy[next++]);
	tell_hook("changes", MANY_CALLS);
}

/* Changes while the sender is at work. Return: the longest that one took, in ms. */
static long long longest_change(pid_t sender, int members)
{
	long long longest = 0, began;
	int late = 0;

	while (!has_ended(sender)) {
		began = now_ms();
		if (late < LATE)
			let_in(&heavy[members + late++]);
		else
			OK(watch(heavy[0].accepted));
		began = now_ms() - began;
		longest = began > longest ? began : longest;
	}
	return longest;
}

TEST_EACH_LONG(throttled_sender_holds_up_no_change, throttled, 120)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 1) };
	struct sock_fprog filter = { 1, code };
	struct rlimit files = { 60000, 60000 };
	int members = row->members / (patience() > 1 ? 2 : 1);
	struct bus bus = open_bus("@bus");
	long long longest, began;
	struct client a;
	pid_t sender;

	OK(setrlimit(RLIMIT_NOFILE, &files));
	make_group();
	load_hook();
	let_clients_in(members + LATE + 1);
	a = join(&bus);
	for (int i = 0; i < members + LATE; i++) {
		heavy[i] = join(&bus);
		if (row->cut)
			OK(setsockopt(heavy[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
				      sizeof(filter)));
	}
	let_clients_in(MAX_BUS_CLIENTS);
	let_in(&heavy[0]);
	tell_hook("calls", 0);
	tell_hook("changes", 0);
	tell_hook("patience_ms", 5000);

	sender = spawn();
	if (!sender) {
		write_number(group_file("cgroup.procs"), getpid());
		OK(post_heavy(a.fd, row));
		_exit(0);
	}
	overtake(row, members);
	began = now_ms();
	longest = longest_change(sender, members);
	began = now_ms() - began;
	unload_hook();
	dprintf(1, "# longest change %lld ms, while a message took %lld ms\n", longest, began);
	CHECK(began > 1000);
	CHECK(3 * longest < began);
	for (int i = 0; i < members; i++)
		EQ(1, drain(heavy[i].fd));
}
