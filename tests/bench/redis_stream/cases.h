// SPDX-License-Identifier: MIT
//
// What is measured, against what, and what is aimed at.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "../broker/contest.h"
#include "swapmq/swapmq.hpp"

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

/// On the server that the library has been told of, too.
Contest contest_of(const Case& what, std::uint16_t port, swapmq::MessageQueue& library);

} // namespace bench
