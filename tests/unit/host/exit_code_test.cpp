// SPDX-License-Identifier: MIT
#include "exit_code.h"

#include <gtest/gtest.h>

#include "commands/publish_tally.h"

namespace swapmq::host {
namespace {

TEST(ExitCode, OfEveryError) {
  EXPECT_EQ(exit_code(Errc::ok), 0);
  EXPECT_EQ(exit_code(Errc::invalid_argument), 2);
  EXPECT_EQ(exit_code(Errc::not_supported), 1);
  EXPECT_EQ(exit_code(Errc::not_found), 1);
  EXPECT_EQ(exit_code(Errc::conflict), 1);
  EXPECT_EQ(exit_code(Errc::unavailable), 5);
  EXPECT_EQ(exit_code(Errc::timeout), 5);
  EXPECT_EQ(exit_code(Errc::interrupted), 130);
  EXPECT_EQ(exit_code(Errc::resource_exhausted), 1);
  EXPECT_EQ(exit_code(Errc::too_large), 1);
  EXPECT_EQ(exit_code(Errc::access_denied), 5);
  EXPECT_EQ(exit_code(Errc::corrupt), 5);
  EXPECT_EQ(exit_code(Errc::lost), 1);
  EXPECT_EQ(exit_code(Errc::internal), 4);
  EXPECT_EQ(exit_code(Errc::config), 3);
  EXPECT_EQ(exit_code(Errc::plugin), 4);
  EXPECT_EQ(exit_code(Errc::closed), 1);
}

TEST(ExitCode, OfTheContractKit) {
  EXPECT_EQ(exit_code_of_kit(0), 0);
  EXPECT_EQ(exit_code_of_kit(1), 4); // the plugin broke the contract
  EXPECT_EQ(exit_code_of_kit(2), 2);
  EXPECT_EQ(exit_code_of_kit(3), 1); // there was no folder for it
  EXPECT_EQ(exit_code_of_kit(4), 4);
  EXPECT_EQ(exit_code_of_kit(5), 3); // the options are wrong
  EXPECT_EQ(exit_code_of_kit(70), 4);
  EXPECT_EQ(exit_code_of_kit(-11), 4);
  EXPECT_EQ(exit_code_of_kit(-1), 130);
  EXPECT_EQ(exit_code_of_kit(-2), 130);
  EXPECT_EQ(exit_code_of_kit(-15), 130);
}

Sent confirmed() { return {Outcome::confirmed, "id", {}}; }
Sent failed(Errc code) { return {Outcome::failed, "id", Error(code, "why")}; }
Sent in_doubt() { return {Outcome::in_doubt, "id", Error(Errc::unavailable, "no answer")}; }

TEST(PublishTally, AllConfirmedIsDone) {
  PublishTally tally;
  EXPECT_EQ(tally.add(confirmed(), "line 1"), "");
  EXPECT_FALSE(tally.in_vain());
  EXPECT_EQ(tally.exit_code(false), 0);
  EXPECT_EQ(tally.exit_code(true), 130);
}

TEST(PublishTally, AMessageThatIsTooLargeEndsNothing) {
  PublishTally tally;
  EXPECT_EQ(tally.add(failed(Errc::too_large), "line 7"), "swapmq: line 7: not published: why\n");
  EXPECT_EQ(tally.add(failed(Errc::too_large), "line 8"), "") << "the same again is only counted";
  EXPECT_EQ(tally.add(confirmed(), "line 9"), "");
  EXPECT_FALSE(tally.in_vain());
  EXPECT_EQ(tally.failed(), 2u);
  EXPECT_EQ(tally.confirmed(), 1u);
  EXPECT_EQ(tally.exit_code(false), 1);
}

TEST(PublishTally, WhatTheNextMessageWouldMeetEndsIt) {
  PublishTally tally;
  EXPECT_EQ(tally.add(in_doubt(), "line 1"), "swapmq: line 1: in doubt: no answer\n");
  EXPECT_TRUE(tally.in_vain());
  EXPECT_EQ(tally.in_doubt(), 1u);
  EXPECT_EQ(tally.failed(), 0u);
  EXPECT_EQ(tally.exit_code(false), 5);

  PublishTally full;
  (void)full.add(failed(Errc::resource_exhausted), "line 1");
  EXPECT_TRUE(full.in_vain());
  EXPECT_EQ(full.exit_code(false), 1);
}

TEST(PublishTally, AnUnconfirmedMessageIsNeverDone) {
  PublishTally tally;
  (void)tally.add(failed(Errc::ok), "line 1");
  EXPECT_EQ(tally.exit_code(false), 1);
}

TEST(PublishTally, SaysABoundedNumberOfThings) {
  PublishTally tally;
  std::size_t said = 0;
  for (int i = 0; i < 1000; ++i) {
    const Sent sent{Outcome::failed, "id", Error(Errc::too_large, std::to_string(i))};
    if (!tally.add(sent, "line").empty()) ++said;
  }
  EXPECT_EQ(said, 20u);
  EXPECT_EQ(tally.failed(), 1000u);
}

} // namespace
} // namespace swapmq::host
