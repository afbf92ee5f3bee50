// SPDX-License-Identifier: MIT
//
// Claiming what is ready: the reading half of an exchange, within a running write transaction.
#pragma once

#include <cstdint>
#include <memory>

#include "database.hpp"
#include "lanes.hpp"
#include "message_batch.hpp"

namespace swapmq::sqlite {

struct ClaimRequest {
  int64_t queue = 0;
  int64_t max_messages = 0;
  uint64_t max_bytes = 0; // 0: no limit
  int64_t consumer = 0;
  int64_t* claim_count = nullptr; // of the consumer; the claims it makes are numbered by it
};

struct Claimed {
  std::unique_ptr<MessageBatch> batch; // perhaps empty
  bool stopped = false; // so much had expired that the rest was left for the next transaction
};

/// Highest priority first, and in each lane what came back before what is fresh. The lanes are to
/// be saved before the commit. Throws CORRUPT where a message is damaged; then the transaction must
/// not be committed.
Claimed claim_messages(Database& database, Lanes& lanes, const ClaimRequest& request);

/// What waits for its time, earliest due first; held, such a message keeps the time. Else as above.
Claimed claim_delayed_messages(Database& database, Lanes& lanes, const ClaimRequest& request);

} // namespace swapmq::sqlite
