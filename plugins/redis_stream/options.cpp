// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <array>
#include <cstddef>

#include "network/option_reader.hpp"
#include "url.hpp"

namespace swapmq::redis {

const char* const kOptionsSchema = R"json({
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title": "redis_stream",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "url": {
      "type": "string", "x-swapmq-address": true, "minLength": 1,
      "x-swapmq-since": "0.1", "x-swapmq-example": "redis://localhost:6379/0",
      "description": "redis://[[user]:password@]host[:port][/database], rediss://... for TLS, or unix:///path/to/socket[?db=N]. Instead of host, port, database, username and password."
    },
    "host": { "type": "string", "x-swapmq-address": true, "minLength": 1, "maxLength": 255, "default": "127.0.0.1",
      "x-swapmq-since": "0.1", "x-swapmq-example": "redis.example.org",
      "description": "Name or address of the server." },
    "port": { "type": "integer", "x-swapmq-address": true, "minimum": 1, "maximum": 65535, "default": 6379,
      "x-swapmq-since": "0.1", "x-swapmq-example": 6380,
      "description": "TCP port of the server." },
    "database": { "type": "integer", "x-swapmq-address": true, "minimum": 0, "maximum": 1000000, "default": 0,
      "x-swapmq-since": "0.1", "x-swapmq-example": 1,
      "description": "The database to SELECT." },
    "username": { "type": "string", "maxLength": 255,
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp",
      "description": "The ACL user; without it the password is that of the default user." },
    "password": { "type": "string", "maxLength": 4096,
      "x-swapmq-since": "0.1", "x-swapmq-example": {"file": "/run/secrets/redis"},
      "description": "For AUTH." },
)json"
#include "network/option_schema.inc"
                                   R"json(
    "key_prefix": { "type": "string", "x-swapmq-address": true, "maxLength": 255, "default": "",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp:",
      "description": "Goes before a queue's name to make the key of its stream." },
    "consumer_group_prefix": { "type": "string", "x-swapmq-address": true, "maxLength": 255, "default": "",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp-",
      "description": "Goes before QUEUE_group to make the name of the consumer group." },
    "consumer_id": { "type": "string", "maxLength": 255, "default": "",
      "x-swapmq-since": "0.1", "x-swapmq-example": "worker-1",
      "description": "Goes into the names of consumers; the host's instance if empty." },
    "lease_ms": { "type": "integer", "minimum": 1, "maximum": 86400000, "default": 30000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 60000,
      "description": "How long after its last sign of life a consumer keeps what it holds, where the consumer does not say." },
    "wait_replicas": { "type": "integer", "minimum": 0, "maximum": 1000, "default": 0,
      "x-swapmq-unit": "replicas", "x-swapmq-since": "0.1", "x-swapmq-example": 1,
      "description": "WAIT for so many replicas before a publish counts as confirmed; 0: do not wait." },
    "wait_timeout_ms": { "type": "integer", "minimum": 1, "maximum": 600000, "default": 1000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 500,
      "description": "How long to wait for them; then the publish is in doubt." },
    "durability": { "type": "string", "enum": ["none", "process", "power", "replicated"], "default": "none",
      "x-swapmq-since": "0.1", "x-swapmq-example": "power",
      "description": "What the server is set up for, which it does not tell: that a confirmed message survives kill -9 of the server (process: appendonly), loss of power (power: appendfsync always), or loss of a machine (replicated)." },
    "max_length": { "type": "integer", "minimum": 0, "maximum": 1000000000000, "default": 0,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 1000000,
      "description": "Each publish trims the stream to about so many entries (MAXLEN ~): the oldest are lost, READ OR NOT. 0: never." },
    "deduplication_window_ms": { "type": "integer", "minimum": 0, "maximum": 2592000000, "default": 0,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 60000,
      "description": "A message id that was published within so long is confirmed and not stored again; 0: do not look." },
    "publish_chunk": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 128,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 256,
      "description": "Messages that one publish call encodes at a time, between looking for answers." },
    "publish_chunk_bytes": { "type": "integer", "minimum": 1, "maximum": 268435456, "default": 262144,
      "x-swapmq-unit": "bytes", "x-swapmq-since": "0.1", "x-swapmq-example": 131072,
      "description": "Encoded bytes that wait to be sent, beyond which no further message is encoded." },
    "publish_window": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 1024,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 2048,
      "description": "Messages without an answer, beyond which no further chunk is sent." },
    "read_batch": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 4096,
      "x-swapmq-unit": "entries", "x-swapmq-since": "0.1", "x-swapmq-example": 1024,
      "description": "The most entries that one XREADGROUP asks for." },
    "read_batch_bytes": { "type": "integer", "minimum": 1024, "maximum": 268435456, "default": 8388608,
      "x-swapmq-unit": "bytes", "x-swapmq-since": "0.1", "x-swapmq-example": 1048576,
      "description": "About how many bytes one read asks for, as far as the sizes of entries are known." },
    "script_batch": { "type": "integer", "minimum": 1, "maximum": 2000, "default": 500,
      "x-swapmq-unit": "entries", "x-swapmq-since": "0.1", "x-swapmq-example": 200,
      "description": "The most entries that one script takes or settles: so long the server does nothing else." },
    "ack_batch": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 512,
      "x-swapmq-unit": "ids", "x-swapmq-since": "0.1", "x-swapmq-example": 256,
      "description": "The most ids in one XDEL and XACK." },
    "block_ms": { "type": "integer", "minimum": 100, "maximum": 3600000, "default": 2000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 1000,
      "description": "BLOCK of XREADGROUP: how often a consumer that waits asks anew." },
    "take_interval_ms": { "type": "integer", "minimum": 10, "maximum": 3600000, "default": 200,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 100,
      "description": "How often a consumer looks for what others gave back or delayed meanwhile." },
    "rescue_interval_ms": { "type": "integer", "minimum": 50, "maximum": 3600000, "default": 1000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 500,
      "description": "How often, at the least, it looks for what consumers hold that are dead; a lease below four times that makes it more often." },
    "settle_grace_ms": { "type": "integer", "minimum": 1, "maximum": 600000, "default": 3000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 1000,
      "description": "How long beyond its deadline an exchange may go on settling and taking in what was asked for." },
    "close_timeout_ms": { "type": "integer", "minimum": 1, "maximum": 600000, "default": 2000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 5000,
      "description": "How long a consumer that leaves tries to give back what it holds; then its lease does so." }
  }
})json";

namespace {

using network::OptionReader;
using rapidjson::Value;

/// Where the server is and who we are. False: it is another key.
bool take_address(const OptionReader& reader, Options& options, std::string_view key,
                  const Value& value) {
  if (key == "host") {
    options.endpoint.host = reader.text(value, key, 255);
    if (options.endpoint.host.empty()) reader.refuse("\"host\" is empty");
  } else if (key == "port") {
    options.endpoint.port = static_cast<uint16_t>(reader.integer(value, key, 1, 65535));
  } else if (key == "database") {
    options.database = static_cast<uint32_t>(reader.integer(value, key, 0, 1000000));
  } else if (key == "username") {
    options.username = reader.text(value, key, 255);
  } else if (key == "password") {
    options.password = reader.text(value, key, 4096);
  } else {
    return false;
  }
  return true;
}

using Size = network::Measure<Options, std::size_t>;
using Time = network::Measure<Options, milliseconds>;

constexpr std::array kSizes{
    Size{"publish_chunk", &Options::publish_chunk, 1, 65536},
    Size{"publish_chunk_bytes", &Options::publish_chunk_bytes, 1, 268'435'456},
    Size{"publish_window", &Options::publish_window, 1, 65536},
    Size{"read_batch", &Options::read_batch, 1, 65536},
    Size{"read_batch_bytes", &Options::read_batch_bytes, 1024, 268'435'456},
    // What is taken goes over Lua's stack, which holds 8000, as three values for each entry.
    Size{"script_batch", &Options::script_batch, 1, 2000},
    Size{"ack_batch", &Options::ack_batch, 1, 65536},
};

constexpr std::array kTimes{
    Time{"lease_ms", &Options::lease, 1, 86'400'000},
    Time{"wait_timeout_ms", &Options::wait_timeout, 1, 600'000},
    Time{"deduplication_window_ms", &Options::deduplication_window, 0, 2'592'000'000},
    Time{"block_ms", &Options::block, 100, 3'600'000},
    Time{"take_interval_ms", &Options::take_interval, 10, 3'600'000},
    Time{"rescue_interval_ms", &Options::rescue_interval, 50, 3'600'000},
    Time{"settle_grace_ms", &Options::settle_grace, 1, 600'000},
    Time{"close_timeout_ms", &Options::close_timeout, 1, 600'000},
};

void take(const OptionReader& reader, Options& options, std::string_view key, const Value& value) {
  if (reader.take_retry(options.retry, key, value)) return;
  if (reader.take_measure(kSizes, options, key, value)) return;
  if (reader.take_measure(kTimes, options, key, value)) return;
  if (key == "connection_timeout_seconds") {
    options.connection_timeout = reader.seconds(value, key, 600);
  } else if (key == "keepalive_seconds") {
    options.endpoint.keepalive_seconds = reader.integer(value, key, 0, 32767);
  } else if (key == "key_prefix") {
    options.key_prefix = reader.text(value, key, 255);
  } else if (key == "consumer_group_prefix") {
    options.consumer_group_prefix = reader.text(value, key, 255);
  } else if (key == "consumer_id") {
    options.consumer_id = reader.text(value, key, 255);
  } else if (key == "wait_replicas") {
    options.wait_replicas = static_cast<uint32_t>(reader.integer(value, key, 0, 1000));
  } else if (key == "durability") {
    options.durability = reader.durability(value, key);
  } else if (key == "max_length") {
    options.max_length = reader.integer(value, key, 0, 1'000'000'000'000);
  } else if (key == "tls") {
    options.tls = reader.tls(value);
    options.endpoint.tls = true;
  } else {
    reader.refuse_unknown(key);
  }
}

void take_all(const OptionReader& reader, Options& options, const Value& object) {
  bool has_url = false;
  std::string address_key;
  network::for_each_member(object, [&](std::string_view key, const Value& value) {
    if (key == "url") {
      apply_url(reader.text(value, key, 8192), options);
      has_url = true;
    } else if (take_address(reader, options, key, value)) {
      address_key = std::string(key);
    } else {
      take(reader, options, key, value);
    }
  });
  if (has_url && !address_key.empty()) {
    reader.refuse_both("url", address_key);
  }
  if (options.endpoint.tls && !options.endpoint.unix_path.empty()) {
    reader.refuse("\"tls\" is for TCP: a Unix socket does not leave the machine");
  }
  if (!options.username.empty() && options.password.empty()) {
    reader.refuse("\"username\" without a \"password\"");
  }
}

} // namespace

Options parse_options(std::string_view json) {
  Options options;
  const OptionReader reader(options.endpoint.plugin);
  take_all(reader, options, reader.parse(json));
  return options;
}

} // namespace swapmq::redis
