// SPDX-License-Identifier: MIT
//
// What a process and its probe say to each other: one request, then a line for each step, then the
// end. Both are of the same build, or part at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace swapmq::probe {

/// What is tried. The bytes of the plugin are in descriptor 3, this comes in standard input.
struct Request {
  std::string name, path; ///< of the plugin
  bool open = false;      ///< otherwise it is only loaded
  std::string options;    ///< of the backend; secrets resolved
  std::string instance;
  std::int64_t deadline_ns = 0; ///< on the monotonic clock, which processes share
  std::int64_t parent = 0;      ///< process that asks
};
constexpr int image_descriptor = 3;

std::string to_text(const Request& request);
/// None: another build wrote it.
std::optional<Request> request_from(std::string_view text);

/// What the probe wrote to its standard output until it ended.
struct Report {
  std::string step;   ///< the last that was begun: where a plugin crashed or hangs
  bool ended = false; ///< with the error
  bool other_build = false;
  Error error;
};

std::string begun(std::string_view step);
std::string ended(const Error& error);
std::string other_build();
Report report_from(std::string_view text);

} // namespace swapmq::probe
