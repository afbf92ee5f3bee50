// SPDX-License-Identifier: MIT
//
// Values of every type that AMQP tables have, as what is shown of them.
#include "field_text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using Values = std::vector<std::pair<char, std::string>>;

std::string u32(uint32_t value) {
  Output out;
  out.u32(value);
  return out.bytes();
}
std::string u64(uint64_t value) {
  Output out;
  out.u64(value);
  return out.bytes();
}
std::string f32(float value) { return u32(std::bit_cast<uint32_t>(value)); }
std::string f64(double value) { return u64(std::bit_cast<uint64_t>(value)); }
std::string with_length(const std::string& bytes) {
  return u32(static_cast<uint32_t>(bytes.size())) + bytes;
}
std::string array(const Values& values) {
  std::string all;
  for (const auto& [kind, value] : values) all += kind + value;
  return with_length(all);
}

/// How a header of that value is shown.
std::string shown(char kind, const std::string& value) {
  Table table;
  table.field("name", kind, value);
  const Read read = read_header(content_header(table));
  EXPECT_TRUE(read.good());
  return read.header("name");
}

struct Shown {
  char kind;
  std::string value;
  std::string text;
  std::string json{}; // within an array, where it is another one
};

std::vector<Shown> scalars() {
  return {
      {'t', "\x01", "true"},
      {'t', {"\0", 1}, "false"},
      {'b', "\x80", "-128"},
      {'B', "\xff", "255"},
      {'s', "\x80\x01", "-32767"},
      {'u', "\xff\xff", "65535"},
      {'I', u32(0x80000000), "-2147483648"},
      {'i', u32(UINT32_MAX), "4294967295"},
      {'l', u64(uint64_t{1} << 63), "-9223372036854775808"},
      {'L', u64(UINT64_MAX), "18446744073709551615"},
      {'T', u64(1700000000), "1700000000"},
      {'f', f32(0.5F), "0.5"},
      {'f', f32(-1e20F), "-1e+20"},
      {'d', f64(0.1), "0.1"},
      {'d', f64(1e300), "1e+300"},
      {'d', f64(__builtin_inf()), "inf", "null"},
      {'d', f64(-__builtin_inf()), "-inf", "null"},
      {'d', f64(__builtin_nan("")), "nan", "null"},
      {'D', "\x02" + u32(314), "314e-2"},
      {'D', "\xff" + u32(UINT32_MAX), "4294967295e-255"},
      {'V', "", "", "null"},
      {'S', with_length("text \"'\n"), "text \"'\n", "\"text \\\"'\\n\""},
      {'S', with_length(""), "", "\"\""},
      {'x', with_length({"\0\xff", 2}), {"\0\xff", 2}, std::string("\"\\u0000\xff\"")},
  };
}

TEST(FieldText, EveryScalarIsShown) {
  for (const Shown& one : scalars()) EXPECT_EQ(shown(one.kind, one.value), one.text) << one.kind;
}

TEST(FieldText, ScalarsInAnArrayAreJson) {
  for (const Shown& one : scalars()) {
    const std::string json = one.json.empty() ? one.text : one.json;
    EXPECT_EQ(shown('A', array({{one.kind, one.value}})), "[" + json + "]") << one.kind;
  }
}

TEST(FieldText, ArraysAndTablesAreJson) {
  EXPECT_EQ(shown('A', array({})), "[]");
  EXPECT_EQ(shown('F', Table().bytes()), "{}");
  EXPECT_EQ(shown('A', array({{'B', "\x01"}, {'S', with_length("x")}, {'A', array({})}})),
            R"([1,"x",[]])");
  Table inner;
  inner.text("a\"", "1").number("n", -5);
  Table table;
  table.field("inner", 'F', inner.bytes()).field("list", 'A', array({{'F', inner.bytes()}}));
  EXPECT_EQ(shown('F', table.bytes()),
            R"({"inner":{"a\"":"1","n":-5},"list":[{"a\"":"1","n":-5}]})");
}

TEST(FieldText, WhatIsNestedTooDeepIsNothing) {
  for (const int depth : {1, 15, 16, 17, 1000}) {
    std::string value = array({{'B', "\x07"}});
    for (int i = 1; i < depth; ++i) value = array({{'A', value}});
    const auto levels = static_cast<std::size_t>(std::min(depth, 16));
    const std::string inner = depth < 16 ? "7" : "null";
    EXPECT_EQ(shown('A', value), std::string(levels, '[') + inner + std::string(levels, ']'))
        << depth;
  }
}

TEST(FieldText, AKindThatNobodyKnowsIsDamage) {
  for (const char kind : {'Z', '\0', '\xff', 'a'}) {
    Table table;
    table.field("name", kind, "12345678");
    EXPECT_FALSE(read_header(content_header(table)).good());
  }
}

} // namespace
} // namespace swapmq::rabbitmq
