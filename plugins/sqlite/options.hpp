// SPDX-License-Identifier: MIT
//
// The options of the sqlite backend: their JSON Schema, their defaults, their parser.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::sqlite {

/// What a commit waits for. Numbered as SQLite's PRAGMA synchronous.
enum class Synchronous { kOff = 0, kNormal = 1, kFull = 2 };

struct Options {
  std::string path; // absolute
  Synchronous synchronous = Synchronous::kFull;
  std::chrono::milliseconds busy_timeout{5000};
  std::chrono::milliseconds lease{30000};
  uint64_t max_messages = 0; // of each queue; 0: no limit
};

/// JSON Schema (draft 4) of the options object.
extern const char* const kOptionsSchema;

/// Throws Failure(INVALID_ARGUMENT) that names the key.
Options parse_options(std::string_view json);

} // namespace swapmq::sqlite
