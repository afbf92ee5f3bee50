// SPDX-License-Identifier: MIT
//
// swapmq for C++ applications: publish to and consume from queues; which broker stands behind them
// is a word in a JSON file.
//
//   auto mq = swapmq::MessageQueue::open("swapmq.json");
//   auto sent = mq.publish("tasks", "resize 42.png");
//   if (!sent) log(to_string(sent.outcome()), sent.error().message());
//   auto consumer = mq.consume("tasks", {.prefetch = 256, .concurrency = 4},
//       [](const swapmq::Delivery& d) { return resize(d.body()) ? swapmq::ack() : swapmq::nack(5s);
//       });
//
// Threads: every function may be called from any thread, concurrently, unless it says otherwise;
// moving, assigning and destroying an object is for one thread at a time. Blocking: a function that
// takes a timeout (milliseconds, on the monotonic clock) or whose options hold one may block that
// long; the others return at once. Ownership: string_views and spans passed in are borrowed for the
// call, unless it says "copies"; views handed out live as long as the object that they came from.
// Errors: values (Error, Result, Sent); only Result::value() and MessageQueue::open() throw.
// Signals: the library handles none, and blocks them in those of its threads that run none of the
// application's code (but for those of faults and SIGPROF).
#ifndef SWAPMQ_SWAPMQ_HPP
#define SWAPMQ_SWAPMQ_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/config.hpp"
#include "swapmq/error.hpp"

namespace swapmq {

using std::chrono::milliseconds;

class Tracer;

/// The version of the library, "MAJOR.MINOR.PATCH".
SWAPMQ_API std::string_view version();

// ---- publishing ---------------------------------------------------------------------------------

struct Header {
  std::string_view name; ///< 1 to 255 bytes
  std::string_view value;
};

/// What to publish. All views are borrowed for the call (publish_async copies).
struct Message {
  std::string_view body;
  std::string_view id{}; ///< 1 to 255 bytes; empty: the library makes a UUIDv7
  std::span<const Header> headers{};
  milliseconds delay{0};      ///< not delivered before
  milliseconds ttl{0};        ///< not delivered after; 0: for ever
  std::uint32_t priority = 0; ///< 0 to 9, higher first
  std::string_view ordering_key{};
  std::string_view correlation_id{};
  std::string_view reply_to{};
  std::string_view content_type{};
};

enum class Outcome : int {
  confirmed, ///< the backend has it, as durably as the config asks
  failed,    ///< it is certainly not stored
  in_doubt,  ///< it may be stored: no answer came, and no later attempt was confirmed
};

SWAPMQ_API std::string_view to_string(Outcome outcome);

/// How a publish ended.
class [[nodiscard]] Sent {
 public:
  Sent() = default;
  Sent(Outcome outcome, std::string_view id, Error error)
      : outcome_(outcome), error_(std::move(error)) {
    if (id.size() > short_id_.size()) {
      long_id_ = id;
      return;
    }
    short_size_ = static_cast<std::uint8_t>(id.size());
    std::copy(id.begin(), id.end(), short_id_.begin());
  }

  explicit operator bool() const { return outcome_ == Outcome::confirmed; }
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] const Error& error() const { return error_; }
  /// The message's id, made by the library or given. Lives as long as this.
  [[nodiscard]] std::string_view id() const {
    return long_id_.empty() ? std::string_view(short_id_.data(), short_size_) : long_id_;
  }

 private:
  Outcome outcome_ = Outcome::failed;
  std::uint8_t short_size_ = 0;
  std::array<char, 36> short_id_{}; // as long as those that the library makes: no heap for them
  std::string long_id_;
  Error error_;
};

struct PublishOptions {
  milliseconds timeout{30'000}; ///< retries included
};

// ---- consuming ----------------------------------------------------------------------------------

namespace detail {
class DeliveryState;
class ConsumerState;
class Runtime;
} // namespace detail

/// What asking for a settlement said at once. The broker's word comes later:
/// Delivery::wait_settled.
enum class Settling : int {
  accepted, ///< it will be settled so
  already,  ///< it was settled before; nothing changes
  lost,     ///< no longer ours: its connection, lease or ack_timeout is gone
};

/// A message handed to a consumer. A handle: copies stand for the same delivery. If the last one
/// goes away unsettled, the message is released. May outlive consumer and message queue; it then is
/// lost.
class SWAPMQ_API Delivery {
 public:
  Delivery() = default; ///< of no delivery: views are empty, settling says lost
  Delivery(const Delivery& other) noexcept;
  Delivery(Delivery&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Delivery& operator=(Delivery other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Delivery();

  // The views live as long as any handle of this delivery.
  [[nodiscard]] std::string_view body() const;
  [[nodiscard]] std::string_view id() const;
  [[nodiscard]] std::string_view queue() const;
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::vector<Header> headers() const;
  [[nodiscard]] std::string_view ordering_key() const;
  [[nodiscard]] std::string_view correlation_id() const;
  [[nodiscard]] std::string_view reply_to() const;
  [[nodiscard]] std::string_view content_type() const;
  [[nodiscard]] std::chrono::system_clock::time_point timestamp() const;
  [[nodiscard]] std::uint32_t priority() const;
  [[nodiscard]] std::uint32_t delivery_count() const; ///< 1 for the first
  [[nodiscard]] bool redelivered() const;

  // Each is idempotent and returns at once; the settlement travels with the consumer's next
  // exchange.
  Settling ack() const;
  /// Counted; delivered again after the delay (none: the config's retry_delay_seconds), or
  /// dead-lettered if that was the last of max_deliveries. Of the reason, here and of a rejection,
  /// 1024 bytes are kept.
  Settling nack(std::optional<milliseconds> delay = std::nullopt,
                std::string_view reason = {}) const;
  Settling release() const;                            ///< not counted
  Settling reject(std::string_view reason = {}) const; ///< dead-lettered now
  /// The handler still works on it: ack_timeout begins anew.
  Settling extend() const;
  /// Waits for the broker's word on the settlement. ok: done; lost: others may get it again;
  /// timeout.
  [[nodiscard]] Error wait_settled(milliseconds timeout) const;
  /// The same without waiting, and without a timeout: `told` is called once, on a thread of the
  /// library, or before this returns if the word is there. It must neither block nor throw.
  void when_settled(std::function<void(Error)> told) const;

 private:
  friend class detail::DeliveryState;
  explicit Delivery(detail::DeliveryState* state) noexcept : state_(state) {}
  detail::DeliveryState* state_ = nullptr; // counts its handles
};

/// What a handler decides.
struct Decision {
  enum class Kind { ack, nack, release, reject, keep } kind = Kind::ack;
  std::optional<milliseconds> delay{};
  std::string reason{};
};

inline Decision ack() { return {Decision::Kind::ack}; }
inline Decision nack(std::optional<milliseconds> delay = std::nullopt, std::string reason = {}) {
  return {Decision::Kind::nack, delay, std::move(reason)};
}
inline Decision release() { return {Decision::Kind::release}; }
inline Decision reject(std::string reason = {}) {
  return {Decision::Kind::reject, std::nullopt, std::move(reason)};
}
/// The handler took a copy of the delivery and settles it later, from any thread.
inline Decision keep() { return {Decision::Kind::keep}; }

struct ConsumeOptions {
  std::uint32_t prefetch = 256;  ///< the most that is handed out and not settled
  std::uint32_t concurrency = 1; ///< handler threads; 1 keeps the order of first deliveries
  milliseconds ack_timeout{30 * 60 * 1000}; ///< an unsettled delivery is nacked after; 0: never
  /// One of those that the config gives the queue; each gets every message. Consumers of one group
  /// share them. Empty: the queue itself.
  std::string group{};
  /// Of subscriptions: nothing is taken from the broker but what Subscription::ask() asks for.
  bool on_demand = false;
};

/// Called on a thread of the library. Throwing std::exception is a nack with its text as the
/// reason.
using Handler = std::function<Decision(const Delivery&)>;

/// Runs a handler until closed or destroyed (which closes it with a timeout of 30 s). Reconnects
/// and subscribes again by itself, for as long as it lives.
class SWAPMQ_API Consumer {
 public:
  explicit Consumer(std::shared_ptr<detail::ConsumerState> state);
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;
  ~Consumer();

  /// Draining: no new deliveries; handlers in flight finish and are settled; what is buffered is
  /// released. timeout: some handlers still ran; their deliveries are lost to them. An exchange
  /// that the broker does not answer is awaited beyond it, up to connection_timeout_seconds. Not
  /// from a handler.
  Error close(milliseconds timeout = milliseconds(30'000));
  /// Takes nothing more until it is resumed: what is buffered goes back to the queue, where others
  /// get it; handlers in flight finish and are settled. Returns at once, from a handler, too. It
  /// counts as a consumer of the queue meanwhile: a switch waits for what lies there.
  void pause();
  /// Goes on to consume: from every backend that the message queue consumes from then.
  void resume();
  [[nodiscard]] bool paused() const;
  /// The last error of the connection to the broker, ok while it works.
  [[nodiscard]] Error last_error() const;
  /// Deliveries handed out and not settled.
  [[nodiscard]] std::size_t in_flight() const;

 private:
  std::shared_ptr<detail::ConsumerState> state_;
};

/// Pulls deliveries. They may be settled from any thread.
class SWAPMQ_API Subscription {
 public:
  explicit Subscription(std::shared_ptr<detail::ConsumerState> state);
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

  /// Waits for the first delivery and returns what is there, up to max; empty: none until then.
  Result<std::vector<Delivery>> receive(std::size_t max, milliseconds timeout);

  // For who cannot wait in receive(): tell how many are wanted, and receive with a timeout of 0.

  /// With on_demand: so many may lie here to be received, from each backend that is consumed from;
  /// what is beyond that goes back. 0 to begin with.
  void ask(std::size_t count);
  /// `ready` is called whenever there may be something to receive, on a thread of the library that
  /// holds its locks: it must not block, throw or call the library. Never any more once another
  /// one was set; null: nobody. Not from `ready`.
  void on_ready(std::function<void()> ready);
  /// As Consumer::close.
  Error close(milliseconds timeout = milliseconds(30'000));
  /// As those of Consumer. receive() finds nothing while it is paused.
  void pause();
  void resume();
  [[nodiscard]] bool paused() const;

 private:
  std::shared_ptr<detail::ConsumerState> state_;
};

// ---- looking ------------------------------------------------------------------------------------

enum class Precision : int { unknown, approximate, exact };

struct QueueStats {
  std::uint64_t ready = 0, unacked = 0, delayed = 0;
  Precision ready_precision = Precision::unknown;
  Precision unacked_precision = Precision::unknown;
  Precision delayed_precision = Precision::unknown;
  bool exists = false;
};

struct Metric {
  std::string name; ///< e.g. "swapmq_published_total"
  /// "backend", "queue", ...; without "queue" what concerns no queue, or all those together that
  /// were used after the first 4096.
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0; ///< a counter or gauge; of a histogram: the number of observations
  /// A histogram's buckets: upper bound in seconds, cumulative count. Empty otherwise.
  std::vector<std::pair<double, std::uint64_t>> buckets{};
  double sum = 0; ///< of a histogram, in seconds
};

struct CapabilityValue {
  std::string name;  ///< "durability", "delayed_publish", ...
  std::string grade; ///< "absent", "emulated", "native", or the word of that capability
};

struct LimitValue {
  std::string name;        ///< "max_body_bytes", ...
  std::uint64_t value = 0; ///< 0: none
};

struct PluginDescription {
  std::string name, version, license, summary, path, abi_version, options_schema;
  std::vector<CapabilityValue> capabilities;
  std::vector<LimitValue> limits;
  std::vector<std::string> extensions;
};

/// A file that a plugin search came upon: loadable, or why not.
struct PluginFound {
  std::string name, path;
  Result<PluginDescription> description;
};

/// The folders that plugins are searched in, in order: those of the config (may be empty), of
/// SWAPMQ_PLUGIN_PATH, beside the program, beside this library, the install directory.
SWAPMQ_API std::vector<std::string> plugin_search_path(
    std::span<const std::string> from_config = {});
/// Every *.so in the search path; the first of a name hides the later ones. Loads each.
SWAPMQ_API std::vector<PluginFound> list_plugins(std::span<const std::string> from_config = {});
/// Loads by name, or by path if it has a slash, and describes.
SWAPMQ_API Result<PluginDescription> describe_plugin(std::string_view name_or_path,
                                                     std::span<const std::string> from_config = {});

// ---- switching ----------------------------------------------------------------------------------

/// What one backend can do otherwise than another.
struct CapabilityChange {
  std::string name;          ///< as CapabilityValue's
  std::string before, after; ///< the words of both
  bool lost = false;         ///< less than before; not merely done in another way
};

enum class SwitchPhase : int {
  none,      ///< no switch was asked for yet
  prepare,   ///< the new backend is opened and looked at, its queues are made
  cut_over,  ///< consumers and publishes go to the new backend
  drain,     ///< consumers empty the backend that was left
  retired,   ///< done: nothing is owed there any more; it stays watched
  failed,    ///< never cut over: all is as it was
  cancelled, ///< the same, since somebody asked for it
  refused,   ///< the same, since the new backend can do less; or a dry run, which only looks
};

SWAPMQ_API std::string_view to_string(SwitchPhase phase);

/// What becomes of the messages that lie on the backend that is left.
enum class BacklogPolicy : int {
  drain,    ///< consumed there, by this host and others, until it is empty; dead letters stay
  transfer, ///< moved to the new backend, dead letters as well, while they are consumed, too
  leave,    ///< stay there, named in the journal; nothing more is consumed from there
};

enum class SwitchOrder : int {
  relaxed, ///< messages of both backends are consumed side by side
  strict,  ///< first deliveries of a queue come in the order of its publishes: what was published
           ///< to the new backend is consumed after all of the one before
};

SWAPMQ_API std::string_view to_string(BacklogPolicy policy);
SWAPMQ_API std::string_view to_string(SwitchOrder order);

struct SwitchOptions {
  /// Only prepares and tells; makes no queue. Ends as refused.
  bool dry_run = false;
  /// Switches also where capabilities are lost.
  bool allow_capability_loss = false;
  BacklogPolicy policy = BacklogPolicy::drain;
  /// strict: not with the policy transfer. Until the backend that was left is retired, another
  /// switch to it has to wait.
  SwitchOrder order = SwitchOrder::relaxed;
  /// strict, where other hosts consume what this one publishes: publishes to queues that nobody
  /// here consumes wait until the backend that was left has been emptied, or fail at their timeout.
  bool hold_publishes = false;
  milliseconds prepare_timeout{30'000};
  /// After it a switch that still drains says so as its error; it goes on. 0: never.
  milliseconds drain_timeout{0};
  /// How long messages may lie on a backend that was left, getting no fewer, in a queue that
  /// nothing in this process consumes; then they are moved as by the policy transfer. They would
  /// be stranded where no other host consumes there. Not with the policy leave or strict order.
  milliseconds stranded_timeout{30'000};
};

/// Of one backend that the message queue has to do with.
struct BackendStatus {
  std::string key;             ///< plugin and address, "NAME-DIGEST"
  std::string name;            ///< of the plugin
  bool active = false;         ///< publishes go there
  bool owed = false;           ///< it was left, and is not yet known to be empty
  std::uint64_t in_flight = 0; ///< publish calls of this message queue under way there
  bool watched = false;        ///< consumers are there for it; false: it was left alone
  // As last read, all queues together; meaningful where it is owed.
  std::uint64_t ready = 0, unacked = 0, delayed = 0;
  std::map<std::string, std::uint64_t> by_queue; ///< all of them, dead letters too; if owed
  std::uint64_t moved = 0;                       ///< messages moved from there by this process
  std::map<std::string, std::uint64_t> left;     ///< by queue: what was named and not moved
  Error error;                                   ///< the last one that looking at it met
  bool missing = false; ///< it is not open yet; that is tried again and again
};

struct SwitchStatus {
  std::uint64_t number = 0; ///< counts the switches that were asked for, by whomever
  SwitchPhase phase = SwitchPhase::none;
  std::string from, to;    ///< keys of backends
  milliseconds elapsed{0}; ///< since it was asked for, until it ended
  Error error;             ///< why it failed or was refused
  std::vector<CapabilityChange> changes;
  std::vector<BackendStatus> backends; ///< all that were used, the active one first
  /// Others publish to a backend that this host left, as far as it sees that: hosts that
  /// have not followed yet, or that switched the other way. Nothing is lost: what comes there is
  /// consumed, and it is not retired as long as they do.
  bool crossed = false;
  std::string configured; ///< key of the backend that the config names
  /// The config names a backend that was rolled back from: it is not followed, after a restart
  /// neither, until it names another one or somebody asks for that switch.
  bool config_refused = false;
};

/// What a reload came to.
struct ReloadResult {
  std::vector<std::string> live;       ///< JSON pointers of what changed and counts at once
  std::vector<std::string> at_restart; ///< of what changed and counts only after a restart
  /// Of the switch that it began, as SwitchStatus::number; 0: none was needed. One to the same
  /// backend as before is a switch to a new instance of it: other options, or a new build.
  std::uint64_t switch_number = 0;
};

// ---- the message queue --------------------------------------------------------------------------

/// Wherever a queue is named, "@task", "@status", "@heartbeat" and "@control" stand for the queue
/// that the config gives that role. Other names do not begin with '@'.
class SWAPMQ_API MessageQueue {
 public:
  /// Reads the config, loads the plugin, opens the backend. Throws Exception. An empty path: the
  /// embedded default, sqlite in ./swapmq-data.
  static MessageQueue open(const std::string& path);
  /// Errors: config; plugin; those of opening the backend.
  static Result<MessageQueue> try_open(const std::string& path,
                                       const std::vector<ConfigOverride>& overrides = {});
  /// The same from JSON text; `name` stands for the file in messages.
  static Result<MessageQueue> try_open_text(std::string_view json,
                                            const std::string& name = "<text>");

  MessageQueue(MessageQueue&&) noexcept;
  MessageQueue& operator=(MessageQueue&&) noexcept;
  /// close() with 30 s.
  ~MessageQueue();

  /// Publishes and waits for the backend's word, with retries, until options.timeout.
  Sent publish(std::string_view queue, std::string_view body, const PublishOptions& options = {});
  Sent publish(std::string_view queue, const Message& message, const PublishOptions& options = {});
  /// In order; one Sent for each message.
  std::vector<Sent> publish_many(std::string_view queue, std::span<const Message> messages,
                                 const PublishOptions& options = {});
  /// Copies the message and returns; blocks while the bounded line of waiting messages is full.
  /// `done` is called once, on the library's publisher thread, or before this returns where the
  /// message is refused at once; it must neither block nor throw. Without `done` only the metrics
  /// tell.
  void publish_async(std::string_view queue, const Message& message,
                     std::function<void(Sent)> done = {}, const PublishOptions& options = {});
  /// The same with several, in order, which travel together; `done` gets one Sent for each.
  void publish_many_async(std::string_view queue, std::span<const Message> messages,
                          std::function<void(std::vector<Sent>)> done = {},
                          const PublishOptions& options = {});

  /// Of what is published and handled from now on; null: none. See swapmq/tracing.hpp. Before other
  /// threads publish, and before consume(): it is not for consumers that there are.
  void set_tracer(std::shared_ptr<Tracer> tracer);

  /// Calls the handler for each delivery. Errors: invalid_argument, also for a group that the
  /// config does not list; closed. The broker need not be reachable.
  Result<Consumer> consume(std::string_view queue, const ConsumeOptions& options,
                           const Handler& handler);
  Result<Subscription> subscribe(std::string_view queue, const ConsumeOptions& options = {});

  /// The groups that the config gives a queue ("queues": {"orders": {"groups": ["billing"]}}). What
  /// is published to the queue goes to the queue NAME@GROUP of each, "orders@billing", where
  /// deliveries say that they come from, and which the functions below look at and change. A
  /// message is confirmed once all groups have it, failed if none has. Groups come and go with a
  /// reload: a new one gets what is published after it, one that is gone keeps what it has.
  [[nodiscard]] std::vector<std::string> groups(std::string_view queue) const;

  /// On the active backend; one that a switch turns to gets its queues by itself.
  Error create_queue(std::string_view queue, milliseconds timeout = milliseconds(30'000));

  // Looking and managing, below: of a queue as a whole. While other backends than the active one
  // are consumed from (switch_status() lists them), a part of it may lie there: these functions
  // look at each of them, or change each, one after the other. Each gets an equal share of the
  // timeout. An error begins with the key of the backend that it came from, if there are several.

  /// Errors: those of the backends that it failed on, each named; where it was done then, too.
  Error delete_queue(std::string_view queue, milliseconds timeout = milliseconds(30'000));
  /// Each size is the sum, each precision the worst, of all backends; it exists if it does on any.
  /// What moves meanwhile may count twice or not at all. A backend that is only watched, nothing
  /// being owed there, gets a second at most; if it does not answer, no precision is better than
  /// approximate. Errors: those of the active one and of those that are owed.
  Result<QueueStats> stats(std::string_view queue, milliseconds timeout = milliseconds(30'000));
  /// Messages that are ready, from stats(). not_supported: that is unknown.
  Result<std::uint64_t> size(std::string_view queue, milliseconds timeout = milliseconds(30'000));
  /// Removes what is ready and delayed, leaves what is unacked; how many it removed. Errors: those
  /// of the backends that it failed on, each named; with what was removed from others, if any.
  Result<std::uint64_t> purge(std::string_view queue, milliseconds timeout = milliseconds(30'000));
  /// Those of all backends, each once; without those of a backend that is only watched and does
  /// not answer within a second. not_supported if one that matters cannot list.
  Result<std::vector<std::string>> list_queues(milliseconds timeout = milliseconds(30'000));

  /// Shows up to max messages that are ready, in the order in which they would be delivered, those
  /// of the active backend first, and takes none: nothing is counted, nobody gets them later for
  /// it. Settling them is lost. Fewer where a backend shows fewer in one look, which ends after 256
  /// MiB of bodies. Errors: invalid_argument, max is 0; not_supported, a backend cannot show
  /// without taking: Subscription::receive() and Delivery::release() come near to it.
  Result<std::vector<Delivery>> peek(std::string_view queue, std::size_t max,
                                     milliseconds timeout = milliseconds(30'000));

  /// A round trip to the broker, the active one.
  Error ping(milliseconds timeout = milliseconds(30'000));

  /// The word of the config: the name of the plugin that publishes go to.
  [[nodiscard]] std::string backend_name() const;
  [[nodiscard]] PluginDescription backend() const;
  /// The config's, as it was when the queue was opened; empty: it has none.
  [[nodiscard]] std::string state_dir() const;
  [[nodiscard]] std::vector<Metric> metrics() const;

  /// Asks for a switch to the backend of that name, as the config's section describes it, and
  /// returns its SwitchStatus::number; switch_status() tells how it goes. Publishers and consumers
  /// go on meanwhile. Blocks for loading the plugin, as reload(). Errors: plugin, there is none of
  /// that name; config, its section is wrong; invalid_argument, it is the active one already, or
  /// the options contradict each other; conflict, another switch is still before its cut-over, or
  /// strict order has it wait.
  Result<std::uint64_t> switch_to(std::string_view type, const SwitchOptions& options = {});
  /// What the config says of switches, as it was read last.
  [[nodiscard]] SwitchOptions switch_options() const;
  [[nodiscard]] SwitchStatus switch_status() const;
  /// Waits until the last switch has ended (retired, failed, cancelled, refused) or the timeout
  /// passed, and tells where it stands.
  SwitchStatus wait_for_switch(milliseconds timeout);
  /// Before the cut-over: ends the switch, and all is as it was. After it, until it is retired:
  /// rolls back. Errors: not_found, there is none under way.
  Error cancel_switch();
  /// Asks for a switch to the backend that was active before, whatever it can do less, and returns
  /// as switch_to(); also long after the last switch, and after a restart with the same state_dir.
  /// Errors: not_found, there is none; conflict.
  Result<std::uint64_t> roll_back();

  /// Ends the watching of a backend that was left, by its name or, where two have that, by its key:
  /// what other hosts still publish there is not consumed by this one any more. One that is owed
  /// messages is given up, with what lies there, only if the caller says so; a warning in the log
  /// lists what stays, by queue. Errors: not_found; invalid_argument, it is the active one, or two
  /// have that name; conflict, it is owed messages.
  Error forget(std::string_view backend, bool give_up_what_is_owed = false);

  /// Reads the config anew and follows it: what can change at once does, another backend, other
  /// options of it or a new build of its plugin begin a switch, in place of one that is not yet
  /// cut over. Blocks for reading the file and loading plugins, not for a broker; a plugin that is
  /// new to the process is loaded by another one first, within switch.prepare_timeout_seconds of
  /// the config before. Errors: those of try_open() of a config that cannot be used; plugin, one
  /// crashed or hung there; then nothing has changed. Any thread; one reload after the other.
  Result<ReloadResult> reload(const std::string& path,
                              const std::vector<ConfigOverride>& overrides = {});
  /// The same from JSON text.
  Result<ReloadResult> reload_text(std::string_view json, const std::string& name = "<text>");

  /// Draining: ends publishing (what waits is sent), closes consumers as Consumer::close, closes
  /// the backend. timeout: not all was done by then. A call that the backend does not answer is
  /// awaited beyond it, for as long as that call may take: the config's
  /// connection_timeout_seconds, or the timeout of the publish.
  Error close(milliseconds timeout = milliseconds(30'000));

 private:
  explicit MessageQueue(std::shared_ptr<detail::Runtime> runtime);
  void start_publishing(std::string_view queue, std::span<const Message> messages,
                        std::function<void(std::span<Sent>)> done, const PublishOptions& options);
  std::shared_ptr<detail::Runtime> runtime_;
};

} // namespace swapmq

#endif // SWAPMQ_SWAPMQ_HPP
