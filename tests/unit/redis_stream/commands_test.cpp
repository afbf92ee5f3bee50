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
  commands.clear(0);
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
  Commands commands;
  const std::string large(123456, 'x');
  commands.begin(1000000).arg(large);
  EXPECT_EQ(commands.bytes(), "*1000000\r\n$123456\r\n" + large + "\r\n");
}

TEST(Decimal, OfTheExtremes) {
  EXPECT_EQ(Decimal(std::numeric_limits<int64_t>::min()).text(), "-9223372036854775808");
  EXPECT_EQ(Decimal(std::numeric_limits<uint64_t>::max()).text(), "18446744073709551615");
  EXPECT_EQ(Decimal(0).text(), "0");
}

} // namespace
} // namespace swapmq::redis
