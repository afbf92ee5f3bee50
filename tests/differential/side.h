// SPDX-License-Identifier: MIT
//
// One of the two backends, with its queues and consumers: the harness of the contract kit, told
// each time which plugin is meant.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness.h"
#include "seen.h"

namespace swapmq::differential {

using std::chrono::milliseconds;

struct QueueSpec {
  std::string name;
  std::uint64_t max_length = 0;
};
using QueueSpecs = std::vector<QueueSpec>;

/// A delivery in hand. The batch lives as long as any delivery of it.
struct Delivered {
  std::shared_ptr<contract::Batch> batch;
  const swapmq_delivery* delivery = nullptr;
  Seen seen;
};

struct Settlement {
  const swapmq_delivery* delivery = nullptr;
  std::int32_t action = SWAPMQ_SETTLE_ACK;
  std::int64_t due_at_ms = 0;
  unsigned target = 0;
  contract::Headers headers; ///< of a reject
};

/// What one exchange said and brought.
struct Taken {
  swapmq_status status = SWAPMQ_OK;
  std::string error;
  std::vector<swapmq_status> settled;
  std::vector<Delivered> deliveries;
};

/// A subscription in a session of its own.
class Consumer {
 public:
  Consumer(contract::Kit& kit, contract::Backend& backend, const QueueSpecs& queues, unsigned queue,
           std::uint32_t prefetch, milliseconds lease);
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer();

  /// `may_pend`: settlements may be PENDING, and are to be given again then.
  Taken exchange(std::span<const Settlement> settlements, std::uint64_t max_messages,
                 milliseconds wait, bool may_pend = false);
  void service();
  /// Gives back by closing the session, and not by unsubscribing before.
  void close_session();

 private:
  contract::Kit& kit_;
  std::optional<contract::Session> session_;
  std::vector<swapmq_queue*> queues_;
  std::optional<contract::Subscription> subscription_;
};

class Side {
 public:
  Side(contract::Kit& kit, QueueSpecs queues);
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side();

  void create(unsigned queue);
  void remove(unsigned queue);
  std::uint64_t purge(unsigned queue);
  swapmq_queue_stats stats(unsigned queue);
  std::vector<swapmq_publish_result> publish(unsigned queue,
                                             std::span<const contract::Message> messages);
  std::unique_ptr<Consumer> consumer(unsigned queue, std::uint32_t prefetch, milliseconds lease);
  /// Signs of life of its own sessions.
  void service();

  [[nodiscard]] contract::Kit& kit() { return kit_; }
  [[nodiscard]] const QueueSpecs& queues() const { return queues_; }

 private:
  contract::Kit& kit_;
  QueueSpecs queues_;
  std::optional<contract::Backend> backend_;
  std::optional<contract::Session> publisher_, admin_;
  std::vector<swapmq_queue*> for_publisher_, for_admin_;
};

} // namespace swapmq::differential
