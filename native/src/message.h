// SPDX-License-Identifier: MIT
// Messages with their ancillary data: one sendmsg, or a batch of recvmsg into reused memory.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "address.h"
#include "syscall.h"
#include "unique_fd.h"

namespace afbus {

struct Outgoing {
  const void* data;
  size_t length;
  // Null: no destination.
  const sockaddr_bus* to;
  const int* fds;
  size_t fd_count;
  // Null: the kernel inserts this process's own.
  const ucred* credentials;
  int flags;
};

Result Send(int fd, const Outgoing& message);

enum ReceivedFlag : uint32_t {
  kTruncated = 1,
  kControlTruncated = 2,
  kSequence = 4,
  kCredentials = 8,
  kLost = 16,
  kTimestamp = 32,
  kSecurity = 64,
};

struct Received {
  // Offset in Inbox::Bytes(); a security label follows the `received` bytes.
  size_t offset;
  size_t received;
  size_t length;
  uint32_t flags;
  Address from;
  uint64_t sequence;
  uint64_t lost;
  ucred credentials;
  uint64_t timestamp;
  size_t fd_count;
  size_t security;
};

struct ReceiveRequest {
  size_t max;
  int flags;
  // Negative: no limit.
  ssize_t max_bytes;
  ssize_t max_control;
};

// The last received batch. Messages are never cut for lack of room: those that are queued are together as long as SIOCINQ
// says.
class Inbox {
 public:
  static constexpr size_t kMaxMessages = 256;

  // Number of messages read, 0 at the end, or a negative errno. An error after some messages goes to `*deferred`, and
  // the next call must report it.
  Result Receive(int fd, const ReceiveRequest& request, Result* deferred);
  // Some bytes of a stream: their number, 0 at the end, or a negative errno.
  Result ReceiveBytes(int fd, size_t max);

  const std::vector<Received>& Messages() const { return messages_; }
  // Whether the batch ended because no more was queued: no message, no end and no error.
  bool Emptied() const { return emptied_; }
  const char* Bytes() const { return bytes_.get(); }
  size_t Length() const { return used_; }
  // Descriptors of the batch, in order; the next batch closes those that nobody has taken.
  std::vector<UniqueFd>& Fds() { return fds_; }

 private:
  static constexpr size_t kControlRoom = 8192;
  // A batch ends when it holds this many bytes, however many messages these are.
  static constexpr size_t kBatchBytes = size_t{4} << 20;

  void Clear();
  void Reserve(size_t room);
  Result RoomForNext(int fd, const ReceiveRequest& request, size_t* room);
  Result LookForNext(int fd, size_t* room);
  // 1, 0 at the end, or a negative errno.
  Result ReceiveOne(int fd, const ReceiveRequest& request, size_t room);
  void ParseControl(msghdr* header, Received* message);
  void ParseBusControl(const cmsghdr& control, Received* message);
  void ParseSocketControl(const cmsghdr& control, Received* message);

  std::vector<Received> messages_;
  std::vector<UniqueFd> fds_;
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t used_ = 0;
  // Number of bytes that are known to be queued.
  size_t known_ = 0;
  bool emptied_ = false;
  alignas(cmsghdr) char control_[kControlRoom];
};

}  // namespace afbus
