/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _AF_BUS_NAME_H
#define _AF_BUS_NAME_H

/* The path of a bus, and the tree in which connect finds it. */

#include <linux/bus.h>

struct afbus_bus;
struct net;
struct socket;

/**
 * struct afbus_name - path of a bus, parsed
 * @len: bytes of @path that count, leading NUL of an abstract name included
 * @path: the name, padded with zeros, and a NUL more than the address has
 */
struct afbus_name {
	unsigned int	len;
	char		path[BUS_PATH_MAX + 1];
};

/* name.c */
int afbus_name_parse(struct afbus_name *name, const struct sockaddr_bus *addr,
		     int len);
bool afbus_name_equal(const struct afbus_name *a, const struct afbus_name *b);
void afbus_name_print(const struct afbus_name *name, char *text);
int afbus_name_bind(struct afbus_bus *bus, struct socket *sock);
void afbus_name_release(struct afbus_bus *bus);
struct afbus_bus *afbus_name_find(struct net *net,
				  const struct afbus_name *name);
struct afbus_bus *afbus_name_find_cached(struct net *net,
					 const struct afbus_name *name);

#endif /* _AF_BUS_NAME_H */
