// SPDX-License-Identifier: MIT
// The JavaScript object of one socket: checks arguments and passes them to the plain calls. Gives numbers, never
// errors: those are made in lib/errors.ts only.
#pragma once

#include <napi.h>

#include <string_view>

#include "environment.h"
#include "poller.h"
#include "unique_fd.h"

namespace afbus {

class BusSocket : public Napi::ObjectWrap<BusSocket>, private Poller::Listener {
 public:
  static Napi::Function Define(Napi::Env env);
  // Takes the descriptor over.
  static Napi::Value Make(Napi::Env env, UniqueFd fd, int family);

  explicit BusSocket(const Napi::CallbackInfo& info);
  virtual ~BusSocket();

 private:
  using Info = const Napi::CallbackInfo&;

  Napi::Value Fd(Info info);
  Napi::Value BindTo(Info info);
  Napi::Value ListenFor(Info info);
  Napi::Value ConnectTo(Info info);
  Napi::Value ConnectInPool(Info info);
  Napi::Value AcceptOne(Info info);
  Napi::Value Name(Info info);
  Napi::Value GetIntOption(Info info);
  Napi::Value SetIntOption(Info info);
  Napi::Value SetAddressOption(Info info);
  Napi::Value SetFilterProgram(Info info);
  Napi::Value PeerCredentials(Info info);
  Napi::Value PeerSecurity(Info info);
  Napi::Value ShutdownHow(Info info);
  Napi::Value QueuedBytes(Info info);
  Napi::Value SendMessage(Info info);
  Napi::Value ReceiveBatch(Info info);
  Napi::Value WantEvents(Info info);
  Napi::Value PollEvents(Info info);
  Napi::Value CloseSocket(Info info);

  void OnReady(uint32_t events) override;
  void OnPollerGone() override;
  void HoldAlive(bool on);
  void ClosePoller();

  UniqueFd fd_;
  int family_ = 0;
  Environment& environment_;
  Poller* poller_ = nullptr;
  // An error that came behind a batch: the next receive's.
  Result deferred_ = 0;
  // Somebody waits: the object must not be collected, as nothing else may refer to it.
  bool held_ = false;
};

}  // namespace afbus
