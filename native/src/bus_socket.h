// SPDX-License-Identifier: MIT
// The JavaScript object of one socket: checks arguments and passes them to the plain calls. Returns numbers, never
// errors: only lib/errors.ts makes those.
#pragma once

#include <napi.h>

#include <string_view>

#include "polled.h"

namespace afbus {

class BusSocket : public Polled<BusSocket> {
 public:
  static Napi::Function Define(Napi::Env env);
  // Takes over the descriptor.
  static Napi::Value Make(Napi::Env env, UniqueFd fd, int family);

  explicit BusSocket(const Napi::CallbackInfo& info);

 private:
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

  int family_ = 0;
  // An error that came after a batch; the next receive reports it.
  Result deferred_ = 0;
};

}  // namespace afbus
