// SPDX-License-Identifier: MIT
//
// How many entries to ask the server for, which can be told a number of them and not of bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace swapmq::redis {

/// Goes by the sizes of the entries that came. Until some did, they are taken to be large: too few
/// at first cost a round trip, too many could be more than an answer may hold.
class ReadSize {
 public:
  explicit ReadSize(uint64_t wanted_bytes) : wanted_bytes_(static_cast<double>(wanted_bytes)) {}

  /// At least one.
  [[nodiscard]] std::size_t entries() const {
    return std::max<std::size_t>(1, static_cast<std::size_t>(wanted_bytes_ / entry_bytes_));
  }

  void came(std::size_t entries, std::size_t bytes) {
    if (entries == 0) return;
    const double each = std::max(1.0, static_cast<double>(bytes) / static_cast<double>(entries));
    // Larger ones count at once, smaller ones little by little.
    entry_bytes_ = known_ ? std::max(each, 0.75 * entry_bytes_ + 0.25 * each) : each;
    known_ = true;
  }

  /// The answer did not come: it may have been too large. Fewer next time.
  void did_not_come(std::size_t entries) {
    if (entries < 2) return;
    entry_bytes_ = std::max(entry_bytes_, 8 * wanted_bytes_ / static_cast<double>(entries));
    known_ = true;
  }

 private:
  double wanted_bytes_;
  double entry_bytes_ = 128 * 1024;
  bool known_ = false;
};

} // namespace swapmq::redis
