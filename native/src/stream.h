// SPDX-License-Identifier: MIT
// AF_UNIX stream sockets with descriptors and credentials, as values: a result >= 0 or a negative errno.
#pragma once

#include <sys/uio.h>

#include <string_view>
#include <vector>

#include "syscall.h"
#include "unique_fd.h"

namespace afbus {

// SCM_MAX_FD of the kernel, which no header exports.
constexpr size_t kMaxFds = 253;

Result OpenStream();
Result OpenStreamPair(UniqueFd* one, UniqueFd* other);
// A path that begins with a NUL is an abstract name.
Result BindStream(int fd, std::string_view path);
// -EAGAIN if the backlog is full.
Result ConnectStream(int fd, std::string_view path);

// The kernel takes as many bytes as it has room for, and all descriptors with the first byte.
Result SendStream(int fd, const std::vector<iovec>& pieces, const int* fds, size_t fd_count);
// Bytes read, 0 at the end. Descriptors that came with them are added to `fds`. -EMFILE if this process had no room for
// some of them: the bytes are lost, too, so the stream is of no use any more.
Result ReceiveStream(int fd, char* buffer, size_t room, std::vector<UniqueFd>* fds);

// The peer's supplementary groups.
Result GetPeerGroups(int fd, std::vector<gid_t>* groups);
// A pidfd of the peer. -ENOPROTOOPT before Linux 6.5.
Result GetPeerPidfd(int fd);

}  // namespace afbus
