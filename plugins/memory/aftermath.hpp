// SPDX-License-Identifier: MIT
//
// What an operation on a queue leaves to be done once it let go of the lock: entries to free,
// sleepers to wake, bytes to give back. None of it belongs under a lock that others wait for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "budget.hpp"
#include "entry.hpp"
#include "parker.hpp"

namespace swapmq::memory {

/// Declare it before the lock. Nothing here fails, so an operation can be finished in any case.
class Aftermath {
 public:
  explicit Aftermath(Budget& budget) : budget_(budget) {}
  ~Aftermath() { run(); }
  Aftermath(const Aftermath&) = delete;
  Aftermath& operator=(const Aftermath&) = delete;

  /// Drops the store's share of the entry, later.
  void discard(EntryPtr entry) noexcept {
    Entry* dropped = std::exchange(entry.entry_, nullptr);
    dropped->next_discarded_ = std::exchange(discarded_, dropped);
  }

  void wake(const std::shared_ptr<Parker>& parker) noexcept {
    if (woken_count_ == woken_.size()) { // rare: many consumers called at once
      parker->unpark();
      return;
    }
    woken_[woken_count_++] = parker;
  }

  void give_back(uint64_t bytes) noexcept { bytes_ += bytes; }
  void count_expired() noexcept { ++expired_; }
  [[nodiscard]] uint64_t expired() const { return expired_; }

  /// Does it. Call without the lock; more may be added afterwards.
  void run() noexcept {
    budget_.give_back(std::exchange(bytes_, 0));
    for (std::size_t i = 0; i < woken_count_; ++i) {
      woken_[i]->unpark();
      woken_[i].reset();
    }
    woken_count_ = 0;
    while (discarded_ != nullptr) {
      Entry* dropped = std::exchange(discarded_, discarded_->next_discarded_);
      dropped->drop_reference();
    }
  }

 private:
  Budget& budget_;
  uint64_t bytes_ = 0;
  uint64_t expired_ = 0;
  Entry* discarded_ = nullptr;
  std::array<std::shared_ptr<Parker>, 8> woken_;
  std::size_t woken_count_ = 0;
};

} // namespace swapmq::memory
