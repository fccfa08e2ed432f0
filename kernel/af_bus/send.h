/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_SEND_H
#define _AF_BUS_SEND_H

/*
 * One message on its way: included by the files that it goes through, see
 * "Life of a message" in af_bus.h.
 */

#include <linux/sched.h>
#include "bus.h"
#include "queue.h"
#include "sock.h"

/* Recipients that need no allocation. */
#define AFBUS_INLINE_RCPTS	3

/**
 * struct afbus_wait - a sender that waits for room: a send that sleeps, or a socket
 * @bus_node: in afbus_bus.blocked, .unrouted or .to_tell
 * @ticket: its place in every line; 0 if it never had to wait
 * @weight: what its message weighs; that of a socket, the last one refused
 * @task: the task that sleeps; NULL if @from is to be told by POLLOUT
 * @from: the socket, if there is no task
 * @pending: waiters of the send that were not called, and one before it sleeps
 * @woken: try again: there may be room, or the route has changed
 */
struct afbus_wait {
	struct list_head	bus_node;
	u64			ticket;
	unsigned int		weight;
	struct task_struct	*task;
	struct afbus_sock	*from;
	atomic_t		pending;
	bool			woken;
};

enum afbus_waiter_state {
	AFBUS_IDLE,
	AFBUS_WAITING,
	AFBUS_CALLED,
};

/**
 * struct afbus_waiter - a place in one recipient's line
 * @node: in afbus_line.waiting
 * @called_node: in afbus_line.called
 * @wait: the sender, to be told
 * @state: where it is linked
 *
 * Under the lock of the recipient's queue.
 */
struct afbus_waiter {
	union {
		struct rb_node		node;
		struct list_head	called_node;
	};
	struct afbus_wait	*wait;
	enum afbus_waiter_state	state;
};

/**
 * enum afbus_copy - what is known of a recipient's copy
 * @AFBUS_COPY_UNMADE: nothing: the message is still to be judged
 * @AFBUS_COPY_MADE: it was judged, and afbus_rcpt.skb is what came of it
 * @AFBUS_COPY_MISSED: it was judged, but an eavesdropper's had no memory
 * @AFBUS_COPY_QUEUED: it is in the recipient's queue
 */
enum afbus_copy {
	AFBUS_COPY_UNMADE,
	AFBUS_COPY_MADE,
	AFBUS_COPY_MISSED,
	AFBUS_COPY_QUEUED,
};

/**
 * struct afbus_rcpt - one recipient of a message being sent
 * @to: the recipient, with a reference
 * @waiter: its place in the recipient's line, once it had one
 * @skb: its copy; NULL if there is none
 * @verdicts: afbus_sock.verdicts_to as of when the message was judged
 * @copy: what is known of its copy
 * @live: is a recipient as of the last route
 * @eaves: gets it as an eavesdropper only
 * @made_eaves: value of @eaves when the message was judged
 * @filtered: a hook or a socket filter has had a say in it
 * @enlisted: @waiter is in use
 * @touched: the line is to be served when the bus lock is free
 * @evict: the copy does not fit and the recipient has to go
 */
struct afbus_rcpt {
	struct afbus_waiter	waiter;
	struct afbus_sock	*to;
	struct sk_buff		*skb;
	unsigned long		verdicts;
	enum afbus_copy		copy;
	bool			live:1;
	bool			eaves:1;
	bool			made_eaves:1;
	bool			filtered:1;
	bool			enlisted:1;
	bool			touched:1;
	bool			evict:1;
};

/* No error: there are more recipients than the reserve was made for. */
#define AFBUS_RESERVE_MORE	1

/**
 * struct afbus_reserve - copies of a message that are for no recipient yet
 * @first: the first of them, linked by their next
 * @nr: how many there are
 * @spare: how many there are to be beyond those that the last route asks for
 */
struct afbus_reserve {
	struct sk_buff		*first;
	unsigned int		nr;
	unsigned int		spare;
};

/**
 * struct afbus_send - one call of sendmsg()
 * @from: the sender
 * @bus: its bus
 * @dst: destination; BUS_MASTER_ADDR is the other half of the pair
 * @len: bytes of payload
 * @weight: what the message weighs
 * @scm: descriptors and credentials
 * @inflight: what the descriptors count against, if there are any in @scm
 * @buses: how many of them are bus sockets
 * @msg: what the copies share
 * @scratch: for the protocol, on the stack of the call; NULL without one
 * @marks: in there, what a multicast looks like; NULL if that is not known
 * @verdicts: afbus_sock.verdicts_from as of when the message was judged
 * @skb: the original; NULL before it is there, and while it is @direct
 * @rcpts: recipients, in no order
 * @inline_rcpts: @rcpts of the usual case, on the stack of the call
 * @nr: recipients met so far
 * @cap: room in @rcpts
 * @live: recipients of the last route that are in @rcpts
 * @missing: recipients of the last route that @rcpts has no room for
 * @unmade: recipients of the last route for which the message is to be judged
 *	and a copy made, for the first time or once more
 * @routes: afbus_bus.routes as of the last walk over recipients
 * @overtaken: how often there were such recipients
 * @full: the first recipient in the way, unless it is @own_full
 * @pollout: to leave there, if the send may not sleep
 * @timeo: what is left of the time to wait
 * @wait: how it sleeps
 * @err: why it failed
 * @reserve: copies that share the head of the original, and copies that have
 *	heads of their own; valid with @holds_changes
 * @short_of_memory: @reserve lacks some of them; valid with @holds_changes
 * @holds_changes: afbus_bus.change_lock is held
 * @made: a multicast whose copies were all made after the last walk
 * @direct: the original is the copy of the only recipient
 * @committed: the message has its place
 * @charged: the sender is charged for the send; else it is for the message
 * @unpaid: copies that @msg counts as unread and that are in no queue
 * @unrouted: the last route led along the default route
 * @own_full: the sender's own queue is in the way
 * @waits: it is in lines, or wants to be told of a change of the bus
 * @touched: some lines are to be served, see struct afbus_rcpt
 * @wake_own: those who poll the sender are to be woken when the bus lock is free
 */
struct afbus_send {
	struct afbus_sock	*from;
	struct afbus_bus	*bus;
	u64			dst;
	size_t			len;
	unsigned int		weight;
	unsigned int		unpaid;
	struct scm_cookie	scm;
	struct afbus_inflight	*inflight;
	unsigned int		buses;
	struct afbus_msg	*msg;
	void			*scratch;
	const struct afbus_marks *marks;
	unsigned long		verdicts;
	struct sk_buff		*skb;

	struct afbus_rcpt	*rcpts;
	struct afbus_rcpt	*inline_rcpts;
	unsigned int		nr;
	unsigned int		cap;
	unsigned int		live;
	unsigned int		missing;
	unsigned int		unmade;
	unsigned int		overtaken;
	u64			routes;

	struct afbus_rcpt	*full;
	struct afbus_pollout_waiter *pollout;
	long			timeo;
	struct afbus_wait	wait;
	int			err;

	struct afbus_reserve	reserve[2];
	bool			short_of_memory;

	bool			holds_changes;
	bool			made;
	bool			direct;
	bool			committed;
	bool			charged;
	bool			unrouted;
	bool			own_full;
	bool			waits;
	bool			touched;
	bool			wake_own;
};

/*
 * In a loop over recipients, of which there may be thousands: let others have
 * the processor now and then. Returns true when it has.
 */
static inline bool afbus_take_breath(unsigned int *n)
{
	if (likely(++*n % 64))
		return false;
	cond_resched();
	return true;
}

#define afbus_for_each_rcpt(r, s)					\
	for (struct afbus_rcpt *__end = ((r) = (s)->rcpts) + (s)->nr;	\
	     (r) < __end; (r)++)

/* The first that is a recipient as of the last route; @end if there is none. */
static inline struct afbus_rcpt *afbus_live_from(struct afbus_rcpt *r,
						 const struct afbus_rcpt *end)
{
	while (r < end && !r->live)
		r++;
	return r;
}

#define afbus_for_each_live(r, s)					\
	for (struct afbus_rcpt *__end = ((r) = (s)->rcpts) + (s)->nr;	\
	     ((r) = afbus_live_from(r, __end)) < __end; (r)++)

/* hook.c */
extern struct nf_hook_entries __rcu *afbus_hooks;

/* Whether there may be hooks. */
static inline bool afbus_hook_present(void)
{
	return rcu_access_pointer(afbus_hooks);
}

int afbus_hook_verdict(struct afbus_send *s, struct afbus_rcpt *r);

/* line.c */
void afbus_line_serve(struct afbus_sock *s);
void afbus_line_kick(struct afbus_sock *s);
bool afbus_line_admits(struct afbus_sock *s, u64 ticket, unsigned int weight);
bool afbus_line_join(struct afbus_sock *s, struct afbus_waiter *w);
bool afbus_line_leave(struct afbus_sock *s, struct afbus_waiter *w,
		      bool called);

/* A line has changed: it is to be served once the bus lock is released. */
static inline void afbus_touch(struct afbus_send *s, struct afbus_rcpt *r)
{
	r->touched = true;
	s->touched = true;
}

/* wait.c */
void afbus_wait_tell(struct afbus_wait *wait);
void afbus_wait_dequeue(struct afbus_send *s);
void afbus_wait_end(struct afbus_send *s);
void afbus_wait_begin(struct afbus_send *s);
void afbus_wait_hand_over(struct afbus_send *s);
int afbus_wait_sleep(struct afbus_send *s);

/* pollout.c */
u64 afbus_pollout_ticket(const struct afbus_sock *from,
			 const struct afbus_sock *to);
u64 afbus_pollout_take_ticket(struct afbus_sock *from, struct afbus_sock *to);
bool afbus_pollout_is_lacking(const struct afbus_send *s);
int afbus_pollout_prepare(struct afbus_send *s);
void afbus_pollout_free(struct afbus_send *s);
void afbus_pollout_refuse(struct afbus_send *s);
void afbus_pollout_keep(struct afbus_send *s);
void afbus_pollout_settle(struct afbus_send *s);

/*
 * Whether a recipient takes the copy now. Waiters come first: room that is
 * kept for them is not room.
 */
static inline bool afbus_has_room(const struct afbus_send *s,
				  struct afbus_sock *to)
{
	lockdep_assert_held(&s->bus->lock);

	if (afbus_queue_full(to))
		return false;
	if (!READ_ONCE(to->line.nr))
		return true;
	return afbus_line_admits(to, s->wait.ticket ?:
				     afbus_pollout_ticket(s->from, to),
				 s->weight);
}

/* Whether the send must wait for the recipient. */
static inline bool afbus_lacks_room(const struct afbus_send *s,
				    const struct afbus_rcpt *r)
{
	if (r->eaves || !r->skb)
		return false;
	/* A full client is expelled, but an accepted socket has no client to be. */
	if (s->bus->overflow == BUS_OVERFLOW_EVICT &&
	    r->to->kind == AFBUS_CLIENT)
		return false;
	return !afbus_has_room(s, r->to);
}

#endif /* _AF_BUS_SEND_H */
