// SPDX-License-Identifier: MIT
//
// Memory that is taken piece by piece and given back all at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace swapmq::network {

/// All of it goes at once.
class Arena {
 public:
  explicit Arena(std::size_t first_block) : next_block_(first_block) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Value-initialized.
  template <class T>
  T* make(std::size_t count = 1) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    T* first = reinterpret_cast<T*>(take(count * sizeof(T), alignof(T)));
    std::uninitialized_value_construct_n(first, count);
    return first;
  }
  std::string_view copy(const char* data, std::size_t size) {
    if (size == 0) return {};
    char* to = take(size, 1);
    std::memcpy(to, data, size);
    return {to, size};
  }
  /// Keeps memory that others have filled.
  void adopt(std::unique_ptr<char[]> block) {
    blocks_.push_back(std::move(block));
    at_ = end_ = 0; // nothing more is taken of it
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  char* take(std::size_t size, std::size_t alignment) {
    std::size_t at = (at_ + alignment - 1) & ~(alignment - 1);
    if (at > end_ || end_ - at < size) at = grow(size);
    at_ = at + size;
    used_ += size;
    return blocks_.back().get() + at;
  }
  std::size_t grow(std::size_t size) {
    const std::size_t block = std::max(size, next_block_);
    // Not zeroed: whoever takes of it writes to it.
    blocks_.push_back(std::unique_ptr<char[]>(new char[block]));
    end_ = block;
    next_block_ = std::min<std::size_t>(2 * block, 1024 * 1024);
    return 0;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t at_ = 0; // in the last block
  std::size_t end_ = 0;
  std::size_t next_block_;
  std::size_t used_ = 0;
};

} // namespace swapmq::network
