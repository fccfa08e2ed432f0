// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readiness: what poll says, and when it says it again.
 */

#include <linux/poll.h>
#include "budget.h"
#include "bus.h"
#include "ops.h"
#include "pollout.h"
#include "queue.h"
#include "sock.h"

/**
 * afbus_wake_pollout() - tell a socket's owner that it may try to send
 * @s: the socket
 */
void afbus_wake_pollout(struct afbus_sock *s)
{
	struct sock *sk = &s->sk;
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_sync_poll(&wq->wait, EPOLLOUT |
						EPOLLWRNORM | EPOLLWRBAND);
	sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

__poll_t afbus_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s = afbus_sk(sk);
	struct afbus_bus *bus = afbus_sock_bus(s);
	unsigned int shutdown;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	shutdown = READ_ONCE(sk->sk_shutdown);

	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	if (shutdown == SHUTDOWN_MASK || !bus)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;

	if (bus && s->kind == AFBUS_LISTENER) {
		if (READ_ONCE(sk->sk_state) != TCP_LISTEN)
			mask |= EPOLLHUP;
		if (READ_ONCE(bus->nr_backlog))
			mask |= EPOLLIN | EPOLLRDNORM;
		return mask;
	}

	if (!skb_queue_empty_lockless(&sk->sk_receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;

	if (!(poll_requested_events(wait) &
	      (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)))
		return mask;

	/* An accepted socket may send with a full queue, see afbus_admit(). */
	if (!afbus_wait_budget(s) &&
	    !(bus && s->kind == AFBUS_CLIENT && afbus_wait_own(s)) &&
	    !afbus_pollout_is_withheld(s))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return mask;
}
