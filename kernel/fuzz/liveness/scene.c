// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scene: how it is made, what the judge changes in it, and how it ends.
 */
#include "liveness.h"

int protocol;
struct scene scene;

static void move(int fd, int slot)
{
	OK(dup3(fd, slot, O_CLOEXEC));
	close(fd);
}

/* Away from the slots. */
static int above(int fd)
{
	int to = OK(fcntl(fd, F_DUPFD_CLOEXEC, LAST_SOCKET));

	close(fd);
	return to;
}

static void listen_at(int slot, const char *path, int backlog)
{
	move(bus_socket(), slot);
	OK(bind_to(slot, path));
	OK(listen(slot, backlog));
}

static uint64_t attach_at(int client, int accepted)
{
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);

	move(bus_socket(), client);
	OK(connect_to(client, shared->path));
	move(OK(accept4(LISTENER, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC)), accepted);
	return peer.sbus_addr.s_addr;
}

static uint64_t some_address(struct rng *rng)
{
	return ADDRESS(1 + roll(rng, 2), roll(rng, 4));
}

static void give_address(unsigned int i, uint64_t addr)
{
	if (!add_address(ACCEPTED + i, addr))
		scene.clients[i].addr = addr;
	else
		EQ(EADDRINUSE, errno);
}

static void take_address(unsigned int i)
{
	struct client_state *c = &scene.clients[i];

	if (!c->addr)
		return;
	OK(del_address(ACCEPTED + i, c->addr));
	c->addr = 0;
}

static void toggle_rule(unsigned int i)
{
	struct client_state *c = &scene.clients[i];
	uint64_t id = shared->ids[i];

	if (protocol != BUS_PROTO_DBUS)
		return;
	if (c->wants_all)
		OK(remove_rule(shared->path, id, ""));
	else
		OK(add_rule(shared->path, id, ""));
	c->wants_all = !c->wants_all;
}

static void toggle_watch(unsigned int i)
{
	struct client_state *c = &scene.clients[i];

	OK(c->watches ? unwatch(ACCEPTED + i) : watch(ACCEPTED + i));
	c->watches = !c->watches;
}

static void add_client(unsigned int i, struct rng *rng)
{
	OK(set_option(LISTENER, BUS_SET_MAXQLEN, 1 + roll(rng, 3)));
	shared->ids[i] = attach_at(CLIENTS + i, ACCEPTED + i);
	scene.clients[i] = (struct client_state){ 0 };
	OK(let_join(ACCEPTED + i));
	if (!one_in(rng, 4))
		give_address(i, some_address(rng));
	if (!one_in(rng, 3))
		toggle_rule(i);
	if (one_in(rng, 6))
		toggle_watch(i);
}

/*
 * Members without players and without queued messages: they are only there to be judged for each
 * message.
 */
static void add_crowd(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		OK(connect_to(above(bus_socket()), shared->path));
		OK(let_join(above(OK(accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC)))));
	}
}

void make_scene(struct rng *rng, unsigned int number)
{
	protocol = one_in(rng, 2) ? BUS_PROTO_DBUS : BUS_PROTO_NONE;
	scene.number = number;
	scene.overflow = BUS_OVERFLOW_BLOCK;
	scene.n_players = 3 + roll(rng, MAX_PLAYERS - 2);
	snprintf(shared->path, sizeof(shared->path), "@bus%u", number);
	snprintf(shared->side_path, sizeof(shared->side_path), "@side%u", number);
	listen_at(LISTENER, shared->path, BUS_MAX_QLEN);
	listen_at(SIDE_LISTENER, shared->side_path, roll(rng, 3));
	shared->n_clients = 2 + roll(rng, MAX_CLIENTS - 1);
	for (unsigned int i = 0; i < shared->n_clients; i++)
		add_client(i, rng);
	shared->storm = protocol == BUS_PROTO_DBUS && one_in(rng, 3);
	if (shared->storm)
		add_crowd(roll(rng, MAX_CROWD));
}

void end_scene(void)
{
	OK(close_range(LISTENER, ~0U, 0));
	EVENTUALLY(bus_sockets() == 0);
}

static const char *change_policy(struct rng *rng)
{
	static const int policies[] = {
		BUS_OVERFLOW_BLOCK, BUS_OVERFLOW_BLOCK, BUS_OVERFLOW_FAIL, BUS_OVERFLOW_EVICT,
	};

	scene.overflow = PICK(rng, policies);
	OK(set_option(LISTENER, BUS_SET_OVERFLOW, scene.overflow));
	return "another policy for full queues";
}

static const char *move_address(struct rng *rng)
{
	unsigned int from = roll(rng, shared->n_clients), to = roll(rng, shared->n_clients);
	uint64_t addr = scene.clients[from].addr;

	take_address(from);
	take_address(to);
	give_address(to, addr ?: some_address(rng));
	return "an address that moved";
}

static const char *change_rule(struct rng *rng)
{
	toggle_rule(roll(rng, shared->n_clients));
	return "a rule that came or went";
}

static const char *change_watch(struct rng *rng)
{
	toggle_watch(roll(rng, shared->n_clients));
	return "an eavesdropper that came or went";
}

static const char *expel(struct rng *rng)
{
	unsigned int i = roll(rng, shared->n_clients);

	scene.clients[i].gone = 1;
	OK(shutdown(ACCEPTED + i, SHUT_RDWR));
	return "a client that was expelled";
}

/* Here the judge notices a client that EVICT has expelled: it hangs up. */
void look_for_gone(void)
{
	for (unsigned int i = 0; i < shared->n_clients; i++)
		if (input(CLIENTS + i) & POLLHUP)
			scene.clients[i].gone = 1;
}

static int is_gone(unsigned int i)
{
	return scene.clients[i].gone;
}

/* Nothing can be changed for a client that is gone: so nothing has changed. */
const char *change_scene(struct rng *rng)
{
	static const char *(*const changes[])(struct rng *rng) = {
		change_policy, change_policy, move_address, move_address, change_rule, change_rule,
		change_rule, change_watch, expel,
	};

	look_for_gone();
	for (unsigned int i = 0; i < shared->n_clients; i++)
		if (is_gone(i))
			return change_policy(rng);
	return PICK(rng, changes)(rng);
}
