// SPDX-License-Identifier: MIT
//
// How the messages of a `swapmq publish` ended, and what that means for going on and for the exit
// code.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "exit_code.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class PublishTally {
 public:
  /// `of_one_message`: errors that say nothing about the next message, besides those that never do.
  explicit PublishTally(std::set<Errc> of_one_message = {})
      : of_one_message_(std::move(of_one_message)) {}

  /// How the message at `place` ("line 17") ended. The text to print now, if this error is new;
  /// else empty.
  std::string add(const Sent& sent, const std::string& place);
  /// Of a message that was not even tried.
  std::string add_untried(const std::string& place, const std::string& why);
  /// Of a line that is no message. Each is told of, up to a number that a person may read.
  std::string add_bad_line(std::uint64_t line, const std::string& why);
  std::string add_too_large(const std::string& place, std::uint64_t max_size);

  [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] std::uint64_t in_doubt() const { return in_doubt_; }
  /// The next message would meet the same error: going on is in vain.
  [[nodiscard]] bool in_vain() const { return ended_by_.has_value(); }
  [[nodiscard]] ExitCode exit_code(bool interrupted) const;

 private:
  std::string complaint(const std::string& place, const std::string& outcome,
                        const std::string& why);

  const std::set<Errc> of_one_message_;
  std::uint64_t confirmed_ = 0, failed_ = 0, in_doubt_ = 0, bad_lines_ = 0;
  std::optional<Errc> ended_by_;
  std::set<std::string> said_; ///< bounded: further kinds of errors are counted, not printed
};

} // namespace swapmq::host
