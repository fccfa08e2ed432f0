// SPDX-License-Identifier: GPL-2.0-only
/*
 * docs/dbus.md section 3: what match rules let through. Each row is sent for real, in
 * both byte orders, to a client that has just this rule.
 */
#include "dbus.h"


static const struct {
	const char *name, *rule;
	int matches;
	struct words words;
} rows[] = {
	{ "empty_rule", "", 1, { A_SIGNAL } },
	{ "type", "type='signal'", 1, { A_SIGNAL } },
	{ "type_of_a_call", "type='method_call'", 1, { A_SIGNAL, .type = CALL } },
	{ "type_of_an_error", "type='error'", 1, { .type = ERROR, .error = "a.b", .reply_serial = 1 } },
	{ "type_of_a_return", "type='method_return'", 1, { .type = RETURN, .reply_serial = 1 } },
	{ "another_type", "type='error'", 0, { A_SIGNAL } },
	{ "interface", "interface='org.example.Player'", 1, { A_SIGNAL } },
	{ "another_interface", "interface='org.example.Playe'", 0, { A_SIGNAL } },
	{ "longer_interface", "interface='org.example.Player2'", 0, { A_SIGNAL } },
	{ "no_interface", "interface='org.example.Player'", 0,
		{ .type = CALL, .path = "/", .member = "M" } },
	{ "member", "member='Changed'", 1, { A_SIGNAL } },
	{ "another_member", "member='changed'", 0, { A_SIGNAL } },
	{ "no_member", "member='Changed'", 0, { .type = RETURN, .reply_serial = 1 } },
	{ "path", "path='/org/example/Player'", 1, { A_SIGNAL } },
	{ "path_below", "path='/org/example'", 0, { A_SIGNAL } },
	{ "path_above", "path='/org/example/Player/x'", 0, { A_SIGNAL } },
	{ "no_path", "path='/'", 0, { .type = RETURN, .reply_serial = 1 } },
	{ "namespace_of_a_path", "path_namespace='/org/example'", 1, { A_SIGNAL } },
	{ "namespace_is_the_path", "path_namespace='/org/example/Player'", 1, { A_SIGNAL } },
	{ "namespace_ends_with_an_element", "path_namespace='/org/exa'", 0, { A_SIGNAL } },
	{ "namespace_of_everything", "path_namespace='/'", 1, { A_SIGNAL } },
	{ "root_is_in_the_namespace_of_everything", "path_namespace='/'", 1,
		{ .path = "/", .interface = "a.b", .member = "c" } },
	{ "namespace_without_a_path", "path_namespace='/'", 0, { .type = RETURN, .reply_serial = 1 } },
	{ "destination", "destination='org.example.Other'", 1, { A_SIGNAL, .destination = "org.example.Other" } },
	{ "destination_by_number", "destination=':0.2'", 1, { A_SIGNAL, .destination = ":0.2" } },
	{ "another_destination", "destination='org.example.Other'", 0, { A_SIGNAL, .destination = ":0.2" } },
	{ "no_destination", "destination='org.example.Other'", 0, { A_SIGNAL } },
	{ "all_keys", "type='signal',interface='org.example.Player',member='Changed',path='/org/example/Player',arg0='x',arg1path='/y/'",
		1, { A_SIGNAL, .args = { "x", "/y/z" } } },
	{ "all_keys_but_one", "type='signal',interface='org.example.Player',member='Changed',path='/org/example/Player',arg0='x',arg1path='/y/'",
		0, { A_SIGNAL, .args = { "x", "/z/y" } } },
	{ "eavesdrop_makes_no_difference", "eavesdrop='true',member='Changed'", 1, { A_SIGNAL } },

	{ "arg0", "arg0='x'", 1, { A_SIGNAL, .args = { "x" } } },
	{ "arg0_differs", "arg0='x'", 0, { A_SIGNAL, .args = { "y" } } },
	{ "arg0_is_longer", "arg0='x'", 0, { A_SIGNAL, .args = { "xx" } } },
	{ "arg0_is_not_there", "arg0='x'", 0, { A_SIGNAL } },
	{ "arg0_is_empty", "arg0=''", 1, { A_SIGNAL, .args = { "" } } },
	{ "arg0_is_not_empty", "arg0=''", 0, { A_SIGNAL, .args = { "x" } } },
	{ "arg0_is_no_string", "arg0='/x'", 0, { A_SIGNAL, .signature = "o", .args = { "/x" } } },
	{ "arg0_is_a_number", "arg0='1'", 0, { A_SIGNAL, .signature = "u", .args = { "1" } } },
	{ "arg0_is_a_signature", "arg0='s'", 0, { A_SIGNAL, .signature = "g", .args = { "s" } } },
	{ "arg2_behind_others", "arg2='c'", 1, { A_SIGNAL, .signature = "yus", .args = { "1", "2", "c" } } },
	{ "arg1_is_not_arg11", "arg1='11'", 0, { A_SIGNAL, .args = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" } } },
	{ "arg11", "arg11='11'", 1, { A_SIGNAL, .args = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" } } },
	{ "arg12_is_not_there", "arg12=''", 0, { A_SIGNAL, .args = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" } } },
	{ "args_in_any_order", "arg1='b',arg0='a'", 1, { A_SIGNAL, .args = { "a", "b" } } },
	{ "one_of_two_args_differs", "arg1='b',arg0='a'", 0, { A_SIGNAL, .args = { "a", "c" } } },
	{ "quotes_and_commas", "arg0='a,b'\\'c", 1, { A_SIGNAL, .args = { "a,b'c" } } },

	{ "arg0path_equal", "arg0path='/aa/bb'", 1, { A_SIGNAL, .args = { "/aa/bb" } } },
	{ "arg0path_rule_is_a_folder_of_it", "arg0path='/aa/bb/'", 1, { A_SIGNAL, .args = { "/aa/bb/cc" } } },
	{ "arg0path_it_is_a_folder_of_the_rule", "arg0path='/aa/bb/'", 1, { A_SIGNAL, .args = { "/" } } },
	{ "arg0path_it_is_a_nearer_folder_of_the_rule", "arg0path='/aa/bb/'", 1, { A_SIGNAL, .args = { "/aa/" } } },
	{ "arg0path_equal_folders", "arg0path='/aa/bb/'", 1, { A_SIGNAL, .args = { "/aa/bb/" } } },
	{ "arg0path_is_no_folder", "arg0path='/aa/bb/'", 0, { A_SIGNAL, .args = { "/aa/b" } } },
	{ "arg0path_folder_without_its_slash", "arg0path='/aa/bb/'", 0, { A_SIGNAL, .args = { "/aa/bb" } } },
	{ "arg0path_rule_without_a_slash", "arg0path='/aa/bb'", 0, { A_SIGNAL, .args = { "/aa/bb/cc" } } },
	{ "arg0path_of_an_object", "arg0path='/aa/'", 1, { A_SIGNAL, .signature = "o", .args = { "/aa/bb" } } },
	{ "arg0path_of_a_number", "arg0path='/aa/'", 0, { A_SIGNAL, .signature = "u", .args = { "1" } } },
	{ "arg0path_of_an_empty_string", "arg0path='/aa/'", 0, { A_SIGNAL, .args = { "" } } },
	{ "empty_arg0path", "arg0path=''", 0, { A_SIGNAL, .args = { "/" } } },
	{ "arg3path", "arg3path='/d/'", 1, { A_SIGNAL, .args = { "a", "b", "c", "/d/e" } } },

	{ "arg0namespace_equal", "arg0namespace='org.example'", 1, { A_SIGNAL, .args = { "org.example" } } },
	{ "arg0namespace_above", "arg0namespace='org.example'", 1, { A_SIGNAL, .args = { "org.example.Player" } } },
	{ "arg0namespace_of_one_element", "arg0namespace='org'", 1, { A_SIGNAL, .args = { "org.example" } } },
	{ "arg0namespace_ends_with_an_element", "arg0namespace='org.exam'", 0, { A_SIGNAL, .args = { "org.example" } } },
	{ "arg0namespace_below", "arg0namespace='org.example'", 0, { A_SIGNAL, .args = { "org" } } },
	{ "arg0namespace_of_an_object", "arg0namespace='org'", 0, { A_SIGNAL, .signature = "o", .args = { "/org" } } },
};

TEST_EACH(rule_lets_through_what_it_says, rows)
{
	for (int big = 0; big < 2; big++) {
		struct bus bus = open_bus(big ? "@big" : "@little");
		struct client a = join(&bus), b = join(&bus);
		struct words words = row->words;
		struct message m;

		words.big = big;
		OK(add_rule(big ? "@big" : "@little", b.id, row->rule));
		OK(signal_all(a.fd, &words));
		EQ(row->matches, take(b.fd, &m) > 0);
		GETS_NOTHING(b.fd);
		GETS_NOTHING(a.fd);
		/* With it removed nothing does. */
		OK(remove_rule(big ? "@big" : "@little", b.id, row->rule));
		OK(signal_all(a.fd, &words));
		GETS_NOTHING(b.fd);
	}
}
