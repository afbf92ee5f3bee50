// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "queue/lane.h"

namespace swapmq::detail {

class Runtime;

/// A consumer or a subscription: its lanes. Any thread, but for the constructor and destructor.
class ConsumerState {
 public:
  /// One lane for each setup; the runtime is kept as long as this lives.
  ConsumerState(std::shared_ptr<Runtime> runtime, std::vector<queue::LaneSetup> setups);
  ~ConsumerState();

  Error close(milliseconds timeout);
  void begin_close();
  void tick();  ///< as Lane::tick
  void serve(); ///< as Lane::serve
  [[nodiscard]] Error last_error() const;
  [[nodiscard]] std::size_t in_flight() const;
  Result<std::vector<Delivery>> receive(std::size_t max, milliseconds timeout);

 private:
  std::shared_ptr<Runtime> runtime_; // first: the lanes use what it owns
  std::vector<std::unique_ptr<queue::Lane>> lanes_;
};

} // namespace swapmq::detail
