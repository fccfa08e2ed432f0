/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that run out of memory, or meet memory that cannot be accessed, at every possible point.
 *
 * Each call is tried in a fresh world, once for each of its points of failure (fault.h). Whatever
 * fails, the error is a clean one, the call has happened completely or not at all, and the bus goes
 * on.
 */
#ifndef TRYCALL_H
#define TRYCALL_H

#include "bus.h"
#include "fault.h"

enum { MEMBERS = 5 };

/* The sockets that a call is tried on: made anew for each try. */
struct world {
	struct bus bus;
	struct client a, b;		/* b holds an address in group 2 */
	struct client members[MEMBERS];	/* of group 3 */
	struct client spy;
	int fd, other;			/* for what else a call needs */
	struct message got;
};

static const char path[] = "/mnt/fault";

static inline struct world make_world(int crowd)
{
	struct world w = { .bus = open_bus("@bus"), .fd = -1, .other = -1, .spy = { .fd = -1 } };

	w.a = join(&w.bus);
	w.b = join_at(&w.bus, ADDRESS(2, 1));
	for (int i = 0; crowd && i < MEMBERS; i++)
		w.members[i] = join_at(&w.bus, ADDRESS(3, i));
	if (crowd) {
		w.spy = join(&w.bus);
		OK(watch(w.spy.accepted));
	}
	return w;
}

/* What has not been touched still works. */
static inline void check_world(struct world *w)
{
	struct client c = join_at(&w->bus, ADDRESS(9, 9));

	drain(w->a.fd);
	OK(post(c.fd, w->a.id, "still there"));
	GETS(w->a.fd, c.id, "still there");
	OK(post(w->a.fd, ADDRESS(9, 9), "yes"));
	GETS(c.fd, w->a.id, "yes");
	close_client(&c);
}

static inline void end_world(struct world *w)
{
	if (w->spy.fd >= 0) {
		for (int i = 0; i < MEMBERS; i++)
			close_client(&w->members[i]);
		close_client(&w->spy);
	}
	close_client(&w->a);
	close_client(&w->b);
	close(w->bus.fd);
	if (w->fd >= 0)
		close(w->fd);
	if (w->other >= 0)
		close(w->other);
	unlink(path);
}

/*
 * One call: what comes before it, the call itself, and what must hold after it failed or succeeded.
 * @crowd: there are a group and an eavesdropper. @also: an error that it may fail with besides
 * ENOMEM, ENOBUFS and EFAULT.
 */
struct call {
	const char *name;
	void (*before)(struct world *w);
	long (*call)(struct world *w);
	void (*failed)(struct world *w, int err);
	void (*done)(struct world *w, long result);
	int crowd;
	int also;
};

/* One try; true if the call got through without a failure. */
static inline int try_call(const struct call *c, unsigned int n)
{
	struct world w = make_world(c->crowd);
	int struck, err;
	long result;

	if (c->before)
		c->before(&w);
	arm(n);
	result = c->call(&w);
	err = errno;
	struck = disarm();

	if (result < 0) {
		check_error(c->name, n, struck, err, c->also);
		if (c->failed)
			c->failed(&w, err);
	} else {
		c->done(&w, result);
	}
	check_world(&w);
	end_world(&w);
	return !struck;
}

/* Descriptors for messages that carry some. */
static int files[2] = { -1, -1 };

static inline void open_files_to_send(struct world *w)
{
	if (files[0] < 0)
		files[0] = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
	w->other = bus_socket();
	files[1] = w->other;
}

#endif
