// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls are made on: descriptors, paths, addresses.
 */
#include "fuzz.h"

int bus_slot(struct rng *d)
{
	return SLOTS + roll(d, BUS_SLOTS);
}

/* Another slot for the same sort of sockets. */
int slot_like(struct rng *d, int slot)
{
	if (is_dbus_client(slot))
		return SLOTS + NONE_SLOTS + roll(d, DBUS_SLOTS);
	if (is_dbus_master(slot))
		return SLOTS + NONE_SLOTS + DBUS_SLOTS + roll(d, MASTER_SLOTS);
	return SLOTS + roll(d, NONE_SLOTS);
}

int slot_for(struct rng *d, int proto)
{
	return slot_like(d, proto == BUS_PROTO_DBUS ? SLOTS + NONE_SLOTS : SLOTS);
}

/* A slot for what is accepted at one. */
int master_slot(struct rng *d, int listener)
{
	int dbus = is_dbus_client(listener) || is_dbus_master(listener);

	return slot_like(d, dbus ? SLOTS + NONE_SLOTS + DBUS_SLOTS : SLOTS);
}

int some_protocol(struct rng *d)
{
	return one_in(d, 4) ? BUS_PROTO_DBUS : BUS_PROTO_NONE;
}

int other_slot(struct rng *d)
{
	return SLOTS + BUS_SLOTS + roll(d, OTHER_SLOTS);
}

/* One of two of the others, so that an eavesdropper and the clients that it hears meet. */
int epoll_slot(struct rng *d)
{
	return SLOTS + BUS_SLOTS + roll(d, 2);
}

int any_slot(struct rng *d)
{
	return roll(d, 4) ? bus_slot(d) : other_slot(d);
}

/* Puts a new descriptor in its slot; what was there is closed. */
void put_away(long fd, int slot)
{
	if (fd < 0)
		return;
	dup3(fd, slot, O_CLOEXEC);
	close(fd);
}

uint64_t some_address(struct rng *d)
{
	switch (roll(d, 8)) {
	case 0:
		return MASTER;
	case 1:
		return EVERYONE;
	case 2:
		return GROUP(1 + roll(d, 3));
	case 3: case 4:
		return ADDRESS(1 + roll(d, 3), roll(d, 6));
	case 5: case 6:
		return 1 + roll(d, 12);
	default:
		return rng_next(d);
	}
}

const char *some_path(struct rng *d)
{
	static const char long_path[] = "@0123456789012345678901234567890123456789012345678901234567890"
					"12345678901234567890123456789012345678901234567890";
	static const char *const usual[] = { "@x", "@y", "@z", "a", "b" };
	static const char *const odd[] = {
		"", "link", "d/a", "d/../b", "./a", "d", "missing/a", "loop", "/", long_path,
	};

	return one_in(d, 6) ? PICK(d, odd) : PICK(d, usual);
}

/* An address in the arena; @len gets the length that the call is given. */
void *some_name(struct rng *d, const char *path, uint64_t addr, long *len)
{
	static const int odd[] = { 0, 1, 2, 8, 15, 16, 17, 20, 127, 129, 4096, -1 };
	struct sockaddr_bus name = bus_name(path, addr);

	if (one_in(d, 40))
		name.sbus_family = roll(d, 46);
	*len = one_in(d, 20) ? PICK(d, odd) : (int)sizeof(name);
	return arena_in(d, &name, sizeof(name));
}
