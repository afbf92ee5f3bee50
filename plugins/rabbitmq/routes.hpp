// SPDX-License-Identifier: MIT
//
// Where the messages of a queue are sent: to the queue itself, or to one of its delay queues.
//
// A delay queue keeps each message for the same time, so that none waits behind another one, and
// the broker then moves it to the queue. There is one for each of some times (128, 192, 256, 384,
// ... ms), made when it is needed. A message waits in that of the longest time that is not too
// long; what is left of its delay then is up to who gets it: it is sent to another one, or, if it
// is hardly worth it, held.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "options.hpp"

namespace swapmq::rabbitmq {

/// Shorter delays are held by consumers.
constexpr int64_t kShortestDelay_ms = 128;

/// How a queue is made.
struct QueueArguments {
  QueueType type = QueueType::quorum;
  uint64_t max_length = 0; // 0: no limit
  bool single_active_consumer = false;
  uint32_t max_priority = 0;
  uint32_t quorum_group_size = 0;
  uint64_t delay_ms = 0; // of a delay queue
  std::string then_to;   // where it moves its messages
};

struct Route {
  std::string queue; // its name at the broker
  std::string frame; // the basic.publish that goes there
  QueueArguments arguments;
  uint64_t declared_on = 0; // the serial of the connection over which it surely exists
  uint64_t taken_on = 0;    // that of the channel over which it has taken a message
};

class QueueRoutes {
 public:
  QueueRoutes(std::string at_broker, uint64_t max_length, bool strict_order,
              const Options& options);

  Route& queue() { return queue_; }
  /// For a message that is due after so many milliseconds.
  Route& due_in(int64_t left_ms) { return left_ms < kShortestDelay_ms ? queue_ : delay(left_ms); }
  /// All names that its delay queues can have.
  [[nodiscard]] std::vector<std::string> delay_queue_names() const;
  /// Nothing is known of what exists.
  void forget();

 private:
  Route& delay(int64_t left_ms);

  Route queue_;
  std::map<uint64_t, Route> delays_;
};

} // namespace swapmq::rabbitmq
