// SPDX-License-Identifier: MIT
//
// What the processes that share a database file tell each other beside it: "there is something new
// in this queue", "the file is free to write", "I am alive". It lives in a small file of its own,
// PATH-peers, which holds no message and may be missing, stale or damaged without harm.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

class Peers {
 public:
  /// Opens or makes `path`. Throws Failure.
  explicit Peers(const std::string& path);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// The word that changes whenever something may have become ready in the queue of this name.
  [[nodiscard]] static uint32_t slot_of(std::string_view queue_name);
  [[nodiscard]] uint32_t look(uint32_t slot) const;
  /// Wakes whoever waits on the slot, in any process.
  void wake(uint32_t slot) const;
  /// Waits until the slot no longer reads `seen`, or until `until`.
  void wait(uint32_t slot, uint32_t seen, backend::Deadline::Clock::time_point until) const;

  /// After a transaction: wakes another process that waits to write. True if there is one.
  bool writer_left() const;
  /// Waits, for `most` at the longest, until some writer has left.
  void wait_for_writer(std::chrono::microseconds most) const;

  static constexpr int64_t kLastOwner = int64_t{1} << 48;
  /// Holds the sign of life of an owner until this process ends or the object goes. False where the
  /// file system has no such locks.
  [[nodiscard]] bool hold_owner(int64_t owner) const;
  /// Whether another process (or another copy of this plugin) holds it.
  [[nodiscard]] bool owner_lives(int64_t owner) const;
  /// Tells the file from another that took its name.
  [[nodiscard]] int64_t identity() const { return identity_; }

 private:
  [[nodiscard]] uint32_t* word(uint32_t index) const;

  int fd_ = -1;
  uint32_t* words_ = nullptr;
  int64_t identity_ = 0;
};

/// Identifies this boot of the machine; empty where the kernel does not say.
const std::string& boot_id();
/// Milliseconds since this boot, suspension included: leases are told in it, as the wall clock
/// jumps.
int64_t boot_now_ms();

} // namespace swapmq::sqlite
