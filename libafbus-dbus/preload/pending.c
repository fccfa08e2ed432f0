// SPDX-License-Identifier: MIT
/*
 * Calls without an answer. A program does not say when it gives one up, so the oldest ones are dropped for new ones.
 */
#include "preload.h"

#include <sys/random.h>

static uint32_t random_serial(struct pending *p)
{
	uint32_t serial;

	do {
		if (p->n_serials == 0) {
			if (getrandom(p->serials, sizeof(p->serials), 0) != sizeof(p->serials))
				return 0;
			p->n_serials = sizeof(p->serials) / sizeof(p->serials[0]);
		}
		serial = p->serials[--p->n_serials];
	} while (serial == 0);
	return serial;
}

static struct pending_call *slot(struct pending *p, uint32_t serial)
{
	return &p->slots[serial % PENDING];
}

uint32_t add_pending(struct pending *p, uint32_t own, uint64_t callee)
{
	enum { TRIES = 8 };
	uint32_t serial = random_serial(p), oldest = serial;

	for (int n = 1; n < TRIES && serial != 0 && slot(p, serial)->serial != 0; n++) {
		serial = random_serial(p);
		/* The program's serials increase by one. */
		if (serial != 0 && own - slot(p, serial)->own > own - slot(p, oldest)->own)
			oldest = serial;
	}
	if (serial != 0 && slot(p, serial)->serial != 0)
		serial = oldest;
	if (serial != 0)
		*slot(p, serial) = (struct pending_call){ serial, own, callee };
	return serial;
}

void forget_pending(struct pending *p, uint32_t serial)
{
	if (slot(p, serial)->serial == serial)
		slot(p, serial)->serial = 0;
}

uint32_t answer_pending(struct pending *p, uint32_t serial, uint64_t sender)
{
	struct pending_call *call = slot(p, serial);

	if (call->serial != serial || (sender != MASTER && call->callee != ANYONE && call->callee != sender))
		return 0;
	call->serial = 0;
	return call->own;
}
