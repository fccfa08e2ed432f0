// SPDX-License-Identifier: MIT
// Requests to nfdbus, the kernel's filter of buses that speak D-Bus, by generic netlink (linux/nfdbus.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "syscall.h"

namespace afbus {

// A command of linux/nfdbus.h with its attributes; unset ones are not sent.
struct NfdbusRequest {
  int command = 0;
  std::string path;
  std::optional<Address> address;
  std::optional<std::string> rule;
  std::optional<std::string> name;
};

// A rule or a name that a client has.
struct NfdbusRow {
  Address address;
  std::optional<std::string> rule;
  std::optional<std::string> name;
};

struct NfdbusAnswer {
  // 0 or a negative errno; -EPROTONOSUPPORT if the kernel has no nfdbus.
  Result result = 0;
  // The kernel's text about an error (extended ack); empty if it sent none.
  std::string text;
  std::vector<NfdbusRow> rows;
};

// Complete on return: the kernel handles such requests within the call that sends them.
NfdbusAnswer AskNfdbus(const NfdbusRequest& request);

}  // namespace afbus
