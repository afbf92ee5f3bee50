// SPDX-License-Identifier: MIT
//
// From a plugin's status and text to an Error, with nothing believed that was not checked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "swapmq/backend.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::plugin {

/// The memory lent to a plugin for its error text, for one call.
class ErrorBuffer {
 public:
  ErrorBuffer();
  ErrorBuffer(const ErrorBuffer&) = delete;
  ErrorBuffer& operator=(const ErrorBuffer&) = delete;

  [[nodiscard]] swapmq_error* lend() { return &error_; }
  /// One line of valid UTF-8, cut to the memory that was lent, whatever the plugin says of it.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint32_t flags() const { return error_.flags; }

 private:
  std::array<char, 512> memory_{};
  swapmq_error error_{};
};

bool is_known(swapmq_status status);
/// internal for what the ABI does not know.
Errc to_errc(swapmq_status status);
std::string_view status_word(swapmq_status status);

/// "PLUGIN: SLOT: TEXT"; ok for SWAPMQ_OK.
Error call_error(std::string_view plugin, std::string_view slot, swapmq_status status,
                 const ErrorBuffer& buffer);

/// A rule of the ABI that the plugin broke.
Error breach(std::string_view plugin, std::string_view slot, std::string_view rule);

/// Control characters become spaces, invalid UTF-8 question marks; at most `max_bytes` of it.
std::string one_line(std::string_view text, std::size_t max_bytes);
bool is_utf8(std::string_view text);

} // namespace swapmq::plugin
