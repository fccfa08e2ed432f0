// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readiness: what poll says, and when it says it again.
 */

#include <linux/poll.h>
#include "af_bus.h"

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

static bool afbus_has_budget(struct sock *sk)
{
	return sk_wmem_alloc_get(sk) < READ_ONCE(sk->sk_sndbuf);
}

/* Want to be told of budget, if there is none. */
static bool afbus_wait_budget(struct sock *sk)
{
	if (afbus_has_budget(sk))
		return false;

	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Pairs with the barrier in afbus_send_uncharge(). */
	smp_mb__after_atomic();
	return !afbus_has_budget(sk);
}

/**
 * afbus_tell_budget() - tell a socket's owner of its budget, if there is any
 * @sk: the socket
 */
void afbus_tell_budget(struct sock *sk)
{
	struct socket *sock;

	if (!afbus_has_budget(sk))
		return;

	rcu_read_lock();
	sock = READ_ONCE(sk->sk_socket);
	if (sock && test_bit(SOCK_NOSPACE, &sock->flags))
		clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_unlock();
	afbus_wake_pollout(afbus_sk(sk));
}

void afbus_budget_timeout(struct timer_list *t)
{
	struct sock *sk = from_timer(sk, t, sk_timer);

	afbus_tell_budget(sk);
	sock_put(sk);
}

/*
 * The sender's own budget has got larger: called when a message is freed.
 *
 * A sender that is told of each message takes the processor from its reader
 * each time. So it is told when three quarters of the budget are free, as with
 * AF_UNIX; but since the rest may be with recipients that have stopped, it is
 * told of less before long. It may be closing meanwhile, or closed: then only
 * what it is charged for keeps it, and there is no reference to add to.
 */
void afbus_write_space(struct sock *sk)
{
	if (4 * sk_wmem_alloc_get(sk) <= READ_ONCE(sk->sk_sndbuf))
		afbus_tell_budget(sk);
	else if (afbus_has_budget(sk) && !timer_pending(&sk->sk_timer) &&
		 refcount_inc_not_zero(&sk->sk_refcnt) &&
		 mod_timer(&sk->sk_timer, jiffies + 1))
		sock_put(sk);
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
	if (!afbus_wait_budget(sk) &&
	    !(bus && s->kind == AFBUS_CLIENT && afbus_wait_own(s)) &&
	    !afbus_pollout_is_withheld(s))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return mask;
}
