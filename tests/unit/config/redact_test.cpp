// SPDX-License-Identifier: MIT
//
// No secret in a message, nor in a config that is shown.
#include "config/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

TEST(ConfigRedact, KnowsTheNamesOfSecrets) {
  for (const char* key :
       {"password", "Password", "db_password", "sasl-passwd", "pwd", "client_secret", "token",
        "accessToken", "api_key", "apikey", "private-key", "credentials", "auth", "redis_auth",
        "erlang_cookie", "passphrase"}) {
    EXPECT_TRUE(is_secret_key(key)) << key;
  }
  for (const char* key : {"path", "url", "user", "author", "authority", "ordering_key", "type", "",
                          "synchronous", "key"}) {
    EXPECT_FALSE(is_secret_key(key)) << key;
  }
}

TEST(ConfigRedact, HidesUserinfoAndParameters) {
  const std::pair<const char*, const char*> cases[] = {
      {"redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"},
      {"amqp://user:hunter2@host:5672/v", "amqp://***@host:5672/v"},
      {"redis://:hunter2@host", "redis://***@host"},
      {"redis://u:hun@ter2@host", "redis://***@host"},
      {"user:hunter2@host", "***@host"},
      {"redis:/u:hunter2@host", "***@host"},
      {"https://h/?password=hunter2&x=1", "https://h/?password=***&x=1"},
      {"host=h password=hunter2 port=1", "host=h password=*** port=1"},
      {"plain text", "plain text"},
      {"", ""},
  };
  for (const auto& [text, clean] : cases) EXPECT_EQ(redact_text(text), clean);
}

TEST(ConfigRedact, KeepsTheRestOfAConfigAsItIs) {
  EXPECT_EQ(redact_json(R"( { "a": { "password": "hunter2", "n": 1.50 },
    "token": [1, 2], "url": "redis://u:hunter2@h/\u0041", "last": true } )"),
            R"({ "a": { "password": "***", "n": 1.50 },
    "token": "***", "url": "redis://***@h/A", "last": true })");
  EXPECT_EQ(redact_json(R"({"password": "hunter2")"), "***");
  EXPECT_EQ(redact_json("3"), "3");
}

TEST(ConfigRedact, NoErrorShowsASecret) {
  // Every way that a value could get into a message.
  const char* texts[] = {
      R"({ "message_queue": { "type": "redis_stream", "redis_stream": { "url": "x://a:hunter2@h" } } })",
      R"({ "message_queue": { "type": "redis_stream", "redis_stream": { "url": 1, "password": ["hunter2"] } } })",
      R"({ "message_queue": { "type": "redis_stream", "redis_stream": { "url": "hunter2@h", "password": {"hunter1": 1} } } })",
      R"({ "message_queue": { "type": "a:hunter2@h" } })",
      R"({ "message_queue": { "password": hunter2 } })",
      R"({ "message_queue": { "password": "hunter2 } })",
      R"({ "message_queue": { "password": "hunter2\q" } })",
      R"({ "message_queue": { "password": "hunter2" x } })",
      R"({ "message_queue": { "password": -hunter2 } })",
      R"({ "message_queue": { "password": "hunter2" } })",
      R"({ "message_queue": { "type": "memory", "memory": { "token": "hunter2" } } })",
      R"({ "message_queue": { "type": "memory", "pool": "password=hunter2" } })",
  };
  for (const char* text : texts) {
    const auto errors = errors_of(text);
    EXPECT_THAT(errors, testing::Not(testing::IsEmpty())) << text;
    EXPECT_THAT(errors, testing::Each(testing::Not(testing::HasSubstr("hunter2")))) << text;
  }
  EXPECT_THAT(violations(R"({"properties": {"password": {"enum": ["a"], "pattern": "^a"}}})",
                         R"({"password": "hunter2"})"),
              testing::Each(testing::Not(testing::HasSubstr("hunter2"))));
}

} // namespace
} // namespace swapmq::config
