// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: how they are made and closed, their short calls, and the table of
 * all operations.
 */

#include <linux/compat.h>
#include <linux/module.h>
#include <linux/sockios.h>
#include <net/af_bus.h>
#include <asm/ioctls.h>
#include "af_bus.h"
#include "budget.h"
#include "bus.h"
#include "hold.h"
#include "inflight.h"
#include "line.h"
#include "name.h"
#include "ops.h"
#include "proc.h"
#include "protocol.h"
#include "sock.h"

struct proto afbus_proto = {
	.name		= "BUS",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct afbus_sock),
};

static void afbus_sock_destruct(struct sock *sk)
{
	struct afbus_sock *s = afbus_sk(sk);

	WARN_ON_ONCE(!skb_queue_empty(&sk->sk_receive_queue));
	WARN_ON_ONCE(atomic_read(&s->charged));
	WARN_ON_ONCE(s->peer || s->joined || s->nr_pollout_waiters);
	WARN_ON_ONCE(!list_empty(&s->addrs));
	WARN_ON_ONCE(s->gc_inflight || !list_empty(&s->gc_node) ||
		     !list_empty(&s->gc_holds));
	WARN_ON_ONCE(!afbus_line_is_empty(&s->line) ||
		     !list_empty(&s->awaited_by));

	kfree(s->used_name);
	if (s->watch)
		afbus_inflight_put(s->watch);
	if (s->data)
		s->protocol->client_free(s->data);
	afbus_protocol_put(s->protocol);
	afbus_bus_put(s->bus);
}

/**
 * afbus_sock_new() - make a socket that is on no bus yet
 * @net: network namespace
 * @sock: its file side, NULL for an accepted socket to be
 * @proto: protocol
 * @protocol: its filter, whose reference passes to the socket
 * @kern: made by and for the kernel
 *
 * Return: the socket, or NULL without memory.
 */
struct sock *afbus_sock_new(struct net *net, struct socket *sock, int proto,
			    const struct afbus_protocol *protocol, int kern)
{
	struct afbus_sock *s;
	struct sock *sk;
	u32 id;

	if (afbus_proc_reserve(net, &id))
		return NULL;
	sk = sk_alloc(net, afbus_family, GFP_KERNEL, &afbus_proto, kern);
	if (!sk) {
		afbus_proc_cancel(net, id);
		return NULL;
	}

	sock_init_data(sock, sk);
	sk->sk_type = SOCK_SEQPACKET;
	sk->sk_protocol = proto;
	sk->sk_allocation = GFP_KERNEL_ACCOUNT;
	sk->sk_write_space = afbus_write_space;
	timer_setup(&sk->sk_timer, afbus_budget_timeout, 0);
	sk->sk_destruct = afbus_sock_destruct;

	s = afbus_sk(sk);
	s->net_id = id;
	mutex_init(&s->iolock);
	s->protocol = protocol;
	s->maxqlen = BUS_MAX_QLEN;
	s->max_sndbuf = AFBUS_MAX_SNDBUF;
	INIT_LIST_HEAD(&s->joined_node);
	INIT_LIST_HEAD(&s->eaves_node);
	INIT_LIST_HEAD(&s->shut_node);
	INIT_LIST_HEAD(&s->backlog_node);
	INIT_LIST_HEAD(&s->addrs);
	INIT_LIST_HEAD(&s->pollout_waiters);
	INIT_LIST_HEAD(&s->awaited_by);
	afbus_line_init(&s->line);
	INIT_LIST_HEAD(&s->gc_node);
	INIT_LIST_HEAD(&s->gc_holds);
	INIT_LIST_HEAD(&s->gc_place.node);

	afbus_proc_add(s);
	return sk;
}

/**
 * afbus_sock_attach() - put a socket on a bus, for good
 * @s: the socket
 * @bus: the bus, whose reference passes to the socket
 * @kind: what the socket is from now on
 */
void afbus_sock_attach(struct afbus_sock *s, struct afbus_bus *bus,
		       enum afbus_kind kind)
{
	WRITE_ONCE(s->kind, kind);
	/* Who sees the bus sees the kind: pairs with afbus_sock_bus(). */
	smp_store_release(&s->bus, bus);
}

int afbus_create(struct net *net, struct socket *sock, int proto, int kern)
{
	const struct afbus_protocol *protocol;

	if (sock->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;

	protocol = afbus_protocol_get(proto);
	if (IS_ERR(protocol))
		return PTR_ERR(protocol);

	sock->state = SS_UNCONNECTED;
	sock->ops = &afbus_ops;
	if (afbus_sock_new(net, sock, proto, protocol, kern))
		return 0;
	afbus_protocol_put(protocol);
	return -ENOMEM;
}

static int afbus_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct afbus_sock *s;

	if (!sk)
		return 0;

	s = afbus_sk(sk);
	afbus_proc_del(s);
	sock_orphan(sk);
	sock->sk = NULL;
	sk_stop_timer(sk, &sk->sk_timer);
	afbus_detach(s);
	sock_put(sk);
	afbus_gc_run();
	return 0;
}

/* From here on the socket is binding, and refuses to connect or listen. */
static int afbus_bind_begin(struct sock *sk)
{
	struct afbus_sock *s = afbus_sk(sk);
	int err = -EINVAL;

	lock_sock(sk);
	if (s->kind == AFBUS_FREE && !s->binding) {
		s->binding = true;
		err = 0;
	}
	release_sock(sk);
	return err;
}

/* @bus is the bus whose master the socket becomes, or an error pointer. */
static void afbus_bind_end(struct sock *sk, struct afbus_bus *bus)
{
	struct afbus_sock *s = afbus_sk(sk);

	lock_sock(sk);
	s->binding = false;
	if (!IS_ERR(bus)) {
		/* Nobody listens yet: a client that finds the bus is refused. */
		spin_lock(&bus->lock);
		bus->listener = s;
		afbus_sock_attach(s, bus, AFBUS_LISTENER);
		spin_unlock(&bus->lock);
	}
	release_sock(sk);
}

/*
 * A file system may take for ever to make a name, so the socket is not locked
 * meanwhile: a task that waits for lock_sock() cannot be killed.
 */
static int afbus_bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	struct sock *sk = sock->sk;
	struct afbus_name name;
	struct afbus_bus *bus;
	int err;

	err = afbus_name_parse(&name, (struct sockaddr_bus *)uaddr, len);
	if (err)
		return err;
	err = afbus_bind_begin(sk);
	if (err)
		return err;

	bus = afbus_bus_new(sk, &name);
	if (!IS_ERR(bus)) {
		err = afbus_name_bind(bus, sock);
		if (err) {
			afbus_bus_put(bus);
			bus = ERR_PTR(err);
		}
	}
	afbus_bind_end(sk, bus);
	return PTR_ERR_OR_ZERO(bus);
}

static int afbus_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sockaddr_bus *addr = (struct sockaddr_bus *)uaddr;
	struct afbus_sock *s = afbus_sk(sock->sk);
	struct afbus_bus *bus = afbus_sock_bus(s);

	memset(addr, 0, sizeof(*addr));
	addr->sbus_family = afbus_family;

	if (peer && (!bus || s->kind == AFBUS_LISTENER))
		return -ENOTCONN;
	if (bus) {
		memcpy(addr->sbus_path, bus->name.path, bus->name.len);
		if (s->kind == (peer ? AFBUS_ACCEPTED : AFBUS_CLIENT))
			addr->sbus_addr.s_addr = s->addr;
	}
	return sizeof(*addr);
}

static int afbus_ioctl(struct socket *sock, unsigned int cmd,
		       unsigned long arg)
{
	struct afbus_sock *s = afbus_sk(sock->sk);

	switch (cmd) {
	case SIOCINQ:
		if (READ_ONCE(s->kind) == AFBUS_LISTENER)
			return -EINVAL;
		return put_user(READ_ONCE(s->readable), (int __user *)arg);
	case SIOCOUTQ:
		return put_user(atomic_read(&s->charged), (int __user *)arg);
	default:
		return -ENOIOCTLCMD;
	}
}

#ifdef CONFIG_COMPAT
static int afbus_compat_ioctl(struct socket *sock, unsigned int cmd,
			      unsigned long arg)
{
	return afbus_ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif

AFBUS_DEFINE_ACCEPT_OP(afbus_accept)

/* The family is a parameter: afbus_init() fills it in. */
struct proto_ops afbus_ops __ro_after_init = {
	.owner		= THIS_MODULE,
	.release	= afbus_release,
	.bind		= afbus_bind,
	.connect	= afbus_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= AFBUS_ACCEPT_OP(afbus_accept),
	.getname	= afbus_getname,
	.poll		= afbus_poll,
	.ioctl		= afbus_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= afbus_compat_ioctl,
#endif
	.gettstamp	= sock_gettstamp,
	.listen		= afbus_listen,
	.shutdown	= afbus_shutdown,
	.setsockopt	= afbus_setsockopt,
	.getsockopt	= afbus_getsockopt,
	.sendmsg	= afbus_sendmsg,
	.recvmsg	= afbus_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= sk_set_peek_off,
};
