// SPDX-License-Identifier: MIT
#pragma once

#include <napi.h>

#include <string>
#include <string_view>

#include "syscall.h"
#include "unique_fd.h"

namespace afbus {

// A connect(2) that may wait, on a thread of libuv's pool. Holds copies only: JavaScript values stay on their thread.
class ConnectWorker : public Napi::AsyncWorker {
 public:
  static void Start(Napi::Function done, UniqueFd fd, int family, std::string_view path, int milliseconds) {
    auto worker = new ConnectWorker(done, std::move(fd), family, path, milliseconds);
    worker->Queue();
  }

 protected:
  void Execute() override { result_ = ConnectWaiting(fd_.Get(), family_, path_, milliseconds_); }

  void OnOK() override {
    // Before JavaScript continues: it may close its own descriptor and expect the socket to be gone.
    fd_.Reset();
    Callback().Call({Napi::Number::New(Env(), result_)});
  }

 private:
  ConnectWorker(Napi::Function done, UniqueFd fd, int family, std::string_view path, int milliseconds)
      : Napi::AsyncWorker(done), fd_(std::move(fd)), family_(family), path_(path), milliseconds_(milliseconds) {}

  UniqueFd fd_;
  int family_;
  std::string path_;
  int milliseconds_;
  Result result_ = 0;
};

}  // namespace afbus
