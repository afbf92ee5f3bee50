// SPDX-License-Identifier: MIT
//
// What is measured, against what, and what is aimed at.
#pragma once

#include <string>
#include <vector>

#include "../../live/rabbitmq/rabbitmq_setup.hpp"
#include "../broker/contest.h"

namespace bench {

struct Case {
  enum class Kind { stream, calls, single, consume, both };

  std::string name;
  std::string queue_type;
  Kind kind;
  std::size_t window;   ///< without a confirm, of both sides
  std::size_t body;     ///< bytes
  std::size_t messages; ///< a repetition, if nothing else is asked
  double goal;          ///< of the ratio
};

std::vector<Case> all_cases();

/// On the broker of those options. Throws swapmq::Exception.
Contest contest_of(const Case& what, swapmq::live::RabbitmqOptions options);

} // namespace bench
