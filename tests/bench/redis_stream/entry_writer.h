// SPDX-License-Identifier: MIT
//
// The XADD of one message of the documented wire format, encoded once for a queue and a body: an
// entry is copied from the parts that stay the same and the id. All entries have one length.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "../broker/contender.h"

namespace bench {

/// Appends one argument of a command.
inline void append_argument(std::string& to, std::string_view value) {
  to.append("$").append(std::to_string(value.size())).append("\r\n").append(value).append("\r\n");
}

class EntryWriter {
 public:
  EntryWriter(std::string_view key, std::string_view body) {
    head_ = "*13\r\n$4\r\nXADD\r\n";
    append_argument(head_, key);
    head_ += "$1\r\n*\r\n$10\r\nmessage_id\r\n$36\r\n";
    middle_ = "\r\n$4\r\ndata\r\n";
    append_argument(middle_, body);
    middle_ += "$9\r\ntimestamp\r\n$13\r\n";
    set_time(1'000'000'000'000);
  }

  /// Milliseconds since 1970: 13 digits from 2001 until 2286.
  void set_time(std::int64_t ms) {
    tail_ = std::to_string(ms) +
            "\r\n$11\r\nretry_count\r\n$1\r\n0\r\n$14\r\ncorrelation_id\r\n$0\r\n\r\n";
  }
  [[nodiscard]] std::size_t size() const {
    return head_.size() + sizeof(Id) + middle_.size() + tail_.size();
  }
  /// Returns the end of the entry.
  char* write(char* to, const Id& id) const {
    to = copy(to, head_);
    to = copy(to, text(id));
    to = copy(to, middle_);
    return copy(to, tail_);
  }

 private:
  static char* copy(char* to, std::string_view part) {
    std::memcpy(to, part.data(), part.size());
    return to + part.size();
  }

  std::string head_, middle_, tail_;
};

} // namespace bench
