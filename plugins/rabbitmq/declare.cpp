// SPDX-License-Identifier: MIT
#include "declare.hpp"

#include <vector>

#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;

// Out of reach. When to give up is not the broker's business: since 4.0 it does so after 20 returns
// if it is not told otherwise. And without a limit a quorum queue puts what comes back at its end.
constexpr int64_t kDeliveryLimit = 2147483647;
constexpr BrokerVersion kHasSafeDeadLetters{3, 10};

/// The x- arguments of a queue.
class Arguments {
 public:
  void text(const char* name, std::string_view value) {
    amqp_field_value_t field{};
    field.kind = AMQP_FIELD_KIND_UTF8;
    field.value.bytes = amqp_bytes(value);
    entries_.push_back({amqp_bytes(name), field});
  }
  void number(const char* name, int64_t value) {
    amqp_field_value_t field{};
    field.kind = AMQP_FIELD_KIND_I64;
    field.value.i64 = value;
    entries_.push_back({amqp_bytes(name), field});
  }
  void yes(const char* name) {
    amqp_field_value_t field{};
    field.kind = AMQP_FIELD_KIND_BOOLEAN;
    field.value.boolean = 1;
    entries_.push_back({amqp_bytes(name), field});
  }
  amqp_table_t table() { return {static_cast<int>(entries_.size()), entries_.data()}; }

 private:
  std::vector<amqp_table_entry_t> entries_;
};

Arguments arguments_of(const QueueArguments& given, BrokerVersion version) {
  Arguments arguments;
  const bool quorum = given.type == QueueType::quorum;
  arguments.text("x-queue-type", quorum ? "quorum" : "classic");
  if (quorum && given.quorum_group_size != 0) {
    arguments.number("x-quorum-initial-group-size", given.quorum_group_size);
  }
  if (quorum) arguments.number("x-delivery-limit", kDeliveryLimit);
  if (given.max_length != 0) {
    arguments.number("x-max-length", static_cast<int64_t>(given.max_length));
    arguments.text("x-overflow", "reject-publish");
  }
  if (given.single_active_consumer) arguments.yes("x-single-active-consumer");
  if (!quorum && given.max_priority != 0) arguments.number("x-max-priority", given.max_priority);
  if (given.delay_ms != 0) {
    arguments.number("x-message-ttl", static_cast<int64_t>(given.delay_ms));
    arguments.text("x-dead-letter-exchange", "");
    arguments.text("x-dead-letter-routing-key", given.then_to);
    if (version.is_at_least(kHasSafeDeadLetters)) {
      arguments.text("x-dead-letter-strategy", "at-least-once");
      arguments.text("x-overflow", "reject-publish"); // without it there is no such strategy
    }
  }
  return arguments;
}

amqp_queue_declare_t declaration(const std::string& queue, bool passive) {
  amqp_queue_declare_t declare{};
  declare.queue = amqp_bytes(queue);
  declare.passive = passive ? 1 : 0;
  declare.durable = 1;
  return declare;
}

Declared declare(Connection& connection, const amqp_queue_declare_t& fields, Deadline deadline) {
  open_channel(connection, kAdminChannel, deadline);
  const auto& ok =
      request<amqp_queue_declare_ok_t>(connection, kAdminChannel, AMQP_QUEUE_DECLARE_METHOD, fields,
                                       AMQP_QUEUE_DECLARE_OK_METHOD, deadline);
  return {ok.message_count, ok.consumer_count};
}

/// Whether a queue that exists with another value of that argument will do all the same.
bool will_do(std::string_view argument, const QueueArguments& wanted) {
  if (argument == "x-max-length" || argument == "x-overflow") return wanted.max_length == 0;
  if (argument == "x-single-active-consumer") return !wanted.single_active_consumer;
  // Made by another version of the broker, or in a cluster of another size.
  return argument == "x-delivery-limit" || argument == "x-quorum-initial-group-size";
}

} // namespace

void ensure_exists(Connection& connection, Route& route, Deadline deadline) {
  if (route.declared_on == connection.serial()) return;
  Arguments arguments = arguments_of(route.arguments, connection.version);
  amqp_queue_declare_t fields = declaration(route.queue, false);
  fields.arguments = arguments.table();
  try {
    declare(connection, fields, deadline);
  } catch (const ChannelClosed& closed) {
    if (!will_do(inequivalent_argument(closed.closing().text), route.arguments)) throw;
    look_at(connection, route.queue, deadline);
  }
  route.declared_on = connection.serial();
}

Declared look_at(Connection& connection, const std::string& queue, Deadline deadline) {
  return declare(connection, declaration(queue, true), deadline);
}

} // namespace swapmq::rabbitmq
