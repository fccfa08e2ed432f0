// SPDX-License-Identifier: MIT
#include "stream.h"

#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace afbus {

namespace {

// The C library's headers do not have it yet.
constexpr int kPeerPidfd = 77;  // SO_PEERPIDFD

template <typename Call>
Result Retry(Call call) {
  for (;;) {
    auto result = call();
    if (result >= 0) return static_cast<Result>(result);
    if (errno != EINTR) return -errno;
  }
}

// The length of the name; 0 if the path is too long.
socklen_t MakeUnixName(std::string_view path, sockaddr_un* name) {
  if (path.size() >= sizeof(name->sun_path)) return 0;
  std::memset(name, 0, sizeof(*name));
  name->sun_family = AF_UNIX;
  path.copy(name->sun_path, path.size());
  // An abstract name ends with its last byte, a pathname with a NUL.
  size_t end = path.size() + (path.empty() || path[0] != '\0');
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + end);
}

}  // namespace

Result OpenStream() {
  return Retry([&] { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); });
}

Result OpenStreamPair(UniqueFd* one, UniqueFd* other) {
  int fds[2];
  Result result = Retry([&] { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds); });
  if (result < 0) return result;
  one->Reset(fds[0]);
  other->Reset(fds[1]);
  return 0;
}

Result BindStream(int fd, std::string_view path) {
  sockaddr_un name;
  socklen_t length = MakeUnixName(path, &name);
  if (length == 0) return -ENAMETOOLONG;
  return Retry([&] { return bind(fd, reinterpret_cast<sockaddr*>(&name), length); });
}

Result ConnectStream(int fd, std::string_view path) {
  sockaddr_un name;
  socklen_t length = MakeUnixName(path, &name);
  if (length == 0) return -ENAMETOOLONG;
  return Retry([&] { return connect(fd, reinterpret_cast<sockaddr*>(&name), length); });
}

Result SendStream(int fd, const std::vector<iovec>& pieces, const int* fds, size_t fd_count) {
  if (fd_count > kMaxFds) return -EINVAL;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = const_cast<iovec*>(pieces.data());
  header.msg_iovlen = pieces.size();
  if (fd_count > 0) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    std::memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
  }
  return Retry([&] { return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

Result ReceiveStream(int fd, char* buffer, size_t room, std::vector<UniqueFd>* fds) {
  const size_t before = fds->size();
  // From recvmsg until its descriptors have owners, nothing may fail.
  fds->reserve(fds->size() + kMaxFds);
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
  iovec data = {buffer, room};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  Result length = Retry([&] { return recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
  if (length < 0) return length;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    for (size_t i = 0; i < (each->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
      int received;
      std::memcpy(&received, CMSG_DATA(each) + i * sizeof(int), sizeof(received));
      fds->emplace_back(received);
    }
  }
  // If one is lost, nobody can say which of the others belong to which bytes.
  if (header.msg_flags & MSG_CTRUNC) {
    fds->resize(before);
    return -EMFILE;
  }
  return length;
}

Result GetPeerGroups(int fd, std::vector<gid_t>* groups) {
  socklen_t length = 0;
  // If there is not enough room, the kernel says how much is needed.
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &length) < 0 && errno != ERANGE) return -errno;
  groups->resize(length / sizeof(gid_t));
  return Retry([&] { return getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups->data(), &length); });
}

Result GetPeerPidfd(int fd) {
  int pidfd = -1;
  socklen_t length = sizeof(pidfd);
  Result result = Retry([&] { return getsockopt(fd, SOL_SOCKET, kPeerPidfd, &pidfd, &length); });
  return result < 0 ? result : pidfd;
}

}  // namespace afbus
