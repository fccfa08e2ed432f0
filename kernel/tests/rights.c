// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: who may change rules; and the connector of 2012.
 */
#include "dbus.h"
#include <linux/capability.h>
#include <linux/connector.h>

static int drop_capability(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << capability);
	data[0].permitted &= ~(1U << capability);
	return syscall(SYS_capset, &header, data);
}

static void become(uid_t uid)
{
	OK(setresuid(uid, uid, uid));
}

static void check_refused(uint64_t id)
{
	struct dumped d;

	REFUSED(EPERM, add_rule("@bus", id, "member='a'"));
	REFUSED(EPERM, remove_rule("@bus", id, "type='signal'"));
	REFUSED(EPERM, remove_rules("@bus", id));
	REFUSED(EPERM, set_name("@bus", id, "org.example.A"));
	REFUSED(EPERM, unset_name("@bus", "org.example.B"));
	REFUSED_DUMP(EPERM, dump(&d, "@bus", 0));
}

TEST(another_user_may_not)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(add_rule("@bus", a.id, "type='signal'"));
	OK(set_name("@bus", a.id, "org.example.B"));
	APART({
		become(1000);
		check_refused(a.id);
	});
	CHECK(has_rules("@bus", 0, 1));
}

/* Its uid counts, even if it is root of a user namespace that it has made. */
TEST(root_of_its_own_user_namespace_may_not)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(add_rule("@bus", a.id, "type='signal'"));
	OK(set_name("@bus", a.id, "org.example.B"));
	APART({
		become(1000);
		if (unshare(CLONE_NEWUSER))
			SKIP("no user namespaces");
		check_refused(a.id);
	});
}

TEST(owner_of_the_bus_may)
{
	APART({
		struct bus bus;
		struct client a;

		become(1000);
		bus = open_bus("@bus");
		a = join(&bus);
		OK(add_rule("@bus", a.id, ""));
		OK(set_name("@bus", a.id, "org.example.A"));
		CHECK(has_rules("@bus", 0, 1));
	});
}

TEST(owner_is_who_called_listen_last)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(drop_capability(CAP_NET_ADMIN));
	OK(add_rule("@bus", a.id, ""));
	APART({
		become(1000);
		REFUSED(EPERM, add_rule("@bus", a.id, ""));
		OK(listen(bus.fd, 5));
		OK(add_rule("@bus", a.id, ""));
	});
	REFUSED(EPERM, add_rule("@bus", a.id, ""));
	OK(listen(bus.fd, 5));
	OK(add_rule("@bus", a.id, ""));
}

/* Not the owner, with the capability, and then without it. */
TEST(who_administers_the_network_namespace_may)
{
	struct bus bus;
	struct client a;

	OK(seteuid(1000));
	bus = open_bus("@bus");
	OK(seteuid(0));
	a = join(&bus);
	OK(add_rule("@bus", a.id, ""));
	OK(drop_capability(CAP_NET_ADMIN));
	REFUSED(EPERM, add_rule("@bus", a.id, ""));
}

/*
 * A privileged program that writes another's bytes into the socket that it was given asks with the
 * rights of the process that opened the socket. What it sends to the kernel by its own choice has
 * its own rights.
 */
TEST(privileged_writer_is_no_deputy)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	struct request r;
	int fd;

	use_netlink();
	OK(seteuid(1000));
	fd = netlink(NETLINK_GENERIC);
	OK(connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)));
	OK(seteuid(0));
	begin_ask(&r, NFDBUS_CMD_ADD, "@bus");
	add_attr(&r, NFDBUS_ATTR_ADDRESS, &a.id, sizeof(a.id));
	add_attr(&r, NFDBUS_ATTR_RULE, "", 1);
	EQ(r.nl.nlmsg_len, OK(write(fd, &r, r.nl.nlmsg_len)));
	REFUSED(EPERM, await_ack(fd));
	OK(send_request(fd, &r));
	OK(await_ack(fd));
	/* And not the other way round either. */
	fd = netlink(NETLINK_GENERIC);
	OK(seteuid(1000));
	OK(send_request(fd, &r));
	REFUSED(EPERM, await_ack(fd));
}

/* A client that may not write to the file may not use the bus there. */
/* The bus's owner decides who may ask, and not the mode of its inode. */
TEST(path_is_looked_up_as_the_caller_sees_it)
{
	struct bus bus = open_bus("bus");
	struct client a = join(&bus);

	OK(mkdir("closed", 0700));
	OK(symlink("../bus", "closed/link"));
	OK(add_rule("closed/link", a.id, ""));
	APART({
		become(1000);
		CHECK(add_rule("closed/link", a.id, "") < 0);
		/*
		 * Linux 6.12 looks once more, without RCU, before it says that a folder is closed
		 * to the caller.
		 */
		CHECK(errno == EACCES || errno == EAGAIN);
		REFUSED(EPERM, add_rule("bus", a.id, ""));
	});
}

/* The connector, which exists in the first network namespace only. */

struct cn_packet {
	struct nlmsghdr nl;
	struct cn_msg cn;
	struct nfdbus_cn_request q;
	char rule[NFDBUS_RULE_MAX + 64];
} __attribute__((packed));

static int open_connector(void)
{
	int init = OK(open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC)), fd;

	OK(setns(init, CLONE_NEWNET));
	close(init);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	if (fd < 0 && errno == EPROTONOSUPPORT)
		SKIP("this kernel has no connector");
	return OK(fd);
}

static struct cn_packet cn_request(int cmd, const char *path, uint64_t addr, const char *rule)
{
	struct cn_packet p = {
		.nl.nlmsg_type = NLMSG_DONE,
		.cn = { .id = { NFDBUS_CN_IDX, NFDBUS_CN_VAL }, .seq = 5, .ack = 7 },
		.q = { .cmd = cmd, .len = strlen(rule), .addr = bus_name(path, addr) },
	};

	strcpy(p.rule, rule);
	p.cn.len = sizeof(p.q) + p.q.len;
	return p;
}

/* Return: what the answer says, an errno or 0. */
static int cn_ask(int fd, struct cn_packet *p)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr nl;
		struct cn_msg cn;
		struct nfdbus_cn_reply reply;
		char more[64];
	} answer;
	struct timeval wait = { 5, 0 };

	OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)));
	p->nl.nlmsg_len = NLMSG_LENGTH(sizeof(p->cn) + p->cn.len);
	OK(sendto(fd, p, p->nl.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)));
	EQ(NLMSG_LENGTH(sizeof(answer.cn) + sizeof(answer.reply)),
	   OK(recv(fd, &answer, sizeof(answer), 0)));
	EQ(NLMSG_DONE, answer.nl.nlmsg_type);
	EQ(NFDBUS_CN_IDX, answer.cn.id.idx);
	EQ(NFDBUS_CN_VAL, answer.cn.id.val);
	EQ(p->cn.seq, answer.cn.seq);
	EQ(p->cn.ack + 1, answer.cn.ack);
	EQ(sizeof(answer.reply), answer.cn.len);
	return answer.reply.ret_code;
}

static int cn_do(int fd, int cmd, const char *path, uint64_t addr, const char *rule)
{
	struct cn_packet p = cn_request(cmd, path, addr, rule);

	return cn_ask(fd, &p);
}

TEST(connector_adds_and_removes)
{
	int fd = open_connector();
	struct bus bus = open_bus("@cn-rules");
	struct client a = join(&bus), b = join(&bus);

	EQ(0, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", b.id, "type='signal',member='Changed'"));
	OK(signal_all(a.fd, &a_signal));
	EQ(1, drain(b.fd));
	EQ(0, cn_do(fd, NFDBUS_CN_REMOVEMATCH, "@cn-rules", b.id, "member='Changed',type='signal'"));
	OK(signal_all(a.fd, &a_signal));
	GETS_NOTHING(b.fd);
	EQ(0, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", b.id, "type='signal'"));
	EQ(0, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", b.id, "member='Changed'"));
	EQ(0, cn_do(fd, NFDBUS_CN_REMOVEALLMATCH, "@cn-rules", b.id, ""));
	CHECK(has_rules("@cn-rules", 0, 0));
}

TEST(connector_refuses_with_an_errno)
{
	int fd = open_connector();
	struct bus bus = open_bus("@cn-rules");
	struct client a = join(&bus);

	EQ(EINVAL, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", a.id, "nonsense"));
	EQ(EINVAL, cn_do(fd, NFDBUS_CN_REMOVEMATCH, "@cn-rules", a.id, "nonsense"));
	EQ(ENOENT, cn_do(fd, NFDBUS_CN_REMOVEMATCH, "@cn-rules", a.id, "type='signal'"));
	EQ(EADDRNOTAVAIL, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", 99, ""));
	EQ(ECONNREFUSED, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-other", a.id, ""));
	EQ(EINVAL, cn_do(fd, NFDBUS_CN_ADDMATCH, NULL, a.id, ""));
	EQ(EOPNOTSUPP, cn_do(fd, 0, "@cn-rules", a.id, ""));
	EQ(EOPNOTSUPP, cn_do(fd, 4, "@cn-rules", a.id, ""));
	CHECK(has_rules("@cn-rules", 0, 0));
}

TEST(connector_checks_lengths_before_it_reads)
{
	int fd = open_connector();
	struct bus bus = open_bus("@cn-rules");
	struct client a = join(&bus);
	struct cn_packet p = cn_request(NFDBUS_CN_ADDMATCH, "@cn-rules", a.id, "type='signal'");

	for (int len = 0; len < (int)sizeof(p.q); len++) {
		p.cn.len = len;
		EQ(EINVAL, cn_ask(fd, &p));
	}
	p.cn.len = sizeof(p.q) + 13;
	p.q.len = 14;
	EQ(EINVAL, cn_ask(fd, &p));
	p.q.len = 0xffffffff;
	EQ(EINVAL, cn_ask(fd, &p));
	p.q.len = 0x80000000;
	EQ(EINVAL, cn_ask(fd, &p));
	/* Bytes after the rule are no part of it, and neither is one NUL at its end. */
	p.q.len = 13;
	p.cn.len = sizeof(p.q) + 20;
	EQ(0, cn_ask(fd, &p));
	p.q.len = 14;
	EQ(0, cn_ask(fd, &p));
	p.q.len = 15;
	EQ(EINVAL, cn_ask(fd, &p));
	CHECK(has_rules("@cn-rules", 0, 2));
	memset(p.rule, 'x', sizeof(p.rule));
	memcpy(p.rule, "arg0=", 5);
	p.q.len = NFDBUS_RULE_MAX + 1;
	p.cn.len = sizeof(p.q) + p.q.len;
	EQ(EINVAL, cn_ask(fd, &p));
	p.q.len--;
	EQ(0, cn_ask(fd, &p));
}

TEST(connector_asks_who_it_is)
{
	int fd = open_connector();
	struct bus bus = open_bus("@cn-rules");
	struct client a = join(&bus);

	EQ(0, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", a.id, "type='signal'"));
	APART({
		become(1000);
		fd = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_CONNECTOR));
		EQ(EPERM, cn_do(fd, NFDBUS_CN_ADDMATCH, "@cn-rules", a.id, "type='signal'"));
		EQ(EPERM, cn_do(fd, NFDBUS_CN_REMOVEALLMATCH, "@cn-rules", a.id, ""));
	});
	CHECK(has_rules("@cn-rules", 0, 1));
}

/* Requests under way keep the module loaded until they have returned. */
TEST_LONG(connector_may_go_under_requests, 60)
{
	int fd = open_connector();
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	pid_t child = OK(fork());

	if (!child) {
		struct cn_packet p = cn_request(NFDBUS_CN_ADDMATCH, "@cn-none", 1, "type='signal'");

		p.nl.nlmsg_len = NLMSG_LENGTH(sizeof(p.cn) + p.cn.len);
		for (;;)
			sendto(fd, &p, p.nl.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	}
	for (int i = 0; i < 5; i++) {
		EVENTUALLY(!syscall(SYS_delete_module, "nfdbus", O_NONBLOCK));
		use_netlink();
		close(nl_fd);
		nl_fd = -1;
	}
	kill(child, SIGKILL);
}
