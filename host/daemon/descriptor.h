// SPDX-License-Identifier: MIT
//
// A file descriptor that is closed by its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace swapmq::host {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; } ///< -1: none

 private:
  int number_ = -1;
};

} // namespace swapmq::host
