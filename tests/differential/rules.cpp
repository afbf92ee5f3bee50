// SPDX-License-Identifier: MIT
#include "rules.h"

#include <algorithm>

#include "probe.h"

namespace swapmq::differential {

using contract::Breach;
using contract::Headers;
using contract::Message;
using contract::status_name;

namespace {

/// Clocks are read in whole milliseconds, on both sides of a delay.
constexpr std::int64_t kEarlyMs = 2;
/// Far enough in the past that no backend takes it for the future.
constexpr std::int64_t kLongAgoMs = 1'000'000'000'000;

std::uint64_t smaller(std::uint64_t limit, std::uint64_t other, std::uint64_t wanted) {
  if (limit != 0) wanted = std::min(wanted, limit);
  if (other != 0) wanted = std::min(wanted, other);
  return wanted;
}

std::string outcome_of(const swapmq_publish_result& result) {
  switch (result.outcome) {
    case SWAPMQ_PUBLISH_CONFIRMED:
      return "confirmed";
    case SWAPMQ_PUBLISH_FAILED:
      return std::string("failed with ") + status_name(result.status);
    case SWAPMQ_PUBLISH_IN_DOUBT:
      return std::string("in doubt with ") + status_name(result.status);
    default:
      return "untouched";
  }
}

std::string of_number(const char* what, std::uint64_t model, std::uint64_t other) {
  return std::string(what) + ": " + std::to_string(other) + ", and " + std::to_string(model) +
         " on the model";
}

void same_number(const char* what, std::uint64_t model, std::uint64_t other) {
  if (model != other) throw Breach(of_number(what, model, other));
}

/// As it may be compared: what two backends may say differently is said in one way.
Message plain_form(const Expected& expected, Message message) {
  // 0 means "same as timestamp_ms", so a backend may say it out.
  if (message.first_published_ms == 0) message.first_published_ms = message.timestamp_ms;
  // How a dead letter's headers are merged is laid down, in which order they then are is not.
  if (expected.dead_letter) std::sort(message.headers.begin(), message.headers.end());
  return message;
}

} // namespace

Powers common_powers(const swapmq_capabilities& model, const swapmq_limits& model_limits,
                     const swapmq_capabilities& other, const swapmq_limits& other_limits) {
  const auto both = [&](std::int32_t swapmq_capabilities::*power) {
    return model.*power != SWAPMQ_ABSENT && other.*power != SWAPMQ_ABSENT;
  };
  Powers powers;
  powers.delayed_publish = both(&swapmq_capabilities::delayed_publish);
  powers.delayed_nack = both(&swapmq_capabilities::delayed_nack);
  powers.ttl = both(&swapmq_capabilities::ttl);
  powers.priority = both(&swapmq_capabilities::priority);
  powers.release = both(&swapmq_capabilities::release);
  powers.dead_letter = both(&swapmq_capabilities::dead_letter);
  powers.purge = both(&swapmq_capabilities::purge);
  // Where it is emulated, what is delayed or unacked takes no room.
  powers.max_length = other.max_length == SWAPMQ_NATIVE;
  powers.ordering = both(&swapmq_capabilities::ordering);
  powers.counts_crashes = other.counts_crashes != SWAPMQ_ABSENT;
  powers.processes = other.sharing >= SWAPMQ_SHARING_MACHINE;
  powers.max_priority = powers.priority
                            ? static_cast<std::uint32_t>(
                                  smaller(model_limits.max_priority, other_limits.max_priority, 9))
                            : 0;
  powers.max_body = smaller(model_limits.max_body_bytes, other_limits.max_body_bytes, 4096);
  powers.max_batch = smaller(model_limits.max_publish_batch, other_limits.max_publish_batch, 12);
  constexpr std::uint64_t kSixHoursMs = 6ull * 3600 * 1000;
  powers.max_delay_ms = static_cast<std::int64_t>(
      smaller(static_cast<std::uint64_t>(model_limits.max_delay_ms),
              static_cast<std::uint64_t>(other_limits.max_delay_ms), kSixHoursMs));
  return powers;
}

bool possible(Kind kind, const Powers& powers) {
  switch (kind) {
    case Kind::kPublishDelayed:
    case Kind::kPublishNear:
      return powers.delayed_publish;
    case Kind::kNackDelayed:
    case Kind::kNackNear:
      return powers.delayed_nack;
    case Kind::kRelease:
    case Kind::kLeave: // gives back as released
      return powers.release;
    case Kind::kReject:
      return powers.dead_letter;
    case Kind::kPurge:
      return powers.purge;
    default:
      return true;
  }
}

bool expired_when_sent(const Message& message) {
  return message.expires_at_ms != 0 && message.expires_at_ms < kLongAgoMs;
}

void same_results(std::span<const Message> sent, std::span<const swapmq_publish_result> model,
                  std::span<const swapmq_publish_result> other) {
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const bool same = model[i].outcome == other[i].outcome &&
                      (model[i].outcome == SWAPMQ_PUBLISH_CONFIRMED ||
                       (model[i].status == other[i].status && model[i].flags == other[i].flags));
    // Never seen by anybody: confirmed or refused, both are right.
    if (same || expired_when_sent(sent[i])) continue;
    throw Breach("publish of message " + std::to_string(i + 1) + " of " +
                 std::to_string(sent.size()) + ": " + outcome_of(other[i]) + ", and " +
                 outcome_of(model[i]) + " on the model");
  }
}

void same_settlements(std::span<const std::int32_t> actions, std::span<const swapmq_status> model,
                      std::span<const swapmq_status> other) {
  constexpr std::array<const char*, 5> kActions = {"", "ack", "nack", "release", "reject"};
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (model[i] == other[i]) continue;
    throw Breach(std::string(kActions[static_cast<std::size_t>(actions[i])]) + ", settlement " +
                 std::to_string(i + 1) + " of " + std::to_string(actions.size()) + ": " +
                 status_name(other[i]) + ", and " + status_name(model[i]) + " on the model");
  }
}

void same_sizes(const swapmq_queue_stats& model, const swapmq_queue_stats& other,
                const Unsure& unsure) {
  if (!unsure.may_exist) {
    same_number("stats: exists", static_cast<std::uint64_t>(model.exists),
                static_cast<std::uint64_t>(other.exists));
  }
  const bool ready = other.ready_precision == SWAPMQ_STAT_EXACT;
  const bool unacked = other.unacked_precision == SWAPMQ_STAT_EXACT;
  if (unsure.read_ahead && ready && unacked) {
    same_number("stats: ready and unacked", model.ready + model.unacked,
                other.ready + other.unacked);
  } else if (!unsure.read_ahead) {
    if (ready) same_number("stats: ready", model.ready, other.ready);
    if (unacked) same_number("stats: unacked", model.unacked, other.unacked);
  }
  if (other.delayed_precision == SWAPMQ_STAT_EXACT) {
    same_number("stats: delayed", model.delayed, other.delayed);
  }
}

void same_purge(std::uint64_t model, std::uint64_t other) {
  same_number("messages purged", model, other);
}

void same_delivery(const Expected& model, const Seen& other) {
  const std::string id = "message " + contract::shown(other.message.id);
  const std::string differs =
      contract::difference(plain_form(model, model.seen.message), plain_form(model, other.message));
  if (!differs.empty()) throw Breach(id + " is not as on the model: " + differs);
  const bool bound = other.at_least && other.count >= 1 && other.count <= model.seen.count;
  if (!bound && other.count != model.seen.count) {
    throw Breach(id + ": " + of_number("delivery_count", model.seen.count, other.count));
  }
  const bool redelivered = model.seen.redelivered && !model.first;
  const bool cautious = model.read_ahead && other.redelivered;
  if (other.redelivered != redelivered && !cautious) {
    throw Breach(id + (other.redelivered ? " is called redelivered, and was never delivered"
                                         : " is not called redelivered, and was delivered before"));
  }
}

void same_priorities(std::span<const Seen> model, std::span<const Seen> other) {
  for (std::size_t i = 0; i < std::min(model.size(), other.size()); ++i) {
    if (model[i].message.priority == other[i].message.priority) continue;
    throw Breach("delivery " + std::to_string(i + 1) + ": " +
                 of_number("priority", model[i].message.priority, other[i].message.priority) +
                 ", which gives the highest first");
  }
}

void not_early(const Seen& seen, std::int64_t due_at_ms) {
  if (seen.at_ms >= due_at_ms - kEarlyMs) return;
  throw Breach("message " + contract::shown(seen.message.id) + " came " +
               std::to_string(due_at_ms - seen.at_ms) + " ms before it was due");
}

} // namespace swapmq::differential
