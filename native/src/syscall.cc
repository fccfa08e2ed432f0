// SPDX-License-Identifier: MIT
#include "syscall.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <cerrno>

namespace afbus {

namespace {

template <typename Call>
Result Retry(Call call) {
  for (;;) {
    int result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

Result GetOption(int fd, int level, int name, void* value, socklen_t* length) {
  return Retry([&] { return getsockopt(fd, level, name, value, length); });
}

Result SetOption(int fd, int level, int name, const void* value, socklen_t length) {
  return Retry([&] { return setsockopt(fd, level, name, value, length); });
}

Result SetFlag(int fd, int get, int set, int flag, bool on) {
  Result flags = Retry([&] { return fcntl(fd, get); });
  if (flags < 0) return flags;
  return Retry([&] { return fcntl(fd, set, on ? flags | flag : flags & ~flag); });
}

Result SetSendTimeout(int fd, int milliseconds) {
  timeval timeout = {milliseconds / 1000, milliseconds % 1000 * 1000};
  return SetOption(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

}  // namespace

Result OpenSocket(int family, int protocol) {
  return Retry([&] { return socket(family, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol); });
}

Result AdoptSocket(int fd, int family) {
  int domain = -1;
  Result result = GetInt(fd, SOL_SOCKET, SO_DOMAIN, &domain);
  if (result < 0) return result;
  if (domain != family) return -EAFNOSUPPORT;
  result = SetFlag(fd, F_GETFL, F_SETFL, O_NONBLOCK, true);
  return result < 0 ? result : SetFlag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, true);
}

Result DuplicateFd(int fd) {
  return Retry([&] { return fcntl(fd, F_DUPFD_CLOEXEC, 0); });
}

// The kernel limits the number of a descriptor, and assigns the lowest free one: `more` numbers below the limit must be
// free.
Result LimitDescriptors(int more) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  rlim_t number = more < 0 ? limit.rlim_max : 0;
  for (; number < limit.rlim_max; number++) {
    bool open = fcntl(static_cast<int>(number), F_GETFD) >= 0;
    if (!open && more-- == 0) break;
  }
  limit.rlim_cur = number;
  return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

Result Bind(int fd, int family, std::string_view path) {
  sockaddr_bus name;
  if (!MakeName(family, {}, path, &name)) return -ENAMETOOLONG;
  return Retry([&] { return bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)); });
}

Result Listen(int fd, int backlog) {
  return Retry([&] { return listen(fd, backlog); });
}

Result Connect(int fd, int family, std::string_view path) {
  sockaddr_bus name;
  if (!MakeName(family, {}, path, &name)) return -ENAMETOOLONG;
  return Retry([&] { return connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)); });
}

Result ConnectWaiting(int fd, int family, std::string_view path, int milliseconds) {
  Result result = SetSendTimeout(fd, milliseconds);
  if (result >= 0) result = SetFlag(fd, F_GETFL, F_SETFL, O_NONBLOCK, false);
  if (result < 0) return result;
  Result connected = Connect(fd, family, path);
  result = SetFlag(fd, F_GETFL, F_SETFL, O_NONBLOCK, true);
  if (result >= 0) result = SetSendTimeout(fd, 0);
  return connected < 0 ? connected : result;
}

Result Accept(int fd) {
  return Retry([&] { return accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
}

Result GetName(int fd, bool peer, sockaddr_bus* name) {
  socklen_t length = sizeof(*name);
  auto address = reinterpret_cast<sockaddr*>(name);
  return Retry([&] { return peer ? getpeername(fd, address, &length) : getsockname(fd, address, &length); });
}

Result GetInt(int fd, int level, int name, int* value) {
  socklen_t length = sizeof(*value);
  return GetOption(fd, level, name, value, &length);
}

Result SetInt(int fd, int level, int name, int value) {
  return SetOption(fd, level, name, &value, sizeof(value));
}

Result SetBusAddress(int fd, int name, Address address) {
  bus_addr value = {ToKernel(address)};
  return SetOption(fd, SOL_BUS, name, &value, sizeof(value));
}

Result SetFilter(int fd, sock_filter* program, unsigned short length) {
  if (length == 0) return SetInt(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
  sock_fprog filter = {length, program};
  return SetOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

Result GetPeerCredentials(int fd, ucred* credentials) {
  socklen_t length = sizeof(*credentials);
  return GetOption(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length);
}

Result GetPeerSecurity(int fd, char* label, socklen_t room) {
  socklen_t length = room;
  Result result = GetOption(fd, SOL_SOCKET, SO_PEERSEC, label, &length);
  return result < 0 ? result : static_cast<Result>(length);
}

Result Shutdown(int fd, int how) {
  return Retry([&] { return shutdown(fd, how); });
}

Result BytesQueued(int fd, bool outgoing) {
  int bytes = 0;
  Result result = Retry([&] { return ioctl(fd, outgoing ? SIOCOUTQ : SIOCINQ, &bytes); });
  return result < 0 ? result : bytes;
}

Result PollNow(int fd) {
  pollfd look = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  Result result = Retry([&] { return poll(&look, 1, 0); });
  return result < 0 ? result : look.revents;
}

}  // namespace afbus
