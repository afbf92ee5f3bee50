// SPDX-License-Identifier: MIT
//
// URLs, as Redis' own tools write them.
#include "url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::redis {
namespace {

struct Good {
  const char* url;
  const char* endpoint;
  uint32_t database = 0;
  const char* user = "";
  const char* password = "";
};

TEST(Url, SaysWhereAndWho) {
  const std::vector<Good> all{
      {"redis://h", "h:6379"},
      {"redis://h/", "h:6379"},
      {"redis://h:1", "h:1"},
      {"redis://h:65535/1000000", "h:65535", 1000000},
      {"rediss://h:7000/2", "h:7000 (TLS)", 2},
      {"redis://10.0.0.1:7/15", "10.0.0.1:7", 15},
      {"redis://[::1]", "[::1]:6379"},
      {"redis://[::1]:7000/3", "[::1]:7000", 3},
      {"redis://[fe80::1%25eth0]:7000", "[fe80::1%eth0]:7000"},
      {"redis://:pw@h", "h:6379", 0, "", "pw"},
      {"redis://me:pw@h:8/9", "h:8", 9, "me", "pw"},
      {"rediss://me:pw@[2001:db8::1]:8/9", "[2001:db8::1]:8 (TLS)", 9, "me", "pw"},
      {"redis://m%65:p%40%3A%2F%25%20w@h", "h:6379", 0, "me", "p@:/% w"},
      {"redis://me:p%c3%a9@h", "h:6379", 0, "me", "p\xc3\xa9"},
      {"redis://me:p@w@h", "h:6379", 0, "me", "p@w"},
      {"redis://me:p:w@h", "h:6379", 0, "me", "p:w"},
      {"unix:///run/redis.sock", "unix:/run/redis.sock"},
      {"unix:///run/redis.sock?db=4", "unix:/run/redis.sock", 4},
      {"redis+unix:///r%20s", "unix:/r s"},
      {"unix://me:pw@/run/s?db=1", "unix:/run/s", 1, "me", "pw"},
      {"unix://:p%2Fw@/run/s", "unix:/run/s", 0, "", "p/w"},
  };
  for (const Good& good : all) {
    Options options;
    ASSERT_NO_THROW(apply_url(good.url, options)) << good.url;
    EXPECT_EQ(options.endpoint.text(), good.endpoint) << good.url;
    EXPECT_EQ(options.database, good.database) << good.url;
    EXPECT_EQ(options.username, good.user) << good.url;
    EXPECT_EQ(options.password, good.password) << good.url;
  }
}

TEST(Url, WhatIsNoneIsRefusedWithHowToWriteIt) {
  const std::vector<std::string> all{
      "",
      "h",
      "h:6379",
      "://h",
      "http://h",
      "REDIS://h",
      "redis:/h",
      "redis://",
      "redis:///0",
      "redis://:6379",
      "redis://h:",
      "redis://h:0",
      "redis://h:65536",
      "redis://h:-1",
      "redis://h:18446744073709551616",
      "redis://h:7x",
      "redis://h: 7",
      "redis://::1",
      "redis://[::1",
      "redis://[]",
      "redis://[::1]7",
      "redis://h/x",
      "redis://h/1/",
      "redis://h/-1",
      "redis://h/1000001",
      "redis://h/0?db=1",
      "redis://u@h",
      "redis://@h",
      "redis://u:@h",
      "redis://:@h",
      "redis://u:p@",
      "redis://h%",
      "redis://h%4",
      "redis://h%4g",
      "redis://h%00",
      "redis://u:p%@h",
      "unix://",
      "unix://relative/path",
      "unix:/path",
      "unix://u@/path",
      "unix:///path?",
      "unix:///path?db=",
      "unix:///path?db=x",
      "unix:///path?name=1",
      "unix:///path?db=1&x=2",
      "unix:///pa%00th",
  };
  for (const std::string& url : all) {
    Options options;
    try {
      apply_url(url, options);
      ADD_FAILURE() << "taken: " << url;
    } catch (const backend::Failure& failure) {
      EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
      EXPECT_NE(std::string(failure.what()).find("write it as \"redis://"), std::string::npos)
          << failure.what();
    }
  }
}

} // namespace
} // namespace swapmq::redis
