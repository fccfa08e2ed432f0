// SPDX-License-Identifier: GPL-2.0-only
/*
 * The budget of a sender: its send buffer, and what it is charged for.
 *
 * A send is charged with the whole weight of its message before it takes memory
 * for it. At commit the charge passes to the message, and ends when the last
 * recipient has taken its copy, or takes nothing any more. On a bus that evicts
 * it ends at commit: there, a recipient that does not read holds up no sender,
 * and the queues bound what is queued.
 */

#include <linux/sched/signal.h>
#include "budget.h"
#include "msg.h"
#include "pollout.h"
#include "sock.h"

/* Charges that are ended under one hold of the lock of a queue. */
#define AFBUS_CHARGES_AT_ONCE	16

static bool afbus_has_budget(struct afbus_sock *s)
{
	return atomic_read(&s->charged) < afbus_sndbuf(s);
}

/**
 * afbus_wait_budget() - ask to be told of budget, if there is none
 * @s: the sender
 *
 * Return: whether there is none.
 */
bool afbus_wait_budget(struct afbus_sock *s)
{
	if (afbus_has_budget(s))
		return false;

	set_bit(SOCK_NOSPACE, &s->sk.sk_socket->flags);
	/* Pairs with the barrier in afbus_give_budget(). */
	smp_mb__after_atomic();
	return !afbus_has_budget(s);
}

/* If there is budget, tell the owner of the socket. */
static void afbus_tell_budget(struct afbus_sock *s)
{
	struct socket *sock;
	bool wanted;

	if (!afbus_has_budget(s))
		return;

	rcu_read_lock();
	sock = READ_ONCE(s->sk.sk_socket);
	wanted = sock && test_bit(SOCK_NOSPACE, &sock->flags) &&
		 test_and_clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_unlock();
	if (wanted)
		afbus_pollout_tell_any(s);
	else
		afbus_wake_pollout(s);
}

void afbus_budget_timeout(struct timer_list *t)
{
	struct sock *sk = from_timer(sk, t, sk_timer);

	afbus_tell_budget(afbus_sk(sk));
	sock_put(sk);
}

/*
 * The budget has got larger: a message was taken, or the send buffer grew.
 *
 * A sender that is told of each message takes the processor from its reader
 * each time. So it is told when three quarters of the budget are free, as with
 * AF_UNIX. Recipients that have stopped may hold the rest for ever, so it is
 * told of less after a tick.
 */
void afbus_write_space(struct sock *sk)
{
	struct afbus_sock *s = afbus_sk(sk);

	if (atomic_read(&s->charged) <= afbus_sndbuf(s) / 4) {
		afbus_tell_budget(s);
	} else if (afbus_has_budget(s) && !timer_pending(&sk->sk_timer)) {
		sock_hold(sk);
		if (mod_timer(&sk->sk_timer, jiffies + 1))
			sock_put(sk);
	}
}

/* A full barrier, which pairs with the one in afbus_wait_budget(). */
static void afbus_give_budget(struct afbus_sock *s, unsigned int weight)
{
	WARN_ON_ONCE(atomic_sub_return(weight, &s->charged) < 0);
}

/**
 * afbus_uncharge() - a message costs its sender nothing any more
 * @s: the sender, with a reference that is dropped
 * @weight: what the message weighs
 */
void afbus_uncharge(struct afbus_sock *s, unsigned int weight)
{
	afbus_give_budget(s, weight);
	afbus_write_space(&s->sk);
	sock_put(&s->sk);
}

/**
 * afbus_uncharge_quietly() - a send ends whose message costs its sender nothing
 * @s: the sender
 * @weight: what the message weighs
 *
 * The budget must not come back with an edge of POLLOUT: a sender that tries
 * again at that edge would fail and try again for ever. Only one that wants
 * budget, from another thread, is told.
 */
void afbus_uncharge_quietly(struct afbus_sock *s, unsigned int weight)
{
	afbus_give_budget(s, weight);
	if (test_bit(SOCK_NOSPACE, &s->sk.sk_socket->flags))
		afbus_tell_budget(s);
}

static int afbus_charge_error(struct sock *sk)
{
	int err = sock_error(sk);

	if (!err && READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		err = -EPIPE;
	return err;
}

static void afbus_sleep_for_budget(struct afbus_sock *s, long *timeo)
{
	wait_queue_head_t *wq = sk_sleep(&s->sk);
	struct sock *sk = &s->sk;
	DEFINE_WAIT(wait);

	prepare_to_wait(wq, &wait, TASK_INTERRUPTIBLE);
	if (afbus_wait_budget(s) && !READ_ONCE(sk->sk_err) &&
	    !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) &&
	    !signal_pending(current))
		*timeo = schedule_timeout(*timeo);
	finish_wait(wq, &wait);
}

/**
 * afbus_charge_wait() - charge a sender once it has budget
 * @s: the sender
 * @weight: what the message weighs
 * @timeo: how long to wait for it; what is left of that
 *
 * Return: 0; -EAGAIN, -EPIPE, a pending error, or what sleep was cut short by.
 */
int afbus_charge_wait(struct afbus_sock *s, unsigned int weight, long *timeo)
{
	int err;

	for (;;) {
		err = afbus_charge_error(&s->sk);
		if (err)
			return err;
		if (afbus_charge(s, weight))
			return 0;
		if (*timeo && signal_pending(current))
			return sock_intr_errno(*timeo);
		if (*timeo) {
			afbus_sleep_for_budget(s, timeo);
			continue;
		}
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, &s->sk);
		if (afbus_wait_budget(s))
			return -EAGAIN;
	}
}

/* A charge to end: of whom, and how much. */
struct afbus_charge {
	struct afbus_sock	*from;
	unsigned int		weight;
};

/*
 * End the charge for one copy. Return: whether it was the message's last one.
 */
static bool afbus_copy_excuse(struct sk_buff *skb, struct afbus_charge *charge)
{
	struct afbus_cb *cb = AFBUS_CB(skb);
	struct sk_buff *original = cb->msg->skb;

	if (!cb->paid)
		return false;
	cb->paid = false;
	if (skb != original && !refcount_dec_and_test(&cb->msg->unread))
		return false;
	charge->from = afbus_sk(original->sk);
	charge->weight = cb->weight;
	original->sk = NULL;
	return true;
}

/**
 * afbus_end_charge() - end the charge for a copy that has been taken
 * @skb: the copy, in no queue any more
 *
 * Its reader may be kept from copying it out for as long as it likes, by memory
 * that is not there: no sender is to pay for that.
 */
void afbus_end_charge(struct sk_buff *skb)
{
	struct afbus_charge charge;

	if (afbus_copy_excuse(skb, &charge))
		afbus_uncharge(charge.from, charge.weight);
}

static unsigned int afbus_excuse_some(struct afbus_sock *s,
				      struct afbus_charge *charges)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct sk_buff *skb = s->uncharge_next;
	unsigned int i, n = 0;

	lockdep_assert_held(&queue->lock);

	for (i = 0; skb && i < AFBUS_CHARGES_AT_ONCE; i++) {
		n += afbus_copy_excuse(skb, &charges[n]);
		skb = skb_peek_next(skb, queue);
	}
	s->uncharge_next = skb;
	return n;
}

/**
 * afbus_end_charges() - end the charges for a queue that takes nothing any more
 * @s: the socket, with a reference; no lock is held
 *
 * A reader may still take copies out meanwhile, and moves on the place at which
 * this goes on. Nothing is added any more, so it comes to an end.
 */
void afbus_end_charges(struct afbus_sock *s)
{
	struct sk_buff_head *queue = &s->sk.sk_receive_queue;
	struct afbus_charge charges[AFBUS_CHARGES_AT_ONCE];
	unsigned int i, n;

	if (!(READ_ONCE(s->sk.sk_shutdown) & RCV_SHUTDOWN))
		return;

	spin_lock_irq(&queue->lock);
	s->uncharge_next = skb_peek(queue);
	while (s->uncharge_next) {
		n = afbus_excuse_some(s, charges);
		spin_unlock_irq(&queue->lock);
		for (i = 0; i < n; i++)
			afbus_uncharge(charges[i].from, charges[i].weight);
		cond_resched();
		spin_lock_irq(&queue->lock);
	}
	spin_unlock_irq(&queue->lock);
}
