// SPDX-License-Identifier: MIT
//
// A backend for tests of the program. The name of a queue says how publishing to it ends:
//   down      nothing is reached
//   limbo     every message is in doubt
//   picky     a message that begins with "big" is too large, others are confirmed
//   stuck     the call takes a minute, and says so in the log before
//   withheld  says that messages are ready and delivers none
// With {"down": true} there is no connection at all, with {"pace": "slow"} no ping is answered. It
// stores nothing.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "swapmq/backend.hpp"

namespace {

namespace mq = swapmq::backend;

struct Broker {
  explicit Broker(const mq::OpenArgs& args)
      : host(args.host),
        down(args.options_json.find("true") != std::string_view::npos),
        slow(args.options_json.find("slow") != std::string_view::npos) {}
  mq::Host host;
  bool down, slow;
};

struct QueueHandle final : mq::Queue {
  std::string name;
};

mq::Failure unreachable() {
  return {SWAPMQ_UNAVAILABLE, "no broker at trouble.example:1; is it running?",
          SWAPMQ_ERROR_RETRYABLE};
}

class TroubleSession final : public mq::Session {
 public:
  using Shared = Broker;

  TroubleSession(Broker& broker, int32_t /*role*/, mq::Deadline /*deadline*/) : broker_(broker) {
    if (broker.down) throw unreachable();
  }

  void ping(mq::Deadline deadline) override {
    if (!broker_.slow) return;
    wait(deadline);
    throw unreachable();
  }
  std::unique_ptr<mq::Queue> open_queue(std::string_view name, const swapmq_queue_spec&) override {
    auto queue = std::make_unique<QueueHandle>();
    queue->name = name;
    return queue;
  }
  void create_queue(mq::Queue&, mq::Deadline) override {}
  void delete_queue(mq::Queue&, mq::Deadline) override {}
  void queue_stats(mq::Queue& queue, swapmq_queue_stats& stats, mq::Deadline) override {
    if (static_cast<QueueHandle&>(queue).name != "withheld") return;
    stats.exists = 1;
    stats.ready_precision = SWAPMQ_STAT_EXACT;
    stats.ready = 3;
  }
  uint64_t purge_queue(mq::Queue&, mq::Deadline) override { return 0; }

  void publish(mq::Queue& queue, mq::Messages messages, mq::PublishResults results,
               mq::Deadline deadline) override {
    const std::string& name = static_cast<QueueHandle&>(queue).name;
    if (name == "down") throw unreachable();
    if (name == "stuck") {
      broker_.host.log(SWAPMQ_LOG_ERROR, "stuck until the deadline");
      wait(deadline);
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const bool big = mq::view(messages[i].body).starts_with("big");
      results[i] = name == "limbo"          ? mq::in_doubt(SWAPMQ_UNAVAILABLE)
                   : name == "picky" && big ? mq::failed(SWAPMQ_TOO_LARGE)
                                            : mq::confirmed();
    }
  }

  std::unique_ptr<mq::Subscription> subscribe(mq::Queue&, const swapmq_subscribe_args&) override {
    return std::make_unique<mq::Subscription>();
  }
  mq::Received exchange(mq::Subscription&, const mq::ExchangeArgs& args) override {
    for (std::size_t i = 0; i < args.settlements.size(); ++i) {
      args.settlement_results[i] = SWAPMQ_LOST;
    }
    return {nullptr, args.max_messages > 0 && wait(args.deadline)};
  }
  void unsubscribe(mq::Subscription&) override {}
  void service(mq::Deadline) override {}
  void interrupt() noexcept override {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

 private:
  bool wait(mq::Deadline deadline) {
    std::unique_lock lock(mutex_);
    const bool interrupted =
        changed_.wait_until(lock, deadline.at(), [this] { return interrupted_; });
    interrupted_ = false;
    return interrupted;
  }

  Broker& broker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

template <class T>
constexpr T sized() {
  T empty{};
  empty.struct_size = sizeof(T);
  return empty;
}

constexpr swapmq_capabilities capabilities = sized<swapmq_capabilities>();
constexpr swapmq_limits limits = sized<swapmq_limits>();

constexpr swapmq_plugin_info describe() {
  auto info = sized<swapmq_plugin_info>();
  info.name = "trouble";
  info.version = "1.0.0";
  info.license = "MIT";
  info.description = "A backend that fails as it is told to.";
  info.options_schema = R"({"type": "object", "additionalProperties": false,
                            "properties": {"down": {"type": "boolean"},
                                           "pace": {"type": "string"},
                                           "password": {"type": "string"}}})";
  info.capabilities = &capabilities;
  info.limits = &limits;
  return info;
}
constexpr swapmq_plugin_info info = describe();

} // namespace

SWAPMQ_DEFINE_BACKEND(TroubleSession, info)
