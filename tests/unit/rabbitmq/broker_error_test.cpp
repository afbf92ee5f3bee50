// SPDX-License-Identifier: MIT
//
// What is made of the broker's words when it ends a channel or a connection.
#include "broker_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kInequivalent =
    "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received "
    "none but current is the value '10' of type 'long'";
constexpr const char* kTooLarge =
    "PRECONDITION_FAILED - message size 134217729 is larger than configured max size 134217728";

network::Endpoint endpoint() {
  network::Endpoint made;
  made.host = "h";
  made.port = 5672;
  return made;
}

ChannelClosed closed(uint16_t code, const std::string& text) {
  return {endpoint(), {code, text, AMQP_QUEUE_DECLARE_METHOD}};
}

struct Case {
  uint16_t code;
  const char* text;
  swapmq_status status;
  bool retryable;
  const char* hint;
};

TEST(ChannelClosed, IsTheStatusThatItsCodeMeans) {
  const std::vector<Case> all{
      {AMQP_ACCESS_REFUSED, "x", SWAPMQ_ACCESS_DENIED, false, "permission"},
      {AMQP_NOT_FOUND, "x", SWAPMQ_NOT_FOUND, true, ""},
      {AMQP_RESOURCE_LOCKED, "x", SWAPMQ_CONFLICT, false, "another connection"},
      {AMQP_PRECONDITION_FAILED, kTooLarge, SWAPMQ_TOO_LARGE, false, "max_message_size"},
      {AMQP_PRECONDITION_FAILED, kInequivalent, SWAPMQ_CONFLICT, false, "other arguments"},
      {AMQP_PRECONDITION_FAILED, "unknown delivery tag 5", SWAPMQ_UNAVAILABLE, true, ""},
      {AMQP_RESOURCE_ERROR, "x", SWAPMQ_RESOURCE_EXHAUSTED, true, ""},
      {AMQP_NOT_IMPLEMENTED, "x", SWAPMQ_NOT_SUPPORTED, false, ""},
      {AMQP_INTERNAL_ERROR, "x", SWAPMQ_UNAVAILABLE, true, ""},
      {0, "", SWAPMQ_UNAVAILABLE, true, ""},
      // Those texts mean nothing with another code.
      {AMQP_NOT_FOUND, kTooLarge, SWAPMQ_NOT_FOUND, true, ""},
      {AMQP_NOT_FOUND, kInequivalent, SWAPMQ_NOT_FOUND, true, ""}};
  for (const Case& one : all) {
    const ChannelClosed failure = closed(one.code, one.text);
    EXPECT_EQ(failure.status(), one.status) << one.code << one.text;
    EXPECT_EQ(failure.flags(), one.retryable ? uint32_t{SWAPMQ_ERROR_RETRYABLE} : 0U) << one.text;
    EXPECT_THAT(failure.what(), StartsWith("RabbitMQ at " + endpoint().text() + ": " + one.text));
    EXPECT_THAT(failure.what(), HasSubstr(one.hint));
    EXPECT_EQ(failure.closing().code, one.code);
    EXPECT_EQ(failure.closing().text, one.text);
  }
}

TEST(ConnectionClosed, SaysWhereAndWhy) {
  const network::ConnectionLost lost =
      connection_closed(endpoint(), {320, "CONNECTION_FORCED - shutdown", 0});
  EXPECT_EQ(lost.status(), SWAPMQ_UNAVAILABLE);
  EXPECT_EQ(lost.flags(), uint32_t{SWAPMQ_ERROR_RETRYABLE});
  EXPECT_THAT(lost.what(), HasSubstr(endpoint().text()));
  EXPECT_THAT(lost.what(), HasSubstr("CONNECTION_FORCED - shutdown"));
}

TEST(OneLine, HoldsNoControlsAndHasAnEnd) {
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line("a\r\nb\tc\x7f\x1b[31m"), "a  b c  [31m");
  EXPECT_EQ(one_line(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(one_line("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(one_line(std::string(400, 'x')), std::string(400, 'x'));
  EXPECT_EQ(one_line(std::string(5000, 'x')), std::string(400, 'x'));
}

TEST(InequivalentArgument, IsTheNameInQuotes) {
  EXPECT_EQ(inequivalent_argument(kInequivalent), "x-max-length");
  EXPECT_EQ(inequivalent_argument("inequivalent arg 'durable' for queue"), "durable");
  EXPECT_EQ(inequivalent_argument("inequivalent arg ''"), "");
  EXPECT_EQ(inequivalent_argument("inequivalent arg 'x"), "");
  EXPECT_EQ(inequivalent_argument("inequivalent arg "), "");
  EXPECT_EQ(inequivalent_argument(kTooLarge), "");
  EXPECT_EQ(inequivalent_argument(""), "");
}

TEST(ConfiguredMaxSize, IsTheSecondNumber) {
  EXPECT_EQ(configured_max_size(kTooLarge), 134217728U);
  EXPECT_EQ(configured_max_size("configured max size 18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(configured_max_size("configured max size 18446744073709551616"), 0U);
  EXPECT_EQ(configured_max_size("configured max size "), 0U);
  EXPECT_EQ(configured_max_size("configured max size x"), 0U);
  EXPECT_EQ(configured_max_size("configured max size -1"), 0U);
  EXPECT_EQ(configured_max_size(kInequivalent), 0U);
  EXPECT_EQ(configured_max_size(""), 0U);
}

TEST(Closing, IsReadOfChannelsAndConnectionsAlike) {
  amqp_channel_close_t close{};
  close.reply_code = 406;
  close.reply_text = amqp_bytes("bad\nnews");
  close.class_id = 50;
  close.method_id = 10;
  const Closing of_channel = closing_of(method_frame(AMQP_CHANNEL_CLOSE_METHOD, close).frame());
  EXPECT_EQ(of_channel.code, 406);
  EXPECT_EQ(of_channel.text, "bad news");
  EXPECT_EQ(of_channel.about, uint32_t{AMQP_QUEUE_DECLARE_METHOD});
  const amqp_connection_close_t whole{320, amqp_bytes("gone"), 0, 0};
  const Closing of_connection =
      closing_of(method_frame(AMQP_CONNECTION_CLOSE_METHOD, whole, 0).frame());
  EXPECT_EQ(of_connection.code, 320);
  EXPECT_EQ(of_connection.text, "gone");
  EXPECT_EQ(of_connection.about, 0U);
}

TEST(Closing, ThatIsCutEndsTheConnection) {
  amqp_channel_close_t close{};
  close.reply_text = amqp_bytes("text");
  const OwnedFrame whole = method_frame(AMQP_CHANNEL_CLOSE_METHOD, close);
  for (std::size_t size = 0; size < whole.payload.size(); ++size) {
    const OwnedFrame cut{kMethodFrame, 1, whole.payload.substr(0, size)};
    EXPECT_THROW(closing_of(cut.frame()), network::ConnectionLost) << size;
  }
  EXPECT_THROW(closing_of({kBodyFrame, 1, whole.payload}), network::ConnectionLost);
}

} // namespace
} // namespace swapmq::rabbitmq
