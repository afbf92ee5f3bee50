// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <array>

#include "network/option_reader.hpp"
#include "url.hpp"

namespace swapmq::rabbitmq {

const char* const kOptionsSchema = R"json({
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title": "rabbitmq",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "url": {
      "type": "string", "x-swapmq-address": true, "minLength": 1,
      "x-swapmq-since": "0.1", "x-swapmq-example": "amqp://localhost/",
      "description": "amqp://[user:password@]host[:port][/virtual_host], or amqps://... for TLS. Without a user it is guest, without a path the virtual host is /. Instead of host, port, virtual_host, username and password."
    },
    "urls": {
      "type": "array", "x-swapmq-address": true, "minItems": 1, "maxItems": 32, "items": { "type": "string", "minLength": 1 },
      "x-swapmq-since": "0.1", "x-swapmq-example": ["amqp://one", "amqp://two"],
      "description": "Those of several nodes of a cluster, instead of url: they are tried in turn. All of them with TLS or none."
    },
    "host": { "type": "string", "x-swapmq-address": true, "minLength": 1, "maxLength": 255, "default": "127.0.0.1",
      "x-swapmq-since": "0.1", "x-swapmq-example": "rabbitmq.example.org",
      "description": "Name or address of the broker." },
    "port": { "type": "integer", "x-swapmq-address": true, "minimum": 1, "maximum": 65535,
      "x-swapmq-since": "0.1", "x-swapmq-example": 5673,
      "description": "TCP port of the broker; 5672 if it is not said, 5671 with TLS." },
    "virtual_host": { "type": "string", "x-swapmq-address": true, "minLength": 1, "maxLength": 255, "default": "/",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp",
      "description": "The virtual host of the queues." },
    "username": { "type": "string", "minLength": 1, "maxLength": 255, "default": "guest",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp",
      "description": "Who logs in; the broker lets guest in from its own machine alone." },
    "password": { "type": "string", "minLength": 1, "maxLength": 4096,
      "x-swapmq-since": "0.1", "x-swapmq-example": {"file": "/run/secrets/rabbitmq"},
      "description": "The user's password; that of guest if neither is said." },
)json"
#include "network/option_schema.inc"
                                   R"json(
    "heartbeat_seconds": { "type": "integer", "minimum": 0, "maximum": 3600, "default": 30,
      "x-swapmq-unit": "s", "x-swapmq-since": "0.1", "x-swapmq-example": 10,
      "description": "A connection whose other side is silent for about twice so long is lost; the broker may ask for less. 0: none." },
    "connection_name": { "type": "string", "maxLength": 255, "default": "",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp",
      "description": "What the broker's lists call the connections; swapmq:INSTANCE if empty." },
    "queue_prefix": { "type": "string", "x-swapmq-address": true, "maxLength": 128, "default": "",
      "x-swapmq-since": "0.1", "x-swapmq-example": "myapp.",
      "description": "Goes before a queue's name to make its name at the broker." },
    "queue_type": { "type": "string", "enum": ["quorum", "classic"], "default": "quorum",
      "x-swapmq-since": "0.1", "x-swapmq-example": "classic",
      "description": "What queues are made as: replicated (quorum), or on one node (classic). Queues that are there stay what they are." },
    "max_priority": { "type": "integer", "minimum": 0, "maximum": 9, "default": 0,
      "x-swapmq-since": "0.1", "x-swapmq-example": 9,
      "description": "The highest priority of a message, with classic queues alone; 0: priorities are carried, without effect." },
    "quorum_group_size": { "type": "integer", "minimum": 0, "maximum": 99, "default": 0,
      "x-swapmq-unit": "nodes", "x-swapmq-since": "0.1", "x-swapmq-example": 3,
      "description": "How many nodes hold a quorum queue that is made; 0: the broker's default." },
    "durability": { "type": "string", "enum": ["none", "process", "power", "replicated"], "default": "power",
      "x-swapmq-since": "0.1", "x-swapmq-example": "replicated",
      "description": "What the broker is set up for, which it does not tell: that a confirmed message survives kill -9 of the broker (process), loss of power (power), or loss of a machine (replicated: quorum queues on three nodes)." },
    "max_message_bytes": { "type": "integer", "minimum": 1, "maximum": 536870912, "default": 134217728,
      "x-swapmq-unit": "bytes", "x-swapmq-since": "0.1", "x-swapmq-example": 16777216,
      "description": "The largest message that the broker takes: its max_message_size." },
    "publish_chunk": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 128,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 256,
      "description": "Messages that one publish call encodes at a time, between looking for confirms." },
    "publish_chunk_bytes": { "type": "integer", "minimum": 1, "maximum": 268435456, "default": 262144,
      "x-swapmq-unit": "bytes", "x-swapmq-since": "0.1", "x-swapmq-example": 131072,
      "description": "Encoded bytes that wait to be sent, beyond which no further message is encoded." },
    "publish_window": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 2048,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 1024,
      "description": "Messages without a confirm, beyond which no further one is sent." },
    "settle_grace_ms": { "type": "integer", "minimum": 1, "maximum": 600000, "default": 3000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 1000,
      "description": "How long beyond its deadline an exchange may go on settling." },
    "close_timeout_ms": { "type": "integer", "minimum": 1, "maximum": 600000, "default": 2000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 5000,
      "description": "How long a consumer that leaves tries to give back what it holds; then the end of its connection does so." },
    "management": {
      "type": "object", "additionalProperties": false, "required": ["url"],
      "x-swapmq-since": "0.1", "x-swapmq-example": {"url": "http://localhost:15672"},
      "description": "The HTTP API of RabbitMQ's management plugin, which alone lists queues and counts what is unacked.",
      "properties": {
        "url": { "type": "string", "minLength": 1,
          "x-swapmq-since": "0.1", "x-swapmq-example": "http://localhost:15672",
          "description": "http://host[:port] or https://host[:port]; the port is 15672 or 15671 if it is not said. TLS is as tls says." },
        "username": { "type": "string", "minLength": 1, "maxLength": 255,
          "x-swapmq-since": "0.1", "x-swapmq-example": "monitor",
          "description": "Who asks; the user of the first broker if it is not said." },
        "password": { "type": "string", "minLength": 1, "maxLength": 4096,
          "x-swapmq-since": "0.1", "x-swapmq-example": {"file": "/run/secrets/monitor"},
          "description": "That user's password." }
      }
    }
  }
})json";

namespace {

using network::OptionReader;
using rapidjson::Value;

constexpr rapidjson::SizeType kMaxUrls = 32;

/// Where the broker is and who we are there, as far as it was said.
struct Address {
  Broker broker;
  std::string last_key; // of the fields; empty: none
  std::string url_key;  // "url" or "urls"; empty: neither
  bool has_port = false;
  bool has_username = false;
  bool has_password = false;
  uint64_t keepalive_seconds = network::Endpoint().keepalive_seconds;
};

/// Text that is not empty.
std::string some_text(const OptionReader& reader, const Value& value, std::string_view key,
                      std::size_t most) {
  std::string text = reader.text(value, key, most);
  if (text.empty()) reader.refuse("\"" + std::string(key) + "\" is empty");
  return text;
}

/// False: it is another key.
bool take_field(const OptionReader& reader, Address& address, std::string_view key,
                const Value& value) {
  Broker& broker = address.broker;
  if (key == "host") {
    broker.endpoint.host = some_text(reader, value, key, 255);
  } else if (key == "port") {
    broker.endpoint.port = static_cast<uint16_t>(reader.integer(value, key, 1, 65535));
    address.has_port = true;
  } else if (key == "virtual_host") {
    broker.virtual_host = some_text(reader, value, key, kMaxName);
  } else if (key == "username") {
    broker.username = some_text(reader, value, key, kMaxName);
    address.has_username = true;
  } else if (key == "password") {
    broker.password = some_text(reader, value, key, kMaxPassword);
    address.has_password = true;
  } else {
    return false;
  }
  address.last_key = std::string(key);
  return true;
}

std::vector<Broker> brokers_of(const OptionReader& reader, const Value& urls, bool tls) {
  if (!urls.IsArray() || urls.Empty() || urls.Size() > kMaxUrls) {
    reader.refuse("\"urls\" is not an array of 1 to " + std::to_string(kMaxUrls) + " URLs");
  }
  std::vector<Broker> brokers;
  for (rapidjson::SizeType i = 0; i < urls.Size(); ++i) {
    const std::string option = "\"urls\"[" + std::to_string(i) + "]";
    if (!urls[i].IsString()) reader.refuse(option + " is not a string");
    brokers.push_back(broker_of(reader.text(urls[i], "urls", kMaxUrl), option, tls));
  }
  const bool first = brokers.front().endpoint.tls;
  if (std::any_of(brokers.begin(), brokers.end(),
                  [&](const Broker& broker) { return broker.endpoint.tls != first; })) {
    reader.refuse(R"("urls" has some with TLS and some without: write all as "amqps://...", or )"
                  R"(all as "amqp://...")");
  }
  return brokers;
}

Management management_of(const OptionReader& reader, const Value& object) {
  if (!object.IsObject()) reader.refuse("\"management\" is not an object");
  Management management;
  network::for_each_member(object, [&](std::string_view key, const Value& value) {
    if (key == "url") {
      management.url = management_url(reader.text(value, key, kMaxUrl));
    } else if (key == "username") {
      management.username = some_text(reader, value, key, kMaxName);
    } else if (key == "password") {
      management.password = some_text(reader, value, key, kMaxPassword);
    } else {
      reader.refuse("unknown key \"" + std::string(key) + "\" in \"management\"");
    }
  });
  if (management.url.empty()) reader.refuse(R"("management" without a "url")");
  if (management.username.empty() != management.password.empty()) {
    reader.refuse(
        R"("username" and "password" in "management" belong together: give both or none)");
  }
  return management;
}

QueueType queue_type_of(const OptionReader& reader, const Value& value, std::string_view key) {
  const std::string word = reader.text(value, key, 16);
  if (word == "quorum") return QueueType::quorum;
  if (word == "classic") return QueueType::classic;
  reader.refuse(R"("queue_type" is not "quorum" or "classic")");
}

template <class Type>
using Measure = network::Measure<Options, Type>;

constexpr std::array kCounts{
    Measure<uint32_t>{"max_priority", &Options::max_priority, 0, 9},
    Measure<uint32_t>{"quorum_group_size", &Options::quorum_group_size, 0, 99},
};

constexpr std::array kSizes{
    Measure<std::size_t>{"publish_chunk", &Options::publish_chunk, 1, 65536},
    Measure<std::size_t>{"publish_chunk_bytes", &Options::publish_chunk_bytes, 1, 268'435'456},
    Measure<std::size_t>{"publish_window", &Options::publish_window, 1, 65536},
};

constexpr std::array kTimes{
    Measure<milliseconds>{"settle_grace_ms", &Options::settle_grace, 1, 600'000},
    Measure<milliseconds>{"close_timeout_ms", &Options::close_timeout, 1, 600'000},
};

void take(const OptionReader& reader, Options& options, std::string_view key, const Value& value) {
  if (reader.take_retry(options.retry, key, value)) return;
  if (reader.take_measure(kCounts, options, key, value)) return;
  if (reader.take_measure(kSizes, options, key, value)) return;
  if (reader.take_measure(kTimes, options, key, value)) return;
  if (key == "connection_timeout_seconds") {
    options.connection_timeout = reader.seconds(value, key, 600);
  } else if (key == "heartbeat_seconds") {
    options.heartbeat = std::chrono::seconds(reader.integer(value, key, 0, 3600));
  } else if (key == "connection_name") {
    options.connection_name = reader.text(value, key, 255);
  } else if (key == "queue_prefix") {
    options.queue_prefix = reader.text(value, key, 128);
  } else if (key == "queue_type") {
    options.queue_type = queue_type_of(reader, value, key);
  } else if (key == "durability") {
    options.durability = reader.durability(value, key);
  } else if (key == "max_message_bytes") {
    options.max_message_bytes = reader.integer(value, key, 1, 536'870'912);
  } else if (key == "tls") {
    options.tls = reader.tls(value);
  } else if (key == "management") {
    options.management = management_of(reader, value);
  } else {
    reader.refuse_unknown(key);
  }
}

/// Makes the broker of the fields where there is no URL, and refuses what is said twice or halfway.
void settle_address(const OptionReader& reader, Options& options, Address& address, bool tls) {
  if (!address.url_key.empty() && !address.last_key.empty()) {
    reader.refuse_both(address.url_key, address.last_key);
  }
  if (address.has_username && !address.has_password) {
    reader.refuse("\"username\" without a \"password\"");
  }
  if (options.brokers.empty()) {
    address.broker.endpoint.tls = tls;
    if (!address.has_port) address.broker.endpoint.port = default_port(tls);
    options.brokers.push_back(address.broker);
  }
  for (Broker& broker : options.brokers) {
    broker.endpoint.keepalive_seconds = address.keepalive_seconds;
  }
}

void settle(const OptionReader& reader, Options& options) {
  if (options.max_priority > 0 && options.queue_type == QueueType::quorum) {
    reader.refuse(R"("max_priority" is for queues of the type "classic")");
  }
  if (options.quorum_group_size > 0 && options.queue_type == QueueType::classic) {
    reader.refuse(R"("quorum_group_size" is for queues of the type "quorum")");
  }
  Management& management = options.management;
  if (management.url.empty() || !management.username.empty()) return;
  management.username = options.brokers.front().username;
  management.password = options.brokers.front().password;
}

void take_all(const OptionReader& reader, Options& options, const Value& object) {
  const bool tls = object.HasMember("tls"); // wherever: it is about each URL
  Address address;
  const auto claim = [&](std::string_view key) {
    if (!address.url_key.empty()) reader.refuse_both("url", "urls");
    address.url_key = std::string(key);
  };
  network::for_each_member(object, [&](std::string_view key, const Value& value) {
    if (key == "url") {
      claim(key);
      options.brokers = {broker_of(reader.text(value, key, kMaxUrl), "\"url\"", tls)};
    } else if (key == "urls") {
      claim(key);
      options.brokers = brokers_of(reader, value, tls);
    } else if (key == "keepalive_seconds") {
      address.keepalive_seconds = reader.integer(value, key, 0, 32767);
    } else if (!take_field(reader, address, key, value)) {
      take(reader, options, key, value);
    }
  });
  settle_address(reader, options, address, tls);
  settle(reader, options);
}

} // namespace

Options parse_options(std::string_view json) {
  Options options;
  const OptionReader reader("rabbitmq");
  take_all(reader, options, reader.parse(json));
  return options;
}

} // namespace swapmq::rabbitmq
