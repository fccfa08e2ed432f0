/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_GC_H
#define _AF_BUS_GC_H

/* Between the graph of sockets in flight (hold.c) and the collector (gc.c). */

#include <linux/list.h>
#include <linux/spinlock.h>
#include "hold.h"

/* The graph, and everything below. */
extern spinlock_t afbus_gc_lock;

/* Sockets in flight that are in no other list. */
extern struct list_head afbus_gc_socks;

/* Sockets of the collection under way from which life has yet to spread. */
extern struct list_head afbus_gc_alive;

/* References by holds on all sockets; read without the lock for a hint. */
extern unsigned long afbus_gc_total;

/* Walks over holds so far: a hold that the current one has met has its number. */
extern unsigned long afbus_gc_round;

void afbus_gc_revive(struct afbus_sock *s);
unsigned int afbus_hold_each(struct afbus_hold *hold,
			     void (*fn)(struct afbus_sock *s));
void afbus_gc_later(void);

#endif /* _AF_BUS_GC_H */
