// SPDX-License-Identifier: MIT
#include "commands/message_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swapmq::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

MessageLine parsed(std::string_view line) {
  Result<MessageLine> message = parse_message_line(line);
  EXPECT_TRUE(message) << message.error().message();
  return message ? *message : MessageLine();
}

std::string wrong(std::string_view line) {
  const Result<MessageLine> message = parse_message_line(line);
  EXPECT_FALSE(message) << "it was taken: " << line;
  return message ? std::string() : message.error().message();
}

TEST(MessageLine, EverythingThatAMessageHas) {
  const MessageLine message = parsed(
      R"({"id": "1", "body": "b\u0000\u00e4", "headers": [{"name": "n", "value": "v"}],
          "delay": "1.5s", "ttl_ms": 60000, "priority": 9, "ordering_key": "k",
          "correlation_id": "c", "reply_to": "r", "content_type": "t"})");
  EXPECT_EQ(message.id, "1");
  EXPECT_EQ(message.body, std::string("b\0\xc3\xa4", 4));
  EXPECT_THAT(message.headers, ElementsAre(Pair("n", "v")));
  EXPECT_EQ(message.delay, 1500ms);
  EXPECT_EQ(message.ttl, 60s);
  EXPECT_EQ(message.priority, 9u);
  EXPECT_EQ(message.ordering_key + message.correlation_id, "kc");
  EXPECT_EQ(message.reply_to + message.content_type, "rt");
}

TEST(MessageLine, ABodyIsEnough) {
  const MessageLine message = parsed(" {\"body\": \"\"}\r");
  EXPECT_EQ(message.body + message.id, "");
  EXPECT_FALSE(message.delay || message.ttl || message.priority);
}

TEST(MessageLine, AnyBytesAsBase64) {
  const MessageLine message = parsed(
      R"({"body_base64": "//79", "id_base64": "AP8=",
          "headers": [{"name_base64": "/w==", "value_base64": ""}, {"name": "a", "value": "b"}]})");
  EXPECT_EQ(message.body, "\xff\xfe\xfd");
  EXPECT_EQ(message.id, std::string("\0\xff", 2));
  EXPECT_THAT(message.headers, ElementsAre(Pair("\xff", ""), Pair("a", "b")));
}

TEST(MessageLine, HeadersAsAnObject) {
  EXPECT_THAT(parsed(R"({"body": "", "headers": {"b": "1", "a": "2"}})").headers,
              ElementsAre(Pair("b", "1"), Pair("a", "2")));
}

TEST(MessageLine, WhatADeliveryHasIsPassedOverAndNullIsNothing) {
  const MessageLine message = parsed(
      R"({"queue": "q", "body": "x", "timestamp_ms": 1, "delivery_count": 2, "redelivered": true,
          "priority": null, "delay": null})");
  EXPECT_EQ(message.body, "x");
  EXPECT_FALSE(message.priority || message.delay);
}

TEST(MessageLine, WhatIsWrongIsSaid) {
  EXPECT_THAT(wrong("{\"body\": \"a\""), HasSubstr("column 13: not JSON: "));
  EXPECT_THAT(wrong("{\"body\": \"a\"} x"), HasSubstr("column 15: not JSON: "));
  EXPECT_THAT(wrong("{\"body\": \"\xff\"}"), HasSubstr("not JSON: "));
  EXPECT_EQ(wrong("[1]"), "expected a JSON object, got a list");
  EXPECT_EQ(wrong("{}"), R"(has neither "body" nor "body_base64")");
  EXPECT_EQ(wrong(R"({"body": 7})"), R"("body": expected a string, got 7)");
  EXPECT_EQ(wrong(R"({"body": {"a": 1}})"), R"("body": expected a string, got an object)");
  EXPECT_EQ(wrong(R"({"body": "", "body_base64": ""})"), R"("body": is given twice)");
  EXPECT_EQ(wrong(R"({"body": "", "delay": "1s", "delay_ms": 1})"), R"("delay": is given twice)");
  EXPECT_EQ(wrong(R"({"body_base64": "a"})"),
            R"("body_base64": is not base64 (RFC 4648, with padding))");
  EXPECT_EQ(wrong(R"({"body": "", "delay": "soon"})"),
            R"("delay": expected a duration such as "500ms", "2s" or "1m", got the string "soon")");
  EXPECT_THAT(wrong(R"({"body": "", "delay": 5})"), HasSubstr("got 5"));
  EXPECT_THAT(wrong(R"({"body": "", "ttl_ms": -5})"), HasSubstr("got -5"));
  EXPECT_THAT(wrong(R"({"body": "", "ttl_ms": 4000000000000})"), HasSubstr("a hundred years"));
  EXPECT_EQ(wrong(R"({"body": "", "priority": 10})"),
            R"("priority": expected a number from 0 to 9, got 10)");
  EXPECT_EQ(wrong(R"({"bdoy": ""})"), R"(unknown key "bdoy"; did you mean "body"?)");
  EXPECT_EQ(wrong(R"({"body": "", "zzzzzz": ""})"), R"(unknown key "zzzzzz")");
  EXPECT_EQ(wrong(R"({"body": "", "id": ")" + std::string(256, 'x') + "\"}"),
            R"("id": is longer than 255 bytes)");
}

TEST(MessageLine, WhatIsWrongWithHeadersIsSaid) {
  EXPECT_EQ(wrong(R"({"body": "", "headers": "a"})"),
            R"("headers": expected a list or an object, got the string "a")");
  EXPECT_THAT(wrong(R"({"body": "", "headers": [1]})"), HasSubstr("expected objects such as"));
  EXPECT_THAT(wrong(R"({"body": "", "headers": {"a": 1}})"), HasSubstr("expected a string, got 1"));
  EXPECT_THAT(wrong(R"({"body": "", "headers": [{"nam": "a"}]})"),
              HasSubstr(R"(unknown key "nam" in a header)"));
  EXPECT_THAT(wrong(R"({"body": "", "headers": [{"value": "a"}]})"), HasSubstr("1 to 255 bytes"));
}

TEST(MessageLine, NestingIsNoMatter) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(wrong(deep), HasSubstr("not JSON"));
  EXPECT_THAT(wrong("{\"body\": " + deep), HasSubstr("not JSON"));
}

TEST(MessageLine, BlankLines) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \t\r"));
  EXPECT_FALSE(is_blank(" {"));
}

} // namespace
} // namespace swapmq::host
