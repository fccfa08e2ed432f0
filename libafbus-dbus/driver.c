// SPDX-License-Identifier: MIT
/* Methods of the bus driver. */
#include "internal.h"

static struct afdbus_message *call_driver(const char *member)
{
	return afdbus_new_call(DRIVER, DRIVER_PATH, DRIVER, member);
}

/* Sends the call, and reads what the driver returns: a number, or nothing. */
static int ask(struct afdbus *bus, struct afdbus_message *call, const char *returns, struct afdbus_error *error)
{
	struct afdbus_message *reply;
	uint32_t number = 0;
	int result = afdbus_call(bus, call, AFDBUS_DEFAULT_TIMEOUT, &reply, error);

	afdbus_free(call);
	if (result < 0)
		return result;
	result = afdbus_read(reply, returns, &number);
	afdbus_free(reply);
	if (result == 0 && number > INT32_MAX)
		result = -EBADMSG;
	if (result < 0)
		return set_error(error, result, ERROR_NAME("Failed"), "the bus driver has answered with other types");
	return (int)number;
}

PUBLIC int afdbus_request_name(struct afdbus *bus, const char *name, unsigned int flags, struct afdbus_error *error)
{
	struct afdbus_message *call = call_driver("RequestName");

	afdbus_append(call, "su", name, flags);
	return ask(bus, call, "u", error);
}

PUBLIC int afdbus_release_name(struct afdbus *bus, const char *name, struct afdbus_error *error)
{
	struct afdbus_message *call = call_driver("ReleaseName");

	afdbus_append(call, "s", name);
	return ask(bus, call, "u", error);
}

PUBLIC int afdbus_add_match(struct afdbus *bus, const char *rule, struct afdbus_error *error)
{
	struct afdbus_message *call = call_driver("AddMatch");

	afdbus_append(call, "s", rule);
	return ask(bus, call, "", error);
}

PUBLIC int afdbus_remove_match(struct afdbus *bus, const char *rule, struct afdbus_error *error)
{
	struct afdbus_message *call = call_driver("RemoveMatch");

	afdbus_append(call, "s", rule);
	return ask(bus, call, "", error);
}
