// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 3.7: socket filters, one recipient at a time. */
#include "bus.h"
#include <linux/bpf.h>
#include <linux/filter.h>

/* A classic filter that keeps the first @keep bytes. */
static void keep_bytes(int fd, unsigned int keep)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, keep) };
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	OK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

/* A classic filter that drops messages whose first byte is @byte. */
static void drop_byte(int fd, unsigned char byte)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, byte, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	OK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static const struct {
	const char *name;
	uint64_t to;
} destinations[] = {
	{ "unicast", 2 }, { "group", GROUP(2) }, { "everyone", EVERYONE },
};

TEST_EACH(filter_truncates_its_own_copy_only, destinations)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 3)), b = join_at(&bus, ADDRESS(2, 1));
	struct client c = join_at(&bus, ADDRESS(2, 2));

	keep_bytes(b.fd, 4);
	EQ(8, OK(post(a.fd, row->to, "longtext")));
	GETS(b.fd, a.id, "long");
	if (row->to != 2)
		GETS(c.fd, a.id, "longtext");
}

/* A filter that comes or goes while the sender waits applies to that sender's message. */
TEST_EACH(filter_is_the_recipients_of_now_when_the_sender_has_slept, destinations)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct job j;

	fill(a.fd, b.id);
	start_send(&j, a.fd, row->to, "longtext");
	await_block(&j);
	keep_bytes(b.fd, 4);
	make_room(b.fd);
	ends_with(&j, 0);
	drain_to_the_last(b.fd);
	GETS(b.fd, a.id, "long");

	drain(a.fd);
	drain(c.fd);
	fill(a.fd, b.id);
	start_send(&j, a.fd, row->to, "longtext");
	await_block(&j);
	OK(setsockopt(b.fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)));
	make_room(b.fd);
	ends_with(&j, 0);
	drain_to_the_last(b.fd);
	GETS(b.fd, a.id, "longtext");
	if (row->to != 2)
		GETS(c.fd, a.id, "longtext");
}

/* A dropped copy is no error, and takes no room. */
TEST_EACH(filter_drops_its_own_copy_only, destinations)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	keep_bytes(b.fd, 0);
	for (int i = 0; i < 50; i++) {
		EQ(1, OK(post(a.fd, row->to, "x")));
		drain(a.fd);
		if (row->to != 2)
			GETS(c.fd, a.id, "x");
	}
	GETS_NOTHING(b.fd);
	EQ(0, OK(get_option(b.accepted, BUS_GET_QLENFULL)));
}

TEST(filter_of_an_accepted_socket_works)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	keep_bytes(a.accepted, 3);
	OK(post(a.fd, MASTER, "abcdef"));
	GETS(a.accepted, a.id, "abc");
	keep_bytes(a.accepted, 0);
	OK(post(a.fd, MASTER, "abcdef"));
	GETS_NOTHING(a.accepted);
}

/*
 * A recipient whose filter drops the message does not matter to the send: whether it is full is not
 * asked.
 */
TEST(full_recipient_that_filters_the_message_out_blocks_nobody)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	drop_byte(b.fd, '!');
	fill(a.fd, b.id);
	FAILS(EAGAIN, post(a.fd, GROUP(2), "x"));
	OK(post(a.fd, GROUP(2), "!"));
	GETS(c.fd, a.id, "!");
	EQ(ROOM, drain(b.fd));
}

TEST(filter_sees_the_payload)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));

	drop_byte(b.fd, '!');
	OK(post(a.fd, GROUP(2), "!no"));
	OK(post(a.fd, GROUP(2), "yes"));
	GETS(b.fd, a.id, "yes");
	GETS_NOTHING(b.fd);
}

/* A client that filters out its own multicasts (programs of 2012 had to). */
TEST(sender_may_filter_out_its_own_multicasts)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join_at(&bus, ADDRESS(2, 2));

	keep_bytes(a.fd, 0);
	for (int i = 0; i < 50; i++) {
		OK(post(a.fd, GROUP(2), "x"));
		GETS(b.fd, a.id, "x");
	}
	GETS_NOTHING(a.fd);
}

static const struct {
	const char *name;
	unsigned int len, keep;
} long_ones[] = {
	{ "within_the_first_page", 200000, 100 },
	{ "within_the_first_buffer", 200000, 60000 },
	{ "within_the_last_buffer", 200000, 199999 },
	{ "not_at_all", 200000, 200000 },
};

/*
 * Long messages are in many pages, which the copies share: the cut must not show in other copies.
 */
TEST_EACH(long_message_is_cut_for_one_and_whole_for_others, long_ones)
{
	static unsigned char data[200000], got[200001];
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = i * 31 + (i >> 9);
	keep_bytes(b.fd, row->keep);
	for (int round = 0; round < 3; round++) {
		EQ(row->len, OK(send_bytes(a.fd, GROUP(2), data, row->len, MSG_DONTWAIT)));
		EQ(row->keep, OK(recv(b.fd, got, sizeof(got), MSG_DONTWAIT)));
		CHECK(!memcmp(got, data, row->keep));
		EQ(row->len, OK(recv(c.fd, got, sizeof(got), MSG_DONTWAIT)));
		CHECK(!memcmp(got, data, row->len));
	}
}

TEST(filter_can_be_detached_and_locked)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	int on = 1;

	keep_bytes(b.fd, 0);
	OK(setsockopt(b.fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)));
	OK(post(a.fd, b.id, "x"));
	GETS(b.fd, a.id, "x");
	OK(setsockopt(b.fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	FAILS(EPERM, setsockopt(b.fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)));
}

TEST(ebpf_filter_truncates)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (uintptr_t)"GPL",
	};
	int program = OK((int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));

	OK(setsockopt(b.fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)));
	OK(post(a.fd, GROUP(2), "abc"));
	GETS(b.fd, a.id, "ab");
	GETS(c.fd, a.id, "abc");
}

/* Descriptors of a copy that is dropped go with it; those of a truncated one arrive. */
TEST(descriptors_follow_the_copy)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct message m;
	int fds[2];

	OK(pipe(fds));
	keep_bytes(b.fd, 0);
	keep_bytes(c.fd, 1);
	OK(post_fds(a.fd, GROUP(2), "xyz", fds, 2));
	close(fds[0]);
	GETS_NOTHING(b.fd);
	OK(take(c.fd, &m));
	EQ(1, m.len);
	EQ(2, m.n_fds);
	close_fds(&m);
	signal(SIGPIPE, SIG_IGN);
	EVENTUALLY(write(fds[1], "x", 1) < 0);
}

TEST(eavesdropper_may_filter_too)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);
	struct message m;

	OK(watch(e.accepted));
	drop_byte(e.fd, '!');
	OK(post(a.fd, b.id, "!unwanted"));
	OK(post(a.fd, b.id, "wanted"));
	OK(take(e.fd, &m));
	CHECK(same_text(&m, "wanted"));
	CHECK(!m.has_lost);
	GETS(b.fd, a.id, "!unwanted");
}

static const struct {
	const char *name;
	int from;
	int sees;
} headers[] = {
	{ "network", SKF_NET_OFF, 1 }, { "link", SKF_LL_OFF, 0 },
};

/* There are no headers: the message begins where a header would. */
TEST_EACH(filter_cannot_look_before_the_message, headers)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	char text[256], got[256];

	memset(text, 'P', sizeof(text));
	for (int i = 0; i < 128; i++) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (unsigned int)(row->from + i)),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};
		struct sock_fprog program = { ARRAY_SIZE(code), code };

		OK(setsockopt(b.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
		OK(send_bytes(a.fd, b.id, text, sizeof(text), MSG_DONTWAIT));
		if (row->sees)
			EQ('P', OK(recv(b.fd, got, sizeof(got), MSG_DONTWAIT)));
		else
			GETS_NOTHING(b.fd);
	}
}
