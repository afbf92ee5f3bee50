// SPDX-License-Identifier: MIT
#include <array>

#include "plugin/session.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

constexpr auto kConfirmed = SWAPMQ_PUBLISH_CONFIRMED;
constexpr auto kFailed = SWAPMQ_PUBLISH_FAILED;
constexpr auto kInDoubt = SWAPMQ_PUBLISH_IN_DOUBT;

swapmq_bytes view(std::string_view text) { return {text.data(), text.size()}; }

std::vector<swapmq_message> messages(std::size_t count) {
  swapmq_message message{};
  message.id = view("id");
  message.body = view("body");
  return std::vector<swapmq_message>(count, message);
}

struct Published {
  Error error;
  std::vector<int> outcomes;
  std::vector<swapmq_publish_result> results;
};

Published publish(Liar& liar, const std::vector<swapmq_message>& given) {
  Published published;
  published.results.resize(given.size());
  published.error = liar.session().publish(liar.queue(), given, published.results, soon());
  for (const auto& result : published.results) {
    published.outcomes.push_back(result.outcome);
    EXPECT_EQ(result.status == SWAPMQ_OK, result.outcome == kConfirmed);
    EXPECT_GE(result.status, 0);
    EXPECT_LT(result.status, SWAPMQ_STATUS_COUNT);
    EXPECT_EQ(result.flags & ~SWAPMQ_ERROR_RETRYABLE, 0U);
    EXPECT_EQ(result.reserved, 0U);
  }
  return published;
}

TEST(Publish, EveryMessageIsConfirmed) {
  Liar liar("");
  const auto published = publish(liar, messages(3));
  EXPECT_FALSE(published.error);
  EXPECT_THAT(published.outcomes, ElementsAre(kConfirmed, kConfirmed, kConfirmed));
  EXPECT_FALSE(publish(liar, {}).error);
  EXPECT_EQ(liar.sink().lines_with("publish "), 1U) << "nothing is not published";
}

TEST(Publish, EachMessageNeedsAResult) {
  Liar liar("");
  std::array<swapmq_publish_result, 1> results{};
  const auto two = messages(2);
  const Error error = liar.session().publish(liar.queue(), two, results, soon());
  EXPECT_EQ(error.code(), Errc::invalid_argument);
  EXPECT_EQ(results[0].outcome, kFailed);
}

struct Broken {
  const char* lie;
  std::int32_t second; ///< outcome of the second of three messages
  swapmq_status status;
};

class PublishBreach : public ::testing::TestWithParam<Broken> {};

TEST_P(PublishBreach, IsNamedAndTheMessageIsNotCalledConfirmed) {
  Liar liar(GetParam().lie);
  const auto published = publish(liar, messages(3));
  EXPECT_EQ(published.error.code(), Errc::internal);
  EXPECT_THAT(published.error.message(), HasSubstr("lying: publish: the plugin broke the ABI"));
  EXPECT_THAT(published.outcomes, ElementsAre(kConfirmed, GetParam().second, kConfirmed));
  EXPECT_EQ(published.results[1].status, GetParam().status);
  EXPECT_EQ(liar.sink().lines_with("broke the ABI"), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Lies, PublishBreach,
    ::testing::Values(Broken{"one_left_out", kInDoubt, SWAPMQ_INTERNAL},
                      Broken{"outcome_unknown", kInDoubt, SWAPMQ_INTERNAL},
                      Broken{"failed_without_reason", kFailed, SWAPMQ_INTERNAL},
                      Broken{"failed_status_77", kFailed, SWAPMQ_INTERNAL},
                      Broken{"in_doubt_without_reason", kInDoubt, SWAPMQ_INTERNAL}),
    [](const auto& given) { return std::string(given.param.lie); });

TEST(Publish, AReasonBesideAConfirmIsDropped) {
  Liar liar("confirmed_with_status");
  EXPECT_FALSE(publish(liar, messages(1)).error);
}

TEST(Publish, UnknownFlagsAreDropped) {
  Liar liar("flags_unknown");
  const auto published = publish(liar, messages(1));
  EXPECT_EQ(published.results[0].flags, SWAPMQ_ERROR_RETRYABLE);
  EXPECT_THAT(published.outcomes, ElementsAre(kFailed));
}

TEST(Publish, AfterAFailureWhatWasAnsweredStandsAndTheRestIsFailed) {
  Liar liar("breaks_half_way"); // calls of at most four messages
  const auto published = publish(liar, messages(6));
  EXPECT_EQ(published.error.code(), Errc::unavailable);
  EXPECT_TRUE(published.error.retryable());
  EXPECT_THAT(published.outcomes,
              ElementsAre(kConfirmed, kInDoubt, kFailed, kFailed, kFailed, kFailed));
  for (std::size_t i = 2; i < 6; ++i) {
    EXPECT_EQ(published.results[i].status, SWAPMQ_UNAVAILABLE);
    EXPECT_EQ(published.results[i].flags, SWAPMQ_ERROR_RETRYABLE);
  }
  EXPECT_EQ(liar.sink().lines_with("publish 4"), 1U);
  EXPECT_EQ(liar.sink().lines_with("publish 2"), 0U) << "later messages do not overtake";
}

TEST(Publish, BehindAMessageThatIsTriedAgainTheNextCallWaits) {
  Liar liar("refuses_for_now"); // the second message, in calls of at most four
  const auto published = publish(liar, messages(6));
  EXPECT_FALSE(published.error);
  EXPECT_THAT(published.outcomes,
              ElementsAre(kConfirmed, kFailed, kConfirmed, kConfirmed, kFailed, kFailed));
  for (const std::size_t i : {1U, 4U, 5U}) {
    EXPECT_EQ(published.results[i].flags, SWAPMQ_ERROR_RETRYABLE) << i;
  }
  EXPECT_EQ(liar.sink().lines_with("publish 2"), 0U) << "later messages do not overtake";
}

TEST(Publish, AfterAStatusThatNobodyKnowsNothingIsCertain) {
  Liar liar("publish_status_99");
  const auto published = publish(liar, messages(2));
  EXPECT_EQ(published.error.code(), Errc::internal);
  EXPECT_THAT(published.outcomes, ElementsAre(kConfirmed, kInDoubt));
}

TEST(Publish, SplitsByTheLimitOfABatch) {
  Liar liar("limits");
  const auto published = publish(liar, messages(7));
  EXPECT_THAT(published.outcomes, ::testing::Each(kConfirmed));
  EXPECT_THAT(liar.sink().lines(),
              ElementsAre("queue opened", "publish 3", "publish 3", "publish 1"));
}

TEST(Publish, OnlyTheMessagesBeyondALimitFail) {
  Liar liar("limits"); // bodies of 10 bytes, 2 headers, 8 bytes of headers
  const std::array<swapmq_header, 3> headers = {
      {{view("a"), view("123")}, {view("b"), view("123")}, {view("c"), view("")}}};
  const std::array<swapmq_header, 1> wide = {{{view("abc"), view("123456")}}};
  auto given = messages(8);
  given[1].body = view("12345678901");
  given[2].body = view("1234567890");
  given[3].headers = headers.data();
  given[3].header_count = 3;
  given[3].header_size = sizeof(swapmq_header);
  given[4] = given[3];
  given[4].header_count = 2;
  given[5] = given[3];
  given[5].headers = wide.data();
  given[5].header_count = 1;
  given[7].body.size = UINT64_MAX;
  const auto published = publish(liar, given);
  EXPECT_EQ(published.error.code(), Errc::too_large);
  EXPECT_EQ(published.error.message(), "the body has 11 bytes; the backend takes at most 10");
  EXPECT_THAT(published.outcomes, ElementsAre(kConfirmed, kFailed, kConfirmed, kFailed, kConfirmed,
                                              kFailed, kConfirmed, kFailed));
  for (const std::size_t i : {1U, 3U, 5U, 7U}) {
    EXPECT_EQ(published.results[i].status, SWAPMQ_TOO_LARGE) << i;
  }
  EXPECT_EQ(liar.sink().lines_with("publish 1"), 4U);
}

} // namespace
} // namespace swapmq::plugin
