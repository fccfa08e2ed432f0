/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_POLLOUT_H
#define _AF_BUS_POLLOUT_H

/* Sockets that are told of room by POLLOUT, for sends that did not sleep. */

#include <linux/types.h>

struct afbus_sock;
struct afbus_wait;

/* Maximum of recipients that one socket waits for without sleeping. */
#define AFBUS_MAX_POLLOUT	64

/* pollout.c */
void afbus_pollout_tell(struct afbus_wait *wait);
void afbus_pollout_tell_any(struct afbus_sock *from);
bool afbus_pollout_quit(struct afbus_wait *wait);
bool afbus_pollout_is_withheld(const struct afbus_sock *s);
void afbus_pollout_drop_all(struct afbus_sock *s);
void afbus_pollout_release(struct afbus_sock *s);

/* poll.c */
void afbus_wake_pollout(struct afbus_sock *s);

#endif /* _AF_BUS_POLLOUT_H */
