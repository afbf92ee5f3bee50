// SPDX-License-Identifier: MIT
//
// What becomes of a config in which nothing is wrong, and how sections and plugins go together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/config.h"
#include "config/core_schema.h"
#include "config/queue_name.h"
#include "fake_schemas.h"

namespace swapmq::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kCanonical = R"({ "message_queue": {
    "type": "sqlite",
    "sqlite": { "path": "./swapmq-data/queues.db" },
    "redis_stream": { "url": "redis://127.0.0.1:6379/0" },
    "rabbitmq": { "url": "amqp://127.0.0.1:5672/" },
    "task_queue": "tasks", "status_queue": "status_updates", "heartbeat_queue": "heartbeats", "control_queue": "control",
    "max_retries": 3, "retry_delay_seconds": 60, "connection_timeout_seconds": 30,
    "pool": { "publish_sessions": 2, "consume_sessions": 1 } },
  "queues": { "tasks": { "max_deliveries": 5, "dead_letter_queue": "tasks.dead" } } })";

Config parsed(std::string_view json) {
  FakePlugins plugins;
  Parsed result = parse(json, "swapmq.json", plugins.lookup());
  EXPECT_THAT(lines_of(result.errors), IsEmpty()) << json;
  return result.config.value_or(Config{});
}

TEST(ConfigParse, TheCanonicalConfigIsTakenAsItStands) {
  const Config config = parsed(kCanonical);
  EXPECT_EQ(config.file, "swapmq.json");
  EXPECT_EQ(config.type, "sqlite");
  EXPECT_EQ(config.options.at("sqlite"), R"({"path":"./swapmq-data/queues.db"})");
  EXPECT_EQ(config.options.at("redis_stream"), R"({"url":"redis://127.0.0.1:6379/0"})");
  EXPECT_EQ(config.options.at("rabbitmq"), R"({"url":"amqp://127.0.0.1:5672/"})");
  EXPECT_EQ(config.options.size(), 3u);
  EXPECT_EQ(config.options_of(config.type), config.options.at("sqlite"));
  EXPECT_EQ(config.max_retries, 3u);
  EXPECT_EQ(config.retry_delay, milliseconds(60'000));
  EXPECT_EQ(config.connection_timeout, milliseconds(30'000));
  EXPECT_EQ(config.pool.publish_sessions, 2u);
  EXPECT_EQ(config.queue("tasks").max_deliveries, 5u);
  EXPECT_EQ(config.queue("tasks").dead_letter_queue, "tasks.dead");
}

TEST(ConfigParse, OneWordSwitchesTheBackend) {
  std::string json = kCanonical;
  json.replace(json.find("\"sqlite\","), 9, "\"redis_stream\",");
  const Config config = parsed(json);
  EXPECT_EQ(config.type, "redis_stream");
  EXPECT_EQ(config.options_of(config.type), R"({"url":"redis://127.0.0.1:6379/0"})");
}

TEST(ConfigParse, EveryKeyArrives) {
  const Config config = parsed(R"({
    "message_queue": { "type": "memory", "task_queue": "t", "status_queue": "s",
      "heartbeat_queue": "h", "control_queue": "c", "max_retries": 0, "retry_delay_seconds": 0.25,
      "connection_timeout_seconds": 1.5, "pool": { "publish_sessions": 7, "consume_sessions": 8 } },
    "queues": { "a/../b c": { "max_deliveries": 1, "max_length": 1000000000000,
      "strict_order": true, "dead_letter_queue": "graves" } },
    "plugin_path": ["/opt/one", "two"],
    "plugins": { "memory": { "sha256":
      "ABCDEF0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789" } },
    "switch": { "allow_capability_loss": true, "policy": "leave", "order": "strict", "hold_publishes": true,
      "prepare_timeout_seconds": 2, "drain_timeout_seconds": 3, "stranded_timeout_seconds": 4 },
    "state_dir": "/var/lib/swapmq",
    "log": { "level": "debug", "file": "/var/log/swapmq.log" } })");
  EXPECT_THAT((std::vector{config.task_queue, config.status_queue, config.heartbeat_queue,
                           config.control_queue}),
              ElementsAre("t", "s", "h", "c"));
  EXPECT_EQ(config.max_retries, 0u);
  EXPECT_EQ(config.retry_delay, milliseconds(250));
  EXPECT_EQ(config.connection_timeout, milliseconds(1500));
  EXPECT_EQ(config.pool.publish_sessions, 7u);
  EXPECT_EQ(config.pool.consume_sessions, 8u);
  const QueueConfig queue = config.queue("a/../b c");
  EXPECT_EQ(queue.max_deliveries, 1u);
  EXPECT_EQ(queue.max_length, 1'000'000'000'000u);
  EXPECT_TRUE(queue.strict_order);
  EXPECT_EQ(queue.dead_letter_queue, "graves");
  EXPECT_THAT(config.plugin_path, ElementsAre("/opt/one", "two"));
  EXPECT_EQ(config.sha256.at("memory"),
            "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
  EXPECT_TRUE(config.switching.allow_capability_loss);
  EXPECT_EQ(config.switching.policy, BacklogPolicy::leave);
  EXPECT_EQ(config.switching.order, SwitchOrder::strict);
  EXPECT_TRUE(config.switching.hold_publishes);
  EXPECT_EQ(config.switching.prepare_timeout, milliseconds(2000));
  EXPECT_EQ(config.switching.drain_timeout, milliseconds(3000));
  EXPECT_EQ(config.switching.stranded_timeout, milliseconds(4000));
  EXPECT_EQ(config.state_dir, "/var/lib/swapmq");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.log_file, "/var/log/swapmq.log");
}

TEST(ConfigParse, DefaultsOfTheStructAndOfTheSchemaAgree) {
  ASSERT_EQ(core_schema().error(), "");
  const Config config = parsed(R"({ "message_queue": { "type": "memory" } })");
  const Node& keys =
      *core_schema().root().find("properties")->find("message_queue")->find("properties");
  const auto text = [&](const char* key) { return keys.find(key)->find("default")->text; };
  const auto number = [](const Node& of) { return number_of(*of.find("default")); };
  EXPECT_EQ(config.task_queue, text("task_queue"));
  EXPECT_EQ(config.status_queue, text("status_queue"));
  EXPECT_EQ(config.heartbeat_queue, text("heartbeat_queue"));
  EXPECT_EQ(config.control_queue, text("control_queue"));
  EXPECT_EQ(config.max_retries, number(*keys.find("max_retries")));
  EXPECT_EQ(config.retry_delay.count(), number(*keys.find("retry_delay_seconds")) * 1000);
  EXPECT_EQ(config.connection_timeout.count(),
            number(*keys.find("connection_timeout_seconds")) * 1000);
  const Node& pool = *keys.find("pool")->find("properties");
  EXPECT_EQ(config.pool.publish_sessions, number(*pool.find("publish_sessions")));
  EXPECT_EQ(config.pool.consume_sessions, number(*pool.find("consume_sessions")));
  const Node& switching =
      *core_schema().root().find("properties")->find("switch")->find("properties");
  const auto seconds = [&](const char* key) { return number(*switching.find(key)) * 1000; };
  EXPECT_EQ(config.switching.prepare_timeout.count(), seconds("prepare_timeout_seconds"));
  EXPECT_EQ(config.switching.drain_timeout.count(), seconds("drain_timeout_seconds"));
  EXPECT_EQ(config.switching.stranded_timeout.count(), seconds("stranded_timeout_seconds"));
  EXPECT_EQ(to_string(config.switching.policy), switching.find("policy")->find("default")->text);
  EXPECT_EQ(to_string(config.switching.order), switching.find("order")->find("default")->text);
  const Node& log = *core_schema().root().find("properties")->find("log")->find("properties");
  EXPECT_EQ(config.log_level, log.find("level")->find("default")->text);
  EXPECT_EQ(config.log_file, "");
}

TEST(ConfigParse, EveryKeyOfTheCoreIsDescribed) {
  const std::function<void(const Node&)> visit = [&](const Node& schema) {
    for (const char* holder : {"properties"}) {
      const Node* each = schema.find(holder) ? schema.find(holder)->first_child : nullptr;
      for (; each != nullptr; each = each->next) {
        EXPECT_NE(each->find("description"), nullptr) << pointer_of(*each);
        visit(*each);
      }
    }
    const Node* more = schema.find("additionalProperties");
    if (more != nullptr && more->kind == Kind::object) visit(*more);
  };
  visit(core_schema().root());
}

TEST(ConfigParse, DefaultsOfAQueue) {
  const Config config = parsed(R"({ "message_queue": { "type": "memory", "max_retries": 9 },
    "queues": { "a": { "max_length": 5 }, "b": { "max_deliveries": 2 } } })");
  EXPECT_EQ(config.queue("a").max_deliveries, 10u);
  EXPECT_EQ(config.queue("a").max_length, 5u);
  EXPECT_EQ(config.queue("a").dead_letter_queue, "a.dead");
  EXPECT_EQ(config.queue("b").max_deliveries, 2u);
  EXPECT_EQ(config.queue("unnamed").max_deliveries, 10u);
  EXPECT_EQ(config.queue("unnamed").max_length, 0u);
  EXPECT_FALSE(config.queue("unnamed").strict_order);
  Config extreme = config;
  extreme.max_retries = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(extreme.queue("a").max_deliveries, extreme.max_retries);
}

TEST(ConfigParse, TheEmbeddedDefaultIsRight) {
  const Config config = parsed(embedded_default());
  EXPECT_EQ(config.type, "sqlite");
  EXPECT_EQ(config.options_of(config.type), R"({"path":"./swapmq-data/queues.db"})");
}

TEST(ConfigParse, OptionsAreCompactAndOtherwiseUnchanged) {
  const Config config = parsed(
      "{ \"message_queue\": { \"type\": \"memory\", \"other\": {\n"
      "  \"n\": [ 1.50, 1e5, -0, 12345678901234567890 ],\t\"s\": "
      "\"a \\\" \\\\ \\u0041  b\",\r\n \"o\" : { } } } }");
  EXPECT_EQ(config.options.at("other"), R"({"n":[1.50,1e5,-0,12345678901234567890],)"
                                        R"("s":"a \" \\ A  b","o":{}})");
  EXPECT_EQ(config.options_of(config.type), "{}");
}

TEST(ConfigParse, TinyTimesDoNotBecomeNone) {
  const Config config = parsed(R"({ "message_queue": { "type": "memory",
    "retry_delay_seconds": 0.0001, "connection_timeout_seconds": 0.001 } })");
  EXPECT_EQ(config.retry_delay, milliseconds(1));
  EXPECT_EQ(config.connection_timeout, milliseconds(1));
  EXPECT_EQ(
      parsed(R"({ "message_queue": { "type": "memory", "retry_delay_seconds": 0 } })").retry_delay,
      milliseconds(0));
}

TEST(ConfigParse, AByteOrderMarkIsSkippedAndNotCounted) {
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(parsed(mark + kCanonical).type, "sqlite");
  EXPECT_THAT(errors_of(mark + "[]"), ElementsAre("1:1: expected an object, got an array"));
}

TEST(ConfigParse, PluginsAreAskedForOnceWithPathAndPin) {
  const std::string pin(64, 'b');
  FakePlugins plugins;
  const Parsed result = parse(R"({ "plugins": { "sqlite": { "sha256": ")" + pin +
                                  R"(" } }, "plugin_path": ["/p"],
    "message_queue": { "sqlite": {}, "sqlite": {}, "memory": {}, "type": "sqlite" } })",
                              "f", plugins.lookup());
  EXPECT_EQ(result.errors.size(), 1u) << "the duplicate";
  ASSERT_EQ(plugins.asked().size(), 2u);
  EXPECT_EQ(plugins.asked()[0].name, "sqlite");
  EXPECT_EQ(plugins.asked()[0].sha256, pin);
  EXPECT_THAT(plugins.asked()[0].plugin_path, ElementsAre("/p"));
  EXPECT_EQ(plugins.asked()[1].name, "memory");
  EXPECT_EQ(plugins.asked()[1].sha256, "");
}

TEST(ConfigParse, NoPluginIsLoadedWhileItsTrustIsInDoubt) {
  for (const char* doubt :
       {R"("plugins": { "sqlite": { "sha256": "short" } })", R"("plugins": { "sqlite": {} })",
        R"("plugins": 1)", R"("plugins": {}, "plugins": {})", R"("plugin_path": ["a", 2])",
        R"("plugin_path": "a")", R"("plugins": { "sqlite\u0000": {} })"}) {
    FakePlugins plugins;
    const std::string json =
        R"({ "message_queue": { "type": "sqlite", "sqlite": {} }, )" + std::string(doubt) + "}";
    EXPECT_FALSE(parse(json, "f", plugins.lookup()).config) << json;
    EXPECT_THAT(plugins.asked(), IsEmpty()) << json;
  }
}

TEST(ConfigParse, ImpossibleNamesAreNeverAskedFor) {
  for (const char* name : {"../evil", "a/b", "", "Sqlite", "a.so", "a\\u0000b"}) {
    FakePlugins plugins;
    const std::string quoted_name = '"' + std::string(name) + '"';
    EXPECT_FALSE(
        parse(R"({ "message_queue": { "type": )" + quoted_name + ", " + quoted_name + ": {} } }",
              "f", plugins.lookup())
            .config)
        << name;
    EXPECT_THAT(plugins.asked(), IsEmpty()) << name;
  }
}

TEST(ConfigParse, AMissingPluginHasACodeOfItsOwn) {
  FakePlugins plugins;
  const auto errors =
      parse(R"({ "message_queue": { "type": "nats", "nats": {} } })", "f", plugins.lookup()).errors;
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, Errc::plugin);
  EXPECT_EQ(errors[0].pointer, "/message_queue/type");
  EXPECT_EQ(errors[0].to_string(), "f:1:30: /message_queue/type: no plugin \"nats\" in /nowhere");
}

TEST(ConfigParse, WithoutALookupTheActivePluginIsMissing) {
  const auto errors = parse(R"({ "message_queue": { "type": "memory" } })", "f", {}).errors;
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, Errc::plugin);
}

TEST(ConfigParse, APluginWithASchemaThatCannotBeUsedIsNamed) {
  FakePlugins plugins;
  plugins.install("odd", R"({ "properties": { "a": { "patternProperties": {} } } })");
  plugins.install("broken", "{");
  const auto lookup = plugins.lookup();
  EXPECT_THAT(
      lines_of(
          parse(R"({ "message_queue": { "type": "odd", "broken": {} } })", "f", lookup).errors),
      ElementsAre(
          "1:30: /message_queue/type: the options schema of plugin \"odd\" cannot be used: "
          "/properties/a/patternProperties: swapmq does not know the construct "
          "\"patternProperties\"",
          "1:37: /message_queue/broken: the options schema of plugin \"broken\" cannot be used: "
          "line 1, column 2: the text ends inside the object that begins at line 1, column 1: its "
          "'}' is missing"));
  const auto errors =
      parse(R"({ "message_queue": { "type": "odd", "odd": {} } })", "f", lookup).errors;
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].pointer, "/message_queue/odd");
  EXPECT_EQ(errors[0].code, Errc::plugin);
}

TEST(ConfigParse, ErrorsKeepToOneLine) {
  ConfigError error{"a\nb.json", 1, 2, "/x\ny", "bad\r\nthing\x1b[31m", Errc::config};
  EXPECT_EQ(error.to_string(), "a\\u000ab.json:1:2: /x\\u000ay: bad\\u000d\\u000athing\\u001b[31m");
  EXPECT_EQ((ConfigError{"f", 0, 0, "", "gone", Errc::config}).to_string(), "f: gone");
}

} // namespace
} // namespace swapmq::config
