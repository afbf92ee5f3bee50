// SPDX-License-Identifier: MIT
//
// Cuts a stream of bytes into messages at a separator, without copying them: the input is read into
// this buffer and messages are views of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace swapmq::host {

/// Invariants: lines_ are the complete lines in buffer_[0, cut_), in order, the first next_ of them
/// taken; [cut_, filled_) is the beginning of a line whose end has not come. Not thread-safe.
class LineSplitter {
 public:
  /// A line longer than max_line_bytes is dropped as it comes in, and told of.
  LineSplitter(char separator, std::size_t max_line_bytes);

  /// Room for at least `bytes` of input. Ends the life of all views handed out.
  char* space(std::size_t bytes);
  /// `bytes` of that room were filled.
  void filled(std::size_t bytes);
  /// The input has ended: what follows the last separator is a line, unless it is empty.
  void finish();

  /// Complete lines that are not yet taken, and their bytes.
  [[nodiscard]] std::size_t ready() const { return lines_.size() - next_; }
  [[nodiscard]] std::size_t ready_bytes() const { return cut_ - first_needed(); }
  /// Of all that came in, what is not yet taken.
  [[nodiscard]] std::size_t held_bytes() const { return filled_ - first_needed(); }
  struct Line {
    std::string_view text; ///< without the separator; lives until space()
    std::uint64_t number;  ///< in the input, from 1; those that were dropped have theirs, too
  };
  /// Up to `max` lines.
  std::vector<Line> take(std::size_t max);

  /// The numbers of the lines that were dropped for their length since this was last asked.
  std::vector<std::uint64_t> take_dropped() { return std::exchange(dropped_, {}); }

 private:
  struct Extent {
    std::size_t begin, end;
    std::uint64_t number;
  };

  void end_line(std::size_t end);
  void drop_what_is_too_long();
  [[nodiscard]] std::size_t first_needed() const {
    return next_ < lines_.size() ? lines_[next_].begin : cut_;
  }

  const char separator_;
  const std::size_t max_line_bytes_;
  std::vector<char> buffer_;
  std::vector<Extent> lines_;
  std::size_t next_ = 0;
  std::size_t cut_ = 0, filled_ = 0;
  bool dropping_ = false;   ///< within a line that is too long
  std::uint64_t begun_ = 1; ///< the number of the line that [cut_, filled_) belongs to
  std::vector<std::uint64_t> dropped_;
};

} // namespace swapmq::host
