// SPDX-License-Identifier: MIT
#include <array>
#include <vector>

#include "c_api/handles.h"

namespace {

using namespace swapmq;
using namespace swapmq::c_api;

/// Ours, from the caller's; the headers' views go into `headers`, which has room for them.
Message message_of(const swapmq_mq_message& from, std::vector<Header>& headers) {
  const std::size_t first = headers.size();
  for (std::size_t i = 0; i < from.header_count; ++i) {
    const swapmq_mq_header& header = from.headers[i];
    headers.push_back({view(header.name, header.name_size), view(header.value, header.value_size)});
  }
  Message message;
  message.body = view(from.body, from.body_size);
  message.id = view(from.id, from.id_size);
  message.headers = std::span(headers).subspan(first);
  message.delay = milliseconds(from.delay_ms);
  message.ttl = milliseconds(from.ttl_ms);
  message.priority = from.priority;
  message.ordering_key = view(from.ordering_key, from.ordering_key_size);
  message.correlation_id = view(from.correlation_id, from.correlation_id_size);
  message.reply_to = view(from.reply_to, from.reply_to_size);
  message.content_type = view(from.content_type, from.content_type_size);
  return message;
}

void report(const Sent& sent, swapmq_mq_sent& to) {
  to.outcome = static_cast<std::int32_t>(sent.outcome());
  to.status = static_cast<std::int32_t>(sent.error().code());
  to.retryable = sent.error().retryable() ? 1 : 0;
  Text{static_cast<char*>(to.id), sizeof to.id}.set(sent.id());
}

/// Of messages that lie one after the other, each as large as the first one says.
std::int32_t take_messages(const swapmq_mq_message* messages, std::size_t count,
                           std::vector<swapmq_mq_message>& to, const Text& text) {
  const std::size_t stride = messages->struct_size;
  if (stride < sizeof messages->struct_size || stride % alignof(swapmq_mq_message) != 0) {
    return refuse("publish: struct_size of a message is not sizeof(swapmq_mq_message)", text);
  }
  const char* at = reinterpret_cast<const char*>(messages);
  for (std::size_t i = 0; i < count; ++i, at += stride) {
    swapmq_mq_message& message = to.emplace_back();
    std::memcpy(&message, at, std::min(stride, sizeof message));
    if (message.struct_size != stride) {
      return refuse("publish: messages of different struct_size in one call", text);
    }
    if (message.headers == nullptr && message.header_count > 0) {
      return refuse("publish: headers is NULL, and header_count is not 0", text);
    }
  }
  return SWAPMQ_MQ_OK;
}

std::int32_t publish(swapmq_mq& mq, std::string_view queue,
                     const std::vector<swapmq_mq_message>& from, std::int64_t timeout_ms,
                     swapmq_mq_sent* sent, const Text& text) {
  std::size_t header_count = 0;
  for (const swapmq_mq_message& message : from) header_count += message.header_count;
  std::vector<Header> headers;
  headers.reserve(header_count); // the spans point into it
  std::vector<Message> messages;
  messages.reserve(from.size());
  for (const swapmq_mq_message& message : from) messages.push_back(message_of(message, headers));
  const std::vector<Sent> all = mq.queue.publish_many(queue, messages, {wait_of(timeout_ms)});
  Error first;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (sent != nullptr) report(all[i], sent[i]);
    if (!all[i] && !first) first = all[i].error();
  }
  return leave(first, text);
}

} // namespace

std::int32_t swapmq_mq_publish(swapmq_mq* mq, const char* queue, const swapmq_mq_message* messages,
                               std::size_t count, std::int64_t timeout_ms, swapmq_mq_sent* sent,
                               char* error, std::size_t error_size) {
  const Text text{error, error_size};
  // Whatever happens, each is told: so far none is stored.
  for (std::size_t i = 0; sent != nullptr && i < count; ++i) {
    sent[i] = {SWAPMQ_MQ_FAILED, SWAPMQ_MQ_INVALID_ARGUMENT, 0, {}};
  }
  if (mq == nullptr) return refuse("publish: mq is NULL", text);
  if (count == 0) return leave({}, text);
  if (messages == nullptr) return refuse("publish: messages is NULL", text);
  return guarded(text, [&] {
    std::vector<swapmq_mq_message> taken;
    taken.reserve(count);
    const std::int32_t status = take_messages(messages, count, taken, text);
    if (status != SWAPMQ_MQ_OK) return status;
    return publish(*mq, view(queue), taken, timeout_ms, sent, text);
  });
}
