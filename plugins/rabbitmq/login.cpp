// SPDX-License-Identifier: MIT
#include "login.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "broker_error.hpp"
#include "message_decoder.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;

constexpr BrokerVersion kOldest{3, 8}; // the first with quorum queues and all that they need here
constexpr uint32_t kLeastFrameMax = 4096; // AMQP 0-9-1, 1.4.2.6

amqp_table_entry_t entry(const char* name, amqp_field_value_t value) {
  return {amqp_bytes(name), value};
}
amqp_field_value_t text_value(std::string_view text) {
  amqp_field_value_t value{};
  value.kind = AMQP_FIELD_KIND_UTF8;
  value.value.bytes = amqp_bytes(text);
  return value;
}
amqp_field_value_t yes() {
  amqp_field_value_t value{};
  value.kind = AMQP_FIELD_KIND_BOOLEAN;
  value.value.boolean = 1;
  return value;
}

const amqp_field_value_t* find(const amqp_table_t& table, std::string_view name) {
  for (int i = 0; i < table.num_entries; ++i) {
    if (view(table.entries[i].key) == name) return &table.entries[i].value;
  }
  return nullptr;
}

std::string_view text_of(const amqp_field_value_t* value) {
  return value != nullptr && value->kind == AMQP_FIELD_KIND_UTF8 ? view(value->value.bytes)
                                                                 : std::string_view();
}

BrokerVersion version_of(std::string_view text) {
  BrokerVersion version;
  const char* end = text.data() + text.size();
  const char* at = std::from_chars(text.data(), end, version.major).ptr;
  if (at != end && *at == '.') std::from_chars(at + 1, end, version.minor);
  return version;
}

/// One handshake.
class Login {
 public:
  Login(Connection& connection, const Broker& broker, Deadline deadline)
      : connection_(connection), broker_(broker), deadline_(deadline) {}

  void run(const std::string& name, std::chrono::seconds heartbeat) {
    constexpr std::string_view kProtocolHeader("AMQP\0\0\x09\x01", 8);
    connection_.out().raw(kProtocolHeader);
    read_start();
    answer_start(name);
    read_tune(heartbeat);
    open();
  }

 private:
  [[noreturn]] void refuse(swapmq_status status, const std::string& what,
                           uint32_t flags = 0) const {
    throw Failure(status, "RabbitMQ at " + broker_.endpoint.text() + ": " + what, flags);
  }

  /// Before the first frame: whatever listens there may speak anything.
  void look_for_strangers() {
    const std::string_view seen = connection_.rest();
    if (seen.empty()) return;
    if (seen.starts_with("HTTP/") || seen.starts_with("<")) {
      refuse(SWAPMQ_UNAVAILABLE,
             "that is an HTTP server: the port for AMQP is another one (5672 by default; 15672 is "
             "the management page)");
    }
    if (seen.front() == '\x15') {
      refuse(SWAPMQ_UNAVAILABLE, R"(that port speaks TLS: use amqps:// or give "tls")");
    }
    if (seen.front() == 'A' &&
        seen.substr(0, 4) == std::string_view("AMQP").substr(0, seen.size())) {
      if (seen.size() < 8) return; // the rest is on its way
      refuse(SWAPMQ_NOT_SUPPORTED,
             "it speaks another version of AMQP: RabbitMQ speaks 0-9-1, which is needed here");
    }
    if (seen.front() != static_cast<char>(kMethodFrame)) {
      refuse(SWAPMQ_UNAVAILABLE, "what answers there is not RabbitMQ: look at host and port");
    }
  }

  void read_start() {
    Frame frame;
    try {
      while (!connection_.next(frame)) {
        look_for_strangers();
        if (!connection_.wait(deadline_)) {
          throw Failure(SWAPMQ_TIMEOUT,
                        "RabbitMQ at " + broker_.endpoint.text() +
                            " did not greet in time: is it RabbitMQ that listens there?",
                        SWAPMQ_ERROR_RETRYABLE);
        }
      }
    } catch (const ConnectionLost& lost) {
      look_for_strangers();
      throw ConnectionLost(std::string(lost.what()) + " (before any greeting)" +
                           network::login_hint(broker_.endpoint));
    }
    if (frame.method() == AMQP_CONNECTION_CLOSE_METHOD) closed(closing_of(frame));
    if (frame.method() != AMQP_CONNECTION_START_METHOD) unexpected(frame, "to greet");
    constexpr std::size_t kBeforeTable = 6; // the method, and the version
    if (!is_shallow_table(frame.payload, kBeforeTable)) {
      throw ConnectionLost("RabbitMQ at " + broker_.endpoint.text() +
                           " greets with properties that are nested too deep");
    }
    const auto& start = fields_of<amqp_connection_start_t>(frame);
    check_mechanisms(view(start.mechanisms));
    check_capabilities(start.server_properties);
    connection_.version = version_of(text_of(find(start.server_properties, "version")));
    const bool is_rabbitmq = text_of(find(start.server_properties, "product")) == "RabbitMQ";
    if (is_rabbitmq && !connection_.version.is_at_least(kOldest)) {
      refuse(SWAPMQ_NOT_SUPPORTED,
             "it is older than RabbitMQ 3.8, which is the oldest that will do");
    }
  }

  void check_mechanisms(std::string_view mechanisms) const {
    const std::string all = " " + std::string(mechanisms) + " ";
    if (all.find(" PLAIN ") != std::string::npos) return;
    refuse(SWAPMQ_NOT_SUPPORTED,
           "it takes no login by PLAIN (see \"auth_mechanisms\" of the "
           "broker); it offers: " +
               one_line(mechanisms));
  }

  void check_capabilities(const amqp_table_t& properties) const {
    const amqp_field_value_t* all = find(properties, "capabilities");
    for (const char* needed : {"publisher_confirms", "basic.nack", "consumer_cancel_notify"}) {
      const amqp_field_value_t* has = all != nullptr && all->kind == AMQP_FIELD_KIND_TABLE
                                          ? find(all->value.table, needed)
                                          : nullptr;
      if (has == nullptr || has->kind != AMQP_FIELD_KIND_BOOLEAN || has->value.boolean == 0) {
        refuse(SWAPMQ_NOT_SUPPORTED,
               std::string("this broker lacks the extension \"") + needed + "\" of RabbitMQ");
      }
    }
  }

  void answer_start(const std::string& name) {
    std::array capabilities{entry("connection.blocked", yes()),
                            entry("consumer_cancel_notify", yes()),
                            entry("publisher_confirms", yes()), entry("basic.nack", yes()),
                            entry("authentication_failure_close", yes())};
    amqp_field_value_t table{};
    table.kind = AMQP_FIELD_KIND_TABLE;
    table.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
    std::array properties{entry("product", text_value("swapmq")),
                          entry("connection_name", text_value(name)), entry("capabilities", table)};
    const std::string response = std::string(1, '\0') + broker_.username + '\0' + broker_.password;
    amqp_connection_start_ok_t ok{};
    ok.client_properties = {static_cast<int>(properties.size()), properties.data()};
    ok.mechanism = amqp_bytes("PLAIN");
    ok.response = amqp_bytes(response);
    ok.locale = amqp_bytes("en_US");
    connection_.out().method(0, AMQP_CONNECTION_START_OK_METHOD, ok);
  }

  void read_tune(std::chrono::seconds heartbeat) {
    Frame frame;
    try {
      frame = connection_.read(deadline_);
    } catch (const ConnectionLost& lost) {
      // An older way to say that a login is refused: silence, and then the end.
      throw ConnectionLost(std::string(lost.what()) + " (at login as \"" + broker_.username +
                           "\")");
    }
    if (frame.method() == AMQP_CONNECTION_CLOSE_METHOD) closed(closing_of(frame));
    if (frame.method() != AMQP_CONNECTION_TUNE_METHOD) unexpected(frame, "at login");
    const auto& tune = fields_of<amqp_connection_tune_t>(frame);
    Tuning tuning;
    // 0 stands for "no limit of mine".
    if (tune.frame_max != 0) tuning.frame_max = std::min(tuning.frame_max, tune.frame_max);
    if (tuning.frame_max < kLeastFrameMax) {
      refuse(SWAPMQ_NOT_SUPPORTED, "it wants frames of at most " +
                                       std::to_string(tuning.frame_max) +
                                       " bytes; AMQP has 4096 "
                                       "as the least (see \"frame_max\" of the broker)");
    }
    if (tune.channel_max != 0 && tune.channel_max < kAdminChannel) {
      refuse(SWAPMQ_NOT_SUPPORTED,
             "it allows one channel to a connection; two are needed (see \"channel_max\" of the "
             "broker)");
    }
    const std::chrono::seconds theirs(tune.heartbeat);
    tuning.heartbeat =
        heartbeat.count() == 0 || theirs.count() == 0 ? heartbeat : std::min(heartbeat, theirs);
    amqp_connection_tune_ok_t ok{};
    ok.channel_max = tune.channel_max;
    ok.frame_max = tuning.frame_max;
    ok.heartbeat = static_cast<uint16_t>(tuning.heartbeat.count());
    connection_.out().method(0, AMQP_CONNECTION_TUNE_OK_METHOD, ok);
    tuning_ = tuning;
  }

  void open() {
    amqp_connection_open_t open{};
    open.virtual_host = amqp_bytes(broker_.virtual_host);
    connection_.out().method(0, AMQP_CONNECTION_OPEN_METHOD, open);
    const Frame frame = connection_.read(deadline_);
    if (frame.method() == AMQP_CONNECTION_CLOSE_METHOD) closed(closing_of(frame));
    if (frame.method() != AMQP_CONNECTION_OPEN_OK_METHOD)
      unexpected(frame, "to open a virtual host");
    connection_.tuned(tuning_);
  }

  [[noreturn]] void closed(const Closing& closing) {
    connection_.out().method(0, AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t{});
    connection_.push();
    const std::string host = "\"" + one_line(broker_.virtual_host) + "\"";
    if (closing.code == AMQP_ACCESS_REFUSED && closing.about != AMQP_CONNECTION_OPEN_METHOD) {
      refuse(SWAPMQ_ACCESS_DENIED,
             "it refuses the login of user \"" + one_line(broker_.username) +
                 "\": look at \"username\" and \"password\" (guest may log in from its own "
                 "machine only)");
    }
    if (closing.code == AMQP_NOT_ALLOWED && closing.text.find("not found") != std::string::npos) {
      refuse(SWAPMQ_NOT_FOUND, "it has no virtual host " + host +
                                   ": look at \"virtual_host\", or the path of \"url\" "
                                   "(rabbitmqctl list_vhosts)");
    }
    if (closing.code == AMQP_NOT_ALLOWED || closing.code == AMQP_ACCESS_REFUSED) {
      refuse(SWAPMQ_ACCESS_DENIED, "user \"" + one_line(broker_.username) +
                                       "\" may not use the virtual host " + host +
                                       " (rabbitmqctl set_permissions): " + closing.text);
    }
    throw connection_closed(broker_.endpoint, closing);
  }

  [[noreturn]] void unexpected(const Frame& /*frame*/, const char* doing) const {
    throw ConnectionLost("RabbitMQ at " + broker_.endpoint.text() +
                         " answered with something else than was asked for, " + doing);
  }

  Connection& connection_;
  const Broker& broker_;
  const Deadline deadline_;
  Tuning tuning_;
};

} // namespace

void log_in(Connection& connection, const Broker& broker, const std::string& name,
            std::chrono::seconds heartbeat, Deadline deadline) {
  Login(connection, broker, deadline).run(name, heartbeat);
}

} // namespace swapmq::rabbitmq
