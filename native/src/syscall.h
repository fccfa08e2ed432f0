// SPDX-License-Identifier: MIT
// Socket calls: every function returns a result >= 0 or a negative errno, and retries after EINTR.
#pragma once

#include <linux/filter.h>
#include <sys/socket.h>

#include <string_view>

#include "address.h"
#include "unique_fd.h"

namespace afbus {

using Result = int;

// The module's default `family=`, which is tried once if no module is loaded.
constexpr int kDefaultFamily = 19;

// Non-blocking and close-on-exec, as all sockets here.
Result OpenSocket(int family, int protocol);
// Checks that `fd` is a socket of the family and makes it non-blocking and close-on-exec.
Result AdoptSocket(int fd, int family);

// Another descriptor of the same open file, close-on-exec.
Result DuplicateFd(int fd);
// From now on this process can open that many more descriptors; -1: as many as its hard limit allows.
Result LimitDescriptors(int more);

Result Bind(int fd, int family, std::string_view path);
Result Listen(int fd, int backlog);
// -EAGAIN if the backlog is full.
Result Connect(int fd, int family, std::string_view path);
// Waits for room in the backlog, at most `milliseconds`, then returns -EAGAIN. For a pool thread.
Result ConnectWaiting(int fd, int family, std::string_view path, int milliseconds);
Result Accept(int fd);
Result GetName(int fd, bool peer, sockaddr_bus* name);

Result GetInt(int fd, int level, int name, int* value);
Result SetInt(int fd, int level, int name, int value);
Result SetBusAddress(int fd, int name, Address address);
// An empty program detaches the filter.
Result SetFilter(int fd, sock_filter* program, unsigned short length);
Result GetPeerCredentials(int fd, ucred* credentials);
// Length of the label, at most `room`.
Result GetPeerSecurity(int fd, char* label, socklen_t room);

Result Shutdown(int fd, int how);
Result BytesQueued(int fd, bool outgoing);
// poll(2) events that the socket has now.
Result PollNow(int fd);

}  // namespace afbus
