// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family, see uapi/linux/nfdbus.h.
 */

#include <net/af_bus.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "nfdbus.h"

static const struct nla_policy nfdbus_policy[NFDBUS_ATTR_MAX + 1] = {
	[NFDBUS_ATTR_PATH]	= NLA_POLICY_RANGE(NLA_BINARY, 1, BUS_PATH_MAX),
	[NFDBUS_ATTR_ADDRESS]	= { .type = NLA_U64 },
	[NFDBUS_ATTR_RULE]	= { .type = NLA_NUL_STRING,
				    .len = NFDBUS_RULE_MAX },
	[NFDBUS_ATTR_NAME]	= { .type = NLA_NUL_STRING,
				    .len = NFDBUS_NAME_MAX },
};

static struct genl_family nfdbus_family;

/* Tell what is wrong, and with which attribute. */
static void nfdbus_explain(const struct nfdbus_request *r,
			   struct nlattr **attrs,
			   struct netlink_ext_ack *extack, int err)
{
	if (!r->error)
		return;
	afbus_compat_set_err_msg(extack, r->error,
				 err == -EINVAL && r->about == NFDBUS_ATTR_RULE,
				 r->error_at);
	NL_SET_BAD_ATTR(extack, attrs[r->about]);
}

/* Whether all attributes are there; the first that is not is named. */
static int nfdbus_check(struct nlattr **attrs, struct netlink_ext_ack *extack,
			unsigned long wanted)
{
	static const char *const missing[] = {
		[NFDBUS_ATTR_PATH]	= "no path of a bus",
		[NFDBUS_ATTR_ADDRESS]	= "no address of a client",
		[NFDBUS_ATTR_RULE]	= "no rule",
		[NFDBUS_ATTR_NAME]	= "no name",
	};
	unsigned int i;

	for_each_set_bit(i, &wanted, NFDBUS_ATTR_MAX + 1) {
		if (!attrs[i]) {
			afbus_compat_set_err_msg(extack, missing[i], false, 0);
			return -EINVAL;
		}
	}
	return 0;
}

static void nfdbus_fill(struct nfdbus_request *r, struct nlattr **attrs)
{
	struct nlattr *text = attrs[NFDBUS_ATTR_RULE] ?: attrs[NFDBUS_ATTR_NAME];

	r->path = nla_data(attrs[NFDBUS_ATTR_PATH]);
	r->path_len = nla_len(attrs[NFDBUS_ATTR_PATH]);
	if (attrs[NFDBUS_ATTR_ADDRESS])
		r->addr = nla_get_u64(attrs[NFDBUS_ATTR_ADDRESS]);
	if (text) {
		r->text = nla_data(text);
		r->len = strnlen(r->text, nla_len(text));
	}
}

static int nfdbus_doit(struct sk_buff *skb, struct genl_info *info)
{
	static const struct {
		int (*run)(struct nfdbus_request *r);
		unsigned long wanted;
	} commands[] = {
		[NFDBUS_CMD_ADD] = { nfdbus_request_add,
			BIT(NFDBUS_ATTR_PATH) | BIT(NFDBUS_ATTR_ADDRESS) |
			BIT(NFDBUS_ATTR_RULE) },
		[NFDBUS_CMD_REMOVE] = { nfdbus_request_remove,
			BIT(NFDBUS_ATTR_PATH) | BIT(NFDBUS_ATTR_ADDRESS) |
			BIT(NFDBUS_ATTR_RULE) },
		[NFDBUS_CMD_REMOVE_ALL] = { nfdbus_request_remove_all,
			BIT(NFDBUS_ATTR_PATH) | BIT(NFDBUS_ATTR_ADDRESS) },
		[NFDBUS_CMD_SET_NAME] = { nfdbus_request_set_name,
			BIT(NFDBUS_ATTR_PATH) | BIT(NFDBUS_ATTR_ADDRESS) |
			BIT(NFDBUS_ATTR_NAME) },
		[NFDBUS_CMD_UNSET_NAME] = { nfdbus_request_unset_name,
			BIT(NFDBUS_ATTR_PATH) | BIT(NFDBUS_ATTR_NAME) },
	};
	u8 cmd = info->genlhdr->cmd;
	struct nfdbus_request r = {
		.net = genl_info_net(info),
		.nsp = &NETLINK_CB(skb),
	};
	int err;

	err = nfdbus_check(info->attrs, info->extack, commands[cmd].wanted);
	if (err)
		return err;
	/* By its command a request has a rule or a name: ignore the other. */
	if (!(commands[cmd].wanted & BIT(NFDBUS_ATTR_RULE)))
		info->attrs[NFDBUS_ATTR_RULE] = NULL;
	nfdbus_fill(&r, info->attrs);

	err = commands[cmd].run(&r);
	if (err)
		nfdbus_explain(&r, info->attrs, info->extack, err);
	return err;
}

/**
 * struct nfdbus_dump - a dump under way
 * @bus: the bus, with a reference
 * @only: the client whose rules and names are wanted, 0 for all
 * @names: all rules have been dumped
 * @next: the lowest id that the next rule or name may have
 */
struct nfdbus_dump {
	struct afbus_bus	*bus;
	u64			only;
	bool			names;
	unsigned long		next;
};

static struct nfdbus_dump *nfdbus_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nfdbus_dump) > sizeof(cb->ctx));
	return (struct nfdbus_dump *)cb->ctx;
}

/*
 * Runs in the task that asks for the dump, so its rights are checked here: the
 * later parts may be fetched by another task.
 */
static int nfdbus_dump_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = afbus_compat_dump_attrs(cb);
	struct nfdbus_dump *d = nfdbus_dump(cb);
	struct nfdbus_request r = {
		.net = sock_net(cb->skb->sk),
		.nsp = &NETLINK_CB(cb->skb),
	};
	struct afbus_bus *bus;
	int err;

	memset(d, 0, sizeof(*d));
	err = nfdbus_check(attrs, cb->extack, BIT(NFDBUS_ATTR_PATH));
	if (err)
		return err;
	nfdbus_fill(&r, attrs);
	r.text = NULL;

	bus = nfdbus_request_bus(&r);
	err = PTR_ERR_OR_ZERO(bus);
	if (!err && attrs[NFDBUS_ATTR_ADDRESS]) {
		err = nfdbus_request_client(&r, bus, &d->only);
		if (err)
			afbus_protocol_put_bus(bus);
	}
	if (err) {
		nfdbus_explain(&r, attrs, cb->extack, err);
		return err;
	}
	d->bus = bus;
	return 0;
}

static int nfdbus_dump_done(struct netlink_callback *cb)
{
	struct nfdbus_dump *d = nfdbus_dump(cb);

	if (d->bus)
		afbus_protocol_put_bus(d->bus);
	d->bus = NULL;
	return 0;
}

static int nfdbus_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			   u64 addr, int attr, const char *text)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				   cb->nlh->nlmsg_seq, &nfdbus_family,
				   NLM_F_MULTI, NFDBUS_CMD_GET);

	if (!header)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, header);
	if (nla_put_u64_64bit(skb, NFDBUS_ATTR_ADDRESS, addr,
			      NFDBUS_ATTR_UNSPEC) ||
	    nla_put_string(skb, attr, text)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static bool nfdbus_dump_has(const struct nfdbus_dump *d,
			    const struct nfdbus_client *client)
{
	return client && !READ_ONCE(client->gone) &&
	       (!d->only || client->addr == d->only);
}

/* As many rules as there is room for, then as many names. */
static int nfdbus_dump_fill(struct sk_buff *skb, struct netlink_callback *cb,
			    struct nfdbus_bus *bus)
{
	struct nfdbus_dump *d = nfdbus_dump(cb);
	struct nfdbus_entry *e;
	struct nfdbus_name *name;
	unsigned long id;

	lockdep_assert_held(&bus->lock);

	if (!d->names) {
		xa_for_each_start(&bus->by_id, id, e, d->next) {
			d->next = id;
			if (nfdbus_dump_has(d, e->client) &&
			    nfdbus_dump_one(skb, cb, e->client->addr,
					    NFDBUS_ATTR_RULE, e->text))
				return skb->len;
			cond_resched();
		}
		d->names = true;
		d->next = 0;
	}

	xa_for_each_start(&bus->names_by_id, id, name, d->next) {
		d->next = id;
		if (nfdbus_dump_has(d, name->client) &&
		    nfdbus_dump_one(skb, cb, name->client->addr,
				    NFDBUS_ATTR_NAME, name->text))
			return skb->len;
		cond_resched();
	}
	d->next = id + 1;
	return skb->len;
}

static int nfdbus_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nfdbus_bus *bus;
	kuid_t owner;
	int ret;

	bus = afbus_protocol_bus(nfdbus_dump(cb)->bus, &owner);
	mutex_lock(&bus->lock);
	cb->seq = bus->changes;
	ret = nfdbus_dump_fill(skb, cb, bus);
	mutex_unlock(&bus->lock);
	return ret;
}

static const struct genl_ops nfdbus_ops[] = {
	{ .cmd = NFDBUS_CMD_ADD,	.doit = nfdbus_doit },
	{ .cmd = NFDBUS_CMD_REMOVE,	.doit = nfdbus_doit },
	{ .cmd = NFDBUS_CMD_REMOVE_ALL,	.doit = nfdbus_doit },
	{ .cmd = NFDBUS_CMD_SET_NAME,	.doit = nfdbus_doit },
	{ .cmd = NFDBUS_CMD_UNSET_NAME,	.doit = nfdbus_doit },
	{
		.cmd	= NFDBUS_CMD_GET,
		.start	= nfdbus_dump_start,
		.dumpit	= nfdbus_dumpit,
		.done	= nfdbus_dump_done,
	},
};

static struct genl_family nfdbus_family __ro_after_init = {
	.name		= NFDBUS_GENL_NAME,
	.version	= NFDBUS_GENL_VERSION,
	.module		= THIS_MODULE,
	.maxattr	= NFDBUS_ATTR_MAX,
	.policy		= nfdbus_policy,
	.netnsok	= true,
	/* No request waits for a long dump, or for a page fault of another one. */
	.parallel_ops	= true,
	.ops		= nfdbus_ops,
	.n_ops		= ARRAY_SIZE(nfdbus_ops),
	.resv_start_op	= NFDBUS_CMD_UNSPEC + 1,
};

int __init nfdbus_netlink_init(void)
{
	return genl_register_family(&nfdbus_family);
}

void nfdbus_netlink_exit(void)
{
	genl_unregister_family(&nfdbus_family);
}
