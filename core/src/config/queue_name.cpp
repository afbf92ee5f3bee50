// SPDX-License-Identifier: MIT
#include "config/queue_name.h"

#include <cstdint>
#include <cstdio>

#include "config/text.h"

namespace swapmq::config {

bool is_queue_role(std::string_view name) {
  return name == "@task" || name == "@status" || name == "@heartbeat" || name == "@control";
}

Error check_queue_name(std::string_view name) {
  const auto wrong = [&](const std::string& why) {
    return Error(Errc::invalid_argument, "queue name " + quoted(name) + " " + why);
  };
  if (name.empty()) return {Errc::invalid_argument, "a queue name must not be empty"};
  if (name.front() == '@') {
    return wrong("begins with \"@\", as only roles do: @task, @status, @heartbeat, @control");
  }
  if (name.size() > kMaxQueueNameBytes) {
    return wrong("has " + std::to_string(name.size()) + " bytes; at most " +
                 std::to_string(kMaxQueueNameBytes) + " are allowed");
  }
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = utf8_sequence(name, i);
    if (length == 0) return wrong("is not UTF-8 (byte " + std::to_string(i + 1) + ")");
    if (control_character(name, i) > 0) {
      return wrong("holds a control character (byte " + std::to_string(i + 1) + "); remove it");
    }
    i += length;
  }
  return {};
}

std::string default_dead_letter_queue(std::string_view name) {
  constexpr std::string_view kSuffix = ".dead";
  if (name.size() + kSuffix.size() <= kMaxQueueNameBytes) {
    return std::string(name).append(kSuffix);
  }
  std::uint64_t hash = 14695981039346656037u; // FNV-1a: stable across builds and machines
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  char digits[18];
  std::snprintf(digits, sizeof digits, "-%016llx", static_cast<unsigned long long>(hash));
  std::size_t keep = kMaxQueueNameBytes - kSuffix.size() - (sizeof digits - 1);
  while (keep > 0 && (static_cast<unsigned char>(name[keep]) & 0xC0u) == 0x80u) --keep;
  return std::string(name.substr(0, keep)).append(digits).append(kSuffix);
}

} // namespace swapmq::config
