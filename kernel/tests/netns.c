// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 5: network namespaces. */
#include "bus.h"

/* Runs a function in a new network namespace, in a child process. */
#define ELSEWHERE(story) do {						\
	int __status;							\
	pid_t __child = OK(fork());					\
									\
	if (!__child) {							\
		OK(unshare(CLONE_NEWNET));				\
		story;							\
		_exit(PASSED);						\
	}								\
	OK(waitpid(__child, &__status, 0));				\
	EQ(0, __status);						\
} while (0)

TEST(abstract_names_are_per_namespace)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1));

	ELSEWHERE({
		struct bus there;
		struct client b;

		FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
		there = open_bus("@bus");
		b = join_at(&there, ADDRESS(2, 1));
		EQ(1, b.id);
		OK(post(b.fd, GROUP(2), "there"));
		GETS(b.fd, b.id, "there");
	});
	GETS_NOTHING(a.fd);
}

TEST(bus_at_a_path_is_invisible_elsewhere)
{
	struct bus bus = open_bus("bus");

	ELSEWHERE({
		FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
		FAILS(EADDRINUSE, bind_to(bus_socket(), "bus"));
	});
	OK(connect_bus(bus_socket(), &bus));
}

/*
 * A socket belongs to the namespace in which it was made, wherever the process that holds it goes.
 */
TEST(client_keeps_its_bus_when_its_process_moves)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(unshare(CLONE_NEWNET));
	OK(post(a.fd, b.id, "x"));
	GETS(b.fd, a.id, "x");
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
}

/* The namespace's processes die with full queues and descriptors in flight. */
TEST(namespace_exit_tears_everything_down)
{
	for (int i = 0; i < 5; i++) {
		ELSEWHERE({
			struct bus bus = open_bus("@bus");
			struct client a = join(&bus);
			struct client b = join_at(&bus, ADDRESS(2, 1));

			OK(post_fds(a.fd, GROUP(2), "x", &b.fd, 1));
			fill(a.fd, b.id);
			OK(watch(a.accepted));
			attach(&bus);
			OK(connect_bus(bus_socket(), &bus));
		});
	}
}

TEST(namespace_outlived_by_a_socket_still_works)
{
	struct client a, b;
	struct bus bus;
	int home = OK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));

	OK(unshare(CLONE_NEWNET));
	bus = open_bus("@bus");
	a = join(&bus);
	b = join(&bus);
	OK(setns(home, CLONE_NEWNET));
	OK(post(a.fd, b.id, "x"));
	GETS(b.fd, a.id, "x");
	FAILS(ECONNREFUSED, connect_bus(bus_socket(), &bus));
}

/* All processes in it are killed at once, in the middle of sends, receives, joins and connects. */
TEST_LONG(namespace_exits_under_load, 60)
{
	for (int round = 0; round < 10; round++) {
		pid_t leader = OK(fork());
		int status;

		if (!leader) {
			struct bus bus;

			OK(setpgid(0, 0));
			OK(unshare(CLONE_NEWNET));
			bus = open_bus("@bus");
			for (int i = 0; i < 4; i++) {
				struct client c = join_at(&bus, ADDRESS(2, i));
				struct message m;

				if (!OK(fork()))
					for (;;)
						post_fds(c.fd, GROUP(2), "x", &c.fd, 1);
				if (!OK(fork()))
					for (;;) {
						take_flags(c.fd, &m, 0);
						close_fds(&m);
					}
				if (!OK(fork()))
					for (;;)
						post_wait(c.fd, GROUP(2), "waits");
			}
			for (;;) {
				struct client c = join(&bus);

				watch(c.accepted);
				close_client(&c);
			}
		}
		/*
		 * The parent sets it as well: the child may not have run by the
		 * time it is killed.
		 */
		setpgid(leader, leader);
		usleep(50000);
		kill(-leader, SIGKILL);
		EQ(leader, OK(waitpid(leader, &status, 0)));
		EQ(SIGKILL, WTERMSIG(status));
	}
}
