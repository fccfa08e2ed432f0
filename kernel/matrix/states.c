// SPDX-License-Identifier: GPL-2.0-only
/*
 * What TARGET is when a cell begins, and which others there are: a bus with short queues and a
 * short backlog, a member that takes messages, a full one and a bystander.
 */
#include "matrix.h"

struct parties parties;

static void move(int fd, int slot)
{
	OK(dup3(fd, slot, O_CLOEXEC));
	close(fd);
}

static void connect_at(int slot)
{
	move(bus_socket(), slot);
	OK(connect_to(slot, parties.path));
}

/* Returns its address. */
static uint64_t accept_at(int slot)
{
	struct sockaddr_bus peer;
	socklen_t len = sizeof(peer);

	move(OK(accept4(LISTENER, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC)), slot);
	return peer.sbus_addr.s_addr;
}

static uint64_t attach_at(int slot, int peer)
{
	connect_at(slot);
	return accept_at(peer);
}

static uint64_t join_at_slot(int slot, int peer)
{
	uint64_t id = attach_at(slot, peer);

	OK(let_join(peer));
	return id;
}

/* Up to one message more than its length. */
static void fill_queue(int peer)
{
	while (send(peer, "filler", 6, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		;
	EQ(EAGAIN, errno);
}

static void add_members(void)
{
	parties.reader_id = join_at_slot(READER, READER_PEER);
	OK(add_address(READER_PEER, READER_ADDR));
	OK(add_address(READER_PEER, ADDRESS(2, 1)));
	join_at_slot(FULL, FULL_PEER);
	OK(add_address(FULL_PEER, FULL_ADDR));
	fill_queue(FULL_PEER);
	parties.bystander_id = join_at_slot(BYSTANDER, BYSTANDER_PEER);
	if (protocol == BUS_PROTO_DBUS)
		OK(add_rule(parties.path, parties.reader_id, ""));
}

static void add_bus_and_members(void)
{
	move(bus_socket(), LISTENER);
	OK(bind_to(LISTENER, parties.path));
	OK(listen(LISTENER, 1));
	OK(fcntl(LISTENER, F_SETFL, O_NONBLOCK));
	add_members();
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Whether the bus and its members can be used for another cell. */
static int is_usable(void)
{
	return is_open(LISTENER) && is_open(READER) && is_open(FULL) && !(events(FULL) & POLLHUP);
}

static void repair(void)
{
	int fd;

	while ((fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	drain(READER);
	fill_queue(FULL_PEER);
	parties.target_id = 0;
}

void begin_round(const struct state *state)
{
	static unsigned int number;

	if (!state->lonely && is_usable()) {
		repair();
	} else {
		close_all();
		parties = (struct parties){ 0 };
		snprintf(parties.path, sizeof(parties.path), "@bus%u", number++);
		if (!state->lonely)
			add_bus_and_members();
	}
	state->make();
}

/*
 * A member that no call was about is still on the bus, unless it may have been expelled for its
 * full queue.
 */
static void check_bystander(int flags)
{
	if (!is_open(BYSTANDER))
		return;
	drain(BYSTANDER);
	if (post(BYSTANDER, parties.bystander_id, "still here") < 0 && !(flags & EVICTS))
		FAIL("a member that had no part in it cannot send: %s", errname(errno));
}

void end_round(int flags)
{
	check_bystander(flags);
	close(TARGET);
	close(PEER);
	close(WAITING);
}

void close_all(void)
{
	for (int fd = TARGET; fd < LAST_SOCKET; fd++)
		close(fd);
}

static void be_fresh(void)
{
	move(bus_socket(), TARGET);
}

static void be_bound(void)
{
	be_fresh();
	OK(bind_to(TARGET, parties.path));
}

static void be_listening(void)
{
	move(LISTENER, TARGET);
	OK(fcntl(TARGET, F_SETFL, 0));
}

static void be_waited_for(void)
{
	be_listening();
	connect_at(WAITING);
}

static void be_shut_listener(void)
{
	be_listening();
	OK(shutdown(TARGET, SHUT_RDWR));
}

/* The backlog holds one more than it was told. */
static void be_kept_waiting(void)
{
	be_fresh();
	connect_at(WAITING);
	connect_at(PEER);
}

static void be_unaccepted(void)
{
	connect_at(TARGET);
}

static void be_attached(void)
{
	parties.target_id = attach_at(TARGET, PEER);
}

static void be_joined(void)
{
	be_attached();
	OK(let_join(PEER));
	/*
	 * The socket that held it in the last round may be in flight, and be collected a little
	 * later.
	 */
	EVENTUALLY(!add_address(PEER, TARGET_ADDR) || errno != EADDRINUSE);
	OK(send(PEER, "queued", 6, MSG_DONTWAIT));
}

static void be_watching(void)
{
	be_joined();
	OK(watch(PEER));
}

static void be_full(void)
{
	be_joined();
	fill_queue(PEER);
}

static void be_expelled(void)
{
	be_joined();
	OK(shutdown(PEER, SHUT_RDWR));
}

static void be_left_by_master(void)
{
	be_joined();
	close(PEER);
}

static void be_half_shut(void)
{
	be_joined();
	OK(shutdown(TARGET, SHUT_RD));
}

static void be_shut(void)
{
	be_joined();
	OK(shutdown(TARGET, SHUT_RDWR));
}

/* TARGET and PEER change sides. */
static void turn(void)
{
	move(TARGET, WAITING);
	move(PEER, TARGET);
	move(WAITING, PEER);
}

static void be_accepted(void)
{
	be_attached();
	turn();
}

static void be_masters_half(void)
{
	be_joined();
	OK(send(TARGET, "to the master", 13, MSG_DONTWAIT));
	turn();
}

static void be_half_of_watcher(void)
{
	be_watching();
	turn();
}

static void be_half_of_expelled(void)
{
	be_expelled();
	turn();
}

static void be_half_of_gone(void)
{
	be_masters_half();
	close(PEER);
}

const struct state states[] = {
	{ "fresh", be_fresh },
	{ "bound", be_bound, 1 },
	{ "listening", be_listening },
	{ "listening, with a connection to accept", be_waited_for },
	{ "listening, and shut down", be_shut_listener },
	{ "fresh, and the bus's backlog is full", be_kept_waiting },
	{ "connected and not accepted", be_unaccepted },
	{ "attached", be_attached },
	{ "joined", be_joined },
	{ "eavesdropping", be_watching },
	{ "joined, with a full queue", be_full },
	{ "joined, and left by the master", be_left_by_master },
	{ "joined, and shut down for reading", be_half_shut },
	{ "shut down", be_shut },
	{ "expelled", be_expelled },
	{ "accepted", be_accepted },
	{ "accepted, half of a member", be_masters_half },
	{ "accepted, half of an eavesdropper", be_half_of_watcher },
	{ "accepted, half of an expelled client", be_half_of_expelled },
	{ "accepted, half of a closed client", be_half_of_gone },
};

const unsigned int n_states = ARRAY_SIZE(states);

const struct walk walks[] = {
	{ "becomes a master", "bound", { "listen", "a client arrives", "accept", "shutdown" } },
	{ "becomes a bus", "fresh", { "bind a new name", "listen", "shutdown" } },
	{ "is replaced by a bus", "fresh", { "dup2 of a new socket", "bind a new name", "listen", "close" } },
	{ "becomes a member", "fresh", { "connect", "the master admits a client", "send to a group", "the other half is expelled" } },
	{ "is replaced by a member", "joined", { "dup2 of a new socket", "connect", "the master admits a client", "send to a group" } },
	{ "rises", "attached", { "the other half is told to join", "the other half is given an address", "the other half is told to watch", "the other half is expelled", "close" } },
	{ "falls", "eavesdropping", { "an address is taken from the other half", "the other half is expelled", "the other half closes" } },
	{ "is left", "attached", { "the other half closes", "shutdown", "close" } },
	{ "admits", "listening", { "a client arrives", "accept", "a client arrives", "accept" } },
	{ "raises its client", "accepted", { "BUS_JOIN_BUS", "BUS_ADD_ADDR", "BUS_SET_EAVESDROP", "shutdown", "close" } },
	{ "waits for a full member", "joined", { "send to a full member", "the full member receives", "send to a full member", "the full member closes" } },
	{ "waits for one that is expelled", "joined", { "send to everyone", "the full member is expelled", "send to everyone" } },
	{ "closes in steps", "joined", { "shutdown of writing", "shutdown of reading", "close" } },
	{ "is named", "joined", { "set a name", "add a rule", "unset a name", "remove all rules", "close" } },
	{ "changes what the bus does", "listening", { "BUS_OVERFLOW_EVICT", "a member sends to the group", "BUS_OVERFLOW_BLOCK", "BUS_SET_MAXQLEN" } },
};

const unsigned int n_walks = ARRAY_SIZE(walks);
