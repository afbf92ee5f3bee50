// SPDX-License-Identifier: MIT
//
// The two ways in which a wait ends that are not the call's own fault.
#pragma once

#include <string>
#include <utility>

#include "swapmq/backend.hpp"

namespace swapmq::network {

/// The connection is of no further use. What was sent and not answered may have been done.
class ConnectionLost : public backend::Failure {
 public:
  explicit ConnectionLost(std::string what)
      : Failure(SWAPMQ_UNAVAILABLE, std::move(what), SWAPMQ_ERROR_RETRYABLE) {}
};

/// interrupt() ended a wait for the broker. Not an error, so not a Failure.
struct Interrupted {};

} // namespace swapmq::network
