// SPDX-License-Identifier: MIT
//
// Publishing: one call, one transaction, one sync; the commit is the confirm.
#pragma once

#include <cstdint>
#include <string_view>

#include "database.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

// SQLite's own limit is 10^9 bytes a row; what stays below it can always be read back.
constexpr uint64_t kMaxBodyBytes = uint64_t{256} << 20;
constexpr uint64_t kMaxHeadersBytes = uint64_t{16} << 20;
constexpr uint32_t kMaxHeaderCount = 65536;
constexpr uint32_t kMaxBatch = 65536;

struct PublishTarget {
  std::string_view name;
  uint64_t max_length = 0;   // for a queue that is made by it
  uint64_t max_messages = 0; // the bound of the options on every queue; 0: none
};

/// Gives each message its result. Throws Failure where the transaction as a whole failed; then the
/// results say whether that is certain.
void publish_messages(Database& database, const PublishTarget& target, backend::Messages messages,
                      backend::PublishResults results);

} // namespace swapmq::sqlite
