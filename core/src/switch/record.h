// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::switching {

/// What the journal says. Members are named by their keys. `chain` holds those that are owed
/// something, oldest first, and the active one last; all of them are among the visited, and all
/// visited ones among the members.
struct Record {
  struct Opened {
    std::string name;    ///< of the plugin
    std::string options; ///< as JSON, without secrets
    bool secret = false; ///< there are some, in a file of its own
    bool operator==(const Opened&) const = default;
  };
  static constexpr std::size_t max_queues = 2048;
  using Sizes = std::map<std::string, std::uint64_t>; ///< queue -> messages

  std::uint64_t generation = 0; ///< of the record: one more with each change
  std::string active;
  std::vector<std::string> chain;
  std::set<std::string> visited;
  std::map<std::string, Sizes> left; ///< what was deliberately not moved, by member
  /// What becomes of what lies there, by member; drain, where nothing is said. A member with the
  /// policy leave that is not visited was left with what lies there, and is not consumed from.
  std::map<std::string, BacklogPolicy> policies;
  bool strict = false;          ///< each member of the chain is consumed from after all before it
  bool holds = false;           ///< and published to then, by whoever does not consume
  std::string before;           ///< what was active before that; empty: nothing was
  std::string refused_config;   ///< the configured backend that was rolled back from
  std::set<std::string> queues; ///< all that were ever published to or consumed from, or
  bool more_queues = false;     ///< the first max_queues of them, and there were others
  std::map<std::string, Opened> members;

  /// Whether that member is in the chain.
  [[nodiscard]] bool owes(const std::string& key) const {
    return std::find(chain.begin(), chain.end(), key) != chain.end();
  }
  [[nodiscard]] BacklogPolicy policy(const std::string& key) const {
    const auto found = policies.find(key);
    return found != policies.end() ? found->second : BacklogPolicy::drain;
  }
  bool operator==(const Record&) const = default;
};

/// As JSON text, one line.
std::string to_json(const Record& record);
/// The error says what is wrong with it; nothing is guessed.
Result<Record> record_from(std::string_view json);

} // namespace swapmq::switching
