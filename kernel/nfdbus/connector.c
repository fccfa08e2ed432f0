// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connector of 2012, for programs that were written to it. The kernel has
 * connectors in its first network namespace only; in others, and for names,
 * there is the generic netlink.
 */

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/connector.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <net/net_namespace.h>
#include "nfdbus.h"

static const struct cb_id nfdbus_cn_id = {
	.idx	= NFDBUS_CN_IDX,
	.val	= NFDBUS_CN_VAL,
};

/* Requests that are being carried out hold it for reading. */
static DECLARE_RWSEM(nfdbus_cn_busy);
static bool nfdbus_cn_registered;

/* Check the length of a request, and carry the request out. */
static int nfdbus_cn_run(const struct cn_msg *msg,
			 const struct netlink_skb_parms *nsp)
{
	struct nfdbus_cn_request q;
	struct nfdbus_request r = {
		.net	= &init_net,
		.nsp	= nsp,
	};

	/* Copied, since the data may not be aligned as the structure requires. */
	if (msg->len < sizeof(q))
		return -EINVAL;
	memcpy(&q, msg->data, sizeof(q));
	if (q.len > msg->len - sizeof(q))
		return -EINVAL;

	r.path = q.addr.sbus_path;
	r.path_len = sizeof(q.addr.sbus_path);
	r.addr = q.addr.sbus_addr.s_addr;
	r.text = (const char *)msg->data + sizeof(q);
	r.len = q.len;
	/* Programs never agreed on whether a NUL at the end counts. */
	if (r.len && !r.text[r.len - 1])
		r.len--;

	switch (q.cmd) {
	case NFDBUS_CN_ADDMATCH:
		return nfdbus_request_add(&r);
	case NFDBUS_CN_REMOVEMATCH:
		return nfdbus_request_remove(&r);
	case NFDBUS_CN_REMOVEALLMATCH:
		return nfdbus_request_remove_all(&r);
	default:
		return -EOPNOTSUPP;
	}
}

static void nfdbus_cn_reply(const struct cn_msg *to, u32 portid, int err)
{
	struct {
		struct cn_msg		msg;
		struct nfdbus_cn_reply	reply;
	} answer = {
		.msg.id		= nfdbus_cn_id,
		.msg.seq	= to->seq,
		.msg.ack	= to->ack + 1,
		.msg.len	= sizeof(answer.reply),
		.reply.ret_code	= -err,
	};

	BUILD_BUG_ON(sizeof(answer) != sizeof(answer.msg) +
				       sizeof(answer.reply));
	/*
	 * With GFP_ATOMIC the connector does not wait until the receiver has
	 * room: a program that does not read its answers could otherwise keep
	 * the module loaded for as long as it likes.
	 */
	cn_netlink_send(&answer.msg, portid, 0, GFP_ATOMIC);
}

/* Called by the task that sends, within its sendmsg(). */
static void nfdbus_cn_call(struct cn_msg *msg, struct netlink_skb_parms *nsp)
{
	down_read(&nfdbus_cn_busy);
	nfdbus_cn_reply(msg, nsp->portid, nfdbus_cn_run(msg, nsp));
	up_read(&nfdbus_cn_busy);
}

/*
 * This fails if another module has the number: the kernel has given the same one
 * to Hyper-V's VSS.
 */
void nfdbus_connector_init(void)
{
	int err = cn_add_callback(&nfdbus_cn_id, "nfdbus", nfdbus_cn_call);

	nfdbus_cn_registered = !err;
	if (err)
		pr_info("no connector (%d): generic netlink only\n", err);
}

/*
 * cn_del_callback() does not wait for a callback that runs already, so three
 * steps do. A task between the connector's lookup and down_read() does not
 * sleep there: synchronize_rcu_tasks() waits until it has the lock.
 * down_write() waits until it has released it. The last few instructions after
 * up_read() do not sleep either: the second synchronize_rcu_tasks() waits for
 * the return from this module.
 */
void nfdbus_connector_exit(void)
{
	if (!nfdbus_cn_registered)
		return;
	cn_del_callback(&nfdbus_cn_id);
	synchronize_rcu_tasks();
	down_write(&nfdbus_cn_busy);
	up_write(&nfdbus_cn_busy);
	synchronize_rcu_tasks();
}
