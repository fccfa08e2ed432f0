// SPDX-License-Identifier: MIT
#include "netlink.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nfdbus.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>

namespace afbus {

namespace {

constexpr size_t kRoom = 64 * 1024;
constexpr uint32_t kSequence = 1;
// An attribute's length has 16 bits; nfdbus accepts far less.
constexpr size_t kMostText = 0xffff - NLA_HDRLEN - 1;

// A netlink message, to which attributes are added.
class Request {
 public:
  Request(uint16_t type, uint16_t flags, uint8_t command, uint8_t version) {
    nlmsghdr head = {};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    head.nlmsg_seq = kSequence;
    genlmsghdr family = {};
    family.cmd = command;
    family.version = version;
    Append(&head, sizeof(head));
    Append(&family, sizeof(family));
  }

  void Add(uint16_t type, const void* data, size_t length) {
    nlattr head = {static_cast<uint16_t>(NLA_HDRLEN + length), type};
    Append(&head, sizeof(head));
    Append(data, length);
  }

  // Adds the text with its terminating NUL.
  void AddText(uint16_t type, const std::string& text) { Add(type, text.c_str(), text.size() + 1); }

  std::string& Done() {
    reinterpret_cast<nlmsghdr*>(bytes_.data())->nlmsg_len = static_cast<uint32_t>(bytes_.size());
    return bytes_;
  }

 private:
  void Append(const void* data, size_t length) {
    bytes_.append(static_cast<const char*>(data), length);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()), '\0');
  }

  std::string bytes_;
};

// Calls `visit` with the type and the bytes of each attribute.
void EachAttribute(std::string_view bytes, const std::function<void(uint16_t, std::string_view)>& visit) {
  while (bytes.size() >= NLA_HDRLEN) {
    nlattr head;
    std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.nla_len < NLA_HDRLEN || head.nla_len > bytes.size()) return;
    visit(head.nla_type & NLA_TYPE_MASK, bytes.substr(NLA_HDRLEN, head.nla_len - NLA_HDRLEN));
    bytes.remove_prefix(std::min<size_t>(NLA_ALIGN(head.nla_len), bytes.size()));
  }
}

std::string TextOf(std::string_view bytes) { return std::string(bytes.substr(0, bytes.find('\0'))); }

// The extended ack of an error. In NLMSG_ERROR it follows the request's header, which is capped; in NLMSG_DONE the
// errno.
std::string ExtendedAck(const nlmsghdr& head, std::string_view payload) {
  size_t skip = head.nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(nlmsgerr);
  if ((head.nlmsg_flags & NLM_F_ACK_TLVS) == 0 || payload.size() < skip) return {};
  if (head.nlmsg_type == NLMSG_ERROR && (head.nlmsg_flags & NLM_F_CAPPED) == 0) {
    nlmsgerr error;
    std::memcpy(&error, payload.data(), sizeof(error));
    skip = NLMSG_ALIGN(sizeof(int) + error.msg.nlmsg_len);
    if (payload.size() < skip) return {};
  }
  std::string text;
  EachAttribute(payload.substr(skip), [&](uint16_t type, std::string_view bytes) {
    if (type == NLMSGERR_ATTR_MSG) text = TextOf(bytes);
  });
  return text;
}

class GenericNetlink {
 public:
  GenericNetlink() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC)) {
    error_ = fd_.Get() < 0 ? -errno : 0;
    int on = 1;
    setsockopt(fd_.Get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(fd_.Get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  }

  // Sends the request, and calls `visit` with the attributes of each answer, until the last one or an error.
  Result Ask(Request& request, std::string* text, const std::function<void(std::string_view)>& visit) {
    if (error_ < 0) return error_;
    const std::string& bytes = request.Done();
    ssize_t sent;
    do sent = send(fd_.Get(), bytes.data(), bytes.size(), 0);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return -errno;
    for (;;) {
      Result result = Receive(text, visit);
      if (result <= 0) return result;
    }
  }

 private:
  // 0 or a negative errno at the end, 1 if more answers follow.
  Result Receive(std::string* text, const std::function<void(std::string_view)>& visit) {
    buffer_.resize(kRoom);
    sockaddr_nl from = {};
    iovec part = {buffer_.data(), buffer_.size()};
    msghdr message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof(from);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ssize_t length;
    do length = recvmsg(fd_.Get(), &message, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    if ((message.msg_flags & MSG_TRUNC) != 0) return -EMSGSIZE;
    // Any process may send to a netlink socket: only messages from the kernel count.
    if (from.nl_pid != 0) return 1;
    return Read(std::string_view(buffer_.data(), static_cast<size_t>(length)), text, visit);
  }

  static Result Read(std::string_view bytes, std::string* text,
                     const std::function<void(std::string_view)>& visit) {
    while (bytes.size() >= NLMSG_HDRLEN) {
      nlmsghdr head;
      std::memcpy(&head, bytes.data(), sizeof(head));
      if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > bytes.size()) return -EBADMSG;
      std::string_view payload = bytes.substr(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
      if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
        int error = 0;
        if (payload.size() >= sizeof(error)) std::memcpy(&error, payload.data(), sizeof(error));
        if (error < 0) *text = ExtendedAck(head, payload);
        return std::min(error, 0);
      }
      if (head.nlmsg_type >= NLMSG_MIN_TYPE && payload.size() >= GENL_HDRLEN) visit(payload.substr(GENL_HDRLEN));
      bytes.remove_prefix(std::min<size_t>(NLMSG_ALIGN(head.nlmsg_len), bytes.size()));
    }
    return 1;
  }

  UniqueFd fd_;
  Result error_ = 0;
  std::string buffer_;
};

// The number that the kernel has given to nfdbus, which it loads if it can; or a negative errno.
Result FamilyOf(GenericNetlink& netlink, std::string* text) {
  Request request(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
  request.AddText(CTRL_ATTR_FAMILY_NAME, NFDBUS_GENL_NAME);
  uint16_t id = 0;
  Result result = netlink.Ask(request, text, [&](std::string_view attributes) {
    EachAttribute(attributes, [&](uint16_t type, std::string_view bytes) {
      if (type == CTRL_ATTR_FAMILY_ID && bytes.size() >= sizeof(id)) std::memcpy(&id, bytes.data(), sizeof(id));
    });
  });
  if (result == -ENOENT || (result == 0 && id == 0)) {
    *text = "the kernel has no nfdbus";
    return -EPROTONOSUPPORT;
  }
  return result < 0 ? result : id;
}

Address FromKernel(uint64_t value) {
  return {static_cast<uint16_t>(value >> BUS_CLIENT_BITS), value & BUS_CLIENT_MASK};
}

NfdbusRow RowOf(std::string_view attributes) {
  NfdbusRow row = {};
  EachAttribute(attributes, [&](uint16_t type, std::string_view bytes) {
    uint64_t address = 0;
    if (type == NFDBUS_ATTR_ADDRESS && bytes.size() >= sizeof(address)) {
      std::memcpy(&address, bytes.data(), sizeof(address));
      row.address = FromKernel(address);
    }
    if (type == NFDBUS_ATTR_RULE) row.rule = TextOf(bytes);
    if (type == NFDBUS_ATTR_NAME) row.name = TextOf(bytes);
  });
  return row;
}

}  // namespace

NfdbusAnswer AskNfdbus(const NfdbusRequest& asked) {
  NfdbusAnswer answer;
  for (const auto& text : {asked.rule, asked.name}) {
    if (!text || text->size() <= kMostText) continue;
    answer.result = -EMSGSIZE;
    return answer;
  }
  GenericNetlink netlink;
  Result family = FamilyOf(netlink, &answer.text);
  if (family < 0) {
    answer.result = family;
    return answer;
  }
  bool dump = asked.command == NFDBUS_CMD_GET;
  Request request(static_cast<uint16_t>(family), dump ? NLM_F_DUMP : NLM_F_ACK,
                  static_cast<uint8_t>(asked.command), NFDBUS_GENL_VERSION);
  request.Add(NFDBUS_ATTR_PATH, asked.path.data(), asked.path.size());
  if (asked.address) {
    uint64_t address = ToKernel(*asked.address);
    request.Add(NFDBUS_ATTR_ADDRESS, &address, sizeof(address));
  }
  if (asked.rule) request.AddText(NFDBUS_ATTR_RULE, *asked.rule);
  if (asked.name) request.AddText(NFDBUS_ATTR_NAME, *asked.name);
  answer.result = netlink.Ask(request, &answer.text, [&](std::string_view attributes) {
    answer.rows.push_back(RowOf(attributes));
  });
  return answer;
}

}  // namespace afbus
