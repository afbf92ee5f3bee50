// SPDX-License-Identifier: MIT
//
// What the parts should do at the edges of what others may send or ask for.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "broker_error.hpp"
#include "header_names.hpp"
#include "queue_names.hpp"
#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::view;

/// Whether a queue of that name at the broker is listed by a name that nobody can open it by.
bool is_listed_in_vain(const std::string& at_broker) {
  const std::optional<std::string> name = name_from_broker(at_broker, "");
  if (!name) return false;
  try {
    return name_at_broker(*name, "") != at_broker;
  } catch (const backend::Failure&) {
    return true;
  }
}

TEST(QueueNames, ThatCouldNotBeOpenedAreNotListed) {
  EXPECT_FALSE(is_listed_in_vain("a%00b"));
  EXPECT_FALSE(is_listed_in_vain(std::string(kMaxQueueName + 1, 'q')));
  EXPECT_FALSE(is_listed_in_vain(std::string(255, 'q')));
  EXPECT_FALSE(is_listed_in_vain(std::string(40, 'q') + std::string(62 * 3, '%')));
}

TEST(MessageDecoder, AHeaderOfOursThatIsNoTextSaysSo) {
  for (const std::string_view name :
       {kOrderingKeyHeader, kCorrelationIdHeader, kReplyToHeader, kContentTypeHeader}) {
    Table table;
    const Read read = read_header(content_header(table.number(name, 5)));
    EXPECT_FALSE(read.good()) << name;
    EXPECT_NE(read.header(SWAPMQ_UNDECODABLE_HEADER), "(none)") << name;
  }
}

TEST(MessageDecoder, AHeaderOfOursThatIsNoTextLeavesTheProperty) {
  Table table;
  table.number(kCorrelationIdHeader, 5);
  Output properties;
  properties.raw(table.bytes()).short_string("property");
  const Read read = read_header(
      content_header(AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG, properties.bytes()));
  EXPECT_EQ(view(read.message().correlation_id), "property");
}

/// A content header as long as a frame, with arrays in arrays.
std::string deepest_header() {
  constexpr uint32_t kLevels = 26000;
  Output arrays;
  for (uint32_t level = kLevels; level > 0; --level) arrays.u8('A').u32((level - 1) * 5 + 1);
  arrays.u8('V');
  Table table;
  table.field("deep", 'A', std::string_view(arrays.bytes()).substr(1));
  return content_header(table);
}

void* decode_deepest(void* /*unused*/) {
  read_header(deepest_header());
  return nullptr;
}

TEST(MessageDecoderDeathTest, DeepNestingNeedsNoDeepStack) {
  const auto decode_on_a_small_stack = [] {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1024 * 1024);
    pthread_t thread{};
    const bool started = pthread_create(&thread, &attributes, decode_deepest, nullptr) == 0;
    if (started) pthread_join(thread, nullptr);
    _exit(started ? 0 : 1);
  };
  EXPECT_EXIT(decode_on_a_small_stack(), testing::ExitedWithCode(0), "");
}

bool fits(const Sample& sample, const Returned& returned, bool moved_later) {
  Output out;
  return append_message(out, {"", 1, moved_later}, sample.message, returned,
                        FrameReader::kMaxFrame);
}

TEST(MessageEncoder, WhatIsWithinItsLimitsMayBeReturnedLater) {
  Sample sample;
  for (uint32_t i = 0; i < kMaxHeaderCount; ++i) {
    std::string name = std::to_string(i);
    name.resize(kMaxHeadersBytes / kMaxHeaderCount, '-');
    sample.add_header(name, "");
  }
  EXPECT_TRUE(fits(sample, {}, false));
  EXPECT_TRUE(fits(sample, {1, INT64_MAX}, true));
}

TEST(ChannelClosed, IsNotMisledByTheNameOfAQueue) {
  const network::Endpoint endpoint{};
  const ChannelClosed closed(
      endpoint, {AMQP_PRECONDITION_FAILED,
                 "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'configured max "
                 "size 1' in vhost '/'",
                 AMQP_QUEUE_DECLARE_METHOD});
  EXPECT_EQ(closed.status(), SWAPMQ_CONFLICT);
}

} // namespace
} // namespace swapmq::rabbitmq
