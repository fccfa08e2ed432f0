// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contract section 6: NF_BUS_SENDING is asked for each message and recipient. The hook itself is
 * hook/bus_hook.c, a module that is loaded for the duration of a test.
 */
#include "hook.h"

static unsigned long inode(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_ino;
}

static void deny(int fd)
{
	tell_hook("deny", inode(fd));
}

TEST(hook_is_called_once_for_each_message_and_recipient)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	load_hook();
	OK(post(a.fd, b.id, "unicast"));
	EQ(1, hook_says("calls"));
	EQ(a.id, hook_says("last_src"));
	EQ(b.id, hook_says("last_dst"));
	EQ(0, hook_says("multicast"));
	OK(post(a.fd, GROUP(2), "group"));
	EQ(3, hook_says("calls"));
	EQ(2, hook_says("multicast"));
	EQ(GROUP(2), hook_says("last_dst"));
	EQ(0, hook_says("to_master") + hook_says("from_master") + hook_says("eavesdrop"));
	EQ(0, hook_says("wrong"));
	EQ(2, drain(b.fd));
	EQ(1, drain(c.fd));
	unload_hook();
}

TEST(hooks_are_asked_by_their_priorities_until_one_drops)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	load_hook();
	OK(post(a.fd, GROUP(2), "both"));
	EQ(2, hook_says("calls"));
	EQ(2, hook_says("late"));
	deny(b.fd);
	OK(post(a.fd, GROUP(2), "one"));
	EQ(4, hook_says("calls"));
	EQ(3, hook_says("late"));
	EQ(0, hook_says("wrong"));
	EQ(1, drain(b.fd));
	EQ(2, drain(c.fd));
	unload_hook();
}

TEST(hook_is_told_where_messages_come_from_and_go_to)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), e = join(&bus);

	load_hook();
	OK(post(a.fd, MASTER, "to the master"));
	EQ(1, hook_says("to_master"));
	OK(post(a.fd, 99, "default route"));
	EQ(2, hook_says("to_master"));
	OK(post(a.accepted, a.id, "from the master"));
	EQ(1, hook_says("from_master"));
	EQ(0, hook_says("eavesdrop"));
	OK(watch(e.accepted));
	OK(post(a.fd, MASTER, "overheard"));
	EQ(1, hook_says("eavesdrop"));
	EQ(3, hook_says("to_master"));
	EQ(5, hook_says("calls"));
	EQ(0, hook_says("wrong"));
	unload_hook();
}

/* The verdict of a hook holds until the sender sleeps. */
TEST(hook_is_asked_again_when_the_sender_has_slept)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));
	struct job j;

	load_hook();
	fill(a.fd, b.id);
	start_send(&j, a.fd, GROUP(2), "later");
	await_block(&j);
	deny(c.fd);
	make_room(b.fd);
	ends_with(&j, 0);
	drain_to_the_last(b.fd);
	GETS(b.fd, a.id, "later");
	GETS_NOTHING(c.fd);

	fill(a.fd, b.id);
	start_send(&j, a.fd, b.id, "later");
	await_block(&j);
	deny(b.fd);
	drain(b.fd);
	ends_with(&j, EPERM);
	GETS_NOTHING(b.fd);
	unload_hook();
}

TEST(eavesdropper_that_becomes_a_recipient_is_judged_as_one)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), w = join(&bus);
	struct job j;

	OK(watch(w.accepted));
	load_hook();
	tell_hook("about", inode(w.fd));
	fill(a.fd, b.id);
	start_send(&j, a.fd, GROUP(2), "later");
	await_block(&j);
	drain(w.fd);
	EQ(0, hook_says("as_recipient"));
	OK(add_address(w.accepted, ADDRESS(2, 2)));
	drain(b.fd);
	ends_with(&j, 0);
	GETS(w.fd, a.id, "later");
	CHECK(hook_says("as_recipient") > 0);
	unload_hook();
}

static const struct {
	const char *name;
	uint64_t to;
} unicasts[] = { { "unicast", 2 }, { "given_address", ADDRESS(2, 1) } };

TEST_EACH(dropped_unicast_fails_with_eperm, unicasts)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), e = join(&bus);

	OK(watch(e.accepted));
	load_hook();
	deny(b.fd);
	FAILS(EPERM, post(a.fd, row->to, "x"));
	FAILS(EPERM, post_wait(a.fd, row->to, "x"));
	GETS_NOTHING(b.fd);
	GETS_NOTHING(e.fd);
	GETS_NOTHING(a.accepted);
	tell_hook("deny", 0);
	OK(post(a.fd, row->to, "allowed"));
	GETS(b.fd, a.id, "allowed");
	unload_hook();
}

TEST(drop_may_bring_its_own_errno)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	load_hook();
	tell_hook("error", EACCES);
	deny(b.fd);
	FAILS(EACCES, post(a.fd, b.id, "x"));
	unload_hook();
}

TEST(dropped_message_to_the_master_fails)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	load_hook();
	deny(a.accepted);
	FAILS(EPERM, post(a.fd, MASTER, "x"));
	FAILS(EPERM, post(a.fd, 99, "x"));
	GETS_NOTHING(a.accepted);
	unload_hook();
}

TEST(dropped_copy_leaves_its_recipient_out_of_a_multicast)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	load_hook();
	deny(b.fd);
	EQ(1, OK(post(a.fd, GROUP(2), "x")));
	GETS_NOTHING(b.fd);
	GETS(c.fd, a.id, "x");
	unload_hook();
}

/* It is not asked, so the sender does not wait for it. */
TEST(full_recipient_that_is_denied_blocks_nobody)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1)), c = join_at(&bus, ADDRESS(2, 2));

	load_hook();
	fill(a.fd, b.id);
	deny(b.fd);
	OK(post(a.fd, GROUP(2), "x"));
	GETS(c.fd, a.id, "x");
	unload_hook();
}

/* Watching changes nothing: a verdict on an eavesdropper's copy fails no send. */
TEST(denied_eavesdropper_misses_the_copy)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus), e = join(&bus);

	OK(watch(e.accepted));
	load_hook();
	deny(e.fd);
	OK(post(a.fd, b.id, "x"));
	GETS(b.fd, a.id, "x");
	GETS_NOTHING(e.fd);
	unload_hook();
}

TEST(descriptors_of_a_dropped_message_are_closed)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	int fds[2];

	OK(pipe(fds));
	load_hook();
	deny(b.fd);
	FAILS(EPERM, post_fds(a.fd, b.id, "x", fds, 1));
	OK(post_fds(a.fd, GROUP(2), "x", fds, 1));
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	EVENTUALLY(write(fds[1], "x", 1) < 0);
	unload_hook();
}

/* A hook that takes its time holds up a message to many, but not the end of its sender. */
TEST(killed_sender_does_not_wait_for_the_last_verdict)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), members[150];
	pid_t sender;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		members[i] = join(&bus);
	load_hook();
	tell_hook("patience_ms", 5);
	sender = OK(fork());
	if (!sender) {
		post_wait(a.fd, EVERYONE, "x");
		_exit(PASSED);
	}
	EVENTUALLY(hook_says("calls"));
	OK(kill(sender, SIGKILL));
	EQ(sender, OK(waitpid(sender, NULL, 0)));
	CHECK(hook_says("calls") < ARRAY_SIZE(members));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		GETS_NOTHING(members[i].fd);
	unload_hook();
}

/* The hook comes and goes while messages are sent, some of which wait. */
TEST(hook_may_come_and_go_under_messages)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join_at(&bus, ADDRESS(2, 1));
	pid_t sender = OK(fork());
	struct message m;

	if (!sender)
		for (;;)
			post_wait(a.fd, GROUP(2), "x");
	for (int i = 0; i < 20; i++) {
		load_hook();
		while (!hook_says("calls"))
			OK(take_flags(b.fd, &m, 0));
		EVENTUALLY(!syscall(SYS_delete_module, "bus_hook", O_NONBLOCK));
		OK(take_flags(b.fd, &m, 0));
	}
	kill(sender, SIGKILL);
}
