// SPDX-License-Identifier: MIT
//
// JSON that is not a config: every error at once, in the order of the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

struct Case {
  std::string json;
  std::vector<std::string> errors; // "LINE:COLUMN: POINTER: MESSAGE"
};

const std::vector<Case> kCases =
    {
        {R"([])", {R"(1:1: expected an object, got an array)"}},
        {R"(null)", {R"(1:1: expected an object, got null)"}},
        {R"({})", {R"(1:1: missing key "message_queue")"}},
        {R"({ "message_queue": {
   "type": "sqlite",

   "sqlite": { "pth": "x" } } })",
         {R"(4:16: /message_queue/sqlite/pth: unknown key "pth"; did you mean "path"?)"}},
        {R"({ "message_queue": { "type": "mem\udc00" } })",
         {R"(1:30: /message_queue/type: a lone surrogate (\uD800 to \uDFFF) in a string)"}},
        {R"({ "message_queue": { "type": "mem\u0000" } })",
         {R"(1:30: /message_queue/type: a NUL (\u0000) in a string; remove it)"}},
        {R"({ "message_queue": { "type": "memory", "max_retries": 1e999, "retry_delay_seconds": -1e999, "pol": 1,
 "connection_timeout_seconds": 1000000000000000000000000000000 } })",
         {R"(1:55: /message_queue/max_retries: number out of range: an integer must fit in 64 bits, any other number in a double)",
          R"(1:85: /message_queue/retry_delay_seconds: number out of range: an integer must fit in 64 bits, any other number in a double)",
          R"(1:93: /message_queue/pol: unknown key "pol"; did you mean "pool"?)",
          R"(2:32: /message_queue/connection_timeout_seconds: number out of range: an integer must fit in 64 bits, any other number in a double)"}},
        {R"({ "message_queue": { "type": "memory", "max_retries": "3", "retry_delay_seconds": -1, "type": "memory",
  "pool": { "publish_sessions": 0, "consume_sessions": 2.5, "x": 1 }, "task_queue": "", "status_queue": 7 } })",
         {R"(1:55: /message_queue/max_retries: expected an integer, got the string "3")",
          R"(1:83: /message_queue/retry_delay_seconds: must be from 0 to 2592000, got -1)",
          R"(1:87: /message_queue/type: key "type" is given twice; first at line 1, column 22)",
          R"(2:33: /message_queue/pool/publish_sessions: must be from 1 to 256, got 0)",
          R"(2:56: /message_queue/pool/consume_sessions: expected an integer, got 2.5)",
          R"(2:61: /message_queue/pool/x: unknown key "x"; known here: "publish_sessions", "consume_sessions")",
          R"(2:85: /message_queue/task_queue: a queue name must not be empty)",
          R"(2:105: /message_queue/status_queue: expected a string, got 7)"}},
        {R"({ "message_queue": { "type": "Redis" } })",
         {R"(1:30: /message_queue/type: must match ^[a-z0-9_]{1,64}$, got the string "Redis")"}},
        {R"({ "message_queue": { "type": "rabbitmq" } })",
         {R"(1:30: /message_queue/type: no plugin "rabbitmq" in /nowhere)"}},
        {R"({ "message_queue": { "type": "redis_stream" } })",
         {R"(1:20: /message_queue: section "redis_stream" is needed: missing key "url")"}},
        {R"({ "message_queue": { "type": "memory", "rabbitmq": { "anything": [1,2] }, "pol": {}, "queues": {}, "maxRetries": 3, "plugins": 3, "Redis": {}, "foo": 3, "memry": {}, "sqlite": 5 } })",
         {R"(1:75: /message_queue/pol: unknown key "pol"; did you mean "pool"?)",
          R"(1:86: /message_queue/queues: unknown key "queues"; it belongs at the top level, beside "message_queue")",
          R"(1:100: /message_queue/maxRetries: unknown key "maxRetries"; did you mean "max_retries"?)",
          R"(1:117: /message_queue/plugins: unknown key "plugins"; it belongs at the top level, beside "message_queue")",
          R"(1:131: /message_queue/Redis: unknown key "Redis"; a backend's section is named like its plugin, [a-z0-9_]{1,64})",
          R"(1:144: /message_queue/foo: unknown key "foo"; a backend's section must be an object; known here: "type", "task_queue", "status_queue", "heartbeat_queue", "control_queue", "max_retries", "retry_delay_seconds", "connection_timeout_seconds", "pool", "url")",
          R"(1:154: /message_queue/memry: unknown key "memry"; did you mean "memory"?)",
          R"(1:167: /message_queue/sqlite: unknown key "sqlite"; a backend's section must be an object; known here: "type", "task_queue", "status_queue", "heartbeat_queue", "control_queue", "max_retries", "retry_delay_seconds", "connection_timeout_seconds", "pool", "url")"}},
        {R"({ "message_queue": { "type": "sqlite", "sqlite": { "synchronous": "FUL", "busy_timeout_ms": 60001, "path": "" } }, "max_retries": 3, "qeues": {}, "quux": 1 })",
         {R"(1:67: /message_queue/sqlite/synchronous: must be one of "FULL", "NORMAL", "OFF", got the string "FUL"; did you mean "FULL"?)",
          R"(1:93: /message_queue/sqlite/busy_timeout_ms: must be from 0 to 60000, got 60001)",
          R"(1:108: /message_queue/sqlite/path: must not be empty)",
          R"(1:116: /max_retries: unknown key "max_retries"; it belongs inside "message_queue")",
          R"(1:134: /qeues: unknown key "qeues"; did you mean "queues"?)",
          R"(1:147: /quux: unknown key "quux"; known here: "message_queue", "queues", "plugin_path", "plugins", "switch", "state_dir", "log")"}},
        {R"({ "message_queue": { "type": "memory", "memory": 5 }, "queues": { "a\u0007b": {}, "": {}, "a": { "dead_letter_queue": "a", "max_deliveries": 0, "max_length": -1, "strict_order": "yes", "max_delivery": 3 } },
"plugins": { "sqlite": { "sha256": "abc" } , "memory": {} }, "plugin_path": [ "", 3 ], "log": { "level": "warn", "file": "" } })",
         {R"(1:50: /message_queue/memory: expected an object, got 5)",
          R"(1:67: /queues/a\u0007b: queue name "a\u0007b" holds a control character (byte 2); remove it)",
          R"(1:83: /queues/: a queue name must not be empty)",
          R"(1:119: /queues/a/dead_letter_queue: a queue cannot be its own dead-letter queue; name another)",
          R"(1:142: /queues/a/max_deliveries: must be from 1 to 1000001, got 0)",
          R"(1:159: /queues/a/max_length: must be from 0 to 1000000000000, got -1)",
          R"(1:179: /queues/a/strict_order: expected true or false, got the string "yes")",
          R"(1:186: /queues/a/max_delivery: unknown key "max_delivery"; did you mean "max_deliveries"?)",
          R"(2:36: /plugins/sqlite/sha256: must match ^[0-9a-fA-F]{64}$, got the string "abc")",
          R"(2:56: /plugins/memory: missing key "sha256")",
          R"(2:79: /plugin_path/0: must not be empty)",
          R"(2:83: /plugin_path/1: expected a string, got 3)",
          R"(2:106: /log/level: must be one of "trace", "debug", "info", "warning", "error", "off", got the string "warn"; did you mean "warning"?)",
          R"(2:122: /log/file: must not be empty)"}},
        {R"({ "message_queue": { "type": "redis_stream", "redis_stream": { "url": "http://user:hunter2@host", "password": 77, "nodes": "redis://u:hunter2@x" } } })",
         {R"(1:71: /message_queue/redis_stream/url: must match ^(redis|rediss|unix)://, got the string "http://***@host")",
          R"(1:111: /message_queue/redis_stream/password: expected a string, got an integer)",
          R"(1:124: /message_queue/redis_stream/nodes: expected an array, got the string "redis://***@x")"}},
        {R"({ "message_queue": { "type": "sqlite", "sqlit": { "path": "x" } } })",
         {R"(1:40: /message_queue/sqlit: unknown key "sqlit"; did you mean "sqlite"?)"}},
        {R"({ "message_queue": { "type": "sqlite", "sqlite": {"a":1,"a":2} }, "a~/b": 1 })",
         {R"(1:51: /message_queue/sqlite/a: unknown key "a"; known here: "path", "synchronous", "busy_timeout_ms")",
          R"(1:57: /message_queue/sqlite/a: key "a" is given twice; first at line 1, column 51)",
          R"(1:57: /message_queue/sqlite/a: unknown key "a"; known here: "path", "synchronous", "busy_timeout_ms")",
          R"(1:67: /a~0~1b: unknown key "a~/b"; known here: "message_queue", "queues", "plugin_path", "plugins", "switch", "state_dir", "log")"}},
        {R"({ "message_queue": [1,2] })",
         {R"(1:20: /message_queue: expected an object, got an array)"}},
        {R"({ "message_queue": { "type": "ä€😀memory", "x😀": 1 } })",
         {R"(1:30: /message_queue/type: must match ^[a-z0-9_]{1,64}$, got the string "ä€😀memory")",
          R"(1:43: /message_queue/x😀: unknown key "x😀"; a backend's section must be an object; known here: "type", "task_queue", "status_queue", "heartbeat_queue", "control_queue", "max_retries", "retry_delay_seconds", "connection_timeout_seconds", "pool", "url")"}},
        {R"({ "message_queue": { "type": "redis\nx" } })",
         {R"(1:30: /message_queue/type: must match ^[a-z0-9_]{1,64}$, got the string "redis\u000ax")"}},
        {R"({ "message_queue": { "type": "reddis_stream", "redis_stream": { "url": "redis://h" } } })",
         {R"(1:30: /message_queue/type: no plugin "reddis_stream" in /nowhere; did you mean "redis_stream"?)"}},
        {R"({ "message_queue": { "type": "memory", "max_retries": 99999999999, "retry_delay_seconds": 1e9, "connection_timeout_seconds": 0, "pool": [] } })",
         {R"(1:55: /message_queue/max_retries: must be from 0 to 1000000, got 99999999999)",
          R"(1:91: /message_queue/retry_delay_seconds: must be from 0 to 2592000, got 1e9)",
          R"(1:126: /message_queue/connection_timeout_seconds: must be from 0.001 to 3600, got 0)",
          R"(1:137: /message_queue/pool: expected an object, got an array)"}},
        {R"({ "message_queue": { "type": null, "pool": null, "sqlite": null } })", {R"(1:30: /message_queue/type: expected a string, got null)", R"(1:44: /message_queue/pool: expected an object, got null)", R"(1:50: /message_queue/sqlite: unknown key "sqlite"; a backend's section must be an object; known here: "type", "task_queue", "status_queue", "heartbeat_queue", "control_queue", "max_retries", "retry_delay_seconds", "connection_timeout_seconds", "pool", "url")"}},
        {R"({ "message_queue": { "type": "memory", "max_retries": 3.0, "rabbitmq": 1 }, "log": [], "queues": [], "plugins": [], "plugin_path": {} })",
         {R"(1:55: /message_queue/max_retries: expected an integer, got 3.0)",
          R"(1:60: /message_queue/rabbitmq: unknown key "rabbitmq"; a backend's section must be an object; known here: "type", "task_queue", "status_queue", "heartbeat_queue", "control_queue", "max_retries", "retry_delay_seconds", "connection_timeout_seconds", "pool", "url")",
          R"(1:84: /log: expected an object, got an array)",
          R"(1:98: /queues: expected an object, got an array)",
          R"(1:113: /plugins: expected an object, got an array)",
          R"(1:132: /plugin_path: expected an array, got an object)"}},
        {R"({ "message_queue": { "type": "memory" }, "switch": { "policy": "transfer", "order": "strict", "drain_timeout_seconds": -1 } })",
         {R"(1:64: /switch/policy: messages that are moved lose their order; with "order": "strict" the policy can be "drain" or "leave")",
          R"(1:120: /switch/drain_timeout_seconds: must be from 0 to 2592000, got -1)"}},
        {R"({ "message_queue": { "type": "memory", "task_queue": "a b/../c", "pool": {}, "memory": {} }, "queues": { "é": {} } })",
         {}},
};

TEST(ConfigErrors, EveryErrorIsPlacedAndSaid) {
  for (const Case& each : kCases) {
    EXPECT_THAT(errors_of(each.json), testing::ElementsAreArray(each.errors)) << each.json;
  }
}

} // namespace
} // namespace swapmq::config
