// SPDX-License-Identifier: MIT
//
// When two sections of a config are one backend, and when they are two.
#include "switch/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using swapmq::switching::address_of;
using swapmq::switching::member_of;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* schema = R"({"properties":{
  "url": {"type":"string","x-swapmq-address":true},
  "urls": {"type":"array","x-swapmq-address":true},
  "port": {"type":"integer","x-swapmq-address":true,"default":6379},
  "password": {"type":"string"},
  "window": {"type":"integer"}}})";

std::string address(const char* options) { return address_of(options, schema); }

TEST(Member, IsItsAddressAndNotHowItIsUsed) {
  EXPECT_EQ(address(R"({"port":6379,"window":5})"), address(R"({ "window":6 })"));
  EXPECT_EQ(address(R"({"password":"old"})"), address(R"({"password":"new"})"));
  EXPECT_EQ(address(R"({"port":6379})"), address(R"({"port":6379.0})"));
  EXPECT_NE(address(R"({"port":6379})"), address(R"({"port":6380})"));
}

TEST(Member, IsNotWhoLogsIn) {
  EXPECT_EQ(address(R"({"url":"redis://ann:one@host:1/2"})"),
            address(R"({"url":"redis://host:1/2"})"));
  EXPECT_EQ(address(R"({"urls":["amqp://a:b@x","amqp://y"]})"),
            address(R"({"urls":["amqp://x","amqp://a@y"]})"));
  EXPECT_NE(address(R"({"url":"redis://a@one"})"), address(R"({"url":"redis://a@two"})"));
  EXPECT_THAT(address(R"({"url":"redis://ann:secret@host"})"), Not(HasSubstr("secret")));
}

TEST(Member, WithoutMarksIsAllOptionsButSecretOnes) {
  const auto plain = [](const char* options) { return address_of(options, "{}"); };
  EXPECT_EQ(plain(R"({"path":"x","mode":1,"api_key":"k"})"), plain(R"({"mode":1,"path":"x"})"));
  EXPECT_NE(plain(R"({"path":"x","mode":1})"), plain(R"({"path":"x","mode":2})"));
  // An '@' in what is no URL hides nothing.
  EXPECT_NE(plain(R"({"path":"/a@c"})"), plain(R"({"path":"/b@c"})"));
  EXPECT_NE(plain(R"({"path":"unix:///a@c"})"), plain(R"({"path":"unix:///b@c"})"));
}

TEST(Member, HasAKeyThatNamesPluginAndAddress) {
  const auto member = member_of("redis_stream", R"({"port":1,"password":"p"})", schema);
  EXPECT_THAT(member.key, MatchesRegex("redis_stream-[0-9a-f]{12}"));
  EXPECT_EQ(member.name, "redis_stream");
  EXPECT_EQ(member.options, R"({"port":1,"password":"p"})");
  EXPECT_EQ(member.key, member_of("redis_stream", R"({"port":1})", schema).key);
  EXPECT_NE(member.key, member_of("other", R"({"port":1})", schema).key);
}

} // namespace
