// SPDX-License-Identifier: MIT
#include "bus_socket.h"

#include <cerrno>
#include <cstring>

#include "connect_worker.h"
#include "value.h"

namespace afbus {

Napi::Function BusSocket::Define(Napi::Env env) {
  return DefineClass(env, "RawSocket", {
      InstanceMethod<&BusSocket::BindTo>("bind"),
      InstanceMethod<&BusSocket::ListenFor>("listen"),
      InstanceMethod<&BusSocket::ConnectTo>("connect"),
      InstanceMethod<&BusSocket::ConnectInPool>("connectWaiting"),
      InstanceMethod<&BusSocket::AcceptOne>("accept"),
      InstanceMethod<&BusSocket::Name>("name"),
      InstanceMethod<&BusSocket::GetIntOption>("getInt"),
      InstanceMethod<&BusSocket::SetIntOption>("setInt"),
      InstanceMethod<&BusSocket::SetAddressOption>("setAddress"),
      InstanceMethod<&BusSocket::SetFilterProgram>("setFilter"),
      InstanceMethod<&BusSocket::PeerCredentials>("peerCredentials"),
      InstanceMethod<&BusSocket::PeerSecurity>("peerSecurity"),
      InstanceMethod<&BusSocket::ShutdownHow>("shutdown"),
      InstanceMethod<&BusSocket::QueuedBytes>("bytesQueued"),
      InstanceMethod<&BusSocket::SendMessage>("send"),
      InstanceMethod<&BusSocket::ReceiveBatch>("receive"),
      InstanceMethod("want", &BusSocket::WantEvents),
      InstanceMethod("poll", &BusSocket::PollEvents),
      InstanceMethod("close", &BusSocket::CloseSocket),
      InstanceAccessor("fd", &BusSocket::Fd, nullptr),
  });
}

Napi::Value BusSocket::Make(Napi::Env env, UniqueFd fd, int family) {
  Napi::Object object = Environment::Of(env).socket_class.New({});
  if (object.IsEmpty()) return env.Undefined();
  BusSocket* socket = Unwrap(object);
  socket->fd_ = std::move(fd);
  socket->family_ = family;
  return object;
}

BusSocket::BusSocket(Info info) : Polled<BusSocket>(info) {}

Napi::Value BusSocket::BindTo(Info info) { return Number(info, Bind(fd_.Get(), family_, Bytes(info[0]))); }

Napi::Value BusSocket::ListenFor(Info info) { return Number(info, Listen(fd_.Get(), Int(info[0]))); }

Napi::Value BusSocket::ConnectTo(Info info) { return Number(info, Connect(fd_.Get(), family_, Bytes(info[0]))); }

Napi::Value BusSocket::ConnectInPool(Info info) {
  // A second descriptor, so that the file stays open while the pool uses it, even if this object is closed.
  UniqueFd fd(DuplicateFd(fd_.Get()));
  if (fd.Get() < 0) {
    Result error = fd.Release();
    info[2].As<Napi::Function>().Call({Number(info, error)});
    return info.Env().Undefined();
  }
  ConnectWorker::Start(info[2].As<Napi::Function>(), std::move(fd), family_, Bytes(info[0]), Int(info[1]));
  return info.Env().Undefined();
}

Napi::Value BusSocket::AcceptOne(Info info) {
  Result fd = Accept(fd_.Get());
  return fd < 0 ? Number(info, fd) : Make(info.Env(), UniqueFd(fd), family_);
}

Napi::Value BusSocket::Name(Info info) {
  sockaddr_bus name;
  Result result = GetName(fd_.Get(), info[0].ToBoolean(), &name);
  if (result < 0) return Number(info, result);
  Address address = AddressOf(name);
  auto parts = info[1].As<Napi::Float64Array>();
  parts[0] = address.prefix;
  parts[1] = static_cast<double>(address.client);
  return Napi::Buffer<char>::Copy(info.Env(), name.sbus_path, sizeof(name.sbus_path));
}

Napi::Value BusSocket::GetIntOption(Info info) {
  int value = 0;
  Result result = GetInt(fd_.Get(), Int(info[0]), Int(info[1]), &value);
  return Numbers(info, {result, value});
}

Napi::Value BusSocket::SetIntOption(Info info) {
  return Number(info, SetInt(fd_.Get(), Int(info[0]), Int(info[1]), Int(info[2])));
}

Napi::Value BusSocket::SetAddressOption(Info info) {
  return Number(info, SetBusAddress(fd_.Get(), Int(info[0]), AddressArgument(info[1], info[2])));
}

Napi::Value BusSocket::SetFilterProgram(Info info) {
  std::string_view program = Bytes(info[0]);
  auto instructions = reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()));
  auto length = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
  return Number(info, SetFilter(fd_.Get(), instructions, length));
}

Napi::Value BusSocket::PeerCredentials(Info info) {
  ucred peer = {};
  Result result = GetPeerCredentials(fd_.Get(), &peer);
  return Numbers(info, {result, peer.pid, peer.uid, peer.gid});
}

Napi::Value BusSocket::PeerSecurity(Info info) { return SecurityLabel(info, fd_.Get()); }

Napi::Value BusSocket::ShutdownHow(Info info) { return Number(info, Shutdown(fd_.Get(), Int(info[0]))); }

Napi::Value BusSocket::QueuedBytes(Info info) { return Number(info, BytesQueued(fd_.Get(), info[0].ToBoolean())); }

// send(data, prefix, client, path, fds, credentials, flags)
Napi::Value BusSocket::SendMessage(Info info) {
  std::string_view data = Bytes(info[0]);
  std::string_view path = Bytes(info[3]);
  std::string_view fds = Bytes(info[4]);
  std::string_view shown = Bytes(info[5]);
  ucred credentials;
  Outgoing message = {};
  message.data = data.data();
  message.length = data.size();
  message.fds = reinterpret_cast<const int*>(fds.data());
  message.fd_count = fds.size() / sizeof(int);
  message.flags = Int(info[6]);
  if (shown.size() == sizeof(credentials)) {
    std::memcpy(&credentials, shown.data(), sizeof(credentials));
    message.credentials = &credentials;
  }
  sockaddr_bus to;
  bool addressed = Int(info[1]) >= 0;
  if (addressed || !path.empty()) {
    Address address = addressed ? AddressArgument(info[1], info[2]) : Address{};
    if (!MakeName(family_, address, path, &to)) return Number(info, -ENAMETOOLONG);
    message.to = &to;
  }
  return Number(info, Send(fd_.Get(), message));
}

// receive(max, flags, maxBytes, maxControl, nonce)
Napi::Value BusSocket::ReceiveBatch(Info info) {
  Inbox& inbox = environment_.Messages();
  ReceiveRequest request = {static_cast<size_t>(Int(info[0])), Int(info[1]), Int(info[2]), Int(info[3])};
  Result count = inbox.Receive(fd_.Get(), request, &deferred_);
  if (count <= 0) return Number(info, count);
  int packed = info[4].IsNumber() ? environment_.PackColumns(static_cast<uint32_t>(Int(info[4]))) : 0;
  if (packed != 0) return Number(info, packed);
  environment_.PackBatch();
  return Napi::Buffer<char>::Copy(info.Env(), inbox.Bytes(), inbox.Length());
}

}  // namespace afbus
