/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_SEND_H
#define _AF_BUS_SEND_H

/*
 * One message on its way: included by the files that it goes through, see
 * "Life of a message" in af_bus.h.
 */

#include "af_bus.h"

/* Recipients that need no allocation. */
#define AFBUS_FEW_RCPTS		3

/**
 * struct afbus_seat - a place among the senders that wait for a queue
 * @node: in afbus_sock.seats
 * @send: who sits here
 * @called_at: when it was first told of room
 * @called: it was; written under the lock of the queue, read under the bus
 *	lock as well
 * @quiet: the sender waits for another recipient, and only keeps its place
 * @passed: messages that others got in since; written under the bus lock, read
 *	under either
 */
struct afbus_seat {
	struct list_head	node;
	struct afbus_send	*send;
	unsigned long		called_at;
	bool			called;
	bool			quiet;
	unsigned int		passed;
};

/**
 * struct afbus_claim - a sender that did not sleep, and wants to be told
 * @from: the sender
 * @to: the socket whose queue was full
 * @from_node: in afbus_sock.claims of the sender
 * @to_node: in afbus_sock.claimed of the recipient
 * @ticket: since when it waits; kept until a message gets through
 * @armed: still to be told; under the lock of the recipient's queue
 */
struct afbus_claim {
	struct afbus_sock	*from;
	struct afbus_sock	*to;
	struct list_head	from_node;
	struct list_head	to_node;
	u64			ticket;
	bool			armed;
};

/**
 * struct afbus_rcpt - one recipient of a message being sent
 * @to: the recipient, with a reference
 * @seat: its place in the recipient's queue of senders, once there is one
 * @skb: its copy; NULL if not made yet, or dropped
 * @live: is a recipient as of the last route
 * @eaves: gets it as an eavesdropper only
 * @judged: the hooks have seen its copy
 * @denied: they want it dropped
 * @made: @skb is final
 * @made_eaves: value of @eaves for which it is
 * @missed: there was no memory for the copy of an eavesdropper
 * @seated: @seat is taken
 * @left: @seat was given up, room may have to go to the next
 * @evict: the copy does not fit and the recipient has to go
 * @queued: the copy is in the queue
 */
struct afbus_rcpt {
	struct afbus_seat	seat;
	struct afbus_sock	*to;
	struct sk_buff		*skb;
	bool			live:1;
	bool			eaves:1;
	bool			judged:1;
	bool			denied:1;
	bool			made:1;
	bool			made_eaves:1;
	bool			missed:1;
	bool			seated:1;
	bool			left:1;
	bool			evict:1;
	bool			queued:1;
};

/**
 * struct afbus_send - one call of sendmsg()
 * @from: the sender
 * @bus: its bus
 * @dst: destination
 * @len: bytes of payload
 * @scm: descriptors and credentials
 * @inflight: what the descriptors count against, if there are any in @scm
 * @buses: how many of them are bus sockets
 * @msg: what the copies share
 * @scratch: for the protocol, on the stack of the call
 * @verdicts: afbus_bus.verdicts as of when copies were judged
 * @skb: the original; NULL before it is there, and while it is @direct
 * @rcpts: recipients, in no order
 * @few: @rcpts of the usual case, on the stack of the call
 * @nr: recipients met so far
 * @cap: room in @rcpts
 * @live: recipients of the last route that are in @rcpts
 * @missing: recipients of the last route that @rcpts has no room for
 * @unmade: recipients of the last route whose copy is not made yet
 * @rounds: how often it was called and still found no room
 * @full: the first recipient in the way, NULL if it is the sender's own queue
 * @claim: to leave there, if the send may not sleep
 * @timeo: what is left of the time to wait
 * @ticket: since when the send waits, 0 if it never had to
 * @task: who sends
 * @blocked_node: in afbus_bus.blocked
 * @to_peer: no destination was given
 * @prepared: the protocol has seen the original
 * @direct: the original is the copy of the only recipient
 * @committed: the message has its place
 * @stray: the last route led along the default route
 * @yields: @full has room, but others come first
 * @woken: there may be room, or the route has changed
 * @left: a seat was given up, see struct afbus_rcpt
 */
struct afbus_send {
	struct afbus_sock	*from;
	struct afbus_bus	*bus;
	u64			dst;
	size_t			len;
	struct scm_cookie	scm;
	struct afbus_inflight	*inflight;
	unsigned int		buses;
	struct afbus_msg	*msg;
	void			*scratch;
	u64			verdicts;
	struct sk_buff		*skb;

	struct afbus_rcpt	*rcpts;
	struct afbus_rcpt	*few;
	unsigned int		nr;
	unsigned int		cap;
	unsigned int		live;
	unsigned int		missing;
	unsigned int		unmade;
	unsigned int		rounds;

	struct afbus_rcpt	*full;
	struct afbus_claim	*claim;
	long			timeo;
	u64			ticket;
	struct task_struct	*task;
	struct list_head	blocked_node;

	bool			to_peer;
	bool			prepared;
	bool			direct;
	bool			committed;
	bool			stray;
	bool			yields;
	bool			woken;
	bool			left;
};

static inline bool afbus_waits(const struct afbus_send *s)
{
	return !list_empty(&s->blocked_node);
}

#define afbus_for_each_rcpt(r, s)					\
	for (struct afbus_rcpt *__end = ((r) = (s)->rcpts) + (s)->nr;	\
	     (r) < __end; (r)++)

#define afbus_for_each_live(r, s)	\
	afbus_for_each_rcpt(r, s)	\
		if ((r)->live)

/* hook.c */
extern struct nf_hook_entries __rcu *afbus_hooks;

/* Whether anyone may want to see messages. */
static inline bool afbus_hook_present(void)
{
	return rcu_access_pointer(afbus_hooks);
}

int afbus_hook_verdict(struct afbus_send *s, struct afbus_rcpt *r);

/* wait.c */
bool afbus_seats_let_pass(const struct afbus_sock *s, u64 ticket,
			  unsigned int room);
void afbus_seats_passed(struct afbus_sock *s, u64 ticket);
void afbus_wait_sit(struct afbus_send *s);
void afbus_wait_rise(struct afbus_send *s);
void afbus_wait_pass_on(struct afbus_send *s);
int afbus_wait_sleep(struct afbus_send *s);
void afbus_rouse(struct afbus_send *s);

/* claim.c */
u64 afbus_claim_ticket(const struct afbus_sock *from,
		       const struct afbus_sock *to);
bool afbus_claim_is_lacking(const struct afbus_send *s);
int afbus_claim_prepare(struct afbus_send *s);
void afbus_claim_free(struct afbus_send *s);
void afbus_claim_leave(struct afbus_send *s);
void afbus_claim_keep(struct afbus_send *s);
void afbus_claim_settle(struct afbus_send *s);

#endif /* _AF_BUS_SEND_H */
