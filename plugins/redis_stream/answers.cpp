// SPDX-License-Identifier: MIT
#include "answers.hpp"

#include <string>

#include "network/failures.hpp"
#include "server_error.hpp"

namespace swapmq::redis {

void no_answer(std::string_view doing) {
  throw network::ConnectionLost("what Redis sent is no answer to what it was asked (" +
                                std::string(doing) + "): is that a Redis server?");
}

void expect_status(const Reply& reply, std::string_view status, std::string_view doing) {
  if (reply.is_error()) throw server_failure(doing, reply.text);
  if (reply.type != REDIS_REPLY_STATUS || reply.text != status) no_answer(doing);
}

int64_t expect_integer(const Reply& reply, int64_t least, int64_t most, std::string_view doing) {
  if (reply.is_error()) throw server_failure(doing, reply.text);
  if (!reply.is_integer() || reply.integer < least || reply.integer > most) no_answer(doing);
  return reply.integer;
}

const Reply* expect_array(const Reply& reply, uint32_t least, std::string_view doing) {
  if (reply.is_error()) throw server_failure(doing, reply.text);
  if (!reply.is_array() || reply.count < least) no_answer(doing);
  return reply.first;
}

bool is_entry_id(int type, std::string_view text) {
  // One for each message that is published: without looking for numbers that are too large.
  constexpr std::size_t kMost = 41;
  if (type != REDIS_REPLY_STRING || text.size() > kMost) return false;
  const auto digits_end = [&](std::size_t at) {
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at;
  };
  const std::size_t dash = digits_end(0);
  if (dash == 0 || dash + 1 >= text.size() || text[dash] != '-') return false;
  return digits_end(dash + 1) == text.size();
}

} // namespace swapmq::redis
