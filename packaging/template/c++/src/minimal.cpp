// SPDX-License-Identifier: MIT
//
// minimal.so: a whole backend in one file, to begin one's own from. Queues live in this process and
// are forgotten with it. One lock for all: short, right and slow; plugins/memory is the fast one.
// A backend for a broker has the same shape: Shared holds what its sessions share (here the queues,
// there the address and the credentials), the session holds the connection.
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <swapmq/backend.hpp>

namespace {

using namespace swapmq::backend;

/// A message that owns its bytes.
class Stored {
 public:
  explicit Stored(const swapmq_message& from) : message_(from) {
    for (swapmq_bytes* field :
         {&message_.id, &message_.body, &message_.ordering_key, &message_.correlation_id,
          &message_.reply_to, &message_.content_type}) {
      *field = keep(*field);
    }
    for (std::size_t i = 0; i < headers_of(from).size(); ++i) {
      const swapmq_header& header = headers_of(from)[i];
      headers_.push_back({keep(header.name), keep(header.value)});
    }
    message_.headers = headers_.data();
    message_.header_size = sizeof(swapmq_header);
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;

  [[nodiscard]] const swapmq_message& message() const { return message_; }

 private:
  swapmq_bytes keep(swapmq_bytes given) {
    bytes_.push_back(std::make_unique<std::string>(view(given)));
    return bytes(*bytes_.back());
  }
  swapmq_message message_;
  std::vector<std::unique_ptr<std::string>> bytes_;
  std::vector<swapmq_header> headers_;
};

struct Entry {
  std::shared_ptr<const Stored> stored;
  uint32_t returns = 0; // counted ones
  bool handed_out = false;
  const Subscription* holder = nullptr;
  uint64_t tag = 0; // of its latest delivery
};

/// Names one delivery: a message that was given back and delivered again has another.
struct Receipt {
  uint64_t place, tag;
};

/// A queue. The keys are places: in the order of publishing, never used twice.
struct Line {
  std::map<uint64_t, Entry> ready, unacked;
  std::multimap<int64_t, std::pair<uint64_t, Entry>> delayed; // by the time when they are due
  uint64_t next_place = 1, next_tag = 1;
  bool exists = false;

  [[nodiscard]] uint64_t size() const { return ready.size() + unacked.size() + delayed.size(); }
  void put(uint64_t place, Entry entry, int64_t due_at_ms) {
    entry.holder = nullptr;
    if (due_at_ms <= unix_now_ms()) {
      ready.emplace(place, std::move(entry));
    } else {
      delayed.emplace(due_at_ms, std::pair(place, std::move(entry)));
    }
  }
  void wake_delayed() {
    while (!delayed.empty() && delayed.begin()->first <= unix_now_ms()) {
      ready.insert(std::move(delayed.begin()->second));
      delayed.erase(delayed.begin());
    }
  }
};

struct Queues {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Line, std::less<>> lines;
};

/// What the sessions of one backend share. All backends of the process see the same queues, which
/// are gone with the last of them.
struct Broker {
  explicit Broker(const OpenArgs&) {
    static std::mutex mutex;
    static std::weak_ptr<Queues> of_process;
    const std::scoped_lock lock(mutex);
    queues = of_process.lock();
    if (!queues) of_process = queues = std::make_shared<Queues>();
  }
  std::shared_ptr<Queues> queues;
};

struct NamedQueue final : Queue {
  NamedQueue(std::string_view its_name, uint64_t its_max) : name(its_name), max_length(its_max) {}
  const std::string name;
  const uint64_t max_length;
};

struct Consumer final : Subscription {
  Consumer(const NamedQueue& its_queue, uint32_t its_prefetch)
      : name(its_queue.name), prefetch(its_prefetch) {}
  const std::string name;
  const uint32_t prefetch;
};

struct Deliveries final : Batch {
  void add_entry(uint64_t place, const Entry& entry) {
    const Receipt names{place, entry.tag};
    const std::string_view receipt(reinterpret_cast<const char*>(&names), sizeof names);
    const swapmq_message& message = entry.stored->message();
    const bool before = entry.handed_out || message.delivery_count > 0; // here or elsewhere
    add(&message, receipt, message.delivery_count + entry.returns + 1,
        before ? SWAPMQ_DELIVERY_REDELIVERED : 0);
    kept.push_back(entry.stored);
  }
  std::vector<std::shared_ptr<const Stored>> kept; // what the deliveries point at
};

class MinimalSession final : public Session {
 public:
  using Shared = Broker;
  MinimalSession(Broker& broker, int32_t /*role*/, Deadline) : queues_(broker.queues) {}

  void ping(Deadline) override {}
  void service(Deadline) override {}

  std::unique_ptr<Queue> open_queue(std::string_view name, const swapmq_queue_spec& spec) override {
    if (name.size() > 255 || name.find('\0') != std::string_view::npos) {
      throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name is 1 to 255 bytes and has no NUL");
    }
    return std::make_unique<NamedQueue>(name, spec.max_length);
  }

  void create_queue(Queue& queue, Deadline) override {
    const std::scoped_lock lock(queues_->mutex);
    line(queue).exists = true;
  }

  void delete_queue(Queue& queue, Deadline) override {
    const std::scoped_lock lock(queues_->mutex);
    Line& of = line(queue);
    of.ready.clear();
    of.unacked.clear();
    of.delayed.clear();
    of.exists = false;
  }

  void queue_stats(Queue& queue, swapmq_queue_stats& stats, Deadline) override {
    const std::scoped_lock lock(queues_->mutex);
    Line& of = line(queue);
    of.wake_delayed();
    stats.ready = of.ready.size();
    stats.unacked = of.unacked.size();
    stats.delayed = of.delayed.size();
    stats.ready_precision = stats.unacked_precision = stats.delayed_precision = SWAPMQ_STAT_EXACT;
    stats.atomic = 1;
    stats.exists = of.exists ? 1 : 0;
  }

  uint64_t purge_queue(Queue& queue, Deadline) override {
    const std::scoped_lock lock(queues_->mutex);
    Line& of = line(queue);
    const uint64_t removed = of.ready.size() + of.delayed.size();
    of.ready.clear();
    of.delayed.clear();
    return removed;
  }

  void publish(Queue& queue, Messages messages, PublishResults results, Deadline) override {
    const uint64_t max = static_cast<NamedQueue&>(queue).max_length;
    const std::scoped_lock lock(queues_->mutex);
    Line& to = line(queue);
    to.exists = true;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (max != 0 && to.size() >= max) {
        results[i] = failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
        continue;
      }
      const swapmq_message& message = messages[i];
      if (message.expires_at_ms != 0) { // ttl is declared absent
        results[i] = failed(SWAPMQ_NOT_SUPPORTED);
        continue;
      }
      to.put(to.next_place++, {std::make_shared<const Stored>(message)}, message.due_at_ms);
      results[i] = confirmed();
    }
    queues_->changed.notify_all();
  }

  std::unique_ptr<Subscription> subscribe(Queue& queue,
                                          const swapmq_subscribe_args& args) override {
    create_queue(queue, Deadline(args.deadline_ns));
    return std::make_unique<Consumer>(static_cast<NamedQueue&>(queue), args.prefetch);
  }

  Received exchange(Subscription& subscription, const ExchangeArgs& args) override {
    auto& consumer = static_cast<Consumer&>(subscription);
    std::unique_lock lock(queues_->mutex);
    for (std::size_t i = 0; i < args.settlements.size(); ++i) {
      args.settlement_results[i] = settle(consumer, args.settlements[i]);
    }
    if (!args.settlements.empty()) queues_->changed.notify_all();
    while (args.max_messages > 0) {
      if (auto batch = take(consumer, args); batch->size() > 0) return {std::move(batch)};
      if (std::exchange(interrupted_, false)) return {nullptr, true};
      if (args.deadline.passed()) break;
      queues_->changed.wait_until(lock, next_look(consumer, args.deadline));
    }
    return {};
  }

  void unsubscribe(Subscription& subscription) override {
    const std::scoped_lock lock(queues_->mutex);
    Line& of = queues_->lines[static_cast<Consumer&>(subscription).name];
    for (auto at = of.unacked.begin(); at != of.unacked.end();) {
      const auto held = at++;
      if (held->second.holder == &subscription) give_back(of, held, 0);
    }
    queues_->changed.notify_all();
  }

  void interrupt() noexcept override {
    const std::scoped_lock lock(queues_->mutex);
    interrupted_ = true;
    queues_->changed.notify_all();
  }

  void list_queues(const QueueVisitor& visit, Deadline) {
    std::vector<std::string> names;
    {
      const std::scoped_lock lock(queues_->mutex);
      for (const auto& [name, of] : queues_->lines) {
        if (of.exists) names.push_back(name);
      }
    }
    for (const std::string& name : names) visit(name);
  }

 private:
  using Held = std::map<uint64_t, Entry>::iterator;

  Line& line(Queue& queue) { return queues_->lines[static_cast<NamedQueue&>(queue).name]; }

  static void give_back(Line& of, Held held, int64_t due_at_ms) {
    of.put(held->first, std::move(held->second), due_at_ms);
    of.unacked.erase(held);
  }

  swapmq_status settle(Consumer& consumer, const swapmq_settlement& settlement) {
    Receipt names{};
    if (settlement.delivery->receipt.size != sizeof names) return SWAPMQ_LOST;
    std::memcpy(&names, settlement.delivery->receipt.bytes, sizeof names);
    Line& of = queues_->lines[consumer.name];
    const Held held = of.unacked.find(names.place);
    if (held == of.unacked.end() || held->second.holder != &consumer ||
        held->second.tag != names.tag) {
      return SWAPMQ_LOST;
    }
    switch (settlement.action) {
      case SWAPMQ_SETTLE_ACK:
        of.unacked.erase(held);
        return SWAPMQ_OK;
      case SWAPMQ_SETTLE_NACK:
        ++held->second.returns;
        give_back(of, held, settlement.due_at_ms);
        return SWAPMQ_OK;
      case SWAPMQ_SETTLE_RELEASE:
        give_back(of, held, 0);
        return SWAPMQ_OK;
      default:
        return SWAPMQ_NOT_SUPPORTED; // dead_letter is declared absent: the host does it
    }
  }

  std::unique_ptr<Deliveries> take(Consumer& consumer, const ExchangeArgs& args) {
    auto batch = std::make_unique<Deliveries>();
    Line& of = queues_->lines[consumer.name];
    of.wake_delayed();
    const auto held = std::count_if(of.unacked.begin(), of.unacked.end(), [&](const auto& each) {
      return each.second.holder == &consumer;
    });
    const std::size_t credit = consumer.prefetch - static_cast<std::size_t>(held);
    uint64_t body_bytes = 0;
    while (!of.ready.empty() && batch->size() < std::min(args.max_messages, credit)) {
      auto& [place, entry] = *of.ready.begin();
      body_bytes += entry.stored->message().body.size;
      if (args.max_bytes != 0 && body_bytes > args.max_bytes && batch->size() > 0) break;
      entry.tag = of.next_tag++;
      batch->add_entry(place, entry);
      entry.handed_out = true;
      entry.holder = &consumer;
      of.unacked.insert(of.ready.extract(place));
    }
    return batch;
  }

  Deadline::Clock::time_point next_look(const Consumer& consumer, Deadline deadline) {
    const Line& of = queues_->lines[consumer.name];
    if (of.delayed.empty()) return deadline.at();
    const std::chrono::milliseconds wait(of.delayed.begin()->first - unix_now_ms());
    return std::min(deadline.at(), Deadline::Clock::now() + wait);
  }

  const std::shared_ptr<Queues> queues_;
  bool interrupted_ = false;
};

// [readme]
constexpr swapmq_capabilities kCapabilities{
    .struct_size = sizeof(swapmq_capabilities),
    .durability = SWAPMQ_DURABILITY_NONE,
    .ordering = SWAPMQ_ORDERING_QUEUE,
    .sharing = SWAPMQ_SHARING_PROCESS,
    .delayed_publish = SWAPMQ_NATIVE,
    .delayed_nack = SWAPMQ_NATIVE,
    .ttl = SWAPMQ_ABSENT,
    .priority = SWAPMQ_ABSENT,
    .release = SWAPMQ_NATIVE,
    .dead_letter = SWAPMQ_ABSENT,
    .deduplication = SWAPMQ_ABSENT,
    .purge = SWAPMQ_NATIVE,
    .counts_crashes = SWAPMQ_ABSENT,
    .max_length = SWAPMQ_NATIVE,
};
constexpr swapmq_limits kLimits{.struct_size = sizeof(swapmq_limits),
                                .max_queue_name_bytes = 255,
                                .max_body_bytes = 0,
                                .max_headers_bytes = 0,
                                .max_header_count = 0,
                                .max_publish_batch = 0,
                                .max_receive_batch = 0,
                                .max_priority = 0,
                                .max_delay_ms = 0,
                                .queue_name_alphabet = nullptr};
constexpr swapmq_plugin_info kInfo{
    .struct_size = sizeof(swapmq_plugin_info),
    .flags = 0,
    .name = "minimal",
    .version = "1.0.0",
    .license = "MIT",
    .description = "A whole backend in one file, to begin one's own from; forgets with the process",
    .options_schema = R"({"type": "object", "additionalProperties": false})",
    .capabilities = &kCapabilities,
    .limits = &kLimits,
};

} // namespace

SWAPMQ_DEFINE_BACKEND(MinimalSession, kInfo)
// [/readme]
