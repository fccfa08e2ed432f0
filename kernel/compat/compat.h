/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included before every file of the module: the core is written for
 * the newest kernel of the range, what older ones lack is made up here.
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
