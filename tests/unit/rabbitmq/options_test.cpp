// SPDX-License-Identifier: MIT
//
// The options: what each of them sets, and that what is wrong is refused by the name of its key and
// without a secret.
#include "options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "../../support/option_checks.hpp"

namespace swapmq::rabbitmq {
namespace {

std::string refusal(const std::string& json) { return test::refusal_by(&parse_options, json); }

std::string repeated(std::size_t times) { return std::string(times, 'x'); }

/// All brokers, each as user:password@HOST:PORT/VIRTUAL_HOST.
std::string brokers_of(const Options& options) {
  std::string all;
  for (const Broker& broker : options.brokers) {
    all += (all.empty() ? "" : " ") + broker.username + ":" + broker.password + "@" +
           broker.endpoint.text() + "/" + broker.virtual_host;
  }
  return all;
}

TEST(Options, HaveDefaults) {
  for (const char* json : {"", "{}", " { } "}) {
    const Options options = parse_options(json);
    EXPECT_EQ(brokers_of(options), "guest:guest@127.0.0.1:5672//");
    EXPECT_EQ(options.connection_timeout, milliseconds(5000));
    EXPECT_EQ(options.retry.max_retry_attempts, 3U);
    EXPECT_EQ(options.retry.retry_delay, milliseconds(100));
    EXPECT_EQ(options.retry.max_retry_delay, milliseconds(5000));
    EXPECT_EQ(options.connection_name + options.queue_prefix, "");
    EXPECT_EQ(options.queue_type, QueueType::quorum);
    EXPECT_EQ(options.durability, SWAPMQ_DURABILITY_POWER);
    EXPECT_EQ(options.management.url, "");
    EXPECT_EQ(options.management.username + options.management.password, "");
    EXPECT_TRUE(options.tls.verify);
  }
}

TEST(Options, AreAllTaken) {
  const Options options = parse_options(R"({
    "host": "mq.example", "port": 7000, "virtual_host": "prod", "username": "u", "password": "p",
    "connection_timeout_seconds": 1.5, "max_retry_attempts": 7, "retry_delay_seconds": 0.25,
    "max_retry_delay_seconds": 0.5, "connection_name": "worker 1", "queue_prefix": "app.",
    "queue_type": "classic", "durability": "replicated",
    "tls": { "server_name": "other.example", "verify": false },
    "management": { "url": "https://mq.example", "username": "m", "password": "n" } })");
  EXPECT_EQ(brokers_of(options), "u:p@mq.example:7000 (TLS)/prod");
  EXPECT_EQ(options.connection_timeout, milliseconds(1500));
  EXPECT_EQ(options.retry.max_retry_attempts, 7U);
  EXPECT_EQ(options.retry.retry_delay, milliseconds(250));
  EXPECT_EQ(options.retry.max_retry_delay, milliseconds(500));
  EXPECT_EQ(options.connection_name, "worker 1");
  EXPECT_EQ(options.queue_prefix, "app.");
  EXPECT_EQ(options.queue_type, QueueType::classic);
  EXPECT_EQ(options.durability, SWAPMQ_DURABILITY_REPLICATED);
  EXPECT_EQ(options.tls.server_name, "other.example");
  EXPECT_FALSE(options.tls.verify);
  EXPECT_EQ(options.management.url, "https://mq.example:15671");
  EXPECT_EQ(options.management.username, "m");
  EXPECT_EQ(options.management.password, "n");
}

uint64_t count(milliseconds time) { return static_cast<uint64_t>(time.count()); }

std::vector<test::Number<Options>> numbers() {
  using O = const Options&;
  return {
      {"publish_chunk", 1, 65536, 128, [](O o) -> uint64_t { return o.publish_chunk; }},
      {"publish_chunk_bytes", 1, 268435456, 262144,
       [](O o) -> uint64_t { return o.publish_chunk_bytes; }},
      {"publish_window", 1, 65536, 2048, [](O o) -> uint64_t { return o.publish_window; }},
      {"settle_grace_ms", 1, 600000, 3000, [](O o) { return count(o.settle_grace); }},
      {"close_timeout_ms", 1, 600000, 2000, [](O o) { return count(o.close_timeout); }},
      {"heartbeat_seconds", 0, 3600, 30, [](O o) { return count(o.heartbeat) / 1000; }},
      {"quorum_group_size", 0, 99, 0, [](O o) -> uint64_t { return o.quorum_group_size; }},
      {"max_message_bytes", 1, 536870912, 134217728, [](O o) { return o.max_message_bytes; }},
      {"keepalive_seconds", 0, 32767, 15,
       [](O o) { return o.brokers.front().endpoint.keepalive_seconds; }},
  };
}

TEST(Options, ThatAreNumbersHaveTheirDefaultAndTheirRange) {
  for (const auto& number : numbers()) {
    test::expect_number(&parse_options, kOptionsSchema, number);
  }
  test::expect_number(
      &parse_options, kOptionsSchema,
      {"max_priority", 0, 9, 0, [](const Options& o) -> uint64_t { return o.max_priority; }},
      R"(, "queue_type": "classic")");
}

TEST(Options, WhatIsForOneTypeOfQueuesIsRefusedWithTheOther) {
  for (const std::string quorum : {"", R"(, "queue_type": "quorum")"}) {
    EXPECT_EQ(parse_options(R"({"max_priority": 0)" + quorum + "}").max_priority, 0U);
    EXPECT_NE(refusal(R"({"max_priority": 1)" + quorum + "}").find("\"max_priority\" is for"),
              std::string::npos);
  }
  const std::string classic = R"(, "queue_type": "classic"})";
  EXPECT_EQ(parse_options(R"({"quorum_group_size": 0)" + classic).quorum_group_size, 0U);
  EXPECT_NE(refusal(R"({"quorum_group_size": 3)" + classic).find("\"quorum_group_size\" is for"),
            std::string::npos);
}

TEST(Options, TheBrokersAreThoseOfTheUrls) {
  const Options one = parse_options(R"({"url": "amqp://u:p@h/v", "keepalive_seconds": 7})");
  EXPECT_EQ(brokers_of(one), "u:p@h:5672/v");
  EXPECT_EQ(one.brokers.front().endpoint.keepalive_seconds, 7U);
  const Options all = parse_options(
      R"({"keepalive_seconds": 7, "urls": ["amqp://a", "amqp://u:p@b:1/v", "amqp://[::1]"]})");
  EXPECT_EQ(brokers_of(all), "guest:guest@a:5672// u:p@b:1/v guest:guest@[::1]:5672//");
  for (const Broker& broker : all.brokers) EXPECT_EQ(broker.endpoint.keepalive_seconds, 7U);
}

TEST(Options, ThereAreUpTo32Urls) {
  std::string urls = R"("amqp://h")";
  for (int i = 1; i < 32; ++i) urls += R"(, "amqp://h")";
  EXPECT_EQ(parse_options("{\"urls\": [" + urls + "]}").brokers.size(), 32U);
  for (const std::string& wrong : {R"("amqp://h", )" + urls, std::string()}) {
    EXPECT_NE(refusal("{\"urls\": [" + wrong + "]}").find("\"urls\" is not an array of 1 to 32"),
              std::string::npos);
  }
}

TEST(Options, TlsIsOnWhereverInTheOptionsItIsSaid) {
  const std::string tls = R"("tls": {})";
  for (const std::string url : {R"("url": "amqp://h")", R"("urls": ["amqp://h"])",
                                R"("urls": ["amqps://h"])", R"("host": "h")"}) {
    for (const std::string& json : {"{" + url + "," + tls + "}", "{" + tls + "," + url + "}"}) {
      EXPECT_EQ(brokers_of(parse_options(json)), "guest:guest@h:5671 (TLS)//") << json;
    }
  }
  EXPECT_EQ(brokers_of(parse_options(R"({"url": "amqps://h"})")), "guest:guest@h:5671 (TLS)//");
  EXPECT_EQ(brokers_of(parse_options(R"({"urls": ["amqp://a", "amqps://b:1"], "tls": {}})")),
            "guest:guest@a:5671 (TLS)// guest:guest@b:1 (TLS)//");
  EXPECT_NE(refusal(R"({"urls": ["amqp://a", "amqps://b"]})").find("some with TLS"),
            std::string::npos);
}

TEST(Options, WithoutAUserTheManagementApiIsAskedByThatOfTheFirstBroker) {
  for (const std::string json :
       {R"({"management": {"url": "http://m"}, "urls": ["amqp://u:p@a", "amqp://v:q@b"]})",
        R"({"management": {"url": "http://m"}, "username": "u", "password": "p"})"}) {
    const Management management = parse_options(json).management;
    EXPECT_EQ(management.url, "http://m:15672");
    EXPECT_EQ(management.username + ":" + management.password, "u:p");
  }
}

TEST(Options, EachDurabilityHasItsWord) {
  const std::vector<std::pair<std::string, int32_t>> words{
      {"none", SWAPMQ_DURABILITY_NONE},
      {"process", SWAPMQ_DURABILITY_PROCESS},
      {"power", SWAPMQ_DURABILITY_POWER},
      {"replicated", SWAPMQ_DURABILITY_REPLICATED}};
  for (const auto& [word, meaning] : words) {
    EXPECT_EQ(parse_options(R"({"durability": ")" + word + "\"}").durability, meaning);
  }
}

TEST(Options, NamesMayBeAsLongAsTheBrokerTakes) {
  EXPECT_EQ(parse_options(R"({"queue_prefix": ")" + repeated(128) + "\"}").queue_prefix,
            repeated(128));
  EXPECT_EQ(parse_options(R"({"connection_name": ")" + repeated(255) + "\"}").connection_name,
            repeated(255));
  const Options options =
      parse_options(R"({"virtual_host": ")" + repeated(255) + R"(", "username": ")" +
                    repeated(255) + R"(", "password": ")" + repeated(4096) + "\"}");
  EXPECT_EQ(options.brokers.front().virtual_host, repeated(255));
  EXPECT_EQ(options.brokers.front().username, repeated(255));
  EXPECT_EQ(options.brokers.front().password, repeated(4096));
}

TEST(Options, WhatIsWrongIsRefusedByItsName) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"prot": 1})", "unknown key \"prot\""},
      {R"({"tls": {"ca": "x"}})", "unknown key \"ca\" in \"tls\""},
      {R"({"tls": true})", "\"tls\" is not an object"},
      {R"({"tls": {"key_file": "/k"}})", "belong together"},
      {R"({"host": ""})", "\"host\" is empty"},
      {R"({"host": 5})", "\"host\" is not a string"},
      {R"({"host": "a\u0000b"})", "\"host\" holds a NUL byte"},
      {R"({"host": ")" + repeated(256) + "\"}", "\"host\" is longer than 255 bytes"},
      {R"({"port": 0})", "\"port\" is not an integer from 1 to 65535"},
      {R"({"port": 65536})", "\"port\""},
      {R"({"port": "5672"})", "\"port\""},
      {R"({"virtual_host": ""})", "\"virtual_host\" is empty"},
      {R"({"virtual_host": "a\u0000b"})", "\"virtual_host\" holds a NUL byte"},
      {R"({"virtual_host": ")" + repeated(256) + "\"}", "\"virtual_host\" is longer than 255"},
      {R"({"username": ""})", "\"username\" is empty"},
      {R"({"username": "u"})", "\"username\" without a \"password\""},
      {R"({"username": "u\u0000", "password": "p"})", "\"username\" holds a NUL byte"},
      {R"({"username": ")" + repeated(256) + "\"}", "\"username\" is longer than 255"},
      {R"({"username": "u", "password": ""})", "\"password\" is empty"},
      {R"({"password": ")" + repeated(4097) + "\"}", "\"password\" is longer than 4096"},
      {R"({"url": 5})", "\"url\" is not a string"},
      {R"({"url": "amqp://h?heartbeat=1"})", "\"url\" has a query"},
      {R"({"url": "amqp://)" + repeated(8192) + "\"}", "\"url\" is longer than 8192"},
      {R"({"urls": "amqp://h"})", "\"urls\" is not an array"},
      {R"({"urls": ["amqp://h", 5]})", "\"urls\"[1] is not a string"},
      {R"({"urls": ["amqp://h", "amqp://h:0"]})", "\"urls\"[1] has the port 0"},
      {R"({"connection_timeout_seconds": 0})", "\"connection_timeout_seconds\""},
      {R"({"connection_timeout_seconds": 601})", "\"connection_timeout_seconds\""},
      {R"({"max_retry_attempts": 1001})", "\"max_retry_attempts\""},
      {R"({"retry_delay_seconds": "soon"})", "\"retry_delay_seconds\""},
      {R"({"max_retry_delay_seconds": 3601})", "\"max_retry_delay_seconds\""},
      {R"({"connection_name": 1})", "\"connection_name\" is not a string"},
      {R"({"connection_name": ")" + repeated(256) + "\"}", "\"connection_name\" is longer"},
      {R"({"queue_prefix": "a\u0000b"})", "\"queue_prefix\" holds a NUL byte"},
      {R"({"queue_prefix": ")" + repeated(129) + "\"}", "\"queue_prefix\" is longer than 128"},
      {R"({"queue_type": "stream"})", R"("queue_type" is not "quorum" or "classic")"},
      {R"({"queue_type": 1})", "\"queue_type\" is not a string"},
      {R"({"durability": "maximal"})", "\"durability\""},
      {R"({"durability": 1})", "\"durability\""},
      {R"({"management": "http://h"})", "\"management\" is not an object"},
      {R"({"management": {}})", "\"management\" without a \"url\""},
      {R"({"management": {"uri": "x"}})", "unknown key \"uri\" in \"management\""},
      {R"({"management": {"url": "amqp://h"}})", "\"url\" in \"management\" does not begin"},
      {R"({"management": {"url": "http://h", "username": "u"}})", "belong together"},
      {R"({"management": {"url": "http://h", "password": "p"}})", "belong together"},
      {R"({"management": {"url": "http://h", "username": ""}})", "\"username\" is empty"},
      {R"([])", "not a JSON object"},
      {R"({"port": 1)", "byte 10"},
      {std::string(100'000, '['), "byte"},
      {"{\"host\": \"\xff\"}", "byte"},
  };
  test::expect_refused(&parse_options, wrong);
}

TEST(Options, AUrlAndItsPartsExcludeEachOther) {
  for (const std::string url : {R"("url": "amqp://x")", R"("urls": ["amqp://x"])"}) {
    for (const std::string member : {R"("host": "h")", R"("port": 1)", R"("virtual_host": "v")",
                                     R"("username": "u")", R"("password": "p")"}) {
      for (const std::string& json :
           {"{" + url + "," + member + "}", "{" + member + "," + url + "}"}) {
        EXPECT_NE(refusal(json).find("say the same thing"), std::string::npos) << json;
      }
    }
  }
  for (const std::string json : {R"({"url": "amqp://x", "urls": ["amqp://x"]})",
                                 R"({"urls": ["amqp://x"], "url": "amqp://x"})"}) {
    EXPECT_NE(refusal(json).find("\"url\" and \"urls\" say the same thing"), std::string::npos);
  }
}

TEST(Options, NoErrorHoldsThePassword) {
  const std::vector<std::string> wrong{
      R"({"password": "hunter2", "port": 0})",
      R"({"password": "hunter2", "nonsense": 0})",
      R"({"password": "hunter2)",
      R"({"password": ["hunter2"]})",
      R"({"password": "hunter2\u0000"})",
      R"({"password": ")" + repeated(5000) + R"(hunter2"})",
      R"({"password": "hunter2", "url": "amqp://h"})",
      R"({"url": "amqp://u:hunter2@h", "host": "h"})",
      R"({"url": "amqp://u:hunter2@"})",
      R"({"url": "amqp://u:hunter2@h:port"})",
      R"({"url": "amqp://u:hunter2@h:0"})",
      R"({"url": "amqp://u:hunter2@h/a/b"})",
      R"({"url": "amqp://u:hunter2%@h"})",
      R"({"url": "amqp://u:hunter2%zz@h"})",
      R"({"url": "amqp://u:hunter2%00@h"})",
      R"({"url": "amqp://u:/hunter2@h"})",
      R"({"url": "amqp://u:?hunter2@h"})",
      R"({"url": "amqp://u:#hunter2@h"})",
      R"({"url": "amqp://hunter2@h"})",
      R"({"url": "amqp://:hunter2@h"})",
      R"({"url": "amqp://u:hunter2@[::1"})",
      R"({"url": "amqp://u:hunter2@[::1]x"})",
      R"({"url": "amqp://h?password=hunter2"})",
      R"({"url": "http://u:hunter2@h"})",
      R"({"url": "u:hunter2@h"})",
      R"({"url": "hunter2"})",
      R"({"urls": ["amqp://u:hunter2@h", "amqps://u:hunter2@h"]})",
      R"({"urls": ["amqp://u:hunter2@h", "amqp://u:hunter2@h:x"]})",
      R"({"urls": [["hunter2"]]})",
      R"({"urls": "amqp://u:hunter2@h"})",
      R"({"url": "amqp://u:hunter2@h", "tls": {"key_file": "/k"}})",
      R"({"url": "amqp://u:hunter2@h", "max_priority": 3})",
      R"({"management": {"url": "http://u:hunter2@h"}})",
      R"({"management": {"url": "http://h", "password": "hunter2"}})",
      R"({"management": {"url": "http://h", "password": ["hunter2"]}})",
  };
  test::expect_refused_without(&parse_options, "hunter2", wrong);
}

} // namespace
} // namespace swapmq::rabbitmq
