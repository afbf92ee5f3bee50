// SPDX-License-Identifier: MIT
#include "c_api/handles.h"

namespace {

using namespace swapmq;
using namespace swapmq::c_api;

const char* give(std::string_view text, std::size_t* size) {
  if (size != nullptr) *size = text.size();
  return text.data() != nullptr ? text.data() : "";
}

std::int32_t status_of(Settling settling) {
  if (settling == Settling::accepted) return SWAPMQ_MQ_OK;
  return settling == Settling::already ? SWAPMQ_MQ_CONFLICT : SWAPMQ_MQ_LOST;
}

/// Settles it unless it is NULL.
template <class Settle>
std::int32_t settle(const swapmq_mq_delivery* delivery, const Settle& how) {
  if (delivery == nullptr) return SWAPMQ_MQ_INVALID_ARGUMENT;
  return guarded({nullptr, 0}, [&] { return status_of(how(delivery->delivery)); });
}

} // namespace

const char* swapmq_mq_delivery_body(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.body(), size);
}
const char* swapmq_mq_delivery_id(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.id(), size);
}
const char* swapmq_mq_delivery_queue(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.queue(), size);
}
const char* swapmq_mq_delivery_ordering_key(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.ordering_key(), size);
}
const char* swapmq_mq_delivery_correlation_id(const swapmq_mq_delivery* delivery,
                                              std::size_t* size) {
  return give(delivery->delivery.correlation_id(), size);
}
const char* swapmq_mq_delivery_reply_to(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.reply_to(), size);
}
const char* swapmq_mq_delivery_content_type(const swapmq_mq_delivery* delivery, std::size_t* size) {
  return give(delivery->delivery.content_type(), size);
}

const char* swapmq_mq_delivery_header(const swapmq_mq_delivery* delivery, const char* name,
                                      std::size_t* size) {
  const auto value = delivery->delivery.header(view(name));
  if (!value) {
    if (size != nullptr) *size = 0;
    return nullptr;
  }
  return give(*value, size);
}

std::size_t swapmq_mq_delivery_header_count(const swapmq_mq_delivery* delivery) {
  std::size_t count = 0;
  guarded({nullptr, 0}, [&] {
    count = delivery->delivery.headers().size();
    return SWAPMQ_MQ_OK;
  });
  return count;
}

std::int32_t swapmq_mq_delivery_header_at(const swapmq_mq_delivery* delivery, std::size_t index,
                                          swapmq_mq_header* header) {
  bool found = false;
  guarded({nullptr, 0}, [&] {
    const std::vector<Header> all = delivery->delivery.headers();
    if (index < all.size()) {
      found = true;
      header->name = give(all[index].name, &header->name_size);
      header->value = give(all[index].value, &header->value_size);
    }
    return SWAPMQ_MQ_OK;
  });
  return found ? 1 : 0;
}

std::int64_t swapmq_mq_delivery_timestamp_ms(const swapmq_mq_delivery* delivery) {
  const auto since = delivery->delivery.timestamp().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(since).count();
}
std::uint32_t swapmq_mq_delivery_priority(const swapmq_mq_delivery* delivery) {
  return delivery->delivery.priority();
}
std::uint32_t swapmq_mq_delivery_count(const swapmq_mq_delivery* delivery) {
  return delivery->delivery.delivery_count();
}

std::int32_t swapmq_mq_ack(const swapmq_mq_delivery* delivery) {
  return settle(delivery, [](const Delivery& one) { return one.ack(); });
}

std::int32_t swapmq_mq_nack(const swapmq_mq_delivery* delivery, std::int64_t delay_ms,
                            const char* reason) {
  return settle(delivery, [&](const Delivery& one) {
    if (delay_ms < 0) return one.nack(std::nullopt, view(reason));
    return one.nack(milliseconds(delay_ms), view(reason));
  });
}

std::int32_t swapmq_mq_release(const swapmq_mq_delivery* delivery) {
  return settle(delivery, [](const Delivery& one) { return one.release(); });
}

std::int32_t swapmq_mq_reject(const swapmq_mq_delivery* delivery, const char* reason) {
  return settle(delivery, [&](const Delivery& one) { return one.reject(view(reason)); });
}

std::int32_t swapmq_mq_extend(const swapmq_mq_delivery* delivery) {
  return settle(delivery, [](const Delivery& one) { return one.extend(); });
}

std::int32_t swapmq_mq_wait_settled(const swapmq_mq_delivery* delivery, std::int64_t timeout_ms,
                                    char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (delivery == nullptr) return refuse("wait_settled: delivery is NULL", text);
  return guarded(text,
                 [&] { return leave(delivery->delivery.wait_settled(wait_of(timeout_ms)), text); });
}

swapmq_mq_delivery* swapmq_mq_delivery_keep(const swapmq_mq_delivery* delivery) {
  if (delivery == nullptr) return nullptr;
  return new (std::nothrow) swapmq_mq_delivery{delivery->delivery};
}

void swapmq_mq_delivery_free(swapmq_mq_delivery* delivery) { delete delivery; }
