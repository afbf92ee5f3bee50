// SPDX-License-Identifier: MIT
#include "entry.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace swapmq::memory {
namespace {

using backend::bytes;
using backend::view;

swapmq_message plain() {
  swapmq_message message{};
  message.id = bytes("id");
  message.header_size = sizeof(swapmq_header);
  return message;
}

TEST(Entry, CopiesEveryField) {
  const std::string every_byte = [] {
    std::string all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
    return all;
  }();
  const std::vector<swapmq_header> headers{{bytes("a"), bytes(every_byte)},
                                           {bytes("empty"), bytes("")}};
  swapmq_message message = plain();
  message.body = bytes(every_byte);
  message.headers = headers.data();
  message.header_count = 2;
  message.timestamp_ms = 11;
  message.first_published_ms = 10;
  message.due_at_ms = 12;
  message.expires_at_ms = 13;
  message.priority = 9;
  message.delivery_count = 3;
  message.ordering_key = bytes("key");
  message.correlation_id = bytes("correlation");
  message.reply_to = bytes("reply");
  message.content_type = bytes("text/plain");

  const EntryPtr entry = Entry::make(message);
  const swapmq_message& copy = entry->message();
  EXPECT_NE(copy.body.data, message.body.data);
  EXPECT_EQ(view(copy.id), "id");
  EXPECT_EQ(view(copy.body), every_byte);
  ASSERT_EQ(copy.header_count, 2U);
  EXPECT_EQ(view(copy.headers[0].name), "a");
  EXPECT_EQ(view(copy.headers[0].value), every_byte);
  EXPECT_EQ(view(copy.headers[1].name), "empty");
  EXPECT_EQ(view(copy.headers[1].value), "");
  EXPECT_EQ(copy.timestamp_ms, 11);
  EXPECT_EQ(copy.first_published_ms, 10);
  EXPECT_EQ(copy.due_at_ms, 12);
  EXPECT_EQ(copy.expires_at_ms, 13);
  EXPECT_EQ(copy.priority, 9U);
  EXPECT_EQ(copy.delivery_count, 3U);
  EXPECT_EQ(view(copy.ordering_key), "key");
  EXPECT_EQ(view(copy.correlation_id), "correlation");
  EXPECT_EQ(view(copy.reply_to), "reply");
  EXPECT_EQ(view(copy.content_type), "text/plain");
}

TEST(Entry, FirstPublishedIsTheTimestampUnlessGiven) {
  swapmq_message message = plain();
  message.timestamp_ms = 5;
  EXPECT_EQ(Entry::make(message)->message().first_published_ms, 5);
}

TEST(Entry, AddedHeadersReplaceThoseOfTheSameName) {
  const std::vector<swapmq_header> own{
      {bytes("why"), bytes("old")}, {bytes("kept"), bytes("1")}, {bytes("why"), bytes("older")}};
  const std::vector<swapmq_header> added{{bytes("why"), bytes("new")}, {bytes("more"), bytes("2")}};
  swapmq_message message = plain();
  message.headers = own.data();
  message.header_count = 3;
  const EntryPtr entry = Entry::make(message, {added.data(), 2, sizeof(swapmq_header)});
  const swapmq_message& copy = entry->message();
  ASSERT_EQ(copy.header_count, 3U);
  EXPECT_EQ(view(copy.headers[0].name), "kept");
  EXPECT_EQ(view(copy.headers[1].name), "why");
  EXPECT_EQ(view(copy.headers[1].value), "new");
  EXPECT_EQ(view(copy.headers[2].name), "more");
}

TEST(Entry, ReadsHeadersThatAreLargerThanItKnows) {
  struct Larger {
    swapmq_header known;
    uint64_t unknown;
  };
  const Larger headers[2] = {{{bytes("a"), bytes("1")}, 7}, {{bytes("b"), bytes("2")}, 7}};
  swapmq_message message = plain();
  message.headers = &headers[0].known;
  message.header_count = 2;
  message.header_size = sizeof(Larger);
  const EntryPtr entry = Entry::make(message);
  EXPECT_EQ(entry->message().header_size, sizeof(swapmq_header));
  EXPECT_EQ(view(entry->message().headers[1].name), "b");
}

TEST(Entry, TheWeightOfAbsurdSizesDoesNotWrap) {
  swapmq_message message = plain();
  message.body = {"", std::numeric_limits<uint64_t>::max() - 10};
  EXPECT_EQ(Entry::weight_of(message), std::numeric_limits<uint64_t>::max());
}

TEST(Entry, OutlivesItsFirstOwner) {
  EntryPtr first = Entry::make(plain());
  const EntryPtr second = first;
  first = EntryPtr();
  EXPECT_EQ(view(second->message().id), "id");
}

} // namespace
} // namespace swapmq::memory
