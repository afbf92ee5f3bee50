// SPDX-License-Identifier: MIT
//
// Sessions on a store: the C++ side of the ABI.
#pragma once

#include <memory>
#include <string_view>

#include "intake.hpp"
#include "parker.hpp"
#include "store.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::memory {

inline constexpr uint32_t kMaxQueueNameBytes = 255;

/// An opened backend.
struct OpenedStore {
  explicit OpenedStore(const backend::OpenArgs& args);
  void describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const;

  backend::Host host;
  std::shared_ptr<Store> store;
};

class MemorySession final : public backend::Session {
 public:
  using Shared = OpenedStore;

  MemorySession(OpenedStore& opened, int32_t role, backend::Deadline deadline);

  void ping(backend::Deadline deadline) override;
  std::unique_ptr<backend::Queue> open_queue(std::string_view name,
                                             const swapmq_queue_spec& spec) override;
  void create_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void delete_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void queue_stats(backend::Queue& queue, swapmq_queue_stats& stats,
                   backend::Deadline deadline) override;
  uint64_t purge_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void publish(backend::Queue& queue, backend::Messages messages, backend::PublishResults results,
               backend::Deadline deadline) override;
  std::unique_ptr<backend::Subscription> subscribe(backend::Queue& queue,
                                                   const swapmq_subscribe_args& args) override;
  backend::Received exchange(backend::Subscription& subscription,
                             const backend::ExchangeArgs& args) override;
  void unsubscribe(backend::Subscription& subscription) override;
  void service(backend::Deadline deadline) override;
  void interrupt() noexcept override;

  std::unique_ptr<backend::Batch> claim_delayed(backend::Subscription& subscription,
                                                const backend::ClaimArgs& args);
  void list_queues(const backend::QueueVisitor& visit, backend::Deadline deadline);
  std::unique_ptr<backend::Batch> peek(backend::Queue& queue, const backend::PeekArgs& args);

 private:
  /// Does what an operation left to do, and tells the host what it lost by ttl.
  void finish(Aftermath& aftermath) const;
  void move_dead_letters(Queue& queue, Consumer& consumer, const backend::ExchangeArgs& args,
                         Aftermath& aftermath);

  backend::Host host_;
  std::shared_ptr<Store> store_;
  std::shared_ptr<Parker> parker_;
  Intake intake_;
};

} // namespace swapmq::memory
