/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_PROC_H
#define _AF_BUS_PROC_H

/* Sockets of a network namespace, as /proc/net/bus lists them. */

#include <linux/types.h>

struct afbus_sock;
struct net;
struct pernet_operations;

extern struct pernet_operations afbus_net_ops;

/* proc.c */
int afbus_proc_reserve(struct net *net, u32 *id);
void afbus_proc_cancel(struct net *net, u32 id);
void afbus_proc_add(struct afbus_sock *s);
void afbus_proc_del(struct afbus_sock *s);

#endif /* _AF_BUS_PROC_H */
