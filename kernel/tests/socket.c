// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 2: the interface's layout, socket() and socketpair(). */
#include "bus.h"

_Static_assert(sizeof(struct bus_addr) == 8, "an address has 64 bits");
_Static_assert(sizeof(struct sockaddr_bus) == 128, "sockaddr_bus has 128 bytes");
_Static_assert(offsetof(struct sockaddr_bus, sbus_addr) == 8, "the address is 8-aligned");
_Static_assert(offsetof(struct sockaddr_bus, sbus_path) == 16, "the path follows it");
_Static_assert(BUS_PATH_MAX == 108 && SOL_BUS == 280 && BUS_MAX_QLEN == 10, "fixed");
_Static_assert(BUS_ADD_ADDR == 1 && BUS_JOIN_BUS == 2 && BUS_DEL_ADDR == 3 &&
	       BUS_SET_EAVESDROP == 4 && BUS_UNSET_EAVESDROP == 5 && BUS_SET_SENDBUF == 6 &&
	       BUS_SET_MAXQLEN == 7 && BUS_GET_QLENFULL == 8 && BUS_SET_OVERFLOW == 9 &&
	       BUS_PASSSEQ == 16, "the options' numbers of 2012 and the new ones");
_Static_assert(BUS_SCM_SEQ == 1 && BUS_SCM_LOST == 2, "fixed");
_Static_assert(BUS_PROTO_NONE == 0 && BUS_PROTO_DBUS == 1, "fixed");
_Static_assert(BUS_MASTER_ADDR == 0 && BUS_PREFIX_BITS == 16 && BUS_CLIENT_BITS == 48, "fixed");

TEST(family_number_is_in_sysfs_and_works)
{
	int fd = OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_NONE));

	EQ(family(), socket_option(fd, SO_DOMAIN));
	EQ(SOCK_SEQPACKET, socket_option(fd, SO_TYPE));
	EQ(BUS_PROTO_NONE, socket_option(fd, SO_PROTOCOL));
	EQ(0, socket_option(fd, SO_ACCEPTCONN));
}

TEST(listening_socket_says_so)
{
	struct bus bus = open_bus("@bus");

	EQ(1, socket_option(bus.fd, SO_ACCEPTCONN));
}

static const struct {
	const char *name;
	int type, proto, err;
} refused[] = {
	{ "stream", SOCK_STREAM, BUS_PROTO_NONE, ESOCKTNOSUPPORT },
	{ "dgram", SOCK_DGRAM, BUS_PROTO_NONE, ESOCKTNOSUPPORT },
	{ "raw", SOCK_RAW, BUS_PROTO_NONE, ESOCKTNOSUPPORT },
	{ "rdm", SOCK_RDM, BUS_PROTO_NONE, ESOCKTNOSUPPORT },
	{ "proto_2", SOCK_SEQPACKET, 2, EPROTONOSUPPORT },
	{ "proto_255", SOCK_SEQPACKET, 255, EPROTONOSUPPORT },
	{ "proto_huge", SOCK_SEQPACKET, 0x7fffffff, EPROTONOSUPPORT },
	{ "proto_negative", SOCK_SEQPACKET, -1, EPROTONOSUPPORT },
};

TEST_EACH(other_types_and_protocols_fail, refused)
{
	FAILS(row->err, socket(family(), row->type, row->proto));
}

TEST(socketpair_fails)
{
	int fds[2];

	FAILS(EOPNOTSUPP, socketpair(family(), SOCK_SEQPACKET, 0, fds));
}

TEST(unprivileged_users_may_open_buses)
{
	OK(chmod("/mnt", 0777));
	OK(setresgid(65534, 65534, 65534));
	OK(setresuid(65534, 65534, 65534));

	struct bus bus = open_bus("bus");
	struct client c = join(&bus);

	OK(post(c.fd, MASTER, "hello"));
	GETS(c.accepted, c.id, "hello");
}

TEST(nonblocking_and_cloexec_flags_are_kept)
{
	int fd = OK(socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static const struct {
	const char *name;
	int listening;
} kinds[] = { { "fresh", 0 }, { "listening", 1 } };

/* A socket that is nobody's client can neither send nor receive. */
TEST_EACH(no_message_calls_without_a_connection, kinds)
{
	struct message m;
	int fd = row->listening ? open_bus("@bus").fd : bus_socket();

	FAILS(ENOTCONN, post(fd, MASTER, "x"));
	FAILS(ENOTCONN, send(fd, "x", 1, MSG_NOSIGNAL));
	FAILS(ENOTCONN, take(fd, &m));
}
