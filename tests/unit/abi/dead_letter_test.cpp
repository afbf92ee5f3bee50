// SPDX-License-Identifier: MIT
//
// What the glue makes of a delivery that is dead-lettered.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::backend {
namespace {

TEST(DeadLetter, HeadersOfTheSettlementReplaceThoseOfTheirName) {
  const std::vector<swapmq_header> own{
      {bytes("a"), bytes("1")}, {bytes("b"), bytes("2")}, {bytes("a"), bytes("3")}};
  const std::vector<swapmq_header> added{{bytes("a"), bytes("4")}, {bytes("c"), bytes("5")}};
  swapmq_message message{};
  message.headers = own.data();
  message.header_count = 3;
  message.header_size = sizeof(swapmq_header);
  message.due_at_ms = message.expires_at_ms = 7;
  message.delivery_count = 8;
  message.timestamp_ms = 9;
  swapmq_delivery delivery{};
  delivery.message = &message;
  swapmq_settlement settlement{};
  settlement.delivery = &delivery;
  settlement.headers = added.data();
  settlement.header_count = 2;
  settlement.header_size = sizeof(swapmq_header);
  DeadLetter made(settlement);
  const DeadLetter moved(std::move(made)); // as a vector does that grows
  std::string all;
  const Headers headers = headers_of(moved.message());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    all += std::string(view(headers[i].name)) + std::string(view(headers[i].value));
  }
  EXPECT_EQ(all, "b2a4c5");
  EXPECT_EQ(moved.message().due_at_ms, 0);
  EXPECT_EQ(moved.message().expires_at_ms, 0);
  EXPECT_EQ(moved.message().delivery_count, 0U);
  EXPECT_EQ(moved.message().timestamp_ms, 9);
}

} // namespace
} // namespace swapmq::backend
