// SPDX-License-Identifier: MIT
//
// Backends that are consumed from and not open, or not as they should be: opened by the line, taken
// over in the switch's rounds, so that none of them holds a switch up.
#include <utility>

#include "switch/switcher.h"

namespace swapmq::switching {

using queue::LogLevel;

/// Of one that is watched and whose options changed.
Error Switcher::reopen(Visited& visited, const Member& member) {
  auto opened = journal_->keep_options(member);
  if (!opened) return opened.error();
  Error error =
      journal_->change([&](Record& record) { record.members[member.key] = std::move(*opened); });
  if (error) return error;
  visited.member = member;
  // One that would forget its messages stays as it is until the next start.
  visited.anew = visited.side != nullptr &&
                 visited.side->backend().capabilities().durability != SWAPMQ_DURABILITY_NONE;
  line_.hurry(member.key);
  return {};
}

/// Those that a crash or an outage left unopened (they are owed messages, or may get some) and
/// those that are wanted otherwise.
void Switcher::open_missing() {
  for (OpenerLine::Opened& opened : line_.take()) take_over(std::move(opened));
  for (const auto& [key, visited] : visited_) {
    if (visited.member.name.empty()) continue;
    if (visited.side == nullptr || visited.anew) line_.want(visited.member);
  }
}

void Switcher::take_over(OpenerLine::Opened opened) {
  const std::string& key = opened.member.key;
  const auto found = visited_.find(key);
  // Meanwhile it may have been forgotten, be opened by a switch, or be wanted otherwise again.
  if (found == visited_.end() || !found->second.member.same_instance(opened.member)) return;
  Visited& visited = found->second;
  if (visited.side != nullptr && !visited.anew) return;
  if (!opened.side) {
    const Error why = opened.side.error();
    if (visited.error.message() != why.message()) {
      say(LogLevel::error,
          key + ", which may be owed messages, cannot be opened, trying again: " + why.message());
    }
    visited.error = why;
    return;
  }
  stop_moving(visited);
  const auto replaced = std::exchange(visited.side, *opened.side);
  visited.anew = false;
  visited.error = {};
  visited.consumed = false;   // the gates are opened in this round
  traffic_.use(visited.side); // first: somebody looks there at any time
  leave(replaced);
  if (replaced == nullptr) say(LogLevel::info, key + " is open again; it was used before");
}

} // namespace swapmq::switching
