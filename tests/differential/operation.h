// SPDX-License-Identifier: MIT
//
// One step of a test, as a value: it says what to do to which queue or consumer, never to which
// message, so that it means something after whatever came before, and can be left out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::differential {

inline constexpr unsigned kQueues = 3;
inline constexpr unsigned kConsumers = 3; ///< of each queue
/// The consumer of a queue that takes all that there is, when something must come some time.
inline constexpr unsigned kCollector = kConsumers - 1;

enum class Kind : std::uint8_t {
  kCreate,
  kPublish,        ///< plain messages
  kPublishRich,    ///< with all that a message can have
  kPublishDelayed, ///< by hours
  kPublishNear,    ///< delayed by an instant, and awaited
  kReceive,
  kExchange, ///< settles some, each in its own way, and receives, in one call
  kAck,
  kNack,
  kNackDelayed, ///< by hours
  kNackNear,    ///< by an instant, and awaited
  kRelease,
  kReject,
  kSettleAgain, ///< what was settled before
  kPurge,
  kDelete,
  kStats,
  kLeave, ///< unsubscribes, or closes the session
  kDie,   ///< a consumer that holds messages ends without a word; what it held is awaited
};
inline constexpr std::size_t kKinds = 19;

inline constexpr std::array<std::string_view, kKinds> kKindNames = {
    "create",   "publish",      "publish-rich", "publish-delayed", "publish-near", "receive",
    "exchange", "ack",          "nack",         "nack-delayed",    "nack-near",    "release",
    "reject",   "settle-again", "purge",        "delete",          "stats",        "leave",
    "die"};

inline std::string_view name_of(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

struct Operation {
  Kind kind = Kind::kStats;
  unsigned queue = 0;
  unsigned consumer = 0;
  unsigned count = 1;     ///< of messages, at most
  std::uint64_t seed = 0; ///< of all else that has to be chosen

  friend bool operator==(const Operation&, const Operation&) = default;
};
using Operations = std::vector<Operation>;

/// "nack queue=1 consumer=0 count=3 seed=77".
std::string to_text(const Operation& operation);
/// Nothing if it is not such a line.
std::optional<Operation> from_text(std::string_view line);
/// The operations of a file, one a line; '#' begins a comment. Nothing, and why, if it cannot be.
std::optional<Operations> read_operations(const std::string& file, std::string& why);

} // namespace swapmq::differential
