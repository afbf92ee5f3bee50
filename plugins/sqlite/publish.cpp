// SPDX-License-Identifier: MIT
#include "publish.hpp"

#include <limits>

#include "lanes.hpp"
#include "message_writer.hpp"

namespace swapmq::sqlite {
namespace {

using backend::Failure;
using backend::Messages;
using backend::PublishResults;

bool fits(const swapmq_message& message) {
  if (message.body.size > kMaxBodyBytes || message.header_count > kMaxHeaderCount) return false;
  const backend::Headers headers = backend::headers_of(message);
  uint64_t bytes = 0;
  for (const swapmq_bytes& field :
       {message.ordering_key, message.correlation_id, message.reply_to, message.content_type}) {
    if (field.size > kMaxHeadersBytes) return false;
    bytes += field.size;
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    if (name.size > kMaxHeadersBytes || value.size > kMaxHeadersBytes) return false;
    bytes += name.size + value.size;
    if (bytes > kMaxHeadersBytes) return false;
  }
  return bytes <= kMaxHeadersBytes;
}

/// How many more messages the queue takes.
uint64_t room_in(Database& database, Lanes& lanes, const QueueRow& queue, uint64_t max_messages,
                 uint64_t wanted) {
  uint64_t bound = queue.max_length;
  if (max_messages != 0 && (bound == 0 || max_messages < bound)) bound = max_messages;
  if (bound == 0) return std::numeric_limits<uint64_t>::max();
  const auto room = [&] {
    uint64_t stored = 0;
    for (const Lane* lane : lanes.of_queue(queue.id)) stored += static_cast<uint64_t>(lane->all());
    return stored < bound ? bound - stored : 0;
  };
  // What has expired does not stand in the way of what comes.
  if (room() < wanted) {
    drop_expired(database, lanes, queue.id, backend::unix_now_ms(),
                 static_cast<int64_t>(wanted) + 1024);
  }
  return room();
}

void store(Database& database, const PublishTarget& target, Messages messages,
           PublishResults results) {
  WriteTransaction transaction(database);
  Lanes lanes(database);
  const QueueRow queue = ensure_queue(database, target.name, target.max_length);
  uint64_t room = room_in(database, lanes, queue, target.max_messages, messages.size());
  {
    MessageWriter writer(database, lanes);
    const int64_t now_ms = backend::unix_now_ms();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (results[i].outcome == SWAPMQ_PUBLISH_FAILED) continue;
      if (room == 0) {
        results[i] = backend::failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
        continue;
      }
      --room;
      writer.add(queue.id, messages[i], now_ms);
    }
  }
  lanes.save();
  transaction.wake_later(target.name);
  transaction.commit();
}

/// Every message that has no result of its own gets this one.
void settle_rest(PublishResults results, const swapmq_publish_result& result) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].outcome != SWAPMQ_PUBLISH_FAILED) results[i] = result;
  }
}

} // namespace

void publish_messages(Database& database, const PublishTarget& target, Messages messages,
                      PublishResults results) {
  std::size_t fitting = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (fits(messages[i])) {
      ++fitting;
    } else {
      results[i] = backend::failed(SWAPMQ_TOO_LARGE);
    }
  }
  if (fitting == 0) return;
  try {
    store(database, target, messages, results);
  } catch (const CommitFailure& failure) {
    settle_rest(results,
                failure.in_doubt()
                    ? backend::in_doubt(failure.status())
                    : backend::failed(failure.status(), failure.flags() & SWAPMQ_ERROR_RETRYABLE));
    throw;
  } catch (const Failure& failure) {
    settle_rest(results,
                backend::failed(failure.status(), failure.flags() & SWAPMQ_ERROR_RETRYABLE));
    throw;
  }
  settle_rest(results, backend::confirmed());
}

} // namespace swapmq::sqlite
