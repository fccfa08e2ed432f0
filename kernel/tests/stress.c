// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress [SECONDS [SEED]] - clients come, talk, stall, leave and are killed while the master lets
 * them join, gives them addresses, expels them and leaves them, all at random.
 *
 * Every receiver checks what it gets: whole payloads, true sources, rising places in the sequence,
 * each sender's messages in order, the descriptors that were sent. Two witnesses, members of
 * everything, note each multicast. In the end both must have noted the same multicasts, also those
 * whose senders were killed during the call. Nothing may be left then: no socket, no use of the
 * module, no open file.
 */
#define HARNESS_OWN_MAIN
#include "bus.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

enum { WORKERS = 8, SLOTS = 256, GROUPS = 4, HEAVY = 20000, WITNESSES = 2, NOTES = 1 << 18 };

struct load {
	uint64_t from;			/* the sender's prefix-0 address */
	uint64_t to;
	uint32_t n;			/* the n-th of this sender */
	uint32_t fds;
	uint32_t len;			/* of all */
	unsigned char bytes[];		/* (n + i) & 0xff */
};

static unsigned int dice;
static long long end_ms;
static unsigned long *received;		/* by all processes */

/* What a witness has noted. */
struct notes {
	unsigned int n;
	int evicted;			/* it may have missed the last message of the bus */
	struct note {
		uint64_t seq, from, n;
	} note[NOTES];
};

static struct notes *notes;		/* of each witness, shared */
static volatile int *over;		/* nobody sends any more, shared */

static unsigned int roll(unsigned int sides)
{
	return rand_r(&dice) % sides;
}

/*
 * What a receiver has seen so far. Addresses are never used again, so a slot is used by one sender.
 */
struct memory {
	uint64_t seq;
	uint64_t from[SLOTS];
	uint32_t n[SLOTS];
};

static void check_order(struct memory *past, const struct load *load)
{
	unsigned int slot = load->from % SLOTS;

	if (past->from[slot] == load->from && load->n <= past->n[slot])
		FAIL("message %u of %llu after %u", load->n, (unsigned long long)load->from,
		     past->n[slot]);
	past->from[slot] = load->from;
	past->n[slot] = load->n;
}

static void check_fds(struct message *m, const struct load *load)
{
	struct stat st;

	EQ(load->fds, m->n_fds);
	for (int i = 0; i < m->n_fds; i++) {
		OK(fstat(m->fds[i], &st));
		CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	}
}

static void take_note(struct notes *all, const struct load *load, uint64_t seq)
{
	if ((load->to & BUS_CLIENT_MASK) != BUS_CLIENT_MASK || all->n == NOTES)
		return;
	all->note[all->n++] = (struct note){ seq, load->from, load->n };
}

/* One message, however long, noted by a witness. Return: 0 if there is none; -1 at the end. */
static int read_and_note(int fd, struct memory *past, struct notes *all)
{
	static char data[HEAVY], control[4096];
	struct message m = { 0 };
	struct load *load = (struct load *)data;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_name = &m.from, .msg_namelen = sizeof(m.from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (len <= 0)
		return len < 0 && errno == EAGAIN ? 0 : -1;
	take_control(&m, &msg);
	CHECK(!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)));
	CHECK(m.has_seq && m.seq > past->seq);
	past->seq = m.seq;

	CHECK(len >= (ssize_t)sizeof(*load));
	EQ(load->len, len);
	EQ(load->from, m.from.sbus_addr.s_addr);
	for (size_t i = 0; i < len - sizeof(*load); i++)
		if (load->bytes[i] != ((load->n + i) & 0xff))
			FAIL("byte %zu of message %u is spoilt", i, load->n);
	if (load->from != MASTER)
		check_order(past, load);
	check_fds(&m, load);
	close_fds(&m);
	if (all)
		take_note(all, load, m.seq);
	__atomic_fetch_add(received, 1, __ATOMIC_RELAXED);
	return 1;
}

static int read_one(int fd, struct memory *past)
{
	return read_and_note(fd, past, NULL);
}

static ssize_t send_one(int fd, uint64_t from, uint64_t to, uint32_t *n, int null, int flags)
{
	static char data[HEAVY];
	struct load *load = (struct load *)data;
	struct sockaddr_bus name = bus_name(NULL, to);
	char control[CMSG_SPACE(sizeof(int) * 4)];
	size_t len = sizeof(*load) + roll(roll(10) ? 100 : HEAVY - sizeof(*load));
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_iov = &iov, .msg_iovlen = 1,
	};

	*load = (struct load){ from, to, ++*n, roll(5) ? 0 : 1 + roll(4), len };
	for (size_t i = 0; i < len - sizeof(*load); i++)
		load->bytes[i] = load->n + i;
	if (load->fds) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * load->fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * load->fds);
		for (uint32_t i = 0; i < load->fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &null, sizeof(int));
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

static uint64_t somebody(uint64_t self)
{
	switch (roll(6)) {
	case 0:
		return MASTER;
	case 1:
		return EVERYONE;
	case 2:
		return GROUP(2 + roll(GROUPS));
	case 3:
		return ADDRESS(2 + roll(GROUPS), roll(WORKERS * 2));
	default:
		return self > 8 ? self - roll(8) : 1 + roll(8);
	}
}

static void check_send(ssize_t result)
{
	if (result >= 0)
		return;
	if (errno != EAGAIN && errno != ENOBUFS && errno != EPIPE && errno != EHOSTUNREACH &&
	    errno != ECONNREFUSED && errno != ECONNRESET && errno != ETOOMANYREFS)
		FAIL("a send fails with %s", errname(errno));
}

static uint64_t own_address(int fd)
{
	struct sockaddr_bus name;
	socklen_t len = sizeof(name);

	OK(getsockname(fd, (struct sockaddr *)&name, &len));
	return name.sbus_addr.s_addr;
}

/* One attachment, from connect to close. */
static void live(const struct bus *bus, int null)
{
	struct memory past = { 0 };
	uint32_t n = 0;
	int fd = bus_socket(), acts = 50 + roll(500), copy = -1;
	uint64_t self;

	while (connect_bus(fd, bus))
		CHECK(errno == ECONNREFUSED);
	OK(set_option(fd, BUS_PASSSEQ, 1));
	OK(set_timeout(fd, SO_SNDTIMEO, 1 + roll(20)));
	self = own_address(fd);
	while (acts--) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int what = roll(100), got = 1;

		if (what < 60)
			check_send(send_one(fd, self, somebody(self), &n, null,
					    roll(2) ? MSG_DONTWAIT : 0));
		else if (what < 97)
			for (int i = roll(20); i && got > 0; i--)
				got = read_one(fd, &past);
		else if (what < 98)
			poll(&p, 1, roll(10));
		else if (what < 99 && copy < 0)
			copy = OK(dup(fd));
		else
			shutdown(fd, roll(20) ? -1 : (int)roll(3));
		if (got < 0)
			break;
	}
	close(fd);
	if (copy >= 0)
		close(copy);
}

__attribute__((noreturn)) static void work(const struct bus *bus, unsigned int seed)
{
	int null = OK(open("/dev/null", O_RDWR | O_CLOEXEC));

	dice = seed;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (now_ms() < end_ms)
		live(bus, null);
	_exit(PASSED);
}

/* The master's side of an attachment. */
struct guest {
	int fd;
	uint64_t id;
	int joined;
	uint32_t n;
	struct memory past;
};

static struct guest guests[64];

static void admit(const struct bus *bus)
{
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(bus->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		EQ(EAGAIN, errno);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(guests); i++) {
		if (guests[i].fd >= 0)
			continue;
		guests[i] = (struct guest){ .fd = fd, .id = peer.sbus_addr.s_addr };
		OK(set_option(fd, BUS_PASSSEQ, 1));
		return;
	}
	close(fd);
}

static void dismiss(struct guest *g)
{
	close(g->fd);
	g->fd = -1;
}

static void rule(struct guest *g, int null)
{
	uint64_t addr = ADDRESS(2 + roll(GROUPS), roll(WORKERS * 2));

	switch (roll(40)) {
	case 0:
		OK(shutdown(g->fd, SHUT_RDWR));
		break;
	case 1:
		dismiss(g);
		break;
	case 2:
		watch(g->fd);
		break;
	case 3: case 4:
		unwatch(g->fd);
		break;
	case 5: case 6: case 7: case 8:
		add_address(g->fd, addr);
		break;
	case 9: case 10:
		del_address(g->fd, addr);
		break;
	case 11:
		check_send(send_one(g->fd, MASTER, somebody(g->id), &g->n, null, MSG_DONTWAIT));
		break;
	default:
		if (!g->joined && !let_join(g->fd))
			g->joined = 1;
		for (int i = roll(20); i; i--) {
			int got = read_one(g->fd, &g->past);

			if (got < 0)
				dismiss(g);
			if (got <= 0)
				break;
		}
	}
}

__attribute__((noreturn)) static void reign(const struct bus *bus, unsigned int seed)
{
	int null = OK(open("/dev/null", O_RDWR | O_CLOEXEC));

	dice = seed;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	OK(fcntl(bus->fd, F_SETFL, O_NONBLOCK));
	for (unsigned int i = 0; i < ARRAY_SIZE(guests); i++)
		guests[i].fd = -1;
	while (now_ms() < end_ms) {
		struct guest *g = &guests[roll(ARRAY_SIZE(guests))];

		admit(bus);
		if (!roll(2000))
			OK(set_option(bus->fd, BUS_SET_OVERFLOW, roll(3)));
		if (!roll(500))
			OK(set_option(bus->fd, BUS_SET_MAXQLEN, 1 + roll(20)));
		if (g->fd >= 0)
			rule(g, null);
	}
	_exit(PASSED);
}

/* Reads all there is until all the others are dead and the queue is empty. */
__attribute__((noreturn)) static void witness(int fd, struct notes *all)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct memory past = { 0 };
	int got, last;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		last = *over;
		poll(&p, 1, 100);
		while ((got = read_and_note(fd, &past, all)) > 0)
			;
		all->evicted = got < 0;
	} while (!last && !all->evicted);
	_exit(PASSED);
}

/* A witness that was evicted has noted less, but nothing else. */
static void compare_notes(void)
{
	const struct notes *a = &notes[0], *b = &notes[1];
	unsigned int common = a->n < b->n ? a->n : b->n;

	for (unsigned int i = 0; i < common; i++)
		if (memcmp(&a->note[i], &b->note[i], sizeof(a->note[i])))
			FAIL("multicast %llu is message %llu of %llu to one witness, %llu is %llu of %llu to the other",
			     (unsigned long long)a->note[i].seq, (unsigned long long)a->note[i].n,
			     (unsigned long long)a->note[i].from,
			     (unsigned long long)b->note[i].seq, (unsigned long long)b->note[i].n,
			     (unsigned long long)b->note[i].from);
	if ((a->n > common && !b->evicted) || (b->n > common && !a->evicted))
		FAIL("one witness has %u multicasts, the other %u", a->n, b->n);
}

static pid_t start_witness(const struct bus *bus, struct notes *all, struct client *c)
{
	pid_t pid;

	*c = join(bus);
	for (int g = 0; g < GROUPS; g++)
		OK(add_address(c->accepted, ADDRESS(2 + g, 1000 + c->id)));
	OK(set_option(c->fd, BUS_PASSSEQ, 1));
	memset(all, 0, sizeof(*all));
	pid = OK(fork());
	if (!pid)
		witness(c->fd, all);
	return pid;
}

/* -1 while it runs; 0 when it ended well or was killed. */
static int fate(pid_t pid, int killed)
{
	int status;

	if (waitpid(pid, &status, killed ? 0 : WNOHANG) != pid)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		FAIL("a worker found a fault");
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		FAIL("a worker died of SIG%s", sigabbrev_np(WTERMSIG(status)));
	return 0;
}

/* A generation: one bus, one master, and WORKERS clients, which die one after another. */
static void generation(const char *path, long long until)
{
	unsigned long before = *received;
	struct bus bus = open_bus(path);
	pid_t master, workers[WORKERS] = { 0 }, watching[WITNESSES];
	struct client witnesses[WITNESSES];
	int kills = 0;

	end_ms = until;
	*over = 0;
	/* Witnesses have long queues, so that they are seldom evicted. */
	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 500));
	for (int i = 0; i < WITNESSES; i++)
		watching[i] = start_witness(&bus, &notes[i], &witnesses[i]);
	OK(set_option(bus.fd, BUS_SET_MAXQLEN, BUS_MAX_QLEN));
	master = OK(fork());
	if (!master)
		reign(&bus, roll(1 << 30));
	close(bus.fd);
	while (now_ms() < until) {
		unsigned int victim = roll(WORKERS);

		for (unsigned int i = 0; i < WORKERS; i++) {
			unsigned int seed = roll(1 << 30);

			if (workers[i] && fate(workers[i], 0))
				continue;
			workers[i] = OK(fork());
			if (!workers[i])
				work(&bus, seed);
		}
		if (fate(master, 0) == 0)
			break;
		usleep(roll(30000));
		OK(kill(workers[victim], SIGKILL));
		fate(workers[victim], 1);
		workers[victim] = 0;
		kills++;
	}
	kill(master, SIGKILL);
	fate(master, 1);
	for (unsigned int i = 0; i < WORKERS; i++)
		if (workers[i]) {
			kill(workers[i], SIGKILL);
			fate(workers[i], 1);
		}
	*over = 1;
	for (int i = 0; i < WITNESSES; i++) {
		EVENTUALLY(fate(watching[i], 0) == 0);
		close_client(&witnesses[i]);
	}
	compare_notes();
	unlink(path);
	dprintf(1, "# a bus with %lu messages received, %d clients killed, %u and %u multicasts witnessed\n",
		*received - before, kills, notes[0].n, notes[1].n);
}

int main(int argc, char **argv)
{
	long long seconds = argc > 1 ? atoi(argv[1]) : 60, end;
	long files, users;
	int generations = 0;

	dice = argc > 2 ? strtoul(argv[2], NULL, 0) : (unsigned int)time(NULL);
	dprintf(1, "KTAP version 1\n1..1\n# seed %u\n", dice);
	family();
	received = mmap(NULL, sizeof(*received), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(received != MAP_FAILED);
	notes = mmap(NULL, sizeof(*notes) * WITNESSES, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(notes != MAP_FAILED);
	over = mmap(NULL, sizeof(*over), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(over != MAP_FAILED);
	seclude();
	files = open_files();
	users = module_users();
	end = now_ms() + seconds * 1000;
	while (now_ms() < end)
		generation(generations++ % 2 ? "@bus" : "bus", now_ms() + 5000);
	/* A master that ends at once leaves a bus without one. */
	CHECK(*received > 0);
	count_leaks(files, users);
	dprintf(1, "ok 1 stress: %d buses came and went\n", generations);
	return 0;
}
