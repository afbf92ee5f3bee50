// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <algorithm>

#include "queue_admin.hpp"
#include "queue_names.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {

using backend::Deadline;
using backend::Failure;

namespace {

RabbitQueue& ours(backend::Queue& queue) { return static_cast<RabbitQueue&>(queue); }
Consumer& ours(backend::Subscription& consumer) { return static_cast<Consumer&>(consumer); }

std::string connection_name(const Options& options, std::string_view instance) {
  return options.connection_name.empty() ? "swapmq:" + std::string(instance)
                                         : options.connection_name;
}

} // namespace

// ---- Backend ------------------------------------------------------------------------------------

Backend::Backend(const backend::OpenArgs& args)
    : host_(args.host),
      options_(parse_options(args.options_json)),
      dialer_(options_, connection_name(options_, args.instance)) {
  if (!options_.management.url.empty()) management_.emplace(options_);
}

void Backend::describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const {
  capabilities.durability = options_.durability;
  if (options_.max_priority > 0) {
    capabilities.priority = SWAPMQ_NATIVE;
    limits.max_priority = options_.max_priority;
  }
  limits.max_body_bytes = dialer_.max_message_bytes();
  const std::size_t room = kMaxNameAtBroker - options_.queue_prefix.size();
  limits.max_queue_name_bytes = static_cast<uint32_t>(std::min(kMaxQueueName, room));
}

// ---- RabbitSession ------------------------------------------------------------------------------

RabbitSession::RabbitSession(Backend& backend, int32_t /*role*/, Deadline deadline)
    : backend_(backend), control_(backend.dialer(), backend.host()) {
  control_.open(deadline);
}

RabbitSession::~RabbitSession() {
  if (control_.live() != nullptr) control_.live()->close(network::in(milliseconds(0)));
}

void RabbitSession::ping(Deadline deadline) {
  over(control_, deadline, [&](Connection& connection) {
    open_channel(connection, kAdminChannel, deadline);
    request<amqp_channel_flow_ok_t>(connection, kAdminChannel, AMQP_CHANNEL_FLOW_METHOD,
                                    amqp_channel_flow_t{1}, AMQP_CHANNEL_FLOW_OK_METHOD, deadline);
  });
}

std::unique_ptr<backend::Queue> RabbitSession::open_queue(std::string_view name,
                                                          const swapmq_queue_spec& spec) {
  return std::make_unique<RabbitQueue>(name_at_broker(name, backend_.options().queue_prefix), spec,
                                       backend_.options());
}

void RabbitSession::create_queue(backend::Queue& queue, Deadline deadline) {
  rabbitmq::create_queue(control_, ours(queue).routes(), deadline);
}

void RabbitSession::delete_queue(backend::Queue& queue, Deadline deadline) {
  rabbitmq::delete_queue(control_, ours(queue).routes(), deadline);
}

void RabbitSession::queue_stats(backend::Queue& queue, swapmq_queue_stats& stats,
                                Deadline deadline) {
  read_queue_stats(control_, ours(queue).routes(), backend_.management(), stats, deadline);
}

uint64_t RabbitSession::purge_queue(backend::Queue& queue, Deadline deadline) {
  return rabbitmq::purge_queue(control_, ours(queue).routes(), deadline);
}

void RabbitSession::publish(backend::Queue& queue, backend::Messages messages,
                            backend::PublishResults results, Deadline deadline) {
  if (messages.size() > kMaxPublishBatch) {
    throw Failure(SWAPMQ_TOO_LARGE, "publish: more than " + std::to_string(kMaxPublishBatch) +
                                        " messages in one call");
  }
  std::vector<Letter> letters;
  letters.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    letters.push_back({.message = &messages[i], .to = &ours(queue).routes(), .is_copy = false});
  }
  publish_letters(control_, backend_.dialer(), letters, results, deadline);
}

std::unique_ptr<backend::Subscription> RabbitSession::subscribe(backend::Queue& queue,
                                                                const swapmq_subscribe_args& args) {
  const ConsumerContext context{backend_.dialer(), backend_.host(), backend_.management(), control_,
                                wake_};
  auto made = std::make_unique<Consumer>(context, ours(queue), args);
  consumers_.push_back(made.get());
  return made;
}

backend::Received RabbitSession::exchange(backend::Subscription& subscription,
                                          const backend::ExchangeArgs& args) {
  keep_alive(control_, backend_.host());
  for (Consumer* consumer : consumers_) {
    if (consumer != &subscription) consumer->service();
  }
  return ours(subscription).exchange(args);
}

std::unique_ptr<backend::Batch> RabbitSession::claim_delayed(backend::Subscription& subscription,
                                                             const backend::ClaimArgs& args) {
  service(args.deadline);
  return ours(subscription).claim_delayed(args);
}

void RabbitSession::unsubscribe(backend::Subscription& subscription) {
  Consumer& consumer = ours(subscription);
  std::erase(consumers_, &consumer);
  consumer.leave();
}

void RabbitSession::service(Deadline /*deadline*/) {
  keep_alive(control_, backend_.host());
  for (Consumer* consumer : consumers_) consumer->service();
}

void RabbitSession::interrupt() noexcept { wake_.raise(); }

void RabbitSession::list_queues(const backend::QueueVisitor& visit, Deadline deadline) {
  if (backend_.management() == nullptr) {
    throw Failure(SWAPMQ_NOT_SUPPORTED,
                  "RabbitMQ lists its queues by its management API only: give \"management\" with "
                  "its \"url\"");
  }
  std::vector<std::string> names;
  for (const auto& listed : backend_.management()->list(deadline)) {
    auto name = name_from_broker(listed.name, backend_.options().queue_prefix);
    if (name) names.push_back(std::move(*name));
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) visit(name);
}

} // namespace swapmq::rabbitmq
