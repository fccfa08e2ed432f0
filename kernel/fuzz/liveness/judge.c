// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge: while all players are quiet, one whose call has not ended must have a reason to wait.
 *
 * Then the judge takes these reasons away one by one, in random order, and looks again after each.
 * A wake-up or an edge that was lost shows as a player that goes on waiting without a reason.
 */
#include "liveness.h"
#include <dirent.h>

/* Asks for no POLLOUT: that is the players' matter. */
int input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };

	OK(poll(&p, 1, 0));
	return p.revents;
}

static int is_client(int fd)
{
	return fd >= CLIENTS && fd < CLIENTS + MAX_CLIENTS;
}

/* Whether there are more messages than the queue is long; not for a client that is gone. */
static int is_full(unsigned int i)
{
	return get_option(ACCEPTED + i, BUS_GET_QLENFULL) == 1;
}

/*
 * Whether a socket's own queue may hold its sends up. Accepted sockets have no option that tells.
 */
static int is_own_full(int fd)
{
	if (is_client(fd))
		return is_full(fd - CLIENTS);
	return !!(input(fd) & POLLIN);
}

static int is_multicast(uint64_t to)
{
	return (to & EVERYONE) == EVERYONE;
}

static int is_wanted(const struct client_state *c, int fd, uint64_t to)
{
	if (to != EVERYONE && c->addr >> BUS_CLIENT_BITS != to >> BUS_CLIENT_BITS)
		return 0;
	return protocol == BUS_PROTO_NONE || c->wants_all || !is_client(fd);
}

static int is_held_up_by(unsigned int i, int fd, uint64_t to)
{
	const struct client_state *c = &scene.clients[i];

	if (c->gone || !is_full(i))
		return 0;
	if (to == NOWHERE)
		return fd == ACCEPTED + (int)i;
	if (is_multicast(to))
		return is_wanted(c, fd, to);
	return to == shared->ids[i] || (to && to == c->addr);
}

/* The default route, and messages to the master: they go into the queue of an accepted socket. */
static int may_go_to_master(uint64_t to)
{
	if (to == NOWHERE)
		return 1;
	if (is_multicast(to))
		return 0;
	for (unsigned int i = 0; i < shared->n_clients; i++)
		if (!scene.clients[i].gone && (to == shared->ids[i] || to == scene.clients[i].addr))
			return 0;
	return 1;
}

static int is_master_full(int fd)
{
	int accepted = is_client(fd) ? fd - CLIENTS + ACCEPTED : fd;

	return !!(input(accepted) & POLLIN);
}

static int may_wait_to_send(const struct player *p)
{
	if (is_own_full(p->fd))
		return 1;
	/* A master is not expelled: under EVICT, too, its senders wait. */
	if (scene.overflow != BUS_OVERFLOW_FAIL && may_go_to_master(p->to) && is_master_full(p->fd))
		return 1;
	if (scene.overflow != BUS_OVERFLOW_BLOCK)
		return 0;
	for (unsigned int i = 0; i < shared->n_clients; i++)
		if (is_held_up_by(i, p->fd, p->to))
			return 1;
	return 0;
}

static int may_wait(const struct player *p)
{
	switch (__atomic_load_n(&p->op, __ATOMIC_SEQ_CST)) {
	case PARKED:
	case CHANGE_RULES:
		return 1;
	case SEND:
	case SEND_ON_EDGE:
		return may_wait_to_send(p);
	case RECEIVE:
		return !(input(p->fd) & (POLLIN | POLLHUP | POLLRDHUP));
	case CONNECT:
		return !!(input(SIDE_LISTENER) & POLLIN);
	case ACCEPT:
		return !(input(SIDE_LISTENER) & POLLIN);
	default:
		return 0;
	}
}

static void show_stack(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		printf("#     %s", line);
	if (f)
		fclose(f);
}

/* For everything that runs: what is stuck, and what it waits for. */
void show_all_stacks(void)
{
	struct dirent *d;
	DIR *proc = opendir("/proc");

	while (proc && (d = readdir(proc))) {
		pid_t pid = atoi(d->d_name);

		if (pid <= 0 || getpgid(pid) != getpgrp())
			continue;
		printf("#   process %d\n", pid);
		show_stack(pid);
	}
	if (proc)
		closedir(proc);
}

static void show_scene(void)
{
	static const char *const policies[] = { "BLOCK", "FAIL", "EVICT" };

	printf("# scene %u, again with SCENE=%u: %s bus, %s\n", scene.number, scene.number, protocol == BUS_PROTO_DBUS ? "D-Bus" : "plain", policies[scene.overflow]);
	for (unsigned int i = 0; i < shared->n_clients; i++) {
		const struct client_state *c = &scene.clients[i];

		printf("#   client %u at %#llx, %#llx:%s%s%s%s%s\n", i,
		       (unsigned long long)shared->ids[i], (unsigned long long)c->addr,
		       c->gone ? " gone" : "", c->watches ? " watches" : "",
		       c->wants_all ? " wants all" : "", !c->gone && is_full(i) ? " full" : "",
		       input(ACCEPTED + i) & POLLIN ? ", its master has messages" : "");
	}
	for (unsigned int i = 0; i < scene.n_players; i++) {
		const struct player *p = &shared->players[i];

		printf("#   player %u %s on socket %d to %#llx, after %u calls\n", i, op_names[p->op],
		       p->fd, (unsigned long long)p->to, p->steps);
		if (p->op != PARKED)
			show_stack(p->pid);
	}
}

static const struct player *player_without_reason(void)
{
	look_for_gone();
	for (unsigned int i = 0; i < scene.n_players; i++)
		if (!may_wait(&shared->players[i]))
			return &shared->players[i];
	return NULL;
}

/* A call that is ending gets time for it; one that has lost its wake-up never ends. */
static void all_have_reasons(const char *after)
{
	long long end = now_ms() + WAIT_MS * patience();
	const struct player *p;

	while ((p = player_without_reason())) {
		if (now_ms() > end) {
			show_scene();
			FAIL("after %s: player %d %s, and waits for nothing", after,
			     (int)(p - shared->players), op_names[p->op]);
		}
		usleep(500);
	}
}

static void read_one(int fd)
{
	static char data[512];

	recv(fd, data, sizeof(data), MSG_DONTWAIT);
}

static const char *read_something(struct rng *rng)
{
	unsigned int i = roll(rng, shared->n_clients);

	read_one(one_in(rng, 3) ? ACCEPTED + i : CLIENTS + i);
	return "a message that was read";
}

static const char *empty_queue(struct rng *rng)
{
	unsigned int i = roll(rng, shared->n_clients);
	int fd = one_in(rng, 3) ? ACCEPTED + i : CLIENTS + i;

	while (input(fd) & POLLIN && !(input(fd) & POLLHUP))
		read_one(fd);
	return "a queue that was emptied";
}

static const char *accept_one(struct rng *rng)
{
	int fd = OK(fcntl(SIDE_LISTENER, F_DUPFD_CLOEXEC, 0));

	(void)rng;
	if (input(fd) & POLLIN)
		close(OK(accept4(fd, NULL, NULL, SOCK_CLOEXEC)));
	close(fd);
	return "a connection that was accepted";
}

void judge(struct rng *rng)
{
	static const char *(*const acts[])(struct rng *rng) = {
		read_something, read_something, read_something, empty_queue, accept_one, change_scene,
	};

	__atomic_store_n(&shared->quiet, 1, __ATOMIC_SEQ_CST);
	all_have_reasons("a while of traffic");
	for (unsigned int n = roll(rng, 12); n && !is_over(); n--)
		all_have_reasons(PICK(rng, acts)(rng));
	__atomic_store_n(&shared->quiet, 0, __ATOMIC_SEQ_CST);
}

/* SIGKILL ends every call. */
void kill_player(struct player *p)
{
	long long end = now_ms() + WAIT_MS * patience();

	kill(p->pid, SIGKILL);
	while (!waitpid(p->pid, NULL, WNOHANG)) {
		if (now_ms() > end) {
			show_scene();
			FAIL("player %d %s, and SIGKILL does not end it", (int)(p - shared->players),
			     op_names[p->op]);
		}
		usleep(500);
	}
	p->pid = 0;
	give_back(p);
}
