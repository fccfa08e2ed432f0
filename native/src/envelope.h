// SPDX-License-Identifier: MIT
// The mark at the beginning of a datagram by which agents know the messages of their run; runner/common/envelope.ts
// has its form. An envelope at the end of a D-Bus message is not looked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace afbus {

struct Envelope {
  bool fence;
  uint32_t number;
  // The whole message is there as it was sent.
  bool intact;
};

// None if the datagram has no envelope of the run with this nonce.
std::optional<Envelope> OpenEnvelope(std::string_view datagram, uint32_t nonce);

}  // namespace afbus
