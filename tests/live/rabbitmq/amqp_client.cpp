// SPDX-License-Identifier: MIT
#include "amqp_client.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include <stdexcept>
#include <string_view>

namespace swapmq::live {

namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameMax = 131072;
constexpr timeval kPatience{10, 0};

amqp_bytes_t bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string text(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

/// The entries of a table, and of those in it; the memory is this one's.
class Table {
 public:
  explicit Table(const std::vector<AmqpHeader>& headers) {
    entries_.reserve(headers.size());
    for (const AmqpHeader& header : headers) {
      entries_.push_back({bytes(header.name), value_of(header)});
    }
  }
  amqp_table_t get() { return {static_cast<int>(entries_.size()), entries_.data()}; }

 private:
  amqp_field_value_t value_of(const AmqpHeader& header) {
    amqp_field_value_t field{};
    if (!header.members.empty()) {
      field.kind = AMQP_FIELD_KIND_TABLE;
      field.value.table = inner_.emplace_back(std::make_unique<Table>(header.members))->get();
    } else if (const auto* string = std::get_if<std::string>(&header.value)) {
      field.kind = AMQP_FIELD_KIND_UTF8;
      field.value.bytes = bytes(*string);
    } else if (const auto* number = std::get_if<std::int64_t>(&header.value)) {
      field.kind = AMQP_FIELD_KIND_I64;
      field.value.i64 = *number;
    } else if (const auto* flag = std::get_if<bool>(&header.value)) {
      field.kind = AMQP_FIELD_KIND_BOOLEAN;
      field.value.boolean = *flag ? 1 : 0;
    } else {
      field.kind = AMQP_FIELD_KIND_F64;
      field.value.f64 = std::get<double>(header.value);
    }
    return field;
  }

  std::vector<amqp_table_entry_t> entries_;
  std::vector<std::unique_ptr<Table>> inner_;
};

void put(amqp_basic_properties_t& properties, amqp_flags_t flag, amqp_bytes_t& field,
         const std::string& value) {
  if (value.empty()) return;
  properties._flags |= flag;
  field = bytes(value);
}

amqp_basic_properties_t properties_of(const AmqpMessage& message, Table& headers) {
  amqp_basic_properties_t p{};
  put(p, AMQP_BASIC_MESSAGE_ID_FLAG, p.message_id, message.id);
  put(p, AMQP_BASIC_CORRELATION_ID_FLAG, p.correlation_id, message.correlation_id);
  put(p, AMQP_BASIC_REPLY_TO_FLAG, p.reply_to, message.reply_to);
  put(p, AMQP_BASIC_CONTENT_TYPE_FLAG, p.content_type, message.content_type);
  put(p, AMQP_BASIC_EXPIRATION_FLAG, p.expiration, message.expiration);
  put(p, AMQP_BASIC_TYPE_FLAG, p.type, message.type);
  put(p, AMQP_BASIC_APP_ID_FLAG, p.app_id, message.app_id);
  if (message.timestamp) {
    p._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    p.timestamp = *message.timestamp;
  }
  if (message.priority) {
    p._flags |= AMQP_BASIC_PRIORITY_FLAG;
    p.priority = static_cast<std::uint8_t>(*message.priority);
  }
  if (!message.headers.empty()) {
    p._flags |= AMQP_BASIC_HEADERS_FLAG;
    p.headers = headers.get();
  }
  return p;
}

AmqpHeader header_of(const amqp_table_entry_t& entry) {
  AmqpHeader header{text(entry.key)};
  if (entry.value.kind == AMQP_FIELD_KIND_UTF8) {
    header.value = text(entry.value.value.bytes);
  } else if (entry.value.kind == AMQP_FIELD_KIND_I64) {
    header.value = entry.value.value.i64;
  } else {
    header.value = std::string("(of kind ") + static_cast<char>(entry.value.kind) + ")";
  }
  return header;
}

AmqpMessage message_of(const amqp_message_t& got) {
  const amqp_basic_properties_t& p = got.properties;
  const auto has = [&p](amqp_flags_t flag) { return (p._flags & flag) != 0; };
  const auto string = [&](amqp_flags_t flag, amqp_bytes_t value) {
    return has(flag) ? text(value) : std::string();
  };
  AmqpMessage message{.body = text(got.body)};
  message.id = string(AMQP_BASIC_MESSAGE_ID_FLAG, p.message_id);
  message.correlation_id = string(AMQP_BASIC_CORRELATION_ID_FLAG, p.correlation_id);
  message.reply_to = string(AMQP_BASIC_REPLY_TO_FLAG, p.reply_to);
  message.content_type = string(AMQP_BASIC_CONTENT_TYPE_FLAG, p.content_type);
  message.expiration = string(AMQP_BASIC_EXPIRATION_FLAG, p.expiration);
  message.type = string(AMQP_BASIC_TYPE_FLAG, p.type);
  message.app_id = string(AMQP_BASIC_APP_ID_FLAG, p.app_id);
  if (has(AMQP_BASIC_TIMESTAMP_FLAG)) message.timestamp = p.timestamp;
  if (has(AMQP_BASIC_PRIORITY_FLAG)) message.priority = p.priority;
  if (has(AMQP_BASIC_DELIVERY_MODE_FLAG)) message.delivery_mode = p.delivery_mode;
  for (int i = 0; has(AMQP_BASIC_HEADERS_FLAG) && i < p.headers.num_entries; ++i) {
    message.headers.push_back(header_of(p.headers.entries[i]));
  }
  return message;
}

void check(const amqp_rpc_reply_t& reply, const char* doing) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  throw std::runtime_error(std::string("librabbitmq: ") + doing + ": " +
                           (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION
                                ? amqp_error_string2(reply.library_error)
                                : "refused by the broker"));
}

} // namespace

std::string AmqpMessage::header(const std::string& name) const {
  for (const AmqpHeader& header : headers) {
    if (header.name != name) continue;
    if (const auto* number = std::get_if<std::int64_t>(&header.value)) {
      return std::to_string(*number);
    }
    return std::get<std::string>(header.value);
  }
  return "(none)";
}

struct AmqpClient::State {
  State() : connection(amqp_new_connection()) {}
  ~State() { amqp_destroy_connection(connection); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  amqp_connection_state_t connection;
};

AmqpClient::AmqpClient(const RabbitmqOptions& options) : state_(std::make_unique<State>()) {
  amqp_connection_state_t connection = state_->connection;
  amqp_socket_t* socket = amqp_tcp_socket_new(connection);
  if (socket == nullptr || amqp_set_rpc_timeout(connection, &kPatience) != AMQP_STATUS_OK ||
      amqp_socket_open_noblock(socket, options.host.c_str(), options.port, &kPatience) != 0) {
    throw std::runtime_error("librabbitmq: cannot connect");
  }
  live::check(
      amqp_login(connection, options.virtual_host.c_str(), 0, kFrameMax, 0, AMQP_SASL_METHOD_PLAIN,
                 options.username.c_str(), options.password.c_str()),
      "login");
  amqp_channel_open(connection, kChannel);
  check("opening a channel");
}

AmqpClient::~AmqpClient() = default;

void AmqpClient::check(const char* doing) const {
  live::check(amqp_get_rpc_reply(state_->connection), doing);
}

void AmqpClient::publish(const std::string& queue, const AmqpMessage& message) {
  Table headers(message.headers);
  const amqp_basic_properties_t properties = properties_of(message, headers);
  // In a transaction, of which the end is answered.
  amqp_tx_select(state_->connection, kChannel);
  check("beginning a transaction");
  if (amqp_basic_publish(state_->connection, kChannel, amqp_empty_bytes, bytes(queue), 0, 0,
                         &properties, bytes(message.body)) != AMQP_STATUS_OK) {
    throw std::runtime_error("librabbitmq: cannot publish");
  }
  amqp_tx_commit(state_->connection, kChannel);
  check("ending a transaction");
}

std::optional<AmqpMessage> AmqpClient::get(const std::string& queue) {
  amqp_connection_state_t connection = state_->connection;
  const amqp_rpc_reply_t reply = amqp_basic_get(connection, kChannel, bytes(queue), 1);
  live::check(reply, "getting a message");
  if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::nullopt;
  amqp_message_t got{};
  live::check(amqp_read_message(connection, kChannel, &got, 0), "reading a message");
  AmqpMessage message = message_of(got);
  amqp_destroy_message(&got);
  return message;
}

} // namespace swapmq::live
