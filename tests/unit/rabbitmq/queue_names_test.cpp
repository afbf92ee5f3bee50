// SPDX-License-Identifier: MIT
//
// Names of queues at the broker and back.
#include "queue_names.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Failure;

/// What is thrown for the name; empty if nothing.
std::string refusal(std::string_view name, std::string_view prefix = "") {
  try {
    name_at_broker(name, prefix);
    return {};
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
    return failure.what();
  }
}

TEST(QueueNames, AreReadableWhereTheyCanBe) {
  EXPECT_EQ(name_at_broker("orders", ""), "orders");
  EXPECT_EQ(name_at_broker("orders", "shop."), "shop.orders");
  EXPECT_EQ(name_at_broker("a b/c:d.e~", ""), "a b/c:d.e~");
  EXPECT_EQ(name_at_broker("gr\xc3\xbc\xc3\x9f", ""), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(name_at_broker("100%", ""), "100%25");
  EXPECT_EQ(name_at_broker("a\r\n\x7f", ""), "a%0D%0A%7F");
  EXPECT_EQ(name_at_broker("\xff\xfe", ""), "%FF%FE");
  EXPECT_EQ(name_at_broker("\xc3\xbc\xff", ""), "%C3%BC%FF"); // all of it, if some is no UTF-8
}

TEST(QueueNames, OfAnyBytesComeBack) {
  std::set<std::string> at_broker;
  std::size_t count = 0;
  const auto check = [&](const std::string& name) {
    const std::string there = name_at_broker(name, "p");
    EXPECT_EQ(name_from_broker(there, "p"), name);
    at_broker.insert(there);
    ++count;
  };
  for (int first = 1; first < 256; ++first) {
    check({static_cast<char>(first)});
    for (int second = 1; second < 256; ++second) {
      check({static_cast<char>(first), static_cast<char>(second)});
    }
  }
  EXPECT_EQ(at_broker.size(), count); // no two are the same
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string name(1 + random() % 60, '\0');
    for (char& c : name) c = static_cast<char>(1 + random() % (i % 2 == 0 ? 255 : 127));
    const std::string there = name_at_broker(name, "");
    ASSERT_EQ(name_from_broker(there, ""), name);
  }
}

TEST(QueueNames, AtTheBrokerAreUtf8WithoutControls) {
  // RFC 3629: overlong, surrogates, beyond the last, cut, and the edges that are good.
  const std::vector<std::pair<std::string, bool>> all{{"\xc0\x80", false},
                                                      {"\xc1\xbf", false},
                                                      {"\xc2\x80", true},
                                                      {"\xdf\xbf", true},
                                                      {"\xe0\x9f\xbf", false},
                                                      {"\xe0\xa0\x80", true},
                                                      {"\xed\x9f\xbf", true},
                                                      {"\xed\xa0\x80", false},
                                                      {"\xef\xbf\xbf", true},
                                                      {"\xf0\x8f\xbf\xbf", false},
                                                      {"\xf0\x90\x80\x80", true},
                                                      {"\xf4\x8f\xbf\xbf", true},
                                                      {"\xf4\x90\x80\x80", false},
                                                      {"\xf5\x80\x80\x80", false},
                                                      {"\xc3", false},
                                                      {"\xe2\x82", false},
                                                      {"\xf0\x9f\x98", false},
                                                      {"\x80", false},
                                                      {"\xc3 ", false},
                                                      {"\xe2\x82 ", false},
                                                      {"\xf0\x9f\x98 ", false}};
  for (const auto& [name, is_utf8] : all) {
    const std::string there = name_at_broker(name, "");
    EXPECT_EQ(there == name, is_utf8) << there;
    EXPECT_EQ(name_from_broker(there, ""), name);
  }
  for (char c = 1; c < 0x20; ++c) EXPECT_EQ(name_at_broker({&c, 1}, "").size(), 3U);
}

TEST(QueueNames, HaveALength) {
  EXPECT_NE(refusal(""), "");
  EXPECT_EQ(refusal(std::string(kMaxQueueName, 'q')), "");
  EXPECT_NE(refusal(std::string(kMaxQueueName + 1, 'q')), "");
  const std::string prefix(kMaxNameAtBroker - kMaxQueueName, 'p');
  EXPECT_EQ(refusal(std::string(kMaxQueueName, 'q'), prefix), "");
  EXPECT_NE(refusal(std::string(kMaxQueueName, 'q'), prefix + "p"), "");
  EXPECT_EQ(refusal(std::string(kMaxNameAtBroker / 3, '\n')), "");
  EXPECT_NE(refusal(std::string(kMaxNameAtBroker / 3 + 1, '\n')), "");
}

TEST(QueueNames, HoldNoNul) {
  EXPECT_NE(refusal(std::string("a\0b", 3)), "");
  EXPECT_NE(refusal(std::string(1, '\0')), "");
}

TEST(QueueNames, ThatAreReservedAreRefusedAndNotListed) {
  for (const std::string& name : {std::string("amq."), std::string("amq.q"), std::string("swapmq."),
                                  std::string("swapmq.delay.64.q")}) {
    EXPECT_NE(refusal(name), "") << name;
    EXPECT_EQ(name_from_broker(name, ""), std::nullopt) << name;
    EXPECT_EQ(refusal(name, "p"), "") << name;
    EXPECT_EQ(name_from_broker("p" + name, "p"), name);
  }
  EXPECT_NE(refusal(".q", "amq"), ""); // together they are
  EXPECT_NE(refusal("mq.q", "swap"), "");
  EXPECT_EQ(name_from_broker("swapmq.q", "swap"), std::nullopt);
  EXPECT_EQ(refusal("amq"), "");
  EXPECT_EQ(refusal("swapmq"), "");
}

TEST(QueueNames, ThatNobodyHereMakesAreNotListed) {
  for (const char* at_broker : {"%", "%4", "a%", "%zz", "%2G", "%25%2", "%41", "%c3%bc", "a%0d"}) {
    EXPECT_EQ(name_from_broker(at_broker, ""), std::nullopt) << at_broker;
  }
  EXPECT_EQ(name_from_broker("\xc3", ""), std::nullopt);
  EXPECT_EQ(name_from_broker("a\n", ""), std::nullopt);
  EXPECT_EQ(name_from_broker("", ""), std::nullopt);
  EXPECT_EQ(name_from_broker("p", "p"), std::nullopt);
  EXPECT_EQ(name_from_broker("q", "p"), std::nullopt);
  EXPECT_EQ(name_from_broker("pq", "p"), "q");
}

TEST(QueueNames, OfDelayQueuesFitTheBroker) {
  const std::string longest = delay_queue_name(std::string(kMaxNameAtBroker, 'q'), 2147483648);
  EXPECT_LE(longest.size(), 255U);
  EXPECT_TRUE(longest.starts_with("swapmq.delay.2147483648.q"));
  EXPECT_EQ(delay_queue_name("q", 64), "swapmq.delay.64.q");
  EXPECT_EQ(name_from_broker(delay_queue_name("q", 64), ""), std::nullopt);
}

} // namespace
} // namespace swapmq::rabbitmq
