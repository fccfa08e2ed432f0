/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_OPS_H
#define _AF_BUS_OPS_H

/* The system calls on a socket: struct proto_ops has most of them. */

#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sockptr.h>

extern struct proto_ops afbus_ops;

/* socket.c */
int afbus_create(struct net *net, struct socket *sock, int proto, int kern);

/* connect.c */
int afbus_connect(struct socket *sock, struct sockaddr *uaddr, int len,
		  int flags);
int afbus_listen(struct socket *sock, int backlog);
int afbus_accept(struct socket *sock, struct socket *newsock,
		 struct proto_accept_arg *arg);

/* disconnect.c */
int afbus_shutdown(struct socket *sock, int how);

/* option.c */
int afbus_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		     unsigned int len);
int afbus_getsockopt(struct socket *sock, int level, int opt,
		     char __user *val, int __user *ulen);

/* send.c */
int afbus_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);

/* recv.c */
int afbus_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		  int flags);

/* poll.c */
__poll_t afbus_poll(struct file *file, struct socket *sock, poll_table *wait);

#endif /* _AF_BUS_OPS_H */
