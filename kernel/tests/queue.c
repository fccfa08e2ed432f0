// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 7: others do not wait for a process that looks at a long queue, or closes it. */
#include "bus.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

struct long_queue {
	struct bus bus;
	struct client from, to;
	int len;
};

static struct long_queue make_long_queue(void)
{
	struct long_queue q = { .bus = open_bus("@bus") };

	OK(set_option(q.bus.fd, BUS_SET_MAXQLEN, 1000000));
	OK(set_option(q.bus.fd, BUS_SET_SENDBUF, 256 << 20));
	q.from = join(&q.bus);
	q.to = join(&q.bus);
	while (q.len < 150000 / (int)patience() && post(q.from.fd, q.to.id, "x") > 0)
		q.len++;
	return q;
}

static void ask_for_bytes(int fd)
{
	int n;

	OK(ioctl(fd, SIOCINQ, &n));
	CHECK(n > 0);
}

static void peek_beyond_the_end(int fd)
{
	int off = 1 << 30;
	char c;

	OK(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	FAILS(EAGAIN, recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT));
}

static const struct {
	const char *name;
	void (*look)(int fd);
} looks[] = {
	{ "siocinq", ask_for_bytes },
	{ "peek_at_an_offset", peek_beyond_the_end },
};

/*
 * Sends to that queue wait for its lock with the lock of the bus held. So do sends that find it
 * full by weight.
 */
TEST_EACH(looking_at_a_long_queue_holds_up_no_sender, looks)
{
	struct long_queue q = make_long_queue();
	struct client other = join(&q.bus);
	long alone = CALLS_IN(1000, post(other.fd, q.to.id, "x")), beside;
	pid_t looker = OK(fork());

	if (!looker)
		for (;;)
			row->look(q.to.fd);
	beside = CALLS_IN(1000, post(other.fd, q.to.id, "x"));
	kill(looker, SIGKILL);
	CHECK_NOT_HELD_UP(alone, beside);
}

/*
 * The master leaves a client that has not joined: the kernel looks for unread messages of that
 * client.
 */
TEST(closing_a_long_queue_finds_what_was_not_read)
{
	struct bus bus = open_bus("@bus");
	struct client a, b;

	OK(set_option(bus.fd, BUS_SET_MAXQLEN, 1000000));
	OK(set_option(bus.fd, BUS_SET_SENDBUF, 256 << 20));
	a = attach(&bus);
	b = attach(&bus);
	/*
	 * A message to an address that nobody holds goes to the master, which here is the socket
	 * itself.
	 */
	for (int i = 0; i < 1000; i++) {
		OK(post(a.accepted, ADDRESS(9, 9), "to itself"));
		OK(post(b.accepted, ADDRESS(9, 9), "to itself"));
	}
	OK(post(a.fd, MASTER, "unread"));
	close(a.accepted);
	close(b.accepted);
	EQ(ECONNRESET, socket_option(a.fd, SO_ERROR));
	EQ(0, socket_option(b.fd, SO_ERROR));
}

TEST(peek_offset_finds_its_message_in_a_long_queue)
{
	struct long_queue q = make_long_queue();
	int off = q.len - 1;
	char text[8];

	OK(post(q.from.fd, q.to.id, "last"));
	OK(setsockopt(q.to.fd, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	EQ(1, recv(q.to.fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT));
	EQ('x', text[0]);
	EQ(4, recv(q.to.fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT));
	CHECK(!memcmp(text, "last", 4));
	FAILS(EAGAIN, recv(q.to.fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT));
}
