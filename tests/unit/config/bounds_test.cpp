// SPDX-License-Identifier: MIT
//
// Hostile texts: deep, huge, full of errors, full of odd bytes. Each ends soon, with an error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/document.h"
#include "fake_schemas.h"

namespace swapmq::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ConfigBounds, DeepNestingIsRefusedWhereItGoesTooDeep) {
  EXPECT_THAT(errors_of(repeated("[", 100'000)),
              ElementsAre("1:65: nested too deeply: at most 64 levels"));
  EXPECT_THAT(errors_of(repeated("[", 100'000) + repeated("]", 100'000)),
              ElementsAre("1:65: nested too deeply: at most 64 levels"));
  EXPECT_THAT(errors_of(repeated("{\"a\":", 100'000)),
              ElementsAre("1:321: nested too deeply: at most 64 levels"));
  EXPECT_THAT(errors_of(repeated("{\"a\":[", 100'000)),
              ElementsAre("1:193: nested too deeply: at most 64 levels"));
}

TEST(ConfigBounds, SixtyFourLevelsAreFine) {
  const std::size_t inside = kMaxDepth - 3;
  const std::string json = R"({ "message_queue": { "type": "memory", "other": { "a": )" +
                           repeated("[", inside) + repeated("]", inside) + " } } }";
  EXPECT_THAT(errors_of(json), ElementsAre());
  const std::string deeper = R"({ "message_queue": { "type": "memory", "other": { "a": )" +
                             repeated("[", inside + 1) + repeated("]", inside + 1) + " } } }";
  EXPECT_THAT(errors_of(deeper), ElementsAre(HasSubstr("nested too deeply")));
}

TEST(ConfigBounds, TooLargeATextIsRefusedUnread) {
  EXPECT_THAT(errors_of(std::string(kMaxTextBytes + 1, ' ')),
              ElementsAre(" too large: a config has at most 1048576 bytes"));
  EXPECT_THAT(errors_of(std::string(kMaxTextBytes, ' ')), ElementsAre(HasSubstr("is empty")));
  const std::string padded = R"({ "message_queue": { "type": "memory" } })";
  EXPECT_THAT(errors_of(padded + std::string(kMaxTextBytes - padded.size(), '\n')), ElementsAre());
}

TEST(ConfigBounds, NulAndBadUtf8AreLocated) {
  using std::string_literals::operator""s;
  EXPECT_THAT(errors_of("{ \"a\0\": 1 }"s), ElementsAre("1:5: a NUL byte; a config is text"));
  EXPECT_THAT(errors_of("\0"s), ElementsAre("1:1: a NUL byte; a config is text"));
  EXPECT_THAT(errors_of("{\n  \"\u00e9\xFFx\": 1 }"),
              ElementsAre("2:5: byte 0xFF is not UTF-8 here; save the file as UTF-8"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80",
                          "\xF0\x80\x80\x80", "\xC3"}) {
    EXPECT_THAT(errors_of("{ \"" + std::string(bad) + "\": 1 }"),
                ElementsAre(HasSubstr("1:4: byte 0x")));
  }
  EXPECT_THAT(errors_of("\xFF\xFE{\0}\0"s),
              ElementsAre("1:1: the text is UTF-16; save it as UTF-8"));
}

TEST(ConfigBounds, LinesEndAsOnAnySystem) {
  EXPECT_THAT(errors_of("{\r\n\r\n\t\"a\": 1,\n \"message_queue\": { \"type\": \"memory\" } }"),
              ElementsAre(HasSubstr("3:2: /a: unknown key")));
}

TEST(ConfigBounds, HugeNumbersAreRefusedBesideOtherErrors) {
  const auto memory = [](const std::string& number) {
    return errors_of(R"({ "message_queue": { "type": "memory", "other": { "n": )" + number +
                     " } } }");
  };
  for (const char* fine : {"0", "-0", "1e308", "-1e308", "9223372036854775807", "0e999",
                           "18446744073709551615", "-9223372036854775808", "1e-300"}) {
    EXPECT_THAT(memory(fine), ElementsAre()) << fine;
  }
  for (const std::string& huge : {std::string("1e999"), std::string("1e309"), std::string("-1e400"),
                                  std::string("18446744073709551616"), "1" + std::string(400, '0'),
                                  "1" + std::string(30, '0'), std::string("-9223372036854775809"),
                                  "1" + std::string(400, '0') + ".5"}) {
    EXPECT_THAT(memory(huge), ElementsAre(HasSubstr("/message_queue/other/n: number out of range")))
        << huge;
  }
  const auto many = errors_of("{ \"a\": [" + repeated("1e999,", 100) + "1] }");
  EXPECT_THAT(many, ElementsAre(HasSubstr("number out of range")));
}

TEST(ConfigBounds, ErrorsWithoutEndAreCut) {
  std::string json = R"({ "message_queue": { "type": "memory" })";
  for (int i = 0; i < 60'000; ++i) json += ",\"k" + std::to_string(i) + "\":1";
  const auto errors = errors_of(json + "}");
  ASSERT_EQ(errors.size(), kMostFindings + 1);
  EXPECT_THAT(errors.front(), HasSubstr("1:41: /k0: unknown key \"k0\""));
  EXPECT_EQ(errors.back(), " more errors were left out; correct these first");
}

TEST(ConfigBounds, DuplicatesByTheThousandEndSoon) {
  EXPECT_EQ(errors_of("{" + repeated("\"a\":1,", 100'000) + "\"a\":1}").size(), kMostFindings + 1);
}

TEST(ConfigBounds, OverlongKeysAreSaidOnceAndCut) {
  const std::string key(300'000, 'k');
  EXPECT_THAT(errors_of(R"({ "message_queue": { "type": "memory" }, ")" + key +
                        R"(": { "a": 1, "a": 2 } })"),
              ElementsAre("1:42: a key of 300000 bytes; at most 255 are allowed"));
  const std::string name(255, 'q');
  const auto with_queue = [](const std::string& queue) {
    return errors_of(R"({ "message_queue": { "type": "memory" }, "queues": { ")" + queue +
                     "\": {} } }");
  };
  EXPECT_THAT(with_queue(name), ElementsAre());
  EXPECT_THAT(with_queue(name + 'q'),
              ElementsAre("1:54: /queues: a key of 256 bytes; at most 255 are allowed"));
}

TEST(ConfigBounds, BackendsWithoutEndAreCut) {
  std::string json = R"({ "message_queue": { "type": "memory")";
  for (int i = 0; i < 65; ++i) json += ", \"backend_" + std::to_string(i) + "\": {}";
  EXPECT_THAT(errors_of(json + "} }"),
              ElementsAre(HasSubstr("/message_queue/backend_64: more than 64 backends")));
}

TEST(ConfigBounds, EveryPrefixOfAConfigIsAnError) {
  const std::string whole(embedded_default());
  const std::size_t last = whole.rfind('}');
  FakePlugins plugins;
  for (std::size_t length = 0; length <= last; ++length) {
    const Parsed result = parse(whole.substr(0, length), "f", plugins.lookup());
    EXPECT_FALSE(result.config) << length;
    EXPECT_EQ(result.errors.size(), 1u) << length;
  }
}

} // namespace
} // namespace swapmq::config
