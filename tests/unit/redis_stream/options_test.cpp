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

namespace swapmq::redis {
namespace {

std::string refusal(const std::string& json) { return test::refusal_by(&parse_options, json); }

TEST(Options, HaveDefaults) {
  for (const char* json : {"", "{}", " { } "}) {
    const Options options = parse_options(json);
    EXPECT_EQ(options.endpoint.text(), "127.0.0.1:6379");
    EXPECT_EQ(options.database, 0U);
    EXPECT_EQ(options.username + options.password, "");
    EXPECT_EQ(options.connection_timeout, milliseconds(5000));
    EXPECT_EQ(options.retry.max_retry_attempts, 3U);
    EXPECT_EQ(options.retry.retry_delay, milliseconds(100));
    EXPECT_EQ(options.key_prefix + options.consumer_group_prefix + options.consumer_id, "");
    EXPECT_EQ(options.lease, milliseconds(30'000));
    EXPECT_EQ(options.wait_replicas, 0U);
    EXPECT_EQ(options.wait_timeout, milliseconds(1000));
    EXPECT_EQ(options.durability, SWAPMQ_DURABILITY_NONE);
    EXPECT_EQ(options.max_length, 0U);
    EXPECT_EQ(options.deduplication_window, milliseconds(0));
    EXPECT_TRUE(options.tls.verify);
  }
}

TEST(Options, AreAllTaken) {
  const Options options = parse_options(R"({
    "host": "db.example", "port": 7000, "database": 3, "username": "u", "password": "p",
    "connection_timeout_seconds": 1.5, "max_retry_attempts": 7, "retry_delay_seconds": 0.25,
    "key_prefix": "app:", "consumer_group_prefix": "g:", "consumer_id": "worker 1",
    "lease_ms": 1234, "wait_replicas": 2, "wait_timeout_ms": 50, "durability": "replicated",
    "max_length": 1000000000000, "deduplication_window_ms": 60000,
    "tls": { "server_name": "other.example", "verify": false } })");
  EXPECT_EQ(options.endpoint.text(), "db.example:7000 (TLS)");
  EXPECT_EQ(options.database, 3U);
  EXPECT_EQ(options.username, "u");
  EXPECT_EQ(options.password, "p");
  EXPECT_EQ(options.connection_timeout, milliseconds(1500));
  EXPECT_EQ(options.retry.max_retry_attempts, 7U);
  EXPECT_EQ(options.retry.retry_delay, milliseconds(250));
  EXPECT_EQ(options.key_prefix, "app:");
  EXPECT_EQ(options.consumer_group_prefix, "g:");
  EXPECT_EQ(options.consumer_id, "worker 1");
  EXPECT_EQ(options.lease, milliseconds(1234));
  EXPECT_EQ(options.wait_replicas, 2U);
  EXPECT_EQ(options.wait_timeout, milliseconds(50));
  EXPECT_EQ(options.durability, SWAPMQ_DURABILITY_REPLICATED);
  EXPECT_EQ(options.max_length, 1'000'000'000'000U);
  EXPECT_EQ(options.deduplication_window, milliseconds(60'000));
  EXPECT_EQ(options.tls.server_name, "other.example");
  EXPECT_FALSE(options.tls.verify);
}

uint64_t count(milliseconds time) { return static_cast<uint64_t>(time.count()); }

std::vector<test::Number<Options>> numbers() {
  using O = const Options&;
  return {
      {"publish_chunk", 1, 65536, 128, [](O o) -> uint64_t { return o.publish_chunk; }},
      {"publish_chunk_bytes", 1, 268435456, 262144,
       [](O o) -> uint64_t { return o.publish_chunk_bytes; }},
      {"publish_window", 1, 65536, 1024, [](O o) -> uint64_t { return o.publish_window; }},
      {"read_batch", 1, 65536, 4096, [](O o) -> uint64_t { return o.read_batch; }},
      {"read_batch_bytes", 1024, 268435456, 8388608,
       [](O o) -> uint64_t { return o.read_batch_bytes; }},
      {"script_batch", 1, 2000, 500, [](O o) -> uint64_t { return o.script_batch; }},
      {"ack_batch", 1, 65536, 512, [](O o) -> uint64_t { return o.ack_batch; }},
      {"block_ms", 100, 3600000, 2000, [](O o) { return count(o.block); }},
      {"take_interval_ms", 10, 3600000, 200, [](O o) { return count(o.take_interval); }},
      {"rescue_interval_ms", 50, 3600000, 1000, [](O o) { return count(o.rescue_interval); }},
      {"settle_grace_ms", 1, 600000, 3000, [](O o) { return count(o.settle_grace); }},
      {"close_timeout_ms", 1, 600000, 2000, [](O o) { return count(o.close_timeout); }},
      {"keepalive_seconds", 0, 32767, 15, [](O o) { return o.endpoint.keepalive_seconds; }},
  };
}

TEST(Options, ThatAreNumbersHaveTheirDefaultAndTheirRange) {
  for (const auto& number : numbers()) {
    test::expect_number(&parse_options, kOptionsSchema, number);
  }
}

TEST(Options, TheLongestDelayBetweenAttemptsIsSaid) {
  EXPECT_EQ(parse_options("{}").retry.max_retry_delay, milliseconds(5000));
  EXPECT_EQ(parse_options(R"({"max_retry_delay_seconds": 0.5})").retry.max_retry_delay,
            milliseconds(500));
  EXPECT_NE(refusal(R"({"max_retry_delay_seconds": 3601})"), "");
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

TEST(Options, FilesAreMadeAbsolute) {
  const Options options = parse_options(
      R"({"tls": {"ca_file": "ca.pem", "certificate_file": "/c.pem", "key_file": "/k.pem"}})");
  EXPECT_EQ(options.tls.ca_file.front(), '/');
  EXPECT_TRUE(options.tls.ca_file.ends_with("/ca.pem"));
  EXPECT_EQ(options.tls.certificate_file, "/c.pem");
  EXPECT_EQ(options.tls.key_file, "/k.pem");
}

TEST(Options, TlsIsOnWhereverInTheOptionsItIsSaid) {
  const std::string url = R"("url": "redis://db.example")";
  const std::string tls = R"("tls": {})";
  EXPECT_TRUE(parse_options("{" + url + "," + tls + "}").endpoint.tls);
  EXPECT_TRUE(parse_options("{" + tls + "," + url + "}").endpoint.tls);
  EXPECT_TRUE(parse_options(R"({"url": "rediss://db.example"})").endpoint.tls);
  EXPECT_FALSE(parse_options("{" + url + "}").endpoint.tls);
}

TEST(Options, WhatIsWrongIsRefusedByItsName) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"prot": 1})", "unknown key \"prot\""},
      {R"({"tls": {"ca": "x"}})", "unknown key \"ca\" in \"tls\""},
      {R"({"tls": true})", "\"tls\" is not an object"},
      {R"({"tls": {"verify": 1}})", "\"verify\""},
      {R"({"tls": {"ca_file": ""}})", "\"ca_file\" is empty"},
      {R"({"tls": {"ca_file": 5}})", "\"ca_file\" is not a string"},
      {R"({"tls": {"key_file": "/k"}})", "belong together"},
      {R"({"tls": {"certificate_file": "/c"}})", "belong together"},
      {R"({"host": ""})", "\"host\" is empty"},
      {R"({"host": "a\u0000b"})", "\"host\" holds a NUL byte"},
      {R"({"port": 0})", "\"port\" is not an integer from 1 to 65535"},
      {R"({"port": 65536})", "\"port\""},
      {R"({"port": "6379"})", "\"port\""},
      {R"({"port": 1.5})", "\"port\""},
      {R"({"database": -1})", "\"database\""},
      {R"({"database": 1000001})", "\"database\""},
      {R"({"connection_timeout_seconds": 0})", "\"connection_timeout_seconds\""},
      {R"({"connection_timeout_seconds": 601})", "\"connection_timeout_seconds\""},
      {R"({"retry_delay_seconds": "soon"})", "\"retry_delay_seconds\""},
      {R"({"max_retry_attempts": 1001})", "\"max_retry_attempts\""},
      {R"({"lease_ms": 0})", "\"lease_ms\""},
      {R"({"wait_timeout_ms": 0})", "\"wait_timeout_ms\""},
      {R"({"wait_replicas": -1})", "\"wait_replicas\""},
      {R"({"durability": "maximal"})", "\"durability\""},
      {R"({"durability": 1})", "\"durability\""},
      {R"({"max_length": 1000000000001})", "\"max_length\""},
      {R"({"deduplication_window_ms": 2592000001})", "\"deduplication_window_ms\""},
      {R"({"key_prefix": 1})", "\"key_prefix\""},
      {R"({"username": "u"})", "\"username\" without a \"password\""},
      {R"({"url": 5})", "\"url\" is not a string"},
      {R"([])", "not a JSON object"},
      {R"({"port": 1)", "byte 10"},
      {std::string(100'000, '['), "byte"},
      {"{\"host\": \"\xff\"}", "byte"},
      {R"({"consumer_id": ")" + std::string(256, 'x') + "\"}",
       "\"consumer_id\" is longer than 255"},
  };
  test::expect_refused(&parse_options, wrong);
}

TEST(Options, AUrlAndItsPartsExcludeEachOther) {
  for (const std::string member : {R"("host": "h")", R"("port": 1)", R"("database": 0)",
                                   R"("username": "u")", R"("password": "p")"}) {
    for (const std::string& json :
         {R"({"url": "redis://x", )" + member + "}", "{" + member + R"(, "url": "redis://x"})"}) {
      EXPECT_NE(refusal(json).find("say the same thing"), std::string::npos) << json;
    }
  }
  for (const std::string json :
       {R"({"url": "unix:///s", "tls": {}})", R"({"tls": {}, "url": "unix:///s"})"}) {
    EXPECT_NE(refusal(json).find("does not leave the machine"), std::string::npos) << json;
  }
}

TEST(Options, NoErrorHoldsThePassword) {
  const std::vector<std::string> wrong{
      R"({"password": "hunter2", "port": 0})",
      R"({"password": "hunter2", "nonsense": 0})",
      R"({"password": "hunter2)",
      R"({"password": "hunter2" x})",
      R"({"password": ["hunter2"]})",
      R"({"password": "hunter2\u0000"})",
      R"({"password": ")" + std::string(5000, 'x') + R"(hunter2"})",
      R"({"password": "hunter2", "url": "redis://h"})",
      R"({"url": "redis://u:hunter2@h", "host": "h"})",
      R"({"url": "redis://u:hunter2@"})",
      R"({"url": "redis://u:hunter2@h:port"})",
      R"({"url": "redis://u:hunter2@h:0"})",
      R"({"url": "redis://u:hunter2@h/database"})",
      R"({"url": "redis://u:hunter2%@h"})",
      R"({"url": "redis://u:hunter2%zz@h"})",
      R"({"url": "redis://u:hunter2%00@h"})",
      R"({"url": "redis://u:/hunter2@h"})",
      R"({"url": "redis://hunter2@h"})",
      R"({"url": "redis://u:hunter2@[::1"})",
      R"({"url": "redis://u:hunter2@[::1]x"})",
      R"({"url": "http://u:hunter2@h"})",
      R"({"url": "u:hunter2@h"})",
      R"({"url": "hunter2"})",
      R"({"url": "unix://hunter2/path"})",
      R"({"url": "unix://u:hunter2@"})",
      R"({"url": "unix://u:hunter2@/s?password=hunter2"})",
      R"({"url": "unix://u:hunter2@/s", "tls": {}})",
      R"({"url": "redis://u:hunter2@h", "tls": {"key_file": "/k"}})",
  };
  test::expect_refused_without(&parse_options, "hunter2", wrong);
}

TEST(Options, AnErrorIsOneLineWhateverTheKey) {
  const std::string text = refusal("{\"a\\nb\\u001b[2J\": 1}");
  for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << text;
}

} // namespace
} // namespace swapmq::redis
