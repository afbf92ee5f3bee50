// SPDX-License-Identifier: MIT
//
// A store: the queues that backends of one name share, within the bytes they may hold together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aftermath.hpp"
#include "budget.hpp"
#include "options.hpp"
#include "queue.hpp"
#include "swapmq/backend_locks.hpp"

namespace swapmq::memory {

/// Safe from any thread. Its lock may be held while a queue's is taken, never the other way round.
class Store {
 public:
  /// The store of that name in this process, made if nobody has it open. It is forgotten when the
  /// last one lets go of it. Throws INVALID_ARGUMENT if it is open with other limits.
  static std::shared_ptr<Store> open(const Options& options);

  Store(uint64_t max_messages, uint64_t max_bytes);

  [[nodiscard]] Budget& budget() { return budget_; }

  /// The queue's object, existing or not.
  std::shared_ptr<Queue> queue(std::string_view name) SWAPMQ_EXCLUDES(mutex_);
  /// To be called after letting go of a queue: a name that nobody uses and under which nothing
  /// exists is not kept.
  void tidy(std::string_view name) SWAPMQ_EXCLUDES(mutex_);
  /// Names of existing queues in byte order.
  std::vector<std::string> names() SWAPMQ_EXCLUDES(mutex_);
  /// Gives back the room of what expired in queues that nobody looks at.
  void sweep(int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);

 private:
  void check_limits(const Options& options) const;
  std::vector<std::shared_ptr<Queue>> queues() SWAPMQ_EXCLUDES(mutex_);

  const uint64_t max_messages_;
  Budget budget_;
  backend::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Queue>, std::less<>> queues_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::memory
