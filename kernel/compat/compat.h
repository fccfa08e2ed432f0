/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included before every file of the module: the core is written for
 * the newest kernel of the range, and this makes up for what older ones lack.
 */
#ifndef _AFBUS_COMPAT_H
#define _AFBUS_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "af_bus supports Linux 6.1 to 6.12"
#endif

#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/netfilter.h>
#include <net/genetlink.h>
#include <net/scm.h>

/*
 * accept() with its arguments in a struct: unneeded from 6.10 on.
 * AFBUS_ACCEPT_OP(fn) is what goes into proto_ops.
 */
#ifdef AFBUS_HAVE_PROTO_ACCEPT_ARG
#define AFBUS_DEFINE_ACCEPT_OP(fn)
#define AFBUS_ACCEPT_OP(fn) fn
#else
struct proto_accept_arg {
	int flags;
	int err;
	int is_empty;
	bool kern;
};

#define AFBUS_DEFINE_ACCEPT_OP(fn)					\
static int fn##_compat(struct socket *sock, struct socket *newsock,	\
		       int flags, bool kern)				\
{									\
	return fn(sock, newsock, &(struct proto_accept_arg) {		\
			.flags = flags, .kern = kern });		\
}

#define AFBUS_ACCEPT_OP(fn) fn##_compat
#endif

/* A variable that is filled before it is read: unneeded from 6.12 on. */
#ifndef __uninitialized
#define __uninitialized __attribute__((__uninitialized__))
#endif

/* Id mapping of a mount: unneeded from 6.3 on. */
#ifndef AFBUS_HAVE_MNT_IDMAP
#define mnt_idmap(mnt) mnt_user_ns(mnt)
#endif

/* Exported to modules, but declared in a header of net/netfilter only. */
int nf_hook_entries_insert_raw(struct nf_hook_entries __rcu **pp,
			       const struct nf_hook_ops *reg);
void nf_hook_entries_delete_raw(struct nf_hook_entries __rcu **pp,
				const struct nf_hook_ops *reg);

/* Attributes of a dump that begins: in another place up to 6.5. */
static inline struct nlattr **afbus_compat_dump_attrs(struct netlink_callback *cb)
{
#ifdef AFBUS_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/**
 * afbus_compat_set_err_msg() - say what is wrong with a request
 * @extack: where, may be NULL
 * @text: what is wrong, a constant
 * @has_place: whether @at is to be told, too
 * @at: the byte of the rule
 *
 * 6.1 has no way to tell more than a constant.
 */
static inline void afbus_compat_set_err_msg(struct netlink_ext_ack *extack,
					    const char *text, bool has_place,
					    u32 at)
{
	if (!extack)
		return;
	extack->_msg = text;
#ifdef NL_SET_ERR_MSG_FMT
	if (has_place)
		NL_SET_ERR_MSG_FMT(extack, "%s, at byte %u", text, at);
#endif
}

/**
 * afbus_compat_scm_send() - parse the control messages of a send
 * @msg: message header of the send
 * @scm: cookie, already holding the sender's credentials
 *
 * __scm_send() takes descriptors from PF_UNIX sockets only, and looks at
 * nothing but the family of the socket it is given. Going through it keeps
 * the kernel's own checks (forged credentials, io_uring files, limits). In
 * the tree this would be one more family in that test.
 *
 * Return: 0 or an error, in which case @scm holds nothing any more.
 */
static inline int afbus_compat_scm_send(struct msghdr *msg,
					struct scm_cookie *scm)
{
	static const struct proto_ops ops = { .family = PF_UNIX };
	struct socket sock = { .ops = &ops };

	return __scm_send(&sock, msg, scm);
}

#endif /* _AFBUS_COMPAT_H */
