// SPDX-License-Identifier: MIT
//
// What is sent of a message, as librabbitmq reads it.
#include "message_encoder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::bytes;

/// The table of a content header; numbers in decimal.
std::multimap<std::string, std::string> table_of(const amqp_basic_properties_t& properties) {
  std::multimap<std::string, std::string> all;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const amqp_table_entry_t& entry = properties.headers.entries[i];
    const bool is_number = entry.value.kind == AMQP_FIELD_KIND_I64;
    EXPECT_TRUE(is_number || entry.value.kind == AMQP_FIELD_KIND_UTF8);
    all.emplace(view(entry.key), is_number ? std::to_string(entry.value.value.i64)
                                           : std::string(view(entry.value.value.bytes)));
  }
  return all;
}

std::string expiration_of(const Sample& sample, bool moved_later = false) {
  Pool pool;
  const auto frames = sent(sample.message, {}, moved_later);
  const amqp_basic_properties_t* properties = pool.properties(frames.at(1).payload);
  if ((properties->_flags & AMQP_BASIC_EXPIRATION_FLAG) == 0) return "(none)";
  return std::string(view(properties->expiration));
}

TEST(PublishFrame, SaysWhereTo) {
  for (const std::string& queue : {std::string("q"), std::string(255, 'q')}) {
    const OwnedFrame frame = frames_of(publish_frame(7, queue)).at(0);
    EXPECT_EQ(frame.channel, 7);
    EXPECT_EQ(frame.type, kMethodFrame);
    ASSERT_EQ(frame.frame().method(), uint32_t{AMQP_BASIC_PUBLISH_METHOD});
    Pool pool;
    const auto& fields = pool.fields<amqp_basic_publish_t>(frame);
    EXPECT_EQ(view(fields.exchange), "");
    EXPECT_EQ(view(fields.routing_key), queue);
    EXPECT_NE(fields.mandatory, 0);
    EXPECT_EQ(fields.immediate, 0);
  }
}

TEST(MessageEncoder, ALeastMessageHasFewProperties) {
  Sample sample;
  const auto frames = sent(sample.message);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].type, kMethodFrame);
  EXPECT_EQ(frames[1].type, kHeaderFrame);
  Pool pool;
  const amqp_basic_properties_t* properties = pool.properties(frames[1].payload);
  ASSERT_NE(properties, nullptr);
  EXPECT_EQ(properties->_flags,
            amqp_flags_t{AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                         AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG});
  EXPECT_EQ(properties->delivery_mode, 2);
  EXPECT_EQ(view(properties->message_id), "id");
  EXPECT_EQ(properties->timestamp, 1700000000U);
  const std::multimap<std::string, std::string> expected{
      {"x-swapmq-timestamp-ms", "1700000000123"}};
  EXPECT_EQ(table_of(*properties), expected);
}

TEST(MessageEncoder, TheLibraryReadsAllThatIsWritten) {
  Sample sample;
  swapmq_message& message = sample.message;
  message.first_published_ms = 11;
  message.due_at_ms = 12;
  message.expires_at_ms = 13;
  message.priority = 9;
  message.delivery_count = 4294967295;
  message.ordering_key = bytes("key");
  message.correlation_id = bytes("correlation");
  message.reply_to = bytes("reply");
  message.content_type = bytes("text/plain");
  sample.add_header("a", "1");
  sample.add_header("CC", "2");
  const auto frames = sent(message, {3, 14});
  Pool pool;
  const amqp_basic_properties_t* properties = pool.properties(frames.at(1).payload);
  ASSERT_NE(properties, nullptr);
  EXPECT_EQ(properties->priority, 9);
  EXPECT_EQ(view(properties->correlation_id), "correlation");
  EXPECT_EQ(view(properties->reply_to), "reply");
  EXPECT_EQ(view(properties->content_type), "text/plain");
  EXPECT_EQ(view(properties->expiration), "0");
  EXPECT_EQ(view(properties->message_id), "id");
  EXPECT_EQ(properties->timestamp, 1700000000U);
  const std::multimap<std::string, std::string> expected{
      {"a", "1"},
      {"x-swapmq-delivery-count", "4294967295"},
      {"x-swapmq-due-at-ms", "12"},
      {"x-swapmq-expires-at-ms", "13"},
      {"x-swapmq-first-published-ms", "11"},
      {"x-swapmq-header-1",
       "\x02"
       "CC2"},
      {"x-swapmq-nacks", "3"},
      {"x-swapmq-not-before-ms", "14"},
      {"x-swapmq-ordering-key", "key"},
      {"x-swapmq-timestamp-ms", "1700000000123"}};
  EXPECT_EQ(table_of(*properties), expected);
}

TEST(MessageEncoder, WhatAPropertyHasNoRoomForIsAHeader) {
  for (const std::size_t size : {std::size_t{255}, std::size_t{256}, std::size_t{5000}}) {
    Sample sample;
    sample.message.correlation_id = sample.text(std::string(size, 'c'));
    sample.message.reply_to = sample.text(std::string(size, 'r'));
    sample.message.content_type = sample.text(std::string(size, 't'));
    const auto frames = sent(sample.message);
    Pool pool;
    const amqp_basic_properties_t* properties = pool.properties(frames.at(1).payload);
    ASSERT_NE(properties, nullptr);
    constexpr amqp_flags_t kThree =
        AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
    EXPECT_EQ(properties->_flags & kThree, size <= 255 ? kThree : 0);
    EXPECT_EQ(table_of(*properties).size(), size <= 255 ? 1U : 4U);
  }
}

TEST(MessageEncoder, ATimeBefore1970IsNone) {
  Sample sample;
  sample.message.timestamp_ms = -5;
  Pool pool;
  const auto frames = sent(sample.message);
  EXPECT_EQ(pool.properties(frames.at(1).payload)->timestamp, 0U);
  EXPECT_EQ(read_header(frames.at(1).payload).message().timestamp_ms, -5);
}

TEST(MessageEncoder, ABodyIsCutWhereAFrameEnds) {
  for (const std::size_t frame_max : {std::size_t{4096}, FrameReader::kMaxFrame}) {
    const std::size_t most = frame_max - kFrameOverhead;
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, most - 1, most, most + 1, 2 * most, 2 * most + 1}) {
      std::string body(size, '\0');
      for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i % 251);
      Sample sample;
      sample.message.body = bytes(body);
      const auto frames = sent(sample.message, {}, false, frame_max);
      ASSERT_EQ(frames.size(), 2 + (size + most - 1) / most) << size;
      EXPECT_EQ(body_size_of(frames[1].payload), size);
      std::string whole;
      for (std::size_t i = 2; i < frames.size(); ++i) {
        EXPECT_EQ(frames[i].type, kBodyFrame);
        EXPECT_EQ(frames[i].channel, 1);
        EXPECT_LE(frames[i].payload.size(), most);
        whole += frames[i].payload;
      }
      EXPECT_TRUE(whole == body) << size;
    }
  }
}

TEST(MessageEncoder, AHeaderThatDoesNotFitIntoAFrameLeavesNothing) {
  constexpr std::size_t kFrameMax = 4096;
  const std::string publish = publish_frame(1, "queue");
  std::size_t fitted = 0;
  std::size_t refused = 0;
  for (std::size_t size = 3900; size < 4100; ++size) {
    Sample sample;
    sample.message.body = bytes("body");
    sample.add_header("name", std::string(size, 'v'));
    Output out;
    out.raw("before");
    const bool fits = append_message(out, {publish, 1, false}, sample.message, {}, kFrameMax);
    if (fits) {
      const auto frames = frames_of(std::string_view(out.bytes()).substr(6));
      ASSERT_EQ(frames.size(), 3U);
      fitted = frames[1].payload.size();
      EXPECT_EQ(refused, 0U);
      EXPECT_EQ(read_header(frames[1].payload).header("name").size(), size);
    } else {
      ++refused;
      EXPECT_EQ(out.bytes(), "before");
    }
  }
  EXPECT_EQ(fitted, kFrameMax - kFrameOverhead); // to the last byte
  EXPECT_GT(refused, 0U);
}

TEST(MessageEncoder, AnExpirationIsWhatIsLeft) {
  Sample sample;
  EXPECT_EQ(expiration_of(sample), "(none)");
  const int64_t now_ms = backend::unix_now_ms();
  sample.message.expires_at_ms = now_ms + 60'000;
  const int64_t left = std::stoll(expiration_of(sample));
  EXPECT_LE(left, 60'000);
  EXPECT_GT(left, 30'000);
  for (const int64_t past : {now_ms, now_ms - 1, int64_t{1}, int64_t{-1}}) {
    sample.message.expires_at_ms = past;
    EXPECT_EQ(expiration_of(sample), "0");
  }
}

TEST(MessageEncoder, AnExpirationBeyondTheBrokersIsLeftToConsumers) {
  Sample sample;
  const auto most = static_cast<int64_t>(kMaxExpiration_ms);
  sample.message.expires_at_ms = backend::unix_now_ms() + most - 1000;
  EXPECT_LE(std::stoull(expiration_of(sample)), kMaxExpiration_ms);
  sample.message.expires_at_ms = backend::unix_now_ms() + most + 60'000;
  EXPECT_EQ(expiration_of(sample), "(none)");
  sample.message.expires_at_ms = INT64_MAX;
  EXPECT_EQ(expiration_of(sample), "(none)");
}

TEST(MessageEncoder, WhatWaitsInADelayQueueDoesNotExpireThere) {
  Sample sample;
  sample.message.expires_at_ms = backend::unix_now_ms() + 60'000;
  EXPECT_EQ(expiration_of(sample, true), "(none)");
  const auto frames = sent(sample.message, {}, true);
  EXPECT_EQ(read_header(frames.at(1).payload).message().expires_at_ms,
            sample.message.expires_at_ms);
}

TEST(DueMs, IsThatOfTheLastReturn) {
  swapmq_message message{};
  EXPECT_EQ(due_ms(message, {}), 0);
  message.due_at_ms = 5;
  EXPECT_EQ(due_ms(message, {}), 5);
  EXPECT_EQ(due_ms(message, {1, 0}), 5);
  EXPECT_EQ(due_ms(message, {1, 3}), 3);
}

} // namespace
} // namespace swapmq::rabbitmq
