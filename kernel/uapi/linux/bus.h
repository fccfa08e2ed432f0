/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_BUS_H
#define _UAPI_LINUX_BUS_H

#include <linux/socket.h>
#include <linux/types.h>

/* Length of a bus path, leading NUL of an abstract name included. */
#define BUS_PATH_MAX		108

/* Socket protocols. */
#define BUS_PROTO_NONE		0
#define BUS_PROTO_DBUS		1
#define BUS_PROTO_MAX		1

/* Level of the options and of the control messages below. */
#define SOL_BUS			280

/* Socket options. */
#define BUS_ADD_ADDR		1
#define BUS_JOIN_BUS		2
#define BUS_DEL_ADDR		3
#define BUS_SET_EAVESDROP	4
#define BUS_UNSET_EAVESDROP	5
#define BUS_SET_SENDBUF		6
#define BUS_SET_MAXQLEN		7
#define BUS_GET_QLENFULL	8
#define BUS_SET_OVERFLOW	9
#define BUS_PASSSEQ		16

/* Values of BUS_SET_OVERFLOW. */
#define BUS_OVERFLOW_BLOCK	0
#define BUS_OVERFLOW_FAIL	1
#define BUS_OVERFLOW_EVICT	2

/* Control messages. */
#define BUS_SCM_SEQ		1	/* __u64 */
#define BUS_SCM_LOST		2	/* __u64 */

/* Addresses: prefix << BUS_CLIENT_BITS | client part. */
#define BUS_MASTER_ADDR		0
#define BUS_PREFIX_BITS		16
#define BUS_CLIENT_BITS		48
#define BUS_CLIENT_MASK		((1ULL << BUS_CLIENT_BITS) - 1)
#define BUS_PREFIX_MASK		(~BUS_CLIENT_MASK)

/* Messages beyond which a queue is full, unless the master says otherwise. */
#define BUS_MAX_QLEN		10

struct bus_addr {
	__aligned_u64	s_addr;
};

struct sockaddr_bus {
	__kernel_sa_family_t	sbus_family;
	__u16			__sbus_pad[3];
	struct bus_addr		sbus_addr;
	char			sbus_path[BUS_PATH_MAX];
	__u32			__sbus_pad2;
};

#endif /* _UAPI_LINUX_BUS_H */
