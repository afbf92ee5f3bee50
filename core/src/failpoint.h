// SPDX-License-Identifier: MIT
//
// Places where a test stops, kills or delays the process. Without a test each is one relaxed load.
#pragma once

#include <atomic>

namespace swapmq {

class Failpoints {
 public:
  using Reached = void (*)(const char* place);

  /// Called from now on at each place, on the thread that comes there; null: nobody. Tests only.
  static void watch(Reached reached) { watcher().store(reached); }
  static void reach(const char* place) {
    if (const Reached reached = watcher().load(std::memory_order_relaxed)) reached(place);
  }

 private:
  static std::atomic<Reached>& watcher() {
    static std::atomic<Reached> one{nullptr};
    return one;
  }
};

} // namespace swapmq
