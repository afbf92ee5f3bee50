// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <string>
#include <utility>

namespace swapmq::memory {
namespace {

using backend::Deadline;
using backend::Failure;

class QueueHandle final : public backend::Queue {
 public:
  QueueHandle(std::shared_ptr<Store> of, std::string_view name, const QueueSpec& how)
      : spec(how), queue(of->queue(name)), store_(std::move(of)) {}
  ~QueueHandle() override {
    const std::string name = queue->name();
    queue.reset();
    store_->tidy(name);
  }

  const QueueSpec spec;
  std::shared_ptr<memory::Queue> queue;

 private:
  std::shared_ptr<Store> store_;
};

class MemorySubscription final : public backend::Subscription {
 public:
  MemorySubscription(std::shared_ptr<memory::Queue> of, uint32_t prefetch)
      : queue(std::move(of)), consumer(prefetch) {}

  std::shared_ptr<memory::Queue> queue;
  Consumer consumer;
};

QueueHandle& handle_of(backend::Queue& queue) { return static_cast<QueueHandle&>(queue); }

MemorySubscription& subscription_of(backend::Subscription& subscription) {
  return static_cast<MemorySubscription&>(subscription);
}

} // namespace

OpenedStore::OpenedStore(const backend::OpenArgs& args)
    : host(args.host), store(Store::open(read_options(args.options_json))) {}

void OpenedStore::describe(swapmq_capabilities&, swapmq_limits& limits) const {
  limits.max_body_bytes = max_body_bytes(store->budget().limit());
}

MemorySession::MemorySession(OpenedStore& opened, int32_t, Deadline)
    : host_(opened.host), store_(opened.store), parker_(std::make_shared<Parker>()) {}

void MemorySession::ping(Deadline) {} // there is nobody to be out of reach

std::unique_ptr<backend::Queue> MemorySession::open_queue(std::string_view name,
                                                          const swapmq_queue_spec& spec) {
  if (name.size() > kMaxQueueNameBytes) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name has " + std::to_string(name.size()) +
                                               " bytes; use at most " +
                                               std::to_string(kMaxQueueNameBytes));
  }
  if (name.find('\0') != std::string_view::npos) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name contains a NUL byte; leave it out");
  }
  if ((spec.flags & ~SWAPMQ_QUEUE_STRICT_ORDER) != 0) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue spec has a flag that memory does not know");
  }
  const QueueSpec how{spec.max_length, (spec.flags & SWAPMQ_QUEUE_STRICT_ORDER) != 0};
  return std::make_unique<QueueHandle>(store_, name, how);
}

void MemorySession::create_queue(backend::Queue& queue, Deadline) {
  const QueueHandle& handle = handle_of(queue);
  handle.queue->create(handle.spec);
}

void MemorySession::delete_queue(backend::Queue& queue, Deadline) {
  Aftermath aftermath(store_->budget());
  handle_of(queue).queue->remove(aftermath);
}

void MemorySession::queue_stats(backend::Queue& queue, swapmq_queue_stats& stats, Deadline) {
  Aftermath aftermath(store_->budget());
  const QueueSizes sizes = handle_of(queue).queue->sizes(backend::unix_now_ms(), aftermath);
  stats.ready_precision = SWAPMQ_STAT_EXACT;
  stats.unacked_precision = SWAPMQ_STAT_EXACT;
  stats.delayed_precision = SWAPMQ_STAT_EXACT;
  stats.ready = sizes.ready;
  stats.unacked = sizes.unacked;
  stats.delayed = sizes.delayed;
  stats.atomic = 1;
  stats.exists = sizes.exists ? 1 : 0;
  finish(aftermath);
}

uint64_t MemorySession::purge_queue(backend::Queue& queue, Deadline) {
  Aftermath aftermath(store_->budget());
  const uint64_t removed = handle_of(queue).queue->purge(backend::unix_now_ms(), aftermath);
  finish(aftermath);
  return removed;
}

void MemorySession::publish(backend::Queue& queue, backend::Messages messages,
                            backend::PublishResults results, Deadline) {
  const QueueHandle& handle = handle_of(queue);
  const int64_t now_ms = backend::unix_now_ms();
  Aftermath aftermath(store_->budget());
  {
    Grant grant(store_->budget());
    const auto entries = intake_.prepare(messages, results, *store_, grant, now_ms, aftermath);
    handle.queue->publish(handle.spec, entries, results, grant, now_ms, aftermath);
  }
  finish(aftermath); // wakes first: the rest can wait
  intake_.clear();
}

std::unique_ptr<backend::Subscription> MemorySession::subscribe(backend::Queue& queue,
                                                                const swapmq_subscribe_args& args) {
  const QueueHandle& handle = handle_of(queue);
  auto made = std::make_unique<MemorySubscription>(handle.queue, args.prefetch);
  handle.queue->ensure_exists(handle.spec);
  return made;
}

backend::Received MemorySession::exchange(backend::Subscription& subscription,
                                          const backend::ExchangeArgs& args) {
  auto& [queue, consumer] = subscription_of(subscription);
  Aftermath aftermath(store_->budget());
  move_dead_letters(*queue, consumer, args, aftermath);
  backend::Received received = queue->exchange(consumer, args, parker_, aftermath);
  finish(aftermath);
  return received;
}

void MemorySession::move_dead_letters(Queue& queue, Consumer& consumer,
                                      const backend::ExchangeArgs& args, Aftermath& aftermath) {
  for (std::size_t i = 0; i < args.settlements.size(); ++i) {
    const swapmq_settlement& settlement = args.settlements[i];
    if (settlement.action != SWAPMQ_SETTLE_DEAD_LETTER) continue;
    const QueueHandle& target =
        handle_of(*backend::Trampolines<MemorySession>::unbox(settlement.target));
    args.settlement_results[i] = queue.dead_letter(consumer, settlement, *target.queue, target.spec,
                                                   backend::unix_now_ms(), aftermath);
  }
}

void MemorySession::unsubscribe(backend::Subscription& subscription) {
  auto& ended = subscription_of(subscription);
  Aftermath aftermath(store_->budget());
  ended.queue->give_back(ended.consumer, backend::unix_now_ms(), aftermath);
  finish(aftermath);
}

void MemorySession::service(Deadline) {
  Aftermath aftermath(store_->budget());
  store_->sweep(backend::unix_now_ms(), aftermath);
  finish(aftermath);
}

void MemorySession::interrupt() noexcept { parker_->interrupt(); }

std::unique_ptr<backend::Batch> MemorySession::claim_delayed(backend::Subscription& subscription,
                                                             const backend::ClaimArgs& args) {
  auto& [queue, consumer] = subscription_of(subscription);
  Aftermath aftermath(store_->budget());
  auto batch = queue->claim_delayed(consumer, args, aftermath);
  finish(aftermath);
  return batch;
}

std::unique_ptr<backend::Batch> MemorySession::peek(backend::Queue& queue,
                                                    const backend::PeekArgs& args) {
  Aftermath aftermath(store_->budget());
  auto batch = handle_of(queue).queue->peek(args, aftermath);
  finish(aftermath);
  return batch;
}

void MemorySession::list_queues(const backend::QueueVisitor& visit, Deadline) {
  for (const std::string& name : store_->names()) visit(name);
}

void MemorySession::finish(Aftermath& aftermath) const {
  aftermath.run();
  if (aftermath.expired() > 0) host_.count("expired", aftermath.expired());
}

} // namespace swapmq::memory
