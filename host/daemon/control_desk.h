// SPDX-License-Identifier: MIT
//
// What can be asked of a host, and the answers.
//
// A request is one object: {"do": "status" | "switch" | "cancel" | "reload" | "rollback" |
// "forget", ...}. The answer is lines, one object each: while it waits {"event": "progress",
// "status": {...}}, and at last {"event": "end", "ok": BOOL, "error": {"code", "message"},
// "status":
// {...}}. The members of a request, of which an unknown one is an error:
//   status, cancel, reload, rollback  wait, timeout_ms
//   switch    the same, and type, dry_run, policy, order, allow_capability_loss
//   forget    backend, give_up
// With wait the answer ends when the switch has ended, or with "under_way": true when the timeout
// passed first.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/control_request.h"
#include "daemon/control_server.h"
#include "daemon/reloader.h"
#include "daemon/status_report.h"
#include "daemon/worker.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// One thread, which it never blocks. It and all that it borrows outlive its errands.
class ControlDesk {
 public:
  ControlDesk(MessageQueue& queue, const HostFacts& facts, Reloader& reloader, Worker& worker)
      : queue_(queue), facts_(facts), reloader_(reloader), worker_(worker) {}

  /// Begins to answer a request, whatever it is.
  std::unique_ptr<Errand> begin(std::string_view line, Errand::Clock::time_point now);
  /// From then on it says that the host is ending.
  void ending() { ending_ = true; }
  [[nodiscard]] HostStatus status() const;

 private:
  class Task;

  MessageQueue& queue_;
  const HostFacts& facts_;
  Reloader& reloader_;
  Worker& worker_;
  bool ending_ = false;
};

} // namespace swapmq::host
