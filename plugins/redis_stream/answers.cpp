// SPDX-License-Identifier: MIT
#include "answers.hpp"

#include <string>

#include "entry_id.hpp"
#include "failures.hpp"
#include "server_error.hpp"

namespace swapmq::redis {

void no_answer(std::string_view doing) {
  throw ConnectionLost("what Redis sent is no answer to what it was asked (" + std::string(doing) +
                       "): is that a Redis server?");
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
  EntryId id;
  return type == REDIS_REPLY_STRING && parse(text, id);
}

} // namespace swapmq::redis
