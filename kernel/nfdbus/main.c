// SPDX-License-Identifier: GPL-2.0-only
/*
 * nfdbus: match rules of D-Bus for AF_BUS. Registration, and nothing else.
 */

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/af_bus.h>
#include <net/genetlink.h>
#include "nfdbus.h"

struct workqueue_struct *nfdbus_wq;

const struct afbus_protocol nfdbus_protocol = {
	.number		= BUS_PROTO_DBUS,
	.owner		= THIS_MODULE,
	.multicast_only	= true,
	.bus_new	= nfdbus_bus_new,
	.bus_free	= nfdbus_bus_free,
	.client_new	= nfdbus_client_new,
	.client_leave	= nfdbus_client_leave,
	.client_free	= nfdbus_client_free,
	.read		= nfdbus_read,
	.wants		= nfdbus_wants,
	.verdict	= nfdbus_verdict,
};

static int __init nfdbus_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct nfdbus_parsed) > AFBUS_SCRATCH);
	BUILD_BUG_ON(offsetof(struct nfdbus_client, sieve) != 0);
	BUILD_BUG_ON(sizeof(struct nfdbus_cn_request) != 144);

	nfdbus_wq = alloc_workqueue("nfdbus", WQ_UNBOUND, 0);
	if (!nfdbus_wq)
		return -ENOMEM;

	err = nfdbus_netlink_init();
	if (err)
		goto err_wq;

	/* Last: from now on there may be sockets. */
	err = afbus_register_protocol(&nfdbus_protocol);
	if (err)
		goto err_netlink;
	nfdbus_connector_init();
	return 0;

err_netlink:
	nfdbus_netlink_exit();
err_wq:
	destroy_workqueue(nfdbus_wq);
	return err;
}

/*
 * There are no sockets any more: each of them, and each bus, pins the module.
 */
static void __exit nfdbus_exit(void)
{
	nfdbus_connector_exit();
	afbus_unregister_protocol(&nfdbus_protocol);
	nfdbus_netlink_exit();
	destroy_workqueue(nfdbus_wq);
}

module_init(nfdbus_init);
module_exit(nfdbus_exit);

MODULE_DESCRIPTION("AF_BUS: match rules of D-Bus");
MODULE_LICENSE("GPL");
/* The default family's; the protocol is BUS_PROTO_DBUS. */
MODULE_ALIAS_NET_PF_PROTO(19, 1);
MODULE_ALIAS_GENL_FAMILY(NFDBUS_GENL_NAME);
