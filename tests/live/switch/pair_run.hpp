// SPDX-License-Identifier: MIT
//
// One switch under load, with everything present at the cut-over that could be lost: a backlog,
// deliveries in the hands of handlers, publishes under way, delayed messages and dead letters.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "swapmq/swapmq.hpp"

namespace switch_test {

struct Sections {
  std::string memory, sqlite, redis_stream, rabbitmq; ///< as JSON
};

struct PairResult {
  std::uint64_t confirmed = 0, in_doubt = 0, failed = 0;
  std::uint64_t lost = 0;  ///< confirmed, and neither handled nor a dead letter
  std::uint64_t twice = 0; ///< handled more than once
  /// Deliveries lost with their connection and publishes tried again: they may come twice.
  std::uint64_t may_be_twice = 0;
  // At the cut-over; what the backend does not know is -1.
  std::int64_t ready = 0, unacked = 0, delayed = 0, dead = 0;
  std::uint64_t moved_publishers = 0;       ///< that had confirms before and after
  std::uint64_t moved = 0;                  ///< messages that were moved to the new backend
  std::uint64_t left = 0;                   ///< messages that were left alone, and were there
  std::uint64_t named = 0;                  ///< as left alone, each as often as it lies there
  std::chrono::milliseconds longest_gap{0}; ///< between two confirms of one publisher
  std::chrono::milliseconds until_retired{0};
  std::string trouble; ///< what else was not as it should be; empty: nothing
};

/// Publishes so many messages with 8 publishers and handles them with 8 handlers, on `from` and
/// then on `to`. What is left alone on `from` is handled at the end by another host.
PairResult run_pair(const Sections& sections, const std::string& from, const std::string& to,
                    const swapmq::SwitchOptions& options, std::uint64_t messages);

} // namespace switch_test
