// SPDX-License-Identifier: MIT
#include "message.h"

#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "stream.h"

namespace afbus {

namespace {

constexpr int kScmSecurity = 0x03;  // SCM_SECURITY, which the C library's headers leave out

template <typename T>
bool ReadControl(const cmsghdr& control, T* value) {
  if (control.cmsg_len < CMSG_LEN(sizeof(T))) return false;
  std::memcpy(value, CMSG_DATA(&control), sizeof(T));
  return true;
}

size_t PutControl(char* buffer, size_t used, int type, const void* data, size_t length) {
  auto control = reinterpret_cast<cmsghdr*>(buffer + used);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(length);
  std::memcpy(CMSG_DATA(control), data, length);
  return used + CMSG_SPACE(length);
}

ssize_t ReceiveMessage(int fd, msghdr* header, int flags) {
  for (;;) {
    ssize_t length = recvmsg(fd, header, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
    if (length >= 0) return length;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

Result Send(int fd, const Outgoing& message) {
  if (message.fd_count > kMaxFds) return -EINVAL;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred))] = {};
  size_t used = 0;
  if (message.fd_count > 0) {
    used = PutControl(control, used, SCM_RIGHTS, message.fds, message.fd_count * sizeof(int));
  }
  if (message.credentials != nullptr) {
    used = PutControl(control, used, SCM_CREDENTIALS, message.credentials, sizeof(ucred));
  }
  iovec data = {const_cast<void*>(message.data), message.length};
  msghdr header = {};
  header.msg_name = const_cast<sockaddr_bus*>(message.to);
  header.msg_namelen = message.to != nullptr ? sizeof(*message.to) : 0;
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = used > 0 ? control : nullptr;
  header.msg_controllen = used;
  for (;;) {
    ssize_t sent = sendmsg(fd, &header, message.flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return 0;
    if (errno != EINTR) return -errno;
  }
}

Result Inbox::Receive(int fd, const ReceiveRequest& request, Result* deferred) {
  Clear();
  if (*deferred != 0) {
    Result error = *deferred;
    *deferred = 0;
    return error;
  }
  Result result = 0;
  while (messages_.size() < std::min(request.max, kMaxMessages) && used_ < kBatchBytes) {
    size_t room = 0;
    result = RoomForNext(fd, request, &room);
    if (result > 0) result = ReceiveOne(fd, request, room);
    if (result <= 0) break;
  }
  emptied_ = result == -EAGAIN;
  if (messages_.empty()) return result;
  if (result < 0 && !emptied_) *deferred = result;
  return static_cast<Result>(messages_.size());
}

Result Inbox::ReceiveBytes(int fd, size_t max) {
  Clear();
  Reserve(max);
  Result length = ReceiveStream(fd, bytes_.get(), max, &fds_);
  if (length > 0) used_ = static_cast<size_t>(length);
  return length;
}

void Inbox::Clear() {
  messages_.clear();
  fds_.clear();
  used_ = 0;
  known_ = 0;
  emptied_ = false;
  if (capacity_ > 2 * kBatchBytes) {
    bytes_.reset();
    capacity_ = 0;
  }
}

void Inbox::Reserve(size_t room) {
  if (capacity_ - used_ >= room && bytes_ != nullptr) return;
  size_t capacity = std::max({used_ + room, capacity_ * 2, size_t{65536}});
  // Not make_unique, which would fill it with zeros.
  std::unique_ptr<char[]> bytes(new char[capacity]);
  if (used_ > 0) std::memcpy(bytes.get(), bytes_.get(), used_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

// 1, or a negative errno.
Result Inbox::RoomForNext(int fd, const ReceiveRequest& request, size_t* room) {
  if (request.max_bytes >= 0) {
    *room = static_cast<size_t>(request.max_bytes);
    return 1;
  }
  if (known_ == 0) known_ = static_cast<size_t>(std::max(0, BytesQueued(fd, false)));
  *room = known_;
  return known_ > 0 ? 1 : LookForNext(fd, room);
}

// Where no byte is queued there may still be a message of none, the end, or an error; or a message has just come.
Result Inbox::LookForNext(int fd, size_t* room) {
  iovec nothing = {nullptr, 0};
  msghdr header = {};
  header.msg_iov = &nothing;
  header.msg_iovlen = 1;
  ssize_t length = ReceiveMessage(fd, &header, MSG_PEEK);
  if (length < 0) return static_cast<Result>(length);
  *room = static_cast<size_t>(length);
  return 1;
}

Result Inbox::ReceiveOne(int fd, const ReceiveRequest& request, size_t room) {
  Reserve(room + kControlRoom);
  // From recvmsg until its descriptors have owners, nothing may fail.
  fds_.reserve(fds_.size() + kMaxFds);
  sockaddr_bus from;
  iovec data = {bytes_.get() + used_, room};
  msghdr header = {};
  header.msg_name = &from;
  header.msg_namelen = sizeof(from);
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control_;
  header.msg_controllen =
      request.max_control < 0 ? kControlRoom : std::min(kControlRoom, static_cast<size_t>(request.max_control));
  ssize_t length = ReceiveMessage(fd, &header, request.flags);
  if (length < 0) return static_cast<Result>(length);
  // A message has a sender; the end of the stream has none.
  if (length == 0 && header.msg_namelen == 0) return 0;

  Received message = {};
  message.offset = used_;
  message.length = static_cast<size_t>(length);
  message.received = std::min(message.length, room);
  message.from = AddressOf(from);
  if (header.msg_flags & MSG_TRUNC) message.flags |= kTruncated;
  if (header.msg_flags & MSG_CTRUNC) message.flags |= kControlTruncated;
  used_ += message.received;
  known_ -= std::min(known_, message.length);
  ParseControl(&header, &message);
  messages_.push_back(message);
  return 1;
}

void Inbox::ParseControl(msghdr* header, Received* message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr; control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == SOL_BUS) ParseBusControl(*control, message);
    if (control->cmsg_level == SOL_SOCKET) ParseSocketControl(*control, message);
  }
}

void Inbox::ParseBusControl(const cmsghdr& control, Received* message) {
  if (control.cmsg_type == BUS_SCM_SEQ && ReadControl(control, &message->sequence)) message->flags |= kSequence;
  if (control.cmsg_type == BUS_SCM_LOST && ReadControl(control, &message->lost)) message->flags |= kLost;
}

void Inbox::ParseSocketControl(const cmsghdr& control, Received* message) {
  size_t length = control.cmsg_len - CMSG_LEN(0);
  timeval time;
  switch (control.cmsg_type) {
    case SCM_RIGHTS:
      for (size_t i = 0; i < length / sizeof(int); i++) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(&control) + i * sizeof(int), sizeof(fd));
        fds_.emplace_back(fd);
        message->fd_count++;
      }
      break;
    case SCM_CREDENTIALS:
      if (ReadControl(control, &message->credentials)) message->flags |= kCredentials;
      break;
    case SO_TIMESTAMP:
      if (!ReadControl(control, &time)) break;
      message->timestamp = static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_usec);
      message->flags |= kTimestamp;
      break;
    case kScmSecurity:
      std::memcpy(bytes_.get() + used_, CMSG_DATA(&control), length);
      used_ += length;
      message->security = length;
      message->flags |= kSecurity;
      break;
    default:
      break;
  }
}

}  // namespace afbus
