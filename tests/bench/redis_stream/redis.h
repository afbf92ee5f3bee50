// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../broker/broker.h"
#include "wire.h"

namespace bench {

/// The messages are those of the documented wire format.
class Redis final : public Broker {
 public:
  Redis(pid_t server, std::uint16_t port)
      : Broker(server), connection_(port), replies_(connection_) {}

  void fill(std::string_view queue, std::string_view body, std::span<const Id> ids) override;
  std::vector<Id> ids(std::string_view queue, std::string_view body) override;
  std::size_t left(std::string_view queue) override;
  void clear(std::string_view queue) override;

 private:
  void command(std::initializer_list<std::string_view> words);

  Connection connection_;
  Replies replies_;
};

} // namespace bench
