// SPDX-License-Identifier: MIT
//
// A backend for tests of the core. The name of a queue says how it misbehaves:
//   flaky-N    the first N publish calls fail, retryable
//   doubt-N    the first N publish calls leave their messages in doubt, though stored
//   limbo      every publish call leaves its messages in doubt
//   refused    every publish fails for good
//   down       every call says UNAVAILABLE
//   silenced-N the first N publish calls fail, retryable, and no other is answered in time
//   slow-MS    a publish call takes so long
//   dying-N    the first N exchanges that settle something kill their session
//   stubborn-N the first N settlements are refused
//   late       of acks it says nothing while it has more to hand out; then, when it is asked again
//   blind      nobody knows how many of its messages are unacked
//   mute       service() of a consumer is not answered until its deadline
//   resetting-MS the first service() of a consumer that holds something takes so long, and then its
//                session is dead
// It has no delays, ttl, priority or release of its own, and cannot dead-letter: the core must
// cope. It counts its calls ("publish_calls", "service_calls"), "resets" that begin, and
// settlements of deliveries that another subscription made ("stale_settlements").
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "swapmq/backend.hpp"

namespace {

namespace mq = swapmq::backend;

struct Stored {
  std::string id, body;
  std::vector<std::pair<std::string, std::string>> headers;
  uint32_t delivery_count = 0;
  bool handed_out = false;
};

struct Line {
  std::deque<std::shared_ptr<Stored>> ready;
  std::size_t unacked = 0;
  int script = -1; // calls left that misbehave; -1: not looked at yet
};

/// What a receipt says.
struct Receipt {
  uint64_t consumer, delivery;
};

struct Store {
  explicit Store(const mq::OpenArgs& args) : host(args.host) {}
  mq::Host host;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Line> lines;
};

struct QueueHandle final : mq::Queue {
  std::string name, behaviour;
  int number = 0;
};

struct Consumer final : mq::Subscription {
  QueueHandle* queue = nullptr;
  uint64_t number = 0; // of all subscriptions of the process
  std::map<uint64_t, std::shared_ptr<Stored>> held;
  std::set<uint64_t> late; // of held: settled, and not said so yet
  uint64_t next_receipt = 1;
};

struct Deliveries final : mq::Batch {
  std::deque<std::pair<swapmq_message, std::vector<swapmq_header>>> messages;
  std::deque<std::shared_ptr<Stored>> stored;
};

swapmq_message view_of(const Stored& stored, std::vector<swapmq_header>& headers) {
  swapmq_message message{};
  message.id = mq::bytes(stored.id);
  message.body = mq::bytes(stored.body);
  for (const auto& [name, value] : stored.headers) {
    headers.push_back({mq::bytes(name), mq::bytes(value)});
  }
  message.headers = headers.data();
  message.header_count = static_cast<uint32_t>(headers.size());
  message.header_size = sizeof(swapmq_header);
  return message;
}

class ScriptedSession final : public mq::Session {
 public:
  using Shared = Store;
  ScriptedSession(Store& store, int32_t /*role*/, mq::Deadline /*deadline*/) : store_(store) {}

  void ping(mq::Deadline) override {}
  std::unique_ptr<mq::Queue> open_queue(std::string_view name, const swapmq_queue_spec&) override {
    auto queue = std::make_unique<QueueHandle>();
    queue->name = name;
    const auto dash = queue->name.rfind('-');
    queue->behaviour = queue->name.substr(0, dash);
    if (dash != std::string::npos) queue->number = std::atoi(queue->name.c_str() + dash + 1);
    return queue;
  }
  void create_queue(mq::Queue& queue, mq::Deadline) override { line(queue); }
  void delete_queue(mq::Queue& queue, mq::Deadline) override {
    const std::lock_guard lock(store_.mutex);
    store_.lines.erase(static_cast<QueueHandle&>(queue).name);
  }
  void queue_stats(mq::Queue& queue, swapmq_queue_stats& stats, mq::Deadline) override {
    if (static_cast<QueueHandle&>(queue).behaviour == "down") unavailable();
    Line& it = line(queue);
    const std::lock_guard lock(store_.mutex);
    stats.ready = it.ready.size();
    stats.unacked = it.unacked;
    stats.ready_precision = stats.unacked_precision = SWAPMQ_STAT_EXACT;
    if (static_cast<QueueHandle&>(queue).behaviour == "blind") {
      stats.unacked = 0;
      stats.unacked_precision = SWAPMQ_STAT_UNKNOWN;
    }
    stats.exists = 1;
  }
  uint64_t purge_queue(mq::Queue&, mq::Deadline) override {
    throw mq::Failure(SWAPMQ_NOT_SUPPORTED, "no purge here");
  }

  void publish(mq::Queue& queue, mq::Messages messages, mq::PublishResults results,
               mq::Deadline deadline) override {
    auto& handle = static_cast<QueueHandle&>(queue);
    store_.host.count("publish_calls");
    if (handle.behaviour == "down") unavailable();
    if (handle.behaviour == "slow") {
      std::this_thread::sleep_for(std::chrono::milliseconds(handle.number));
    }
    Line& it = line(queue);
    const std::lock_guard lock(store_.mutex);
    const bool misbehave = misbehaves(it, handle, {"flaky", "doubt", "silenced"});
    if (misbehave && handle.behaviour != "doubt") unavailable();
    if (handle.behaviour == "silenced") {
      std::this_thread::sleep_until(deadline.at());
      throw mq::Failure(SWAPMQ_TIMEOUT, "no answer", SWAPMQ_ERROR_RETRYABLE);
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (handle.behaviour == "refused") {
        results[i] = mq::failed(SWAPMQ_ACCESS_DENIED);
      } else if (handle.behaviour == "limbo") {
        results[i] = mq::in_doubt(SWAPMQ_UNAVAILABLE);
      } else {
        store(it, messages[i]);
        results[i] = misbehave ? mq::in_doubt(SWAPMQ_UNAVAILABLE) : mq::confirmed();
      }
    }
    store_.changed.notify_all();
  }

  std::unique_ptr<mq::Subscription> subscribe(mq::Queue& queue,
                                              const swapmq_subscribe_args&) override {
    static std::atomic<uint64_t> subscriptions{0};
    auto consumer = std::make_unique<Consumer>();
    consumer->queue = &static_cast<QueueHandle&>(queue);
    consumer->number = ++subscriptions;
    consumer_ = consumer.get();
    return consumer;
  }

  mq::Received exchange(mq::Subscription& subscription, const mq::ExchangeArgs& args) override {
    auto& consumer = static_cast<Consumer&>(subscription);
    if (consumer.queue->behaviour == "down") unavailable();
    Line& it = line(*consumer.queue);
    std::unique_lock lock(store_.mutex);
    if (!args.settlements.empty() && misbehaves(it, *consumer.queue, {"dying"})) {
      throw mq::Failure(SWAPMQ_UNAVAILABLE, "the session died", SWAPMQ_ERROR_SESSION_DEAD);
    }
    const bool late = consumer.queue->behaviour == "late" && args.may_pend &&
                      args.max_messages > 0 && !it.ready.empty();
    for (std::size_t i = 0; i < args.settlements.size(); ++i) {
      args.settlement_results[i] = late && is_new(consumer, args.settlements[i])
                                       ? SWAPMQ_STATUS_PENDING
                                       : settle(it, consumer, args.settlements[i]);
    }
    if (args.max_messages == 0) return {};
    while (it.ready.empty() && !interrupted_) {
      if (store_.changed.wait_until(lock, args.deadline.at()) == std::cv_status::timeout) break;
    }
    const bool interrupted = std::exchange(interrupted_, false);
    auto batch = std::make_unique<Deliveries>();
    while (!it.ready.empty() && batch->size() < args.max_messages) hand_out(it, consumer, *batch);
    if (batch->size() == 0) return {nullptr, interrupted};
    return {std::move(batch), false};
  }

  void unsubscribe(mq::Subscription& subscription) override {
    auto& consumer = static_cast<Consumer&>(subscription);
    Line& it = line(*consumer.queue);
    const std::lock_guard lock(store_.mutex);
    for (auto held = consumer.held.rbegin(); held != consumer.held.rend(); ++held) {
      it.ready.push_front(held->second);
      --it.unacked;
    }
    consumer.held.clear();
    consumer_ = nullptr;
  }
  void service(mq::Deadline deadline) override {
    store_.host.count("service_calls");
    if (consumer_ != nullptr && consumer_->queue->behaviour == "mute") {
      std::this_thread::sleep_until(deadline.at());
      throw mq::Failure(SWAPMQ_TIMEOUT, "no answer", SWAPMQ_ERROR_RETRYABLE);
    }
    if (consumer_ == nullptr || consumer_->queue->behaviour != "resetting") return;
    {
      Line& it = line(*consumer_->queue);
      const std::lock_guard lock(store_.mutex);
      if (consumer_->held.empty() || std::exchange(it.script, 0) == 0) return;
    }
    store_.host.count("resets");
    std::this_thread::sleep_for(std::chrono::milliseconds(consumer_->queue->number));
    throw mq::Failure(SWAPMQ_UNAVAILABLE, "connection reset", SWAPMQ_ERROR_SESSION_DEAD);
  }
  void interrupt() noexcept override {
    const std::lock_guard lock(store_.mutex);
    interrupted_ = true;
    store_.changed.notify_all();
  }

 private:
  [[noreturn]] static void unavailable() {
    throw mq::Failure(SWAPMQ_UNAVAILABLE, "nobody answers", SWAPMQ_ERROR_RETRYABLE);
  }

  Line& line(mq::Queue& queue) {
    const std::lock_guard lock(store_.mutex);
    return store_.lines[static_cast<QueueHandle&>(queue).name];
  }

  static bool misbehaves(Line& it, const QueueHandle& queue,
                         std::initializer_list<std::string_view> behaviours) {
    if (std::find(behaviours.begin(), behaviours.end(), queue.behaviour) == behaviours.end()) {
      return false;
    }
    if (it.script < 0) it.script = queue.number;
    if (it.script == 0) return false;
    --it.script;
    return true;
  }

  static void store(Line& it, const swapmq_message& message) {
    auto stored = std::make_shared<Stored>();
    stored->id = mq::view(message.id);
    stored->body = mq::view(message.body);
    const auto headers = mq::headers_of(message);
    for (std::size_t h = 0; h < headers.size(); ++h) {
      stored->headers.emplace_back(mq::view(headers[h].name), mq::view(headers[h].value));
    }
    it.ready.push_back(std::move(stored));
  }

  static bool is_new(Consumer& consumer, const swapmq_settlement& settlement) {
    Receipt receipt{};
    std::memcpy(&receipt, settlement.delivery->receipt.bytes, sizeof receipt);
    return consumer.late.insert(receipt.delivery).second;
  }

  swapmq_status settle(Line& it, Consumer& consumer, const swapmq_settlement& settlement) {
    Receipt receipt{};
    std::memcpy(&receipt, settlement.delivery->receipt.bytes, sizeof receipt);
    if (receipt.consumer != consumer.number) store_.host.count("stale_settlements");
    const auto held = consumer.held.find(receipt.delivery);
    if (held == consumer.held.end()) return SWAPMQ_LOST;
    if (misbehaves(it, *consumer.queue, {"stubborn"})) return SWAPMQ_RESOURCE_EXHAUSTED;
    switch (settlement.action) {
      case SWAPMQ_SETTLE_ACK:
        break;
      case SWAPMQ_SETTLE_NACK:
        if (settlement.due_at_ms != 0) return SWAPMQ_NOT_SUPPORTED;
        held->second->delivery_count += 1;
        it.ready.push_back(held->second);
        break;
      default:
        return SWAPMQ_NOT_SUPPORTED;
    }
    consumer.held.erase(held);
    --it.unacked;
    return SWAPMQ_OK;
  }

  static void hand_out(Line& it, Consumer& consumer, Deliveries& batch) {
    auto stored = std::move(it.ready.front());
    it.ready.pop_front();
    ++it.unacked;
    auto& [message, headers] = batch.messages.emplace_back();
    message = view_of(*stored, headers);
    const Receipt receipt{consumer.number, consumer.next_receipt++};
    batch.add(&message, {reinterpret_cast<const char*>(&receipt), sizeof receipt},
              stored->delivery_count + 1, stored->handed_out ? SWAPMQ_DELIVERY_REDELIVERED : 0);
    stored->handed_out = true;
    batch.stored.push_back(stored);
    consumer.held.emplace(receipt.delivery, std::move(stored));
  }

  Store& store_;
  Consumer* consumer_ = nullptr;
  bool interrupted_ = false;
};

const swapmq_capabilities capabilities = [] {
  swapmq_capabilities c{};
  c.struct_size = sizeof c;
  c.ordering = SWAPMQ_ORDERING_QUEUE;
  return c;
}();
const swapmq_limits limits = [] {
  swapmq_limits l{};
  l.struct_size = sizeof l;
  return l;
}();
const swapmq_plugin_info info{sizeof info,
                              0,
                              "scripted",
                              "1.0.0",
                              "MIT",
                              "misbehaves on demand, for tests",
                              R"({"type":"object","additionalProperties":false})",
                              &capabilities,
                              &limits};

} // namespace

SWAPMQ_DEFINE_BACKEND(ScriptedSession, info)
