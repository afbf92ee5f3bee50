// SPDX-License-Identifier: MIT
//
// Publishers and consumers at work on one host's message queue, each a recorder, which is a process
// of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host.hpp"

namespace switch_test {

class Load {
 public:
  static constexpr int publishers = 8, consumers = 8;

  /// Consumers that take so many at a time, all of them together.
  Load(const Host& host, const std::string& mode, int prefetch);

  /// All of them publish until halt(), `size` messages at a time, with a pause after each.
  void publish(std::chrono::microseconds pace, int size);
  void halt() { tell(publishers_, "halt"); }
  /// What comes to the consumers from now on stays with them until release().
  void hold() { tell(consumers_, "hold tasks"); }
  void release() { tell(consumers_, "open tasks"); }
  void end();

  /// Of each publisher.
  [[nodiscard]] std::vector<std::uint64_t> published() const;
  [[nodiscard]] std::uint64_t all_published() const;
  [[nodiscard]] std::uint64_t all_handled() const;
  /// Between two answers that one publisher got.
  [[nodiscard]] milliseconds longest_gap() const;

 private:
  using Recorders = std::vector<std::unique_ptr<Recorder>>;
  static void tell(const Recorders& recorders, const std::string& line) {
    for (const auto& one : recorders) one->tell(line);
  }

  Recorders publishers_, consumers_;
};

} // namespace switch_test
