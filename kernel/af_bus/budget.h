/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_BUDGET_H
#define _AF_BUS_BUDGET_H

/* What a sender may have on the bus: messages are charged to its send buffer. */

#include <linux/atomic.h>
#include "sock.h"

struct timer_list;

/* Maximum of a send buffer: 31 bits can count it and one message more. */
#define AFBUS_MAX_SNDBUF	(INT_MAX / 8)

/* The send buffer of a socket. If it exceeds the limit, it is set to that. */
static inline int afbus_sndbuf(struct afbus_sock *s)
{
	int sndbuf = READ_ONCE(s->sk.sk_sndbuf);

	if (sndbuf <= s->max_sndbuf)
		return sndbuf;
	WRITE_ONCE(s->sk.sk_sndbuf, s->max_sndbuf);
	return s->max_sndbuf;
}

/**
 * afbus_charge() - charge a sender for a message, before it takes any memory
 * @s: the sender
 * @weight: what the message weighs
 *
 * The sender needs some budget, but not enough for the whole message: so its
 * charge stays below its send buffer and one message.
 *
 * Return: false if there is no budget.
 */
static inline bool afbus_charge(struct afbus_sock *s, unsigned int weight)
{
	int charged = atomic_read(&s->charged);
	int sndbuf = afbus_sndbuf(s);

	do {
		if (charged >= sndbuf)
			return false;
	} while (!atomic_try_cmpxchg(&s->charged, &charged, charged + weight));
	return true;
}

/* budget.c */
void afbus_budget_timeout(struct timer_list *t);
void afbus_write_space(struct sock *sk);
bool afbus_wait_budget(struct afbus_sock *s);
int afbus_charge_wait(struct afbus_sock *s, unsigned int weight, long *timeo);
void afbus_uncharge(struct afbus_sock *s, unsigned int weight);
void afbus_uncharge_quietly(struct afbus_sock *s, unsigned int weight);
void afbus_end_charge(struct sk_buff *skb);
void afbus_end_charges(struct afbus_sock *s);

#endif /* _AF_BUS_BUDGET_H */
