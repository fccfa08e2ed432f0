// SPDX-License-Identifier: MIT
#include "environment.h"

#include <algorithm>

namespace afbus {

Environment::Environment(Napi::Env env) {
  napi_get_uv_event_loop(env, &loop_);
  napi_add_async_cleanup_hook(env, OnTeardown, this, &hook_);
  constexpr size_t kRoom = batch::kHeader + Inbox::kMaxMessages * batch::kStride;
  auto table = Napi::Float64Array::New(env, std::max(kRoom, columns::kRoom));
  numbers_ = table.Data();
  table_ = Napi::Persistent(table.As<Napi::Object>());
}

Environment::~Environment() {
  for (int fd : owned_) close(fd);
}

// Runs before the event loop of a thread is closed: it must have no open handles then.
void Environment::OnTeardown(napi_async_cleanup_hook_handle, void* data) {
  auto self = static_cast<Environment*>(data);
  self->pollers_.on_empty = OnPollersClosed;
  self->pollers_.data = self;
  Poller::CloseAll(&self->pollers_);
  if (self->pollers_.open == 0) OnPollersClosed(self);
}

void Environment::OnPollersClosed(void* data) {
  auto self = static_cast<Environment*>(data);
  self->pollers_.on_empty = nullptr;
  napi_remove_async_cleanup_hook(self->hook_);
}

// Most readers of a crowd get the same messages, and JavaScript looks at equal columns once.
int Environment::PackColumns(uint32_t nonce) {
  size_t length = afbus::PackColumns(inbox_, nonce, packed_.data());
  if (length == 0) return 0;
  int flags = columns::kInColumns | (inbox_.Emptied() ? columns::kEmptied : 0);
  if (length == columns_ && std::equal(packed_.begin(), packed_.begin() + length, numbers_)) {
    return flags | columns::kRepeated;
  }
  std::copy_n(packed_.begin(), length, numbers_);
  columns_ = length;
  return flags;
}

void Environment::PackBatch() {
  columns_ = 0;
  const auto& messages = inbox_.Messages();
  numbers_[batch::kCount] = static_cast<double>(messages.size());
  numbers_[batch::kFds] = static_cast<double>(inbox_.Fds().size());
  double* row = numbers_ + batch::kHeader;
  for (const Received& message : messages) {
    row[batch::kOffset] = static_cast<double>(message.offset);
    row[batch::kReceived] = static_cast<double>(message.received);
    row[batch::kLength] = static_cast<double>(message.length);
    row[batch::kFlags] = message.flags;
    row[batch::kPrefix] = message.from.prefix;
    row[batch::kClient] = static_cast<double>(message.from.client);
    row[batch::kSequence] = static_cast<double>(message.sequence);
    row[batch::kLost] = static_cast<double>(message.lost);
    row[batch::kPid] = message.credentials.pid;
    row[batch::kUid] = message.credentials.uid;
    row[batch::kGid] = message.credentials.gid;
    row[batch::kFdCount] = static_cast<double>(message.fd_count);
    row[batch::kTimestamp] = static_cast<double>(message.timestamp);
    row[batch::kSecurity] = static_cast<double>(message.security);
    row += batch::kStride;
  }
}

std::vector<int> Environment::TakeReceivedFds() {
  std::vector<int> fds;
  for (UniqueFd& fd : inbox_.Fds()) {
    fds.push_back(fd.Get());
    owned_.insert(fd.Release());
  }
  inbox_.Fds().clear();
  return fds;
}

void Environment::CloseFd(int fd) {
  // A number that is not on the list may belong to another file by now.
  if (owned_.erase(fd) > 0) close(fd);
}

}  // namespace afbus
