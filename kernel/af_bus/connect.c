// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: listen, connect, accept.
 */

#include <linux/cred.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/af_bus.h>
#include "addr.h"
#include "bus.h"
#include "hold.h"
#include "name.h"
#include "ops.h"
#include "proc.h"
#include "protocol.h"
#include "sock.h"
#include "trace.h"

static unsigned int max_clients = 4096;
module_param(max_clients, uint, 0644);
MODULE_PARM_DESC(max_clients, "clients that one bus may have (default 4096)");

/* Takes over the references. */
static void afbus_set_peercred(struct sock *sk, struct pid *pid,
			       const struct cred *cred)
{
	spin_lock(&sk->sk_peer_lock);
	swap(sk->sk_peer_pid, pid);
	swap(sk->sk_peer_cred, cred);
	spin_unlock(&sk->sk_peer_lock);

	put_pid(pid);
	put_cred(cred);
}

static void afbus_peercred_is_caller(struct sock *sk)
{
	const struct cred *cred;

	/*
	 * A known race: get_current_cred() clears non_rcu, as does all code
	 * that takes a reference.
	 */
	cred = data_race(get_current_cred());
	afbus_set_peercred(sk, get_pid(task_tgid(current)), cred);
}

/*
 * Another process may call listen() meanwhile: the lock keeps the pid and the
 * credentials alive.
 */
static void afbus_copy_peercred(struct sock *sk, struct sock *from)
{
	const struct cred *cred;
	struct pid *pid;

	spin_lock(&from->sk_peer_lock);
	pid = get_pid(from->sk_peer_pid);
	/* As above. */
	cred = data_race(get_cred(from->sk_peer_cred));
	spin_unlock(&from->sk_peer_lock);

	afbus_set_peercred(sk, pid, cred);
}

int afbus_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s = afbus_sk(sk);
	struct afbus_bus *bus;
	int err = -EINVAL;

	lock_sock(sk);
	if (s->kind != AFBUS_LISTENER)
		goto out;
	bus = s->bus;

	/*
	 * SO_PEERCRED of clients shows the process that called listen() last.
	 */
	afbus_peercred_is_caller(sk);

	spin_lock(&bus->lock);
	bus->owner = current_euid();
	bus->max_backlog = backlog;
	if (!bus->maxqlen_set)
		bus->maxqlen = backlog;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	spin_unlock(&bus->lock);
	wake_up_interruptible(&bus->connect_wait);
	err = 0;
out:
	release_sock(sk);
	return err;
}

/* Whether the backlog takes one more, or why it does not. */
static int afbus_backlog_check(struct afbus_bus *bus)
{
	lockdep_assert_held(&bus->lock);

	if (!bus->listener || bus->max_backlog < 0 ||
	    bus->listener->sk.sk_shutdown & RCV_SHUTDOWN)
		return -ECONNREFUSED;
	if (bus->nr_backlog > bus->max_backlog)
		return -EAGAIN;
	return 0;
}

static bool afbus_backlog_may_have_room(struct afbus_bus *bus)
{
	bool ret;

	spin_lock(&bus->lock);
	ret = afbus_backlog_check(bus) != -EAGAIN;
	spin_unlock(&bus->lock);
	return ret;
}

static long afbus_wait_backlog(struct afbus_bus *bus, long timeo)
{
	DEFINE_WAIT(wait);

	prepare_to_wait_exclusive(&bus->connect_wait, &wait,
				  TASK_INTERRUPTIBLE);
	if (!afbus_backlog_may_have_room(bus))
		timeo = schedule_timeout(timeo);
	finish_wait(&bus->connect_wait, &wait);
	return timeo;
}

/*
 * One recipient holds half of a sender's buffer, and one message more, so an
 * empty queue always has room, however short the buffer is. The
 * accepted socket is new, so that it has the system's default; the client may
 * have asked for something else.
 */
static void afbus_set_limits(const struct afbus_bus *bus,
			     struct afbus_sock *client,
			     struct afbus_sock *accepted)
{
	int sndbuf = bus->sndbuf ?: READ_ONCE(accepted->sk.sk_sndbuf);

	lockdep_assert_held(&bus->lock);

	client->maxqlen = bus->maxqlen;
	accepted->maxqlen = bus->maxqlen;
	client->max_queued = max(sndbuf / 2, 1);
	accepted->max_queued = client->max_queued;
	if (!bus->sndbuf)
		return;

	client->max_sndbuf = sndbuf;
	WRITE_ONCE(client->sk.sk_sndbuf, sndbuf);
	WRITE_ONCE(accepted->sk.sk_sndbuf, sndbuf);
}

/* Make the pair. Nothing fails after the address is in the table. */
static int afbus_pair(struct afbus_bus *bus, struct afbus_sock *client,
		      struct afbus_sock *accepted, struct afbus_addr *addr,
		      void *data)
{
	struct sock *listener;
	int err;

	lockdep_assert_held(&bus->lock);

	listener = &bus->listener->sk;
	if (bus->last_client + 1 >= BUS_CLIENT_MASK)
		return -ECONNREFUSED;
	/* Limited, since a multicast visits all clients under the bus lock. */
	if (bus->nr_clients >= READ_ONCE(max_clients))
		return -ENOSPC;
	addr->value = ++bus->last_client;
	err = afbus_addr_insert(bus, addr, client);
	if (err)
		return err;

	bus->seq++;
	bus->nr_clients++;
	client->data = data;
	client->addr = addr->value;
	client->watch_limit = rlimit(RLIMIT_NOFILE);
	accepted->addr = addr->value;
	accepted->gc_listener = bus->listener;
	afbus_set_limits(bus, client, accepted);

	afbus_copy_peercred(&client->sk, listener);
	afbus_peercred_is_caller(&accepted->sk);

	sock_hold(&client->sk);
	sock_hold(&accepted->sk);
	client->peer = accepted;
	accepted->peer = client;
	WRITE_ONCE(client->sk.sk_state, TCP_ESTABLISHED);
	WRITE_ONCE(accepted->sk.sk_state, TCP_ESTABLISHED);
	afbus_sock_attach(client, afbus_bus_get(bus), AFBUS_CLIENT);
	afbus_sock_attach(accepted, afbus_bus_get(bus), AFBUS_ACCEPTED);

	list_add_tail(&accepted->backlog_node, &bus->backlog);
	WRITE_ONCE(bus->nr_backlog, bus->nr_backlog + 1);
	trace_connect(bus, bus->seq, client->addr, BUS_MASTER_ADDR, 0);
	listener->sk_data_ready(listener);
	return 0;
}

static int afbus_connect_try(struct afbus_bus *bus, struct afbus_sock *client,
			     struct afbus_sock *accepted,
			     struct afbus_addr *addr, void *data)
{
	int err;

	if (client->binding || client->kind == AFBUS_LISTENER)
		return -EINVAL;
	if (client->kind != AFBUS_FREE)
		return -EISCONN;

	spin_lock(&bus->lock);
	err = afbus_backlog_check(bus);
	if (!err)
		err = afbus_pair(bus, client, accepted, addr, data);
	spin_unlock(&bus->lock);
	return err;
}

/*
 * Connect @client to @bus, waiting for the backlog if @timeo allows. Called
 * and left with the socket locked; the lock is dropped while waiting.
 */
static int afbus_connect_bus(struct afbus_bus *bus, struct afbus_sock *client,
			     struct afbus_sock *accepted,
			     struct afbus_addr *addr, void *data, long timeo)
{
	bool waited = false;
	int err;

	for (;;) {
		err = afbus_connect_try(bus, client, accepted, addr, data);
		if (err != -EAGAIN || !timeo)
			break;

		release_sock(&client->sk);
		timeo = afbus_wait_backlog(bus, timeo);
		waited = true;
		lock_sock(&client->sk);
		if (signal_pending(current)) {
			err = sock_intr_errno(timeo);
			break;
		}
	}

	/*
	 * There may be room for the next one, too, or the bus may have ended:
	 * each connect wakes the next, so that none has to wake them all.
	 */
	if (waited)
		wake_up_interruptible(&bus->connect_wait);
	return err;
}

int afbus_connect(struct socket *sock, struct sockaddr *uaddr, int len,
		  int flags)
{
	struct sock *sk = sock->sk, *newsk = NULL;
	struct afbus_sock *s = afbus_sk(sk);
	struct afbus_addr *addr = NULL;
	struct afbus_name *name;
	struct afbus_bus *bus;
	enum afbus_kind kind;
	void *data = NULL;
	int err;

	name = kzalloc(sizeof(*name), GFP_KERNEL_ACCOUNT);
	if (!name)
		return -ENOMEM;
	err = afbus_name_parse(name, (struct sockaddr_bus *)uaddr, len);
	if (err)
		goto out_name;

	/*
	 * This error comes before those that depend on the bus, which need not
	 * exist.
	 */
	err = -EISCONN;
	kind = READ_ONCE(s->kind);
	if (kind == AFBUS_CLIENT || kind == AFBUS_ACCEPTED)
		goto out_name;

	bus = afbus_name_find(sock_net(sk), name);
	if (IS_ERR(bus)) {
		err = PTR_ERR(bus);
		goto out_name;
	}
	err = -ECONNREFUSED;
	if (bus->proto != sk->sk_protocol)
		goto out_bus;

	err = -ENOMEM;
	addr = kzalloc(sizeof(*addr), GFP_KERNEL_ACCOUNT);
	newsk = afbus_sock_new(sock_net(sk), NULL, sk->sk_protocol, s->protocol,
			       0);
	if (newsk)
		afbus_protocol_hold(s->protocol);
	if (s->protocol)
		data = s->protocol->client_new(bus->data);
	if (!addr || !newsk || (s->protocol && !data))
		goto out_new;

	lock_sock(sk);
	err = afbus_connect_bus(bus, s, afbus_sk(newsk), addr, data,
				sock_sndtimeo(sk, flags & O_NONBLOCK));
	if (!err) {
		sock->state = SS_CONNECTED;
		/*
		 * A send on another thread sees all of the name or none of it.
		 */
		smp_store_release(&s->used_name, name);
		name = NULL;
		addr = NULL;
		data = NULL;
		newsk = NULL;
	}
	release_sock(sk);

out_new:
	kfree(addr);
	if (data)
		s->protocol->client_free(data);
	if (newsk) {
		afbus_proc_del(afbus_sk(newsk));
		sock_put(newsk);
	}
out_bus:
	afbus_bus_put(bus);
out_name:
	kfree(name);
	return err;
}

/**
 * afbus_take_backlog() - take the connection that has waited longest
 * @bus: the bus
 *
 * Return: its accepted socket, or NULL.
 */
struct afbus_sock *afbus_take_backlog(struct afbus_bus *bus)
{
	struct afbus_sock *s;

	spin_lock(&bus->lock);
	s = list_first_entry_or_null(&bus->backlog, struct afbus_sock,
				     backlog_node);
	if (s) {
		list_del_init(&s->backlog_node);
		WRITE_ONCE(bus->nr_backlog, bus->nr_backlog - 1);
	}
	spin_unlock(&bus->lock);
	if (s)
		afbus_hold_accept(s);
	return s;
}

static int afbus_wait_accept(struct sock *sk, struct afbus_bus *bus,
			     long *timeo)
{
	DEFINE_WAIT(wait);

	if (!*timeo)
		return -EAGAIN;

	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (!READ_ONCE(bus->nr_backlog) &&
	    !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		*timeo = schedule_timeout(*timeo);
	finish_wait(sk_sleep(sk), &wait);

	/* If there is a connection, it is accepted, in spite of the signal. */
	return signal_pending(current) && !READ_ONCE(bus->nr_backlog) ?
		sock_intr_errno(*timeo) : 0;
}

int afbus_accept(struct socket *sock, struct socket *newsock,
		 struct proto_accept_arg *arg)
{
	struct sock *sk = sock->sk;
	struct afbus_bus *bus = afbus_sock_bus(afbus_sk(sk));
	struct afbus_sock *s;
	long timeo;
	int err;

	/*
	 * bind() and listen() may run on another thread right now: a bus that
	 * was not there yet is not there for this call, whatever the state is.
	 */
	if (!bus || READ_ONCE(sk->sk_state) != TCP_LISTEN)
		return -EINVAL;

	timeo = sock_rcvtimeo(sk, arg->flags & O_NONBLOCK);
	for (;;) {
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
			return -EINVAL;
		s = afbus_take_backlog(bus);
		if (s)
			break;
		err = afbus_wait_accept(sk, bus, &timeo);
		if (err)
			return err;
	}
	wake_up_interruptible(&bus->connect_wait);

	if (test_bit(SOCK_PASSCRED, &sock->flags))
		set_bit(SOCK_PASSCRED, &newsock->flags);
	if (test_bit(SOCK_PASSSEC, &sock->flags))
		set_bit(SOCK_PASSSEC, &newsock->flags);
	newsock->state = SS_CONNECTED;
	sock_graft(&s->sk, newsock);
	return 0;
}
