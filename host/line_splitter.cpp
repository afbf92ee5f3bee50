// SPDX-License-Identifier: MIT
#include "line_splitter.h"

#include <algorithm>
#include <cstring>

namespace swapmq::host {

LineSplitter::LineSplitter(char separator, std::size_t max_line_bytes)
    : separator_(separator), max_line_bytes_(max_line_bytes) {}

char* LineSplitter::space(std::size_t bytes) {
  if (const std::size_t done = first_needed(); done > 0) {
    std::memmove(buffer_.data(), buffer_.data() + done, filled_ - done);
    lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(next_));
    for (Extent& line : lines_) {
      line.begin -= done;
      line.end -= done;
    }
    next_ = 0;
    cut_ -= done;
    filled_ -= done;
  }
  if (buffer_.size() - filled_ < bytes) {
    // Doubled, so that a long line is not copied again for each piece of it.
    buffer_.resize(std::max(filled_ + bytes, buffer_.size() * 2));
  }
  return buffer_.data() + filled_;
}

void LineSplitter::filled(std::size_t bytes) {
  std::size_t from = filled_;
  filled_ += bytes;
  while (from < filled_) {
    const void* found = std::memchr(buffer_.data() + from, separator_, filled_ - from);
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    end_line(end);
    from = cut_;
  }
  drop_what_is_too_long();
}

/// The line [cut_, end) is complete and its separator is at `end`.
void LineSplitter::end_line(std::size_t end) {
  if (!dropping_) {
    if (end - cut_ <= max_line_bytes_) {
      lines_.push_back({cut_, end, begun_});
    } else {
      dropped_.push_back(begun_);
    }
  }
  dropping_ = false;
  ++begun_;
  cut_ = end + 1;
}

void LineSplitter::drop_what_is_too_long() {
  if (!dropping_ && filled_ - cut_ <= max_line_bytes_) return;
  if (!dropping_) dropped_.push_back(begun_);
  dropping_ = true;
  filled_ = cut_;
}

void LineSplitter::finish() {
  if (filled_ == cut_) return;
  lines_.push_back({cut_, filled_, begun_++});
  cut_ = filled_;
}

std::vector<LineSplitter::Line> LineSplitter::take(std::size_t max) {
  const std::size_t count = std::min(max, ready());
  std::vector<Line> taken;
  taken.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Extent line = lines_[next_++];
    taken.push_back({{buffer_.data() + line.begin, line.end - line.begin}, line.number});
  }
  return taken;
}

} // namespace swapmq::host
