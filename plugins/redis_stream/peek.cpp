// SPDX-License-Identifier: MIT
#include "peek.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "answers.hpp"
#include "entry.hpp"
#include "redis_batch.hpp"
#include "scripts.hpp"
#include "server_error.hpp"

namespace swapmq::redis {
namespace {

constexpr std::string_view kDoing = "to show what is ready";
/// Settles nothing: it is of no delivery.
constexpr std::string_view kReceipt = "-";

/// An entry's id, its fields, its deliveries so far; moves on to the next one.
void add_entry(RedisBatch& batch, Arena& arena, const Reply*& at) {
  const Reply& id = *at;
  const Reply& fields = *id.next;
  if (!is_entry_id(id.type, id.text)) no_answer(kDoing);
  const auto deliveries =
      static_cast<uint64_t>(expect_integer(*fields.next, 0, UINT32_MAX, kDoing));
  at = fields.next->next;
  auto* message = arena.make<swapmq_message>();
  uint32_t flags = decode(id.text, fields, arena, *message) ? 0u : SWAPMQ_DELIVERY_UNDECODABLE;
  if (deliveries > 0 || message->delivery_count > 0) flags |= SWAPMQ_DELIVERY_REDELIVERED;
  const uint64_t count = deliveries + message->delivery_count + 1;
  batch.add(message, kReceipt, static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX)), flags);
}

} // namespace

std::unique_ptr<backend::Batch> peek(Link& link, const QueueKeys& keys,
                                     const backend::PeekArgs& args, std::size_t most) {
  OwnedReply reply = link.use(args.deadline, [&](Connection& connection) {
    const auto append = [&] {
      begin_call(connection, scripts::peek(),
                 {keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry}, 3)
          .arg(keys.group)
          .arg(std::min(args.max_messages, most))
          .arg(args.max_bytes);
    };
    append();
    return finish_script(connection, args.deadline, append, ReplyReader::kMostBytes);
  });
  const std::shared_ptr<Arena> arena = std::move(reply.arena); // what the reply is in
  const Reply* at = expect_array(*reply, 0, kDoing);
  if (reply->count % 3 != 0) no_answer(kDoing);
  if (at == nullptr) return nullptr;
  auto batch = std::make_unique<RedisBatch>();
  batch->keep(arena);
  while (at != nullptr) add_entry(*batch, *arena, at);
  return batch;
}

} // namespace swapmq::redis
