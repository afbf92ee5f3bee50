// SPDX-License-Identifier: MIT
//
// Proof of the kit: each bug that the planted backend can have makes a test fail, and the one that
// is about it. Run as a whole it prints a table "planted bug -> caught by".
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bugs.h"

namespace {

struct Planted {
  const char* bug;
  const char* caught_by;
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.bug; }

const std::vector<Planted> kTable = {
    {"acks_before_storing", "Publish.ConfirmedIsThereWhenThePublisherIsGone"},
    {"confirms_what_it_dropped", "Publish.EveryConfirmedMessageIsDelivered"},
    {"length_too_long", "Publish.BodiesFromNothingTo16MiB"},
    {"cuts_at_nul", "Publish.AnyByteInTheId"},
    {"forgets_a_field", "Publish.EveryFieldComesBack"},
    {"batch_fails_together", "Publish.OneThatIsTooLargeFailsAlone"},
    {"ignores_strides", "Growth.WiderMessagesHeadersAndResults"},
    {"reorders_one_in_a_thousand", "Order.FirstDeliveriesComeInPublishOrder"},
    {"released_goes_last", "Order.WhatWasReleasedGoesBackToItsPlace"},
    {"loses_on_nack", "Settle.NackedComesBack"},
    {"wrong_count", "Settle.NacksAreCountedExactly"},
    {"release_counts", "Settle.ReleasedIsNotCounted"},
    {"stale_receipt_accepted", "Settle.TwiceIsLost"},
    {"acks_the_wrong_one", "Settle.EachAckOfACallIsDone"},
    {"pends_for_ever", "Settle.WhatPendsIsAnsweredLater"},
    {"pends_and_forgets", "Settle.WhatPendsIsAnsweredLater"},
    {"pends_without_a_batch", "Settle.NothingPendsWhereNothingIsHandedOut"},
    {"exceeds_prefetch", "Flow.NothingNewPastPrefetch"},
    {"gives_more_than_asked", "Flow.NotMoreThanAskedFor"},
    {"delivers_twice", "Concurrency.FiveThousandMessagesToFiftyConsumersEachOnce"},
    {"loses_what_a_closer_held", "Concurrency.TenClosersAtOnceLoseNothing"},
    {"dead_letter_loses_headers", "Deadletter.HeadersAreMerged"},
    {"dead_letter_keeps_both", "Deadletter.HeadersAreMerged"},
    {"nack_delay_ignored", "Times.ANackedDelayIsKept"},
    {"delivered_early", "Times.APublishedDelayIsKept"},
    {"ttl_ignored", "Times.AnExpiredMessageIsNotDelivered"},
    {"swallows_a_move", "Declarations.AMovedMessageIsStoredThoughItsIdIsKnown"},
    {"priority_ignored", "Times.HigherPriorityComesFirst"},
    {"claims_the_latest", "Claims.EarliestDueComesFirst"},
    {"claims_for_two", "ClaimsUnderLoad.SeveralClaimersShareNoneAndLoseNone"},
    {"claim_ends_early", "Claims.AReleasedOneWaitsForItsTime"},
    {"claim_counts", "Claims.AReleasedOneWaitsForItsTime"},
    {"claim_forgets_the_nack", "Claims.OfOneThatWasNackedWithADelay"},
    {"claim_lost_with_its_owner", "Claims.LeavingGivesBack"},
    {"peek_takes", "Peek.TakesNothing"},
    {"peek_flags", "Peek.TakesNothing"},
    {"peek_shows_unacked", "Peek.NotWhatIsUnacked"},
    {"purge_forgets_delayed", "Queues.PurgeTakesReadyAndDelayedAndLeavesUnacked"},
    {"purge_takes_unacked", "Queues.PurgeTakesReadyAndDelayedAndLeavesUnacked"},
    {"delivers_across_queues", "Queues.AreKeptApart"},
    {"stats_lie", "Queues.ExactStatsAreExact"},
    {"blocks_past_timeout", "Waiting.EndsAtItsDeadline"},
    {"returns_early", "Waiting.EndsAtItsDeadline"},
    {"interrupt_not_sticky", "Waiting.AnInterruptJustBeforeTheReceiveCounts"},
    {"interrupt_counts_twice", "Waiting.AnInterruptCountsOnce"},
    {"view_dies_on_ack", "Lifetime.ViewsOutliveTheirSettlement"},
    {"batch_dies_with_session", "Lifetime.BatchesOutliveTheSession"},
    {"leaks_descriptor", "Lifetime.NothingLeaksInTwoHundredCycles"},
    {"leaks_thread", "Lifetime.NothingLeaksInTwoHundredCycles"},
    {"hangs_in_close", "Lifetime.ClosingWhileHoldingGivesBack"},
    {"crashes_on_null", "ArgumentsOfPublish.Pointers"},
    {"touches_output_on_failure", "Arguments.SessionOpen"},
    {"error_overruns", "Arguments.ErrorsKeepWithinTheirCapacity"},
    {"claims_durability", "Durability.ConfirmedSurvivesAKill"},
    {"steals_from_slow", "Leases.AServedConsumerKeepsWhatItHolds"},
    {"absent_but_silent", "Declarations.TtlIsAsDeclared"},
    {"limit_not_enforced", "Limits.ABodyBeyondMaxBodyBytesIsTooLarge"},
};

bool whole_kit = false; // --whole-kit: each bug against all tests, not only its own

/// What the kit said of a run: the failing tests, and why, in one line each.
struct Verdict {
  int exit_code = -1;
  std::map<std::string, std::string> failed;
  std::string output;
};

/// The indented lines from `at` on as one, without needless spaces.
std::string why(const std::string& output, std::size_t at) {
  std::string joined;
  while (output.compare(at, 4, "    ") == 0) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    for (; at < end; ++at) {
      if (output[at] != ' ' || (!joined.empty() && joined.back() != ' ')) joined += output[at];
    }
    joined += ' ';
    at = std::min(end + 1, output.size());
  }
  return joined;
}

/// "FAILED        NAME (12 ms)", and below it, indented, why.
void read_verdict(Verdict& verdict) {
  constexpr char kFailed[] = "FAILED        ";
  std::size_t at = 0;
  while (at < verdict.output.size()) {
    const std::size_t end = std::min(verdict.output.find('\n', at), verdict.output.size());
    const std::string line = verdict.output.substr(at, end - at);
    at = end + 1;
    if (line.rfind(kFailed, 0) != 0) continue;
    const std::size_t name = sizeof kFailed - 1;
    const std::string test = line.substr(name, line.find(' ', name) - name);
    verdict.failed[test] = why(verdict.output, at);
  }
}

Verdict run_kit(const std::string& options, const std::string& filter) {
  const std::string command = std::string(SWAPMQ_KIT_PROGRAM) + " --plugin " +
                              SWAPMQ_PLANTED_PLUGIN + " --options '" + options +
                              "' --isolate --hang-ms 1500 --patience-ms 1200 --gtest_filter='" +
                              filter + "' 2>&1";
  Verdict verdict;
  FILE* kit = popen(command.c_str(), "r");
  if (kit == nullptr) return verdict;
  char chunk[4096];
  for (std::size_t length; (length = fread(chunk, 1, sizeof chunk, kit)) > 0;) {
    verdict.output.append(chunk, length);
  }
  const int status = pclose(kit);
  if (WIFEXITED(status)) verdict.exit_code = WEXITSTATUS(status);
  read_verdict(verdict);
  return verdict;
}

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
  const std::string others =
      whole_kit ? " (and " + std::to_string(verdict.failed.size() - 1) + " more)" : std::string();
  char line[400];
  std::snprintf(line, sizeof line, "%-28s %s%s\n%-28s   %.110s", planted.bug, planted.caught_by,
                others.c_str(), "", found->second.c_str());
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

TEST(PlantedBackend, ACrashAndAHangAreNamed) {
  const Verdict crash = run_kit(R"({"bug":"crashes_on_null"})", "ArgumentsOfPublish.Pointers");
  EXPECT_NE(crash.output.find(" in ArgumentsOfPublish.Pointers"), std::string::npos)
      << crash.output;
  const Verdict hang =
      run_kit(R"({"bug":"hangs_in_close"})", "Lifetime.ClosingWhileHoldingGivesBack");
  EXPECT_NE(hang.output.find("hung in Lifetime.ClosingWhileHoldingGivesBack: HUNG"),
            std::string::npos)
      << hang.output;
  EXPECT_NE(hang.output.find("session_close() has not returned"), std::string::npos) << hang.output;
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
