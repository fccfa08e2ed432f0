// SPDX-License-Identifier: MIT
// Requests to nfdbus, the kernel's filter of buses that speak D-Bus, by generic netlink (linux/nfdbus.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "syscall.h"

namespace afbus {

// A command of linux/nfdbus.h with its attributes: those that it does not take are left out.
struct NfdbusRequest {
  int command = 0;
  std::string path;
  std::optional<Address> address;
  std::optional<std::string> rule;
  std::optional<std::string> name;
};

// What a client has: a rule, or a name.
struct NfdbusRow {
  Address address;
  std::optional<std::string> rule;
  std::optional<std::string> name;
};

struct NfdbusAnswer {
  // 0 or a negative errno; -EPROTONOSUPPORT where the kernel has no nfdbus.
  Result result = 0;
  // What the kernel said of an error (extended ack); empty where it said nothing.
  std::string text;
  std::vector<NfdbusRow> rows;
};

// Done when it returns: the kernel takes such requests while they are sent.
NfdbusAnswer AskNfdbus(const NfdbusRequest& request);

}  // namespace afbus
