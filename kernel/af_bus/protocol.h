/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_PROTOCOL_H
#define _AF_BUS_PROTOCOL_H

/* Filters of protocols, which other modules register: <net/af_bus.h>. */

struct afbus_protocol;

/* protocol.c */
const struct afbus_protocol *afbus_protocol_get(int number);
void afbus_protocol_hold(const struct afbus_protocol *protocol);
void afbus_protocol_put(const struct afbus_protocol *protocol);

#endif /* _AF_BUS_PROTOCOL_H */
