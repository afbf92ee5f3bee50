// SPDX-License-Identifier: MIT
//
// Queue names, places in a text, quoting, and guesses at what was meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/queue_name.h"
#include "config/suggest.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

TEST(QueueName, OrdinaryBytesAreAllowed) {
  for (const std::string& name :
       {std::string("a"), std::string("tasks"), std::string("a/b"), std::string(".."),
        std::string("../../etc/passwd"), std::string("a b"), std::string("{tag}:1"),
        std::string("\u00e9\u20ac\U0001F600"), std::string("'; DROP TABLE x; --"),
        std::string(255, 'q')}) {
    EXPECT_FALSE(check_queue_name(name)) << name;
  }
}

TEST(QueueName, OthersAreRefusedAndSayWhy) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "a queue name must not be empty"},
      {std::string("a\0b", 3),
       R"(queue name "a\u0000b" holds a control character (byte 2); remove it)"},
      {"a\n", R"(queue name "a\u000a" holds a control character (byte 2); remove it)"},
      {"\x7f", R"(queue name "\u007f" holds a control character (byte 1); remove it)"},
      {"\u0085", R"(queue name "\u0085" holds a control character (byte 1); remove it)"},
      {"ab\xFF", R"(queue name "ab\xff" is not UTF-8 (byte 3))"},
      {std::string(256, 'q'),
       "queue name \"" + std::string(64, 'q') + "...\" has 256 bytes; at most 255 are allowed"},
  };
  for (const auto& [name, why] : cases) {
    const Error error = check_queue_name(name);
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_EQ(error.message(), why);
  }
}

TEST(QueueName, DeadLetterQueuesAlwaysHaveAName) {
  EXPECT_EQ(default_dead_letter_queue("tasks"), "tasks.dead");
  EXPECT_EQ(default_dead_letter_queue(std::string(250, 'a')), std::string(250, 'a') + ".dead");
  std::string multibyte;
  while (multibyte.size() < 255) multibyte += "\u20ac";
  for (const std::string& name : {std::string(251, 'a'), std::string(255, 'a'), multibyte}) {
    const std::string dead = default_dead_letter_queue(name);
    EXPECT_FALSE(check_queue_name(dead)) << dead;
    EXPECT_TRUE(dead.ends_with(".dead"));
    EXPECT_NE(dead, default_dead_letter_queue(name.substr(0, name.size() - 3) + "xyz"));
  }
}

TEST(SourceMap, CountsLinesAndCodePoints) {
  const std::string text = "a\u00e9\U0001F600b\r\n\tx\n";
  const SourceMap map(text);
  const auto at = [&](std::size_t offset) {
    const Position p = map.locate(offset);
    return std::to_string(p.line) + ":" + std::to_string(p.column);
  };
  EXPECT_EQ(at(0), "1:1");
  EXPECT_EQ(at(text.find('b')), "1:4");
  EXPECT_EQ(at(text.find('x')), "2:2");
  EXPECT_EQ(at(text.size()), "3:1");
  EXPECT_EQ(at(text.size() + 100), "3:1");
  EXPECT_EQ(SourceMap("").locate(0).column, 1u);
}

TEST(SourceMap, LongLinesAreRightEverywhere) {
  std::string text;
  for (int i = 0; i < 9000; ++i) text += i % 3 == 0 ? "\u20ac" : "x";
  const SourceMap map(text);
  std::size_t column = 1;
  for (std::size_t i = 0; i < text.size(); i += utf8_sequence(text, i), ++column) {
    ASSERT_EQ(map.locate(i).column, column) << i;
  }
  ASSERT_EQ(map.locate(text.size()).column, column);
}

TEST(Text, QuotedShowsWhatWouldNotShow) {
  EXPECT_EQ(quoted("a\"b\\c\n\x1b\u0080\xC3\u2028\u20ac"),
            "\"a\\\"b\\\\c\\u000a\\u001b\\u0080\\xc3\\u2028\u20ac\"");
  EXPECT_EQ(quoted(std::string(100, 'a'), 3), "\"aaa...\"");
}

TEST(Suggest, DistanceCountsSwapsOnceAndForgivesSpelling) {
  EXPECT_EQ(edit_distance("path", "path", 5), 0u);
  EXPECT_EQ(edit_distance("pth", "path", 5), 1u);
  EXPECT_EQ(edit_distance("ptah", "path", 5), 1u);
  EXPECT_EQ(edit_distance("Max-Retries", "max_retries", 5), 0u);
  EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3u);
  EXPECT_EQ(edit_distance("", "abc", 5), 3u);
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3u);
  EXPECT_EQ(edit_distance("a", std::string(300, 'a'), 2), 3u);
}

TEST(Suggest, GuessesOnlyWhatIsNear) {
  const std::vector<std::string_view> keys = {"max_retries", "retry_delay_seconds",
                                              "connection_timeout_seconds", "pool", "type"};
  EXPECT_EQ(nearest("max_retrys", keys), "max_retries");
  EXPECT_EQ(nearest("maxRetries", keys), "max_retries");
  EXPECT_EQ(nearest("retryDelaySeconds", keys), "retry_delay_seconds");
  EXPECT_EQ(nearest("connection_timeout", keys), "connection_timeout_seconds");
  EXPECT_EQ(nearest("tpye", keys), "type");
  EXPECT_EQ(nearest("x", keys), std::nullopt);
  EXPECT_EQ(nearest("something", keys), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

} // namespace
} // namespace swapmq::config
