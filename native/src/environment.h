// SPDX-License-Identifier: MIT
// The state of one JavaScript thread: its loop, its open handles, its received descriptors, its memory for receiving.
#pragma once

#include <napi.h>

#include <array>
#include <unordered_set>
#include <vector>

#include "columns.h"
#include "message.h"
#include "poller.h"

namespace afbus {

// Indexes in the table of numbers that passes a batch to JavaScript: a header, then one row per message.
namespace batch {
constexpr size_t kHeader = 2, kCount = 0, kFds = 1;
enum Column {
  kOffset, kReceived, kLength, kFlags, kPrefix, kClient, kSequence, kLost,
  kPid, kUid, kGid, kFdCount, kTimestamp, kSecurity, kStride,
};
}  // namespace batch

class Environment {
 public:
  explicit Environment(Napi::Env env);
  // Not copyable: pollers and hooks point to it.
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  uv_loop_t* Loop() const { return loop_; }
  Poller::List* Pollers() { return &pollers_; }
  Inbox& Messages() { return inbox_; }
  // Shared with JavaScript.
  Napi::Value BatchTable() const { return table_.Value(); }
  // Writes the messages in the inbox to the table.
  void PackBatch();
  // Writes them in columns instead; returns the flags of columns.h, or 0 if they cannot be in columns.
  int PackColumns(uint32_t nonce);

  // Descriptors of the last batch; from now on CloseFd closes them, or the end of the environment.
  std::vector<int> TakeReceivedFds();
  void CloseFd(int fd);
  void Own(int fd) { owned_.insert(fd); }
  void DisownFd(int fd) { owned_.erase(fd); }
  size_t OwnedFds() const { return owned_.size(); }

  Napi::FunctionReference socket_class;
  Napi::FunctionReference stream_class;

 private:
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* data);
  static void OnPollersClosed(void* data);

  uv_loop_t* loop_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  Poller::List pollers_;
  Inbox inbox_;
  std::unordered_set<int> owned_;
  Napi::ObjectReference table_;
  double* numbers_ = nullptr;
  // Length of the columns in the table; 0 if it has none.
  size_t columns_ = 0;
  std::array<double, columns::kRoom> packed_;
};

}  // namespace afbus
