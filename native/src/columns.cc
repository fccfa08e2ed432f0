// SPDX-License-Identifier: MIT
#include "columns.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "envelope.h"

namespace afbus {

namespace {

using namespace columns;
using Kind = std::array<double, kKindStride>;

Kind KindOf(const Received& message, const Envelope& envelope) {
  Kind kind;
  kind[kFlags] = envelope.fence ? kFence : 0;
  kind[kPrefix] = message.from.prefix;
  kind[kClient] = static_cast<double>(message.from.client);
  kind[kPid] = message.credentials.pid;
  kind[kUid] = message.credentials.uid;
  kind[kGid] = message.credentials.gid;
  return kind;
}

// The kind's place in `kinds`, of which there are `*count`; a new one is added. Most batches have one or two.
size_t PlaceOf(const Kind& kind, double* kinds, size_t* count) {
  for (size_t place = 0; place < *count; place++) {
    if (std::equal(kind.begin(), kind.end(), kinds + place * kKindStride)) return place;
  }
  std::copy(kind.begin(), kind.end(), kinds + *count * kKindStride);
  return (*count)++;
}

}  // namespace

size_t PackColumns(const Inbox& inbox, uint32_t nonce, double* table) {
  const auto& messages = inbox.Messages();
  size_t count = messages.size(), kind_count = 0;
  double* column = table + kHeader;
  double* kinds = column + count * kColumns;
  double last_fence = -1;
  for (const Received& message : messages) {
    if (message.flags != (kSequence | kCredentials) || message.fd_count > 0) return 0;
    auto envelope = OpenEnvelope({inbox.Bytes() + message.offset, message.received}, nonce);
    if (!envelope || !envelope->intact) return 0;
    column[kNumbers * count] = envelope->number;
    column[kSequences * count] = static_cast<double>(message.sequence);
    column[kLengths * count] = static_cast<double>(message.received);
    column[kKindOf * count] = static_cast<double>(PlaceOf(KindOf(message, *envelope), kinds, &kind_count));
    if (envelope->fence) last_fence = envelope->number;
    column++;
  }
  table[kCount] = static_cast<double>(count);
  table[kKinds] = static_cast<double>(kind_count);
  table[kLastFence] = last_fence;
  return kHeader + count * kColumns + kind_count * kKindStride;
}

}  // namespace afbus
