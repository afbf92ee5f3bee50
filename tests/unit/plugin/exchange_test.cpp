// SPDX-License-Identifier: MIT
#include <array>

#include "plugin/session.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

std::string_view text(const swapmq_bytes& bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

Received receive(Liar& liar, std::size_t max_messages = 2) {
  return liar.session().exchange(liar.subscription(), {}, {}, max_messages, 0, soon());
}

/// Three settlements of a delivery that the liar does not look at.
struct Settling {
  Settling() { settlements.fill({&delivery, SWAPMQ_SETTLE_ACK, 0, 0, nullptr, nullptr, 0, 0}); }
  Received run(Liar& liar, std::size_t max_messages = 0) {
    return liar.session().exchange(liar.subscription(), settlements, settled, max_messages, 0,
                                   soon());
  }
  swapmq_delivery delivery{};
  std::array<swapmq_settlement, 3> settlements{};
  std::array<swapmq_status, 3> settled{};
};

TEST(Exchange, ElementsOfALaterVersionAreReadByTheirStride) {
  Liar liar("");
  const Received received = receive(liar);
  ASSERT_FALSE(received.error) << received.error.message();
  ASSERT_NE(received.batch, nullptr);
  ASSERT_EQ(received.batch->count, 2U);
  EXPECT_EQ(text(delivery_at(*received.batch, 0).message->body), "body 0");
  EXPECT_EQ(text(delivery_at(*received.batch, 1).message->body), "body 1");
  EXPECT_FALSE(received.interrupted);
  EXPECT_FALSE(received.session_dead);
}

TEST(Exchange, ABatchIsReleasedOnceAlsoAfterItsSession) {
  Liar liar("");
  Received received = receive(liar);
  // The lying plugin keeps its host for the log of the release; a backend must be open for that.
  const auto sink = std::make_shared<RecordingSink>();
  liar.close();
  const auto other = open_liar("", sink).value();
  EXPECT_EQ(text(delivery_at(*received.batch, 1).message->id), "id-1");
  received.batch.reset();
  EXPECT_THAT(sink->lines(), ElementsAre("released"));
}

TEST(Exchange, NothingAndInterruptedAreNoErrors) {
  for (const bool interrupted : {false, true}) {
    Liar liar(interrupted ? "interrupted" : "nothing");
    const Received received = receive(liar);
    EXPECT_FALSE(received.error);
    EXPECT_EQ(received.interrupted, interrupted);
    EXPECT_EQ(received.batch, nullptr);
  }
}

TEST(Exchange, AsksForNoMoreThanThePluginsLimit) {
  Liar liar("limits");
  receive(liar, 1000);
  EXPECT_EQ(liar.sink().lines_with("exchange 2"), 1U);
}

// ---- batches that break a rule
// -------------------------------------------------------------------

struct Broken {
  const char* lie;
  const char* rule;
};

class BatchBreach : public ::testing::TestWithParam<Broken> {};

TEST_P(BatchBreach, IsNamedReleasedAndEndsTheSession) {
  Liar liar(GetParam().lie);
  const Received received = receive(liar);
  EXPECT_EQ(received.error.code(), Errc::internal);
  EXPECT_THAT(
      received.error.message(),
      AllOf(HasSubstr("lying: exchange: the plugin broke the ABI"), HasSubstr(GetParam().rule)));
  EXPECT_EQ(received.batch, nullptr);
  EXPECT_TRUE(received.session_dead) << "only then do the deliveries come back";
  EXPECT_EQ(liar.sink().lines_with("released"), 1U);
  EXPECT_EQ(liar.sink().lines_with("broke the ABI"), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Lies, BatchBreach,
    ::testing::Values(
        Broken{"count_0", "count is 0, asked were 1 to 2"},
        Broken{"count_3", "count is 3, asked were 1 to 2"},
        Broken{"count_huge", "count is 18446744073709551615"},
        Broken{"deliveries_null", "deliveries is NULL"},
        Broken{"deliveries_odd", "deliveries is NULL or not aligned"},
        Broken{"delivery_size_0", "delivery_size of 0"},
        Broken{"delivery_size_odd", "is not a stride of deliveries"},
        Broken{"message_size_8", "message_size of 8"},
        Broken{"message_null", "delivery 1 of a batch: its message is NULL"},
        Broken{"message_odd", "delivery 1 of a batch: its message is NULL or not aligned"},
        Broken{"receipt_0", "delivery 1 of a batch: its receipt's size is not 1 to 48"},
        Broken{"receipt_49", "delivery 1 of a batch: its receipt's size is not 1 to 48"},
        Broken{"delivery_count_0", "delivery 1 of a batch: its delivery_count is 0"},
        Broken{"id_empty", "id is not 1 to 255 bytes"},
        Broken{"id_long", "id is not 1 to 255 bytes"},
        Broken{"id_null", "id is not 1 to 255 bytes"}, Broken{"body_null", "the body is NULL"},
        Broken{"body_huge", "the body is NULL or of an implausible size"},
        Broken{"property_null", "a property of the message is NULL"},
        Broken{"property_huge", "a property of the message is NULL or of an implausible size"},
        Broken{"priority_10", "priority is above 9"}, Broken{"headers_null", "headers is NULL"},
        Broken{"header_size_8", "header_size is not a stride"},
        Broken{"header_size_odd", "header_size is not a stride"},
        Broken{"header_count_huge", "header_count is implausible"},
        Broken{"header_name_empty", "a header's name is not 1 to 255 bytes"},
        Broken{"header_name_long", "a header's name is not 1 to 255 bytes"},
        Broken{"header_name_null", "a header's name is not 1 to 255 bytes"},
        Broken{"header_value_null", "a header's value is NULL"},
        Broken{"batch_though_interrupted", "returned INTERRUPTED and handed out a batch"}),
    [](const auto& given) { return std::string(given.param.lie); });

class Stillborn : public ::testing::TestWithParam<Broken> {};

TEST_P(Stillborn, ABatchThatCannotBeReleasedIsNotTouched) {
  Liar liar(GetParam().lie);
  const Received received = receive(liar);
  EXPECT_EQ(received.error.code(), Errc::internal);
  EXPECT_THAT(received.error.message(), HasSubstr(GetParam().rule));
  EXPECT_EQ(received.batch, nullptr);
  EXPECT_TRUE(received.session_dead);
  EXPECT_EQ(liar.sink().lines_with("released"), 0U);
}

INSTANTIATE_TEST_SUITE_P(Lies, Stillborn,
                         ::testing::Values(Broken{"batch_small", "too small"},
                                           Broken{"batch_without_release", "has no release"},
                                           Broken{"batch_odd", "not aligned"},
                                           Broken{"batch_on_failure", "failed and handed out"}),
                         [](const auto& given) { return std::string(given.param.lie); });

TEST(Exchange, DeliveriesThatNobodyAskedForAreABreach) {
  Liar liar("");
  Settling settling;
  const Received received = settling.run(liar);
  EXPECT_THAT(received.error.message(), HasSubstr("count is 2, asked were 1 to 0"));
}

// ---- settlements
// ---------------------------------------------------------------------------------

TEST(Exchange, EachSettlementHasItsResult) {
  Liar liar("settled_lost");
  Settling settling;
  settling.run(liar);
  EXPECT_THAT(settling.settled, ElementsAre(SWAPMQ_OK, SWAPMQ_LOST, SWAPMQ_OK));
}

TEST(Exchange, ASettlementMayPendWhereDeliveriesCame) {
  Liar liar("settled_later");
  Settling settling;
  const Received received = settling.run(liar, 2);
  EXPECT_FALSE(received.error) << received.error.message();
  EXPECT_THAT(settling.settled, ElementsAre(SWAPMQ_OK, SWAPMQ_STATUS_PENDING, SWAPMQ_OK));
}

TEST(Exchange, ResultsThatSayNothingAreInternal) {
  for (const char* lie : {"settled_88", "settled_not", "settled_later_alone"}) {
    Liar liar(lie);
    Settling settling;
    settling.run(liar);
    EXPECT_THAT(settling.settled, ElementsAre(SWAPMQ_OK, SWAPMQ_INTERNAL, SWAPMQ_OK)) << lie;
    EXPECT_GE(liar.sink().lines_with("lying: exchange: the plugin broke the ABI"), 1U);
  }
}

TEST(Exchange, AfterAFailureWhatWasNotTriedIsUntouched) {
  Liar liar("exchange_fails");
  Settling settling;
  const Received received = settling.run(liar);
  EXPECT_EQ(received.error.code(), Errc::unavailable);
  EXPECT_TRUE(received.error.retryable());
  EXPECT_FALSE(received.session_dead);
  EXPECT_THAT(settling.settled, ElementsAre(SWAPMQ_OK, SWAPMQ_STATUS_UNTOUCHED, SWAPMQ_OK));
}

TEST(Exchange, EachSettlementNeedsAResult) {
  Liar liar("");
  Settling settling;
  const Received received =
      liar.session().exchange(liar.subscription(), settling.settlements,
                              std::span(settling.settled).first(2), 0, 0, soon());
  EXPECT_EQ(received.error.code(), Errc::invalid_argument);
  EXPECT_EQ(liar.sink().lines_with("exchange "), 0U);
}

} // namespace
} // namespace swapmq::plugin
