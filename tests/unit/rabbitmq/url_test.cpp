// SPDX-License-Identifier: MIT
//
// URLs of brokers and of the management API.
#include "url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Good {
  std::string url;
  std::string endpoint;
  std::string virtual_host = "/";
  std::string user = "guest";
  std::string password = "guest";
};

TEST(Url, SaysWhereAndWho) {
  const std::string long_name(255, 'v');
  const std::vector<Good> all{
      {"amqp://host", "host:5672"},
      {"amqp://host/", "host:5672"},
      {"amqp://host/%2F", "host:5672"},
      {"amqp://host/%2f", "host:5672"},
      {"amqp://host/a%2Fb", "host:5672", "a/b"},
      {"amqp://host/prod", "host:5672", "prod"},
      {"amqp://host/p%C3%A9%20%25", "host:5672", "p\xc3\xa9 %"},
      {"amqp://host/" + long_name, "host:5672", long_name},
      {"amqp://host?", "host:5672"},
      {"amqp://host/?", "host:5672"},
      {"amqp://host/prod?", "host:5672", "prod"},
      {"amqp://host:1", "host:1"},
      {"amqp://host:65535/prod", "host:65535", "prod"},
      {"amqp://10.0.0.1:7/", "10.0.0.1:7"},
      {"amqp://[::1]", "[::1]:5672"},
      {"amqp://[::1]:7000/prod", "[::1]:7000", "prod"},
      {"amqp://[fe80::1%25eth0]:7000", "[fe80::1%eth0]:7000"},
      {"amqps://host", "host:5671 (TLS)"},
      {"amqps://host:5672/", "host:5672 (TLS)"},
      {"amqps://[2001:db8::1]", "[2001:db8::1]:5671 (TLS)"},
      {"amqp://u:p@host", "host:5672", "/", "u", "p"},
      {"amqp://u:p%40ss@host", "host:5672", "/", "u", "p@ss"},
      {"amqp://u:p@ss@host", "host:5672", "/", "u", "p@ss"},
      {"amqp://u:p:w@host", "host:5672", "/", "u", "p:w"},
      {"amqp://u%3A:%2Fp%3F%23@host:8/v", "host:8", "v", "u:", "/p?#"},
      {"amqps://u:p@[::1]:8/v%2Fw", "[::1]:8 (TLS)", "v/w", "u", "p"},
  };
  for (const Good& good : all) {
    SCOPED_TRACE(good.url);
    Broker broker;
    ASSERT_NO_THROW(broker = broker_of(good.url, "\"url\"", false));
    EXPECT_EQ(broker.endpoint.text(), good.endpoint);
    EXPECT_EQ(broker.endpoint.title(), "RabbitMQ at " + good.endpoint);
    EXPECT_EQ(broker.virtual_host, good.virtual_host);
    EXPECT_EQ(broker.username, good.user);
    EXPECT_EQ(broker.password, good.password);
  }
}

TEST(Url, HasTheOtherPortWhereTheOptionsAskForTls) {
  EXPECT_EQ(broker_of("amqp://host", "\"url\"", true).endpoint.text(), "host:5671 (TLS)");
  EXPECT_EQ(broker_of("amqp://host:5672", "\"url\"", true).endpoint.text(), "host:5672 (TLS)");
  EXPECT_EQ(broker_of("amqps://host", "\"url\"", true).endpoint.text(), "host:5671 (TLS)");
}

std::string refusal(const std::string& url) {
  try {
    broker_of(url, "\"urls\"[3]", false);
    return {};
  } catch (const backend::Failure& failure) {
    EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
    return failure.what();
  }
}

TEST(Url, WhatIsNoneIsRefusedWithHowToWriteIt) {
  const std::vector<std::string> all{
      "",
      "host",
      "host:5672",
      "://host",
      "http://host",
      "AMQP://host",
      "amqp:/host",
      "amqp:host",
      "amqp://",
      "amqp:///prod",
      "amqp://:5672",
      "amqp://host:",
      "amqp://host:0",
      "amqp://host:65536",
      "amqp://host:-1",
      "amqp://host:18446744073709551616",
      "amqp://host:7x",
      "amqp://host: 7",
      "amqp://::1",
      "amqp://[::1",
      "amqp://[]",
      "amqp://[::1]7",
      "amqp://@host",
      "amqp://:@host",
      "amqp://u:p@",
      "amqp://host%",
      "amqp://host%4",
      "amqp://host%4g",
      "amqp://host%00",
      "amqp://u:p%@host",
      "amqp://host/%00",
      "amqp://host/%zz",
      "amqp://host/" + std::string(256, 'v'),
      "amqp://" + std::string(256, 'u') + ":p@host",
      "amqp://u:" + std::string(4097, 'p') + "@host",
  };
  for (const std::string& url : all) {
    EXPECT_THAT(refusal(url), HasSubstr("options of rabbitmq: \"urls\"[3] ")) << url;
    EXPECT_THAT(refusal(url), HasSubstr("; write it as \"amqp://")) << url;
  }
}

TEST(Url, WhatOthersTakeIsRefusedByItsName) {
  EXPECT_THAT(refusal("amqp://u@host"), HasSubstr("a user without a password"));
  EXPECT_THAT(refusal("amqp://u:@host"), HasSubstr("an empty password"));
  EXPECT_THAT(refusal("amqp://:p@host"), HasSubstr("an empty user name"));
  EXPECT_THAT(refusal("amqp://host/a/b"), HasSubstr("written %2F"));
  EXPECT_THAT(refusal("amqp://host//"), HasSubstr("written %2F"));
  for (const char* url : {"amqp://host?heartbeat=5", "amqp://host/?heartbeat=5",
                          "amqp://host/prod?a", "amqp://u:p?w@host"}) {
    EXPECT_THAT(refusal(url), HasSubstr("has a query")) << url;
  }
  EXPECT_THAT(refusal("amqp://host/#x"), HasSubstr("has a '#'"));
}

TEST(ManagementUrl, SaysWhere) {
  struct Place {
    std::string url, endpoint, as;
  };
  const std::vector<Place> all{
      {"http://host", "host:15672", "http://host:15672"},
      {"http://host/", "host:15672", "http://host:15672"},
      {"http://host:80", "host:80", "http://host:80"},
      {"https://host", "host:15671 (TLS)", "https://host:15671"},
      {"https://host:443/?", "host:443 (TLS)", "https://host:443"},
      {"http://[::1]", "[::1]:15672", "http://[::1]:15672"},
      {"https://[fe80::1%25eth0]:9", "[fe80::1%eth0]:9 (TLS)", "https://[fe80::1%25eth0]:9"},
  };
  for (const Place& place : all) {
    SCOPED_TRACE(place.url);
    EXPECT_EQ(management_endpoint(place.url).text(), place.endpoint);
    EXPECT_EQ(management_url(place.url), place.as);
    EXPECT_EQ(management_url(place.as), place.as);
  }
}

TEST(ManagementUrl, WhatIsNoneIsRefused) {
  for (const std::string url :
       {"", "host", "amqp://host", "http://", "http://host:0", "http://host:x", "http://host/api",
        "http://host//", "http://host/?x", "http://host/#", "http://secret@host",
        "http://u:secret@host", "http://u:se/secret@host"}) {
    try {
      management_url(url);
      ADD_FAILURE() << "taken: " << url;
    } catch (const backend::Failure& failure) {
      EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
      EXPECT_THAT(failure.what(), HasSubstr("\"url\" in \"management\" "));
      EXPECT_THAT(failure.what(), HasSubstr("; write it as \"http://host"));
      EXPECT_THAT(failure.what(), Not(HasSubstr("secret")));
    }
  }
}

} // namespace
} // namespace swapmq::rabbitmq
