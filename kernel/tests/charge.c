// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: messages are charged to the memory cgroup of the process that sends them. */
#include "bus.h"
#include <limits.h>
#include <sys/prctl.h>

#define GROUPS	"/sys/fs/cgroup"

enum { MESSAGES = 60, BYTES = 40000, TOTAL = MESSAGES * BYTES, QUEUE_LENGTH = 7000 };

static void write_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(strlen(text), OK(write(fd, text, strlen(text))));
	close(fd);
}

/*
 * Each test has cgroups of its own. In a cgroup that was used before, a processor may hold back
 * hundreds of kilobytes, which are charged already and are used up first.
 */
static const char *group_file(const char *group, const char *file)
{
	static pid_t owner;
	static char path[128];

	owner = owner ?: getpid();
	snprintf(path, sizeof(path), GROUPS "/%s-%d/%s", group, owner, file);
	return path;
}

static void make_group(const char *group)
{
	if (access(GROUPS "/cgroup.controllers", R_OK))
		SKIP("no cgroup2");
	write_file(GROUPS "/cgroup.subtree_control", "+memory");
	OK(mkdir(group_file(group, ""), 0755));
}

static void enter(const char *group)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(group_file(group, "cgroup.procs"), pid);
}

static long charged_to(const char *group)
{
	return file_number(group_file(group, "memory.current"));
}

struct pair {
	struct bus bus;
	struct client a, b;
};

/* Queue and send buffer have room for everything: only memory can run out. */
static struct pair make_pair(void)
{
	struct pair p = { .bus = open_bus("@bus") };

	OK(set_option(p.bus.fd, BUS_SET_MAXQLEN, QUEUE_LENGTH));
	OK(set_option(p.bus.fd, BUS_SET_SENDBUF, 10 * TOTAL));
	p.a = join(&p.bus);
	p.b = join_at(&p.bus, ADDRESS(2, 1));
	return p;
}

static char payload[BYTES];

/* Starts a process in a cgroup that sends messages and stays. Return: how many went. */
static int send_some(const char *group, int fd, uint64_t to, int messages, int bytes, pid_t *sender)
{
	int pipes[2], n = 0;

	OK(pipe(pipes));
	*sender = OK(fork());
	if (!*sender) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(group);
		while (n < messages && send_bytes(fd, to, payload, bytes, MSG_DONTWAIT) == bytes)
			n++;
		EQ(sizeof(n), write(pipes[1], &n, sizeof(n)));
		pause();
	}
	EQ(sizeof(n), read(pipes[0], &n, sizeof(n)));
	return n;
}

static int send_from(const char *group, int fd, uint64_t to, pid_t *sender)
{
	return send_some(group, fd, to, MESSAGES, BYTES, sender);
}

static int drain_all(int fd)
{
	int n = 0;

	while (recv(fd, payload, BYTES, MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static const struct {
	const char *name;
	uint64_t to;
} destinations[] = { { "unicast", 2 }, { "group", GROUP(2) } };

/* They are charged while they are queued, and no longer; the receiver's cgroup is not charged. */
TEST_EACH(queued_messages_are_charged_to_the_senders_cgroup, destinations)
{
	struct pair p = make_pair();
	long before, receiver;
	pid_t sender;

	make_group("sender");
	make_group("receiver");
	before = charged_to("sender");
	enter("receiver");
	receiver = charged_to("receiver");
	EQ(MESSAGES, send_from("sender", p.a.fd, row->to, &sender));
	CHECK(charged_to("sender") - before > TOTAL);
	CHECK(charged_to("receiver") - receiver < TOTAL / 2);
	EQ(MESSAGES, drain_all(p.b.fd));
	EVENTUALLY(charged_to("sender") - before < TOTAL / 2);
	kill(sender, SIGKILL);
}

/* All recipients share one payload: eight of them cost hardly more than one. */
TEST(payload_of_a_multicast_is_charged_once)
{
	struct pair p = make_pair();
	long before;
	pid_t sender;

	for (int i = 2; i < 9; i++)
		join_at(&p.bus, ADDRESS(2, i));
	make_group("sender");
	before = charged_to("sender");
	EQ(MESSAGES, send_from("sender", p.a.fd, GROUP(2), &sender));
	CHECK(charged_to("sender") - before > TOTAL);
	CHECK(charged_to("sender") - before < 2 * TOTAL);
	kill(sender, SIGKILL);
}

/* Sizes in the middle are just too long for a power of two. */
static const struct { const char *name; int len; } sizes[] = {
	{ "1", 1 }, { "97", 97 }, { "609", 609 }, { "1633", 1633 }, { "3681", 3681 }, { "4096", 4096 },
	{ "7777", 7777 }, { "20000", 20000 }, { "40000", 40000 },
};

/* A kernel that debugs its allocator keeps red zones beside each object: 8 KiB take 16 then. */
static int allocator_is_plain(void)
{
	FILE *f = fopen("/sys/kernel/slab/kmalloc-8k/slab_size", "re");
	int size = 8192;

	if (f) {
		EQ(1, fscanf(f, "%d", &size));
		fclose(f);
	}
	return size == 8192;
}

/*
 * Limits count a message's length and 768 bytes. The memory that it takes differs from that, but is
 * at most twice as much. A processor may also hold back some memory that is charged already.
 */
TEST_EACH(message_takes_at_most_twice_its_weight, sizes)
{
	int weight = row->len + 768, messages = 2 * TOTAL / weight;
	struct pair p = make_pair();
	long before;
	pid_t sender;

	make_group("sender");
	before = charged_to("sender");
	EQ(messages, send_some("sender", p.a.fd, p.b.id, messages, row->len, &sender));
	CHECK(charged_to("sender") - before > (long)messages * weight * 3 / 4);
	if (allocator_is_plain())
		CHECK(charged_to("sender") - before < 2L * messages * weight + 500000);
	kill(sender, SIGKILL);
}

/* Clients of one cgroup that do not read, half of them eavesdroppers. */
enum { CROWD = 32, NOBODY = 65534, SOCKET_MEMORY = 4096 };

struct crowd {
	struct bus bus;
	struct client of[CROWD];
	int buffer;
};

static void gather(struct crowd *c)
{
	c->bus = open_bus("@bus");
	OK(set_option(c->bus.fd, BUS_SET_MAXQLEN, INT_MAX));
	for (int i = 0; i < CROWD; i++) {
		c->of[i] = join_at(&c->bus, ADDRESS(2, i));
		if (i % 2)
			OK(watch(c->of[i].accepted));
	}
	c->buffer = socket_option(c->of[0].fd, SO_SNDBUF);
}

/* Each client sends to all the others and to the master, until no send gets through. */
static void send_all_that_goes(const struct crowd *c, int len)
{
	for (int i = 0; i < CROWD; i++) {
		while (send_bytes(c->of[i].fd, GROUP(2), payload, len, MSG_DONTWAIT) == len)
			;
		EQ(EAGAIN, errno);
		while (send_bytes(c->of[i].fd, MASTER, payload, len, MSG_DONTWAIT) == len)
			;
		EQ(EAGAIN, errno);
	}
}

/*
 * A user without rights, whose master allows queues of any length: the number of its sockets bounds
 * its messages and their memory, and not the square of that number.
 */
TEST_EACH_LONG(user_pins_what_its_queues_hold_by_weight, sizes, 60)
{
	static struct crowd c;
	long before, most;
	int weight = row->len + 768, in_a_queue;

	make_group("user");
	enter("user");
	OK(setresuid(NOBODY, NOBODY, NOBODY));
	gather(&c);
	before = charged_to("user");
	send_all_that_goes(&c, row->len);
	in_a_queue = (c.buffer / 2 + weight - 1) / weight;
	most = 2L * CROWD * (2L * in_a_queue * weight + SOCKET_MEMORY);
	if (charged_to("user") - before > most)
		FAIL("pins %ld bytes, more than %ld", charged_to("user") - before, most);
	for (int i = 0; i < CROWD; i++) {
		CHECK(drain_all(c.of[i].fd) <= in_a_queue);
		CHECK(drain_all(c.of[i].accepted) <= in_a_queue);
	}
}
