// SPDX-License-Identifier: MIT
//
// swapmq.claim_delayed/1 of a plugin that lies: its batches are checked as those of exchange are.
#include "plugin/session.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

Received claim(Liar& liar, std::size_t max_messages = 2) {
  return liar.session().claim_delayed(liar.subscription(), max_messages, 77, soon());
}

TEST(Claim, GivesABatchAndSaysWhatItMayHold) {
  Liar liar("");
  EXPECT_TRUE(liar.session().can_claim_delayed());
  const Received received = claim(liar);
  ASSERT_FALSE(received.error) << received.error.message();
  ASSERT_NE(received.batch, nullptr);
  EXPECT_EQ(received.batch->count, 2U);
  EXPECT_FALSE(received.interrupted);
  EXPECT_FALSE(received.session_dead);
  EXPECT_EQ(liar.sink().lines_with("claim 2 of 77 bytes"), 1U);
}

TEST(Claim, AsksForNoMoreThanThePluginsLimit) {
  Liar liar("limits");
  claim(liar, 1000);
  EXPECT_EQ(liar.sink().lines_with("claim 2 of"), 1U);
}

TEST(Claim, NoneIsNoError) {
  Liar liar("nothing");
  const Received received = claim(liar);
  EXPECT_FALSE(received.error);
  EXPECT_EQ(received.batch, nullptr);
}

TEST(Claim, APluginWithoutItIsNotSupported) {
  Liar liar("claim_absent");
  EXPECT_FALSE(liar.session().can_claim_delayed());
  const Received received = claim(liar);
  EXPECT_EQ(received.error.code(), Errc::not_supported);
  EXPECT_THAT(received.error.message(), HasSubstr("lying: "));
  EXPECT_FALSE(received.session_dead);
}

TEST(Claim, TheTableIsChecked) {
  for (const char* lie : {"claim_small", "claim_hollow", "claim_misaligned"}) {
    Liar liar(lie);
    const Received received = claim(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << lie;
    EXPECT_THAT(received.error.message(), HasSubstr("not aligned, too small, or lacks")) << lie;
    EXPECT_EQ(received.batch, nullptr) << lie;
  }
}

TEST(Claim, AFailureIsPassedOn) {
  Liar liar("exchange_fails");
  const Received received = claim(liar);
  EXPECT_EQ(received.error.code(), Errc::unavailable);
  EXPECT_TRUE(received.error.retryable());
  EXPECT_THAT(received.error.message(), HasSubstr("lying: claim_delayed: "));
  EXPECT_FALSE(received.session_dead);
}

TEST(Claim, ABrokenBatchIsNamedReleasedAndEndsTheSession) {
  for (const char* lie : {"count_3", "count_0", "message_null", "receipt_49", "delivery_count_0"}) {
    Liar liar(lie);
    const Received received = claim(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << lie;
    EXPECT_THAT(received.error.message(),
                HasSubstr("lying: claim_delayed: the plugin broke the ABI"));
    EXPECT_EQ(received.batch, nullptr) << lie;
    EXPECT_TRUE(received.session_dead) << lie;
    EXPECT_EQ(liar.sink().lines_with("released"), 1U) << lie;
  }
}

TEST(Claim, ABatchThatCannotBeReleasedIsNotTouched) {
  for (const char* lie :
       {"batch_small", "batch_without_release", "batch_odd", "batch_on_failure"}) {
    Liar liar(lie);
    const Received received = claim(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << lie;
    EXPECT_EQ(received.batch, nullptr) << lie;
    EXPECT_TRUE(received.session_dead) << lie;
    EXPECT_EQ(liar.sink().lines_with("released"), 0U) << lie;
  }
}

} // namespace
} // namespace swapmq::plugin
