// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's other interfaces to a socket. The contract does not name them, so they behave as for
 * AF_UNIX SOCK_SEQPACKET.
 */
#include "bus.h"
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

enum { ENTRIES = 8 };

/* An io_uring with one submission at a time. */
struct ring {
	int fd;
	char *rings;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static unsigned int *ring_word(struct ring *r, unsigned int offset)
{
	return (unsigned int *)(r->rings + offset);
}

static struct ring open_ring(void)
{
	struct ring r = { .fd = -1 };

	r.fd = syscall(SYS_io_uring_setup, ENTRIES, &r.params);
	if (r.fd < 0 && (errno == ENOSYS || errno == EPERM))
		SKIP("this kernel has no io_uring");
	OK(r.fd);
	CHECK(r.params.features & IORING_FEAT_SINGLE_MMAP);
	r.rings = mmap(NULL, r.params.cq_off.cqes +
		       r.params.cq_entries * sizeof(struct io_uring_cqe),
		       PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	CHECK(r.rings != MAP_FAILED);
	r.sqes = mmap(NULL, ENTRIES * sizeof(*r.sqes), PROT_READ | PROT_WRITE, MAP_SHARED, r.fd,
		      IORING_OFF_SQES);
	CHECK(r.sqes != MAP_FAILED);
	return r;
}

static void submit(struct ring *r, struct io_uring_sqe sqe)
{
	unsigned int *tail = ring_word(r, r->params.sq_off.tail);
	unsigned int slot = *tail & *ring_word(r, r->params.sq_off.ring_mask);

	r->sqes[slot] = sqe;
	ring_word(r, r->params.sq_off.array)[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	EQ(1, OK(syscall(SYS_io_uring_enter, r->fd, 1, 0, 0, NULL, 0)));
}

static int is_complete(struct ring *r)
{
	return *ring_word(r, r->params.cq_off.head) !=
	       __atomic_load_n(ring_word(r, r->params.cq_off.tail), __ATOMIC_ACQUIRE);
}

struct outcome {
	int res;
	unsigned int flags;
};

/* Waits for the next completion. */
static struct outcome complete(struct ring *r)
{
	unsigned int *head = ring_word(r, r->params.cq_off.head);
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(r->rings + r->params.cq_off.cqes);
	struct outcome outcome;

	while (!is_complete(r))
		OK(syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cqe += *head & *ring_word(r, r->params.cq_off.ring_mask);
	outcome = (struct outcome){ cqe->res, cqe->flags };
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return outcome;
}

struct pair {
	struct bus bus;
	struct client a, b;
};

static struct pair make_pair(void)
{
	struct pair p = { .bus = open_bus("@bus") };

	p.a = join(&p.bus);
	p.b = join_at(&p.bus, ADDRESS(2, 1));
	return p;
}

static char text[] = "text", got[4096];
static struct sockaddr_bus name;
static struct iovec iov = { text, 4 };
static struct msghdr header = { .msg_name = &name, .msg_iov = &iov, .msg_iovlen = 1 };

static struct io_uring_sqe ring_send(int fd, uint64_t to)
{
	name = bus_name(NULL, to);
	header.msg_namelen = sizeof(name);
	return (struct io_uring_sqe){
		.opcode = IORING_OP_SENDMSG, .fd = fd, .addr = (uintptr_t)&header,
		.msg_flags = MSG_NOSIGNAL,
	};
}

static struct io_uring_sqe ring_recv(int fd)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_RECV, .fd = fd, .addr = (uintptr_t)got, .len = sizeof(got),
	};
}

TEST(io_uring_sends_and_receives)
{
	struct pair p = make_pair();
	struct ring r = open_ring();

	submit(&r, ring_send(p.a.fd, GROUP(2)));
	EQ(4, complete(&r).res);
	submit(&r, ring_recv(p.b.fd));
	EQ(4, complete(&r).res);
	CHECK(!memcmp(got, "text", 4));
	submit(&r, ring_send(p.a.fd, 0x7777));
	EQ(4, complete(&r).res);
	GETS(p.a.accepted, p.a.id, "text");
}

TEST(io_uring_tells_errors_of_a_send)
{
	struct pair p = make_pair();
	struct ring r = open_ring();

	submit(&r, ring_send(attach(&p.bus).fd, GROUP(2)));
	EQ(-EHOSTUNREACH, complete(&r).res);
	OK(shutdown(p.a.accepted, SHUT_RDWR));
	submit(&r, ring_send(p.a.fd, GROUP(2)));
	EQ(-EPIPE, complete(&r).res);
}

TEST(io_uring_receive_waits_for_a_message)
{
	struct pair p = make_pair();
	struct ring r = open_ring();

	submit(&r, ring_recv(p.b.fd));
	CHECK(!is_complete(&r));
	OK(post(p.a.fd, p.b.id, "late"));
	EQ(4, complete(&r).res);
	CHECK(!memcmp(got, "late", 4));
	submit(&r, ring_recv(p.b.fd));
	OK(shutdown(p.b.accepted, SHUT_RDWR));
	EQ(0, complete(&r).res);
}

/* A send that io_uring runs waits for room like any other, and completes then. */
TEST(io_uring_send_waits_for_a_full_queue)
{
	struct pair p = make_pair();
	struct ring r = open_ring();
	int n = fill(p.a.fd, p.b.id);

	submit(&r, ring_send(p.a.fd, p.b.id));
	CHECK(!is_complete(&r));
	/* It may complete as soon as there is room, after what was there. */
	for (int i = 0; i < n; i++)
		GETS(p.b.fd, p.a.id, "filler");
	EQ(4, complete(&r).res);
	GETS(p.b.fd, p.a.id, "text");
	GETS_NOTHING(p.b.fd);
}

/* One request completes once for each message, each in a buffer of its own, until the end. */
TEST(io_uring_multishot_receives_each_message)
{
	enum { BUFFERS = 4, SIZE = 64 };
	struct pair p = make_pair();
	struct ring r = open_ring();
	struct outcome last;

	submit(&r, (struct io_uring_sqe){
		.opcode = IORING_OP_PROVIDE_BUFFERS, .fd = BUFFERS, .addr = (uintptr_t)got,
		.len = SIZE, .buf_group = 1,
	});
	OK(complete(&r).res);
	submit(&r, (struct io_uring_sqe){
		.opcode = IORING_OP_RECV, .fd = p.b.fd, .ioprio = IORING_RECV_MULTISHOT,
		.flags = IOSQE_BUFFER_SELECT, .buf_group = 1,
	});
	for (int i = 0; i < 3; i++) {
		const char *data;

		OK(post(p.a.fd, p.b.id, i ? "second" : "first"));
		last = complete(&r);
		EQ(i ? 6 : 5, last.res);
		CHECK(last.flags & IORING_CQE_F_MORE);
		data = got + SIZE * (last.flags >> IORING_CQE_BUFFER_SHIFT);
		CHECK(!memcmp(data, i ? "second" : "first", last.res));
	}
	OK(shutdown(p.b.accepted, SHUT_RDWR));
	last = complete(&r);
	EQ(0, last.res);
	CHECK(!(last.flags & IORING_CQE_F_MORE));
}

TEST(io_uring_accepts)
{
	struct bus bus = open_bus("@bus");
	struct ring r = open_ring();
	int client = bus_socket(), accepted;

	submit(&r, (struct io_uring_sqe){
		.opcode = IORING_OP_ACCEPT, .fd = bus.fd, .accept_flags = SOCK_CLOEXEC,
	});
	CHECK(!is_complete(&r));
	OK(connect_bus(client, &bus));
	accepted = complete(&r).res;
	OK(let_join(accepted));
	OK(post(accepted, 1, "welcome"));
	GETS(client, MASTER, "welcome");
}

/* A socket with a pending request is closed only after that request has ended. */
TEST(io_uring_request_ends_with_its_ring)
{
	struct pair p = make_pair();
	struct ring r = open_ring();

	submit(&r, ring_recv(p.b.fd));
	close(p.b.fd);
	CHECK(!is_complete(&r));
	close(r.fd);
	munmap(r.sqes, ENTRIES * sizeof(*r.sqes));
}

/* A pair of AF_UNIX, to compare with. */
static void unix_pair(int fds[2])
{
	OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
}

/* The result of a call, or its negative errno. */
#define ANSWER(call) ({ long __a = (call); __a < 0 ? -errno : __a; })

static long spliced_out_of(int fd, int flags)
{
	int pipes[2];
	long answer;

	OK(pipe(pipes));
	answer = ANSWER(splice(fd, NULL, pipes[1], NULL, 100, flags));
	close(pipes[0]);
	close(pipes[1]);
	return answer;
}

TEST(splice_out_of_a_socket_is_that_of_af_unix)
{
	struct pair p = make_pair();
	int fds[2];

	unix_pair(fds);
	OK(post(p.a.fd, p.b.id, "text"));
	EQ(4, OK(send(fds[0], "text", 4, 0)));
	EQ(spliced_out_of(fds[1], 0), spliced_out_of(p.b.fd, 0));
	GETS_NOTHING(p.b.fd);
}

TEST(sendfile_out_of_a_socket_fails)
{
	struct pair p = make_pair();
	int file = OK(open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600)), fds[2];

	unix_pair(fds);
	OK(post(p.a.fd, p.b.id, "text"));
	EQ(4, OK(send(fds[0], "text", 4, 0)));
	EQ(ANSWER(sendfile(file, fds[1], NULL, 4)), ANSWER(sendfile(file, p.b.fd, NULL, 4)));
	CHECK(sendfile(file, p.b.fd, NULL, 4) < 0);
	GETS(p.b.fd, p.a.id, "text");
}

/* A message that cannot be sent stays in the pipe from which it was to be spliced. */
TEST(splice_into_a_full_queue_fails_without_waiting)
{
	struct pair p = make_pair();
	int pipes[2], n;

	OK(pipe(pipes));
	OK(fcntl(p.a.fd, F_SETFL, O_NONBLOCK));
	n = fill(p.a.fd, MASTER);
	EQ(4, OK(write(pipes[1], "text", 4)));
	FAILS(EAGAIN, splice(pipes[0], NULL, p.a.fd, NULL, 4, SPLICE_F_NONBLOCK));
	EQ(n, drain(p.a.accepted));
	EQ(4, OK(splice(pipes[0], NULL, p.a.fd, NULL, 4, SPLICE_F_NONBLOCK)));
	GETS(p.a.accepted, p.a.id, "text");
}

TEST(sockets_cannot_be_mapped)
{
	struct bus bus = open_bus("@bus");

	FAILS(ENODEV, (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, bus.fd, 0));
}

TEST(zero_copy_cannot_be_switched_on)
{
	int fds[2], one = 1;

	unix_pair(fds);
	CHECK(setsockopt(bus_socket(), SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) < 0);
	EQ(ANSWER(setsockopt(fds[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one))),
	   ANSWER(setsockopt(bus_socket(), SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one))));
}

/*
 * The flag asks for something that AF_BUS does not do: the payload is copied, and no completion is
 * reported.
 */
TEST(zero_copy_flag_is_ignored)
{
	struct pair p = make_pair();
	char data[] = "before";
	struct message m;

	EQ(6, OK(send_bytes(p.a.fd, GROUP(2), data, 6, MSG_ZEROCOPY | MSG_DONTWAIT)));
	memcpy(data, "after!", 6);
	GETS(p.b.fd, p.a.id, "before");
	CHECK(!(events(p.a.fd) & POLLERR));
	FAILS(EAGAIN, take_flags(p.a.fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT));
}

static int batch_send(int fd, const uint64_t *to, unsigned int n)
{
	struct sockaddr_bus names[8];
	struct mmsghdr batch[8] = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		names[i] = bus_name(NULL, to[i]);
		batch[i].msg_hdr = (struct msghdr){
			.msg_name = &names[i], .msg_namelen = sizeof(names[i]),
			.msg_iov = &iov, .msg_iovlen = 1,
		};
	}
	return sendmmsg(fd, batch, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * A batch ends at the first message that cannot be sent; the call fails only if that is the first
 * of all.
 */
TEST(batch_is_sent_up_to_its_first_failure)
{
	struct pair p = make_pair();
	uint64_t to[3] = { GROUP(2), p.b.id, GROUP(2) };
	int n = fill(p.a.fd, p.b.id);
	struct message m;

	FAILS(EAGAIN, batch_send(p.a.fd, to, 3));
	OK(take(p.b.fd, &m));
	OK(take(p.b.fd, &m));
	EQ(2, OK(batch_send(p.a.fd, to, 3)));
	EQ(n, drain(p.b.fd));
	EQ(3, OK(batch_send(p.a.fd, to, 3)));
	EQ(3, drain(p.b.fd));
}

TEST(batch_is_received_as_far_as_it_is_there)
{
	struct pair p = make_pair();
	struct iovec in[4];
	struct mmsghdr batch[4] = { 0 };

	for (int i = 0; i < 4; i++) {
		in[i] = (struct iovec){ got + 16 * i, 16 };
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
	}
	FAILS(EAGAIN, recvmmsg(p.b.fd, batch, 4, MSG_DONTWAIT, NULL));
	OK(post(p.a.fd, p.b.id, "one"));
	OK(post(p.a.fd, p.b.id, "three"));
	EQ(2, OK(recvmmsg(p.b.fd, batch, 4, MSG_DONTWAIT, NULL)));
	EQ(3, batch[0].msg_len);
	EQ(5, batch[1].msg_len);
	OK(post(p.a.fd, p.b.id, "one"));
	EQ(1, OK(recvmmsg(p.b.fd, batch, 4, MSG_WAITFORONE, NULL)));
}

static int watch_fd(int fd, uint32_t mode)
{
	struct epoll_event event = { .events = mode };
	int poller = OK(epoll_create1(EPOLL_CLOEXEC));

	OK(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event));
	return poller;
}

static int told(int poller, int wait_ms)
{
	struct epoll_event event = { 0 };

	return OK(epoll_wait(poller, &event, 1, wait_ms)) ? (int)event.events : 0;
}

TEST(level_is_told_until_it_is_gone)
{
	struct pair p = make_pair();
	int poller = watch_fd(p.b.fd, EPOLLIN);

	EQ(0, told(poller, 0));
	OK(post(p.a.fd, p.b.id, "x"));
	EQ(EPOLLIN, told(poller, 2000));
	EQ(EPOLLIN, told(poller, 0));
	GETS(p.b.fd, p.a.id, "x");
	EQ(0, told(poller, 0));
}

TEST(one_shot_is_told_once)
{
	struct pair p = make_pair();
	int poller = watch_fd(p.b.fd, EPOLLIN | EPOLLONESHOT);
	struct epoll_event again = { .events = EPOLLIN | EPOLLONESHOT };

	OK(post(p.a.fd, p.b.id, "x"));
	EQ(EPOLLIN, told(poller, 2000));
	OK(post(p.a.fd, p.b.id, "y"));
	EQ(0, told(poller, 0));
	OK(epoll_ctl(poller, EPOLL_CTL_MOD, p.b.fd, &again));
	EQ(EPOLLIN, told(poller, 2000));
}

struct waiter {
	struct job job;
	int poller, what;
};

static void *wait_to_be_told(void *data)
{
	struct waiter *w = data;

	w->job.tid = syscall(SYS_gettid);
	w->what = told(w->poller, -1);
	w->job.done = 1;
	return NULL;
}

static const struct {
	const char *name;
	uint32_t mode;
	int woken;
} modes[] = {
	{ "all_without", EPOLLIN, 3 },
	{ "one_with_exclusive", EPOLLIN | EPOLLEXCLUSIVE, 1 },
};

/*
 * Three pollers wait for one connection. A poller that the connection does not wake is woken by the
 * end of a pipe, which comes later: so the test needs no timeout.
 */
TEST_EACH(connection_wakes, modes)
{
	struct bus bus = open_bus("@bus");
	struct epoll_event end = { .events = 0 };
	struct waiter waiters[3];
	int pipes[2], woken = 0;

	OK(pipe(pipes));
	for (int i = 0; i < 3; i++) {
		waiters[i] = (struct waiter){ .poller = watch_fd(bus.fd, row->mode) };
		OK(epoll_ctl(waiters[i].poller, EPOLL_CTL_ADD, pipes[0], &end));
		EQ(0, pthread_create(&waiters[i].job.thread, NULL, wait_to_be_told, &waiters[i]));
		await_block(&waiters[i].job);
	}
	OK(connect_bus(bus_socket(), &bus));
	close(pipes[1]);
	for (int i = 0; i < 3; i++) {
		await_end(&waiters[i].job);
		CHECK(waiters[i].what == EPOLLIN || waiters[i].what == EPOLLHUP);
		woken += waiters[i].what == EPOLLIN;
	}
	EQ(row->woken, woken);
}
