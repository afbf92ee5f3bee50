// SPDX-License-Identifier: MIT
//
// A session of the planted backend. Without a bug it keeps the whole contract.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "store.h"

namespace planted {

struct NamedQueue : swapmq::backend::Queue {
  std::string name;
  swapmq_queue_spec spec{};
};

struct Consumer : swapmq::backend::Subscription {
  std::string queue;
  std::uint64_t max_length = 0; // of the queue, where it has to be made again
  std::uint32_t prefetch = 1;
  std::int64_t lease_ms = 0;
};

/// Deliveries; shares the items, so that their bytes outlive the settlement.
struct Handed : swapmq::backend::Batch {
  std::vector<ItemPtr> items;
  std::vector<swapmq_message> messages;
};

class PlantedSession final : public swapmq::backend::Session {
 public:
  using Shared = Broker;
  using Deadline = swapmq::backend::Deadline;
  using Queue = swapmq::backend::Queue;
  using Subscription = swapmq::backend::Subscription;

  PlantedSession(Broker& broker, std::int32_t role, Deadline deadline);
  ~PlantedSession() override;

  void ping(Deadline deadline) override;
  std::unique_ptr<Queue> open_queue(std::string_view name, const swapmq_queue_spec& spec) override;
  void create_queue(Queue& queue, Deadline deadline) override;
  void delete_queue(Queue& queue, Deadline deadline) override;
  void queue_stats(Queue& queue, swapmq_queue_stats& stats, Deadline deadline) override;
  std::uint64_t purge_queue(Queue& queue, Deadline deadline) override;
  void publish(Queue& queue, swapmq::backend::Messages messages,
               swapmq::backend::PublishResults results, Deadline deadline) override;
  std::unique_ptr<Subscription> subscribe(Queue& queue, const swapmq_subscribe_args& args) override;
  swapmq::backend::Received exchange(Subscription& subscription,
                                     const swapmq::backend::ExchangeArgs& args) override;
  void unsubscribe(Subscription& subscription) override;
  void service(Deadline deadline) override;
  void interrupt() noexcept override;
  std::unique_ptr<swapmq::backend::Batch> claim_delayed(Subscription& subscription,
                                                        const swapmq::backend::ClaimArgs& args);
  std::unique_ptr<swapmq::backend::Batch> peek(Queue& queue, const swapmq::backend::PeekArgs& args);
  void list_queues(const swapmq::backend::QueueVisitor& visit, Deadline deadline);

 private:
  using Lock = std::unique_lock<std::mutex>;

  Line& line_of(Queue& queue);
  Line& line_at(const std::string& name, std::uint64_t max_length);
  swapmq_publish_result publish_one(Line& line, const swapmq_message& message);
  void store(Line& line, ItemPtr item);
  [[nodiscard]] swapmq_status check(const swapmq_message& message) const;

  swapmq_status settle(Consumer& consumer, const swapmq_settlement& settlement);
  bool pends(const swapmq_settlement& settlement);
  swapmq_status dead_letter(const swapmq_settlement& settlement, ItemPtr item);
  void nack(Line& line, ItemPtr item, std::int64_t due_at_ms);
  void release(Line& line, const Held& held);
  std::size_t room(const Line& line, const Consumer& consumer) const;

  std::unique_ptr<Handed> take(Consumer& consumer, std::size_t max_messages,
                               std::uint64_t max_bytes);
  void show(const ItemPtr& item, Handed& batch);
  void hand_out(Line& line, Consumer& consumer, const ItemPtr& item, Handed& batch);
  void steal(Line& line, const Consumer& consumer);
  std::chrono::steady_clock::time_point next_look(Consumer& consumer, Deadline deadline);
  [[nodiscard]] bool has(std::string_view bug) const { return broker_.has(bug); }

  Broker& broker_;
  std::shared_ptr<Store> store_;
  std::atomic<int> interrupts_{0};
  std::set<std::uint64_t> pending_;                             // receipts
  std::vector<std::pair<std::string, ItemPtr>> written_behind_; // acks_before_storing
  std::vector<std::weak_ptr<Item>> handed_;                     // batch_dies_with_session
  std::uint64_t nacks_ = 0;
};

} // namespace planted
