// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "linux/bus.h"

namespace afbus {

// An address in parts, which JavaScript numbers can represent exactly.
struct Address {
  uint16_t prefix;
  uint64_t client;
};

// Fills a zeroed sockaddr_bus. False if the path is longer than BUS_PATH_MAX.
bool MakeName(int family, Address address, std::string_view path, sockaddr_bus* name);

Address AddressOf(const sockaddr_bus& name);

uint64_t ToKernel(Address address);

}  // namespace afbus
