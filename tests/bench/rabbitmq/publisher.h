// SPDX-License-Identifier: MIT
//
// Confirmed publishing with a sliding window: a message goes out as soon as fewer than the window
// are without a confirm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../broker/contender.h"
#include "link.h"

namespace bench {

class Publisher {
 public:
  Publisher(Link& link, std::size_t window);

  /// Makes the queue.
  void begin(std::string_view queue, std::string_view body);
  void publish(const Id& id, std::int64_t now_ms);
  /// Waits for all confirms.
  void finish();

 private:
  void await_one();
  void take_what_is_there();
  void take(const amqp_frame_t& frame);
  void confirmed(std::uint64_t tag, bool multiple);
  void confirm(std::uint64_t tag);

  Link& link_;
  const std::size_t window_;
  std::string queue_, body_;
  amqp_basic_properties_t properties_{};
  amqp_table_entry_t header_{};
  // Tags count all that the channel published. Whether each from lowest_ on is confirmed, in a
  // ring.
  std::vector<std::uint8_t> confirmed_;
  std::uint64_t next_ = 1, lowest_ = 1;
  std::size_t in_flight_ = 0, since_looked_ = 0;
};

} // namespace bench
