// SPDX-License-Identifier: MIT
//
// What publishing reads: a file, or standard input, which may be a slow pipe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class Input {
 public:
  enum class Event {
    data,        ///< bytes came
    end,         ///< no more will come
    paused,      ///< nothing within the patience
    interrupted, ///< an interruption was asked for
    failed,      ///< see error()
  };

  /// A path; empty or "-": standard input. Errors: invalid_argument.
  static Result<Input> open(const std::string& path);
  Input(Input&& other) noexcept;
  Input& operator=(Input&&) = delete;
  ~Input();

  /// Waits for bytes, as long as the patience, and reads up to `capacity` of them.
  Event read(char* to, std::size_t capacity, std::chrono::milliseconds patience,
             std::size_t& count);

  /// How much of a file was read and is not among the bytes still held, 0 to 1; none: it is a pipe,
  /// or has grown meanwhile.
  [[nodiscard]] std::optional<double> part_done(std::size_t held) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_terminal() const;
  /// A line that says what failed.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  Input(int fd, bool owned, std::string name);

  int fd_;
  bool owned_;
  std::string name_;
  std::string error_;
  std::uint64_t size_ = 0; ///< from where it was opened; 0: not known
  std::uint64_t read_ = 0;
};

} // namespace swapmq::host
