// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protocols other than BUS_PROTO_NONE: modules that filter, and have private
 * data for buses and clients; see include/net/af_bus.h.
 */

#include <linux/module.h>
#include <net/af_bus.h>
#include "addr.h"
#include "af_bus.h"
#include "bus.h"
#include "line.h"
#include "name.h"
#include "protocol.h"
#include "sock.h"

static DEFINE_MUTEX(afbus_protocol_mutex);
static const struct afbus_protocol *afbus_protocols[BUS_PROTO_MAX + 1];

int afbus_register_protocol(const struct afbus_protocol *protocol)
{
	int err = -EINVAL;

	if (!protocol->read != !protocol->wants ||
	    protocol->number <= BUS_PROTO_NONE ||
	    protocol->number > BUS_PROTO_MAX)
		return err;

	mutex_lock(&afbus_protocol_mutex);
	err = -EBUSY;
	if (!afbus_protocols[protocol->number]) {
		afbus_protocols[protocol->number] = protocol;
		err = 0;
	}
	mutex_unlock(&afbus_protocol_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(afbus_register_protocol);

/* No socket uses it any more: each one keeps the module. */
void afbus_unregister_protocol(const struct afbus_protocol *protocol)
{
	mutex_lock(&afbus_protocol_mutex);
	afbus_protocols[protocol->number] = NULL;
	mutex_unlock(&afbus_protocol_mutex);
}
EXPORT_SYMBOL_GPL(afbus_unregister_protocol);

static const struct afbus_protocol *afbus_protocol_try(int number)
{
	const struct afbus_protocol *protocol;

	mutex_lock(&afbus_protocol_mutex);
	protocol = afbus_protocols[number];
	if (protocol && !try_module_get(protocol->owner))
		protocol = NULL;
	mutex_unlock(&afbus_protocol_mutex);
	return protocol;
}

/**
 * afbus_protocol_get() - get what a socket of some protocol needs
 * @number: the protocol
 *
 * Return: the protocol with a reference on its module, NULL for
 * BUS_PROTO_NONE; -EPROTONOSUPPORT if there is none: without its filter every
 * message would reach everyone.
 */
const struct afbus_protocol *afbus_protocol_get(int number)
{
	const struct afbus_protocol *protocol;

	if (number < 0 || number > BUS_PROTO_MAX)
		return ERR_PTR(-EPROTONOSUPPORT);
	if (number == BUS_PROTO_NONE)
		return NULL;

	protocol = afbus_protocol_try(number);
	if (!protocol) {
		request_module("net-pf-%d-proto-%d", afbus_family, number);
		protocol = afbus_protocol_try(number);
	}
	return protocol ?: ERR_PTR(-EPROTONOSUPPORT);
}

void afbus_protocol_hold(const struct afbus_protocol *protocol)
{
	if (protocol)
		__module_get(protocol->owner);
}

void afbus_protocol_put(const struct afbus_protocol *protocol)
{
	if (protocol)
		module_put(protocol->owner);
}

/**
 * afbus_protocol_find_bus() - find a bus by its path
 * @protocol: what the bus must be of
 * @net: network namespace of the caller
 * @path: its path, with a leading NUL for an abstract one
 * @len: bytes of @path
 * @may_wait: ask the file system, for as long as it takes, as connect does
 *
 * In the context of a task: a pathname is that task's. Whether the task may
 * name the bus is for the protocol to say.
 *
 * Return: the bus, with a reference, or what connect would say; -EAGAIN if
 * only the file system knows and @may_wait does not let it be asked.
 */
struct afbus_bus *
afbus_protocol_find_bus(const struct afbus_protocol *protocol, struct net *net,
			const char *path, unsigned int len, bool may_wait)
{
	struct sockaddr_bus addr = { .sbus_family = afbus_family };
	struct afbus_name name;
	struct afbus_bus *bus;
	int err;

	if (!len || len > sizeof(addr.sbus_path))
		return ERR_PTR(-EINVAL);
	memcpy(addr.sbus_path, path, len);
	err = afbus_name_parse(&name, &addr,
			       offsetof(struct sockaddr_bus, sbus_path) + len);
	if (err)
		return ERR_PTR(err);

	bus = afbus_name_find_cached(net, &name);
	if (bus == ERR_PTR(-EAGAIN) && may_wait)
		bus = afbus_name_find(net, &name);
	if (!IS_ERR(bus) && bus->protocol != protocol) {
		afbus_bus_put(bus);
		return ERR_PTR(-ECONNREFUSED);
	}
	return bus;
}
EXPORT_SYMBOL_GPL(afbus_protocol_find_bus);

void afbus_protocol_put_bus(struct afbus_bus *bus)
{
	afbus_bus_put(bus);
}
EXPORT_SYMBOL_GPL(afbus_protocol_put_bus);

/**
 * afbus_protocol_bus() - the private data of a protocol for a bus
 * @bus: the bus
 * @owner: result: whose bus it is, see struct afbus_bus
 *
 * Return: what bus_new() has returned; lives as long as the bus.
 */
void *afbus_protocol_bus(struct afbus_bus *bus, kuid_t *owner)
{
	spin_lock(&bus->lock);
	*owner = bus->owner;
	spin_unlock(&bus->lock);
	return bus->data;
}
EXPORT_SYMBOL_GPL(afbus_protocol_bus);

/**
 * afbus_protocol_begin_change() - change what verdicts on a bus are
 * @bus: the bus; its lock is held until afbus_protocol_end_change()
 */
void afbus_protocol_begin_change(struct afbus_bus *bus)
	__acquires(&bus->lock)
{
	afbus_bus_begin_change(bus);
}
EXPORT_SYMBOL_GPL(afbus_protocol_begin_change);

/**
 * afbus_protocol_change_to() - the change concerns messages to one client
 * @bus: the bus, with a change that has been made under this hold of the lock
 * @addr: prefix-0 address of the client, which may be gone
 * @less: it may get less than before: senders that wait for it look whether
 *	they still have to
 *
 * Messages that were judged for it before are judged again before they are
 * committed.
 */
void afbus_protocol_change_to(struct afbus_bus *bus, u64 addr, bool less)
{
	struct afbus_sock *client = afbus_addr_find(bus, addr);

	if (!client)
		return;
	/* Pairs with the acquire in afbus_copy_make(). */
	smp_store_release(&client->verdicts_to, client->verdicts_to + 1);
	if (less)
		afbus_line_changed(client);
}
EXPORT_SYMBOL_GPL(afbus_protocol_change_to);

/**
 * afbus_protocol_change_from() - the change concerns messages from one client
 * @bus: as above
 * @addr: as above
 */
void afbus_protocol_change_from(struct afbus_bus *bus, u64 addr)
{
	struct afbus_sock *client = afbus_addr_find(bus, addr);

	if (!client)
		return;
	/* Pairs with the acquires in send.c and filter.c. */
	smp_store_release(&client->verdicts_from, client->verdicts_from + 1);
	afbus_bus_reroute(bus, true);
}
EXPORT_SYMBOL_GPL(afbus_protocol_change_from);

/**
 * afbus_protocol_end_change() - give a change its place
 * @bus: the bus
 */
void afbus_protocol_end_change(struct afbus_bus *bus)
	__releases(&bus->lock)
{
	bus->seq++;
	afbus_bus_end_change(bus);
}
EXPORT_SYMBOL_GPL(afbus_protocol_end_change);

/**
 * afbus_protocol_find_client() - who holds an address
 * @bus: the bus
 * @addr: any address
 *
 * Return: the client's socket, with a reference, or NULL. The client may be
 * gone by then: what it had has ended with client_leave().
 */
struct sock *afbus_protocol_find_client(struct afbus_bus *bus, u64 addr)
{
	struct afbus_sock *client;

	spin_lock(&bus->lock);
	client = afbus_addr_find(bus, addr);
	if (client)
		sock_hold(&client->sk);
	spin_unlock(&bus->lock);
	return client ? &client->sk : NULL;
}
EXPORT_SYMBOL_GPL(afbus_protocol_find_client);

/**
 * afbus_protocol_client() - the private data of a protocol for a client
 * @client: a client that was on a bus of the protocol
 * @addr: result: its prefix-0 address; may be NULL
 *
 * Return: what client_new() has returned; lives as long as the socket.
 */
void *afbus_protocol_client(const struct sock *client, u64 *addr)
{
	if (addr)
		*addr = afbus_sk(client)->addr;
	return afbus_sk(client)->data;
}
EXPORT_SYMBOL_GPL(afbus_protocol_client);
