// SPDX-License-Identifier: MIT
/* Messages: how they are made and freed, and the fields of their headers. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Clears only the first frame: to clear all 64, which are hardly ever used, would cost as much as the rest of a call.
 */
void clear_message(struct afdbus_message *m)
{
	memset(m, 0, offsetof(struct afdbus_message, frames));
	memset(&m->frames[0], 0, sizeof(m->frames[0]));
	m->depth = 0;
	m->next = NULL;
}

struct afdbus_message *new_message(void)
{
	struct afdbus_message *m = malloc(sizeof(*m));

	if (m)
		clear_message(m);
	return m;
}

static struct afdbus_message *make(uint8_t type)
{
	struct afdbus_message *m = new_message();

	if (m) {
		m->type = type;
		m->made = true;
	}
	return m;
}

static void set_text(struct afdbus_message *m, const char **field, const char *text, bool (*valid)(const char *))
{
	if (!text || !valid(text)) {
		fail(m, -EINVAL);
		return;
	}
	free((char *)*field);
	*field = strdup(text);
	if (!*field)
		fail(m, -ENOMEM);
}

static bool sendable_path(const char *path)
{
	return valid_path(path) && strcmp(path, DRIVER_PATH "/Local") != 0;
}

static bool sendable_interface(const char *interface)
{
	return valid_interface(interface) && strcmp(interface, DRIVER ".Local") != 0;
}

PUBLIC struct afdbus_message *afdbus_new_call(const char *destination, const char *path, const char *interface,
					      const char *member)
{
	struct afdbus_message *m = make(AFDBUS_CALL);

	if (!m)
		return NULL;
	set_text(m, &m->destination, destination, valid_bus_name);
	set_text(m, &m->path, path, sendable_path);
	if (interface)
		set_text(m, &m->interface, interface, sendable_interface);
	set_text(m, &m->member, member, valid_member);
	return m;
}

PUBLIC struct afdbus_message *afdbus_new_signal(const char *path, const char *interface, const char *member)
{
	struct afdbus_message *m = make(AFDBUS_SIGNAL);

	if (!m)
		return NULL;
	m->flags = AFDBUS_NO_REPLY_EXPECTED;
	set_text(m, &m->path, path, sendable_path);
	set_text(m, &m->interface, interface, sendable_interface);
	set_text(m, &m->member, member, valid_member);
	return m;
}

static struct afdbus_message *answer(uint8_t type, const struct afdbus_message *call)
{
	struct afdbus_message *m = make(type);

	if (!m)
		return NULL;
	m->flags = AFDBUS_NO_REPLY_EXPECTED;
	if (!call || call->made || call->type != AFDBUS_CALL) {
		fail(m, -EINVAL);
		return m;
	}
	m->reply_serial = call->serial;
	set_text(m, &m->destination, call->sender, valid_bus_name);
	return m;
}

PUBLIC struct afdbus_message *afdbus_new_return(const struct afdbus_message *call)
{
	return answer(AFDBUS_RETURN, call);
}

PUBLIC struct afdbus_message *afdbus_new_error(const struct afdbus_message *call, const char *name, const char *text)
{
	struct afdbus_message *m = answer(AFDBUS_ERROR, call);

	if (!m)
		return NULL;
	set_text(m, &m->error_name, name, valid_interface);
	if (text)
		afdbus_append(m, "s", text);
	return m;
}

PUBLIC void afdbus_set_destination(struct afdbus_message *m, const char *destination)
{
	if (writable(m))
		set_text(m, &m->destination, destination, valid_bus_name);
}

PUBLIC void afdbus_set_flags(struct afdbus_message *m, unsigned int flags)
{
	if (!writable(m))
		return;
	if (flags > UINT8_MAX)
		fail(m, -EINVAL);
	m->flags = (uint8_t)flags;
}

PUBLIC void afdbus_free(struct afdbus_message *m)
{
	if (!m)
		return;
	if (m->made) {
		const char *texts[] = { m->path, m->interface, m->member, m->error_name, m->destination, m->sender };

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			free((char *)texts[i]);
		for (unsigned int n = 1; n <= m->depth; n++)
			free(m->frames[n].owned);
	}
	for (unsigned int n = 0; n < m->n_fds; n++)
		close(m->fds[n]);
	free(m->fds);
	free(m->bytes);
	free(m);
}

PUBLIC int afdbus_type(const struct afdbus_message *m)
{
	return m ? m->type : 0;
}

PUBLIC unsigned int afdbus_flags(const struct afdbus_message *m)
{
	return m ? m->flags : 0;
}

/* NULL is accepted as a message without type, fields and values. */
#define FIELD(name) \
	PUBLIC const char *afdbus_##name(const struct afdbus_message *m) \
	{ \
		return m ? m->name : NULL; \
	}

FIELD(path)
FIELD(interface)
FIELD(member)
FIELD(error_name)
FIELD(destination)
FIELD(sender)

PUBLIC const char *afdbus_signature(const struct afdbus_message *m)
{
	return m && m->made ? m->types : m ? m->signature : NULL;
}

static bool same(const char *field, const char *wanted)
{
	return field && wanted && strcmp(field, wanted) == 0;
}

/* A call need not name its interface. */
PUBLIC bool afdbus_is_call(const struct afdbus_message *m, const char *interface, const char *member)
{
	return m && m->type == AFDBUS_CALL && same(m->member, member) && (!m->interface || same(m->interface, interface));
}

PUBLIC bool afdbus_is_signal(const struct afdbus_message *m, const char *interface, const char *member)
{
	return m && m->type == AFDBUS_SIGNAL && same(m->member, member) && same(m->interface, interface);
}
