// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_BUS: registration with the kernel, and nothing else.
 */

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/net.h>
#include <net/net_namespace.h>
#include "af_bus.h"
#include "hold.h"
#include "msg.h"
#include "ops.h"
#include "proc.h"
#include "sock.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

int afbus_family = 19;
module_param_named(family, afbus_family, int, 0444);
MODULE_PARM_DESC(family, "number of the address family (default 19)");

struct workqueue_struct *afbus_wq;

static struct net_proto_family afbus_family_ops = {
	.create	= afbus_create,
	.owner	= THIS_MODULE,
};

static void __init afbus_check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct bus_addr) != 8);
	BUILD_BUG_ON(sizeof(struct sockaddr_bus) != 128);
	BUILD_BUG_ON(offsetof(struct sockaddr_bus, sbus_addr) != 8);
	BUILD_BUG_ON(offsetof(struct sockaddr_bus, sbus_path) != 16);
	BUILD_BUG_ON(sizeof(struct sockaddr_bus) > sizeof(struct __kernel_sockaddr_storage));
	BUILD_BUG_ON(offsetof(struct afbus_sock, sk) != 0);
	sock_skb_cb_check_size(sizeof(struct afbus_cb));
}

static int __init afbus_init(void)
{
	int err;

	afbus_check_abi();

	if (afbus_family <= AF_UNSPEC || afbus_family >= NPROTO) {
		pr_err("family=%d is not between 1 and %d\n", afbus_family,
		       NPROTO - 1);
		return -EINVAL;
	}

	afbus_wq = alloc_workqueue("af_bus", WQ_UNBOUND, 0);
	if (!afbus_wq)
		return -ENOMEM;

	err = proto_register(&afbus_proto, 1);
	if (err)
		goto err_wq;

	err = register_pernet_subsys(&afbus_net_ops);
	if (err)
		goto err_proto;

	afbus_ops.family = afbus_family;
	afbus_family_ops.family = afbus_family;
	err = sock_register(&afbus_family_ops);
	if (err) {
		pr_err("address family %d is taken, choose another with family=\n",
		       afbus_family);
		goto err_net;
	}

	pr_info("address family %d\n", afbus_family);
	return 0;

err_net:
	unregister_pernet_subsys(&afbus_net_ops);
err_proto:
	proto_unregister(&afbus_proto);
err_wq:
	destroy_workqueue(afbus_wq);
	return err;
}

static void __exit afbus_exit(void)
{
	sock_unregister(afbus_family);
	unregister_pernet_subsys(&afbus_net_ops);
	proto_unregister(&afbus_proto);
	afbus_gc_exit();
	destroy_workqueue(afbus_wq);
}

module_init(afbus_init);
module_exit(afbus_exit);

MODULE_DESCRIPTION("AF_BUS sockets");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NETPROTO(19);
