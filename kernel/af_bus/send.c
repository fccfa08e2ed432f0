// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending: checks the call, builds the message, and drives it through route,
 * filter, admit and commit.
 */

#include <linux/slab.h>
#include <net/af_bus.h>
#include "addr.h"
#include "af_bus.h"
#include "budget.h"
#include "bus.h"
#include "fastpath.h"
#include "msg.h"
#include "name.h"
#include "ops.h"
#include "pollout.h"
#include "sock.h"

/* Rounds after which a send does not let changes overtake it any more. */
#define AFBUS_MAX_OVERTAKEN	3

/* Whether there is a destination path: zeros alone are none. */
static bool afbus_has_path(const struct sockaddr_bus *addr, int len)
{
	int room = len - (int)offsetof(struct sockaddr_bus, sbus_path);

	return room > 0 && memchr_inv(addr->sbus_path, 0, room);
}

/* Whether a destination path leads off the bus. */
static noinline_for_stack bool afbus_is_foreign(const struct afbus_sock *s,
						const struct sockaddr_bus *addr,
						int len)
{
	/* Pairs with the release in afbus_connect(). */
	const struct afbus_name *used = smp_load_acquire(&s->used_name);
	struct afbus_name name;

	if (afbus_name_parse(&name, addr, len))
		return true;
	return !afbus_name_equal(&name, &s->bus->name) &&
	       !(used && afbus_name_equal(&name, used));
}

static int afbus_send_dst(struct afbus_send *s, struct msghdr *msg)
{
	const struct sockaddr_bus *addr = msg->msg_name;

	if (!msg->msg_namelen)
		return 0;

	if (msg->msg_namelen < offsetofend(struct sockaddr_bus, sbus_addr) ||
	    msg->msg_namelen > sizeof(*addr) ||
	    addr->sbus_family != afbus_family)
		return -EINVAL;
	if (afbus_has_path(addr, msg->msg_namelen) &&
	    afbus_is_foreign(s->from, addr, msg->msg_namelen))
		return -EHOSTUNREACH;

	s->dst = addr->sbus_addr.s_addr;
	return 0;
}

static int afbus_send_check(struct afbus_send *s, struct msghdr *msg)
{
	struct sock *sk = &s->from->sk;
	int err;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!s->bus || s->from->kind == AFBUS_LISTENER)
		return -ENOTCONN;

	err = sock_error(sk);
	if (err)
		return err;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;

	err = afbus_send_dst(s, msg);
	if (err)
		return err;
	if (s->from->kind == AFBUS_CLIENT && s->dst != BUS_MASTER_ADDR &&
	    !READ_ONCE(s->from->joined))
		return -EHOSTUNREACH;

	if ((long)s->len > afbus_sndbuf(s->from) - 32)
		return -EMSGSIZE;
	return 0;
}

/* Build the message, before its recipients are looked for. */
static int afbus_send_build(struct afbus_send *s, struct msghdr *msg)
{
	int err;

	err = afbus_scm_build(s, msg);
	if (err)
		return err;
	err = afbus_payload_charge(s);
	if (err)
		return err;
	err = afbus_payload_alloc(s);
	if (err)
		return err;
	afbus_msg_begin(s);
	return afbus_payload_fill(s, msg);
}

/* The protocol reads a multicast once, and may then rule out recipients. */
static void afbus_send_read(struct afbus_send *s)
{
	const struct afbus_protocol *protocol = s->from->protocol;

	if (protocol->read && afbus_addr_is_multicast(s->dst))
		s->marks = protocol->read(s->bus->data, s->msg->skb,
					  s->scm.fp ? s->scm.fp->count : 0,
					  s->scratch);
}

enum afbus_attempt {
	AFBUS_SENT,
	AFBUS_FAILED,		/* for good: afbus_send.err */
	AFBUS_UNPREPARED,	/* afbus_send_prepare() comes first */
	AFBUS_BLOCKED,		/* it waits in lines, and may sleep now */
};

/* There is no room somewhere: wait for it, or fail. */
static enum afbus_attempt afbus_send_block(struct afbus_send *s)
{
	if (s->timeo) {
		afbus_wait_begin(s);
		return AFBUS_BLOCKED;
	}
	s->err = -EAGAIN;
	/*
	 * If its own queue is full, afbus_wait_own() has asked for the wake-up.
	 */
	if (s->own_full)
		return AFBUS_FAILED;
	if (afbus_pollout_is_lacking(s))
		return AFBUS_UNPREPARED;
	afbus_pollout_refuse(s);
	return AFBUS_FAILED;
}

static enum afbus_attempt afbus_send_try(struct afbus_send *s)
{
	s->err = afbus_route(s);
	if (s->err)
		return AFBUS_FAILED;
	if ((s->missing || s->unmade) && !afbus_filter_direct(s))
		return AFBUS_UNPREPARED;

	switch (afbus_admit(s)) {
	case AFBUS_ADMITTED:
		afbus_commit(s);
		return AFBUS_SENT;
	case AFBUS_NO_ROOM:
		return afbus_send_block(s);
	case AFBUS_REFUSED_BY_POLICY:
		break;
	}
	s->err = -ENOBUFS;
	return AFBUS_FAILED;
}

/* Not under the bus lock: any number of threads may poll the socket. */
static void afbus_send_wake_own(struct afbus_send *s)
{
	if (likely(!s->wake_own))
		return;
	s->wake_own = false;
	afbus_wake_pollout(s->from);
}

/* One attempt: route, admit and commit under one hold of the lock. */
static enum afbus_attempt afbus_send_attempt(struct afbus_send *s)
{
	struct afbus_bus *bus = s->bus;
	enum afbus_attempt attempt;

	spin_lock(&bus->lock);
	if (s->waits)
		afbus_wait_dequeue(s);
	attempt = afbus_send_try(s);
	/* Waiters are in the array of recipients, which may move. */
	if (s->waits && attempt != AFBUS_BLOCKED &&
	    (attempt != AFBUS_UNPREPARED || s->missing))
		afbus_wait_end(s);
	spin_unlock(&bus->lock);

	if (s->touched)
		afbus_wait_hand_over(s);
	afbus_send_wake_own(s);
	return attempt;
}

/*
 * Get the memory that the recipients known by now may need, and then hold
 * changes up: a send that waits for memory holds up nobody.
 */
static int afbus_send_reserve_and_hold(struct afbus_send *s)
{
	int err = afbus_reserve_fill(s);

	if (!err && mutex_lock_killable(&s->bus->change_lock))
		err = -EINTR;
	if (err)
		afbus_reserve_end(s);
	else
		s->holds_changes = true;
	return err;
}

/*
 * Changes of policy can overtake a send again and again: each may give it
 * another recipient, or another verdict. After some rounds the send holds
 * changes up until it is sent or goes to sleep, so the next round is its last
 * one, unless clients leave or the reserve is too small.
 */
static int afbus_send_hold_changes(struct afbus_send *s)
{
	if (s->holds_changes || s->overtaken++ < AFBUS_MAX_OVERTAKEN)
		return 0;
	afbus_reserve_begin(s);
	return afbus_send_reserve_and_hold(s);
}

/*
 * The changes that came before the lock have given it more recipients than it
 * has memory for: let go, get more, and hold changes up once more.
 *
 * This ends. The array of recipients has grown by an eighth each time, or the
 * spare copies of a part of the reserve have doubled, and neither shrinks while
 * the send does not sleep. While changes are held up, nobody needs more than
 * two copies: one as a member and, after leaving the group, one as an
 * eavesdropper. And there are never more recipients than clients on the bus,
 * which max_clients limits, and one accepted socket.
 */
static noinline int afbus_send_hold_anew(struct afbus_send *s)
{
	int err = 0;

	s->holds_changes = false;
	mutex_unlock(&s->bus->change_lock);

	if (s->missing)
		err = afbus_route_grow(s);
	if (!err)
		return afbus_send_reserve_and_hold(s);
	afbus_reserve_end(s);
	return err;
}

static void afbus_send_admit_changes(struct afbus_send *s)
{
	s->overtaken = 0;
	if (!s->holds_changes)
		return;
	s->holds_changes = false;
	mutex_unlock(&s->bus->change_lock);
	afbus_reserve_end(s);
}

static int afbus_send_grow(struct afbus_send *s)
{
	afbus_filter_forget(s);
	if (likely(!s->holds_changes))
		return afbus_route_grow(s);
	/* Those that are forgotten may have made room enough. */
	return s->nr + s->missing <= s->cap ? 0 : afbus_send_hold_anew(s);
}

static int afbus_send_copy(struct afbus_send *s)
{
	int err;

	err = afbus_send_hold_changes(s) ?: afbus_filter_copies(s);
	return err == AFBUS_RESERVE_MORE ? afbus_send_hold_anew(s) : err;
}

/* Make ready what the last attempt lacked. */
static int afbus_send_prepare(struct afbus_send *s)
{
	if (s->missing)
		return afbus_send_grow(s);
	if (s->unmade)
		return afbus_send_copy(s);
	/* There is no room for it: changes need not wait. */
	afbus_send_admit_changes(s);
	return afbus_pollout_prepare(s);
}

static int afbus_send_sleep(struct afbus_send *s)
{
	int err;

	afbus_send_admit_changes(s);
	err = afbus_wait_sleep(s);
	if (!err)
		afbus_filter_expire(s);
	return err;
}

/*
 * The sleep ended without success: leave all lines. After a timeout the sender
 * gets POLLOUT when there is room; after a signal it keeps its place in the
 * line, since it may try again.
 */
static int afbus_send_give_up(struct afbus_send *s, int err)
{
	if (!s->own_full && !s->pollout && afbus_pollout_prepare(s) &&
	    err == -EAGAIN)
		err = -ENOMEM;

	spin_lock(&s->bus->lock);
	afbus_wait_end(s);
	if (!s->own_full && s->pollout && !afbus_route(s) && s->full->live) {
		if (err == -EAGAIN)
			afbus_pollout_refuse(s);
		else
			afbus_pollout_keep(s);
	}
	spin_unlock(&s->bus->lock);
	afbus_wait_hand_over(s);
	afbus_send_wake_own(s);
	return err;
}

static int afbus_send_deliver(struct afbus_send *s)
{
	int err = 0;

	while (!err) {
		switch (afbus_send_attempt(s)) {
		case AFBUS_SENT:
			afbus_send_admit_changes(s);
			return 0;
		case AFBUS_FAILED:
			afbus_send_admit_changes(s);
			return s->err;
		case AFBUS_UNPREPARED:
			err = afbus_send_prepare(s);
			break;
		case AFBUS_BLOCKED:
			err = afbus_send_sleep(s);
			break;
		}
	}
	afbus_send_admit_changes(s);
	return s->waits ? afbus_send_give_up(s, err) : err;
}

/* Give the payload back to a caller that tries again, as io_uring does. */
static void afbus_send_give_back(struct msghdr *msg, size_t len)
{
	iov_iter_revert(&msg->msg_iter, len - msg_data_left(msg));
}

/* End the original, unless it is in a queue: then it belongs to the reader. */
static void afbus_send_end_msg(struct afbus_send *s)
{
	if (s->committed) {
		if (!s->direct) {
			if (s->unpaid)
				afbus_msg_read(s->msg, s->unpaid);
			afbus_msg_put(s->msg);
		}
		return;
	}

	if (s->msg)
		afbus_msg_put(s->msg);
	else
		kfree_skb(s->skb);
}

/*
 * Free a copy that was not queued, and end the charges for an evicted client.
 */
static void afbus_send_end_rcpt(struct afbus_send *s, struct afbus_rcpt *r)
{
	afbus_filter_unmake(s, r);
	if (s->committed && r->evict) {
		afbus_tell_shut(s->bus);
		afbus_addr_drop_all(r->to);
		afbus_end_charges(r->to);
	}
}

static void afbus_send_end(struct afbus_send *s)
{
	struct afbus_rcpt *r;
	unsigned int n = 0;

	if (!s->committed)
		afbus_filter_undo_direct(s);
	afbus_for_each_rcpt(r, s) {
		if (r->copy == AFBUS_COPY_QUEUED)
			afbus_announce(r);
		else
			afbus_send_end_rcpt(s, r);
		sock_put(&r->to->sk);
		afbus_take_breath(&n);
	}
	if (s->rcpts != s->inline_rcpts)
		kvfree(s->rcpts);
	/* Usually there is none: skip the call. */
	if (s->pollout)
		afbus_pollout_free(s);
	/* Usually the message has taken both. */
	if (s->scm.pid || s->scm.fp)
		afbus_scm_end(s);
	afbus_send_end_msg(s);
	if (s->charged)
		afbus_uncharge_quietly(s->from, s->weight);
}

/*
 * Field by field: to clear the whole structure, the compiler would use a string
 * instruction, which takes longer than all of this.
 */
static void afbus_send_begin(struct afbus_send *s)
{
	s->dst = BUS_MASTER_ADDR;
	s->unpaid = 0;
	s->scm = (struct scm_cookie){};
	s->msg = NULL;
	s->marks = NULL;
	/* As in afbus_filter_renew(). */
	s->verdicts = smp_load_acquire(&s->from->verdicts_from);
	s->skb = NULL;

	s->nr = 0;
	s->live = 0;
	s->missing = 0;
	s->unmade = 0;
	s->overtaken = 0;

	s->pollout = NULL;
	/* The rest of it is for afbus_wait_begin(). */
	s->wait.ticket = 0;

	s->holds_changes = false;
	s->made = false;
	s->direct = false;
	s->committed = false;
	s->charged = false;
	s->unrouted = false;
	s->own_full = false;
	s->waits = false;
	s->touched = false;
	s->wake_own = false;
}

static noinline int afbus_send(struct socket *sock, struct msghdr *msg,
			       size_t len, u64 *scratch)
{
	/* Written before they are read, so they need no zeros. */
	struct afbus_rcpt rcpts[AFBUS_INLINE_RCPTS] __uninitialized;
	struct afbus_send s __uninitialized;
	int err;

	s.from = afbus_sk(sock->sk);
	s.bus = afbus_sock_bus(s.from);
	s.len = len;
	s.weight = afbus_weight(len);
	s.rcpts = rcpts;
	s.inline_rcpts = rcpts;
	s.cap = ARRAY_SIZE(rcpts);
	s.scratch = scratch;
	afbus_send_begin(&s);

	err = afbus_send_check(&s, msg);
	if (err)
		return err;

	s.timeo = sock_sndtimeo(sock->sk, msg->msg_flags & MSG_DONTWAIT);
	err = afbus_send_build(&s, msg);
	if (!err && s.from->protocol)
		afbus_send_read(&s);
	if (!err)
		err = afbus_send_deliver(&s);
	if (err)
		afbus_send_give_back(msg, len);

	afbus_send_end(&s);
	return err ?: len;
}

/* A call of its own, so that the stack of other sends has no scratch space. */
static noinline int afbus_send_protocol(struct socket *sock,
					struct msghdr *msg, size_t len)
{
	u64 scratch[AFBUS_SCRATCH / sizeof(u64)] __uninitialized;

	scratch[0] = 0;
	return afbus_send(sock, msg, len, scratch);
}

int afbus_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	if (afbus_sk(sock->sk)->protocol)
		return afbus_send_protocol(sock, msg, len);
	return afbus_send(sock, msg, len, NULL);
}
