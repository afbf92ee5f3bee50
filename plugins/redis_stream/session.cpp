// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <algorithm>

#include "answers.hpp"
#include "peek.hpp"
#include "queue_admin.hpp"

namespace swapmq::redis {

using backend::Deadline;
using backend::Failure;

namespace {

constexpr std::size_t kMaxQueueName = 255;

RedisQueue& ours(backend::Queue& queue) { return static_cast<RedisQueue&>(queue); }
Consumer& ours(backend::Subscription& consumer) { return static_cast<Consumer&>(consumer); }

} // namespace

// ---- Backend ------------------------------------------------------------------------------------

Backend::Backend(const backend::OpenArgs& args)
    : host_(args.host),
      options_(parse_options(args.options_json)),
      instance_(args.instance),
      dialer_(options_, "swapmq:" + instance_) {}

void Backend::describe(swapmq_capabilities& capabilities, swapmq_limits& /*limits*/) const {
  capabilities.durability = options_.durability;
  if (options_.deduplication_window.count() > 0) capabilities.deduplication = SWAPMQ_NATIVE;
}

// ---- RedisSession -------------------------------------------------------------------------------

RedisSession::RedisSession(Backend& backend, int32_t /*role*/, Deadline deadline)
    : backend_(backend), control_(backend.dialer(), backend.host()) {
  control_.open(deadline);
}

void RedisSession::ping(Deadline deadline) {
  control_.use(deadline, [&](Connection& connection) {
    connection.out().add("PING");
    expect_status(*connection.read(deadline), "PONG", "PING");
  });
}

std::unique_ptr<backend::Queue> RedisSession::open_queue(std::string_view name,
                                                         const swapmq_queue_spec& spec) {
  if (name.empty() || name.size() > kMaxQueueName) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT,
                  "a queue name has 1 to 255 bytes, this one has " + std::to_string(name.size()));
  }
  if (name.find('\0') != std::string_view::npos) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name holds a NUL byte");
  }
  if ((spec.flags & SWAPMQ_QUEUE_STRICT_ORDER) != 0) {
    // A read that stands at the server may be answered while its consumer is busy.
    throw Failure(SWAPMQ_NOT_SUPPORTED,
                  "redis_stream keeps the order of a queue for one consumer, not among several "
                  "(\"strict_order\")");
  }
  return std::make_unique<RedisQueue>(name, spec.max_length, backend_.options());
}

void RedisSession::create_queue(backend::Queue& queue, Deadline deadline) {
  redis::create_queue(control_, ours(queue).keys(), deadline);
}

void RedisSession::delete_queue(backend::Queue& queue, Deadline deadline) {
  redis::delete_queue(control_, ours(queue).keys(), deadline);
}

void RedisSession::queue_stats(backend::Queue& queue, swapmq_queue_stats& stats,
                               Deadline deadline) {
  read_queue_stats(control_, ours(queue).keys(), stats, deadline);
}

uint64_t RedisSession::purge_queue(backend::Queue& queue, Deadline deadline) {
  return redis::purge_queue(control_, ours(queue).keys(), deadline);
}

void RedisSession::publish(backend::Queue& queue, backend::Messages messages,
                           backend::PublishResults results, Deadline deadline) {
  if (messages.size() > kMaxPublishBatch) {
    throw Failure(SWAPMQ_TOO_LARGE, "publish: more than " + std::to_string(kMaxPublishBatch) +
                                        " messages in one call");
  }
  publish_messages(control_, ours(queue).target(), messages, results, deadline);
}

std::unique_ptr<backend::Subscription> RedisSession::subscribe(backend::Queue& queue,
                                                               const swapmq_subscribe_args& args) {
  const ConsumerContext context{backend_.dialer(),   backend_.host(), backend_.options(),
                                backend_.instance(), control_,        wake_};
  auto made = std::make_unique<Consumer>(context, ours(queue), args);
  consumers_.push_back(made.get());
  return made;
}

backend::Received RedisSession::exchange(backend::Subscription& subscription,
                                         const backend::ExchangeArgs& args) {
  // The lease is the session's: whatever it does is a sign of life for all of its consumers.
  for (Consumer* consumer : consumers_) consumer->service(args.deadline);
  return ours(subscription).exchange(args);
}

std::unique_ptr<backend::Batch> RedisSession::claim_delayed(backend::Subscription& subscription,
                                                            const backend::ClaimArgs& args) {
  for (Consumer* consumer : consumers_) consumer->service(args.deadline);
  return ours(subscription).claim_delayed(args);
}

void RedisSession::unsubscribe(backend::Subscription& subscription) {
  Consumer& consumer = ours(subscription);
  std::erase(consumers_, &consumer);
  consumer.leave();
}

void RedisSession::service(Deadline deadline) {
  for (Consumer* consumer : consumers_) consumer->service(deadline);
}

void RedisSession::interrupt() noexcept { wake_.raise(); }

std::unique_ptr<backend::Batch> RedisSession::peek(backend::Queue& queue,
                                                   const backend::PeekArgs& args) {
  return redis::peek(control_, ours(queue).keys(), args, backend_.options().script_batch);
}

void RedisSession::list_queues(const backend::QueueVisitor& visit, Deadline deadline) {
  for (const std::string& name :
       redis::list_queues(control_, backend_.options().key_prefix, deadline)) {
    visit(name);
  }
}

} // namespace swapmq::redis
