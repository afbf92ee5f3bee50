// SPDX-License-Identifier: MIT
//
// Reads the configuration again when asked to, and remembers how that went.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "daemon/worker.h"
#include "swapmq/backend_locks.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// How a reload ended.
struct Reloaded {
  std::uint64_t number = 0; ///< counts reloads
  std::string why;          ///< who asked: "SIGHUP", ...
  std::chrono::system_clock::time_point when;
  Error error; ///< ok, or why nothing changed
  ReloadResult result;
};

/// Any thread.
class Reloader {
 public:
  /// `reload` does the work, on the worker (borrowed, and stopped before this ends).
  Reloader(std::function<Result<ReloadResult>()> reload, Worker& worker);

  static constexpr std::size_t most_kept = 64;

  /// Asks for one; the number that it will have. However many ask while one is under way, one more
  /// follows it.
  std::uint64_t ask(const std::string& why) SWAPMQ_EXCLUDES(mutex_);
  /// The last one that ended; number 0: none yet.
  [[nodiscard]] Reloaded last() const SWAPMQ_EXCLUDES(mutex_);
  /// Those that ended after that one, the oldest first; of very many the last ones.
  [[nodiscard]] std::vector<Reloaded> after(std::uint64_t number) const SWAPMQ_EXCLUDES(mutex_);
  /// Whether one was asked for that has not ended.
  [[nodiscard]] bool busy() const SWAPMQ_EXCLUDES(mutex_);

 private:
  void reload() SWAPMQ_EXCLUDES(mutex_);
  void keep(std::uint64_t number, std::string why, Result<ReloadResult> reloaded)
      SWAPMQ_REQUIRES(mutex_);

  const std::function<Result<ReloadResult>()> reload_;
  Worker& worker_;
  mutable backend::Mutex mutex_;
  bool wanted_ SWAPMQ_GUARDED_BY(mutex_) = false;     ///< one waits to begin
  std::string why_ SWAPMQ_GUARDED_BY(mutex_);         ///< of the first that asked for that one
  std::uint64_t begun_ SWAPMQ_GUARDED_BY(mutex_) = 0; ///< how many were begun
  std::deque<Reloaded> ended_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::host
