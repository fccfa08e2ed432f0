// SPDX-License-Identifier: MIT
/* Which bus a socket stands for: the daemon has put a symbolic link beside it, whose text is the address of the bus. */
#include "preload.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool find_bus(const char *path, struct address *bus)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".afbus")], text[256];
	struct stat socket, link;
	ssize_t length;

	snprintf(name, sizeof(name), "%s.afbus", path);
	length = readlink(name, text, sizeof(text) - 1);
	if (length < 0)
		return false;
	text[length] = '\0';
	/* Another user that may write into the folder could have put it there: only the owner of the socket speaks for it. */
	if (stat(path, &socket) < 0 || lstat(name, &link) < 0 || socket.st_uid != link.st_uid)
		return false;
	return parse_address(text, bus) == 0 && bus->bus;
}
