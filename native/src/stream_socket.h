// SPDX-License-Identifier: MIT
// The JavaScript object of one AF_UNIX stream socket. Returns numbers, never errors.
#pragma once

#include <napi.h>

#include "polled.h"

namespace afbus {

class StreamSocket : public Polled<StreamSocket> {
 public:
  static Napi::Function Define(Napi::Env env);
  // Takes over the descriptor.
  static Napi::Value Make(Napi::Env env, UniqueFd fd);

  explicit StreamSocket(const Napi::CallbackInfo& info);

 private:
  Napi::Value BindTo(Info info);
  Napi::Value ListenFor(Info info);
  Napi::Value ConnectTo(Info info);
  Napi::Value AcceptOne(Info info);
  Napi::Value PeerCredentials(Info info);
  Napi::Value PeerGroups(Info info);
  Napi::Value PeerSecurity(Info info);
  Napi::Value PeerPidfd(Info info);
  Napi::Value ShutdownHow(Info info);
  Napi::Value SendPieces(Info info);
  Napi::Value ReceiveSome(Info info);

  // The kernel's IOV_MAX; the next call sends further pieces.
  static constexpr size_t kMaxPieces = 1024;
};

}  // namespace afbus
