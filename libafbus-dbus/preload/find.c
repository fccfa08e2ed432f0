// SPDX-License-Identifier: MIT
/* Which bus a socket stands for: the daemon has put a symbolic link beside it, whose text is the address of the bus. */
#include "preload.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT = 512 };

/*
 * Read the owner of the link and its text from one open file, so that both are of the same link even if its name is
 * replaced meanwhile.
 */
static bool read_link(const char *name, char text[TEXT], uid_t *owner)
{
	int fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat link;
	ssize_t length = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &link) == 0 && S_ISLNK(link.st_mode))
		length = readlinkat(fd, "", text, TEXT);
	close(fd);
	if (length < 0 || length == TEXT)	/* there may be more of it */
		return false;
	text[length] = '\0';
	*owner = link.st_uid;
	return true;
}

/*
 * Whether this number stands for a user that the user namespace of this process does not know: two files that have it
 * may belong to different users.
 */
static bool is_unknown(uid_t user)
{
	FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");
	unsigned int unknown = 65534;	/* the kernel's default */

	if (file) {
		if (fscanf(file, "%u", &unknown) != 1)
			unknown = 65534;
		fclose(file);
	}
	return user == unknown;
}

bool find_bus(const char *path, struct address *bus, uid_t *owner)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".afbus")], text[TEXT];
	struct stat socket;

	snprintf(name, sizeof(name), "%s.afbus", path);
	if (!read_link(name, text, owner))
		return false;
	/* Another user that may write into the folder could have put it there: only the owner of the socket speaks for it. */
	if (stat(path, &socket) < 0 || socket.st_uid != *owner || is_unknown(*owner))
		return false;
	return parse_address(text, bus) == 0 && bus->bus;
}
