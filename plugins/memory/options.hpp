// SPDX-License-Identifier: MIT
//
// The options of a memory backend: their schema, their reading, their defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swapmq::memory {

/// Absent limits mean: as the store has them that is open under this name, else the default.
struct Options {
  std::string name = "default";
  std::optional<uint64_t> max_messages;
  std::optional<uint64_t> max_bytes;
};

inline constexpr uint64_t kDefaultMaxMessages = 1'000'000;
inline constexpr uint64_t kDefaultMaxBytes = uint64_t{1} << 30;
inline constexpr uint64_t kLeastMaxBytes = uint64_t{1} << 16;

/// JSON Schema (draft 4).
extern const char* const kOptionsSchema;

/// Throws backend::Failure(INVALID_ARGUMENT).
Options read_options(std::string_view json);

} // namespace swapmq::memory
