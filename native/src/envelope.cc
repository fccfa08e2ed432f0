// SPDX-License-Identifier: MIT
#include "envelope.h"

// The one in Node.js, as its page on addons permits.
#include <zlib.h>

#include <cstddef>

namespace afbus {

namespace {

constexpr size_t kSize = 32, kIdentitySize = 16;
constexpr size_t kVersionAt = 4, kKindAt = 5, kReservedAt = 6, kNonceAt = 8, kNumberAt = 12, kLengthAt = 16,
                 kChecksumAt = 20, kPaddingAt = 24;
constexpr uint32_t kMagic = 0x54424641;  // "AFBT"
constexpr uint32_t kVersion = 1;
constexpr uint32_t kFence = 1;

// A little-endian number of `size` bytes. The caller knows that they are there.
uint32_t NumberAt(std::string_view bytes, size_t at, size_t size = sizeof(uint32_t)) {
  uint32_t number = 0;
  for (size_t i = 0; i < size; i++) number |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << 8 * i;
  return number;
}

uint32_t Checksum(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

bool IsIntact(std::string_view datagram) {
  if (datagram.size() < kSize || datagram.size() != NumberAt(datagram, kLengthAt)) return false;
  uint32_t reserved =
      NumberAt(datagram, kReservedAt, 2) | NumberAt(datagram, kPaddingAt) | NumberAt(datagram, kPaddingAt + 4);
  return reserved == 0 && Checksum(datagram.substr(kSize)) == NumberAt(datagram, kChecksumAt);
}

}  // namespace

std::optional<Envelope> OpenEnvelope(std::string_view datagram, uint32_t nonce) {
  if (datagram.size() < kIdentitySize) return std::nullopt;
  uint32_t kind = NumberAt(datagram, kKindAt, 1);
  bool ours = NumberAt(datagram, 0) == kMagic && NumberAt(datagram, kVersionAt, 1) == kVersion && kind <= kFence &&
              NumberAt(datagram, kNonceAt) == nonce;
  if (!ours) return std::nullopt;
  return Envelope{kind == kFence, NumberAt(datagram, kNumberAt), IsIntact(datagram)};
}

}  // namespace afbus
