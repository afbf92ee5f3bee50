// SPDX-License-Identifier: MIT
//
// A server that knows just enough to answer all that the plugin asks, properly but in one place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fake_server.hpp"

namespace swapmq::live {

/// Where the plugin reads an answer: a command or a script.
enum class Place {
  hello,
  auth,
  set_name,
  select,
  ping,
  xadd,
  wait,
  xgroup,
  set,
  pexpire,
  xreadgroup,
  xdel,
  xack,
  xpending,
  unblock,
  type,
  unlink,
  scan,
  script_publish,
  script_take,
  script_give_back,
  script_leave,
  script_ack_fenced,
  script_dead_letter,
  script_stats,
  script_purge,
  script_claim,
  script_settle_claimed,
  none, ///< no command that is known
};

[[nodiscard]] const char* name_of(Place place);
[[nodiscard]] std::vector<Place> all_places();

/// Which place the answer to a command is for.
[[nodiscard]] Place place_of(const Command& command);

/// What a server says that has a queue "q" of one message after the other, of whom none came back.
[[nodiscard]] std::string proper_answer(Place place, const Command& command);

/// Answers properly but for what `script` has to say; it is asked first, with the place.
using PlaceScript = std::function<std::optional<Answer>(Place, const Command&)>;
[[nodiscard]] Script polite(PlaceScript script = {});

/// The bytes of an XREADGROUP's answer of one entry: fields are names and values in turn.
[[nodiscard]] std::string entries(const std::string& id, const std::vector<std::string>& fields);

} // namespace swapmq::live
