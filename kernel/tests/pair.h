/* SPDX-License-Identifier: GPL-2.0-only */
/* Two clients, and the destinations by which one of them reaches the other, or the master. */
#ifndef PAIR_H
#define PAIR_H

#include "bus.h"

static const struct {
	const char *name;
	uint64_t to;
} destinations[] = {
	{ "unicast", 2 },
	{ "given_address", ADDRESS(2, 1) },
	{ "group", GROUP(2) },
	{ "everyone_else", GROUP(3) },
	{ "master", MASTER },
	{ "default_route", 99 },
};

struct pair {
	struct bus bus;
	struct client a, b;
	int target;			/* the socket at which messages to that destination arrive */
};

static inline struct pair make_pair(uint64_t to)
{
	struct pair p = { .bus = open_bus("@bus") };

	p.a = join(&p.bus);
	p.b = join_at(&p.bus, ADDRESS(2, 1));
	OK(add_address(p.b.accepted, ADDRESS(3, 1)));
	p.target = to == MASTER || to == 99 ? p.a.accepted : p.b.fd;
	return p;
}

#endif
