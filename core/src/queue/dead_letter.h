// SPDX-License-Identifier: MIT
//
// The core's policy for what comes back: when a nack becomes a dead letter, which headers it gets,
// and what is done for a backend that lacks a way of settling.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "queue/ledger.h"

namespace swapmq::queue {

/// Headers that a dead letter carries.
inline constexpr std::string_view dead_letter_reason = "swapmq-dead-letter-reason";
inline constexpr std::string_view dead_letter_queue = "swapmq-dead-letter-queue"; // where it was
inline constexpr std::string_view dead_letter_time = "swapmq-dead-letter-time";   // RFC 3339, UTC
inline constexpr std::string_view dead_letter_deliveries = "swapmq-dead-letter-deliveries";

struct SettlePolicy {
  std::string queue;
  std::string dead_letter_queue;    ///< empty: this is one, and nothing leaves it but by an ack
  std::uint32_t max_deliveries = 0; ///< 0: unlimited
  bool native_dead_letter = true;
  bool native_release = true;
  bool native_delayed_nack = true;
  /// Publishes and waits for the confirm: for a backend that cannot dead-letter by itself.
  std::function<Sent(const std::string& queue, const Message& message)> publish;
};

/// The settlements of one exchange, as the plugin gets them, and the memory that they point at.
class SettlementPlan {
 public:
  /// target: the dead-letter queue's handle in the session of the exchange. draining: nothing can
  /// be held back for later.
  SettlementPlan(const SettlePolicy& policy, std::vector<Pending> pending, swapmq_queue* target,
                 bool draining);

  [[nodiscard]] const std::vector<swapmq_settlement>& settlements() const { return settlements_; }
  [[nodiscard]] std::vector<Pending>& pending() { return pending_; }
  /// Those that no broker has refused before.
  [[nodiscard]] std::size_t first_tries() const { return first_tries_; }
  /// Those that cannot be done yet, and are to be put back.
  [[nodiscard]] std::vector<Pending>& later() { return later_; }

 private:
  struct DeadLetterText {
    std::string reason, queue, time, deliveries;
    std::array<swapmq_header, 4> headers;
  };

  bool plan(Pending& pending, swapmq_settlement& settlement);
  bool dead_letter(Pending& pending, swapmq_settlement& settlement);
  [[nodiscard]] bool publish_copy(const swapmq_message& message, const DeadLetterText& text) const;

  const SettlePolicy& policy_;
  swapmq_queue* target_;
  const bool draining_;
  // Then the others wait for the next exchange, since each try takes its time.
  bool copying_fails_ = false;
  std::size_t first_tries_ = 0;
  std::vector<Pending> pending_, later_;
  std::vector<swapmq_settlement> settlements_;
  std::deque<DeadLetterText> texts_; // stable addresses
};

} // namespace swapmq::queue
