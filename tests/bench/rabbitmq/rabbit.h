// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "../broker/broker.h"
#include "link.h"
#include "publisher.h"

namespace bench {

class Rabbit final : public Broker {
 public:
  /// Queues are filled as queues of the type that the options name.
  Rabbit(pid_t server, const Link::Place& place);

  void fill(std::string_view queue, std::string_view body, std::span<const Id> ids) override;
  std::vector<Id> ids(std::string_view queue, std::string_view body) override;
  std::size_t left(std::string_view queue) override;
  void clear(std::string_view queue) override;

 private:
  const Link::Place place_;
  Link link_;
  Publisher publisher_;
};

} // namespace bench
