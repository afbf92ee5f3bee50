// SPDX-License-Identifier: MIT
//
// The Lua scripts: what must happen in one step at the server. Their texts are in scripts/.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "connection.hpp"

namespace swapmq::redis {

struct Script {
  /// Before the text comes what all of them share.
  Script(std::string_view name, uint32_t number, const char* text);

  std::string_view name; // for errors
  uint32_t bit;          // in Connection::scripts_sent
  std::string text;
  std::string sha; // SHA-1 of the text, in hexadecimal: what EVALSHA wants
};

namespace scripts {
const Script& publish();
const Script& take();
const Script& give_back();
const Script& leave();
const Script& ack_fenced();
const Script& dead_letter();
const Script& stats();
const Script& purge();
const Script& claim();
const Script& settle_claimed();
const Script& peek();
} // namespace scripts

/// Begins a call of the script with these keys; so many arguments follow. The text goes with the
/// first call on a connection, its hash with all others.
Commands& begin_call(Connection& connection, const Script& script,
                     std::initializer_list<std::string_view> keys, std::size_t arguments);

/// To be told of each error reply to a script: whether it says that the server does not know the
/// script, so that the next call brings the text again. It was not run then.
bool script_is_unknown(Connection& connection, std::string_view error_reply);

/// Awaits the answer of a call that append() appended; calls once more if the server did not know
/// the script.
template <class Append>
OwnedReply finish_script(Connection& connection, backend::Deadline deadline, Append&& append,
                         std::size_t most_bytes = Connection::kSmall) {
  OwnedReply reply = connection.read(deadline, most_bytes);
  if (!reply->is_error() || !script_is_unknown(connection, reply->text)) return reply;
  append();
  return connection.read(deadline, most_bytes);
}

/// Sends what append() appends, which is one call, and awaits its answer.
template <class Append>
OwnedReply run_script(Connection& connection, backend::Deadline deadline, Append&& append) {
  append();
  return finish_script(connection, deadline, append);
}

} // namespace swapmq::redis
