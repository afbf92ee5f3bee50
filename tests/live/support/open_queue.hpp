// SPDX-License-Identifier: MIT
//
// A message queue, from the text of its config.
#pragma once

#include <string>
#include <utility>

#include "swapmq/swapmq.hpp"

namespace swapmq::live {

/// Throws swapmq::Exception.
inline MessageQueue open_queue(const std::string& config) {
  auto opened = MessageQueue::try_open_text(config, "test");
  if (!opened) throw Exception(opened.error());
  return *std::move(opened);
}

} // namespace swapmq::live
