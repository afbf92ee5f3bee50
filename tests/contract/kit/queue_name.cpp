// SPDX-License-Identifier: MIT
#include "queue_name.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "message.h"
#include "plugin.h"

namespace swapmq::contract {

namespace {

/// The number in letters of the backend's alphabet.
std::string spelled(std::uint64_t number, std::string_view alphabet) {
  std::string text;
  do {
    text += alphabet[number % alphabet.size()];
    number /= alphabet.size();
  } while (number > 0);
  return text;
}

std::string only(std::string_view text, std::string_view alphabet) {
  std::string kept;
  for (const char c : text) {
    if (alphabet.find(c) != std::string_view::npos) kept += c;
  }
  return kept;
}

} // namespace

std::string fresh_queue_name(std::string_view hint) {
  static std::atomic<std::uint64_t> next{1};
  const char* allowed = limits().queue_name_alphabet;
  const std::string_view alphabet =
      allowed != nullptr ? allowed : "abcdefghijklmnopqrstuvwxyz0123456789-";
  const auto run = static_cast<std::uint64_t>(unix_now_ms()) * 1000 +
                   static_cast<std::uint64_t>(getpid()) % 1000;
  const std::string unique = spelled(run * 1000 + next++, alphabet);
  std::string name = only("kit-" + std::string(hint) + "-", alphabet) + unique;
  const std::size_t most = limits().max_queue_name_bytes;
  if (most != 0 && name.size() > most) name = unique.substr(0, most);
  return name;
}

} // namespace swapmq::contract
