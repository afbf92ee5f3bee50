// SPDX-License-Identifier: MIT
//
// The harness's own connection, for what is not measured: filling queues, looking at what is in
// them, deleting them.
#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>
#include <vector>

#include "contender.h"

namespace bench {

/// Every function throws std::exception if it cannot do it.
class Broker {
 public:
  /// Of the server's process.
  explicit Broker(pid_t server) : server_(server) {}
  virtual ~Broker() = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Makes the queue, with a message for each id in it.
  virtual void fill(std::string_view queue, std::string_view body, std::span<const Id> ids) = 0;
  /// The ids of all messages; each must have the body. They need not stay there.
  virtual std::vector<Id> ids(std::string_view queue, std::string_view body) = 0;
  /// Messages that are there, or delivered and not acked, once nobody consumes any more.
  virtual std::size_t left(std::string_view queue) = 0;
  /// Deletes the queue and whatever else a repetition left, and returns when its memory is free.
  virtual void clear(std::string_view queue) = 0;

  [[nodiscard]] pid_t server() const { return server_; }

 private:
  const pid_t server_;
};

} // namespace bench
