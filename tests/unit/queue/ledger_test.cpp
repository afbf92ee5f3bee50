// SPDX-License-Identifier: MIT
//
// The books of a consumer by themselves, with the keeper and the lane played by the test.
#include "queue/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "plugin/plugin.h"

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using swapmq::Settling;
using swapmq::plugin::Backend;
using swapmq::plugin::Session;
using swapmq::queue::Ledger;

class Quiet final : public swapmq::plugin::HostSink {
 public:
  bool log_enabled(int) noexcept override { return false; }
  void log(int, std::string_view) noexcept override {}
  void count(std::string_view, std::uint64_t) noexcept override {}
};

swapmq::queue::Deadline soon() { return steady_clock::now() + 10s; }

/// A ledger with room for one message, and a session of memory.so to receive with.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    const auto plugin =
        swapmq::plugin::Plugin::load({SWAPMQ_TEST_MEMORY_BACKEND, {}, {}, true}).value();
    backend_ = Backend::open(plugin, std::make_shared<Quiet>(), {"{}", "test", soon()}).value();
    session_ = backend_->open_session(SWAPMQ_ROLE_CONSUME, soon()).value();
    swapmq_queue_spec spec{};
    spec.struct_size = sizeof spec;
    queue_ = session_->queue("tasks", spec).value();
    subscription_ = session_->subscribe(queue_, 1, 0ms, soon()).value();
  }

  /// The next message, published just now, handed out.
  swapmq::Delivery hand_out_one() {
    swapmq_message message{};
    message.id = message.body = {"x", 1};
    swapmq_publish_result result{};
    EXPECT_FALSE(session_->publish(queue_, {&message, 1}, {&result, 1}, soon()));
    ledger_->received(session_->exchange(subscription_, {}, {}, 1, 0, soon()).batch);
    return ledger_->take(steady_clock::now()).value();
  }
  /// Settles at the broker what the lane was given.
  void carry_out(const Ledger::Work& work) {
    swapmq_settlement settlement{};
    settlement.delivery = work.settlements.at(0).delivery->delivery;
    settlement.action = SWAPMQ_SETTLE_ACK;
    swapmq_status status = SWAPMQ_STATUS_UNTOUCHED;
    session_->exchange(subscription_, {&settlement, 1}, {&status, 1}, 0, 0, soon());
    ledger_->ended(work.settlements, {&status, 1});
  }

  swapmq::metrics::QueueMetrics metrics_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Session> session_;
  swapmq_queue* queue_ = nullptr;
  swapmq_subscription* subscription_ = nullptr;
  std::shared_ptr<Ledger> ledger_ =
      std::make_shared<Ledger>("tasks", swapmq::ConsumeOptions{.prefetch = 1}, 0ms, 0U, metrics_,
                               std::make_shared<swapmq::queue::Bell>());
};

TEST_F(LedgerTest, WhatIsDecidedDuringTheKeepersExchangeDoesNotWaitForTheNextRest) {
  steady_clock::duration quickest = 1h;
  for (int round = 0; round < 5; ++round) {
    const swapmq::Delivery delivery = hand_out_one();
    Ledger::Next next = Ledger::Next::serve;
    std::thread lane([&] { next = ledger_->wait_for_work(); });
    std::this_thread::sleep_for(20ms); // the lane rests by now, or comes to it later: both must do
    ledger_->enter_exchange(session_.get());
    EXPECT_EQ(delivery.ack(), Settling::accepted);
    ledger_->leave_exchange();
    const auto left = steady_clock::now();
    lane.join();
    quickest = std::min(quickest, steady_clock::now() - left);
    EXPECT_EQ(next, Ledger::Next::exchange);
    carry_out(ledger_->take_work());
  }
  EXPECT_LT(quickest, 250ms) << "a lane rests for half a second";
}

} // namespace
