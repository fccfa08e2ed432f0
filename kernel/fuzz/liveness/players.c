// SPDX-License-Identifier: GPL-2.0-only
/*
 * The players: each draws one call after another, and announces it before making it.
 */
#include "liveness.h"
#include <sys/epoll.h>
#include <sys/prctl.h>

const char *const op_names[N_OPS] = {
	"parks", "sends, waiting", "sends on edges of POLLOUT", "sends without waiting",
	"receives, waiting", "receives without waiting", "connects", "accepts", "changes rules",
};

static const struct bytes *text(void)
{
	static struct bytes b;

	if (!b.len)
		write_message(&b, &a_signal);
	return &b;
}

static void begin(struct player *p, enum op op, int fd, uint64_t to)
{
	p->fd = fd;
	p->to = to;
	__atomic_store_n(&p->op, op, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&shared->calls[op], 1, __ATOMIC_RELAXED);
}

/*
 * POLLOUT tells a socket, and not a sender: if two threads send through one socket, the refusal of
 * one withholds the edge that the other waits for (af_bus.md, section 4). So a player that waits
 * for edges is the only one that sends through its socket.
 */
static int *users_of(int fd)
{
	return &shared->users[fd - LISTENER];
}

static int take_alone(int fd)
{
	int none = 0;

	return __atomic_compare_exchange_n(users_of(fd), &none, ALONE, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static int take_shared(int fd)
{
	int users = __atomic_load_n(users_of(fd), __ATOMIC_SEQ_CST);

	while (users != ALONE) {
		if (__atomic_compare_exchange_n(users_of(fd), &users, users + 1, 0, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return 1;
	}
	return 0;
}

/*
 * Also for a player that was killed. If that was just before the call, the socket is used less
 * often.
 */
void give_back(struct player *p)
{
	enum op op = __atomic_exchange_n(&p->op, PARKED, __ATOMIC_SEQ_CST);

	if (op == SEND_ON_EDGE)
		__atomic_store_n(users_of(p->fd), 0, __ATOMIC_SEQ_CST);
	else if (op == SEND || op == SEND_NOW)
		__atomic_fetch_sub(users_of(p->fd), 1, __ATOMIC_SEQ_CST);
}

static void step(struct player *p)
{
	__atomic_fetch_add(&p->steps, 1, __ATOMIC_SEQ_CST);
}

static int is_quiet(void)
{
	return __atomic_load_n(&shared->quiet, __ATOMIC_SEQ_CST);
}

/* A player that has ended its call waits here while all are quiet. */
static void park(struct player *p)
{
	if (!is_quiet())
		return;
	begin(p, PARKED, -1, 0);
	while (is_quiet())
		usleep(500);
}

static ssize_t send_text(int fd, uint64_t to, int flags)
{
	if (to == NOWHERE)
		return send(fd, text()->data, text()->len, MSG_NOSIGNAL | flags);
	return send_bytes(fd, to, text()->data, text()->len, MSG_NOSIGNAL | flags);
}

static int some_client(struct rng *rng)
{
	return CLIENTS + roll(rng, shared->n_clients);
}

static int some_socket(struct rng *rng)
{
	return one_in(rng, 4) ? (int)(ACCEPTED + roll(rng, shared->n_clients)) : some_client(rng);
}

static uint64_t some_destination(struct rng *rng)
{
	switch (roll(rng, 8)) {
	case 0:
		return NOWHERE;
	case 1:
		return EVERYONE;
	case 2: case 3:
		return GROUP(1 + roll(rng, 2));
	case 4:
		return ADDRESS(1 + roll(rng, 2), roll(rng, 4));
	default:
		return shared->ids[roll(rng, shared->n_clients)];
	}
}

static void do_send(struct player *p, struct rng *rng)
{
	int fd = some_socket(rng);

	if (!take_shared(fd))
		return;
	begin(p, SEND, fd, some_destination(rng));
	send_text(p->fd, p->to, 0);
	give_back(p);
}

static void do_send_now(struct player *p, struct rng *rng)
{
	int fd = some_socket(rng);

	if (!take_shared(fd))
		return;
	begin(p, SEND_NOW, fd, some_destination(rng));
	send_text(p->fd, p->to, MSG_DONTWAIT);
	give_back(p);
}

/* Tries again after an edge, and at no other time. */
static void do_send_on_edge(struct player *p, struct rng *rng)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int fd = some_socket(rng), ep;

	if (!take_alone(fd))
		return;
	ep = OK(epoll_create1(EPOLL_CLOEXEC));
	begin(p, SEND_ON_EDGE, fd, some_destination(rng));
	if (!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event)) {
		epoll_wait(ep, &event, 1, 0);
		while (send_text(fd, p->to, MSG_DONTWAIT) < 0 && errno == EAGAIN) {
			epoll_wait(ep, &event, 1, -1);
			step(p);
		}
	}
	close(ep);
	give_back(p);
}

static void receive(int fd, int flags)
{
	static char data[512];

	recv(fd, data, sizeof(data), flags);
}

static void do_receive(struct player *p, struct rng *rng)
{
	begin(p, RECEIVE, some_socket(rng), 0);
	receive(p->fd, 0);
}

static void do_receive_now(struct player *p, struct rng *rng)
{
	begin(p, RECEIVE_NOW, some_socket(rng), 0);
	receive(p->fd, MSG_DONTWAIT);
}

static void do_connect(struct player *p, struct rng *rng)
{
	int fd = bus_socket();

	(void)rng;
	begin(p, CONNECT, fd, 0);
	connect_to(fd, shared->side_path);
	close(fd);
}

static void do_accept(struct player *p, struct rng *rng)
{
	int fd;

	(void)rng;
	begin(p, ACCEPT, SIDE_LISTENER, 0);
	fd = accept4(SIDE_LISTENER, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

/* For a client that no message is sent to: so the change must not alter any outcome. */
static void do_change_rules(struct player *p, struct rng *rng)
{
	uint64_t id = shared->ids[roll(rng, shared->n_clients)];
	char rule[64];

	snprintf(rule, sizeof(rule), "type='signal',member='Nobody%d'", getpid());
	begin(p, CHANGE_RULES, -1, id);
	add_rule(shared->path, id, rule);
	remove_rule(shared->path, id, rule);
}

static const struct {
	unsigned int weight;
	void (*play)(struct player *p, struct rng *rng);
} plays[] = {
	{ 30, do_send }, { 25, do_send_on_edge }, { 10, do_send_now },
	{ 8, do_receive }, { 20, do_receive_now }, { 3, do_connect }, { 3, do_accept },
};

static void play(struct player *p, struct rng *rng)
{
	unsigned int sum = 0, at;

	for (size_t i = 0; i < ARRAY_SIZE(plays); i++)
		sum += plays[i].weight;
	at = roll(rng, sum);
	for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
		if (at < plays[i].weight) {
			plays[i].play(p, rng);
			return;
		}
		at -= plays[i].weight;
	}
}

void be_player(struct player *p)
{
	struct rng rng = rng_for(p->seed, 0);
	int changes_rules = shared->storm && p < shared->players + 3;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	nl_fd = -1;
	for (;;) {
		if (changes_rules) {
			do_change_rules(p, &rng);
		} else {
			park(p);
			play(p, &rng);
		}
		step(p);
	}
}
