// SPDX-License-Identifier: MIT
#include "stream_socket.h"

#include "stream.h"

namespace afbus {

Napi::Function StreamSocket::Define(Napi::Env env) {
  return DefineClass(env, "RawStream", {
      InstanceMethod<&StreamSocket::BindTo>("bind"),
      InstanceMethod<&StreamSocket::ListenFor>("listen"),
      InstanceMethod<&StreamSocket::ConnectTo>("connect"),
      InstanceMethod<&StreamSocket::AcceptOne>("accept"),
      InstanceMethod<&StreamSocket::PeerCredentials>("peerCredentials"),
      InstanceMethod<&StreamSocket::PeerGroups>("peerGroups"),
      InstanceMethod<&StreamSocket::PeerSecurity>("peerSecurity"),
      InstanceMethod<&StreamSocket::PeerPidfd>("peerPidfd"),
      InstanceMethod<&StreamSocket::ShutdownHow>("shutdown"),
      InstanceMethod<&StreamSocket::SendPieces>("send"),
      InstanceMethod<&StreamSocket::ReceiveSome>("receive"),
      InstanceMethod("want", &StreamSocket::WantEvents),
      InstanceMethod("poll", &StreamSocket::PollEvents),
      InstanceMethod("close", &StreamSocket::CloseSocket),
      InstanceAccessor("fd", &StreamSocket::Fd, nullptr),
  });
}

Napi::Value StreamSocket::Make(Napi::Env env, UniqueFd fd) {
  Napi::Object object = Environment::Of(env).stream_class.New({});
  if (object.IsEmpty()) return env.Undefined();
  Unwrap(object)->fd_ = std::move(fd);
  return object;
}

StreamSocket::StreamSocket(Info info) : Polled<StreamSocket>(info) {}

Napi::Value StreamSocket::BindTo(Info info) { return Number(info, BindStream(fd_.Get(), Bytes(info[0]))); }

Napi::Value StreamSocket::ListenFor(Info info) { return Number(info, Listen(fd_.Get(), Int(info[0]))); }

Napi::Value StreamSocket::ConnectTo(Info info) { return Number(info, ConnectStream(fd_.Get(), Bytes(info[0]))); }

Napi::Value StreamSocket::AcceptOne(Info info) {
  Result fd = Accept(fd_.Get());
  return fd < 0 ? Number(info, fd) : Make(info.Env(), UniqueFd(fd));
}

Napi::Value StreamSocket::PeerCredentials(Info info) {
  ucred peer = {};
  Result result = GetPeerCredentials(fd_.Get(), &peer);
  return Numbers(info, {result, peer.pid, peer.uid, peer.gid});
}

Napi::Value StreamSocket::PeerGroups(Info info) {
  std::vector<gid_t> groups;
  Result result = GetPeerGroups(fd_.Get(), &groups);
  if (result < 0) return Number(info, result);
  auto array = Napi::Array::New(info.Env(), groups.size());
  for (size_t i = 0; i < groups.size(); i++) array.Set(static_cast<uint32_t>(i), Number(info, groups[i]));
  return array;
}

Napi::Value StreamSocket::PeerSecurity(Info info) { return SecurityLabel(info, fd_.Get()); }

// Added to the list of received descriptors, like one that came with a message.
Napi::Value StreamSocket::PeerPidfd(Info info) {
  Result pidfd = GetPeerPidfd(fd_.Get());
  if (pidfd >= 0) environment_.Own(pidfd);
  return Number(info, pidfd);
}

Napi::Value StreamSocket::ShutdownHow(Info info) { return Number(info, Shutdown(fd_.Get(), Int(info[0]))); }

// send(pieces, skip, fds): sends all pieces without their first `skip` bytes.
Napi::Value StreamSocket::SendPieces(Info info) {
  auto array = info[0].As<Napi::Array>();
  auto skip = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  std::string_view fds = Bytes(info[2]);
  std::vector<iovec> pieces;
  for (uint32_t i = 0; i < array.Length() && pieces.size() < kMaxPieces; i++) {
    std::string_view piece = Bytes(array.Get(i));
    size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    piece.remove_prefix(skipped);
    if (!piece.empty()) pieces.push_back({const_cast<char*>(piece.data()), piece.size()});
  }
  auto numbers = reinterpret_cast<const int*>(fds.data());
  return Number(info, SendStream(fd_.Get(), pieces, numbers, fds.size() / sizeof(int)));
}

// receive(maxBytes)
Napi::Value StreamSocket::ReceiveSome(Info info) {
  Inbox& inbox = environment_.Messages();
  Result length = inbox.ReceiveBytes(fd_.Get(), static_cast<size_t>(Int(info[0])));
  if (length <= 0) return Number(info, length);
  return Napi::Buffer<char>::Copy(info.Env(), inbox.Bytes(), static_cast<size_t>(length));
}

}  // namespace afbus
