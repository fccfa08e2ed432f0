// SPDX-License-Identifier: MIT
#include "address.h"

#include <cstring>

namespace afbus {

static_assert(sizeof(sockaddr_bus) == 128, "sockaddr_bus is 128 bytes");
static_assert(offsetof(sockaddr_bus, sbus_addr) == 8, "the address is at offset 8");

bool MakeName(int family, Address address, std::string_view path, sockaddr_bus* name) {
  if (path.size() > sizeof(name->sbus_path)) return false;
  std::memset(name, 0, sizeof(*name));
  name->sbus_family = static_cast<__kernel_sa_family_t>(family);
  name->sbus_addr.s_addr = ToKernel(address);
  path.copy(name->sbus_path, path.size());
  return true;
}

Address AddressOf(const sockaddr_bus& name) {
  uint64_t value = name.sbus_addr.s_addr;
  return {static_cast<uint16_t>(value >> BUS_CLIENT_BITS), value & BUS_CLIENT_MASK};
}

uint64_t ToKernel(Address address) {
  return static_cast<uint64_t>(address.prefix) << BUS_CLIENT_BITS | (address.client & BUS_CLIENT_MASK);
}

}  // namespace afbus
