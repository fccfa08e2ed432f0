// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/bus: one line for each socket of a network namespace.
 */

#include <linux/ctype.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "addr.h"
#include "af_bus.h"
#include "bus.h"
#include "name.h"
#include "proc.h"
#include "sock.h"

/* Addresses in a line, which is printed under locks; the rest is counted. */
#define AFBUS_SHOWN_ADDRS	64

/**
 * struct afbus_net - sockets of one network namespace
 * @socks: all of them by number, in the order in which they were made; a
 *	number is reserved before the socket shows
 * @last: last number given
 *
 * A reader of the file goes from number to number. So it neither misses nor
 * repeats a socket when others come and go, finds its place again in a few
 * steps, and keeps nobody from making sockets meanwhile.
 */
struct afbus_net {
	struct xarray		socks;
	u32			last;
};

static unsigned int afbus_net_id;

static struct afbus_net *afbus_net(const struct net *net)
{
	return net_generic(net, afbus_net_id);
}

/**
 * afbus_proc_reserve() - reserve a number for a socket to be made
 * @net: its network namespace
 * @id: result: its number
 *
 * Return: 0 or -ENOMEM.
 */
int afbus_proc_reserve(struct net *net, u32 *id)
{
	struct afbus_net *n = afbus_net(net);
	int err;

	/* 0 is the heading; after the largest number, the smallest is next. */
	err = xa_alloc_cyclic(&n->socks, id, NULL, XA_LIMIT(1, INT_MAX),
			      &n->last, GFP_KERNEL);
	return err < 0 ? -ENOMEM : 0;
}

/**
 * afbus_proc_cancel() - the socket is not made after all
 * @net: network namespace
 * @id: the number
 */
void afbus_proc_cancel(struct net *net, u32 id)
{
	xa_erase(&afbus_net(net)->socks, id);
}

/**
 * afbus_proc_add() - show a socket
 * @s: the socket, with the number that was reserved
 */
void afbus_proc_add(struct afbus_sock *s)
{
	struct net *net = sock_net(&s->sk);

	sock_prot_inuse_add(net, &afbus_proto, 1);
	/* Needs no memory: the entry is there. */
	xa_store(&afbus_net(net)->socks, s->net_id, s, GFP_KERNEL);
}

/**
 * afbus_proc_del() - show a socket no more, since it closes
 * @s: the socket
 */
void afbus_proc_del(struct afbus_sock *s)
{
	struct net *net = sock_net(&s->sk);

	xa_erase(&afbus_net(net)->socks, s->net_id);
	sock_prot_inuse_add(net, &afbus_proto, -1);
}

#ifdef CONFIG_PROC_FS
/* A path, escaped so that it ends neither the line nor the column. */
static void afbus_show_path(struct seq_file *seq, const struct afbus_name *name)
{
	unsigned int i;

	for (i = 0; i < name->len; i++) {
		unsigned char c = name->path[i];

		if (!i && !c)
			seq_putc(seq, '@');
		else if (isascii(c) && !isgraph(c))
			seq_printf(seq, "\\%03o", c);
		else if (c == '\\')
			seq_puts(seq, "\\134");
		else
			seq_putc(seq, c);
	}
}

static void afbus_show_addr(struct seq_file *seq, u64 addr)
{
	seq_printf(seq, "%04x/%012llx", afbus_addr_prefix(addr),
		   addr & BUS_CLIENT_MASK);
}

static void afbus_show_addrs(struct seq_file *seq, struct afbus_sock *s)
{
	struct afbus_addr *addr;
	unsigned int shown = 0;
	char sep = ' ';

	lockdep_assert_held(&s->bus->lock);

	if (s->kind != AFBUS_CLIENT) {
		seq_putc(seq, sep);
		afbus_show_addr(seq, BUS_MASTER_ADDR);
		return;
	}
	if (s->out || list_empty(&s->addrs)) {
		seq_puts(seq, " -");
		return;
	}
	list_for_each_entry(addr, &s->addrs, owner_node) {
		if (shown++ == AFBUS_SHOWN_ADDRS) {
			seq_printf(seq, ",+%u", s->nr_addrs - AFBUS_SHOWN_ADDRS);
			break;
		}
		seq_putc(seq, sep);
		afbus_show_addr(seq, addr->value);
		sep = ',';
	}
}

static const char *afbus_state(const struct afbus_sock *s)
{
	if (s->sk.sk_shutdown == SHUTDOWN_MASK)
		return "shut";

	switch (s->kind) {
	case AFBUS_LISTENER:
		return s->sk.sk_state == TCP_LISTEN ? "listening" : "bound";
	case AFBUS_ACCEPTED:
		return list_empty(&s->backlog_node) ? "accepted" : "waiting";
	case AFBUS_CLIENT:
		return "client";
	default:
		return "free";
	}
}

static const char *afbus_overflow(const struct afbus_bus *bus)
{
	switch (bus->overflow) {
	case BUS_OVERFLOW_FAIL:
		return "fail";
	case BUS_OVERFLOW_EVICT:
		return "evict";
	default:
		return "block";
	}
}

/* The state of a socket on its bus: columns up to the queue, and the last three. */
static void afbus_show_on_bus(struct seq_file *seq, struct afbus_sock *s)
{
	struct afbus_bus *bus = s->bus;
	unsigned long peer;

	spin_lock(&bus->lock);
	afbus_show_path(seq, &bus->name);
	afbus_show_addrs(seq, s);
	seq_printf(seq, " %s %d %d %u %lu", afbus_state(s), s->joined,
		   !list_empty(&s->eaves_node),
		   skb_queue_len_lockless(&s->sk.sk_receive_queue),
		   sock_i_ino(&s->sk));
	peer = s->peer ? sock_i_ino(&s->peer->sk) : 0;
	seq_printf(seq, " %lu %d %s\n", peer, s->sk.sk_protocol,
		   afbus_overflow(bus));
	spin_unlock(&bus->lock);
}

static void afbus_show_sock(struct seq_file *seq, struct afbus_sock *s)
{
	if (afbus_sock_bus(s))
		afbus_show_on_bus(seq, s);
	else
		seq_printf(seq, "- - free 0 0 0 %lu 0 %d -\n",
			   sock_i_ino(&s->sk), s->sk.sk_protocol);
}

/* The next socket from number *@pos on, with a reference. */
static void *afbus_seq_find(struct seq_file *seq, loff_t *pos)
{
	struct afbus_net *n = afbus_net(seq_file_net(seq));
	unsigned long id = *pos;
	struct afbus_sock *s;

	if (*pos > INT_MAX)
		return NULL;
	/* A socket leaves the table before its last reference goes. */
	xa_lock(&n->socks);
	s = xa_find(&n->socks, &id, INT_MAX, XA_PRESENT);
	if (s)
		sock_hold(&s->sk);
	xa_unlock(&n->socks);
	*pos = s ? id : INT_MAX + 1LL;
	return s;
}

static void afbus_seq_put(void *v)
{
	if (v && v != SEQ_START_TOKEN)
		sock_put(&((struct afbus_sock *)v)->sk);
}

static void *afbus_seq_start(struct seq_file *seq, loff_t *pos)
{
	return *pos ? afbus_seq_find(seq, pos) : SEQ_START_TOKEN;
}

static void *afbus_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	afbus_seq_put(v);
	++*pos;
	return afbus_seq_find(seq, pos);
}

static void afbus_seq_stop(struct seq_file *seq, void *v)
{
	afbus_seq_put(v);
}

static int afbus_seq_show(struct seq_file *seq, void *v)
{
	if (v == SEQ_START_TOKEN)
		seq_puts(seq, "Path Addresses State Joined Eavesdropper Queue Inode Peer Protocol Policy\n");
	else
		afbus_show_sock(seq, v);
	return 0;
}

static const struct seq_operations afbus_seq_ops = {
	.start	= afbus_seq_start,
	.next	= afbus_seq_next,
	.stop	= afbus_seq_stop,
	.show	= afbus_seq_show,
};
#endif

static int __net_init afbus_net_init(struct net *net)
{
	struct afbus_net *n = afbus_net(net);

	xa_init_flags(&n->socks, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
#ifdef CONFIG_PROC_FS
	if (!proc_create_net("bus", 0444, net->proc_net, &afbus_seq_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
#endif
	return 0;
}

static void __net_exit afbus_net_exit(struct net *net)
{
	WARN_ON_ONCE(!xa_empty(&afbus_net(net)->socks));
	remove_proc_entry("bus", net->proc_net);
}

struct pernet_operations afbus_net_ops = {
	.init	= afbus_net_init,
	.exit	= afbus_net_exit,
	.id	= &afbus_net_id,
	.size	= sizeof(struct afbus_net),
};
