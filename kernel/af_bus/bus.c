// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus: its birth and end, and who is on it. Each change of policy takes
 * a place in the sequence, like a message.
 */

#include <linux/cred.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <net/af_bus.h>
#include "addr.h"
#include "af_bus.h"
#include "bus.h"
#include "line.h"
#include "name.h"
#include "pollout.h"
#include "protocol.h"
#include "send.h"
#include "sock.h"
#include "trace.h"

/**
 * afbus_bus_wait() - ask to be told of a change of the bus
 * @bus: the bus
 * @wait: who waits, may be waiting already
 * @unrouted: the default route has led it to the recipient that it waits for
 */
void afbus_bus_wait(struct afbus_bus *bus, struct afbus_wait *wait,
		    bool unrouted)
{
	lockdep_assert_held(&bus->lock);

	list_move_tail(&wait->bus_node,
		       unrouted ? &bus->unrouted : &bus->blocked);
}

/* Tell one waiter, after the lock is dropped. Return: whether there was one. */
static bool afbus_bus_tell_one(struct afbus_bus *bus)
{
	struct task_struct *task = NULL;
	struct afbus_sock *from = NULL;
	struct afbus_wait *wait;

	spin_lock(&bus->lock);
	wait = list_first_entry_or_null(&bus->to_tell, struct afbus_wait,
					bus_node);
	if (wait) {
		list_del_init(&wait->bus_node);
		if (wait->task) {
			task = get_task_struct(wait->task);
			WRITE_ONCE(wait->woken, true);
		} else if (afbus_pollout_quit(wait)) {
			from = wait->from;
			sock_hold(&from->sk);
		}
	}
	spin_unlock(&bus->lock);

	if (task) {
		wake_up_process(task);
		put_task_struct(task);
	}
	if (from) {
		afbus_wake_pollout(from);
		sock_put(&from->sk);
	}
	return wait;
}

static void afbus_bus_tell_work(struct work_struct *work)
{
	struct afbus_bus *bus = container_of(work, struct afbus_bus, tell_work);

	while (afbus_bus_tell_one(bus))
		cond_resched();
	afbus_bus_put(bus);
}

/**
 * afbus_bus_reroute() - let those who wait look for their recipients again
 * @bus: the bus
 * @all: all of them, not just those on the default route
 */
void afbus_bus_reroute(struct afbus_bus *bus, bool all)
{
	lockdep_assert_held(&bus->lock);

	list_splice_tail_init(&bus->unrouted, &bus->to_tell);
	if (all)
		list_splice_tail_init(&bus->blocked, &bus->to_tell);
	if (list_empty(&bus->to_tell))
		return;
	afbus_bus_get(bus);
	if (!queue_work(afbus_wq, &bus->tell_work))
		afbus_bus_put(bus);
}

/**
 * afbus_bus_new() - make a bus that nobody knows yet
 * @sk: the socket that binds: network namespace and protocol are its
 * @name: its name
 *
 * Return: the bus with one reference, or an error pointer.
 */
struct afbus_bus *afbus_bus_new(const struct sock *sk,
				const struct afbus_name *name)
{
	const struct afbus_protocol *protocol = afbus_sk(sk)->protocol;
	struct afbus_bus *bus;
	int err;

	bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);
	if (!bus)
		return ERR_PTR(-ENOMEM);

	err = afbus_addr_init(bus);
	if (err)
		goto err_free;
	if (protocol) {
		err = -ENOMEM;
		bus->data = protocol->bus_new();
		if (!bus->data)
			goto err_addr;
	}

	kref_init(&bus->ref);
	bus->net = sock_net(sk);
	bus->proto = sk->sk_protocol;
	bus->protocol = protocol;
	/* The bus may outlive its last socket, which keeps the module, too. */
	afbus_protocol_hold(protocol);
	bus->name = *name;
	bus->owner = current_euid();
	init_waitqueue_head(&bus->connect_wait);
	mutex_init(&bus->change_lock);
	spin_lock_init(&bus->lock);
	INIT_LIST_HEAD(&bus->joined);
	INIT_LIST_HEAD(&bus->eaves);
	INIT_LIST_HEAD(&bus->blocked);
	INIT_LIST_HEAD(&bus->unrouted);
	INIT_LIST_HEAD(&bus->to_tell);
	INIT_LIST_HEAD(&bus->shut);
	INIT_WORK(&bus->tell_work, afbus_bus_tell_work);
	INIT_LIST_HEAD(&bus->backlog);
	bus->max_backlog = -1;
	bus->maxqlen = BUS_MAX_QLEN;
	bus->overflow = BUS_OVERFLOW_BLOCK;
	return bus;

err_addr:
	afbus_addr_exit(bus);
err_free:
	kfree(bus);
	return ERR_PTR(err);
}

static void afbus_bus_free_work(struct work_struct *work)
{
	struct afbus_bus *bus = container_of(work, struct afbus_bus, free_work);

	afbus_addr_exit(bus);
	if (bus->protocol)
		bus->protocol->bus_free(bus->data);
	afbus_protocol_put(bus->protocol);
	mutex_destroy(&bus->change_lock);
	kfree(bus);
}

static void afbus_bus_free(struct kref *ref)
{
	struct afbus_bus *bus = container_of(ref, struct afbus_bus, ref);

	WARN_ON(bus->listener || bus->nr_clients || !list_empty(&bus->joined) ||
		!list_empty(&bus->eaves) || !list_empty(&bus->blocked) ||
		!list_empty(&bus->unrouted) || !list_empty(&bus->to_tell) ||
		!list_empty(&bus->shut) || !list_empty(&bus->backlog));

	INIT_WORK(&bus->free_work, afbus_bus_free_work);
	queue_work(afbus_wq, &bus->free_work);
}

struct afbus_bus *afbus_bus_get(struct afbus_bus *bus)
{
	kref_get(&bus->ref);
	return bus;
}

struct afbus_bus *afbus_bus_put(struct afbus_bus *bus)
{
	if (bus)
		kref_put(&bus->ref, afbus_bus_free);
	return NULL;
}

/**
 * afbus_bus_begin_change() - begin a change after which a message may have a
 *	recipient or a verdict that it did not have before
 * @bus: the bus; its lock is held until afbus_bus_end_change()
 *
 * Waits for a send that such changes have overtaken too often.
 */
void afbus_bus_begin_change(struct afbus_bus *bus)
	__acquires(&bus->lock)
{
	mutex_lock(&bus->change_lock);
	spin_lock(&bus->lock);
	bus->routes++;
}

void afbus_bus_end_change(struct afbus_bus *bus)
	__releases(&bus->lock)
{
	spin_unlock(&bus->lock);
	mutex_unlock(&bus->change_lock);
}

/**
 * afbus_bus_join() - admit a client to its bus
 * @client: the client
 *
 * Return: 0; -EINVAL if it is there already; -ENOTCONN if it is gone.
 */
int afbus_bus_join(struct afbus_sock *client)
{
	struct afbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	if (client->out)
		return -ENOTCONN;
	if (client->joined)
		return -EINVAL;

	bus->seq++;
	bus->routes++;
	WRITE_ONCE(client->joined, true);
	list_add_tail(&client->joined_node, &bus->joined);
	trace_join(bus, bus->seq, BUS_MASTER_ADDR, client->addr, 0);
	afbus_bus_reroute(bus, false);
	return 0;
}

/**
 * afbus_bus_eavesdrop() - make or unmake an eavesdropper
 * @client: the client
 * @on: which of the two
 *
 * Return: 0; -ENOTCONN if the client is gone; -EINVAL if it has not joined.
 */
int afbus_bus_eavesdrop(struct afbus_sock *client, bool on)
{
	struct afbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	if (client->out)
		return -ENOTCONN;
	if (!client->joined)
		return -EINVAL;
	if (on == !list_empty(&client->eaves_node))
		return 0;

	bus->seq++;
	if (on)
		list_add_tail(&client->eaves_node, &bus->eaves);
	else
		list_del_init(&client->eaves_node);
	return 0;
}

/**
 * afbus_bus_leave() - take a client off its bus
 * @client: the client, joined or not
 *
 * Its addresses are free afterwards, and senders that wait for it go on
 * without it. The caller drops them with afbus_addr_drop_all() after the lock.
 */
void afbus_bus_leave(struct afbus_sock *client)
{
	struct afbus_bus *bus = client->bus;

	lockdep_assert_held(&bus->lock);

	if (client->out)
		return;

	bus->seq++;
	bus->routes++;
	bus->nr_clients--;
	WRITE_ONCE(client->out, true);
	trace_leave(bus, bus->seq, client->addr, BUS_MASTER_ADDR, 0);
	if (client->joined) {
		WRITE_ONCE(client->joined, false);
		list_del_init(&client->joined_node);
		list_del_init(&client->eaves_node);
	}
	if (client->protocol)
		client->protocol->client_leave(client->data);
	afbus_line_changed(client);
}

/**
 * afbus_bus_expel() - expel a client
 * @client: the client
 * @err: what SO_ERROR says on both ends, 0 for nothing
 *
 * The caller goes on with afbus_tell_shut() after the lock.
 */
void afbus_bus_expel(struct afbus_sock *client, int err)
{
	lockdep_assert_held(&client->bus->lock);

	afbus_bus_leave(client);
	afbus_shut(client, SHUTDOWN_MASK, err);
	if (client->peer)
		afbus_shut(client->peer, SHUTDOWN_MASK, err);
}
