// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other modules may do with messages: the verdict of a bus's protocol, and
 * then the netfilter hooks; see include/net/af_bus.h.
 */

#include <linux/export.h>
#include <net/af_bus.h>
#include "addr.h"
#include "msg.h"
#include "send.h"
#include "sock.h"
#include "trace.h"

static DEFINE_MUTEX(afbus_hook_mutex);
struct nf_hook_entries __rcu *afbus_hooks;

#ifdef CONFIG_NETFILTER
int afbus_register_hook(const struct nf_hook_ops *ops)
{
	int err;

	if (ops->hooknum != NF_BUS_SENDING || ops->pf != NFPROTO_UNSPEC)
		return -EINVAL;

	mutex_lock(&afbus_hook_mutex);
	err = nf_hook_entries_insert_raw(&afbus_hooks, ops);
	mutex_unlock(&afbus_hook_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(afbus_register_hook);

void afbus_unregister_hook(const struct nf_hook_ops *ops)
{
	mutex_lock(&afbus_hook_mutex);
	nf_hook_entries_delete_raw(&afbus_hooks, ops);
	mutex_unlock(&afbus_hook_mutex);
	/* Afterwards the caller may unload the hook's code. */
	synchronize_net();
}
EXPORT_SYMBOL_GPL(afbus_unregister_hook);

static unsigned int afbus_hook_run(struct sk_buff *skb,
				   struct afbus_hook_state *state)
{
	const struct nf_hook_entries *hooks = rcu_dereference(afbus_hooks);
	const struct nf_hook_entry *entry;
	unsigned int verdict = NF_ACCEPT;
	nf_hookfn *hook;
	unsigned int i;

	for (i = 0; hooks && i < hooks->num_hook_entries; i++) {
		entry = &hooks->hooks[i];
		/* Unregistering replaces a hook by one that accepts. */
		hook = READ_ONCE(entry->hook);
		verdict = hook(entry->priv, skb, &state->nf);
		if (verdict != NF_ACCEPT)
			break;
	}
	return verdict;
}
#else
static unsigned int afbus_hook_run(struct sk_buff *skb,
				   struct afbus_hook_state *state)
{
	return NF_ACCEPT;
}
#endif

/**
 * afbus_hook_verdict() - whether protocol and hooks let a recipient get it
 * @s: the send
 * @r: the recipient
 *
 * Return: 0 if it may; the error of a message to one recipient.
 */
int afbus_hook_verdict(struct afbus_send *s, struct afbus_rcpt *r)
{
	const struct afbus_protocol *protocol = s->from->protocol;
	struct afbus_hook_state state = {
		.nf.hook	= NF_BUS_SENDING,
		.nf.pf		= NFPROTO_UNSPEC,
		.nf.net		= sock_net(&s->from->sk),
		.nf.sk		= &r->to->sk,
		.sender		= &s->from->sk,
		.recipient	= &r->to->sk,
		.src		= s->msg->src,
		.dst		= s->dst,
		.fds		= s->scm.fp ? s->scm.fp->count : 0,
		.scratch	= s->scratch,
	};
	unsigned int verdict = NF_ACCEPT;

	if (s->from->kind == AFBUS_ACCEPTED)
		state.flags |= AFBUS_FROM_MASTER;
	if (afbus_addr_is_multicast(s->dst))
		state.flags |= AFBUS_MULTICAST;
	if (r->to->kind == AFBUS_ACCEPTED)
		state.flags |= AFBUS_TO_MASTER;
	if (r->eaves)
		state.flags |= AFBUS_EAVESDROP;

	rcu_read_lock();
	/* If it has told the marks of the message, it has had its say. */
	if (protocol && !s->marks)
		verdict = protocol->verdict(s->msg->skb, &state);
	if (verdict == NF_ACCEPT)
		verdict = afbus_hook_run(s->msg->skb, &state);
	rcu_read_unlock();

	if (verdict == NF_ACCEPT)
		return 0;
	WARN_ON_ONCE((verdict & NF_VERDICT_MASK) != NF_DROP);
	return NF_DROP_GETERR(verdict) ?: -EPERM;
}
