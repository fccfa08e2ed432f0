/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NET_AF_BUS_H
#define _NET_AF_BUS_H

/**
 * DOC: What other modules may do with messages
 *
 * Each copy of a message is shown once to the protocol of its bus, if that has
 * one, and to the hooks of NF_BUS_SENDING, in the order of their priorities,
 * before the recipient's socket filter sees it. NF_ACCEPT lets it pass.
 * NF_DROP drops it: a message to one recipient fails with EPERM, or with the
 * error that comes with the verdict; a multicast leaves that recipient out,
 * and an eavesdropper misses it. A copy can neither be stolen nor queued.
 *
 * Hooks run under rcu_read_lock() and no lock of the bus. They must not change
 * the data, which other copies share. The message may still not be sent to
 * anybody, if there is no room.
 *
 * A protocol is a filter that its buses cannot do without: sockets of it can
 * only be made while it is registered, and keep its module.
 */

#include <linux/container_of.h>
#include <linux/netfilter.h>
#include <linux/bus.h>

/* The one hook point, struct nf_hook_ops.hooknum; .pf is NFPROTO_UNSPEC. */
#define NF_BUS_SENDING		0

#define AFBUS_TO_MASTER		BIT(0)
#define AFBUS_FROM_MASTER	BIT(1)
#define AFBUS_MULTICAST		BIT(2)
#define AFBUS_EAVESDROP		BIT(3)

/**
 * struct afbus_hook_state - what a hook is told besides the message
 * @nf: for the hook's signature; @nf.sk is the recipient
 * @sender: socket that sends
 * @recipient: socket that would get the copy
 * @src: prefix-0 address of the sender
 * @dst: destination as given, 0 if none was
 * @flags: AFBUS_*
 */
struct afbus_hook_state {
	struct nf_hook_state	nf;
	struct sock		*sender;
	struct sock		*recipient;
	u64			src;
	u64			dst;
	unsigned int		flags;
};

static inline const struct afbus_hook_state *
afbus_hook_state(const struct nf_hook_state *state)
{
	return container_of(state, struct afbus_hook_state, nf);
}

/**
 * struct afbus_protocol - a protocol other than BUS_PROTO_NONE
 * @number: BUS_PROTO_*
 * @owner: its module
 * @verdict: called first for each copy, as a hook is
 */
struct afbus_protocol {
	int		number;
	struct module	*owner;
	unsigned int	(*verdict)(struct sk_buff *skb,
				   const struct afbus_hook_state *state);
};

int afbus_register_hook(const struct nf_hook_ops *ops);
void afbus_unregister_hook(const struct nf_hook_ops *ops);
int afbus_register_protocol(const struct afbus_protocol *protocol);
void afbus_unregister_protocol(const struct afbus_protocol *protocol);

#endif /* _NET_AF_BUS_H */
