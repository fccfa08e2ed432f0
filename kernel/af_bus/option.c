// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_BUS. All but BUS_PASSSEQ are the master's.
 */

#include <linux/capability.h>
#include <net/net_namespace.h>
#include "addr.h"
#include "budget.h"
#include "bus.h"
#include "inflight.h"
#include "ops.h"
#include "queue.h"
#include "sock.h"

static int afbus_get_int(int *res, sockptr_t val, unsigned int len)
{
	if (len < sizeof(*res))
		return -EINVAL;
	return copy_from_sockptr(res, val, sizeof(*res)) ? -EFAULT : 0;
}

/* Whether the client's receive queue is full. */
static int afbus_get_qlenfull(struct afbus_sock *s, int *res)
{
	int err = -ENOTCONN;

	if (s->kind != AFBUS_ACCEPTED)
		return -EINVAL;

	spin_lock(&s->bus->lock);
	if (s->peer && !s->peer->out) {
		*res = afbus_queue_full(s->peer);
		err = 0;
	}
	spin_unlock(&s->bus->lock);
	return err;
}

static int afbus_set_addr(struct afbus_sock *s, int opt, sockptr_t val,
			  unsigned int len)
{
	struct bus_addr addr;

	if (s->kind != AFBUS_ACCEPTED || len < sizeof(addr))
		return -EINVAL;
	if (copy_from_sockptr(&addr, val, sizeof(addr)))
		return -EFAULT;

	if (opt == BUS_ADD_ADDR)
		return afbus_addr_add(s, addr.s_addr);
	return afbus_addr_del(s, addr.s_addr);
}

static int afbus_set_membership(struct afbus_sock *s, int opt)
{
	struct afbus_inflight *watch = NULL;
	int err = -ENOTCONN;

	if (s->kind != AFBUS_ACCEPTED)
		return -EINVAL;
	if (opt == BUS_SET_EAVESDROP) {
		/* The user that connected the client. */
		watch = afbus_inflight_get(s->sk.sk_peer_cred->user->uid);
		if (!watch)
			return -ENOMEM;
	}

	afbus_bus_begin_change(s->bus);
	if (s->peer) {
		if (!s->peer->watch)
			swap(s->peer->watch, watch);
		if (opt == BUS_JOIN_BUS)
			err = afbus_bus_join(s->peer);
		else
			err = afbus_bus_eavesdrop(s->peer,
						  opt == BUS_SET_EAVESDROP);
	}
	afbus_bus_end_change(s->bus);

	if (watch)
		afbus_inflight_put(watch);
	return err;
}

static int afbus_set_limit(struct afbus_sock *s, int opt, int val)
{
	struct afbus_bus *bus = s->bus;

	if (opt == BUS_SET_OVERFLOW) {
		if (val < BUS_OVERFLOW_BLOCK || val > BUS_OVERFLOW_EVICT)
			return -EINVAL;
	} else if (val <= 0) {
		return -EINVAL;
	}

	/*
	 * As for SO_SNDBUFFORCE, a capability in a user namespace does not
	 * count.
	 */
	if (opt == BUS_SET_SENDBUF && val > READ_ONCE(sysctl_wmem_max) &&
	    !capable(CAP_NET_ADMIN))
		val = READ_ONCE(sysctl_wmem_max);
	if (opt == BUS_SET_SENDBUF)
		val = min(val, AFBUS_MAX_SNDBUF);

	spin_lock(&bus->lock);
	switch (opt) {
	case BUS_SET_SENDBUF:
		bus->sndbuf = val;
		break;
	case BUS_SET_MAXQLEN:
		bus->maxqlen = val;
		bus->maxqlen_set = true;
		break;
	case BUS_SET_OVERFLOW:
		bus->seq++;
		bus->overflow = val;
		afbus_bus_reroute(bus, true);
		break;
	}
	spin_unlock(&bus->lock);
	return 0;
}

static int afbus_set_passseq(struct afbus_sock *s, int val)
{
	if (!afbus_sock_bus(s) || s->kind == AFBUS_LISTENER)
		return -ENOTCONN;
	if (val != 0 && val != 1)
		return -EINVAL;
	WRITE_ONCE(s->passseq, val);
	return 0;
}

static bool afbus_is_listening(const struct afbus_sock *s)
{
	return READ_ONCE(s->sk.sk_state) == TCP_LISTEN;
}

int afbus_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		     unsigned int len)
{
	struct afbus_sock *s = afbus_sk(sock->sk);
	struct afbus_bus *bus = afbus_sock_bus(s);
	int num, err;

	if (level != SOL_BUS)
		return -ENOPROTOOPT;

	switch (opt) {
	case BUS_ADD_ADDR:
	case BUS_DEL_ADDR:
		return bus ? afbus_set_addr(s, opt, val, len) : -EINVAL;

	case BUS_JOIN_BUS:
	case BUS_SET_EAVESDROP:
	case BUS_UNSET_EAVESDROP:
		return bus ? afbus_set_membership(s, opt) : -EINVAL;

	case BUS_SET_SENDBUF:
	case BUS_SET_MAXQLEN:
	case BUS_SET_OVERFLOW:
		if (!bus || !afbus_is_listening(s))
			return -EINVAL;
		err = afbus_get_int(&num, val, len);
		return err ?: afbus_set_limit(s, opt, num);

	case BUS_GET_QLENFULL:
		/* The call of 2012: setsockopt(), which answers in place. */
		if (!bus || len < sizeof(num))
			return -EINVAL;
		err = afbus_get_qlenfull(s, &num);
		if (err)
			return err;
		return copy_to_sockptr(val, &num, sizeof(num)) ? -EFAULT : 0;

	case BUS_PASSSEQ:
		err = afbus_get_int(&num, val, len);
		return err ?: afbus_set_passseq(s, num);

	default:
		return -ENOPROTOOPT;
	}
}

static int afbus_get_limit(struct afbus_sock *s, int opt, int *res)
{
	struct afbus_bus *bus = s->bus;

	if (!afbus_is_listening(s))
		return -EINVAL;

	spin_lock(&bus->lock);
	switch (opt) {
	case BUS_SET_SENDBUF:
		*res = bus->sndbuf ?: READ_ONCE(s->sk.sk_sndbuf);
		break;
	case BUS_SET_MAXQLEN:
		*res = bus->maxqlen;
		break;
	case BUS_SET_OVERFLOW:
		*res = bus->overflow;
		break;
	}
	spin_unlock(&bus->lock);
	return 0;
}

static int afbus_get_joined(struct afbus_sock *s, int *res)
{
	struct afbus_sock *client = s;

	if (s->kind == AFBUS_LISTENER)
		return -EINVAL;

	spin_lock(&s->bus->lock);
	if (s->kind == AFBUS_ACCEPTED)
		client = s->peer;
	*res = client && client->joined;
	spin_unlock(&s->bus->lock);
	return 0;
}

static int afbus_get_option(struct afbus_sock *s, int opt, int *res)
{
	bool attached = afbus_sock_bus(s);

	switch (opt) {
	case BUS_SET_SENDBUF:
	case BUS_SET_MAXQLEN:
	case BUS_SET_OVERFLOW:
		return attached ? afbus_get_limit(s, opt, res) : -EINVAL;
	case BUS_GET_QLENFULL:
		return attached ? afbus_get_qlenfull(s, res) : -EINVAL;
	case BUS_JOIN_BUS:
		return attached ? afbus_get_joined(s, res) : -EINVAL;
	case BUS_PASSSEQ:
		if (!attached || s->kind == AFBUS_LISTENER)
			return -ENOTCONN;
		*res = READ_ONCE(s->passseq);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int afbus_getsockopt(struct socket *sock, int level, int opt,
		     char __user *val, int __user *ulen)
{
	int err, len, res = 0;

	if (level != SOL_BUS)
		return -ENOPROTOOPT;
	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;

	err = afbus_get_option(afbus_sk(sock->sk), opt, &res);
	if (err)
		return err;

	len = min_t(int, len, sizeof(res));
	if (put_user(len, ulen) || copy_to_user(val, &res, len))
		return -EFAULT;
	return 0;
}
