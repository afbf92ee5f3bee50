// SPDX-License-Identifier: MIT
//
// A stored message: one allocation with the message as it is handed out, its headers and all its
// bytes, shared by the queue that stores it and the batches that show it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "swapmq/backend.hpp"

namespace swapmq::memory {

class EntryPtr;

class Entry {
 public:
  enum class Where : uint8_t { kNowhere, kFresh, kReturned, kDelayed, kUnacked };

  /// What the queue knows of it. Touched only under the lock of the queue that stores it.
  struct Place {
    uint64_t sequence = 0;
    int64_t due_at_ms = 0;
    std::size_t position = 0;        // in the line or heap that `where` names
    std::size_t expiry_position = 0; // in the heap of what may expire while it waits
    uint32_t counted_returns = 0;
    Where where = Where::kNowhere;
    bool handed_out = false;
    bool claimed = false; // while it is unacked: before its time, which is due_at_ms
  };

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  /// A copy of the message. `added` headers replace those of the same name.
  static EntryPtr make(const swapmq_message& message, backend::Headers added = {});

  /// The bytes that make() would take; never wraps around.
  static uint64_t weight_of(const swapmq_message& message, backend::Headers added = {});

  /// Never changes once it is made, so it is read without a lock.
  [[nodiscard]] const swapmq_message& message() const { return message_; }
  [[nodiscard]] uint64_t weight() const { return weight_; }
  [[nodiscard]] bool has_ttl() const { return message_.expires_at_ms != 0; }
  [[nodiscard]] bool expired(int64_t now_ms) const {
    return has_ttl() && message_.expires_at_ms <= now_ms;
  }

  /// Whether it was delivered elsewhere before it came here.
  [[nodiscard]] bool moved_here() const { return message_.delivery_count > 0; }
  /// What its next delivery is counted as; under the lock of its queue.
  [[nodiscard]] uint32_t next_delivery_count() const;

  Place place;

 private:
  friend class EntryPtr;
  friend class Aftermath;

  Entry() = default;
  ~Entry() = default;
  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() noexcept;

  std::atomic<uint32_t> references_{1};
  Entry* next_discarded_ = nullptr; // see Aftermath
  uint64_t weight_ = 0;
  swapmq_message message_{};
};

/// Shared ownership of an entry. Copying is safe from any thread.
class EntryPtr {
 public:
  EntryPtr() = default;
  EntryPtr(const EntryPtr& other) : entry_(other.entry_) {
    if (entry_ != nullptr) entry_->add_reference();
  }
  EntryPtr(EntryPtr&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  EntryPtr& operator=(EntryPtr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~EntryPtr() {
    if (entry_ != nullptr) entry_->drop_reference();
  }

  Entry& operator*() const { return *entry_; }
  Entry* operator->() const { return entry_; }
  [[nodiscard]] Entry* get() const { return entry_; }
  explicit operator bool() const { return entry_ != nullptr; }

 private:
  friend class Entry;
  friend class Aftermath;
  explicit EntryPtr(Entry* adopted) : entry_(adopted) {}

  Entry* entry_ = nullptr;
};

} // namespace swapmq::memory
