// SPDX-License-Identifier: MIT
//
// Plugins that are new to a process are tried in another one first: one that crashes or hangs there
// does so to nobody's harm. The other one is the program swapmq-probe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "plugin/library.h"
#include "plugin/session.h"

namespace swapmq::probe {

/// How a trial is held.
struct Terms {
  plugin::Deadline deadline;      ///< of the plugin's calls; a moment later it is killed
  std::function<bool()> given_up; ///< looked at now and then: nobody waits any more; may be empty
  std::function<void(const std::string&)> warn; ///< once a process, if there is no such program
};

/// Loads the plugin, opens the backend and a session, pings, closes. Any thread; blocks up to the
/// deadline and a moment. ok also where there is no probe program. Errors: the plugin's own; code
/// plugin, it crashed, hung or ended the process; interrupted, it was given up; unavailable or
/// resource_exhausted, there could be no trial.
Error try_opening(const plugin::Plugin& plugin, const plugin::OpenRequest& request,
                  const Terms& terms);

/// While one of them is on, somebody's messages depend on this process: what is loaded into it is
/// tried first.
class Guard {
 public:
  Guard() = default;
  ~Guard() { off(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Any thread; the newest call counts. `timeout` is that of one trial.
  void on(std::chrono::milliseconds timeout, std::function<void(const std::string&)> warn);
  void off();
};

/// Loads the plugin, if there is a guard. The error's text does not name the plugin.
Error try_loading(const plugin::SealedCopy& image, const std::string& name,
                  const std::string& path);

} // namespace swapmq::probe
