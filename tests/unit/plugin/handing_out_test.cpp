// SPDX-License-Identifier: MIT
//
// swapmq.claim_delayed/1 and swapmq.peek/1 of a plugin that lies: their batches are checked as
// those of exchange are.
#include "plugin/session.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

struct Power {
  const char* name; ///< as its lies begin
  const char* slot; ///< as errors call it
  Received (*use)(Liar& liar, std::size_t max_messages);
};

Received claim(Liar& liar, std::size_t max_messages) {
  return liar.session().claim_delayed(liar.subscription(), max_messages, 77, soon());
}

Received peek(Liar& liar, std::size_t max_messages) {
  return liar.session().peek(liar.queue(), max_messages, 77, soon());
}

class HandingOut : public testing::TestWithParam<Power> {
 protected:
  static Received use(Liar& liar, std::size_t max_messages = 2) {
    return GetParam().use(liar, max_messages);
  }
  static std::string lie(const std::string& which) {
    return std::string(GetParam().name) + "_" + which;
  }
};

INSTANTIATE_TEST_SUITE_P(Powers, HandingOut,
                         testing::Values(Power{"claim", "claim_delayed", &claim},
                                         Power{"peek", "peek", &peek}),
                         [](const auto& given) { return std::string(given.param.name); });

TEST_P(HandingOut, GivesABatchAndSaysWhatItMayHold) {
  Liar liar("");
  const Received received = use(liar);
  ASSERT_FALSE(received.error) << received.error.message();
  ASSERT_NE(received.batch, nullptr);
  EXPECT_EQ(received.batch->count, 2U);
  EXPECT_FALSE(received.interrupted);
  EXPECT_FALSE(received.session_dead);
  EXPECT_EQ(liar.sink().lines_with(std::string(GetParam().name) + " 2 of 77 bytes"), 1U);
}

TEST_P(HandingOut, AsksForNoMoreThanThePluginsLimit) {
  Liar liar("limits");
  use(liar, 1000);
  EXPECT_EQ(liar.sink().lines_with(std::string(GetParam().name) + " 2 of"), 1U);
}

TEST(Claim, SaysWhetherItCan) {
  EXPECT_TRUE(Liar("").session().can_claim_delayed());
  EXPECT_FALSE(Liar("claim_absent").session().can_claim_delayed());
}

TEST_P(HandingOut, NoneIsNoError) {
  Liar liar("nothing");
  const Received received = use(liar);
  EXPECT_FALSE(received.error);
  EXPECT_EQ(received.batch, nullptr);
}

TEST_P(HandingOut, APluginWithoutItIsNotSupported) {
  Liar liar(lie("absent"));
  const Received received = use(liar);
  EXPECT_EQ(received.error.code(), Errc::not_supported);
  EXPECT_THAT(received.error.message(), HasSubstr("lying: "));
  EXPECT_FALSE(received.session_dead);
}

TEST_P(HandingOut, TheTableIsChecked) {
  for (const char* how : {"small", "hollow", "misaligned"}) {
    Liar liar(lie(how));
    const Received received = use(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << how;
    EXPECT_THAT(received.error.message(), HasSubstr("not aligned, too small, or lacks")) << how;
    EXPECT_EQ(received.batch, nullptr) << how;
  }
}

TEST_P(HandingOut, AFailureIsPassedOn) {
  Liar liar("exchange_fails");
  const Received received = use(liar);
  EXPECT_EQ(received.error.code(), Errc::unavailable);
  EXPECT_TRUE(received.error.retryable());
  EXPECT_THAT(received.error.message(), HasSubstr(std::string("lying: ") + GetParam().slot + ": "));
  EXPECT_FALSE(received.session_dead);
}

TEST_P(HandingOut, ABrokenBatchIsNamedReleasedAndEndsTheSession) {
  for (const char* lie : {"count_3", "count_0", "message_null", "receipt_49", "delivery_count_0"}) {
    Liar liar(lie);
    const Received received = use(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << lie;
    EXPECT_THAT(received.error.message(),
                HasSubstr(std::string("lying: ") + GetParam().slot + ": the plugin broke the ABI"));
    EXPECT_EQ(received.batch, nullptr) << lie;
    EXPECT_TRUE(received.session_dead) << lie;
    EXPECT_EQ(liar.sink().lines_with("released"), 1U) << lie;
  }
}

TEST_P(HandingOut, ABatchThatCannotBeReleasedIsNotTouched) {
  for (const char* lie :
       {"batch_small", "batch_without_release", "batch_odd", "batch_on_failure"}) {
    Liar liar(lie);
    const Received received = use(liar);
    EXPECT_EQ(received.error.code(), Errc::internal) << lie;
    EXPECT_EQ(received.batch, nullptr) << lie;
    EXPECT_TRUE(received.session_dead) << lie;
    EXPECT_EQ(liar.sink().lines_with("released"), 0U) << lie;
  }
}

} // namespace
} // namespace swapmq::plugin
