// SPDX-License-Identifier: MIT
//
// A database file as this process shares it: one object per file, however many backends and
// sessions have it open.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "peers.hpp"
#include "swapmq/backend.hpp"
#include "swapmq/backend_locks.hpp"

namespace swapmq::sqlite {

/// Lets one session of this process write at a time, first come first served. SQLite allows a
/// single writer and lets the others poll; among threads nobody needs to.
class WriteGate {
 public:
  using TimePoint = backend::Deadline::Clock::time_point;

  /// False if `until` passed before it was this caller's turn.
  [[nodiscard]] bool enter(TimePoint until);
  void leave();

 private:
  struct Ticket {
    std::condition_variable_any wake;
    bool granted = false;
  };

  backend::Mutex mutex_;
  bool busy_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::list<Ticket*> waiting_ SWAPMQ_GUARDED_BY(mutex_);
};

class SharedFile {
 public:
  /// Makes the file and its folders where they do not exist, for their owner alone. Throws Failure.
  static std::shared_ptr<SharedFile> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  WriteGate& gate() { return gate_; }
  [[nodiscard]] const Peers& peers() const { return peers_; }

  /// Throws Failure if the file was moved, deleted or replaced: what is written to it would be
  /// lost.
  void check_in_place() const;

  /// Remembers that the file is damaged; from then on check_undamaged() throws.
  void mark_damaged(const std::string& text);
  void check_undamaged() const;

  /// The number under which this process owns claims: random, so that none is ever used twice.
  [[nodiscard]] int64_t owner() const { return owner_; }
  /// Whether others can see by the peers' file that this process lives.
  [[nodiscard]] bool shows_life() const { return shows_life_; }

  /// Consumers whose claims could not be given back when they closed.
  void add_orphan(int64_t consumer);
  [[nodiscard]] std::vector<int64_t> orphans() const;
  void forget_orphans(const std::vector<int64_t>& returned);

  /// Between processes SQLite's lock goes to whoever tries first, which is the one that just had
  /// it. So who leaves while another process waits owes it a moment, paid before the next
  /// transaction.
  void owe_way() { owes_way_.store(true); }
  void give_way();

  /// True for one caller in each half second: looking for the dead is everybody's duty, once.
  [[nodiscard]] bool take_watch();

  SharedFile(std::string path, dev_t device, ino_t inode);

 private:
  const std::string path_;
  const dev_t device_;
  const ino_t inode_;
  WriteGate gate_;
  Peers peers_;
  int64_t owner_ = 0;
  bool shows_life_ = false;
  std::atomic<int64_t> next_watch_ns_{0};
  std::atomic<bool> damaged_{false};
  std::atomic<bool> owes_way_{false};
  mutable backend::Mutex mutex_;
  std::string damage_ SWAPMQ_GUARDED_BY(mutex_);
  std::vector<int64_t> orphans_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::sqlite
