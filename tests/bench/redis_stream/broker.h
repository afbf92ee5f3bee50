// SPDX-License-Identifier: MIT
//
// The harness's own connection, for what is not measured: filling queues, looking at what is in
// them, deleting them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contender.h"
#include "wire.h"

namespace bench {

class Broker {
 public:
  explicit Broker(std::uint16_t port) : connection_(port), replies_(connection_) {}

  /// Puts an entry for each id into the queue and makes its group.
  void fill(std::string_view queue, std::string_view body, std::span<const Id> ids);
  /// The ids of all entries; each must have the body's length.
  std::vector<Id> ids(std::string_view queue, std::string_view body);
  /// Entries that are there, or delivered and not acked.
  std::size_t left(std::string_view queue);
  /// Deletes everything in the server, and returns when its memory is free.
  void clear();

 private:
  void command(std::initializer_list<std::string_view> words);

  Connection connection_;
  Replies replies_;
};

} // namespace bench
