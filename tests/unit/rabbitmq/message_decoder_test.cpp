// SPDX-License-Identifier: MIT
//
// Messages there and back, and what is made of those of others.
#include "message_decoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "header_names.hpp"
#include "network/failures.hpp"
#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::bytes;
using backend::view;
using Headers = std::vector<std::pair<std::string, std::string>>;

std::string header_of(const Sample& sample, const Returned& returned = {},
                      bool moved_later = false) {
  return sent(sample.message, returned, moved_later).at(1).payload;
}

TEST(MessageDecoder, ARandomMessageComesBackAsItWas) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const Sample sample(seed);
    const Returned returned{seed % 3 == 0 ? 0 : UINT32_MAX - seed, seed % 2 == 0 ? 0 : INT64_MAX};
    const std::string header = header_of(sample, returned);
    const Read back = read_header(header);
    EXPECT_TRUE(back.good());
    expect_same(sample.message, back.message());
    EXPECT_EQ(back.decoded.returned.nacks, returned.nacks);
    EXPECT_EQ(back.decoded.returned.not_before_ms, returned.not_before_ms);
    EXPECT_EQ(body_size_of(header), sample.message.body.size);
    EXPECT_EQ(message_id_of(header), view(sample.message.id));
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(MessageDecoder, ARandomMessageThatTheBrokerMovedComesBackAsItWas) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const Sample sample(seed);
    const Read back = read_header(moved(header_of(sample, {}, true)));
    EXPECT_TRUE(back.good());
    expect_same(sample.message, back.message());
    const Read unmoved = read_header(header_of(sample, {}, true));
    EXPECT_TRUE(unmoved.good());
    expect_same(sample.message, unmoved.message());
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(MessageDecoder, AnIdMayHoldAnyByte) {
  for (int byte = 0; byte < 256; ++byte) {
    Sample sample;
    sample.message.id = sample.text(std::string(1, static_cast<char>(byte)));
    const std::string header = header_of(sample);
    EXPECT_EQ(view(read_header(header).message().id), view(sample.message.id));
    EXPECT_EQ(message_id_of(header), view(sample.message.id));
  }
  Sample sample;
  sample.message.id = sample.text(std::string(255, '\xff'));
  EXPECT_EQ(view(read_header(header_of(sample)).message().id), view(sample.message.id));
}

TEST(MessageDecoder, HeadersMayBeNamedAsThoseOfTheBrokerAndOurs) {
  Sample sample;
  for (const char* name : {"CC",
                           "BCC",
                           "x-death",
                           "x-delay",
                           "x-delivery-count",
                           "x-acquired-count",
                           "x-received-from",
                           "x-first-death-queue",
                           "x-last-death-reason",
                           "x-swapmq-",
                           "x-swapmq-timestamp-ms",
                           "x-swapmq-nacks",
                           "x-swapmq-header-0",
                           "x-swapmq-header-order",
                           "x-swapmq-ordering-key",
                           "cc",
                           "x-deat",
                           "x-",
                           "content_encoding",
                           "swapmq-undecodable"}) {
    sample.add_header(name, std::string("value of ") + name);
  }
  sample.add_header("CC", "");
  for (const bool moved_later : {false, true}) {
    const std::string header = header_of(sample, {}, moved_later);
    const Read back = read_header(moved_later ? moved(header) : header);
    EXPECT_TRUE(back.good());
    expect_same(sample.message, back.message());
  }
}

TEST(MessageDecoder, TheBrokerSeesNoneOfItsOwnHeadersInOurs) {
  Sample sample;
  const std::vector<std::string> names{"CC",
                                       "BCC",
                                       "x-death",
                                       "x-delivery-count",
                                       "x-delay",
                                       "x-first-death-exchange",
                                       "x-acquired-count"};
  for (const std::string& name : names) sample.add_header(name, "value");
  Pool pool;
  const std::string header = header_of(sample);
  const amqp_basic_properties_t* properties = pool.properties(header);
  ASSERT_NE(properties, nullptr);
  for (int i = 0; i < properties->headers.num_entries; ++i) {
    EXPECT_FALSE(is_the_brokers(rabbitmq::view(properties->headers.entries[i].key)));
  }
}

TEST(MessageDecoder, KeepsTheOrderOfHeadersOfTheSameName) {
  Sample sample;
  for (const char* value : {"3", "1", "2"}) {
    sample.add_header("z", value);
    sample.add_header("a", value);
    sample.add_header("CC", value);
  }
  const Read back = read_header(moved(header_of(sample, {}, true)));
  expect_same(sample.message, back.message());
}

TEST(MessageDecoder, WithAnOrderThatIsNotOfItsHeadersTheyStayAsTheyAre) {
  const std::vector<std::string> orders{std::string("\x01"
                                                    "b"), // too few
                                        std::string("\x01"
                                                    "b\x01"
                                                    "b"), // twice the same
                                        std::string("\x01"
                                                    "b\x01"
                                                    "c"), // another one
                                        std::string("\x01"
                                                    "b\xff"
                                                    "ax"), // longer than it is
                                        std::string("\xff"),
                                        std::string(5, '\0'),
                                        std::string("ab")};
  for (const std::string& order : orders) {
    Table table;
    table.number(kTimestampHeader, 1).text("a", "1").text("b", "2").text(kHeaderOrderHeader, order);
    const Read read = read_header(content_header(table));
    EXPECT_TRUE(read.good());
    EXPECT_EQ(read.headers(), (Headers{{"a", "1"}, {"b", "2"}}));
  }
}

// ---- of others ----------------------------------------------------------------------------------

TEST(MessageDecoder, OfSomebodyElseNeedsNoProperties) {
  const std::string header = content_header(0, "", 77);
  const Read read = read_header(header);
  EXPECT_TRUE(read.good());
  EXPECT_EQ(read.message().id.size, 0U);
  EXPECT_EQ(read.message().header_count, 0U);
  EXPECT_EQ(read.message().headers, nullptr);
  EXPECT_EQ(read.message().timestamp_ms, 0);
  EXPECT_EQ(read.message().body.size, 0U); // it is for the caller to fill in
  EXPECT_EQ(body_size_of(header), 77U);
  EXPECT_EQ(message_id_of(header), "");
}

TEST(MessageDecoder, OfSomebodyElseShowsWhatHasNoFieldAsHeaders) {
  amqp_basic_properties_t properties{};
  properties._flags = 0xffff & ~1U & ~AMQP_BASIC_HEADERS_FLAG;
  properties.content_type = amqp_bytes("a/b");
  properties.content_encoding = amqp_bytes("gzip");
  properties.delivery_mode = 1;
  properties.priority = 200;
  properties.correlation_id = amqp_bytes("c");
  properties.reply_to = amqp_bytes("r");
  properties.expiration = amqp_bytes("5");
  properties.message_id = amqp_bytes("m");
  properties.timestamp = 1700000000;
  properties.type = amqp_bytes("t");
  properties.user_id = amqp_bytes("u");
  properties.app_id = amqp_bytes("app");
  properties.cluster_id = amqp_bytes("cl");
  std::string encoded(1000, '\0');
  const int size = amqp_encode_properties(AMQP_BASIC_CLASS, &properties,
                                          amqp_bytes_t{encoded.size(), encoded.data()});
  ASSERT_GT(size, 0);
  encoded.resize(static_cast<std::size_t>(size));
  const Read read = read_header(std::string("\0\x3c\0\0\0\0\0\0\0\0\0\0", 12) + encoded);
  EXPECT_TRUE(read.good());
  EXPECT_EQ(view(read.message().id), "m");
  EXPECT_EQ(view(read.message().content_type), "a/b");
  EXPECT_EQ(view(read.message().correlation_id), "c");
  EXPECT_EQ(view(read.message().reply_to), "r");
  EXPECT_EQ(read.message().priority, 9U);
  EXPECT_EQ(read.message().timestamp_ms, 1700000000000);
  EXPECT_EQ(read.message().expires_at_ms, 0);
  EXPECT_EQ(read.headers(), (Headers{{"content_encoding", "gzip"},
                                     {"type", "t"},
                                     {"user_id", "u"},
                                     {"app_id", "app"},
                                     {"cluster_id", "cl"}}));
}

TEST(MessageDecoder, OfSomebodyElseShowsTheBrokersHeadersButItsCounts) {
  Table table;
  table.text("CC", "1").text("x-death", "2").number("x-delivery-count", 3);
  table.number("x-acquired-count", 4).text("n", "5");
  EXPECT_EQ(read_header(content_header(table)).headers(),
            (Headers{{"CC", "1"}, {"x-death", "2"}, {"n", "5"}}));
  table.number(kTimestampHeader, 1); // and now it is ours
  EXPECT_EQ(read_header(content_header(table)).headers(), (Headers{{"n", "5"}}));
}

TEST(MessageDecoder, ATimestampBeyondWhatMillisecondsHoldIsNone) {
  for (const uint64_t seconds :
       {uint64_t{9223372036854775}, uint64_t{9223372036854776}, UINT64_MAX}) {
    Output property;
    property.u64(seconds);
    const Read read = read_header(content_header(AMQP_BASIC_TIMESTAMP_FLAG, property.bytes()));
    EXPECT_TRUE(read.good());
    EXPECT_EQ(read.message().timestamp_ms, seconds == 9223372036854775 ? 9223372036854775000 : 0);
  }
}

TEST(MessageDecoder, OfNumbersEveryTypeThatHoldsThemWillDo) {
  const std::vector<std::pair<char, std::string>> fives{{'b', "\x05"},
                                                        {'B', "\x05"},
                                                        {'s', {"\0\x05", 2}},
                                                        {'u', {"\0\x05", 2}},
                                                        {'I', {"\0\0\0\x05", 4}},
                                                        {'i', {"\0\0\0\x05", 4}},
                                                        {'l', {"\0\0\0\0\0\0\0\x05", 8}}};
  for (const auto& [kind, value] : fives) {
    Table table;
    table.field(kDeliveryCountHeader, kind, value).field(kDueAtHeader, kind, value);
    const Read read = read_header(content_header(table));
    EXPECT_TRUE(read.good()) << kind;
    EXPECT_EQ(read.message().delivery_count, 5U) << kind;
    EXPECT_EQ(read.message().due_at_ms, 5) << kind;
  }
}

// ---- damaged ------------------------------------------------------------------------------------

void expect_undecodable(const Read& read, std::string_view why) {
  EXPECT_FALSE(read.good());
  EXPECT_NE(read.header(SWAPMQ_UNDECODABLE_HEADER).find(why), std::string::npos)
      << why << " / " << read.header(SWAPMQ_UNDECODABLE_HEADER);
}

TEST(MessageDecoder, CutAnywhereIsDamaged) {
  const Sample sample(3);
  const std::string header = header_of(sample);
  ASSERT_GT(header.size(), 500U);
  for (std::size_t size = 0; size < header.size(); ++size) {
    expect_undecodable(read_header(header.substr(0, size)), "its properties are damaged");
    EXPECT_EQ(message_id_of(header.substr(0, size)), "");
    if (size < 14) {
      EXPECT_THROW(body_size_of(header.substr(0, size)), network::ConnectionLost);
    } else {
      EXPECT_EQ(body_size_of(header.substr(0, size)), sample.message.body.size);
    }
    if (HasFailure()) FAIL() << "of " << size << " bytes";
  }
}

TEST(MessageDecoder, AHeaderOfOursThatIsNoNumberSaysSo) {
  const std::vector<std::pair<char, std::string>> values{{'S',
                                                          {"\0\0\0\x01"
                                                           "5",
                                                           5}},
                                                         {'t', "\x01"},
                                                         {'V', ""},
                                                         {'L', {"\0\0\0\0\0\0\0\x05", 8}},
                                                         {'T', {"\0\0\0\0\0\0\0\x05", 8}},
                                                         {'d', {"\0\0\0\0\0\0\0\0", 8}},
                                                         {'F', {"\0\0\0\0", 4}},
                                                         {'A', {"\0\0\0\0", 4}}};
  for (const std::string_view name :
       {kTimestampHeader, kFirstPublishedHeader, kDueAtHeader, kExpiresAtHeader,
        kDeliveryCountHeader, kNacksHeader, kNotBeforeHeader}) {
    for (const auto& [kind, value] : values) {
      Table table;
      table.text("kept", "value").field(name, kind, value);
      const Read read = read_header(content_header(table));
      expect_undecodable(read, "is not the number that it should be");
      EXPECT_EQ(read.header("kept"), "value");
      EXPECT_EQ(read.message().header_count, 2U);
    }
  }
}

TEST(MessageDecoder, AHeaderOfOursBeyondItsNumbersSaysSo) {
  for (const std::string_view name : {kDeliveryCountHeader, kNacksHeader}) {
    for (const int64_t value : {int64_t{-1}, int64_t{4294967296}, INT64_MIN, INT64_MAX}) {
      Table table;
      expect_undecodable(read_header(content_header(table.number(name, value))), "not the number");
    }
    Table table;
    EXPECT_TRUE(read_header(content_header(table.number(name, 4294967295))).good());
  }
}

TEST(MessageDecoder, AnEscapedHeaderThatIsNoneSaysSo) {
  for (const std::string& value :
       {std::string(), std::string(1, '\0'), std::string("\x01"), std::string("\x05name"),
        std::string("\xff"), std::string("\0name", 5)}) {
    Table table;
    table.text("x-swapmq-header-0", value).text("kept", "value");
    const Read read = read_header(content_header(table));
    expect_undecodable(read, "x-swapmq-header- headers is damaged");
    EXPECT_EQ(read.header("kept"), "value");
  }
  Table number;
  number.number("x-swapmq-header-0", 5);
  expect_undecodable(read_header(content_header(number)), "is damaged");
  Table good;
  good.text("x-swapmq-header-0", "\x04name");
  EXPECT_EQ(read_header(content_header(good)).headers(), (Headers{{"name", ""}}));
}

TEST(MessageDecoder, AHeaderWithoutANameSaysSo) {
  Table table;
  table.text("", "value").text("kept", "value");
  const Read read = read_header(content_header(table));
  expect_undecodable(read, "a header has no name");
  EXPECT_EQ(read.headers().size(), 2U);
}

TEST(MessageDecoder, ManyHeadersWithAllThatIsShownBesidesHaveRoom) {
  Table table;
  for (int i = 0; i < 3000; ++i) table.text("n" + std::to_string(i), "v");
  table.text("", "");
  Output properties;
  properties.short_string("gzip").raw(table.bytes());
  for (const char* value : {"type", "user", "app", "cluster"}) properties.short_string(value);
  const Read read = read_header(content_header(
      AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_TYPE_FLAG |
          AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_CLUSTER_ID_FLAG,
      properties.bytes()));
  EXPECT_FALSE(read.good());
  EXPECT_EQ(read.message().header_count, 3006U);
  EXPECT_EQ(read.header("cluster_id"), "cluster");
}

} // namespace
} // namespace swapmq::rabbitmq
