/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_FASTPATH_H
#define _AF_BUS_FASTPATH_H

/*
 * What one file of the fast path calls in another. fastpath.c compiles all of
 * them as one unit, with these functions static; if a file is compiled alone,
 * as editors and sparse do, they are extern.
 */

#include "send.h"

#ifndef __fastpath
#define __fastpath
#endif

/* scm.c */
__fastpath int afbus_scm_build(struct afbus_send *s, struct msghdr *msg);
__fastpath void afbus_scm_end(struct afbus_send *s);
__fastpath int afbus_scm_dup(struct afbus_send *s, struct sk_buff *skb);
__fastpath void afbus_scm_undo(struct sk_buff *skb);
__fastpath void afbus_scm_address(struct afbus_send *s, struct afbus_rcpt *r);
__fastpath bool afbus_scm_watch(struct afbus_rcpt *r);
__fastpath struct scm_fp_list *afbus_scm_take(struct sk_buff *skb);
__fastpath int afbus_scm_recv(struct socket *sock, struct msghdr *msg,
			      struct sk_buff *skb, int flags);
__fastpath void afbus_msg_begin(struct afbus_send *s);
__fastpath void afbus_msg_end(struct afbus_msg *msg);
__fastpath void afbus_msg_put(struct afbus_msg *msg);
__fastpath void afbus_msg_read(struct afbus_msg *msg, unsigned int n);

/* queue.c */
__fastpath void afbus_queue_add(struct afbus_sock *to, struct sk_buff *skb);

/* payload.c */
__fastpath int afbus_payload_charge(struct afbus_send *s);
__fastpath int afbus_payload_alloc(struct afbus_send *s);
__fastpath int afbus_payload_fill(struct afbus_send *s, struct msghdr *msg);

/* route.c */
__fastpath int afbus_route(struct afbus_send *s);
__fastpath int afbus_route_grow(struct afbus_send *s);

/* Whether what was found out for a recipient does not hold any more. */
static __always_inline bool afbus_copy_is_stale(const struct afbus_rcpt *r)
{
	return r->copy == AFBUS_COPY_UNMADE || r->made_eaves != r->eaves ||
	       r->verdicts != READ_ONCE(r->to->verdicts_to);
}

/* reserve.c */
__fastpath void afbus_reserve_begin(struct afbus_send *s);
__fastpath int afbus_reserve_fill(struct afbus_send *s);
__fastpath struct sk_buff *afbus_reserve_take(struct afbus_send *s,
					      const struct afbus_rcpt *r,
					      bool own_head);
__fastpath void afbus_reserve_end(struct afbus_send *s);

/* filter.c */
__fastpath struct sk_buff *afbus_copy_spare(struct afbus_send *s, bool own_head);
__fastpath void afbus_filter_count(struct afbus_send *s, unsigned int nr[2]);
__fastpath bool afbus_filter_direct(struct afbus_send *s);
__fastpath void afbus_filter_undo_direct(struct afbus_send *s);
__fastpath int afbus_filter_copies(struct afbus_send *s);
__fastpath void afbus_filter_expire(struct afbus_send *s);
__fastpath void afbus_filter_unmake(struct afbus_send *s, struct afbus_rcpt *r);
__fastpath void afbus_filter_forget(struct afbus_send *s);

/* admit.c */
enum afbus_admission {
	AFBUS_ADMITTED,
	AFBUS_REFUSED_BY_POLICY,
	AFBUS_NO_ROOM,
};

__fastpath enum afbus_admission afbus_admit(struct afbus_send *s);

/* commit.c */
__fastpath void afbus_commit(struct afbus_send *s);
__fastpath void afbus_announce(struct afbus_rcpt *r);

#endif /* _AF_BUS_FASTPATH_H */
