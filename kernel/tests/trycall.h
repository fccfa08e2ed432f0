/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that run out of memory, or meet memory that cannot be accessed, at every possible point.
 *
 * Each call is tried in a fresh fixture, once for each of its points of failure (fault.h). Whatever
 * fails, the error is a clean one, the call has happened completely or not at all, and the bus goes
 * on.
 */
#ifndef TRYCALL_H
#define TRYCALL_H

#include "bus.h"
#include "fault.h"

enum { MEMBERS = 5 };

/* The sockets that a call is tried on: made anew for each try. */
struct fixture {
	struct bus bus;
	struct client a, b;		/* b holds an address in group 2 */
	struct client members[MEMBERS];	/* of group 3 */
	struct client spy;
	int fd, other;			/* for what else a call needs */
	struct message got;
};

static const char path[] = "/mnt/fault";

static inline struct fixture make_fixture(int crowd)
{
	struct fixture f = { .bus = open_bus("@bus"), .fd = -1, .other = -1, .spy = { .fd = -1 } };

	f.a = join(&f.bus);
	f.b = join_at(&f.bus, ADDRESS(2, 1));
	for (int i = 0; crowd && i < MEMBERS; i++)
		f.members[i] = join_at(&f.bus, ADDRESS(3, i));
	if (crowd) {
		f.spy = join(&f.bus);
		OK(watch(f.spy.accepted));
	}
	return f;
}

/* What has not been touched still works. */
static inline void check_fixture(struct fixture *f)
{
	struct client c = join_at(&f->bus, ADDRESS(9, 9));

	drain(f->a.fd);
	OK(post(c.fd, f->a.id, "still there"));
	GETS(f->a.fd, c.id, "still there");
	OK(post(f->a.fd, ADDRESS(9, 9), "yes"));
	GETS(c.fd, f->a.id, "yes");
	close_client(&c);
}

static inline void close_fixture(struct fixture *f)
{
	if (f->spy.fd >= 0) {
		for (int i = 0; i < MEMBERS; i++)
			close_client(&f->members[i]);
		close_client(&f->spy);
	}
	close_client(&f->a);
	close_client(&f->b);
	close(f->bus.fd);
	if (f->fd >= 0)
		close(f->fd);
	if (f->other >= 0)
		close(f->other);
	unlink(path);
}

/*
 * One call: what comes before it, the call itself, and what must hold after it failed or succeeded.
 * @crowd: there are a group and an eavesdropper. @also: an error that it may fail with besides
 * ENOMEM, ENOBUFS and EFAULT.
 */
struct call {
	const char *name;
	void (*before)(struct fixture *f);
	long (*call)(struct fixture *f);
	void (*failed)(struct fixture *f, int err);
	void (*done)(struct fixture *f, long result);
	int crowd;
	int also;
};

/* One try; true if the call got through without a failure. */
static inline int try_call(const struct call *c, unsigned int n)
{
	struct fixture f = make_fixture(c->crowd);
	int struck, err;
	long result;

	if (c->before)
		c->before(&f);
	arm(n);
	result = c->call(&f);
	err = errno;
	struck = disarm();

	if (result < 0) {
		check_error(c->name, n, struck, err, c->also);
		if (c->failed)
			c->failed(&f, err);
	} else {
		c->done(&f, result);
	}
	check_fixture(&f);
	close_fixture(&f);
	return !struck;
}

/* Descriptors for messages that carry some. */
static int files[2] = { -1, -1 };

static inline void open_files_to_send(struct fixture *f)
{
	if (files[0] < 0)
		files[0] = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
	f->other = bus_socket();
	files[1] = f->other;
}

#endif
