// SPDX-License-Identifier: MIT
//
// A consumer of the other backend that holds messages and dies without giving them back: in a
// process of its own, killed with SIGKILL, where the backend's queues are shared by processes. In
// one whose queues are not, nobody dies alone: there it nacks all that it holds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "world.h"

namespace swapmq::differential {

class Mortal {
 public:
  virtual ~Mortal() = default;
  /// What it holds, in order.
  [[nodiscard]] virtual const std::vector<Seen>& held() const = 0;
  virtual void die() = 0;
};

/// It subscribes and takes so many, which are ready.
std::unique_ptr<Mortal> mortal(World& world, unsigned queue, std::uint64_t count);

/// What such a process does; its exit code.
int act_out(const std::vector<std::string>& arguments);

} // namespace swapmq::differential
