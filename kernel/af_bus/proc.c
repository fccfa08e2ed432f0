// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/bus: one line for each socket of a network namespace.
 */

#include <linux/ctype.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "af_bus.h"

/* Addresses in a line: the rest is counted, since all is shown under locks. */
#define AFBUS_SHOWN_ADDRS	64

/**
 * struct afbus_net - sockets of one network namespace
 * @lock: guards @socks
 * @socks: all of them
 */
struct afbus_net {
	spinlock_t		lock;
	struct list_head	socks;
};

static unsigned int afbus_net_id;

static struct afbus_net *afbus_net(const struct net *net)
{
	return net_generic(net, afbus_net_id);
}

/**
 * afbus_proc_add() - a socket is born
 * @s: the socket
 */
void afbus_proc_add(struct afbus_sock *s)
{
	struct afbus_net *n = afbus_net(sock_net(&s->sk));

	sock_prot_inuse_add(sock_net(&s->sk), &afbus_proto, 1);
	spin_lock(&n->lock);
	list_add_tail(&s->net_node, &n->socks);
	spin_unlock(&n->lock);
}

/**
 * afbus_proc_del() - a socket closes
 * @s: the socket
 */
void afbus_proc_del(struct afbus_sock *s)
{
	struct afbus_net *n = afbus_net(sock_net(&s->sk));

	spin_lock(&n->lock);
	list_del(&s->net_node);
	spin_unlock(&n->lock);
	sock_prot_inuse_add(sock_net(&s->sk), &afbus_proto, -1);
}

#ifdef CONFIG_PROC_FS
/* A path that can neither end the line nor the column. */
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
	list_for_each_entry(addr, &s->addrs, owner_node) {
		if (shown++ == AFBUS_SHOWN_ADDRS) {
			seq_printf(seq, ",+%u", s->nr_addrs - AFBUS_SHOWN_ADDRS);
			break;
		}
		seq_putc(seq, sep);
		afbus_show_addr(seq, addr->value);
		sep = ',';
	}
	if (list_empty(&s->addrs))
		seq_puts(seq, " -");
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

static void afbus_show_sock(struct seq_file *seq, struct afbus_sock *s)
{
	struct afbus_bus *bus = afbus_sock_bus(s);

	if (!bus) {
		seq_puts(seq, "- - free 0 0");
	} else {
		spin_lock(&bus->lock);
		afbus_show_path(seq, &bus->name);
		afbus_show_addrs(seq, s);
		seq_printf(seq, " %s %d %d", afbus_state(s), s->joined,
			   !list_empty(&s->eaves_node));
		spin_unlock(&bus->lock);
	}
	seq_printf(seq, " %u %lu\n",
		   skb_queue_len_lockless(&s->sk.sk_receive_queue),
		   sock_i_ino(&s->sk));
}

static void *afbus_seq_start(struct seq_file *seq, loff_t *pos)
	__acquires(&afbus_net(seq_file_net(seq))->lock)
{
	struct afbus_net *n = afbus_net(seq_file_net(seq));

	spin_lock(&n->lock);
	return seq_list_start_head(&n->socks, *pos);
}

static void *afbus_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return seq_list_next(v, &afbus_net(seq_file_net(seq))->socks, pos);
}

static void afbus_seq_stop(struct seq_file *seq, void *v)
	__releases(&afbus_net(seq_file_net(seq))->lock)
{
	spin_unlock(&afbus_net(seq_file_net(seq))->lock);
}

static int afbus_seq_show(struct seq_file *seq, void *v)
{
	if (v == &afbus_net(seq_file_net(seq))->socks)
		seq_puts(seq, "Path Addresses State Joined Eavesdropper Queue Inode\n");
	else
		afbus_show_sock(seq, list_entry(v, struct afbus_sock, net_node));
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

	spin_lock_init(&n->lock);
	INIT_LIST_HEAD(&n->socks);
#ifdef CONFIG_PROC_FS
	if (!proc_create_net("bus", 0444, net->proc_net, &afbus_seq_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
#endif
	return 0;
}

static void __net_exit afbus_net_exit(struct net *net)
{
	WARN_ON_ONCE(!list_empty(&afbus_net(net)->socks));
	remove_proc_entry("bus", net->proc_net);
}

struct pernet_operations afbus_net_ops = {
	.init	= afbus_net_init,
	.exit	= afbus_net_exit,
	.id	= &afbus_net_id,
	.size	= sizeof(struct afbus_net),
};
