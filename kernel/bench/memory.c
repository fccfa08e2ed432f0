// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of queued multicasts, as charged to the sender's memory cgroup.
 *
 * The counter moves in batches. So a lot of messages are queued: an error of a batch or two is lost in
 * their sum.
 */
#include "parties.h"

#define CGROUPS "/sys/fs/cgroup"

enum { MESSAGES = 500, PREFIX = 1, MAX_READERS = 64, SENDBUF = 256 << 20 };

static void put_line(const char *path, const char *line)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	OK(write(fd, line, strlen(line)));
	close(fd);
}

static long charged(void)
{
	return file_number(CGROUPS "/bench/memory.current");
}

/* Bytes charged for each message that waits in the queues of n readers. */
static double bytes_per_message(int n, size_t size)
{
	struct bus bus = wide_bus("@bench", MESSAGES);
	struct client sender, readers[MAX_READERS];
	struct end everyone;
	long before;
	double bytes;

	OK(set_option(bus.fd, BUS_SET_SENDBUF, SENDBUF));
	sender = join(&bus);
	everyone = end_to(sender.fd, GROUP(PREFIX));
	for (int i = 0; i < n; i++)
		readers[i] = join_at(&bus, ADDRESS(PREFIX, i));

	before = charged();
	for (int i = 0; i < MESSAGES; i++)
		give(&everyone, size, PLAIN);
	bytes = (double)(charged() - before) / MESSAGES;

	for (int i = 0; i < n; i++)
		close_client(&readers[i]);
	close_client(&sender);
	close(bus.fd);
	return bytes;
}

/* The header of a clone, in the size that the allocator hands out. */
static long clone_bytes(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[256];
	long bytes = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "skbuff_head_cache %*d %*d %ld", &bytes);
	if (f)
		fclose(f);
	if (!bytes)
		FAIL("/proc/slabinfo does not say how large a struct sk_buff is");
	return bytes;
}

static void run(const char *name, size_t size)
{
	double one, two, most;
	char note[80];
	struct row row = {
		.name = name, .unit = "bytes", .base = "first recipient", .subject = "each further recipient",
		/* Besides the header, there is the allocator's note of the cgroup that pays. */
		.kind = FIGURE_AT_MOST, .bar = clone_bytes() * 1.1, .note = note,
	};

	bytes_per_message(2, size);
	one = bytes_per_message(1, size);
	two = bytes_per_message(2, size);
	most = bytes_per_message(MAX_READERS, size);
	snprintf(note, sizeof(note), "to 2: %.0f, to %d: %.0f bytes; a clone's header: %ld",
		 two, MAX_READERS, most, clone_bytes());
	note_figures(&row, one, (most - two) / (MAX_READERS - 2));
}

static const struct { const char *name; size_t size; } cases[] = {
	{ "memory, 4 KiB queued", 4096 }, { "memory, 64 KiB queued", MAX_MESSAGE },
};

void bench_memory(void)
{
	if (!chosen(cases[0].name) && !chosen(cases[1].name))
		return;

	put_line(CGROUPS "/cgroup.subtree_control", "+memory");
	OK(mkdir(CGROUPS "/bench", 0755));
	put_line(CGROUPS "/bench/cgroup.procs", "0");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (chosen(cases[i].name))
			run(cases[i].name, cases[i].size);
	put_line(CGROUPS "/cgroup.procs", "0");
	OK(rmdir(CGROUPS "/bench"));
}
