// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routing: from a destination to the set of recipients, each once.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <net/af_bus.h>
#include "addr.h"
#include "bus.h"
#include "fastpath.h"
#include "sock.h"

/*
 * A socket whose stamp equals the bus's has the entry rcpts[slot]. Its slot is
 * this one if the array was full when the walk met the socket.
 */
#define AFBUS_SLOT_MISSING	UINT_MAX

static void afbus_route_begin(struct afbus_send *s)
{
	unsigned int i;

	lockdep_assert_held(&s->bus->lock);

	s->bus->stamp++;
	for (i = 0; i < s->nr; i++) {
		s->rcpts[i].live = false;
		s->rcpts[i].to->stamp = s->bus->stamp;
		s->rcpts[i].to->slot = i;
	}
	s->live = 0;
	s->missing = 0;
	s->unmade = 0;
	s->unrouted = false;
}

/* The entry of a recipient met for the first time; NULL if none is free. */
static __always_inline struct afbus_rcpt *
afbus_route_new(struct afbus_send *s, struct afbus_sock *to)
{
	struct afbus_rcpt *r;

	to->stamp = s->bus->stamp;
	if (s->nr == s->cap) {
		to->slot = AFBUS_SLOT_MISSING;
		s->missing++;
		return NULL;
	}

	to->slot = s->nr++;
	r = &s->rcpts[to->slot];
	/* The waiter is filled in when the send joins the recipient's line. */
	memset_after(r, 0, waiter);
	r->to = to;
	sock_hold(&to->sk);
	return r;
}

/* The entry of a recipient of an earlier walk; NULL if this walk has met it. */
static __always_inline struct afbus_rcpt *
afbus_route_again(struct afbus_send *s, struct afbus_sock *to)
{
	struct afbus_rcpt *r;

	if (to->slot == AFBUS_SLOT_MISSING)
		return NULL;
	r = &s->rcpts[to->slot];
	return r->live ? NULL : r;
}

static __always_inline void afbus_route_add(struct afbus_send *s,
					    struct afbus_sock *to, bool eaves)
{
	struct afbus_rcpt *r;

	lockdep_assert_held(&s->bus->lock);

	r = to->stamp == s->bus->stamp ? afbus_route_again(s, to) :
					 afbus_route_new(s, to);
	if (!r)
		return;
	r->live = true;
	s->live++;
	r->eaves = eaves;
	r->evict = false;
	if (afbus_copy_is_stale(r))
		s->unmade++;
}

/*
 * The client that holds an address, if it has joined. A sender remembers the
 * last one that it found, until afbus_bus.routes changes: for a new holder, but
 * also for what concerns multicasts alone, such as a change of a rule.
 */
static struct afbus_sock *afbus_route_find(struct afbus_sock *from, u64 dst)
{
	struct afbus_bus *bus = from->bus;
	struct afbus_sock *to;

	lockdep_assert_held(&bus->lock);

	if (from->last_dst == dst && from->last_routes == bus->routes)
		return from->last_to;

	to = afbus_addr_find(bus, dst);
	if (!to || !to->joined)
		return NULL;
	from->last_dst = dst;
	from->last_to = to;
	from->last_routes = bus->routes;
	return to;
}

static bool afbus_receives(const struct afbus_sock *to)
{
	return !(to->sk.sk_shutdown & RCV_SHUTDOWN);
}

/* Maximum of classes for which a sieve is looked at under the bus lock. */
#define AFBUS_MAX_PROBES	8

/*
 * Whether a client may have a rule for a message. If its sieve has none of the
 * message's marks, it has no such rule.
 */
static __always_inline bool afbus_may_want(const struct afbus_sieve *sieve,
					   const struct afbus_marks *marks)
{
	u32 classes = READ_ONCE(sieve->classes);
	unsigned int class;

	/*
	 * The client has got the bus's first rule of a class since the message
	 * was read: the message has no mark for that class.
	 */
	if (classes & ~marks->classes)
		return true;
	classes &= marks->fitting;
	/* With more classes, leave it to the verdict, which needs no lock. */
	if (hweight32(classes) > AFBUS_MAX_PROBES)
		return true;
	for (; classes; classes &= classes - 1) {
		class = __ffs(classes);
		if (!(marks->bits[class] & ~sieve->words[marks->words[class]]))
			return true;
	}
	return false;
}

/*
 * Whether the protocol rules out a member. A member that was a recipient in an
 * earlier walk is not ruled out here: its verdict holds, or is asked for again.
 */
static __always_inline bool afbus_route_passes_by(const struct afbus_send *s,
						  const struct afbus_sock *to)
{
	if (to->stamp == s->bus->stamp && !s->rcpts[to->slot].eaves)
		return false;
	return !afbus_may_want(to->data, s->marks);
}

static __always_inline void afbus_route_member(struct afbus_send *s,
					       struct afbus_sock *to, bool pick)
{
	if (afbus_receives(to) && !(pick && afbus_route_passes_by(s, to)))
		afbus_route_add(s, to, false);
}

static __always_inline void afbus_route_members(struct afbus_send *s, bool pick)
{
	struct afbus_member *member;
	struct afbus_group *group;
	struct afbus_sock *to;
	u16 prefix = afbus_addr_prefix(s->dst);

	lockdep_assert_held(&s->bus->lock);

	if (!prefix) {
		list_for_each_entry(to, &s->bus->joined, joined_node)
			afbus_route_member(s, to, pick);
		return;
	}

	group = afbus_addr_group(s->bus, prefix);
	if (!group)
		return;
	list_for_each_entry(member, &group->members, group_node) {
		if (member->client->joined)
			afbus_route_member(s, member->client, pick);
	}
}

/* Two calls that are compiled apart: without a protocol no member is tested. */
static void afbus_route_multicast(struct afbus_send *s)
{
	if (s->marks)
		afbus_route_members(s, true);
	else
		afbus_route_members(s, false);
}

/* The master's side of the sender's pair; NULL if the master has left. */
static struct afbus_sock *afbus_route_default(struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	s->unrouted = true;
	return s->from->kind == AFBUS_ACCEPTED ? s->from : s->from->peer;
}

static bool afbus_is_stranger(const struct afbus_sock *s)
{
	return s->kind == AFBUS_CLIENT && !s->joined;
}

/* @watched: result: eavesdroppers hear it; no stranger sends it or gets it. */
static int afbus_route_unicast(struct afbus_send *s, bool *watched)
{
	struct afbus_sock *from = s->from, *to;

	lockdep_assert_held(&s->bus->lock);

	if (s->dst == BUS_MASTER_ADDR)
		to = from->peer;
	else
		to = afbus_route_find(from, s->dst) ?: afbus_route_default(s);

	if (!to)
		return from->kind == AFBUS_ACCEPTED ? -EPIPE : -ECONNREFUSED;
	if (!afbus_receives(to))
		return -EPIPE;
	*watched = !afbus_is_stranger(from) && !afbus_is_stranger(to);
	afbus_route_add(s, to, false);
	return 0;
}

static int afbus_route_anew(struct afbus_send *s)
{
	struct afbus_sock *from = s->from, *to;
	bool watched = true;
	int err = 0;

	lockdep_assert_held(&s->bus->lock);

	afbus_route_begin(s);
	if (afbus_addr_is_multicast(s->dst))
		afbus_route_multicast(s);
	else
		err = afbus_route_unicast(s, &watched);
	if (err)
		return err;

	list_for_each_entry(to, &s->bus->eaves, eaves_node) {
		if (watched && afbus_receives(to))
			afbus_route_add(s, to, true);
	}
	/* The protocol's verdicts on this sender have changed. */
	if (s->verdicts != from->verdicts_from)
		s->unmade = s->live;
	return 0;
}

/*
 * Whether the recipients that the last walk found still hold: since then only
 * their copies were made. A sender whose socket waits for POLLOUT walks anew
 * under each hold of the lock: afbus_pollout_settle() goes by the marks of its
 * walk, which the walks of other senders overwrite.
 */
static bool afbus_route_holds(const struct afbus_send *s)
{
	lockdep_assert_held(&s->bus->lock);

	return s->made && s->routes == s->bus->routes &&
	       list_empty(&s->from->pollout_waiters);
}

/**
 * afbus_route() - find the recipients of a message
 * @s: the send; rcpts that are not recipients any more are kept, not live
 *
 * Return: 0, with @s->missing and @s->unmade telling what has to be prepared
 * first; -EPIPE, -EHOSTUNREACH, -ECONNREFUSED if the message cannot go there.
 */
__fastpath int afbus_route(struct afbus_send *s)
{
	struct afbus_sock *from = s->from;
	bool holds = afbus_route_holds(s);

	s->made = false;
	if (from->sk.sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	if (afbus_is_stranger(from) && s->dst != BUS_MASTER_ADDR)
		return -EHOSTUNREACH;

	if (holds) {
		s->unmade = 0;
		return 0;
	}
	s->routes = s->bus->routes;
	return afbus_route_anew(s);
}

/**
 * afbus_route_grow() - make room for the recipients that the route missed
 * @s: the send, in no line
 *
 * The array grows by an eighth at least and never shrinks: a route does not
 * miss recipients again and again, however they change.
 *
 * Return: 0 or -ENOMEM.
 */
__fastpath int afbus_route_grow(struct afbus_send *s)
{
	unsigned int cap = s->cap + s->missing + max(s->cap, s->missing) / 8;
	struct afbus_rcpt *rcpts;

	rcpts = kvmalloc_array(cap, sizeof(*rcpts), GFP_KERNEL_ACCOUNT);
	if (!rcpts)
		return -ENOMEM;

	memcpy(rcpts, s->rcpts, s->nr * sizeof(*rcpts));
	if (s->rcpts != s->inline_rcpts)
		kvfree(s->rcpts);
	s->rcpts = rcpts;
	s->cap = cap;
	return 0;
}
