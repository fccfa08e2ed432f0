// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 2: 32-bit programs see the same layout. A program without a C
 * library, built for i386, so that no second library has to be installed.
 */
#include <linux/bus.h>

_Static_assert(sizeof(void *) == 4, "this is a 32-bit program");
_Static_assert(sizeof(struct bus_addr) == 8, "an address has 64 bits");
_Static_assert(sizeof(struct sockaddr_bus) == 128, "sockaddr_bus has 128 bytes");
_Static_assert(__builtin_offsetof(struct sockaddr_bus, sbus_addr) == 8, "8-aligned");
_Static_assert(__builtin_offsetof(struct sockaddr_bus, sbus_path) == 16, "the path follows");

enum {
	SYS_exit = 1, SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_ioctl = 54, SYS_fcntl = 55, SYS_socket = 359,
	SYS_bind = 361, SYS_connect, SYS_listen, SYS_accept4, SYS_getsockopt, SYS_setsockopt,
	SYS_getsockname, SYS_getpeername, SYS_sendto, SYS_sendmsg, SYS_recvfrom, SYS_recvmsg,
};

enum { SOCK_SEQPACKET = 5, MSG_DONTWAIT = 0x40, SOL_SOCKET = 1, SCM_RIGHTS = 1, SIOCOUTQ = 0x5411, SIOCINQ = 0x541b };

struct iovec { void *base; unsigned int len; };
struct msghdr {
	void *name; int namelen;
	struct iovec *iov; unsigned int iovlen;
	void *control; unsigned int controllen;
	unsigned int flags;
};
struct cmsghdr { unsigned int len; int level, type; unsigned char data[]; };

static long sixth;

/* The sixth argument goes into ebp, which the compiler may be using. */
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;

	sixth = f;
	__asm__ volatile("pushl %%ebp\n\tmovl %7, %%ebp\n\tint $0x80\n\tpopl %%ebp"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "m"(sixth)
			 : "memory");
	return result;
}

#define CALL(nr, a, b, c, d, e, f) \
	call(SYS_##nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *to, int byte, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		((volatile char *)to)[i] = byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

static void say(const char *text)
{
	unsigned int n = 0;

	while (text[n])
		n++;
	CALL(write, 1, text, n, 0, 0, 0);
}

static void check(int holds, const char *what)
{
	if (holds)
		return;
	say("# this does not hold: ");
	say(what);
	say("\nnot ok 1 programs_of_32_bits_speak_the_same\n");
	CALL(exit, 1, 0, 0, 0, 0, 0);
}

#define CHECK(condition) check(condition, #condition)

static int family(void)
{
	int fd = CALL(open, "/sys/module/af_bus/parameters/family", 0, 0, 0, 0, 0), n = 0;
	char text[8] = "";

	CHECK(fd >= 0);
	CHECK(CALL(read, fd, text, 7, 0, 0, 0) > 0);
	for (int i = 0; text[i] >= '0' && text[i] <= '9'; i++)
		n = n * 10 + text[i] - '0';
	return n;
}

static struct sockaddr_bus name;

/* Options read back, and what is queued. */
static void ask(int client, int accepted)
{
	int value = -1, len = sizeof(value);

	CHECK(!CALL(getsockopt, accepted, SOL_BUS, BUS_GET_QLENFULL, &value, &len, 0));
	CHECK(len == 4 && value == 0);
	CHECK(!CALL(ioctl, client, SIOCINQ, &value, 0, 0, 0));
	CHECK(value == 5);
	CHECK(!CALL(ioctl, client, SIOCOUTQ, &value, 0, 0, 0));
	CHECK(value >= 5);
}

/* Names, a received source and an address option, all in the one layout. */
static void talk(int client, int accepted)
{
	struct bus_addr addr = { 0x0002f00ddeadbeefULL };
	struct sockaddr_bus to = { .sbus_family = name.sbus_family, .sbus_addr = addr }, got;
	int len = sizeof(got);
	char text[8];

	memset(&got, 0xee, sizeof(got));
	CHECK(!CALL(getsockname, client, &got, &len, 0, 0, 0));
	CHECK(len == 128 && got.sbus_addr.s_addr == 1 && got.sbus_path[1] == '3');
	CHECK(!CALL(setsockopt, accepted, SOL_BUS, BUS_JOIN_BUS, 0, 0, 0));
	CHECK(!CALL(setsockopt, accepted, SOL_BUS, BUS_ADD_ADDR, &addr, sizeof(addr), 0));
	CHECK(CALL(sendto, client, "hello", 5, MSG_DONTWAIT, &to, sizeof(to)) == 5);
	ask(client, accepted);
	memset(&got, 0xee, sizeof(got));
	CHECK(CALL(recvfrom, client, text, 8, MSG_DONTWAIT, &got, &len) == 5);
	CHECK(len == 128 && got.sbus_addr.s_addr == 1);
}

/* Control messages both ways: descriptors, and the place in the sequence. */
static void pass(int client, int accepted)
{
	static char control[256] __attribute__((aligned(8)));
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .iov = &iov, .iovlen = 1, .control = control, .controllen = 16 };
	int on = 1, rights = 0, seq = 0;
	char byte;

	*c = (struct cmsghdr){ 16, SOL_SOCKET, SCM_RIGHTS };
	memcpy(c->data, &accepted, 4);
	CHECK(!CALL(setsockopt, accepted, SOL_BUS, BUS_PASSSEQ, &on, sizeof(on), 0));
	CHECK(CALL(sendmsg, client, &msg, MSG_DONTWAIT, 0, 0, 0) == 1);
	iov.base = &byte;
	msg.controllen = sizeof(control);
	CHECK(CALL(recvmsg, accepted, &msg, MSG_DONTWAIT, 0, 0, 0) == 1);
	for (unsigned int at = 0; at + 12 <= msg.controllen; at += (c->len + 3) & ~3U) {
		c = (struct cmsghdr *)(control + at);
		CHECK(c->len >= 12);
		rights += c->level == SOL_SOCKET && c->type == SCM_RIGHTS && c->len == 16;
		seq += c->level == SOL_BUS && c->type == BUS_SCM_SEQ && c->len == 20;
	}
	CHECK(rights == 1 && seq == 1);
}

__attribute__((force_align_arg_pointer, noreturn)) void _start(void)
{
	int bus, client, accepted;

	say("KTAP version 1\n1..1\n");
	name = (struct sockaddr_bus){ .sbus_family = family(), .sbus_path = "\00032 bits" };
	bus = CALL(socket, name.sbus_family, SOCK_SEQPACKET, 0, 0, 0, 0);
	client = CALL(socket, name.sbus_family, SOCK_SEQPACKET, 0, 0, 0, 0);
	CHECK(bus >= 0 && client >= 0);
	CHECK(!CALL(bind, bus, &name, sizeof(name), 0, 0, 0));
	CHECK(!CALL(listen, bus, 5, 0, 0, 0, 0));
	CHECK(!CALL(connect, client, &name, sizeof(name), 0, 0, 0));
	accepted = CALL(accept4, bus, 0, 0, 0, 0, 0);
	CHECK(accepted >= 0);
	talk(client, accepted);
	pass(client, accepted);
	say("ok 1 programs_of_32_bits_speak_the_same\n");
	CALL(exit, 0, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
