/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_NFDBUS_H
#define _UAPI_LINUX_NFDBUS_H

#include <linux/bus.h>
#include <linux/types.h>

/* Match rules of D-Bus for buses of BUS_PROTO_DBUS, by generic netlink. */
#define NFDBUS_GENL_NAME	"nfdbus"
#define NFDBUS_GENL_VERSION	1

/* Bytes of a rule, and of a bus name, without the NUL at the end. */
#define NFDBUS_RULE_MAX		1024
#define NFDBUS_NAME_MAX		255

/**
 * enum nfdbus_cmd - what can be asked for
 * @NFDBUS_CMD_ADD: give a client a rule: PATH, ADDRESS, RULE; it may have the
 *	same rule several times
 * @NFDBUS_CMD_REMOVE: take one equal rule from a client: PATH, ADDRESS, RULE;
 *	ENOENT if there is none
 * @NFDBUS_CMD_REMOVE_ALL: take all rules from a client: PATH, ADDRESS
 * @NFDBUS_CMD_GET: dump the rules and names of a bus, one in each message:
 *	PATH, and ADDRESS if only those of one client are wanted
 * @NFDBUS_CMD_SET_NAME: a client owns a well-known name from now on, instead
 *	of its former owner: PATH, ADDRESS, NAME
 * @NFDBUS_CMD_UNSET_NAME: nobody owns a well-known name: PATH, NAME; ENOENT if
 *	nobody did
 */
enum nfdbus_cmd {
	NFDBUS_CMD_UNSPEC,
	NFDBUS_CMD_ADD,
	NFDBUS_CMD_REMOVE,
	NFDBUS_CMD_REMOVE_ALL,
	NFDBUS_CMD_GET,
	NFDBUS_CMD_SET_NAME,
	NFDBUS_CMD_UNSET_NAME,
	__NFDBUS_CMD_MAX
};

#define NFDBUS_CMD_MAX	(__NFDBUS_CMD_MAX - 1)

/**
 * enum nfdbus_attr - attributes
 * @NFDBUS_ATTR_PATH: path of the bus as connect takes it, a leading NUL for an
 *	abstract one, no NUL at the end (binary)
 * @NFDBUS_ATTR_ADDRESS: any address that the client holds; its prefix-0 address
 *	in answers (u64)
 * @NFDBUS_ATTR_RULE: a match rule (NUL-terminated string)
 * @NFDBUS_ATTR_NAME: a well-known name (NUL-terminated string)
 */
enum nfdbus_attr {
	NFDBUS_ATTR_UNSPEC,
	NFDBUS_ATTR_PATH,
	NFDBUS_ATTR_ADDRESS,
	NFDBUS_ATTR_RULE,
	NFDBUS_ATTR_NAME,
	__NFDBUS_ATTR_MAX
};

#define NFDBUS_ATTR_MAX	(__NFDBUS_ATTR_MAX - 1)

/* Requests by the connector of 2012 (NETLINK_CONNECTOR). */
#define NFDBUS_CN_IDX		0xA
#define NFDBUS_CN_VAL		0x1

#define NFDBUS_CN_ADDMATCH		1
#define NFDBUS_CN_REMOVEMATCH		2
#define NFDBUS_CN_REMOVEALLMATCH	3

/**
 * struct nfdbus_cn_request - payload of a request
 * @cmd: NFDBUS_CN_*
 * @len: bytes of @rule
 * @addr: path of the bus, and address of the client
 * @reserved: 0
 * @rule: a match rule; none for NFDBUS_CN_REMOVEALLMATCH
 */
struct nfdbus_cn_request {
	__u32			cmd;
	__u32			len;
	struct sockaddr_bus	addr;
	__aligned_u64		reserved;
	char			rule[];
};

/**
 * struct nfdbus_cn_reply - payload of the answer, NLMSG_DONE to the sender's
 * port
 * @ret_code: 0 or an errno
 */
struct nfdbus_cn_reply {
	__u32	ret_code;
};

#endif /* _UAPI_LINUX_NFDBUS_H */
