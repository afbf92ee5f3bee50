// SPDX-License-Identifier: MIT
//
// The headers that carry what AMQP has no property for. README.md, "On the wire".
#pragma once

#include <string_view>

namespace swapmq::rabbitmq {

constexpr std::string_view kOwnHeader = "x-swapmq-"; // all of them begin so

constexpr std::string_view kTimestampHeader = "x-swapmq-timestamp-ms";
constexpr std::string_view kFirstPublishedHeader = "x-swapmq-first-published-ms";
constexpr std::string_view kDueAtHeader = "x-swapmq-due-at-ms";
constexpr std::string_view kExpiresAtHeader = "x-swapmq-expires-at-ms";
constexpr std::string_view kDeliveryCountHeader = "x-swapmq-delivery-count"; // elsewhere, before
constexpr std::string_view kNacksHeader = "x-swapmq-nacks";                  // counted here
constexpr std::string_view kNotBeforeHeader = "x-swapmq-not-before-ms";      // since the last nack
constexpr std::string_view kOrderingKeyHeader = "x-swapmq-ordering-key";
// Where the properties of these names have no room: they are short strings.
constexpr std::string_view kCorrelationIdHeader = "x-swapmq-correlation-id";
constexpr std::string_view kReplyToHeader = "x-swapmq-reply-to";
constexpr std::string_view kContentTypeHeader = "x-swapmq-content-type";
// A header whose own name means something to the broker: followed by a number; its value is the
// length of the name in one octet, the name, the value.
constexpr std::string_view kEscapedHeader = "x-swapmq-header-";
// The broker sorts headers when it moves a message: the names in their order, each after its length
// in one octet.
constexpr std::string_view kHeaderOrderHeader = "x-swapmq-header-order";

/// Whether the broker reads or writes headers of that name itself.
inline bool is_the_brokers(std::string_view name) {
  for (const std::string_view own :
       {std::string_view("CC"), std::string_view("BCC"), std::string_view("x-death"),
        std::string_view("x-delay"), std::string_view("x-delivery-count"),
        std::string_view("x-acquired-count"), std::string_view("x-received-from")}) {
    if (name == own) return true;
  }
  return name.starts_with("x-first-death-") || name.starts_with("x-last-death-");
}

} // namespace swapmq::rabbitmq
