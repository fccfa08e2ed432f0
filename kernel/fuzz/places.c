// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls are made on: descriptors, paths, addresses.
 */
#include "fuzz.h"

int bus_place(struct dice *d)
{
	return PLACES + roll(d, BUS_PLACES);
}

/* Another for the same sort of sockets. */
int place_like(struct dice *d, int place)
{
	if (is_dbus_client(place))
		return PLACES + NONE_PLACES + roll(d, DBUS_PLACES);
	if (is_dbus_master(place))
		return PLACES + NONE_PLACES + DBUS_PLACES + roll(d, MASTER_PLACES);
	return PLACES + roll(d, NONE_PLACES);
}

int place_for(struct dice *d, int proto)
{
	return place_like(d, proto == BUS_PROTO_DBUS ? PLACES + NONE_PLACES : PLACES);
}

/* For what is accepted at one. */
int master_place(struct dice *d, int listener)
{
	int dbus = is_dbus_client(listener) || is_dbus_master(listener);

	return place_like(d, dbus ? PLACES + NONE_PLACES + DBUS_PLACES : PLACES);
}

int some_protocol(struct dice *d)
{
	return one_in(d, 4) ? BUS_PROTO_DBUS : BUS_PROTO_NONE;
}

int other_place(struct dice *d)
{
	return PLACES + BUS_PLACES + roll(d, OTHER_PLACES);
}

/* Two of the others, so that what watches and what is watched meet. */
int epoll_place(struct dice *d)
{
	return PLACES + BUS_PLACES + roll(d, 2);
}

int any_place(struct dice *d)
{
	return roll(d, 4) ? bus_place(d) : other_place(d);
}

/* Puts a new descriptor in its place; what was there is closed. */
void put_away(long fd, int place)
{
	if (fd < 0)
		return;
	dup3(fd, place, O_CLOEXEC);
	close(fd);
}

uint64_t some_address(struct dice *d)
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
		return dice_next(d);
	}
}

const char *some_path(struct dice *d)
{
	static const char long_path[] = "@0123456789012345678901234567890123456789012345678901234567890"
					"12345678901234567890123456789012345678901234567890";
	static const char *const usual[] = { "@x", "@y", "@z", "a", "b" };
	static const char *const odd[] = {
		"", "link", "d/a", "d/../b", "./a", "d", "missing/a", "loop", "/", long_path,
	};

	return one_in(d, 6) ? PICK(d, odd) : PICK(d, usual);
}

/* An address in the arena; how long it is said to be goes to @len. */
void *some_name(struct dice *d, const char *path, uint64_t addr, long *len)
{
	static const int odd[] = { 0, 1, 2, 8, 15, 16, 17, 20, 127, 129, 4096, -1 };
	struct sockaddr_bus name = bus_name(path, addr);

	if (one_in(d, 40))
		name.sbus_family = roll(d, 46);
	*len = one_in(d, 20) ? PICK(d, odd) : (int)sizeof(name);
	return place_in(d, &name, sizeof(name));
}
