// SPDX-License-Identifier: MIT
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "c_api/handles.h"

namespace {

using namespace swapmq;
using namespace swapmq::c_api;

/// None: the struct is none of ours.
std::optional<ConsumeOptions> options_of(const swapmq_mq_consume_options* from) {
  swapmq_mq_consume_options given{};
  if (!take_struct(from, given)) return std::nullopt;
  ConsumeOptions options;
  if (given.prefetch != 0) options.prefetch = given.prefetch;
  if (given.concurrency != 0) options.concurrency = given.concurrency;
  options.group = view(given.group);
  if (given.ack_timeout_ms != 0) options.ack_timeout = wait_of(given.ack_timeout_ms);
  return options;
}

Decision decision_of(std::int32_t answer) {
  switch (answer) {
    case SWAPMQ_MQ_DECIDE_ACK:
      return ack();
    case SWAPMQ_MQ_DECIDE_RELEASE:
      return release();
    case SWAPMQ_MQ_DECIDE_REJECT:
      return reject();
    case SWAPMQ_MQ_DECIDE_NOTHING:
      return keep();
    default:
      return nack();
  }
}

/// All or none: what is not handed over is released.
void hand_over(std::vector<Delivery>& from, swapmq_mq_delivery** to, std::size_t& count) {
  std::vector<std::unique_ptr<swapmq_mq_delivery>> handles;
  handles.reserve(from.size());
  for (Delivery& delivery : from) {
    handles.emplace_back(new swapmq_mq_delivery{std::move(delivery)});
  }
  for (auto& handle : handles) to[count++] = handle.release();
}

constexpr std::string_view kBadOptions =
    "struct_size of the options is not sizeof(swapmq_mq_consume_options)";

} // namespace

std::int32_t swapmq_mq_consume(swapmq_mq* mq, const char* queue,
                               const swapmq_mq_consume_options* options, swapmq_mq_handler handler,
                               void* context, swapmq_mq_consumer** out, char* error,
                               std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || handler == nullptr || out == nullptr) {
    return refuse("consume: mq, handler or out is NULL", text);
  }
  const auto wanted = options_of(options);
  if (!wanted) return refuse(kBadOptions, text);
  return guarded(text, [&] {
    auto consumer = mq->queue.consume(view(queue), *wanted, [=](const Delivery& delivery) {
      const swapmq_mq_delivery lent{delivery};
      return decision_of(handler(context, &lent));
    });
    if (!consumer) return leave(consumer.error(), text);
    *out = new swapmq_mq_consumer{std::move(*consumer)};
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_consumer_close(swapmq_mq_consumer* consumer, std::int64_t timeout_ms,
                                      char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (consumer == nullptr) return refuse("consumer_close: consumer is NULL", text);
  return guarded(text, [&] { return leave(consumer->consumer.close(wait_of(timeout_ms)), text); });
}

std::int32_t swapmq_mq_consumer_pause(swapmq_mq_consumer* consumer, char* error,
                                      std::size_t error_size) {
  const Text text{error, error_size};
  if (consumer == nullptr) return refuse("consumer_pause: consumer is NULL", text);
  return guarded(text, [&] {
    consumer->consumer.pause();
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_consumer_resume(swapmq_mq_consumer* consumer, char* error,
                                       std::size_t error_size) {
  const Text text{error, error_size};
  if (consumer == nullptr) return refuse("consumer_resume: consumer is NULL", text);
  return guarded(text, [&] {
    consumer->consumer.resume();
    return leave({}, text);
  });
}

void swapmq_mq_consumer_free(swapmq_mq_consumer* consumer) { delete consumer; }

std::int32_t swapmq_mq_subscribe(swapmq_mq* mq, const char* queue,
                                 const swapmq_mq_consume_options* options,
                                 swapmq_mq_subscription** out, char* error,
                                 std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || out == nullptr) return refuse("subscribe: mq or out is NULL", text);
  const auto wanted = options_of(options);
  if (!wanted) return refuse(kBadOptions, text);
  return guarded(text, [&] {
    auto subscription = mq->queue.subscribe(view(queue), *wanted);
    if (!subscription) return leave(subscription.error(), text);
    *out = new swapmq_mq_subscription{std::move(*subscription)};
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_peek(swapmq_mq* mq, const char* queue, std::size_t max,
                            std::int64_t timeout_ms, swapmq_mq_delivery** deliveries,
                            std::size_t* count, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || deliveries == nullptr || count == nullptr) {
    return refuse("peek: mq, deliveries or count is NULL", text);
  }
  *count = 0;
  return guarded(text, [&] {
    auto shown = mq->queue.peek(view(queue), max, wait_of(timeout_ms));
    if (!shown) return leave(shown.error(), text);
    hand_over(*shown, deliveries, *count);
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_receive(swapmq_mq_subscription* subscription, std::size_t max,
                               std::int64_t timeout_ms, swapmq_mq_delivery** deliveries,
                               std::size_t* count, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (subscription == nullptr || deliveries == nullptr || count == nullptr) {
    return refuse("receive: subscription, deliveries or count is NULL", text);
  }
  *count = 0;
  return guarded(text, [&] {
    auto received = subscription->subscription.receive(max, wait_of(timeout_ms));
    if (!received) return leave(received.error(), text);
    hand_over(*received, deliveries, *count);
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_subscription_pause(swapmq_mq_subscription* subscription, char* error,
                                          std::size_t error_size) {
  const Text text{error, error_size};
  if (subscription == nullptr) return refuse("subscription_pause: subscription is NULL", text);
  return guarded(text, [&] {
    subscription->subscription.pause();
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_subscription_resume(swapmq_mq_subscription* subscription, char* error,
                                           std::size_t error_size) {
  const Text text{error, error_size};
  if (subscription == nullptr) return refuse("subscription_resume: subscription is NULL", text);
  return guarded(text, [&] {
    subscription->subscription.resume();
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_subscription_close(swapmq_mq_subscription* subscription,
                                          std::int64_t timeout_ms, char* error,
                                          std::size_t error_size) {
  const Text text{error, error_size};
  if (subscription == nullptr) return refuse("subscription_close: subscription is NULL", text);
  return guarded(
      text, [&] { return leave(subscription->subscription.close(wait_of(timeout_ms)), text); });
}

void swapmq_mq_subscription_free(swapmq_mq_subscription* subscription) { delete subscription; }
