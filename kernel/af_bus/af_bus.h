/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_H
#define _AF_BUS_H

/**
 * DOC: Objects
 *
 * A *bus* (struct afbus_bus) comes into being when a socket binds, and lives
 * as long as any socket is on it. Its path is a way to find it at connect and
 * nothing else: messages never look at it.
 *
 * There are three kinds of sockets (struct afbus_sock) on a bus. The
 * *listening socket* takes connections. Each connection makes a pair: the
 * *client*, which is on the bus, and the *accepted socket*, its counterpart
 * on the master's side. The pair hold references on each other until one of
 * them is closed. Every socket holds a reference on its bus.
 *
 * An *address* (struct afbus_addr) is held by one client. A *group*
 * (struct afbus_group) has the clients that hold an address of its prefix.
 *
 * DOC: Life of a message
 *
 *   check    what is wrong with the call itself              send.c
 *   build    descriptors, credentials, charge, payload       scm.c, budget.c,
 *                                                            payload.c
 *   route    destination -> set of recipients                route.c
 *   filter   one copy per recipient, through its filters     filter.c, hook.c
 *   admit    room at every recipient, or wait for it         admit.c, line.c,
 *                                                            wait.c, pollout.c
 *   ------   point of no return
 *   commit   place in the sequence, copies into the queues   commit.c
 *
 * All but budget.c and the slow paths, in hook.c, line.c, wait.c and pollout.c,
 * are compiled as one unit: fastpath.c.
 *
 * Everything that can fail or sleep comes before the line and outside the
 * bus lock. Route, admit and commit of one attempt run under one hold of the
 * lock. Where the route names a recipient that has no copy yet, the lock is
 * dropped, the copy is made, and the route is asked again: so the set that is
 * committed is the set at the message's place in the sequence.
 *
 * DOC: Order
 *
 * The bus lock is the order. Messages and changes of policy take the next
 * number of the bus's one sequence while they hold it, and a message is in
 * all its queues before the lock is released.
 *
 * DOC: Room
 *
 * Messages are added to a queue under the bus lock only. So a queue that has
 * room when admit looks at it still has room at commit. A sender that finds a
 * queue full joins the line there (struct afbus_line) with a waiter (struct
 * afbus_waiter), in the order of tickets: a send that may sleep waits itself,
 * any other leaves its socket there, which is told by POLLOUT. Waiters are
 * called when there is room, and that room is kept for them for a while.
 * line.c has the rules, kernel/proof a model of them.
 *
 * DOC: Weight
 *
 * A message weighs its length and AFBUS_MSG_OVERHEAD. The sender is charged
 * with that before the message takes memory, and the queue of each recipient is
 * full when it holds too much of it. See budget.c and afbus_queue_full().
 *
 * DOC: Locks
 *
 * afbus_bus.change_lock              changes of policy, and a send that they overtake
 *   bus->lock                        see below
 * lock_sock(sk)                      set-up of one socket: bind, listen, connect
 *   afbus_name_lock                  names of buses
 *   afbus_net.socks, its lock        sockets of a network namespace
 *     bus->lock                      the bus and everything on it
 *       sk->sk_receive_queue.lock      a queue, and its line
 *         wait queue locks
 *       sk->sk_peer_lock             the process at the other end
 * sk->sk_callback_lock               a socket and its file: accept, close
 * afbus_sock.iolock                  one reader at a time, not held to wait
 *   sk->sk_receive_queue.lock
 * afbus_gc_lock                      the graph of sockets in flight
 * afbus_inflight_lock                users with descriptors in flight
 *
 * No lock is taken under afbus_gc_lock, afbus_inflight_lock, afbus_hook_mutex or
 * afbus_protocol_mutex. No lock is taken under another of its kind either,
 * whatever the socket: each kind is one class to lockdep, and there are no
 * subclasses.
 */

struct proto;
struct workqueue_struct;

extern int afbus_family;
extern struct proto afbus_proto;
extern struct workqueue_struct *afbus_wq;

#endif /* _AF_BUS_H */
