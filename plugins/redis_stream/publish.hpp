// SPDX-License-Identifier: MIT
//
// Publishing: XADDs in a pipeline that is kept full, an answer for each message, and, where the
// connection breaks, the word for what became of the rest.
#pragma once

#include <cstdint>
#include <string>

#include "keys.hpp"
#include "link.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

inline constexpr uint64_t kMaxBodyBytes = uint64_t{128} << 20;
inline constexpr uint64_t kMaxHeadersBytes = uint64_t{16} << 20;
// A script hands an entry's fields to XADD on Lua's stack, which holds 8000.
inline constexpr uint32_t kMaxHeaderCount = 2000;
inline constexpr uint32_t kMaxPublishBatch = 65536;

/// What is the same for all messages of a queue, encoded once.
struct PublishTarget {
  PublishTarget(const QueueKeys& keys, const Options& options, uint64_t max_length);

  const QueueKeys& keys;
  const Options& options;
  uint64_t max_length; // of the queue, beyond which publishing is refused; 0: no limit
  bool always_by_script;
  std::string xadd; // the arguments before the fields
  std::size_t xadd_arguments;
};

/// Fills in all results, unless it throws Failure before anything was sent, as for want of a
/// connection. Also throws when they are filled in, to say why some are not confirmed.
void publish_messages(Link& link, const PublishTarget& target, backend::Messages messages,
                      backend::PublishResults results, backend::Deadline deadline);

} // namespace swapmq::redis
