// SPDX-License-Identifier: MIT
//
// What is measured, against what, and what is aimed at.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker.h"
#include "library.h"

namespace bench {

struct Case {
  enum class Kind { batches, handler, async, threads, single };

  std::string_view name;
  Kind kind;
  std::size_t batch;    ///< of both sides; of raw alone, where ours publishes from threads
  std::size_t messages; ///< a repetition, if nothing else is asked
  double goal;          ///< of the ratio
};

std::span<const Case> all_cases();

struct Amount {
  std::size_t repetitions = 41;
  std::size_t messages = 0; ///< a repetition; 0: the case's own
  std::size_t body = 64;
};

/// Medians. What a case does not measure is empty.
struct Result {
  const Case* measured;
  Amount amount;
  std::string raw_variant{};
  double ours = 0, raw = 0; ///< messages a second, or microseconds where each is timed by itself
  double ratio = 0;         ///< above 1: ours is faster
  double raw_again = 0;     ///< raw against itself: 1 without noise
  double ours_cpu_us = 0, raw_cpu_us = 0;
  struct Tail {
    double ours_p99 = 0, raw_p99 = 0;
  };
  std::optional<Tail> tail{};
  struct Ceiling {
    double rate = 0, ratio = 0, goal = 0; ///< where each thread is woken by itself
    double together = 0;                  ///< the rate where a group is woken by one call
  };
  std::optional<Ceiling> ceiling{};
};

/// Whom it is measured with.
struct Arena {
  std::uint16_t port;
  Broker& broker;
  swapmq::MessageQueue& library;
};

/// Throws VoidRun, and whatever went wrong.
Result measure(const Case& what, const Arena& arena, const Amount& amount,
               const std::function<void(const std::string& stage)>& progress);

} // namespace bench
