// SPDX-License-Identifier: MIT
//
// Proof of the kit: each bug that the planted backend can have makes a test fail, and the one that
// is about it. Run as a whole it prints a table "planted bug -> caught by".
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bugs.h"
#include "kit_run.h"

namespace {

using planted::run_kit;
using planted::Verdict;

struct Planted {
  const char* bug;
  const char* caught_by;
  const char* call; // in the report among the last calls; after "> " the failing one
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.bug; }

const std::vector<Planted> kTable = {
    {"acks_before_storing", "Publish.ConfirmedIsThereWhenThePublisherIsGone", "exchange("},
    {"confirms_what_it_dropped", "Publish.EveryConfirmedMessageIsDelivered", "exchange("},
    {"length_too_long", "Publish.BodiesFromNothingTo16MiB", "> exchange(up to 1 message"},
    {"cuts_at_nul", "Publish.AnyByteInTheId", "> exchange(up to 50 messages"},
    {"forgets_a_field", "Publish.EveryFieldComesBack", "> exchange(up to 2 messages"},
    {"batch_fails_together", "Publish.OneThatIsTooLargeFailsAlone", "> publish("},
    {"ignores_strides", "Growth.WiderMessagesHeadersAndResults", "> publish("},
    {"reorders_one_in_a_thousand", "Order.FirstDeliveriesComeInPublishOrder", "exchange("},
    {"released_goes_last", "Order.WhatWasReleasedGoesBackToItsPlace", "exchange("},
    {"loses_on_nack", "Settle.NackedComesBack", "> exchange(up to 10 messages"},
    {"wrong_count", "Settle.NacksAreCountedExactly", "> exchange(up to 1 message"},
    {"release_counts", "Settle.ReleasedIsNotCounted", "> exchange(up to 5 messages"},
    {"stale_receipt_accepted", "Settle.TwiceIsLost",
     "> exchange(1 settlement: ack; up to 0 messages"},
    {"acks_the_wrong_one", "Settle.EachAckOfACallIsDone", "> queue_stats("},
    {"pends_for_ever", "Settle.WhatPendsIsAnsweredLater", "> exchange(40 settlements: 40 ack;"},
    {"pends_and_forgets", "Settle.WhatPendsIsAnsweredLater", "> exchange(40 settlements: 40 ack;"},
    {"pends_without_a_batch", "Settle.NothingPendsWhereNothingIsHandedOut",
     "> exchange(10 settlements: 10 ack;"},
    {"exceeds_prefetch", "Flow.NothingNewPastPrefetch", "> exchange(up to 1000 messages"},
    {"gives_more_than_asked", "Flow.NotMoreThanAskedFor", "> exchange(up to 1 message"},
    {"delivers_twice", "Concurrency.FiveThousandMessagesToFiftyConsumersEachOnce", "thread"},
    {"loses_what_a_closer_held", "Concurrency.TenClosersAtOnceLoseNothing", "thread"},
    {"dead_letter_loses_headers", "Deadletter.HeadersAreMerged", "exchange("},
    {"dead_letter_keeps_both", "Deadletter.HeadersAreMerged", "exchange("},
    {"nack_delay_ignored", "Times.ANackedDelayIsKept", "> queue_stats("},
    {"delivered_early", "Times.APublishedDelayIsKept", "> exchange(up to 1 message"},
    {"ttl_ignored", "Times.AnExpiredMessageIsNotDelivered", "> queue_stats("},
    {"swallows_a_move", "Declarations.AMovedMessageIsStoredThoughItsIdIsKnown", "exchange("},
    {"priority_ignored", "Times.HigherPriorityComesFirst", "exchange("},
    {"claims_the_latest", "Claims.EarliestDueComesFirst", "> claim("},
    {"claims_for_two", "ClaimsUnderLoad.SeveralClaimersShareNoneAndLoseNone", "> thread"},
    {"claim_ends_early", "Claims.AReleasedOneWaitsForItsTime", "> claim("},
    {"claim_counts", "Claims.AReleasedOneWaitsForItsTime", "> claim(up to 1 message"},
    {"claim_forgets_the_nack", "Claims.OfOneThatWasNackedWithADelay", "> claim("},
    {"claim_lost_with_its_owner", "Claims.LeavingGivesBack", "> claim("},
    {"peek_takes", "Peek.TakesNothing", "> peek("},
    {"peek_flags", "Peek.TakesNothing", "> exchange(up to 5 messages"},
    {"peek_shows_unacked", "Peek.NotWhatIsUnacked", "> peek("},
    {"purge_forgets_delayed", "Queues.PurgeTakesReadyAndDelayedAndLeavesUnacked", "> purge_queue("},
    {"purge_takes_unacked", "Queues.PurgeTakesReadyAndDelayedAndLeavesUnacked", "> queue_stats("},
    {"delivers_across_queues", "Queues.AreKeptApart", "> queue_stats("},
    {"stats_lie", "Queues.ExactStatsAreExact", "> queue_stats("},
    {"blocks_past_timeout", "Waiting.EndsAtItsDeadline", "> exchange(up to 1 message"},
    {"returns_early", "Waiting.EndsAtItsDeadline", "> exchange(up to 1 message"},
    {"interrupt_not_sticky", "Waiting.AnInterruptJustBeforeTheReceiveCounts",
     "> exchange(up to 1 message"},
    {"interrupt_counts_twice", "Waiting.AnInterruptCountsOnce", "> exchange(up to 1 message"},
    {"view_dies_on_ack", "Lifetime.ViewsOutliveTheirSettlement",
     "> exchange(20 settlements: 20 ack;"},
    {"batch_dies_with_session", "Lifetime.BatchesOutliveTheSession", "session_close()"},
    {"leaks_descriptor", "Lifetime.NothingLeaksInTwoHundredCycles", "session_close()"},
    {"leaks_thread", "Lifetime.NothingLeaksInTwoHundredCycles", "close()"},
    {"hangs_in_close", "Lifetime.ClosingWhileHoldingGivesBack",
     "> session_close() -> has not returned"},
    {"crashes_on_null", "ArgumentsOfPublish.Pointers", "args NULL) -> has not returned"},
    {"touches_output_on_failure", "Arguments.SessionOpen", "> session_open(role -2147483648"},
    {"error_overruns", "Arguments.ErrorsKeepWithinTheirCapacity", "> queue_open(\"\")"},
    {"claims_durability", "Durability.ConfirmedSurvivesAKill", "exchange("},
    {"steals_from_slow", "Leases.AServedConsumerKeepsWhatItHolds", "> exchange(up to 5 messages"},
    {"absent_but_silent", "Declarations.TtlIsAsDeclared", "exchange("},
    {"limit_not_enforced", "Limits.ABodyBeyondMaxBodyBytesIsTooLarge", "> publish(queue"},
};

bool whole_kit = false; // --whole-kit: each bug against all tests, not only its own

/// Prints what each bug came to, when all have run.
class Table : public ::testing::Environment {
 public:
  static Table& get() {
    static Table* const table = new Table; // GoogleTest owns and deletes it
    return *table;
  }
  void add(const std::string& line) { lines_.push_back(line); }

 private:
  void TearDown() override {
    if (lines_.size() < 2) return;
    std::printf("\n%-28s %s\n", "planted bug", "caught by");
    for (const std::string& line : lines_) std::printf("%s\n", line.c_str());
  }

  std::vector<std::string> lines_;
};

const std::map<std::string, planted::ListedRule>& rules() {
  static const std::map<std::string, planted::ListedRule> listed = planted::listed_rules();
  return listed;
}

/// The report without the calls.
std::string came_to(const std::string& report) {
  const std::size_t expected = std::min(report.find(" expected "), report.find(" found "));
  return expected == std::string::npos ? report : report.substr(expected + 1);
}

class PlantedBug : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsCaught) {
  const Planted& planted = GetParam();
  const std::string test = planted.caught_by;
  const Verdict verdict =
      run_kit(std::string(R"({"bug":")") + planted.bug + "\"}", whole_kit ? "*" : test);
  EXPECT_EQ(verdict.exit_code, 1) << verdict.output;
  const auto found = verdict.failed.find(test);
  ASSERT_NE(found, verdict.failed.end()) << "not caught by " << test << "; the kit said\n"
                                         << verdict.output;
  const std::string& report = found->second;
  const planted::ListedRule& rule = rules().at(test);
  EXPECT_EQ(report.rfind("rule " + rule.text + " (" + rule.source + ") calls ", 0), 0u) << report;
  const std::string calls = report.substr(report.find(" calls "));
  EXPECT_NE(calls.find(planted.call), std::string::npos) << planted.call << " is not in" << calls;
  const std::string others =
      whole_kit ? " (and " + std::to_string(verdict.failed.size() - 1) + " more)" : std::string();
  char line[400];
  std::snprintf(line, sizeof line, "%-28s %s%s\n%-28s   %.110s", planted.bug, planted.caught_by,
                others.c_str(), "", came_to(report).c_str());
  Table::get().add(line);
}

INSTANTIATE_TEST_SUITE_P(Bug, PlantedBug, ::testing::ValuesIn(kTable),
                         [](const auto& one) { return std::string(one.param.bug); });

TEST(PlantedBackend, EveryBugIsInTheTable) {
  std::set<std::string_view> table;
  for (const Planted& planted : kTable) table.insert(planted.bug);
  std::set<std::string_view> all(planted::kBugs.begin(), planted::kBugs.end());
  all.insert(planted::kLies.begin(), planted::kLies.end());
  EXPECT_EQ(table, all);
}

TEST(PlantedBackend, WithoutABugPassesAndDoesNotPromiseDurability) {
  const Verdict clean = run_kit(R"({"bug":"none"})", "Durability.*:Settle.*:Flow.*");
  EXPECT_EQ(clean.exit_code, 0) << clean.output;
  EXPECT_NE(clean.output.find("4 not promised"), std::string::npos) << clean.output;
}

} // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  whole_kit = argc > 1 && std::string_view(argv[1]) == "--whole-kit";
  ::testing::AddGlobalTestEnvironment(&Table::get());
  return RUN_ALL_TESTS();
}
