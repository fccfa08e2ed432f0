// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module of hook.h: counts what NF_BUS_SENDING is shown, drops the copies for one socket, and
 * waits for changes of policy. Its parameters control it and report to the test.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/af_bus.h>

static unsigned long deny;
module_param(deny, ulong, 0644);
MODULE_PARM_DESC(deny, "inode of the socket whose copies are dropped");

static unsigned long about;
module_param(about, ulong, 0644);
MODULE_PARM_DESC(about, "inode of the socket that `as_recipient` is about");

static int error;
module_param(error, int, 0644);
MODULE_PARM_DESC(error, "errno that comes with the drop, 0 for none");

static unsigned int calls, late, to_master, from_master, multicast, eavesdrop, wrong, as_recipient;
module_param(calls, uint, 0644);
module_param(late, uint, 0644);
MODULE_PARM_DESC(late, "calls of a second hook, behind the first");
module_param(to_master, uint, 0644);
module_param(from_master, uint, 0644);
module_param(multicast, uint, 0644);
module_param(eavesdrop, uint, 0644);
module_param(as_recipient, uint, 0644);
module_param(wrong, uint, 0644);
MODULE_PARM_DESC(wrong, "calls that did not make sense");

static unsigned long long last_src, last_dst;
module_param(last_src, ullong, 0644);
module_param(last_dst, ullong, 0644);

static unsigned int patience_ms, changes, in_vain;
module_param(patience_ms, uint, 0644);
MODULE_PARM_DESC(patience_ms, "for how long each call waits until there are as many changes as calls");
module_param(changes, uint, 0644);
MODULE_PARM_DESC(changes, "that somebody has made");
module_param(in_vain, uint, 0644);
MODULE_PARM_DESC(in_vain, "calls that have waited for a change and seen none");

/* Under RCU nobody sleeps. */
static void bus_hook_await_change(void)
{
	unsigned int ms;

	for (ms = 0; ms < patience_ms && READ_ONCE(changes) < calls; ms++)
		mdelay(1);
	in_vain += patience_ms && READ_ONCE(changes) < calls;
}

static unsigned int bus_hook(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *nf)
{
	const struct afbus_hook_state *state = afbus_hook_state(nf);

	calls++;
	to_master += !!(state->flags & AFBUS_TO_MASTER);
	from_master += !!(state->flags & AFBUS_FROM_MASTER);
	multicast += !!(state->flags & AFBUS_MULTICAST);
	eavesdrop += !!(state->flags & AFBUS_EAVESDROP);
	wrong += !state->sender || nf->sk != state->recipient ||
		 !net_eq(nf->net, sock_net(state->sender)) || !skb->len;
	as_recipient += about && sock_i_ino(state->recipient) == about &&
			!(state->flags & AFBUS_EAVESDROP);
	last_src = state->src;
	last_dst = state->dst;
	bus_hook_await_change();

	if (!deny || sock_i_ino(state->recipient) != deny)
		return NF_ACCEPT;
	return error ? NF_DROP_ERR(-error) : NF_DROP;
}

/* It is called after the first hook, and not for copies that the first one drops. */
static unsigned int bus_late_hook(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *nf)
{
	late++;
	wrong += late > calls;
	return NF_ACCEPT;
}

static const struct nf_hook_ops bus_hook_ops = {
	.hook		= bus_hook,
	.pf		= NFPROTO_UNSPEC,
	.hooknum	= NF_BUS_SENDING,
	.priority	= -1,
};

static const struct nf_hook_ops bus_late_hook_ops = {
	.hook		= bus_late_hook,
	.pf		= NFPROTO_UNSPEC,
	.hooknum	= NF_BUS_SENDING,
	.priority	= 1,
};

/* The later hook is registered first: what counts is the priority. */
static int __init bus_hook_init(void)
{
	int err = afbus_register_hook(&bus_late_hook_ops);

	if (err)
		return err;
	err = afbus_register_hook(&bus_hook_ops);
	if (err)
		afbus_unregister_hook(&bus_late_hook_ops);
	return err;
}

static void __exit bus_hook_exit(void)
{
	afbus_unregister_hook(&bus_late_hook_ops);
	afbus_unregister_hook(&bus_hook_ops);
}

module_init(bus_hook_init);
module_exit(bus_hook_exit);
MODULE_DESCRIPTION("A hook for the tests of AF_BUS");
MODULE_LICENSE("GPL");
