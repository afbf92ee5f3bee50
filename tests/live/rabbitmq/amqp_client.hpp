// SPDX-License-Identifier: MIT
//
// Somebody else at the broker, with librabbitmq: writes messages with what properties it likes, and
// reads them as they stand there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rabbitmq_setup.hpp"

namespace swapmq::live {

/// A header of any type; one with members is a table.
struct AmqpHeader {
  std::string name;
  std::variant<std::string, std::int64_t, bool, double> value{};
  std::vector<AmqpHeader> members{};
};

/// What is not there is empty.
struct AmqpMessage {
  std::string body{};
  std::string id{}, correlation_id{}, reply_to{}, content_type{}, expiration{}, type{}, app_id{};
  std::optional<std::uint64_t> timestamp{};
  std::optional<int> priority{}, delivery_mode{};
  std::vector<AmqpHeader> headers{};

  /// Of the header of that name, numbers as text; "(none)" if there is none.
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// Functions throw std::runtime_error.
class AmqpClient {
 public:
  explicit AmqpClient(const RabbitmqOptions& options);
  ~AmqpClient();
  AmqpClient(const AmqpClient&) = delete;
  AmqpClient& operator=(const AmqpClient&) = delete;

  /// To a queue that is there. Returns when the broker has it.
  void publish(const std::string& queue, const AmqpMessage& message);
  /// The first one, taken and acked; nothing if there is none.
  std::optional<AmqpMessage> get(const std::string& queue);

 private:
  struct State;
  void check(const char* doing) const;
  std::unique_ptr<State> state_;
};

} // namespace swapmq::live
