// SPDX-License-Identifier: MIT
#include "content.h"

#include <algorithm>
#include <array>
#include <string>

#include "random.h"

namespace swapmq::differential {

using contract::Message;

namespace {

constexpr std::int64_t kTimestampMs = 1'700'000'000'000;

std::string any_bytes(Random& random, std::uint64_t longest) {
  const auto size = static_cast<std::size_t>(random.below(longest + 1));
  return contract::pattern(size, static_cast<unsigned>(random.next()));
}

Message plain(std::uint64_t number) {
  Message made;
  made.id = "m" + std::to_string(number);
  made.body = "body of " + made.id;
  made.timestamp_ms = kTimestampMs + static_cast<std::int64_t>(number);
  return made;
}

void enrich(Message& message, Random& random, const Powers& powers, std::int64_t far_ms,
            bool bounded) {
  message.id += std::string("\0\xff ", 3) + any_bytes(random, 8);
  constexpr std::array<std::uint64_t, 6> kSizes = {0, 1, 1000, 1000, 4000, 4096};
  const std::uint64_t size =
      random.one_in(2) ? kSizes[random.below(kSizes.size())] : random.below(600);
  message.body = contract::pattern(static_cast<std::size_t>(std::min(size, powers.max_body)),
                                   static_cast<unsigned>(random.next()));
  const std::uint64_t headers = random.below(6);
  for (std::uint64_t i = 0; i < headers; ++i) {
    message.headers.emplace_back("own-" + std::to_string(i), any_bytes(random, 40));
  }
  if (random.one_in(2)) message.correlation_id = any_bytes(random, 30);
  if (random.one_in(2)) message.reply_to = any_bytes(random, 30);
  if (random.one_in(2)) message.content_type = "text/plain; charset=utf-8";
  if (random.one_in(2)) message.ordering_key = any_bytes(random, 10);
  if (random.one_in(3)) message.first_published_ms = message.timestamp_ms - 5000;
  if (random.one_in(4)) message.delivery_count = static_cast<std::uint32_t>(random.below(4));
  if (random.one_in(2)) {
    message.priority = static_cast<std::uint32_t>(random.below(powers.max_priority + 1));
  }
  if (powers.ttl && random.one_in(3)) message.expires_at_ms = far_ms;
  if (powers.ttl && !bounded && random.one_in(8)) message.expires_at_ms = 1;
}

} // namespace

std::vector<Message> make_messages(const Operation& operation, const Powers& powers,
                                   std::uint64_t first, std::int64_t far_ms, std::int64_t near_ms,
                                   bool bounded) {
  Random random(operation.seed);
  const auto count = std::clamp<std::uint64_t>(operation.count, 1, powers.max_batch);
  std::vector<Message> made;
  for (std::uint64_t i = 0; i < count; ++i) {
    Message& message = made.emplace_back(plain(first + i));
    if (operation.kind == Kind::kPublishRich) enrich(message, random, powers, far_ms, bounded);
    if (operation.kind == Kind::kPublishDelayed) message.due_at_ms = far_ms;
    if (operation.kind == Kind::kPublishNear) {
      message.due_at_ms = near_ms + static_cast<std::int64_t>(random.below(8));
    }
  }
  return made;
}

contract::Headers reject_headers(std::uint64_t seed) {
  Random random(seed);
  contract::Headers headers{{"x-why", "rejected"}};
  if (random.one_in(2)) headers.emplace_back("own-0", "replaced");
  if (random.one_in(3)) headers.emplace_back("own-2", std::string("\0\1", 2));
  return headers;
}

} // namespace swapmq::differential
