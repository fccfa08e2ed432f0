// SPDX-License-Identifier: MIT
// The addon's exports; lib/addon.ts has their types.
#include <linux/nfdbus.h>
#include <napi.h>
#include <string.h>

#include <cerrno>

#include "bus_socket.h"
#include "environment.h"
#include "netlink.h"
#include "stream.h"
#include "stream_socket.h"
#include "value.h"

namespace afbus {

namespace {

struct NamedNumber {
  const char* name;
  double value;
};

Napi::Object NumberObject(Napi::Env env, std::initializer_list<NamedNumber> numbers) {
  auto object = Napi::Object::New(env);
  for (const auto& [name, value] : numbers) object.Set(name, Napi::Number::New(env, value));
  return object;
}

#define NUMBER(name) {#name, static_cast<double>(name)}

Napi::Object Constants(Napi::Env env) {
  return NumberObject(env, {
      NUMBER(SOL_BUS), NUMBER(BUS_ADD_ADDR), NUMBER(BUS_JOIN_BUS), NUMBER(BUS_DEL_ADDR),
      NUMBER(BUS_SET_EAVESDROP), NUMBER(BUS_UNSET_EAVESDROP), NUMBER(BUS_SET_SENDBUF), NUMBER(BUS_SET_MAXQLEN),
      NUMBER(BUS_GET_QLENFULL), NUMBER(BUS_SET_OVERFLOW), NUMBER(BUS_PASSSEQ), NUMBER(BUS_OVERFLOW_BLOCK),
      NUMBER(BUS_OVERFLOW_FAIL), NUMBER(BUS_OVERFLOW_EVICT), NUMBER(BUS_PROTO_NONE), NUMBER(BUS_PROTO_DBUS),
      NUMBER(BUS_MAX_QLEN), NUMBER(BUS_PATH_MAX),
      NUMBER(NFDBUS_CMD_ADD), NUMBER(NFDBUS_CMD_REMOVE), NUMBER(NFDBUS_CMD_REMOVE_ALL), NUMBER(NFDBUS_CMD_GET),
      NUMBER(NFDBUS_CMD_SET_NAME), NUMBER(NFDBUS_CMD_UNSET_NAME),
      NUMBER(SOL_SOCKET), NUMBER(SO_ERROR), NUMBER(SO_PASSCRED), NUMBER(SO_PASSSEC), NUMBER(SO_TIMESTAMP),
      NUMBER(SO_SNDBUF), NUMBER(SO_RCVBUF), NUMBER(SO_PEEK_OFF), NUMBER(SO_PROTOCOL), NUMBER(SO_DOMAIN),
      NUMBER(MSG_PEEK), NUMBER(MSG_OOB), NUMBER(SHUT_RD), NUMBER(SHUT_WR), NUMBER(SHUT_RDWR),
      NUMBER(EAGAIN), NUMBER(EBADF), NUMBER(ECANCELED), NUMBER(EAFNOSUPPORT),
      {"DEFAULT_FAMILY", kDefaultFamily},
  });
}

#undef NUMBER

Napi::Object Layout(Napi::Env env) {
  return NumberObject(env, {
      {"header", batch::kHeader}, {"stride", batch::kStride}, {"maxMessages", Inbox::kMaxMessages},
      {"batchCount", batch::kCount}, {"batchFds", batch::kFds},
      {"offset", batch::kOffset}, {"received", batch::kReceived}, {"length", batch::kLength},
      {"flags", batch::kFlags}, {"prefix", batch::kPrefix}, {"client", batch::kClient},
      {"sequence", batch::kSequence}, {"lost", batch::kLost},
      {"pid", batch::kPid}, {"uid", batch::kUid}, {"gid", batch::kGid},
      {"fds", batch::kFdCount}, {"timestamp", batch::kTimestamp}, {"security", batch::kSecurity},
      {"flagTruncated", kTruncated}, {"flagControlTruncated", kControlTruncated}, {"flagSequence", kSequence},
      {"flagCredentials", kCredentials}, {"flagLost", kLost}, {"flagTimestamp", kTimestamp},
      {"flagSecurity", kSecurity},
      {"columnsHeader", columns::kHeader}, {"columnsCount", columns::kCount}, {"columnsKinds", columns::kKinds},
      {"lastFence", columns::kLastFence},
      {"numberColumn", columns::kNumbers}, {"sequenceColumn", columns::kSequences},
      {"lengthColumn", columns::kLengths}, {"kindColumn", columns::kKindOf}, {"columns", columns::kColumns},
      {"kindFlags", columns::kFlags}, {"kindPrefix", columns::kPrefix}, {"kindClient", columns::kClient},
      {"kindPid", columns::kPid}, {"kindUid", columns::kUid}, {"kindGid", columns::kGid},
      {"kindStride", columns::kKindStride}, {"kindFence", columns::kFence},
      {"inColumns", columns::kInColumns}, {"repeated", columns::kRepeated}, {"emptied", columns::kEmptied},
  });
}

Napi::Value DescribeErrno(const Napi::CallbackInfo& info) {
  int number = Int(info[0]);
  const char* name = strerrorname_np(number);
  const char* text = strerrordesc_np(number);
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, name != nullptr ? std::string(name) : "errno " + std::to_string(number));
  pair.Set(1u, text != nullptr ? text : "unknown error");
  return pair;
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  int family = Int(info[0]);
  Result fd = OpenSocket(family, Int(info[1]));
  return fd < 0 ? Number(info, fd) : BusSocket::Make(info.Env(), UniqueFd(fd), family);
}

Napi::Value Adopt(const Napi::CallbackInfo& info) {
  int fd = Int(info[0]);
  int family = Int(info[1]);
  Result result = AdoptSocket(fd, family);
  return result < 0 ? Number(info, result) : BusSocket::Make(info.Env(), UniqueFd(fd), family);
}

Napi::Value OpenUnixStream(const Napi::CallbackInfo& info) {
  Result fd = OpenStream();
  return fd < 0 ? Number(info, fd) : StreamSocket::Make(info.Env(), UniqueFd(fd));
}

Napi::Value OpenUnixPair(const Napi::CallbackInfo& info) {
  UniqueFd one, other;
  Result result = OpenStreamPair(&one, &other);
  if (result < 0) return Number(info, result);
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, StreamSocket::Make(info.Env(), std::move(one)));
  pair.Set(1u, StreamSocket::Make(info.Env(), std::move(other)));
  return pair;
}

Napi::Value AdoptUnixStream(const Napi::CallbackInfo& info) {
  int fd = Int(info[0]);
  Result result = AdoptSocket(fd, AF_UNIX);
  return result < 0 ? Number(info, result) : StreamSocket::Make(info.Env(), UniqueFd(fd));
}

Napi::Value TakeReceivedFds(const Napi::CallbackInfo& info) {
  auto fds = Environment::Of(info.Env()).TakeReceivedFds();
  auto array = Napi::Array::New(info.Env(), fds.size());
  for (size_t i = 0; i < fds.size(); i++) array.Set(static_cast<uint32_t>(i), Number(info, fds[i]));
  return array;
}

Napi::Value CloseFd(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).CloseFd(Int(info[0]));
  return info.Env().Undefined();
}

Napi::Value DisownFd(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).DisownFd(Int(info[0]));
  return info.Env().Undefined();
}

Napi::Value OwnedFds(const Napi::CallbackInfo& info) {
  return Number(info, static_cast<double>(Environment::Of(info.Env()).OwnedFds()));
}

std::optional<std::string> TextArgument(Napi::Value value) {
  if (!value.IsString()) return std::nullopt;
  return value.As<Napi::String>().Utf8Value();
}

Napi::Value TextOrNull(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
}

Napi::Value Rows(Napi::Env env, const std::vector<NfdbusRow>& rows) {
  auto array = Napi::Array::New(env, rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    const auto& [address, rule, name] = rows[i];
    auto row = Napi::Array::New(env, 4);
    row.Set(0u, Napi::Number::New(env, address.prefix));
    row.Set(1u, Napi::Number::New(env, static_cast<double>(address.client)));
    row.Set(2u, TextOrNull(env, rule));
    row.Set(3u, TextOrNull(env, name));
    array.Set(static_cast<uint32_t>(i), row);
  }
  return array;
}

Napi::Value Nfdbus(const Napi::CallbackInfo& info) {
  NfdbusRequest request;
  request.command = Int(info[0]);
  request.path = Bytes(info[1]);
  if (Int(info[2]) >= 0) request.address = AddressArgument(info[2], info[3]);
  request.rule = TextArgument(info[4]);
  request.name = TextArgument(info[5]);
  NfdbusAnswer answer = AskNfdbus(request);
  auto result = Napi::Array::New(info.Env(), 3);
  result.Set(0u, Number(info, answer.result));
  result.Set(1u, Napi::String::New(info.Env(), answer.text));
  result.Set(2u, Rows(info.Env(), answer.rows));
  return result;
}

Napi::Value Limit(const Napi::CallbackInfo& info) { return Number(info, LimitDescriptors(Int(info[0]))); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto environment = new Environment(env);
  env.SetInstanceData(environment);
  environment->socket_class = Napi::Persistent(BusSocket::Define(env));
  environment->stream_class = Napi::Persistent(StreamSocket::Define(env));
  exports.Set("constants", Constants(env));
  exports.Set("layout", Layout(env));
  exports.Set("batch", environment->BatchTable());
  exports.Set("READY_IN", Napi::Number::New(env, kReadyIn));
  exports.Set("READY_OUT", Napi::Number::New(env, kReadyOut));
  exports.Set("READY_END", Napi::Number::New(env, kReadyEnd));
  exports.Set("describeErrno", Napi::Function::New<DescribeErrno>(env));
  exports.Set("open", Napi::Function::New<Open>(env));
  exports.Set("adopt", Napi::Function::New<Adopt>(env));
  exports.Set("openStream", Napi::Function::New<OpenUnixStream>(env));
  exports.Set("openStreamPair", Napi::Function::New<OpenUnixPair>(env));
  exports.Set("adoptStream", Napi::Function::New<AdoptUnixStream>(env));
  exports.Set("takeReceivedFds", Napi::Function::New<TakeReceivedFds>(env));
  exports.Set("closeFd", Napi::Function::New<CloseFd>(env));
  exports.Set("disownFd", Napi::Function::New<DisownFd>(env));
  exports.Set("ownedFds", Napi::Function::New<OwnedFds>(env));
  exports.Set("nfdbus", Napi::Function::New<Nfdbus>(env));
  exports.Set("limitDescriptors", Napi::Function::New<Limit>(env));
  return exports;
}

}  // namespace

}  // namespace afbus

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return afbus::Init(env, exports); }

NODE_API_MODULE(afbus, InitAddon)
