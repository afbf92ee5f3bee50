// SPDX-License-Identifier: MIT
#include "publish.hpp"

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

bool have_an_end(Messages messages) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].expires_at_ms != 0) return true;
  }
  return false;
}

void store(Database& database, const PublishTarget& target, Messages messages,
           PublishResults results) {
  WriteTransaction transaction(database);
  Lanes lanes(database);
  const QueueRow queue = ensure_queue(database, target.name, target.max_length);
  uint64_t room = room_in(database, lanes, queue, target.max_messages, messages.size());
  const int64_t now_ms = backend::unix_now_ms();
  if (have_an_end(messages)) { // so that a queue that nobody reads does not keep them for ever
    drop_expired(database, lanes, queue.id, now_ms, static_cast<int64_t>(messages.size()) * 2);
  }
  {
    MessageWriter writer(database, lanes);
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
