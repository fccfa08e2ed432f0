/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NFDBUS_H
#define _NFDBUS_H

/**
 * DOC: Objects
 *
 * Each bus of BUS_PROTO_DBUS has a struct nfdbus_bus, each client of one a
 * struct nfdbus_client; af_bus makes them at bind and at connect, and tells
 * of their end. A rule (struct nfdbus_entry) belongs to one client. A name
 * (struct nfdbus_name) belongs to the bus, for as long as a client owns it or
 * a rule refers to it.
 *
 * DOC: Who may look at what
 *
 * Rules and names change under nfdbus_bus.lock, a mutex, which is our outermost
 * lock: it is never taken with a lock of af_bus held. Within it, a change takes
 * effect for messages under the lock of af_bus's bus, so that the change has
 * its place among them. Verdicts take no lock at all. A verdict holds the
 * socket of its recipient, and with that the client and the bus. It finds rules
 * and names under rcu_read_lock(), and they are freed a grace period after they
 * can no longer be found.
 *
 * A client leaves under the lock of its bus, where nothing may sleep. So it is
 * only marked there, and a work item removes its rules and names. A request
 * that adds one looks at the mark under the mutex, which the work item takes as
 * well: so the work item removes what was added before, and nothing is added
 * later.
 *
 * DOC: Index
 *
 * Each client has a table of its rules, by hash. The class of a rule says which
 * of type, path, interface, member and first argument it asks for; the hash is of
 * the class and of what the rule asks for. A client notes of which classes it has
 * rules. A message is looked up once for each of these, and meets only rules that
 * agree with it in all the parts of their class.
 *
 * Most clients want nothing of most messages, and a verdict for each client takes
 * long. So the same hashes are the marks of struct afbus_sieve: a message whose
 * hashes are not in a client's sieve passes that client by.
 *
 * Equal rules of all clients are of one kind (kind.c). A message that fits one
 * rule of a kind fits all of them: only the sender that a rule wants is compared
 * anew, since names may get other owners meanwhile.
 *
 * Tables change under the mutex alone, which may take long. Under the lock of
 * af_bus's bus two words are written, one which says whether a rule counts and
 * one of the sieve; if a client loses all its rules at once, the 129 words of its
 * sieve. Nobody on the bus waits for more than that.
 */

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/af_bus.h>
#include "dbus.h"

struct net;

/* Parts that a class is made of. */
#define NFDBUS_BY_TYPE		BIT(0)
#define NFDBUS_BY_PATH		BIT(1)
#define NFDBUS_BY_INTERFACE	BIT(2)
#define NFDBUS_BY_MEMBER	BIT(3)
#define NFDBUS_BY_ARG0		BIT(4)
#define NFDBUS_CLASSES		BIT(5)

#define NFDBUS_BUCKETS		64
#define NFDBUS_JUDGED		4

/**
 * struct nfdbus_bus - the private data of a bus
 * @ref: one of the bus, and one per client
 * @free_work: the end of it: tables can only be destroyed where one may sleep
 * @kinds: a rule of each kind, by what it says
 * @names: names that have an owner or a rule that refers to them, by their text
 * @lock: guards everything below; also held to change what is above
 * @classes: a bit for each class that its clients have rules of; messages read it
 * @nr_in_class: how many rules of each class they have
 * @by_id: rules, by struct nfdbus_entry.id
 * @names_by_id: names, by struct nfdbus_name.id
 * @last_id: last one given to a rule or name; none is given twice
 * @changes: counts changes, so that a dump can tell that it was interrupted
 */
struct nfdbus_bus {
	struct kref		ref;
	struct work_struct	free_work;
	struct rhashtable	kinds;
	struct rhashtable	names;

	struct mutex		lock;
	u32			classes;
	unsigned int		nr_in_class[NFDBUS_CLASSES];
	struct xarray		by_id;
	struct xarray		names_by_id;
	unsigned long		last_id;
	unsigned int		changes;
};

/**
 * struct nfdbus_client - the private data of a client
 * @sieve: the hashes of its rules that count; first, for af_bus
 * @ref: one of its socket, and one of @leave_work
 * @bus: its bus, with a reference
 * @gone: it has left; set once, under the lock of af_bus's bus
 * @leave_work: removes its rules and names
 * @table: its rules, by their hashes; read under RCU
 *
 * Under the lock of the bus:
 *
 * @addr: its prefix-0 address, if it has rules or names
 * @nr_in_class: how many rules of each class it has
 * @rules: its rules
 * @nr_rules: length of @rules
 * @names: names that it owns
 * @nr_names: length of @names
 */
struct nfdbus_client {
	struct afbus_sieve	sieve;
	refcount_t		ref;
	struct nfdbus_bus	*bus;
	bool			gone;
	struct work_struct	leave_work;
	struct hlist_head	table[NFDBUS_BUCKETS];

	u64			addr;
	unsigned int		nr_in_class[NFDBUS_CLASSES];
	struct list_head	rules;
	unsigned int		nr_rules;
	struct list_head	names;
	unsigned int		nr_names;
};

/**
 * struct nfdbus_index - where a rule is in its client's table
 * @class: NFDBUS_BY_*
 * @hash: of the class, and of what the rule asks for in its parts
 */
struct nfdbus_index {
	u32	class;
	u32	hash;
};

/**
 * struct nfdbus_entry - a rule of a client
 * @node: in nfdbus_client.table
 * @index: where it is in there
 * @kind: a number that equal rules of the bus have, and no others ever
 * @client: whose it is
 * @client_node: in nfdbus_client.rules
 * @id: in nfdbus_bus.by_id
 * @live: it counts; changed under the lock of af_bus's bus, read under RCU
 * @stands: it stands for its kind, in nfdbus_bus.kinds
 * @kind_node: in there, if it does
 * @same_kind: rules of its kind
 * @name: well-known name that it requires of the sender, or NULL
 * @sender: address that it requires of the sender, if @name is NULL
 * @text: the rule as it was written, after @rule
 * @rcu: verdicts may still look at it
 * @rule: the rule; last, as it has no fixed length
 */
struct nfdbus_entry {
	struct hlist_node	node;
	struct nfdbus_index	index;
	unsigned long		kind;
	struct nfdbus_client	*client;
	struct list_head	client_node;
	unsigned long		id;
	bool			live;
	bool			stands;
	struct rhash_head	kind_node;
	struct list_head	same_kind;
	struct nfdbus_name	*name;
	u64			sender;
	const char		*text;
	struct rcu_head		rcu;
	struct nfdbus_rule	rule;
};

/**
 * struct nfdbus_name - a well-known name
 * @node: in nfdbus_bus.names
 * @owner: address of the client that owns it, or NFDBUS_NOBODY; read under RCU
 * @client: that client, or NULL
 * @client_node: in nfdbus_client.names, if there is an owner
 * @nr_rules: rules that refer to it
 * @id: in nfdbus_bus.names_by_id
 * @rcu: rules that verdicts still look at may refer to it
 * @len: bytes of @text
 * @text: the name, with a NUL at its end
 */
struct nfdbus_name {
	struct rhash_head	node;
	u64			owner;
	struct nfdbus_client	*client;
	struct list_head	client_node;
	unsigned int		nr_rules;
	unsigned long		id;
	struct rcu_head		rcu;
	u32			len;
	char			text[];
};

/**
 * struct nfdbus_judged - what a message is for one kind of rules
 * @kind: the kind, 0 for none
 * @fits: rules of that kind are for the message, if it is from their sender
 */
struct nfdbus_judged {
	unsigned long	kind;
	bool		fits;
};

/**
 * struct nfdbus_parsed - a message on its way, in the scratch space of its send
 * @done: it was parsed; first, and 0 to begin with
 * @path: hash of its path
 * @interface: hash of its interface
 * @member: hash of its member
 * @arg0: hash of its first argument, once a rule has asked for it
 * @has_arg0: a rule has asked, and the argument is a string
 * @hashes: of rules for the message, by class; of the classes that fit it
 * @buckets: the buckets of clients' tables that these hashes belong to
 * @marks: what these hashes are in sieves, and which classes fit
 * @judged: the kinds that were last asked for, each in one place
 * @m: the message; last, as its arguments are not filled in
 */
struct nfdbus_parsed {
	u64			done;
	u32			path;
	u32			interface;
	u32			member;
	u32			arg0;
	bool			has_arg0;
	u32			hashes[NFDBUS_CLASSES];
	u8			buckets[NFDBUS_CLASSES];
	struct afbus_marks	marks;
	struct nfdbus_judged	judged[NFDBUS_JUDGED];
	struct nfdbus_message	m;
};

/* main.c */
extern struct workqueue_struct *nfdbus_wq;
extern const struct afbus_protocol nfdbus_protocol;

/* bus.c */
void *nfdbus_bus_new(void);
void nfdbus_bus_free(void *data);
void *nfdbus_client_new(void *data);
void nfdbus_client_leave(void *data);
void nfdbus_client_free(void *data);

/* table.c */
int nfdbus_table_init(struct nfdbus_bus *bus);
void nfdbus_table_exit(struct nfdbus_bus *bus);
int nfdbus_rule_add(struct afbus_bus *on, struct nfdbus_client *client,
		    u64 addr, const struct nfdbus_draft *draft,
		    const char *text, u32 len);
int nfdbus_rule_remove(struct afbus_bus *on, struct nfdbus_client *client,
		       const struct nfdbus_draft *draft);
void nfdbus_rule_remove_all(struct afbus_bus *on, struct nfdbus_client *client);

/* kind.c */
int nfdbus_kinds_init(struct nfdbus_bus *bus);
void nfdbus_kinds_exit(struct nfdbus_bus *bus);
int nfdbus_kind_join(struct nfdbus_bus *bus, struct nfdbus_entry *e);
void nfdbus_kind_leave(struct nfdbus_bus *bus, struct nfdbus_entry *e);

/* match.c */
u32 nfdbus_bucket(u32 hash);
void nfdbus_index_rule(struct nfdbus_index *index,
		       const struct nfdbus_rule *rule);
const struct afbus_marks *nfdbus_read(void *data, const struct sk_buff *skb,
				      unsigned int fds, void *scratch);
bool nfdbus_wants(const void *data, u64 src, void *scratch);
unsigned int nfdbus_verdict(const struct sk_buff *skb,
			    const struct afbus_hook_state *state);

/* owner.c */
int nfdbus_names_init(struct nfdbus_bus *bus);
void nfdbus_names_exit(struct nfdbus_bus *bus);
struct nfdbus_name *nfdbus_name_get(struct nfdbus_bus *bus, const char *text,
				    u32 len);
void nfdbus_name_put(struct nfdbus_bus *bus, struct nfdbus_name *name);
int nfdbus_name_set(struct afbus_bus *on, struct nfdbus_client *client,
		    u64 addr, const char *text, u32 len);
int nfdbus_name_unset(struct afbus_bus *on, const char *text, u32 len);
void nfdbus_name_unset_all(struct nfdbus_client *client);

/* request.c */

/**
 * struct nfdbus_request - a request, by netlink or the connector
 * @net: network namespace that it was sent in
 * @nsp: capabilities of the socket that it came through
 * @path: path of the bus
 * @path_len: bytes of @path
 * @addr: address of the client
 * @text: a rule or a name, not NUL-terminated
 * @len: bytes of @text
 * @error: result: what is wrong, for any error but -ENOMEM
 * @about: result: which part of the request is wrong
 * @error_at: result: at which byte of a bad rule
 */
struct nfdbus_request {
	struct net			*net;
	const struct netlink_skb_parms	*nsp;
	const char			*path;
	u32				path_len;
	u64				addr;
	const char			*text;
	u32				len;
	const char			*error;
	enum nfdbus_attr		about;
	u32				error_at;
};

struct afbus_bus *nfdbus_request_bus(struct nfdbus_request *r);
int nfdbus_request_client(struct nfdbus_request *r, struct afbus_bus *bus,
			  u64 *addr);
int nfdbus_request_add(struct nfdbus_request *r);
int nfdbus_request_remove(struct nfdbus_request *r);
int nfdbus_request_remove_all(struct nfdbus_request *r);
int nfdbus_request_set_name(struct nfdbus_request *r);
int nfdbus_request_unset_name(struct nfdbus_request *r);

/* netlink.c */
int nfdbus_netlink_init(void);
void nfdbus_netlink_exit(void);

/* connector.c */
#if IS_ENABLED(CONFIG_CONNECTOR)
void nfdbus_connector_init(void);
void nfdbus_connector_exit(void);
#else
static inline void nfdbus_connector_init(void) {}
static inline void nfdbus_connector_exit(void) {}
#endif

#endif /* _NFDBUS_H */
