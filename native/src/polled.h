// SPDX-License-Identifier: MIT
// What the JavaScript objects of all sockets share: a descriptor, its edges, and being kept alive while a caller waits.
#pragma once

#include <napi.h>

#include <cerrno>
#include <utility>

#include "environment.h"
#include "poller.h"
#include "syscall.h"
#include "unique_fd.h"
#include "value.h"

namespace afbus {

// The label of a socket's peer, or a negative errno.
inline Napi::Value SecurityLabel(const Napi::CallbackInfo& info, int fd) {
  char label[4096];
  Result length = GetPeerSecurity(fd, label, sizeof(label));
  if (length < 0) return Number(info, length);
  return Napi::Buffer<char>::Copy(info.Env(), label, static_cast<size_t>(length));
}

template <typename T>
class Polled : public Napi::ObjectWrap<T>, private Poller::Listener {
 protected:
  using Info = const Napi::CallbackInfo&;

  explicit Polled(Info info) : Napi::ObjectWrap<T>(info), environment_(Environment::Of(info.Env())) {}
  // Runs if the object is garbage-collected without a close, or the environment ends.
  virtual ~Polled() { ClosePoller(); }

  Napi::Value Fd(Info info) { return Number(info, fd_.Get()); }

  Napi::Value WantEvents(Info info) {
    auto events = static_cast<uint32_t>(Int(info[0]));
    if (events == 0 && poller_ == nullptr) return Number(info, 0);
    if (fd_.Get() < 0) return Number(info, -EBADF);
    if (poller_ == nullptr) {
      Result made = Poller::Create(environment_.Loop(), fd_.Get(), this, environment_.Pollers(), &poller_);
      if (made < 0) return Number(info, made);
    }
    Result result = poller_->Want(events);
    if (result >= 0) HoldAlive(events != 0);
    return Number(info, result);
  }

  Napi::Value PollEvents(Info info) {
    Result events = PollNow(fd_.Get());
    return Number(info, events < 0 ? events : static_cast<Result>(Poller::ReadyOf(static_cast<uint32_t>(events))));
  }

  Napi::Value CloseSocket(Info info) {
    ClosePoller();
    fd_.Reset();
    HoldAlive(false);
    return info.Env().Undefined();
  }

  UniqueFd fd_;
  Environment& environment_;

 private:
  void OnReady(uint32_t events) override {
    Napi::Env env = this->Env();
    Napi::HandleScope scope(env);
    napi_value self = this->Value();
    napi_value callback;
    napi_value argument;
    // While the environment is being stopped these fail, and nobody needs the call.
    if (self == nullptr || napi_get_named_property(env, self, "onready", &callback) != napi_ok) return;
    if (napi_create_uint32(env, events, &argument) != napi_ok) return;
    if (napi_make_callback(env, nullptr, self, callback, 1, &argument, nullptr) != napi_pending_exception) return;
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }

  void OnPollerGone() override { poller_ = nullptr; }

  void HoldAlive(bool on) {
    if (on == held_) return;
    held_ = on;
    if (on) {
      this->Ref();
    } else {
      this->Unref();
    }
  }

  // Called before the descriptor is closed, as its number may be reused at once.
  void ClosePoller() {
    if (poller_ == nullptr) return;
    poller_->Close();
    poller_ = nullptr;
  }

  Poller* poller_ = nullptr;
  // Set while a caller waits: the object must not be collected, although nothing else may refer to it.
  bool held_ = false;
};

}  // namespace afbus
