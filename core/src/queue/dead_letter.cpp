// SPDX-License-Identifier: MIT
#include "queue/dead_letter.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "plugin/views.h"
#include "queue/clock.h"

namespace swapmq::queue {

using plugin::bytes;
using plugin::header_at;
using plugin::view;

namespace {

std::string rfc3339(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  const std::size_t length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return std::string(date, length) + fraction;
}

} // namespace

SettlementPlan::SettlementPlan(const SettlePolicy& policy, std::vector<Pending> pending,
                               swapmq_queue* target, bool draining)
    : policy_(policy), target_(target), draining_(draining) {
  settlements_.reserve(pending.size());
  pending_.reserve(pending.size());
  for (Pending& one : pending) {
    swapmq_settlement settlement{};
    settlement.delivery = one.delivery->delivery;
    settlement.action = one.action;
    if (plan(one, settlement)) {
      first_tries_ += one.not_before == Deadline{} ? 1 : 0;
      settlements_.push_back(settlement);
      pending_.push_back(std::move(one));
    } else {
      later_.push_back(std::move(one));
    }
  }
}

/// false: not yet.
bool SettlementPlan::plan(Pending& pending, swapmq_settlement& settlement) {
  const std::uint32_t count = pending.delivery->delivery->delivery_count;
  const bool exhausted = pending.action == SWAPMQ_SETTLE_NACK && policy_.max_deliveries > 0 &&
                         count >= policy_.max_deliveries;
  if (exhausted) {
    pending.action = SWAPMQ_SETTLE_DEAD_LETTER;
    pending.reason =
        pending.reason.empty() ? "max_deliveries" : "max_deliveries: " + pending.reason;
  }
  if (pending.action == SWAPMQ_SETTLE_DEAD_LETTER && policy_.dead_letter_queue.empty()) {
    pending.action = SWAPMQ_SETTLE_NACK; // there is no further place to put it
  }
  settlement.action = pending.action;
  switch (pending.action) {
    case SWAPMQ_SETTLE_DEAD_LETTER:
      return dead_letter(pending, settlement);
    case SWAPMQ_SETTLE_NACK:
      settlement.due_at_ms = pending.due_at_ms;
      if (!policy_.native_delayed_nack) {
        settlement.due_at_ms = 0; // held here until then: its lease is ours meanwhile
        return draining_ || pending.due_at_ms <= unix_now_ms();
      }
      return true;
    case SWAPMQ_SETTLE_RELEASE:
      if (!policy_.native_release) settlement.action = SWAPMQ_SETTLE_NACK; // declared: it counts
      return true;
    default:
      return true;
  }
}

bool SettlementPlan::dead_letter(Pending& pending, swapmq_settlement& settlement) {
  DeadLetterText& text = texts_.emplace_back();
  text.reason = pending.reason;
  text.queue = policy_.queue;
  text.time = rfc3339(unix_now_ms());
  text.deliveries = std::to_string(pending.delivery->delivery->delivery_count);
  text.headers = {swapmq_header{bytes(dead_letter_reason), bytes(text.reason)},
                  swapmq_header{bytes(dead_letter_queue), bytes(text.queue)},
                  swapmq_header{bytes(dead_letter_time), bytes(text.time)},
                  swapmq_header{bytes(dead_letter_deliveries), bytes(text.deliveries)}};
  if (policy_.native_dead_letter) {
    settlement.target = target_;
    settlement.headers = text.headers.data();
    settlement.header_count = static_cast<std::uint32_t>(text.headers.size());
    settlement.header_size = sizeof(swapmq_header);
    return target_ != nullptr;
  }
  // Publish, confirm, ack: a crash between leaves the message twice, never lost.
  if (!pending.copied) {
    if (copying_fails_) return false;
    pending.copied = publish_copy(pending.delivery->message(), text);
    copying_fails_ = !pending.copied;
    if (copying_fails_) return false;
  }
  settlement.action = SWAPMQ_SETTLE_ACK;
  return true;
}

bool SettlementPlan::publish_copy(const swapmq_message& message, const DeadLetterText& text) const {
  std::vector<Header> headers;
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    const bool replaced =
        std::any_of(text.headers.begin(), text.headers.end(),
                    [&](const auto& own) { return view(own.name) == view(header.name); });
    if (!replaced) headers.push_back({view(header.name), view(header.value)});
  }
  for (const swapmq_header& own : text.headers)
    headers.push_back({view(own.name), view(own.value)});
  Message copy;
  copy.body = view(message.body);
  copy.id = view(message.id);
  copy.headers = headers;
  copy.priority = message.priority;
  copy.ordering_key = view(message.ordering_key);
  copy.correlation_id = view(message.correlation_id);
  copy.reply_to = view(message.reply_to);
  copy.content_type = view(message.content_type);
  return static_cast<bool>(policy_.publish(policy_.dead_letter_queue, copy));
}

} // namespace swapmq::queue
