// SPDX-License-Identifier: MIT
#include "broker_error.hpp"

#include <algorithm>
#include <charconv>

namespace swapmq::rabbitmq {
namespace {

struct Meaning {
  swapmq_status status;
  uint32_t flags;
  const char* hint; // what to do about it
};

Meaning meaning_of(const Closing& closing) {
  switch (closing.code) {
    case AMQP_ACCESS_REFUSED:
      return {SWAPMQ_ACCESS_DENIED, 0,
              "; the user needs configure, write and read permissions on the queue and write "
              "permission on \"amq.default\" (rabbitmqctl set_permissions)"};
    case AMQP_NOT_FOUND:
      return {SWAPMQ_NOT_FOUND, SWAPMQ_ERROR_RETRYABLE, ""};
    case AMQP_RESOURCE_LOCKED:
      return {SWAPMQ_CONFLICT, 0, "; another connection has the queue for itself"};
    case AMQP_PRECONDITION_FAILED:
      // Its text may hold a queue's name, which may read like the other one.
      if (!inequivalent_argument(closing.text).empty()) {
        return {SWAPMQ_CONFLICT, 0,
                "; the queue exists with other arguments: delete it, or ask for it as it is "
                "(\"queue_type\", max_length)"};
      }
      if (configured_max_size(closing.text) != 0) {
        return {SWAPMQ_TOO_LARGE, 0, R"(; see "max_message_size" of the broker)"};
      }
      return {SWAPMQ_UNAVAILABLE, SWAPMQ_ERROR_RETRYABLE, ""};
    case AMQP_RESOURCE_ERROR:
      return {SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE, ""};
    case AMQP_NOT_IMPLEMENTED:
      return {SWAPMQ_NOT_SUPPORTED, 0, ""};
    default:
      return {SWAPMQ_UNAVAILABLE, SWAPMQ_ERROR_RETRYABLE, ""};
  }
}

} // namespace

std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 400;
  std::string line(text.substr(0, kMost));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

ChannelClosed::ChannelClosed(const network::Endpoint& endpoint, const Closing& closing)
    : Failure(meaning_of(closing).status,
              "RabbitMQ at " + endpoint.text() + ": " + closing.text + meaning_of(closing).hint,
              meaning_of(closing).flags),
      closing_(closing) {}

network::ConnectionLost connection_closed(const network::Endpoint& endpoint,
                                          const Closing& closing) {
  return network::ConnectionLost("RabbitMQ at " + endpoint.text() +
                                 " closed the connection: " + closing.text);
}

std::string_view inequivalent_argument(std::string_view text) {
  constexpr std::string_view kBefore = "inequivalent arg '";
  const std::size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + kBefore.size());
  const std::size_t end = rest.find('\'');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

uint64_t configured_max_size(std::string_view text) {
  constexpr std::string_view kBefore = "configured max size ";
  const std::size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return 0;
  uint64_t size = 0;
  std::from_chars(text.data() + at + kBefore.size(), text.data() + text.size(), size);
  return size;
}

} // namespace swapmq::rabbitmq
