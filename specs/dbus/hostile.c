// SPDX-License-Identifier: MIT
/* libafbus-dbus on a bus that this program plays itself, in a child: it is broken, silent or hostile. */
#include "expect.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FDS = 253, FIXED = 16 };

/* The bus's side */

struct message {
	uint8_t bytes[1 << 20];
	size_t length;
};

static struct message out;

static void put(const void *data, size_t size, size_t alignment)
{
	while (out.length % alignment)
		out.bytes[out.length++] = 0;
	memcpy(out.bytes + out.length, data, size);
	out.length += size;
}

static void put_u32(uint32_t value)
{
	put(&value, 4, 4);
}

static void put_field(uint8_t code, const char *type, const char *text, uint32_t number)
{
	put(&code, 1, 8);
	put(&(uint8_t){ 1 }, 1, 1);
	put(type, 2, 1);
	if (*type == 'u') {
		put_u32(number);
		return;
	}
	if (*type == 'g')
		put(&(uint8_t){ strlen(text) }, 1, 1);
	else
		put_u32(strlen(text));
	put(text, strlen(text) + 1, 1);
}

static void begin_message(uint8_t type)
{
	out.length = 0;
	put((uint8_t[]){ 'l', type, 0, 1 }, 4, 1);
	put_u32(0);
	put_u32(1);
	put_u32(0);
	put_field(7, "s", "org.freedesktop.DBus", 0);
}

/* The body is not looked at here: its bytes come after it. */
static void end_header(uint32_t body)
{
	uint32_t fields = out.length - FIXED;

	memcpy(out.bytes + 4, &body, 4);
	memcpy(out.bytes + 12, &fields, 4);
	put("", 0, 8);
}

/* A signal with that many descriptors; its body is their numbers and then that many bytes. */
static void make_signal(uint32_t n_fds, uint32_t size)
{
	begin_message(AFDBUS_SIGNAL);
	put_field(1, "o", "/p", 0);
	put_field(2, "s", "a.B", 0);
	put_field(3, "s", "M", 0);
	put_field(8, "g", "ahay", 0);
	if (n_fds)
		put_field(9, "u", NULL, n_fds);
	end_header(4 + 4 * n_fds + 4 + size);
	put_u32(4 * n_fds);
	for (uint32_t n = 0; n < n_fds; n++)
		put_u32(n);
	put_u32(size);
	memset(out.bytes + out.length, 0, size);
	out.length += size;
}

static void make_reply(uint32_t serial, const char *text, uint32_t number)
{
	begin_message(AFDBUS_RETURN);
	put_field(5, "u", NULL, serial);
	put_field(8, "g", text ? "s" : "u", 0);
	end_header(text ? 4 + strlen(text) + 1 : 4);
	put_u32(text ? strlen(text) : number);
	if (text)
		put(text, strlen(text) + 1, 1);
}

/* Sends bytes with that many descriptors, all of this one file. */
static void send_bytes(int client, const uint8_t *bytes, size_t length, int fd, int n_fds)
{
	union {
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec data = { (void *)bytes, length };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	for (int n = 0; n < n_fds; n++)
		memcpy(CMSG_DATA(&control.header) + n * sizeof(fd), &fd, sizeof(fd));
	if (n_fds) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	while (data.iov_len > 0) {
		ssize_t sent = sendmsg(client, &message, MSG_NOSIGNAL);

		if (sent < 0)
			_exit(1);
		data.iov_base = (char *)data.iov_base + sent;
		data.iov_len -= sent;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
}

static void send_out(int client)
{
	send_bytes(client, out.bytes, out.length, -1, 0);
}

/* One that comes by itself, in one read. Its serial; 0 at the end. */
static uint32_t receive_call(int client)
{
	uint8_t bytes[4096];
	uint32_t serial = 0;

	if (recv(client, bytes, sizeof(bytes), 0) >= FIXED)
		memcpy(&serial, bytes + 8, 4);
	return serial;
}

static int file_of_size(size_t size)
{
	int fd = memfd_create("numbered", 0);

	expect(fd >= 0 && ftruncate(fd, size) == 0);
	return fd;
}

static void log_in(int client)
{
	static const char answer[] = "OK 00\r\nAGREE_UNIX_FD\r\n";
	char byte, last[8] = "";

	/* Until BEGIN and its end. */
	while (strcmp(last, "BEGIN\r\n") != 0) {
		if (recv(client, &byte, 1, 0) != 1)
			_exit(1);
		memmove(last, last + 1, 6);
		last[6] = byte;
	}
	send_bytes(client, (const uint8_t *)answer, sizeof(answer) - 1, -1, 0);
	make_reply(receive_call(client), ":1.1", 0);
	send_out(client);
}

/* The program's side */

static pid_t child;
static char address[100];

static struct sockaddr_un bus_name(socklen_t *length)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	snprintf(address, sizeof(address), "hostile-%d", getpid());
	strcpy(name.sun_path + 1, address);
	*length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address);
	snprintf(address, sizeof(address), "unix:abstract=hostile-%d", getpid());
	return name;
}

static int listen_at(int backlog)
{
	socklen_t length;
	struct sockaddr_un name = bus_name(&length);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	expect(bind(listener, (void *)&name, length) == 0 && listen(listener, backlog) == 0);
	return listener;
}

/* A client of a bus that lets it in and then does this. */
static struct afdbus *join(void (*then)(int client))
{
	int listener = listen_at(8), client;
	struct afdbus_error error;
	struct afdbus *bus;

	child = fork();
	if (child == 0) {
		client = accept(listener, NULL, NULL);
		log_in(client);
		then(client);
		/* It lives until the client has gone. */
		while (receive_call(client) != 0)
			;
		_exit(0);
	}
	close(listener);
	expect(afdbus_connect(&bus, address, &error) == 0);
	return bus;
}

static void leave(struct afdbus *bus)
{
	afdbus_disconnect(bus);
	waitpid(child, NULL, 0);
}

static int open_files(void)
{
	int count = 0;

	for (int fd = 0; fd < 2048; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int all_sent[2];

/*
 * Two messages, each with descriptors of a file whose size is its number. Each is longer than what the library reads at
 * once, so that it reads the end of the first together with the beginning and the descriptors of the second.
 */
static void send_numbered(int client, int n_fds)
{
	for (int number = 1; number <= 2; number++) {
		make_signal(n_fds, 70000);
		send_bytes(client, out.bytes, out.length, file_of_size(number), n_fds);
	}
	expect(write(all_sent[1], "", 1) == 1);
}

static void await_all_sent(void)
{
	char byte;

	expect(read(all_sent[0], &byte, 1) == 1);
}

/* Reads the next message; each of its descriptors must be of the file with this number. How many there are. */
static int receive_numbered(struct afdbus *bus, int number, int *result)
{
	struct afdbus_message *m;
	struct stat file;
	int fd, count = 0;

	*result = afdbus_next(bus, AFDBUS_DEFAULT_TIMEOUT, &m);
	if (*result != 1)
		return 0;
	expect(afdbus_enter(m, 'a') == 0);
	for (; afdbus_read(m, "h", &fd) == 0; count++)
		expect(fstat(fd, &file) == 0 && file.st_size == number);
	afdbus_free(m);
	return count;
}

static void send_most(int client)
{
	send_numbered(client, MAX_FDS);
}

static void many_descriptors(const char *unused)
{
	int result, before = pipe(all_sent) + open_files();
	struct afdbus *bus = join(send_most);

	(void)unused;
	await_all_sent();
	for (int number = 1; number <= 2; number++)
		expect(receive_numbered(bus, number, &result) == MAX_FDS);
	leave(bus);
	expect(open_files() == before);
}

static void send_pairs(int client)
{
	receive_call(client);
	send_numbered(client, 2);
}

/* There is room for one descriptor of the first two. */
static void lost_descriptors(const char *unused)
{
	struct rlimit limit, most;
	int highest, result, before = pipe(all_sent) + open_files();
	struct afdbus *bus = join(send_pairs);
	struct afdbus_message *go = afdbus_new_signal("/p", "a.B", "Go");

	(void)unused;
	highest = dup(0);
	close(highest);
	getrlimit(RLIMIT_NOFILE, &most);
	limit = (struct rlimit){ highest + 1, most.rlim_max };
	expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	expect(afdbus_send(bus, go, AFDBUS_FOREVER) == 0);
	await_all_sent();
	expect(receive_numbered(bus, 1, &result) == 0);
	expect(result == -EMFILE && afdbus_timeout(bus) == 0);
	expect(afdbus_send(bus, go, AFDBUS_FOREVER) == -EMFILE);
	setrlimit(RLIMIT_NOFILE, &most);
	afdbus_free(go);
	leave(bus);
	expect(open_files() == before);
}

/* A reply and half of the next message come at once, and then the other half. */
static void send_one_and_a_half(int client)
{
	static uint8_t first[4096];
	size_t length, half;

	make_reply(receive_call(client), NULL, 1);
	length = out.length;
	memcpy(first, out.bytes, length);
	make_signal(0, 100);
	half = out.length / 2;
	memcpy(first + length, out.bytes, half);
	send_bytes(client, first, length + half, -1, 0);
	receive_call(client);
	send_bytes(client, out.bytes + half, out.length - half, -1, 0);
}

static void in_pieces(const char *unused)
{
	struct afdbus *bus = join(send_one_and_a_half);
	struct afdbus_message *go = afdbus_new_signal("/p", "a.B", "Go"), *m;

	(void)unused;
	expect(afdbus_request_name(bus, "a.b", 0, NULL) == 1);
	expect(afdbus_send(bus, go, AFDBUS_FOREVER) == 0);
	expect(afdbus_next(bus, AFDBUS_DEFAULT_TIMEOUT, &m) == 1 && afdbus_is_signal(m, "a.B", "M"));
	afdbus_free(m);
	afdbus_free(go);
	leave(bus);
}

static void send_flood(int client)
{
	receive_call(client);
	make_signal(0, (1 << 20) - 1024);
	for (int n = 0; n < 80; n++)
		send_out(client);
}

static void flood(const char *unused)
{
	struct afdbus *bus = join(send_flood);
	struct afdbus_message *call = driver_call("GetId"), *m;
	int kept = 0;

	(void)unused;
	expect(afdbus_call(bus, call, AFDBUS_FOREVER, NULL, NULL) == -ENOBUFS);
	for (; kept < 80; kept++) {
		expect(afdbus_next(bus, AFDBUS_DEFAULT_TIMEOUT, &m) == 1 && afdbus_is_signal(m, "a.B", "M"));
		afdbus_free(m);
	}
	afdbus_free(call);
	leave(bus);
}

static void do_nothing(int client)
{
	(void)client;
}

/* sendmsg() in place of the C library's: sends a part, and then fails. */
static int parts;

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct iovec half;
	struct msghdr part = { .msg_iov = &half, .msg_iovlen = 1 };

	if (parts == 0)
		return __real_sendmsg(fd, message, flags);
	if (parts-- == 1) {
		errno = ENOBUFS;
		return -1;
	}
	half = message->msg_iov[0];
	half.iov_len /= 2;
	return __real_sendmsg(fd, &part, flags);
}

static void half_sent(const char *unused)
{
	struct afdbus *bus = join(do_nothing);
	struct afdbus_message *m = afdbus_new_signal("/p", "a.B", "M");

	(void)unused;
	parts = 2;
	expect(afdbus_send(bus, m, AFDBUS_FOREVER) == -ENOBUFS);
	expect(afdbus_send(bus, m, AFDBUS_FOREVER) == -ECONNRESET);
	afdbus_free(m);
	leave(bus);
}

static void close_it(int client)
{
	receive_call(client);
	close(client);
}

static void closed(const char *unused)
{
	struct afdbus *bus = join(close_it);
	struct afdbus_message *call = driver_call("GetId");
	struct afdbus_error error;

	(void)unused;
	expect(afdbus_send(bus, call, AFDBUS_FOREVER) == 0);
	waitpid(child, NULL, 0);
	expect(afdbus_send(bus, call, AFDBUS_FOREVER) == -ECONNRESET);
	expect(afdbus_call(bus, call, AFDBUS_FOREVER, NULL, &error) == -ECONNRESET);
	expect(!strcmp(error.name, "org.freedesktop.DBus.Error.Disconnected"));
	afdbus_free(call);
	afdbus_disconnect(bus);
}

static void answer_large(int client)
{
	make_reply(receive_call(client), NULL, 0x80000001);
	send_out(client);
}

static void large_number(const char *unused)
{
	struct afdbus *bus = join(answer_large);

	(void)unused;
	expect(afdbus_request_name(bus, "a.b", 0, NULL) == -EBADMSG);
	leave(bus);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void answer_late(int client)
{
	uint32_t serial = receive_call(client);

	usleep(200000);
	make_reply(serial, NULL, 1);
	send_out(client);
}

static void interrupted(const char *unused)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	struct afdbus *bus;

	(void)unused;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	bus = join(answer_late);
	expect(afdbus_request_name(bus, "a.b", 0, NULL) == 1);
	leave(bus);
}

/* There is room for two that it does not accept: one waits for an answer, and one of three cannot even connect. */
static void silent(const char *unused)
{
	int listener = listen_at(0), status;

	(void)unused;
	for (int n = 0; n < 3; n++) {
		if (fork() == 0) {
			struct afdbus_error error;
			struct afdbus *bus;

			expect(afdbus_connect(&bus, address, &error) == -ETIMEDOUT && !bus);
			expect(!strcmp(error.name, "org.freedesktop.DBus.Error.NoReply"));
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		expect(status == 0);
	close(listener);
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "lost-descriptors", lost_descriptors },
		{ "many-descriptors", many_descriptors },
		{ "in-pieces", in_pieces },
		{ "flood", flood },
		{ "half-sent", half_sent },
		{ "closed", closed },
		{ "interrupted", interrupted },
		{ "large-number", large_number },
		{ "silent", silent },
		{ NULL, NULL },
	};

	return play(scenarios, argc, argv);
}
