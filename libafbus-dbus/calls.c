// SPDX-License-Identifier: MIT
/* Outstanding calls: those that have no answer yet. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct call **find(const struct calls *calls, uint32_t serial)
{
	struct call **c = (struct call **)&calls->buckets[serial % CALL_BUCKETS];

	while (*c && (*c)->serial != serial)
		c = &(*c)->next;
	return c;
}

bool has_call(const struct calls *calls, uint32_t serial)
{
	return *find(calls, serial) != NULL;
}

/*
 * Whether the destination names the client that answers. A well-known name does not; then the serial alone identifies
 * the answer.
 */
static bool names_callee(const char *destination)
{
	return destination && (destination[0] == ':' || strcmp(destination, DRIVER) == 0);
}

int add_call(struct calls *calls, const struct afdbus_message *m, uint32_t serial, int64_t deadline,
	     afdbus_on_answer *on_answer, void *data)
{
	struct call **bucket = &calls->buckets[serial % CALL_BUCKETS], *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct call){ serial, NULL, deadline, on_answer, data, *bucket };
	if (names_callee(m->destination)) {
		c->callee = strdup(m->destination);
		if (!c->callee) {
			free(c);
			return -ENOMEM;
		}
	}
	*bucket = c;
	if (calls->count++ == 0 || deadline < calls->soonest)
		calls->soonest = deadline;
	return 0;
}

static struct call take(struct calls *calls, struct call **link)
{
	struct call *c = *link, taken = *c;

	*link = c->next;
	calls->count--;
	free(c->callee);
	free(c);
	return taken;
}

void remove_call(struct calls *calls, uint32_t serial)
{
	struct call **c = find(calls, serial);

	if (*c)
		take(calls, c);
}

/* The driver answers for clients that cannot be reached. */
static bool may_answer(const struct call *c, const struct afdbus_message *m)
{
	return !c->callee || strcmp(c->callee, m->sender) == 0 || strcmp(m->sender, DRIVER) == 0;
}

/* The link to the call that this message answers; a link to NULL if it answers none. */
static struct call **answered(const struct calls *calls, const struct afdbus_message *m)
{
	static struct call *none;
	struct call **c;

	if (m->type != AFDBUS_RETURN && m->type != AFDBUS_ERROR)
		return &none;
	c = find(calls, m->reply_serial);
	return *c && may_answer(*c, m) ? c : &none;
}

bool is_answer(const struct calls *calls, const struct afdbus_message *m, uint32_t serial)
{
	return m->reply_serial == serial && *answered(calls, m) != NULL;
}

bool answer_call(struct calls *calls, struct afdbus_message *m)
{
	struct call **c = answered(calls, m), taken;

	if (!*c)
		return false;
	taken = take(calls, c);
	taken.on_answer(taken.data, m);
	afdbus_free(m);
	return true;
}

/* Gives the callback an error that this library makes, in the form of a message that was received. */
static void give_error(const struct call *c, const char *name, const char *text)
{
	struct {
		uint32_t length;
		char text[60];
	} body;
	struct afdbus_message m;

	memset(&m, 0, sizeof(m));
	m.type = AFDBUS_ERROR;
	m.reply_serial = c->serial;
	m.error_name = name;
	m.sender = DRIVER;
	m.signature = "s";
	body.length = snprintf(body.text, sizeof(body.text), "%s", text);
	m.body = (struct wire){ (uint8_t *)&body, sizeof(body.length) + body.length + 1, 0, false };
	start_reading(&m);
	c->on_answer(c->data, &m);
}

bool expire_call(struct calls *calls, int64_t now, const char *name, const char *text)
{
	struct call **overdue = NULL, taken;

	if (calls->count == 0 || (calls->soonest > now && now != NEVER))
		return false;
	calls->soonest = NEVER;
	for (unsigned int n = 0; n < CALL_BUCKETS; n++) {
		for (struct call **c = &calls->buckets[n]; *c; c = &(*c)->next) {
			if ((*c)->deadline < calls->soonest)
				calls->soonest = (*c)->deadline;
			if (!overdue && (*c)->deadline <= now)
				overdue = c;
		}
	}
	if (!overdue)
		return false;
	taken = take(calls, overdue);
	give_error(&taken, name, text);
	return true;
}
