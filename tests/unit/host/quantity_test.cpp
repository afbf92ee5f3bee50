// SPDX-License-Identifier: MIT
#include "quantity.h"

#include <gtest/gtest.h>

namespace swapmq::host {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST(Duration, UnitsAndFractions) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("2s"), 2000ms);
  EXPECT_EQ(parse_duration("1m"), 60'000ms);
  EXPECT_EQ(parse_duration("1.5m"), 90'000ms);
  EXPECT_EQ(parse_duration("12h"), 43'200'000ms);
  EXPECT_EQ(parse_duration("7d"), 604'800'000ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("0s"), 0ms);
}

TEST(Duration, WhatIsNotZeroNeverBecomesZero) { EXPECT_EQ(parse_duration("0.0001ms"), 1ms); }

TEST(Duration, RefusesWhatIsNotOne) {
  for (const char* text : {"",
                           "2",
                           "s",
                           "-1s",
                           "+1s",
                           "2 s",
                           "2S",
                           "2sec",
                           "1e3s",
                           "inf",
                           "nan",
                           "0x2s",
                           ".5s",
                           "5.s",
                           "1..2s",
                           "2s2",
                           " 2s",
                           "36526d",
                           "99999999999999d",
                           "999999999999999999999999999999999999999999999999999999999999999ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << '"' << text << '"';
  }
  EXPECT_EQ(parse_duration(std::string_view("2s\0", 3)), std::nullopt);
}

TEST(Size, PowersOf1024) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("4096B"), 4096u);
  EXPECT_EQ(parse_size("64K"), 65536u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("16M"), 16u << 20);
  EXPECT_EQ(parse_size("1.5G"), 3ull << 29);
  for (const char* text : {"", "K", "-1", "64k ", "1T", "1e3", "99999999999G"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(Rate, PowersOf1000) {
  EXPECT_EQ(parse_rate("50"), 50.0);
  EXPECT_EQ(parse_rate("0.5"), 0.5);
  EXPECT_EQ(parse_rate("2k"), 2000.0);
  EXPECT_EQ(parse_rate("1.5M"), 1.5e6);
  for (const char* text : {"", "0", "-5", "fast", "1e9", "2K", "2000M"}) {
    EXPECT_EQ(parse_rate(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(Formats, AreShort) {
  EXPECT_EQ(format_elapsed(410ms), "0.41 s");
  EXPECT_EQ(format_elapsed(12'340ms), "12.3 s");
  EXPECT_EQ(format_elapsed(200s), "3 m 20 s");
  EXPECT_EQ(format_elapsed(2h + 5min), "2 h 5 m");
  EXPECT_EQ(format_rate(3.25), "3.2/s");
  EXPECT_EQ(format_rate(950), "950/s");
  EXPECT_EQ(format_rate(201'400), "201k/s");
  EXPECT_EQ(format_rate(1'240'000), "1.2M/s");
  EXPECT_EQ(format_ms(0.414), "0.41 ms");
  EXPECT_EQ(format_ms(12.34), "12.3 ms");
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(513), "513");
  EXPECT_EQ(format_size(64 << 10), "64 KiB");
  EXPECT_EQ(format_size(64 << 20), "64 MiB");
}

} // namespace
} // namespace swapmq::host
