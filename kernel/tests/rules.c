// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: how rules and names come and go by generic netlink, and with what they
 * end.
 */
#include "dbus.h"

/* What a rule may look like. */

static const struct {
	const char *name, *rule, *why, *place;
} reasons[] = {
	{ "key", "typ='signal'", "no such key", "byte 0" },
	{ "value", "member='a',type='signals'", "not a message type", "byte 16" },
	{ "apostrophe", "member='a',arg0='x", "apostrophe", "byte 16" },
	{ "twice", "arg0=a,arg0=b", "repeats", "byte 7" },
	{ "equals", "type", "key without a value", "byte 0" },
};

TEST_EACH(refusal_says_what_is_wrong_and_where, reasons)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	FAILS(EINVAL, add_rule("@bus", c.id, row->rule));
	CHECK(strstr(said, row->why));
	/* Linux 6.1 does not tell at which byte. */
	if (strstr(said, "byte"))
		CHECK(strstr(said, row->place));
	FAILS(EINVAL, remove_rule("@bus", c.id, row->rule));
	CHECK(strstr(said, row->why));
}

TEST(rule_has_1024_bytes_at_most)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	char rule[NFDBUS_RULE_MAX + 2];

	memset(rule, 'x', sizeof(rule));
	memcpy(rule, "arg0=", 5);
	rule[NFDBUS_RULE_MAX] = '\0';
	OK(add_rule("@bus", c.id, rule));
	OK(remove_rule("@bus", c.id, rule));
	rule[NFDBUS_RULE_MAX] = 'x';
	rule[NFDBUS_RULE_MAX + 1] = '\0';
	REFUSED(EINVAL, add_rule("@bus", c.id, rule));
}

TEST(rule_is_removed_by_what_it_says)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	OK(add_rule("@bus", c.id, "type='signal',member='a',eavesdrop=false"));
	REFUSED(ENOENT, remove_rule("@bus", c.id, "type='signal'"));
	REFUSED(ENOENT, remove_rule("@bus", c.id, "type='signal',member='b'"));
	REFUSED(ENOENT, remove_rule("@bus", c.id, "type='signal',member='a',eavesdrop=true"));
	OK(remove_rule("@bus", c.id, " member =a,type=sig'nal',"));
	REFUSED(ENOENT, remove_rule("@bus", c.id, "type='signal',member='a'"));
}

TEST(same_rule_counts_as_often_as_it_is_added)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	for (int i = 0; i < 3; i++)
		OK(add_rule("@bus", c.id, "type='signal'"));
	for (int i = 3; i > 0; i--) {
		CHECK(has_rules("@bus", c.id, i));
		OK(remove_rule("@bus", c.id, "type='signal'"));
	}
	REFUSED(ENOENT, remove_rule("@bus", c.id, "type='signal'"));
}

TEST(remove_all_takes_one_clients_rules)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(add_rule("@bus", a.id, "type='signal'"));
	OK(add_rule("@bus", a.id, "member='a'"));
	OK(add_rule("@bus", b.id, "member='a'"));
	OK(remove_rules("@bus", a.id));
	CHECK(has_rules("@bus", 0, 1));
	OK(remove_rules("@bus", a.id));
}

TEST(client_has_only_so_many_rules)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);
	long limit = file_number("/sys/module/nfdbus/parameters/max_rules");
	char rule[64];

	EQ(512, limit);
	for (int i = 0; i < limit; i++) {
		snprintf(rule, sizeof(rule), "member='m%d'", i % 100);
		OK(add_rule("@bus", a.id, rule));
	}
	REFUSED(ENOSPC, add_rule("@bus", a.id, "type='signal'"));
	OK(add_rule("@bus", b.id, "type='signal'"));
	OK(remove_rule("@bus", a.id, "member='m7'"));
	OK(add_rule("@bus", a.id, "type='signal'"));
	REFUSED(ENOSPC, add_rule("@bus", a.id, "type='signal'"));
	CHECK(has_rules("@bus", 0, limit + 1));
}

TEST(client_owns_only_so_many_names)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);
	char name[64];

	for (int i = 0; i < 512; i++) {
		snprintf(name, sizeof(name), "org.example.N%d", i);
		OK(set_name("@bus", a.id, name));
	}
	REFUSED(ENOSPC, set_name("@bus", a.id, "org.example.Last"));
	OK(set_name("@bus", a.id, "org.example.N0"));
	OK(unset_name("@bus", "org.example.N0"));
	OK(set_name("@bus", a.id, "org.example.Last"));
}

static const char *const no_names[] = {
	"", "org", ":0.1", "org..example", "org.freedesktop.DBus", ".org", "org.4x", "org.a b",
};

TEST(names_are_checked)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);

	for (size_t i = 0; i < ARRAY_SIZE(no_names); i++) {
		REFUSED(EINVAL, set_name("@bus", c.id, no_names[i]));
		REFUSED(EINVAL, unset_name("@bus", no_names[i]));
	}
	REFUSED(ENOENT, unset_name("@bus", "org.example.Player"));
	OK(add_rule("@bus", c.id, "sender='org.example.Player'"));
	REFUSED(ENOENT, unset_name("@bus", "org.example.Player"));
	OK(set_name("@bus", c.id, "org.example.Player"));
	OK(unset_name("@bus", "org.example.Player"));
	REFUSED(ENOENT, unset_name("@bus", "org.example.Player"));
}

/* Requests. */

static const struct {
	const char *name;
	int attr, len, err;
} malformed[] = {
	{ "no_path", NFDBUS_ATTR_PATH, -1, EINVAL },
	{ "empty_path", NFDBUS_ATTR_PATH, 0, ERANGE },
	{ "nul_for_a_path", NFDBUS_ATTR_PATH, 1, EINVAL },
	{ "long_path", NFDBUS_ATTR_PATH, BUS_PATH_MAX + 1, ERANGE },
	{ "no_address", NFDBUS_ATTR_ADDRESS, -1, EINVAL },
	{ "short_address", NFDBUS_ATTR_ADDRESS, 4, EINVAL },
	{ "long_address", NFDBUS_ATTR_ADDRESS, 12, EINVAL },
	{ "no_rule", NFDBUS_ATTR_RULE, -1, EINVAL },
	{ "empty_rule_without_its_nul", NFDBUS_ATTR_RULE, 0, EINVAL },
	{ "unknown_attribute", NFDBUS_ATTR_MAX + 1, 4, EINVAL },
};

TEST_EACH(malformed_request_is_refused, malformed)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	char zeros[256] = "";
	struct request r;

	use_netlink();
	begin_request(&r, nl_type, NFDBUS_CMD_ADD, NLM_F_ACK);
	if (row->attr != NFDBUS_ATTR_PATH)
		add_attr(&r, NFDBUS_ATTR_PATH, "\0bus", 4);
	if (row->attr != NFDBUS_ATTR_ADDRESS)
		add_attr(&r, NFDBUS_ATTR_ADDRESS, &c.id, sizeof(c.id));
	if (row->attr != NFDBUS_ATTR_RULE)
		add_attr(&r, NFDBUS_ATTR_RULE, "", 1);
	if (row->len >= 0)
		add_attr(&r, row->attr, zeros, row->len);
	FAILS(row->err, ask(&r));
	CHECK(has_rules("@bus", 0, 0));
}

TEST(rule_that_is_not_terminated_is_refused)
{
	struct bus bus = open_bus("@bus");
	struct client c = join(&bus);
	struct request r;

	begin_ask(&r, NFDBUS_CMD_ADD, "@bus");
	add_attr(&r, NFDBUS_ATTR_ADDRESS, &c.id, sizeof(c.id));
	add_attr(&r, NFDBUS_ATTR_RULE, "type='signal'", 13);
	FAILS(EINVAL, ask(&r));
}

TEST(what_is_not_there_is_refused)
{
	struct bus bus = open_bus("@bus");
	struct client c = join_at(&bus, ADDRESS(2, 1));
	int none = OK(socket(family(), SOCK_SEQPACKET, BUS_PROTO_NONE));

	REFUSED(ECONNREFUSED, add_rule("@other", c.id, ""));
	REFUSED(ENOENT, add_rule("other", c.id, ""));
	REFUSED(EADDRNOTAVAIL, add_rule("@bus", MASTER, ""));
	REFUSED(EADDRNOTAVAIL, add_rule("@bus", c.id + 1, ""));
	REFUSED(EADDRNOTAVAIL, add_rule("@bus", GROUP(2), ""));
	REFUSED(EADDRNOTAVAIL, set_name("@bus", 99, "org.example.Player"));
	/* A bus of another protocol. */
	OK(bind_to(none, "@none"));
	OK(listen(none, 1));
	REFUSED(ECONNREFUSED, add_rule("@none", 1, ""));
	/* Any address that the client holds will do. */
	OK(add_rule("@bus", ADDRESS(2, 1), "member='a'"));
	CHECK(has_rules("@bus", c.id, 1));
}

TEST(dump_shows_all_rules_and_names)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b = join(&bus);
	struct dumped d;

	OK(add_rule("@bus", a.id, " type ='signal'"));
	OK(add_rule("@bus", b.id, "member='b'"));
	OK(set_name("@bus", b.id, "org.example.B"));
	OK(add_rule("@bus", b.id, "sender='org.example.Nobody'"));
	OK(dump(&d, "@bus", 0));
	EQ(3, d.rules);
	EQ(1, d.names);
	EQ(a.id, d.one[0].addr);
	EQ(0, strcmp(d.one[0].text, " type ='signal'"));
	EQ(b.id, d.one[1].addr);
	EQ(0, strcmp(d.one[1].text, "member='b'"));
	EQ(b.id, d.one[3].addr);
	EQ(1, d.one[3].is_name);
	EQ(0, strcmp(d.one[3].text, "org.example.B"));
	OK(dump(&d, "@bus", ADDRESS(2, 1)));
	EQ(1, d.rules);
	EQ(0, d.names);
	EQ(0, strcmp(d.one[0].text, " type ='signal'"));
	REFUSED_DUMP(EADDRNOTAVAIL, dump(&d, "@bus", 99));
	REFUSED_DUMP(ECONNREFUSED, dump(&d, "@other", 0));
}

TEST(dump_of_many_rules_has_each_once)
{
	struct bus bus = open_bus("@bus");
	static struct client clients[8];
	static struct dumped d;
	char rule[1024];
	struct request r;

	memset(rule, 'x', sizeof(rule));
	memcpy(rule, "arg0=", 5);
	rule[900] = '\0';
	for (int i = 0; i < 8; i++) {
		clients[i] = join(&bus);
		for (int j = 0; j < 64; j++)
			OK(add_rule("@bus", clients[i].id, rule));
	}
	OK(dump(&d, "@bus", 0));
	EQ(512, d.rules);
	EQ(0, d.interrupted);
	OK(dump(&d, "@bus", clients[5].id));
	EQ(64, d.rules);
	/* A dump that is not read to its end is given up. */
	begin_request(&r, nl_type, NFDBUS_CMD_GET, NLM_F_DUMP);
	add_bus(&r, "@bus");
	OK(send_request(nl_fd, &r));
	close(nl_fd);
	nl_fd = -1;
	close(clients[0].fd);
	EVENTUALLY(has_rules("@bus", 0, 448));
}

/* Lives. */

TEST(rules_and_names_end_with_their_client)
{
	struct bus bus = open_bus("@bus");
	struct client a = join_at(&bus, ADDRESS(2, 1)), b, c = join(&bus);
	struct dumped d;

	OK(add_rule("@bus", a.id, ""));
	OK(set_name("@bus", a.id, "org.example.A"));
	close_client(&a);
	EVENTUALLY(!dump(&d, "@bus", 0) && !d.rules && !d.names);
	REFUSED(EADDRNOTAVAIL, add_rule("@bus", a.id, ""));
	/* A client that gets its address later inherits nothing. */
	b = join_at(&bus, ADDRESS(2, 1));
	OK(signal_all(c.fd, &a_signal));
	GETS_NOTHING(b.fd);
}

static void leave_by_close(struct client *c) { close(c->fd); }
static void leave_by_shutdown(struct client *c) { OK(shutdown(c->fd, SHUT_RDWR)); }
static void leave_by_expulsion(struct client *c) { OK(shutdown(c->accepted, SHUT_RDWR)); }

static const struct {
	const char *name;
	void (*leave)(struct client *c);
} partings[] = {
	{ "close", leave_by_close },
	{ "shutdown", leave_by_shutdown },
	{ "expulsion", leave_by_expulsion },
};

TEST_EACH(rules_end_however_a_client_leaves, partings)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus);

	OK(add_rule("@bus", a.id, ""));
	row->leave(&a);
	REFUSED(EADDRNOTAVAIL, add_rule("@bus", a.id, ""));
	EVENTUALLY(has_rules("@bus", 0, 0));
}

TEST(client_not_joined_may_have_rules)
{
	struct bus bus = open_bus("@bus");
	struct client a = attach(&bus), b = join(&bus);

	OK(add_rule("@bus", a.id, ""));
	OK(signal_all(b.fd, &a_signal));
	GETS_NOTHING(a.fd);
	OK(let_join(a.accepted));
	OK(signal_all(b.fd, &a_signal));
	EQ(1, drain(a.fd));
}

/* The bus goes on with the rules in force, and nobody can change them. */
TEST(rules_stay_when_the_listening_socket_closes)
{
	struct bus bus = open_bus("@bus"), again;
	struct client a = join(&bus), b = join(&bus), c;

	OK(add_rule("@bus", b.id, "type='signal'"));
	close(bus.fd);
	REFUSED(ECONNREFUSED, add_rule("@bus", a.id, ""));
	OK(signal_all(a.fd, &a_signal));
	EQ(1, drain(b.fd));
	/* A new bus at the path shares nothing with it. */
	again = open_bus("@bus");
	c = join(&again);
	EQ(a.id, c.id);
	CHECK(has_rules("@bus", 0, 0));
	OK(add_rule("@bus", c.id, "type='error'"));
	OK(signal_all(a.fd, &a_signal));
	GETS_NOTHING(a.fd);
	EQ(1, drain(b.fd));
	OK(signal_all(c.fd, &a_signal));
	GETS_NOTHING(b.fd);
}

TEST(buses_share_no_rules)
{
	static const char *const paths[] = { "@bus", "@buz", "bus", "./buz" };
	struct bus buses[4];
	struct client a[4], b[4];

	for (int i = 0; i < 4; i++) {
		buses[i] = open_bus(paths[i]);
		a[i] = join(&buses[i]);
		b[i] = join(&buses[i]);
		EQ(2, b[i].id);
	}
	for (int i = 0; i < 4; i++) {
		OK(add_rule(paths[i], 2, "type='signal'"));
		for (int j = 0; j < 4; j++) {
			OK(signal_all(a[j].fd, &a_signal));
			EQ(i == j, drain(b[j].fd));
		}
		OK(remove_rules(paths[i], 2));
	}
	/* The file of a bus, by different paths that lead to it. */
	OK(symlink("bus", "link"));
	OK(add_rule("/mnt/link", 2, "type='signal'"));
	CHECK(has_rules("bus", 0, 1));
}

TEST(network_namespaces_share_no_rules)
{
	struct bus bus = open_bus("@bus"), file = open_bus("bus");
	struct client a = join(&bus), b = join(&bus), c = join(&file);

	APART({
		struct bus there;

		OK(unshare(CLONE_NEWNET));
		REFUSED(ECONNREFUSED, add_rule("@bus", b.id, ""));
		REFUSED(ECONNREFUSED, add_rule("bus", c.id, ""));
		there = open_bus("@bus");
		join(&there);
		join(&there);
		OK(add_rule("@bus", b.id, "type='signal'"));
		CHECK(has_rules("@bus", 0, 1));
	});
	CHECK(has_rules("@bus", 0, 0));
	OK(signal_all(a.fd, &a_signal));
	GETS_NOTHING(b.fd);
}

TEST(module_stays_while_there_are_sockets)
{
	int fd = bus_socket();

	FAILS(EWOULDBLOCK, (int)syscall(SYS_delete_module, "nfdbus", O_NONBLOCK));
	close(fd);
}

TEST(asking_for_the_family_loads_the_module)
{
	EVENTUALLY(!syscall(SYS_delete_module, "nfdbus", O_NONBLOCK));
	use_netlink();
	CHECK(!access("/sys/module/nfdbus", F_OK));
	EVENTUALLY(!syscall(SYS_delete_module, "nfdbus", O_NONBLOCK));
	bus_socket();
	CHECK(!access("/sys/module/nfdbus", F_OK));
}
