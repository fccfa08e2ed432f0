/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_LINE_H
#define _AF_BUS_LINE_H

/* The line of waiters for room in a queue. */

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/workqueue.h>

struct afbus_sock;

/**
 * struct afbus_line - waiters for room in a receive queue, see line.c
 * @waiting: waiters that have not been called, by ticket
 * @called: waiters that have been called and have not come yet, by ticket
 * @nr_called: length of @called
 * @nr_sleepers: those of the waiters in both that are sends, not sockets
 * @sleepers_weight: what the messages of these sends weigh
 * @nr: waiters in both; grows under the bus lock only, and may be read without
 *	the queue's lock by a holder of the bus lock, or by a reader that has
 *	held the queue's lock since it made room
 * @own: the owner of the queue wants to be told of room, too; read as @nr is
 * @open: called waiters did not come: no sender yields to another
 * @passing: the waiters are being told of a change, in the order of tickets
 * @passed: ticket of the last waiter that has been told
 * @pass_end: ticket of the last waiter that is to be told
 * @timed: @since is valid
 * @since: when the room came up that some waiters have not used yet
 * @work: opens the line, tells of a change; holds a reference on the socket
 *
 * Under the lock of the receive queue; joined under the bus lock as well.
 */
struct afbus_line {
	struct rb_root_cached	waiting;
	struct list_head	called;
	unsigned int		nr_called;
	unsigned int		nr_sleepers;
	u64			sleepers_weight;
	unsigned int		nr;
	bool			own;
	bool			open;
	bool			passing;
	bool			timed;
	u64			passed;
	u64			pass_end;
	unsigned long		since;
	struct delayed_work	work;
};

/* line.c */
void afbus_line_init(struct afbus_line *line);
bool afbus_line_is_empty(const struct afbus_line *line);
bool afbus_line_own(struct afbus_sock *s);
void afbus_line_room_made(struct afbus_sock *s);
void afbus_line_changed(struct afbus_sock *s);

#endif /* _AF_BUS_LINE_H */
