// SPDX-License-Identifier: MIT
// The messages of a batch in columns, for agents that get the messages of a crowd: one step in JavaScript for each batch
// instead of one for each message.
#pragma once

#include <cstddef>
#include <cstdint>

#include "message.h"

namespace afbus {

// Indexes in the table of numbers: a header; then one value per message in each column, column after column; then one
// row for each kind, which is what several messages have in common.
namespace columns {
constexpr size_t kHeader = 3, kCount = 0, kKinds = 1, kLastFence = 2;
enum Column { kNumbers, kSequences, kLengths, kKindOf, kColumns };
enum Field { kFlags, kPrefix, kClient, kPid, kUid, kGid, kKindStride };
constexpr size_t kRoom = kHeader + Inbox::kMaxMessages * (size_t{kColumns} + size_t{kKindStride});
constexpr uint32_t kFence = 1;
// What a receive returns instead of a batch of messages: it is in columns; they are equal to the last ones, which the
// table still has; the queue is empty now.
constexpr int kInColumns = 1, kRepeated = 2, kEmptied = 4;
}  // namespace columns

// Writes the batch to a table with kRoom numbers, and returns how many it used. 0 if a message is not a whole
// one of this run, lacks its sequence number or credentials, or has more than those (descriptors, truncation): then the
// table holds nothing of use.
size_t PackColumns(const Inbox& inbox, uint32_t nonce, double* table);

}  // namespace afbus
