// SPDX-License-Identifier: MIT
#include "message.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>

#include "breach.h"

namespace swapmq::contract {

namespace {

/// The largest that this run published; what other processes of it publish is smaller than the
/// least. A size beyond it is a plugin's invention, and nothing there may be read.
std::atomic<std::uint64_t> largest_body{4096};
std::atomic<std::uint64_t> largest_value{4096};
std::atomic<std::uint64_t> most_headers{64};

void raise(std::atomic<std::uint64_t>& to, std::uint64_t value) {
  std::uint64_t now = to.load();
  while (now < value && !to.compare_exchange_weak(now, value)) {
  }
}

void check_view(const char* what, swapmq_bytes view, std::uint64_t largest) {
  if (view.size > largest) {
    throw Breach(std::string("a delivered ") + what + " has " + std::to_string(view.size) +
                 " bytes; the longest that was published has " + std::to_string(largest));
  }
  if (view.size > 0 && view.data == nullptr) {
    throw Breach(std::string("a delivered ") + what + " has a size and no data");
  }
}

std::string of_text(const char* what, std::string_view sent, std::string_view got) {
  if (sent == got) return {};
  const auto at = std::mismatch(sent.begin(), sent.end(), got.begin(), got.end()).first;
  return std::string(what) + " differs at byte " + std::to_string(at - sent.begin()) +
         ": published " + shown(sent) + ", delivered " + shown(got) + "; ";
}

template <class N>
std::string of_number(const char* what, N sent, N got) {
  if (sent == got) return {};
  return std::string(what) + ": published " + std::to_string(sent) + ", delivered " +
         std::to_string(got) + "; ";
}

std::string of_headers(const Headers& sent, const Headers& got) {
  std::string found = of_number("header count", sent.size(), got.size());
  for (std::size_t i = 0; found.empty() && i < sent.size(); ++i) {
    found += of_text("a header's name", sent[i].first, got[i].first);
    found += of_text("a header's value", sent[i].second, got[i].second);
  }
  return found;
}

} // namespace

std::string_view view(swapmq_bytes bytes) {
  if (bytes.size == 0) return {};
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

std::string shown(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, 24)) {
    if (c >= ' ' && c < 127) {
      line += c;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(c) & 0xffu);
      line += hex;
    }
  }
  return "\"" + line + (text.size() > 24 ? "\"… (" : "\" (") + std::to_string(text.size()) +
         " bytes)";
}

swapmq_bytes bytes(std::string_view text) { return {text.data(), text.size()}; }

std::int64_t unix_now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Message message(std::string body) {
  static std::atomic<std::uint64_t> next{1};
  static const std::string run = std::to_string(getpid()) + "-" + std::to_string(unix_now_ms());
  Message made;
  made.id = run + "-" + std::to_string(next++);
  made.body = std::move(body);
  made.timestamp_ms = unix_now_ms();
  return made;
}

std::vector<Message> messages(std::string_view prefix, std::size_t count) {
  std::vector<Message> made;
  made.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(message(std::string(prefix) + " " + std::to_string(i)));
  }
  return made;
}

std::string pattern(std::size_t size, unsigned seed) {
  std::string made(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& c : made) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return made;
}

Wire::Wire(std::span<const Message> messages, std::size_t extra)
    : row_(messages.size(), sizeof(swapmq_message) + extra) {
  headers_.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& from = messages[i];
    headers_.emplace_back(from.headers.size(), sizeof(swapmq_header) + extra);
    for (std::size_t h = 0; h < from.headers.size(); ++h) {
      headers_.back()[h] = {bytes(from.headers[h].first), bytes(from.headers[h].second)};
      raise(largest_value, from.headers[h].second.size());
    }
    raise(most_headers, from.headers.size());
    raise(largest_body, from.body.size());
    swapmq_message& to = row_[i];
    to = swapmq_message{};
    to.id = bytes(from.id);
    to.body = bytes(from.body);
    to.headers = from.headers.empty() ? nullptr : headers_.back().data();
    to.header_count = static_cast<std::uint32_t>(from.headers.size());
    to.header_size = headers_.back().stride();
    to.timestamp_ms = from.timestamp_ms;
    to.first_published_ms = from.first_published_ms;
    to.due_at_ms = from.due_at_ms;
    to.expires_at_ms = from.expires_at_ms;
    to.priority = from.priority;
    to.delivery_count = from.delivery_count;
    to.ordering_key = bytes(from.ordering_key);
    to.correlation_id = bytes(from.correlation_id);
    to.reply_to = bytes(from.reply_to);
    to.content_type = bytes(from.content_type);
  }
}

void check_sizes(const swapmq_message& delivered) {
  check_view("id", delivered.id, 255);
  if (delivered.id.size == 0) throw Breach("a delivered message has no id");
  check_view("body", delivered.body, largest_body);
  check_view("ordering_key", delivered.ordering_key, largest_value);
  check_view("correlation_id", delivered.correlation_id, largest_value);
  check_view("reply_to", delivered.reply_to, largest_value);
  check_view("content_type", delivered.content_type, largest_value);
  if (delivered.header_count == 0) return;
  if (delivered.header_count > most_headers) {
    throw Breach("a delivered message has " + std::to_string(delivered.header_count) +
                 " headers; the most that were published are " + std::to_string(most_headers));
  }
  if (delivered.headers == nullptr || delivered.header_size < sizeof(swapmq_header)) {
    throw Breach("the headers of a delivered message are NULL or their header_size is too small");
  }
  const auto* first = reinterpret_cast<const std::byte*>(delivered.headers);
  for (std::size_t i = 0; i < delivered.header_count; ++i) {
    const auto& header = *reinterpret_cast<const swapmq_header*>(first + i * delivered.header_size);
    check_view("header's name", header.name, 255);
    check_view("header's value", header.value, largest_value);
  }
}

Message copy(const swapmq_message& from) {
  check_sizes(from);
  Message to;
  to.id = view(from.id);
  to.body = view(from.body);
  const auto* first = reinterpret_cast<const std::byte*>(from.headers);
  for (std::size_t i = 0; i < from.header_count; ++i) {
    const auto& header = *reinterpret_cast<const swapmq_header*>(first + i * from.header_size);
    to.headers.emplace_back(view(header.name), view(header.value));
  }
  to.timestamp_ms = from.timestamp_ms;
  to.first_published_ms = from.first_published_ms;
  to.due_at_ms = from.due_at_ms;
  to.expires_at_ms = from.expires_at_ms;
  to.priority = from.priority;
  to.delivery_count = from.delivery_count;
  to.ordering_key = view(from.ordering_key);
  to.correlation_id = view(from.correlation_id);
  to.reply_to = view(from.reply_to);
  to.content_type = view(from.content_type);
  return to;
}

std::string difference(const Message& sent, const Message& got) {
  std::string found = of_text("id", sent.id, got.id) + of_text("body", sent.body, got.body) +
                      of_headers(sent.headers, got.headers) +
                      of_text("ordering_key", sent.ordering_key, got.ordering_key) +
                      of_text("correlation_id", sent.correlation_id, got.correlation_id) +
                      of_text("reply_to", sent.reply_to, got.reply_to) +
                      of_text("content_type", sent.content_type, got.content_type) +
                      of_number("timestamp_ms", sent.timestamp_ms, got.timestamp_ms) +
                      of_number("due_at_ms", sent.due_at_ms, got.due_at_ms) +
                      of_number("expires_at_ms", sent.expires_at_ms, got.expires_at_ms) +
                      of_number("priority", sent.priority, got.priority) +
                      of_number("delivery_count", sent.delivery_count, got.delivery_count);
  // 0 means "same as timestamp_ms", so a plugin may say it out.
  const bool same_first =
      sent.first_published_ms == 0 && got.first_published_ms == sent.timestamp_ms;
  if (!same_first) {
    found += of_number("first_published_ms", sent.first_published_ms, got.first_published_ms);
  }
  return found;
}

} // namespace swapmq::contract
