// SPDX-License-Identifier: MIT
#include "plugin/call_error.h"

#include <algorithm>
#include <cstring>

namespace swapmq::plugin {
namespace {

struct StatusWord {
  Errc code;
  std::string_view word;
  std::string_view text; // where the plugin gave none
};

constexpr std::array<StatusWord, SWAPMQ_STATUS_COUNT> kStatuses = {{
    {Errc::ok, "OK", ""},
    {Errc::invalid_argument, "INVALID_ARGUMENT", "the arguments are not possible here"},
    {Errc::not_supported, "NOT_SUPPORTED", "this backend cannot do it"},
    {Errc::not_found, "NOT_FOUND", "it does not exist"},
    {Errc::conflict, "CONFLICT", "it exists with other properties"},
    {Errc::unavailable, "UNAVAILABLE", "the broker cannot be reached"},
    {Errc::timeout, "TIMEOUT", "the deadline passed"},
    {Errc::interrupted, "INTERRUPTED", "it was interrupted"},
    {Errc::resource_exhausted, "RESOURCE_EXHAUSTED", "a bound, memory, disk or quota is full"},
    {Errc::too_large, "TOO_LARGE", "it is beyond a limit of the backend"},
    {Errc::access_denied, "ACCESS_DENIED", "credentials or permissions do not allow it"},
    {Errc::corrupt, "CORRUPT", "stored data is damaged"},
    {Errc::lost, "LOST", "it is no longer ours"},
    {Errc::internal, "INTERNAL", "a defect in the plugin"},
}};

/// The length of the UTF-8 sequence that `text` begins with; 0 if that is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (lead == 0xe0 && second < 0xa0) return 0;  // overlong
  if (lead == 0xed && second >= 0xa0) return 0; // surrogate
  if (lead == 0xf0 && second < 0x90) return 0;  // overlong
  if (lead == 0xf4 && second >= 0x90) return 0; // beyond U+10FFFF
  return length;
}

/// What was cut to fit may end within a character.
void drop_cut_character(std::string_view& text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    if (byte >= 0xc0 && sequence_length(text.substr(text.size() - back)) == 0) {
      text.remove_suffix(back);
    }
    return;
  }
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

} // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
  std::string line;
  line.reserve(std::min(text.size(), max_bytes));
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (line.size() + taken > max_bytes) break;
    if (length == 0) {
      line += '?';
    } else if (is_control(text[0])) {
      line += ' ';
    } else {
      line.append(text, 0, length);
    }
    text.remove_prefix(taken);
  }
  return line;
}

ErrorBuffer::ErrorBuffer() {
  error_.struct_size = sizeof error_;
  error_.message_capacity = static_cast<std::uint32_t>(memory_.size());
  error_.message = memory_.data();
}

std::string ErrorBuffer::text() const {
  // The length is the plugin's word; some leave it 0 and trust the terminator.
  const std::size_t room = memory_.size() - 1;
  const std::size_t said = error_.message_length == 0 ? room : error_.message_length;
  std::string_view text(memory_.data(), ::strnlen(memory_.data(), std::min(said, room)));
  if (text.size() == room) drop_cut_character(text);
  return one_line(text, text.size());
}

bool is_known(swapmq_status status) { return status >= 0 && status < SWAPMQ_STATUS_COUNT; }

Errc to_errc(swapmq_status status) {
  return is_known(status) ? kStatuses[static_cast<std::size_t>(status)].code : Errc::internal;
}

std::string_view status_word(swapmq_status status) {
  return is_known(status) ? kStatuses[static_cast<std::size_t>(status)].word : "unknown";
}

Error call_error(std::string_view plugin, std::string_view slot, swapmq_status status,
                 const ErrorBuffer& buffer) {
  if (status == SWAPMQ_OK) return {};
  if (!is_known(status)) {
    return breach(plugin, slot,
                  "it returned status " + std::to_string(status) + ", which the ABI does not know");
  }
  std::string text = buffer.text();
  if (text.empty()) text = kStatuses[static_cast<std::size_t>(status)].text;
  std::string message(plugin);
  message.append(": ").append(slot).append(": ").append(text);
  return {to_errc(status), std::move(message), (buffer.flags() & SWAPMQ_ERROR_RETRYABLE) != 0};
}

Error breach(std::string_view plugin, std::string_view slot, std::string_view rule) {
  std::string message(plugin);
  message.append(": ").append(slot).append(": the plugin broke the ABI: ").append(rule);
  return {Errc::internal, std::move(message)};
}

} // namespace swapmq::plugin
