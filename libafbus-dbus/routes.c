// SPDX-License-Identifier: MIT
/*
 * Where messages go on AF_BUS. A unique name is an address; the driver's signal Forwarded gives the addresses of
 * well-known names.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int hash(const char *name)
{
	unsigned int h = 5381;

	while (*name)
		h = h * 33 + (uint8_t)*name++;
	return h % ROUTES;
}

static struct route *find(const struct routes *routes, const char *name)
{
	struct route *r = routes->buckets[hash(name)];

	while (r && strcmp(r->name, name) != 0)
		r = r->next;
	return r;
}

/* Returns a free entry, or the least recently used one, removed from its bucket. */
static struct route *evict(struct routes *routes)
{
	struct route *oldest = routes->entries, **link;

	if (routes->count < ROUTES)
		return &routes->entries[routes->count++];
	for (unsigned int n = 1; n < ROUTES; n++)
		if (routes->entries[n].used < oldest->used)
			oldest = &routes->entries[n];
	link = &routes->buckets[hash(oldest->name)];
	while (*link != oldest)
		link = &(*link)->next;
	*link = oldest->next;
	return oldest;
}

void learn_route(struct routes *routes, const char *name, uint64_t address)
{
	struct route *r = find(routes, name);

	if (!r) {
		struct route **bucket = &routes->buckets[hash(name)];

		r = evict(routes);
		snprintf(r->name, sizeof(r->name), "%s", name);
		r->next = *bucket;
		*bucket = r;
	}
	r->address = address;
	r->used = ++routes->clock;
}

/*
 * :0.1f is the address 0000/00000000001f. A unique name of another form belongs to no client: the master answers
 * that.
 */
static uint64_t address_of_unique(const char *name)
{
	size_t digits = strncmp(name, ":0.", 3) == 0 ? strspn(name + 3, "0123456789abcdef") : 0;
	uint64_t address;

	if (digits == 0 || digits > 12 || name[3 + digits] != '\0')
		return MASTER;
	address = strtoull(name + 3, NULL, 16);
	return address == EVERYONE ? MASTER : address;
}

uint64_t route_to(struct routes *routes, const char *destination, uint8_t type)
{
	struct route *r;

	if (!destination)
		return type == AFDBUS_SIGNAL ? EVERYONE : MASTER;
	if (destination[0] == ':')
		return address_of_unique(destination);
	if (strcmp(destination, DRIVER) == 0)
		return MASTER;
	r = find(routes, destination);
	if (!r)
		return MASTER;
	r->used = ++routes->clock;
	return r->address;
}

void name_of_address(uint64_t address, char name[24])
{
	unsigned int digits = 1;

	while (digits < 16 && address >> 4 * digits)
		digits++;
	memcpy(name, ":0.", 3);
	for (unsigned int n = 0; n < digits; n++)
		name[3 + n] = "0123456789abcdef"[address >> 4 * (digits - 1 - n) & 0xf];
	name[3 + digits] = '\0';
}
