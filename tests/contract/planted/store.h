// SPDX-License-Identifier: MIT
//
// What the planted backend keeps: queues in memory, shared by all its backends of one process that
// were opened with the same options. Every member is guarded by Store::mutex.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "swapmq/backend.hpp"

namespace planted {

/// A message with all that it carries, owned.
struct Item {
  swapmq_message fields{}; // numbers only; its views are not used
  std::string id, body, ordering_key, correlation_id, reply_to, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<swapmq_header> header_views;
  std::uint64_t place = 0;   // position in its queue
  std::uint32_t returns = 0; // counted ones
  bool redelivered = false;

  explicit Item(const swapmq_message& message);
  /// The ABI's view of it, valid until the item changes.
  [[nodiscard]] swapmq_message as_message();
};
using ItemPtr = std::shared_ptr<Item>;

/// Delivered, not settled.
struct Held {
  ItemPtr item;
  const void* owner = nullptr; // the subscription
  std::chrono::steady_clock::time_point since;
  std::int64_t claimed_until = 0; // its time, of what is delayed
};

/// One queue.
struct Line {
  std::map<std::pair<std::int64_t, std::uint64_t>, ItemPtr> ready; // by falling priority, place
  std::multimap<std::int64_t, ItemPtr> delayed;                    // by due time
  std::map<std::uint64_t, Held> unacked;                           // by receipt
  std::unordered_set<std::string> ids;
  std::uint64_t max_length = 0;

  [[nodiscard]] std::size_t size() const { return ready.size() + delayed.size() + unacked.size(); }
  void put(ItemPtr item, bool by_priority);
  /// Moves what is due to ready and drops what expired.
  void tick(std::int64_t now_ms, bool expires);
};

struct Store {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Line> lines;
  std::uint64_t next_place = 1;
  std::uint64_t next_receipt = 1;
};

/// What the sessions of one backend share, and which bug they have.
class Broker {
 public:
  explicit Broker(const swapmq::backend::OpenArgs& args);

  void describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const;
  [[nodiscard]] bool has(std::string_view bug) const { return bug_ == bug; }
  [[nodiscard]] bool absent() const { return absent_; }
  /// Gives what was nacked after all that is fresh, which is no bug.
  [[nodiscard]] bool nacked_last() const { return nacked_last_; }

  std::shared_ptr<Store> store;

 private:
  std::string bug_;
  bool absent_ = false;
  bool nacked_last_ = false;
};

/// The bug of the backend that was opened last, for what happens below the C++ glue.
bool process_has(std::string_view bug);

extern const swapmq_capabilities kCapabilities;
extern const swapmq_limits kLimits;

} // namespace planted
