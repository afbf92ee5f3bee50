// SPDX-License-Identifier: MIT
//
// One comparison of the library with a raw client, and what came out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker.h"
#include "contender.h"
#include "measure.h"

namespace bench {

struct Contest {
  std::string name;
  double goal; ///< of the ratio
  Traffic traffic;
  std::size_t messages; ///< a repetition, if nothing else is asked
  std::function<std::unique_ptr<Contender>()> library;
  std::vector<RawVariant> raw;
  std::size_t body = 0;    ///< bytes; 0: as asked
  bool each_timed = false; ///< figures are microseconds a message then
  /// How many threads share the messages, each as many. The rates at which so many are woken are
  /// measured, too. 0: none.
  std::size_t threads = 0;
  double ceiling_goal = 0; ///< of the rate where each is woken by itself
};

struct Amount {
  std::size_t repetitions = 1;
  std::size_t messages = 0; ///< a repetition; 0: the contest's own
  std::size_t body = 0;     ///< 0: each contest has its own
};

/// Medians. What a contest does not measure is empty.
struct Result {
  std::string name{};
  double goal = 0;
  Amount amount{};
  std::string raw_variant{};
  double ours = 0, raw = 0; ///< messages a second, or microseconds where each is timed by itself
  double ratio = 0;         ///< above 1: ours is faster
  double raw_again = 0;     ///< raw against itself: 1 without noise
  double ours_cpu_us = 0, raw_cpu_us = 0;               ///< a message
  double ours_server_cpu_us = 0, raw_server_cpu_us = 0; ///< of the server
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

/// Throws VoidRun, and whatever went wrong.
Result hold(const Contest& contest, Broker& broker, const Amount& amount,
            const std::function<void(const std::string& stage)>& progress);

} // namespace bench
