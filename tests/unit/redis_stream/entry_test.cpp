// SPDX-License-Identifier: MIT
//
// Messages to entries and back, and what is made of entries that others wrote.
#include "entry.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "reply.hpp"

namespace swapmq::redis {
namespace {

using backend::bytes;
using backend::headers_of;
using backend::view;
using Fields = std::vector<std::pair<std::string, std::string>>;

/// What came of decoding, with the memory that it is in.
struct Decoded {
  bool good = false;
  swapmq_message message{};
  OwnedReply reply;
  [[nodiscard]] std::string header(std::string_view name) const {
    const auto headers = headers_of(message);
    for (std::size_t i = 0; i < headers.size(); ++i) {
      if (view(headers[i].name) == name) return std::string(view(headers[i].value));
    }
    return "(none)";
  }
};

/// Decodes a RESP array as the fields of an entry.
Decoded decoded(std::string_view resp, std::string_view id = "1700000000000-5") {
  ReplyReader reader("h");
  reader.feed(resp.data(), resp.size());
  Decoded made;
  made.reply = reader.next();
  EXPECT_TRUE(made.reply) << resp;
  made.good = decode(id, *made.reply, *made.reply.arena, made.message);
  return made;
}

Decoded decoded(const Fields& fields, std::string_view id = "1700000000000-5") {
  Commands commands;
  commands.begin(2 * fields.size());
  for (const auto& [name, value] : fields) commands.arg(name).arg(value);
  return decoded(commands.bytes(), id);
}

Decoded there_and_back(const swapmq_message& message) {
  Commands commands;
  commands.begin(field_arguments(message));
  append_fields(commands, message);
  return decoded(commands.bytes());
}

void expect_same(const swapmq_message& one, const swapmq_message& other) {
  EXPECT_EQ(view(one.id), view(other.id));
  EXPECT_EQ(view(one.body), view(other.body));
  EXPECT_EQ(one.timestamp_ms, other.timestamp_ms);
  const auto first_published = [](const swapmq_message& message) { // 0: same as timestamp
    return message.first_published_ms == 0 ? message.timestamp_ms : message.first_published_ms;
  };
  EXPECT_EQ(first_published(one), first_published(other));
  EXPECT_EQ(one.due_at_ms, other.due_at_ms);
  EXPECT_EQ(one.expires_at_ms, other.expires_at_ms);
  EXPECT_EQ(one.priority, other.priority);
  EXPECT_EQ(one.delivery_count, other.delivery_count);
  EXPECT_EQ(view(one.ordering_key), view(other.ordering_key));
  EXPECT_EQ(view(one.correlation_id), view(other.correlation_id));
  EXPECT_EQ(view(one.reply_to), view(other.reply_to));
  EXPECT_EQ(view(one.content_type), view(other.content_type));
  ASSERT_EQ(one.header_count, other.header_count);
  for (uint32_t i = 0; i < one.header_count; ++i) {
    EXPECT_EQ(view(headers_of(one)[i].name), view(headers_of(other)[i].name));
    EXPECT_EQ(view(headers_of(one)[i].value), view(headers_of(other)[i].value));
  }
}

/// Texts that a random message is made of; they must outlive it.
class Source {
 public:
  explicit Source(uint32_t seed) : random_(seed) { texts_.reserve(64); }

  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  swapmq_bytes text(std::size_t least, std::size_t most) {
    std::string& made =
        texts_.emplace_back(least + below(static_cast<uint32_t>(most - least + 1)), '\0');
    for (char& c : made) c = static_cast<char>(below(256));
    return bytes(made);
  }
  swapmq_bytes maybe_text() { return below(2) == 0 ? swapmq_bytes{} : text(1, 40); }
  int64_t maybe_time() {
    switch (below(4)) {
      case 0:
        return std::numeric_limits<int64_t>::max();
      case 1:
        return static_cast<int64_t>(random_() >> 20);
      default:
        return 0;
    }
  }

 private:
  std::mt19937_64 random_;
  std::vector<std::string> texts_;
};

TEST(Entry, ARandomMessageComesBackAsItWas) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    Source source(seed);
    swapmq_message message{};
    message.id = source.text(1, 255);
    message.body = source.text(0, 3000);
    message.timestamp_ms = static_cast<int64_t>(source.below(2'000'000'000));
    message.first_published_ms = source.maybe_time();
    message.due_at_ms = source.maybe_time();
    message.expires_at_ms = source.maybe_time();
    message.priority = source.below(10);
    message.delivery_count = source.below(3) == 0 ? UINT32_MAX : source.below(3);
    message.ordering_key = source.maybe_text();
    message.correlation_id = source.maybe_text();
    message.reply_to = source.maybe_text();
    message.content_type = source.maybe_text();
    std::vector<swapmq_header> headers;
    for (uint32_t i = source.below(6); i > 0; --i) {
      headers.push_back({source.text(1, 255), source.text(0, 500)});
    }
    message.headers = headers.empty() ? nullptr : headers.data();
    message.header_count = static_cast<uint32_t>(headers.size());
    message.header_size = sizeof(swapmq_header);
    const Decoded back = there_and_back(message);
    EXPECT_TRUE(back.good);
    expect_same(message, back.message);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Entry, HeadersMayBeNamedAsFieldsAre) {
  std::vector<swapmq_header> headers;
  for (const char* name : {"data", "message_id", "header:", "header:x", "timestamp", "priority"}) {
    headers.push_back({bytes(name), bytes("value")});
  }
  swapmq_message message{};
  message.id = bytes("id");
  message.body = bytes("body");
  message.headers = headers.data();
  message.header_count = static_cast<uint32_t>(headers.size());
  message.header_size = sizeof(swapmq_header);
  const Decoded back = there_and_back(message);
  EXPECT_TRUE(back.good);
  expect_same(message, back.message);
}

TEST(Entry, OfSomebodyElseIsAMessage) {
  const Decoded made = decoded({{"data", "hello"}, {"tenant", "t1"}, {"header:x", "y"}});
  EXPECT_TRUE(made.good);
  EXPECT_EQ(view(made.message.id), "1700000000000-5");
  EXPECT_EQ(made.message.timestamp_ms, 1700000000000);
  EXPECT_EQ(view(made.message.body), "hello");
  EXPECT_EQ(made.message.header_count, 2U);
  EXPECT_EQ(made.header("tenant"), "t1");
  EXPECT_EQ(made.header("x"), "y");
  EXPECT_EQ(made.message.delivery_count, 0U);
}

TEST(Entry, WithAnEmptyIdOrBodyIsAMessage) {
  const Decoded made = decoded({{"message_id", ""}, {"data", ""}, {"correlation_id", ""}});
  EXPECT_TRUE(made.good);
  EXPECT_EQ(view(made.message.id), "1700000000000-5");
  EXPECT_EQ(made.message.body.size, 0U);
}

TEST(Entry, ATimeBeyondWhatTimestampsHoldIsTheirLast) {
  const Decoded made = decoded(Fields{{"data", ""}}, "18446744073709551615-18446744073709551615");
  EXPECT_TRUE(made.good);
  EXPECT_EQ(made.message.timestamp_ms, std::numeric_limits<int64_t>::max());
}

TEST(Entry, ThatIsNoMessageSaysWhy) {
  const std::string id_of_256(256, 'i');
  const std::vector<std::pair<Fields, std::string>> all{
      {{}, "there is no field \"data\""},
      {{{"body", "x"}}, "there is no field \"data\""},
      {{{"data", "x"}, {"message_id", id_of_256}}, "\"message_id\" is longer than 255 bytes"},
      {{{"data", "x"}, {"timestamp", "yesterday"}}, "\"timestamp\" is not a number"},
      {{{"data", "x"}, {"timestamp", ""}}, "\"timestamp\" is not a number"},
      {{{"data", "x"}, {"timestamp", "9223372036854775808"}}, "\"timestamp\" is not a number"},
      {{{"data", "x"}, {"timestamp", "1.5"}}, "\"timestamp\" is not a number"},
      {{{"data", "x"}, {"retry_count", "-1"}}, "\"retry_count\" is not a number"},
      {{{"data", "x"}, {"retry_count", "4294967296"}}, "\"retry_count\" is not a number"},
      {{{"data", "x"}, {"first_published", "x"}}, "\"first_published\" is not a number"},
      {{{"data", "x"}, {"due_at", "x"}}, "\"due_at\" is not a number"},
      {{{"data", "x"}, {"expires_at", " 1"}}, "\"expires_at\" is not a number"},
      {{{"data", "x"}, {"priority", "10"}}, "\"priority\" is not a number from 0 to 9"},
      {{{"data", "x"}, {"priority", "high"}}, "\"priority\" is not a number from 0 to 9"},
      {{{"data", "x"}, {"header:", "v"}}, "the name of a header is not 1 to 255 bytes"},
      {{{"data", "x"}, {"", "v"}}, "the name of a header is not 1 to 255 bytes"},
      {{{"data", "x"}, {std::string(256, 'n'), "v"}}, "the name of a header is not 1 to 255"},
  };
  for (const auto& [fields, why] : all) {
    const Decoded made = decoded(fields);
    EXPECT_FALSE(made.good) << why;
    EXPECT_EQ(made.header(SWAPMQ_UNDECODABLE_HEADER).find(why), 0U)
        << why << " / " << made.header(SWAPMQ_UNDECODABLE_HEADER);
    EXPECT_GE(made.message.id.size, 1U); // it can be moved as a message can
    EXPECT_LE(made.message.id.size, 255U);
    EXPECT_LE(made.message.priority, 9U);
  }
}

TEST(Entry, ThatIsNoMessageKeepsWhatCouldBeRead) {
  const Decoded made = decoded(
      {{"message_id", "m"}, {"data", "body"}, {"timestamp", "x"}, {"a", "1"}, {"header:b", "2"}});
  EXPECT_FALSE(made.good);
  EXPECT_EQ(view(made.message.id), "m");
  EXPECT_EQ(view(made.message.body), "body");
  EXPECT_EQ(made.header("a") + made.header("b"), "12");
  EXPECT_EQ(made.message.header_count, 3U);
}

TEST(Entry, OfFieldsThatNoServerSendsIsNoMessage) {
  for (const std::string resp : {
           "$-1\r\n",                                     // nil
           ":5\r\n",                                      // a number
           "$4\r\ndata\r\n",                              // a string
           "*0\r\n",                                      // none
           "*1\r\n$4\r\ndata\r\n",                        // half of one
           "*3\r\n$4\r\ndata\r\n$1\r\nx\r\n$1\r\ny\r\n",  // one and a half
           "*2\r\n$4\r\ndata\r\n:5\r\n",                  // a value that is a number
           "*2\r\n$4\r\ndata\r\n$-1\r\n",                 // nil
           "*2\r\n$4\r\ndata\r\n*1\r\n$1\r\nx\r\n",       // an array
           "*2\r\n$4\r\ndata\r\n-ERR\r\n",                // an error
           "*4\r\n$4\r\ndata\r\n$1\r\nx\r\n:1\r\n:2\r\n", // a name that is a number
       }) {
    const Decoded made = decoded(resp);
    EXPECT_FALSE(made.good) << resp;
    EXPECT_NE(made.header(SWAPMQ_UNDECODABLE_HEADER), "(none)") << resp;
  }
}

} // namespace
} // namespace swapmq::redis
