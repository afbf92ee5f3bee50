// SPDX-License-Identifier: MIT
//
// Requests, as the server reads them.
#include "commands.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace swapmq::redis {
namespace {

TEST(Commands, AreArraysOfBulkStrings) {
  Commands commands;
  commands.add("PING");
  EXPECT_EQ(commands.bytes(), "*1\r\n$4\r\nPING\r\n");
  commands.clear(1 << 20);
  commands.add("SET", std::string("key"), std::string_view("a\r\nb\0c", 6), 7);
  EXPECT_EQ(commands.bytes(),
            std::string("*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$6\r\na\r\nb\0c\r\n$1\r\n7\r\n", 41));
}

TEST(Commands, FollowEachOtherInOneBuffer) {
  Commands commands;
  commands.begin(2).arg("XLEN").arg("q");
  commands.begin(3).raw("$1\r\na\r\n").arg("").arg(-5);
  EXPECT_EQ(commands.bytes(),
            "*2\r\n$4\r\nXLEN\r\n$1\r\nq\r\n*3\r\n$1\r\na\r\n$0\r\n\r\n$2\r\n-5\r\n");
}

TEST(Commands, LengthsOfAnyNumberOfDigits) {
  for (const std::size_t length : {0, 1, 9, 10, 11, 99, 100, 101, 4095, 4096, 123456}) {
    Commands commands;
    const std::string text(length, 'x');
    commands.begin(length).arg(text);
    const std::string number = std::to_string(length);
    EXPECT_EQ(commands.bytes(), "*" + number + "\r\n$" + number + "\r\n" + text + "\r\n");
  }
}

TEST(Commands, GrowAndKeepWhatTheyHold) {
  Commands commands;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string text(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    commands.arg(text);
    expected += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    if (i % 100 == 99) { // what stands there already, once more
      const std::size_t from = expected.size() / 3;
      const std::size_t size = expected.size() / 7;
      commands.again(from, size);
      expected += expected.substr(from, size);
    }
    ASSERT_EQ(commands.size(), expected.size());
  }
  EXPECT_EQ(commands.bytes(), expected);
}

TEST(Commands, ClearedBeginAnew) {
  for (const std::size_t keep : {std::size_t{0}, std::size_t{1} << 20}) {
    Commands commands;
    commands.add("SET", "key", std::string(100'000, 'x'));
    commands.clear(keep);
    EXPECT_EQ(commands.size(), 0U);
    EXPECT_EQ(commands.bytes(), "");
    commands.add("PING");
    EXPECT_EQ(commands.bytes(), "*1\r\n$4\r\nPING\r\n");
  }
}

TEST(Decimal, OfTheExtremes) {
  EXPECT_EQ(Decimal(std::numeric_limits<int64_t>::min()).text(), "-9223372036854775808");
  EXPECT_EQ(Decimal(std::numeric_limits<uint64_t>::max()).text(), "18446744073709551615");
  EXPECT_EQ(Decimal(0).text(), "0");
}

} // namespace
} // namespace swapmq::redis
