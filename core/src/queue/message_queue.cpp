// SPDX-License-Identifier: MIT
//
// The public facade: it checks, asks the runtime, and turns answers into values.
#include <iterator>
#include <utility>

#include "config/check.h"
#include "config/config.h"
#include "queue/clock.h"
#include "queue/group_publish.h"
#include "queue/runtime.h"
#include "queue/traced.h"

namespace swapmq {

namespace {

Result<std::shared_ptr<detail::Runtime>> start(config::Parsed parsed) {
  auto config = config::checked(std::move(parsed));
  if (!config) return config.error();
  return detail::Runtime::open(std::move(*config));
}

/// Of the queue that a caller named, perhaps by its role. The name is copied only then: a reload
/// may give the role to another queue.
class QueueName {
 public:
  QueueName(std::string_view name, const detail::Runtime& runtime) : name_(name) {
    if (name.starts_with('@')) name_ = copy_ = runtime.config()->queue_name(name);
  }
  QueueName(const QueueName&) = delete;
  QueueName& operator=(const QueueName&) = delete;
  ~QueueName() = default;
  operator std::string_view() const { return name_; }

 private:
  std::string copy_;
  std::string_view name_;
};

Sent refused(const Message& message, const Error& why) {
  return {Outcome::failed, std::string(message.id), why};
}

} // namespace

MessageQueue::MessageQueue(std::shared_ptr<detail::Runtime> runtime)
    : runtime_(std::move(runtime)) {}
MessageQueue::MessageQueue(MessageQueue&&) noexcept = default;

MessageQueue& MessageQueue::operator=(MessageQueue&& other) noexcept {
  if (this != &other) {
    if (runtime_ != nullptr) runtime_->close(milliseconds(30'000));
    runtime_ = std::move(other.runtime_);
  }
  return *this;
}

MessageQueue::~MessageQueue() {
  if (runtime_ != nullptr) runtime_->close(milliseconds(30'000));
}

MessageQueue MessageQueue::open(const std::string& path) { return try_open(path).value(); }

Result<MessageQueue> MessageQueue::try_open(const std::string& path,
                                            const std::vector<ConfigOverride>& overrides) {
  auto runtime = start(config::read(path, overrides));
  if (!runtime) return runtime.error();
  return MessageQueue(std::move(*runtime));
}

Result<MessageQueue> MessageQueue::try_open_text(std::string_view json, const std::string& name) {
  auto runtime = start(config::read_text(json, name));
  if (!runtime) return runtime.error();
  return MessageQueue(std::move(*runtime));
}

// ---- publishing ---------------------------------------------------------------------------------

Sent MessageQueue::publish(std::string_view queue, std::string_view body,
                           const PublishOptions& options) {
  Message message;
  message.body = body;
  return publish(queue, message, options);
}

Sent MessageQueue::publish(std::string_view queue, const Message& message,
                           const PublishOptions& options) {
  const QueueName name(queue, *runtime_);
  const queue::Traced traced(runtime_->tracer(), name, {&message, 1});
  const auto send = [&] {
    if (const auto groups = runtime_->group_queues(name); !groups.empty()) {
      return queue::publish_to_groups(*runtime_, groups, traced.messages(), options.timeout)[0];
    }
    auto publisher = runtime_->publisher(name);
    if (!publisher) return refused(message, publisher.error());
    queue::PublishRequest request(traced.messages(), options.timeout);
    (*publisher)->publish(request);
    return request.sent(0);
  };
  Sent sent = send();
  traced.ended(0, sent);
  return sent;
}

std::vector<Sent> MessageQueue::publish_many(std::string_view queue,
                                             std::span<const Message> messages,
                                             const PublishOptions& options) {
  std::vector<Sent> sent;
  if (messages.empty()) return sent;
  const QueueName name(queue, *runtime_);
  const queue::Traced traced(runtime_->tracer(), name, messages);
  if (const auto groups = runtime_->group_queues(name); !groups.empty()) {
    sent = queue::publish_to_groups(*runtime_, groups, traced.messages(), options.timeout);
  } else if (auto publisher = runtime_->publisher(name)) {
    queue::PublishRequest request(traced.messages(), options.timeout);
    (*publisher)->publish(request);
    sent.reserve(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) sent.push_back(request.sent(i));
  } else {
    for (const Message& message : messages) sent.push_back(refused(message, publisher.error()));
  }
  for (std::size_t i = 0; i < sent.size(); ++i) traced.ended(i, sent[i]);
  return sent;
}

void MessageQueue::publish_async(std::string_view queue, const Message& message,
                                 std::function<void(Sent)> done, const PublishOptions& options) {
  queue::AsyncPublisher::Done all_done;
  if (done) all_done = [done = std::move(done)](std::span<Sent> sent) { done(std::move(sent[0])); };
  start_publishing(queue, {&message, 1}, std::move(all_done), options);
}

void MessageQueue::publish_many_async(std::string_view queue, std::span<const Message> messages,
                                      std::function<void(std::vector<Sent>)> done,
                                      const PublishOptions& options) {
  if (messages.empty()) return done ? done({}) : void();
  queue::AsyncPublisher::Done all_done;
  if (done) {
    all_done = [done = std::move(done)](std::span<Sent> sent) {
      done({std::make_move_iterator(sent.begin()), std::make_move_iterator(sent.end())});
    };
  }
  start_publishing(queue, messages, std::move(all_done), options);
}

void MessageQueue::start_publishing(std::string_view queue, std::span<const Message> messages,
                                    std::function<void(std::span<Sent>)> done,
                                    const PublishOptions& options) {
  const QueueName name(queue, *runtime_);
  if (Tracer* tracer = runtime_->tracer()) {
    auto traced = std::make_shared<queue::Traced>(tracer, name, messages);
    messages = traced->messages();
    done = [traced, done = std::move(done)](std::span<Sent> sent) {
      for (std::size_t i = 0; i < sent.size(); ++i) traced->ended(i, sent[i]);
      if (done) done(sent);
    };
  }
  if (const auto groups = runtime_->group_queues(name); !groups.empty()) {
    return queue::publish_to_groups_async(*runtime_, groups, messages, std::move(done),
                                          options.timeout);
  }
  auto publisher = runtime_->publisher(name);
  if (publisher) {
    return runtime_->async().submit(**publisher, messages, std::move(done), options.timeout);
  }
  std::vector<Sent> none;
  for (const Message& message : messages) none.push_back(refused(message, publisher.error()));
  if (done) done(none);
}

void MessageQueue::set_tracer(std::shared_ptr<Tracer> tracer) {
  runtime_->set_tracer(std::move(tracer));
}

// ---- consuming ----------------------------------------------------------------------------------

Result<Consumer> MessageQueue::consume(std::string_view queue, const ConsumeOptions& options,
                                       const Handler& handler) {
  if (!handler) return Error(Errc::invalid_argument, "consume: the handler is empty");
  auto state = runtime_->consume(QueueName(queue, *runtime_), options, handler);
  if (!state) return state.error();
  return Consumer(std::move(*state));
}

Result<Subscription> MessageQueue::subscribe(std::string_view queue,
                                             const ConsumeOptions& options) {
  auto state = runtime_->consume(QueueName(queue, *runtime_), options, {});
  if (!state) return state.error();
  return Subscription(std::move(*state));
}

std::vector<std::string> MessageQueue::groups(std::string_view queue) const {
  return runtime_->config()->queue(QueueName(queue, *runtime_)).groups;
}

// ---- looking and managing -----------------------------------------------------------------------

Error MessageQueue::create_queue(std::string_view queue, milliseconds timeout) {
  const auto deadline = queue::deadline_after(timeout);
  auto admin = runtime_->admin(QueueName(queue, *runtime_), deadline);
  return admin ? admin->session->create_queue(admin->queue, deadline) : admin.error();
}

Error MessageQueue::delete_queue(std::string_view queue, milliseconds timeout) {
  return runtime_->all_backends().delete_queue(QueueName(queue, *runtime_),
                                               queue::deadline_after(timeout));
}

Result<QueueStats> MessageQueue::stats(std::string_view queue, milliseconds timeout) {
  return runtime_->all_backends().stats(QueueName(queue, *runtime_),
                                        queue::deadline_after(timeout));
}

Result<std::uint64_t> MessageQueue::size(std::string_view queue, milliseconds timeout) {
  auto read = stats(queue, timeout);
  if (!read) return read.error();
  if (read->ready_precision == Precision::unknown) {
    return Error(Errc::not_supported,
                 "the backend " + backend_name() + " does not know how many messages are ready");
  }
  return read->ready;
}

Result<std::uint64_t> MessageQueue::purge(std::string_view queue, milliseconds timeout) {
  return runtime_->all_backends().purge(QueueName(queue, *runtime_),
                                        queue::deadline_after(timeout));
}

Result<std::vector<std::string>> MessageQueue::list_queues(milliseconds timeout) {
  return runtime_->all_backends().list_queues(queue::deadline_after(timeout));
}

Result<std::vector<Delivery>> MessageQueue::peek(std::string_view queue, std::size_t max,
                                                 milliseconds timeout) {
  return runtime_->all_backends().peek(QueueName(queue, *runtime_), max,
                                       queue::deadline_after(timeout));
}

Error MessageQueue::ping(milliseconds timeout) {
  const auto deadline = queue::deadline_after(timeout);
  auto admin = runtime_->admin(deadline);
  return admin ? admin->session->ping(deadline) : admin.error();
}

std::string MessageQueue::backend_name() const { return runtime_->side()->name(); }
PluginDescription MessageQueue::backend() const { return runtime_->side()->description(); }
std::string MessageQueue::state_dir() const { return runtime_->state_dir(); }
std::vector<Metric> MessageQueue::metrics() const { return runtime_->metrics(); }

Result<std::uint64_t> MessageQueue::switch_to(std::string_view type, const SwitchOptions& options) {
  return runtime_->switch_to(type, options);
}
SwitchOptions MessageQueue::switch_options() const { return runtime_->config()->switching; }
SwitchStatus MessageQueue::switch_status() const { return runtime_->switcher().status(); }
SwitchStatus MessageQueue::wait_for_switch(milliseconds timeout) {
  return runtime_->switcher().wait(queue::deadline_after(timeout));
}
Error MessageQueue::cancel_switch() { return runtime_->switcher().cancel(); }
Result<std::uint64_t> MessageQueue::roll_back() { return runtime_->switcher().roll_back(); }
Error MessageQueue::forget(std::string_view backend, bool give_up_what_is_owed) {
  return runtime_->switcher().forget(backend, give_up_what_is_owed);
}

Result<ReloadResult> MessageQueue::reload(const std::string& path,
                                          const std::vector<ConfigOverride>& overrides) {
  auto config = config::checked(config::read(path, overrides));
  return config ? runtime_->reload(std::move(*config)) : config.error();
}

Result<ReloadResult> MessageQueue::reload_text(std::string_view json, const std::string& name) {
  auto config = config::checked(config::read_text(json, name));
  return config ? runtime_->reload(std::move(*config)) : config.error();
}

Error MessageQueue::close(milliseconds timeout) { return runtime_->close(timeout); }

} // namespace swapmq
