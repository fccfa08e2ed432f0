/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_INFLIGHT_H
#define _AF_BUS_INFLIGHT_H

/* Descriptors in flight, which count against their user's limit. */

#include <linux/uidgid.h>

struct afbus_inflight;
struct scm_fp_list;

/* inflight.c */
struct afbus_inflight *afbus_inflight_get(kuid_t uid);
void afbus_inflight_put(struct afbus_inflight *acct);
int afbus_inflight_charge(struct afbus_inflight *acct,
			  const struct scm_fp_list *fp, unsigned int buses);
void afbus_inflight_uncharge(struct afbus_inflight *acct, unsigned int fds,
			     unsigned int buses);
bool afbus_inflight_watch(struct afbus_inflight *acct, unsigned int fds,
			  unsigned long limit);
void afbus_inflight_unwatch(struct afbus_inflight *acct, unsigned int fds);

#endif /* _AF_BUS_INFLIGHT_H */
