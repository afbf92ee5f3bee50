// SPDX-License-Identifier: MIT
#include "plugin/call_checker.h"

#include <thread>

#include "support.h"

namespace swapmq::plugin {
namespace {

/// Switches the checks on for one test.
class Checked : public ::testing::Test {
 protected:
  Checked() { check_plugin_calls(true); }
  ~Checked() override { check_plugin_calls(false); }

  static std::size_t findings(RecordingSink& sink) {
    std::size_t found = 0;
    for (const auto& [name, amount] : sink.counts()) {
      if (name == "plugin_call_findings") found += amount;
    }
    EXPECT_EQ(sink.lines_with("lying: call check: "), found);
    return found;
  }
};

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

TEST_F(Checked, GoodCallsAreNotRemarkedUpon) {
  Liar liar("");
  EXPECT_FALSE(liar.session().ping(soon()));
  EXPECT_FALSE(liar.session().service(soon()));
  EXPECT_EQ(findings(liar.sink()), 0U);
}

TEST_F(Checked, ACallThatOverrunsItsDeadline) {
  Liar liar("late");
  EXPECT_FALSE(liar.session().ping(in(std::chrono::milliseconds(1))));
  EXPECT_EQ(findings(liar.sink()), 1U);
  EXPECT_EQ(liar.sink().lines_with("ping ended "), 1U);
  EXPECT_FALSE(liar.session().ping(in(std::chrono::milliseconds(-5000))));
  EXPECT_EQ(findings(liar.sink()), 2U) << "a deadline in the past is no licence to wait";
  EXPECT_FALSE(liar.session().ping(soon()));
  EXPECT_EQ(findings(liar.sink()), 2U);
}

TEST_F(Checked, ACallThatBlocksThoughItMayNot) {
  Liar liar("blocks");
  liar.queue();
  EXPECT_EQ(liar.sink().lines_with("queue_open took "), 1U);
  liar.session().interrupt();
  EXPECT_EQ(liar.sink().lines_with("interrupt took "), 1U);
  EXPECT_EQ(findings(liar.sink()), 2U);
}

// Not through a Session, whose own members are for one thread at a time.
TEST_F(Checked, CallsOfOneSessionThatOverlap) {
  RecordingSink sink;
  CallChecker checker("lying", sink);
  const Deadline deadline = soon();
  {
    const CallChecker::Scope first(&checker, "ping", &deadline);
    const CallChecker::Scope harmless(&checker, "interrupt", &deadline, CallChecker::Threads::any);
    EXPECT_EQ(findings(sink), 0U);
    std::thread([&] { const CallChecker::Scope second(&checker, "service", &deadline); }).join();
    EXPECT_EQ(findings(sink), 1U);
    EXPECT_EQ(sink.lines_with("service began while ping of the same session"), 1U);
    const CallChecker::Scope third(&checker, "exchange", &deadline); // still not alone
    EXPECT_EQ(findings(sink), 2U);
  }
  const CallChecker::Scope alone(&checker, "ping", &deadline);
  EXPECT_EQ(findings(sink), 2U);
}

TEST(CallChecker, IsOffUnlessAskedFor) {
  EXPECT_FALSE(plugin_calls_are_checked());
  Liar liar("blocks");
  liar.queue();
  EXPECT_EQ(liar.sink().lines_with("call check"), 0U);
}

} // namespace
} // namespace swapmq::plugin
