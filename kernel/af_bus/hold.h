/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_HOLD_H
#define _AF_BUS_HOLD_H

/* Bus sockets in flight: who holds them, and the collector of those that nobody can reach. */

#include <linux/list.h>
#include <net/scm.h>

struct afbus_sock;

/* A user with that many bus sockets in flight has to wait for the collector. */
#define AFBUS_GC_MANY		(8 * SCM_MAX_FD)

/**
 * enum afbus_gc_state - where a socket in flight is in a collection
 * @AFBUS_GC_IDLE: it has no part in it, or its part is over
 * @AFBUS_GC_CANDIDATE: it may be garbage
 * @AFBUS_GC_ALIVE: it is not garbage; what it holds is still to be revived
 */
enum afbus_gc_state {
	AFBUS_GC_IDLE,
	AFBUS_GC_CANDIDATE,
	AFBUS_GC_ALIVE,
};

/**
 * struct afbus_hold - bus sockets that one copy in a queue refers to
 * @node: in afbus_sock.gc_holds of the socket whose queue that is
 * @round: the last walk of the collector that has met it
 * @fp: descriptors of the copy. NULL for an accepted socket in the backlog of
 *	the listening socket: then this is its afbus_sock.gc_place
 */
struct afbus_hold {
	struct list_head		node;
	unsigned long			round;
	const struct scm_fp_list	*fp;
};

/* hold.c */
unsigned int afbus_hold_count(const struct scm_fp_list *fp);
struct afbus_hold *afbus_hold_alloc(const struct scm_fp_list *fp);
void afbus_hold_add(struct afbus_hold *hold, struct afbus_sock *to);
void afbus_hold_del(struct afbus_hold *hold);
void afbus_hold_peek(struct afbus_hold *hold);
void afbus_hold_accept(struct afbus_sock *accepted);
void afbus_hold_forget(struct afbus_sock *s);

/* gc.c */
void afbus_gc_run(void);
void afbus_gc_throttle(void);
void afbus_gc_exit(void);

#endif /* _AF_BUS_HOLD_H */
