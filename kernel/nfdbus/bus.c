// SPDX-License-Identifier: GPL-2.0-only
/*
 * The private data of buses and clients: how it is made and freed with them.
 */

#include <linux/slab.h>
#include "nfdbus.h"

void *nfdbus_bus_new(void)
{
	struct nfdbus_bus *bus;

	bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);
	if (!bus)
		return NULL;
	if (nfdbus_table_init(bus))
		goto err_free;
	if (nfdbus_names_init(bus))
		goto err_table;
	kref_init(&bus->ref);
	mutex_init(&bus->lock);
	return bus;

err_table:
	nfdbus_table_exit(bus);
err_free:
	kfree(bus);
	return NULL;
}

static void nfdbus_bus_free_work(struct work_struct *work)
{
	struct nfdbus_bus *bus = container_of(work, struct nfdbus_bus,
					      free_work);

	nfdbus_names_exit(bus);
	nfdbus_table_exit(bus);
	mutex_destroy(&bus->lock);
	kfree(bus);
}

static void nfdbus_bus_end(struct kref *ref)
{
	struct nfdbus_bus *bus = container_of(ref, struct nfdbus_bus, ref);

	INIT_WORK(&bus->free_work, nfdbus_bus_free_work);
	queue_work(nfdbus_wq, &bus->free_work);
}

void nfdbus_bus_free(void *data)
{
	struct nfdbus_bus *bus = data;

	kref_put(&bus->ref, nfdbus_bus_end);
}

static void nfdbus_client_put(struct nfdbus_client *client)
{
	if (!refcount_dec_and_test(&client->ref))
		return;
	WARN_ON_ONCE(client->nr_rules || client->nr_names);
	kref_put(&client->bus->ref, nfdbus_bus_end);
	kfree(client);
}

static void nfdbus_client_leave_work(struct work_struct *work)
{
	struct nfdbus_client *client = container_of(work, struct nfdbus_client,
						    leave_work);

	mutex_lock(&client->bus->lock);
	nfdbus_rule_remove_all(NULL, client);
	nfdbus_name_unset_all(client);
	mutex_unlock(&client->bus->lock);
	nfdbus_client_put(client);
}

void *nfdbus_client_new(void *data)
{
	struct nfdbus_bus *bus = data;
	struct nfdbus_client *client;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return NULL;
	refcount_set(&client->ref, 1);
	kref_get(&bus->ref);
	client->bus = bus;
	INIT_WORK(&client->leave_work, nfdbus_client_leave_work);
	INIT_LIST_HEAD(&client->rules);
	INIT_LIST_HEAD(&client->names);
	return client;
}

/* Under the lock of the bus: mark it, and leave the rest to the work item. */
void nfdbus_client_leave(void *data)
{
	struct nfdbus_client *client = data;

	/* Requests that add read it under the mutex; the work item comes later. */
	WRITE_ONCE(client->gone, true);
	refcount_inc(&client->ref);
	queue_work(nfdbus_wq, &client->leave_work);
}

void nfdbus_client_free(void *data)
{
	nfdbus_client_put(data);
}
