// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, by netlink or the connector: whether the sender may make them, for
 * which bus and client they are, and what is wrong with them.
 */

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <net/af_bus.h>
#include <net/sock.h>
#include "nfdbus.h"

static int nfdbus_refuse(struct nfdbus_request *r, int err,
			 enum nfdbus_attr about, const char *error)
{
	r->about = about;
	r->error = error;
	return err;
}

/*
 * A request needs the owner of the bus, or CAP_NET_ADMIN in its network
 * namespace. The task that sends must have that right, and so must the task that
 * opened the socket, unless the sender names the kernel as the destination:
 * otherwise a program without the right could hand its socket to a privileged
 * program, which writes what it is told to.
 */
static bool nfdbus_may(const struct nfdbus_request *r, kuid_t owner)
{
	const struct file *file = r->nsp->sk->sk_socket->file;

	if (uid_eq(current_euid(), owner) &&
	    (r->nsp->flags & NETLINK_SKB_DST ||
	     (file && uid_eq(file->f_cred->euid, owner))))
		return true;
	return __netlink_ns_capable(r->nsp, r->net->user_ns, CAP_NET_ADMIN);
}

/*
 * Whether the lookup of the path may wait for a file system. A request holds a
 * lock that all users of generic netlink, or of the connector, need: a file
 * system that does not answer would stop them all. Only an administrator of the
 * machine, who can stop them in any case, may do that.
 */
static bool nfdbus_may_wait(const struct nfdbus_request *r)
{
	return __netlink_ns_capable(r->nsp, &init_user_ns, CAP_SYS_ADMIN);
}

/**
 * nfdbus_request_bus() - find the bus of a request, if it may be asked for
 * @r: the request, sent by the current task
 *
 * Return: the bus with a reference, or an error pointer.
 */
struct afbus_bus *nfdbus_request_bus(struct nfdbus_request *r)
{
	struct afbus_bus *bus;
	kuid_t owner;

	bus = afbus_protocol_find_bus(&nfdbus_protocol, r->net, r->path,
				      r->path_len, nfdbus_may_wait(r));
	if (IS_ERR(bus)) {
		nfdbus_refuse(r, 0, NFDBUS_ATTR_PATH,
			      bus == ERR_PTR(-EAGAIN) ?
			      "only the file system knows this path, and it is not asked" :
			      "no bus of D-Bus that is listened on at this path");
		return bus;
	}
	afbus_protocol_bus(bus, &owner);
	if (!nfdbus_may(r, owner)) {
		afbus_protocol_put_bus(bus);
		nfdbus_refuse(r, 0, NFDBUS_ATTR_PATH,
			      "neither owner of the bus nor CAP_NET_ADMIN");
		return ERR_PTR(-EPERM);
	}
	return bus;
}

/**
 * nfdbus_request_client() - the prefix-0 address of the client of a request
 * @r: the request
 * @bus: its bus
 * @addr: result
 *
 * Return: 0, or -EADDRNOTAVAIL.
 */
int nfdbus_request_client(struct nfdbus_request *r, struct afbus_bus *bus,
			  u64 *addr)
{
	struct sock *sk = afbus_protocol_find_client(bus, r->addr);

	if (!sk)
		return nfdbus_refuse(r, -EADDRNOTAVAIL, NFDBUS_ATTR_ADDRESS,
				     "nobody holds this address");
	afbus_protocol_client(sk, addr);
	sock_put(sk);
	return 0;
}

/* What to do with the client that was found; its socket is held meanwhile. */
typedef int nfdbus_action(struct nfdbus_request *r, struct afbus_bus *bus,
			  struct nfdbus_client *client, u64 addr,
			  const struct nfdbus_draft *draft);

static int nfdbus_with_client(struct nfdbus_request *r, nfdbus_action *action,
			      const struct nfdbus_draft *draft)
{
	struct afbus_bus *bus;
	struct sock *sk;
	int err;
	u64 addr;

	bus = nfdbus_request_bus(r);
	if (IS_ERR(bus))
		return PTR_ERR(bus);

	sk = afbus_protocol_find_client(bus, r->addr);
	if (sk) {
		struct nfdbus_client *client = afbus_protocol_client(sk, &addr);

		err = action(r, bus, client, addr, draft);
		sock_put(sk);
	} else {
		err = -EADDRNOTAVAIL;
	}
	afbus_protocol_put_bus(bus);
	if (err == -EADDRNOTAVAIL)
		nfdbus_refuse(r, err, NFDBUS_ATTR_ADDRESS,
			      "nobody holds this address");
	return err;
}

/* The rule of a request, on the heap: it is too large for the stack. */
static struct nfdbus_draft *nfdbus_request_draft(struct nfdbus_request *r)
{
	struct nfdbus_draft *draft;

	draft = kmalloc(sizeof(*draft), GFP_KERNEL);
	if (!draft)
		return ERR_PTR(-ENOMEM);
	if (nfdbus_rule_parse(draft, r->text, r->len)) {
		nfdbus_refuse(r, -EINVAL, NFDBUS_ATTR_RULE, draft->error);
		r->error_at = draft->error_at;
		kfree(draft);
		return ERR_PTR(-EINVAL);
	}
	return draft;
}

static int nfdbus_with_rule(struct nfdbus_request *r, nfdbus_action *action)
{
	struct nfdbus_draft *draft = nfdbus_request_draft(r);
	int err;

	if (IS_ERR(draft))
		return PTR_ERR(draft);
	err = nfdbus_with_client(r, action, draft);
	kfree(draft);
	return err;
}

static int nfdbus_do_add(struct nfdbus_request *r, struct afbus_bus *bus,
			 struct nfdbus_client *client, u64 addr,
			 const struct nfdbus_draft *draft)
{
	int err = nfdbus_rule_add(bus, client, addr, draft, r->text,
				  r->len);

	if (err == -ENOSPC)
		nfdbus_refuse(r, err, NFDBUS_ATTR_ADDRESS,
			      "the client has as many rules as it may have");
	return err;
}

int nfdbus_request_add(struct nfdbus_request *r)
{
	return nfdbus_with_rule(r, nfdbus_do_add);
}

static int nfdbus_do_remove(struct nfdbus_request *r, struct afbus_bus *bus,
			    struct nfdbus_client *client, u64 addr,
			    const struct nfdbus_draft *draft)
{
	int err = nfdbus_rule_remove(bus, client, draft);

	if (err == -ENOENT)
		nfdbus_refuse(r, err, NFDBUS_ATTR_RULE,
			      "the client has no such rule");
	return err;
}

int nfdbus_request_remove(struct nfdbus_request *r)
{
	return nfdbus_with_rule(r, nfdbus_do_remove);
}

static int nfdbus_do_remove_all(struct nfdbus_request *r, struct afbus_bus *bus,
				struct nfdbus_client *client, u64 addr,
				const struct nfdbus_draft *draft)
{
	mutex_lock(&client->bus->lock);
	nfdbus_rule_remove_all(bus, client);
	mutex_unlock(&client->bus->lock);
	return 0;
}

int nfdbus_request_remove_all(struct nfdbus_request *r)
{
	return nfdbus_with_client(r, nfdbus_do_remove_all, NULL);
}

static int nfdbus_check_name(struct nfdbus_request *r)
{
	if (!nfdbus_name_valid(NFDBUS_BUS_NAME, r->text, r->len) ||
	    r->text[0] == ':')
		return nfdbus_refuse(r, -EINVAL, NFDBUS_ATTR_NAME,
				     "no well-known name");
	if (nfdbus_is_driver(r->text, r->len))
		return nfdbus_refuse(r, -EINVAL, NFDBUS_ATTR_NAME,
				     "the name is the master's for good");
	return 0;
}

static int nfdbus_do_set_name(struct nfdbus_request *r, struct afbus_bus *bus,
			      struct nfdbus_client *client, u64 addr,
			      const struct nfdbus_draft *draft)
{
	int err = nfdbus_name_set(bus, client, addr, r->text, r->len);

	if (err == -ENOSPC)
		nfdbus_refuse(r, err, NFDBUS_ATTR_ADDRESS,
			      "the client owns as many names as it may own");
	return err;
}

int nfdbus_request_set_name(struct nfdbus_request *r)
{
	return nfdbus_check_name(r) ?:
	       nfdbus_with_client(r, nfdbus_do_set_name, NULL);
}

int nfdbus_request_unset_name(struct nfdbus_request *r)
{
	struct afbus_bus *bus;
	int err;

	err = nfdbus_check_name(r);
	if (err)
		return err;
	bus = nfdbus_request_bus(r);
	if (IS_ERR(bus))
		return PTR_ERR(bus);
	err = nfdbus_name_unset(bus, r->text, r->len);
	afbus_protocol_put_bus(bus);
	if (err)
		nfdbus_refuse(r, err, NFDBUS_ATTR_NAME, "nobody owns this name");
	return err;
}
