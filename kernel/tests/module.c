// SPDX-License-Identifier: GPL-2.0-only
/* Contract sections 2 and 5: loading, the family number, unloading. */
#include "bus.h"
#include <sys/klog.h>
#include <sys/utsname.h>

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK);
}

static int loaded(void)
{
	return !access("/sys/module/af_bus", F_OK);
}

static void unload_all(void)
{
	if (!access("/sys/module/nfdbus", F_OK))
		OK(unload("nfdbus"));
	EVENTUALLY(module_users() == 0);
	OK(unload("af_bus"));
	CHECK(!loaded());
}

static int load(const char *parameters)
{
	char path[256];
	struct utsname machine;
	int fd, result, err;

	OK(uname(&machine));
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/af_bus.ko", machine.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no %s", path);
	result = syscall(SYS_finit_module, fd, parameters, 0);
	err = errno;
	close(fd);
	errno = err;
	return result;
}

/* What modinfo shows is a string of the file: "name=value". */
static int file_says(const char *path, const char *text)
{
	int fd = OK(open(path, O_RDONLY | O_CLOEXEC)), found;
	struct stat st;
	char *bytes;

	OK(fstat(fd, &st));
	bytes = malloc(st.st_size);
	EQ(st.st_size, OK(read(fd, bytes, st.st_size)));
	found = !!memmem(bytes, st.st_size, text, strlen(text));
	free(bytes);
	close(fd);
	return found;
}

static int kernel_said(const char *text)
{
	static char log[1 << 20];
	int n = klogctl(3, log, sizeof(log) - 1);

	CHECK(n > 0);
	log[n] = '\0';
	return !!strstr(log, text);
}

static const struct {
	const char *name, *text;
} info[] = {
	{ "family_is_described", "parm=family:number of the address family" },
	{ "family_is_a_number", "parmtype=family:int" },
	{ "alias_of_the_default_family", "alias=net-pf-19" },
	{ "license", "license=GPL" },
	{ "description", "description=AF_BUS" },
};

TEST_EACH(modinfo_has, info)
{
	char path[256];
	struct utsname machine;

	OK(uname(&machine));
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/af_bus.ko", machine.release);
	if (access(path, R_OK))
		SKIP("no %s", path);
	CHECK(file_says(path, row->text));
}

TEST(default_family_is_19)
{
	EQ(19, family());
}

TEST(unload_is_refused_while_sockets_exist)
{
	int fd = bus_socket();

	if (!access("/sys/module/nfdbus", F_OK))
		OK(unload("nfdbus"));
	FAILS(EWOULDBLOCK, unload("af_bus"));
	close(fd);
	OK(load("") < 0 && errno == EEXIST ? 0 : -1);
}

TEST(unload_and_load_again_work)
{
	unload_all();
	OK(load(""));
	bus_socket();
}

TEST(another_family_number_can_be_chosen)
{
	unload_all();
	OK(load("family=13"));
	EQ(13, file_number("/sys/module/af_bus/parameters/family"));
	OK(socket(13, SOCK_SEQPACKET, 0));
	FAILS(EAFNOSUPPORT, socket(19, SOCK_SEQPACKET, 0));
}

static const struct {
	const char *name, *parameters;
} bad[] = {
	{ "af_unix", "family=1" },
	{ "af_netlink", "family=16" },
	{ "beyond_the_last", "family=46" },
	{ "negative", "family=-1" },
	{ "zero", "family=0" },
};

static void restore(void)
{
	if (loaded() && file_number("/sys/module/af_bus/parameters/family") == 19)
		return;
	if (loaded())
		unload_all();
	OK(load(""));
}

TEST_EACH(number_that_is_taken_or_none_is_refused, bad)
{
	char message[64];

	restore();
	unload_all();
	CHECK(load(row->parameters) < 0);
	CHECK(!loaded());
	snprintf(message, sizeof(message), "family");
	CHECK(kernel_said(message));
	OK(load(""));
}

/* socket() alone brings the module in. */
TEST(socket_loads_the_module)
{
	restore();
	unload_all();
	OK(socket(19, SOCK_SEQPACKET, BUS_PROTO_NONE));
	CHECK(loaded());
}

TEST(dbus_socket_loads_nfdbus)
{
	restore();
	unload("nfdbus");
	CHECK(access("/sys/module/nfdbus", F_OK));
	OK(socket(19, SOCK_SEQPACKET, BUS_PROTO_DBUS));
	CHECK(!access("/sys/module/nfdbus", F_OK));
}

static const struct {
	const char *name;
	int family;
	const char *asked_for;
} aliases[] = {
	{ "of_the_default_family", 19, "net-pf-19-proto-1" },
	{ "of_another_family", 13, "net-pf-13-proto-1" },
};

/* The kernel's helper to load modules is replaced by a script that notes what is asked for. */
TEST_EACH(dbus_socket_asks_for_its_protocol, aliases)
{
	static const char script[] = "#!/bin/sh\necho \"$@\" >>/run/asked\n";
	char before[256], parameter[32];
	FILE *f;
	int fd;

	restore();
	if (!access("/sys/module/nfdbus", F_OK))
		OK(unload("nfdbus"));
	if (row->family != 19) {
		unload_all();
		snprintf(parameter, sizeof(parameter), "family=%d", row->family);
		OK(load(parameter));
	}
	fd = OK(open("/run/note", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755));
	EQ(strlen(script), write(fd, script, strlen(script)));
	close(fd);
	unlink("/run/asked");

	f = fopen("/proc/sys/kernel/modprobe", "r+e");
	CHECK(f && fgets(before, sizeof(before), f));
	rewind(f);
	fputs("/run/note", f);
	fclose(f);
	fd = socket(row->family, SOCK_SEQPACKET, BUS_PROTO_DBUS);
	f = fopen("/proc/sys/kernel/modprobe", "we");
	fputs(before, f);
	fclose(f);

	CHECK(fd < 0);
	CHECK(!access("/run/asked", R_OK));
	CHECK(file_says("/run/asked", row->asked_for));
	restore();
}
