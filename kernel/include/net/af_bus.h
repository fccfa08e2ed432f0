/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NET_AF_BUS_H
#define _NET_AF_BUS_H

/**
 * DOC: What other modules may do with messages
 *
 * For each recipient, the protocol of the bus (if it has one) and the hooks of
 * NF_BUS_SENDING, in the order of their priorities, are shown a message. Then a
 * copy is made, which the recipient's socket filter sees.
 * NF_ACCEPT lets it pass. NF_DROP drops it: a message to one recipient fails
 * with EPERM, or with the error that comes with the verdict; a multicast
 * leaves that recipient out, and an eavesdropper misses it. A message can
 * neither be stolen nor queued.
 *
 * Hooks run under rcu_read_lock() and no lock of the bus. They must not change
 * the message, which all recipients share. It may still reach nobody, if there
 * is no room. A verdict holds until the sender sleeps: a sender that had to
 * wait for room shows the message again.
 *
 * A protocol is a filter that its buses cannot do without: its sockets can only
 * be made while it is registered, and pin its module. It may have private data
 * for each bus and for each client, which end with them. It may give clients
 * sieves, and multicasts marks. A client whose sieve has none of a multicast's
 * marks wants nothing of it: it is no recipient, and is not asked about. When
 * verdicts change, the protocol says so, and whose messages the change concerns.
 * Each change has its place in the sequence of messages: those of them that are
 * being sent are shown again, to the hooks as well.
 */

#include <linux/container_of.h>
#include <linux/netfilter.h>
#include <linux/uidgid.h>
#include <linux/bus.h>

/* The one hook point, struct nf_hook_ops.hooknum; .pf is NFPROTO_UNSPEC. */
#define NF_BUS_SENDING		0

#define AFBUS_TO_MASTER		BIT(0)
#define AFBUS_FROM_MASTER	BIT(1)
#define AFBUS_MULTICAST		BIT(2)
#define AFBUS_EAVESDROP		BIT(3)

/* Bytes on the sender's stack for what a protocol has parsed of a message. */
#define AFBUS_SCRATCH		1184

#define AFBUS_SIEVE_WORDS	128
#define AFBUS_CLASSES		32

/**
 * struct afbus_sieve - what a client may want: a Bloom filter of marks
 * @classes: a bit for each class of marks that may be in it
 * @words: each mark belongs to one, and has some bits there
 *
 * A client's private data begins with it, if its protocol reads multicasts. The
 * protocol adds to @classes before a change, and takes away within or after one;
 * @words change within one: afbus_protocol_begin_change().
 */
struct afbus_sieve {
	u32	classes;
	u64	words[AFBUS_SIEVE_WORDS];
};

/**
 * struct afbus_marks - what a multicast looks like
 * @classes: a bit for each class that was looked at; any other may fit as well
 * @fitting: of these, the ones of which the message has a mark
 * @words: where in a sieve the mark of a class is
 * @bits: what is there, if it is in the sieve
 */
struct afbus_marks {
	u32	classes;
	u32	fitting;
	u8	words[AFBUS_CLASSES];
	u64	bits[AFBUS_CLASSES];
};

static inline u32 afbus_mark_word(u32 hash)
{
	return hash % AFBUS_SIEVE_WORDS;
}

static inline u64 afbus_mark_bits(u32 hash)
{
	return BIT_ULL(hash >> 7 & 63) | BIT_ULL(hash >> 13 & 63) |
	       BIT_ULL(hash >> 19 & 63);
}

static inline void afbus_marks_add(struct afbus_marks *marks, u32 class,
				   u32 hash)
{
	marks->words[class] = afbus_mark_word(hash);
	marks->bits[class] = afbus_mark_bits(hash);
	marks->fitting |= BIT(class);
}

/**
 * struct afbus_hook_state - what a hook is given besides the message
 * @nf: for the hook's signature; @nf.sk is the recipient
 * @sender: socket that sends
 * @recipient: socket that would get the copy
 * @src: prefix-0 address of the sender
 * @dst: destination as given, 0 if none was: the other half of the sender's pair
 * @flags: AFBUS_*
 * @fds: descriptors that the message carries
 * @scratch: AFBUS_SCRATCH bytes for the protocol alone, the same for all
 *	recipients of the message; aligned as a u64, and not filled in but for
 *	the first u64, which is 0 before read() or the first verdict, whichever
 *	comes first
 */
struct afbus_hook_state {
	struct nf_hook_state	nf;
	struct sock		*sender;
	struct sock		*recipient;
	u64			src;
	u64			dst;
	unsigned int		flags;
	unsigned int		fds;
	void			*scratch;
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
 * @multicast_only: it is not shown messages to one recipient, which pass; it is
 *	shown eavesdroppers' copies of them
 * @bus_new: makes the private data of a bus, NULL without memory; may sleep
 * @bus_free: a bus has ended, and all its clients before; may sleep
 * @client_new: makes the private data of a client, given that of its bus; NULL
 *	without memory; may sleep
 * @client_leave: a client leaves its bus, whatever still holds its socket:
 *	under the bus lock, once for each client that was on the bus
 * @client_free: the last reference on a client's socket is gone, or its
 *	connect has failed; must not sleep
 * @read: reads a multicast, once and before its recipients are looked for, into
 *	scratch space; returns its marks there, or NULL if it has none to tell
 *	by. May be NULL
 * @wants: whether a client wants a multicast of which read() told the marks.
 *	Called for each recipient, before the hooks, with the client's private
 *	data, the prefix-0 address of the sender, and the scratch space of the
 *	message, to whose marks it may add those of classes that read() did
 *	not look at; under rcu_read_lock(). Needed by a protocol with read()
 * @verdict: called for each recipient of any other message, before the hooks
 *	and in the same way; the message is the same for all
 */
struct afbus_protocol {
	int		number;
	struct module	*owner;
	bool		multicast_only;
	void		*(*bus_new)(void);
	void		(*bus_free)(void *bus);
	void		*(*client_new)(void *bus);
	void		(*client_leave)(void *client);
	void		(*client_free)(void *client);
	const struct afbus_marks *(*read)(void *bus, const struct sk_buff *skb,
					  unsigned int fds, void *scratch);
	bool		(*wants)(const void *client, u64 src, void *scratch);
	unsigned int	(*verdict)(const struct sk_buff *skb,
				   const struct afbus_hook_state *state);
};

struct afbus_bus;

int afbus_register_hook(const struct nf_hook_ops *ops);
void afbus_unregister_hook(const struct nf_hook_ops *ops);
int afbus_register_protocol(const struct afbus_protocol *protocol);
void afbus_unregister_protocol(const struct afbus_protocol *protocol);

struct afbus_bus *
afbus_protocol_find_bus(const struct afbus_protocol *protocol, struct net *net,
			const char *path, unsigned int len, bool may_wait);
void afbus_protocol_put_bus(struct afbus_bus *bus);
void *afbus_protocol_bus(struct afbus_bus *bus, kuid_t *owner);
void afbus_protocol_begin_change(struct afbus_bus *bus);
void afbus_protocol_change_to(struct afbus_bus *bus, u64 addr, bool less);
void afbus_protocol_change_from(struct afbus_bus *bus, u64 addr);
void afbus_protocol_end_change(struct afbus_bus *bus);
struct sock *afbus_protocol_find_client(struct afbus_bus *bus, u64 addr);
void *afbus_protocol_client(const struct sock *client, u64 *addr);

#endif /* _NET_AF_BUS_H */
