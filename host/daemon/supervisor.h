// SPDX-License-Identifier: MIT
//
// What a host does besides its work: it follows its configuration, answers at its control socket,
// and tells people and the service manager how switches go. One thread does it all, and never
// blocks; what may take long it has a worker do.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/config_source.h"
#include "daemon/config_watcher.h"
#include "daemon/control_desk.h"
#include "daemon/control_server.h"
#include "daemon/notifier.h"
#include "daemon/reloader.h"
#include "daemon/status_report.h"
#include "daemon/worker.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class Supervisor {
 public:
  using Clock = std::chrono::steady_clock;

  struct Setup {
    HostFacts facts;
    std::unique_ptr<ConfigWatcher> watcher; ///< null: there is no file to watch
    bool quiet = false;                     ///< says errors alone
  };

  /// Queue and source outlive it. `state_dir` of the facts is empty or one that the queue has
  /// locked. Nothing runs before start().
  Supervisor(MessageQueue& queue, ConfigSource& source, Setup setup);
  ~Supervisor() { stop(); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Errors: config, the state_dir is no place for a control socket.
  Error start();
  /// The host is asked to end: it says so, and goes on answering. Any thread.
  void ending();
  /// Ends all of it but a reload that is under way, for which it waits so long. False: that does
  /// not come back; it is what stop() would wait for.
  [[nodiscard]] bool finish(milliseconds patience);
  /// Ends all of it.
  void stop();

 private:
  void run();
  void wait(Clock::time_point now);
  void take_wishes(Clock::time_point now);
  void ask_reload(const std::string& why);
  void look_at_reload();
  void look_at_switch(Clock::time_point now);
  void keep_alive(Clock::time_point now);
  void say_reloaded(const Reloaded& reloaded);
  void say_switch(const SwitchStatus& status);
  void say(const std::string& text, bool is_error = false) const;
  [[nodiscard]] std::string summary() const;

  MessageQueue& queue_;
  const Setup setup_;
  Descriptor rung_; ///< an eventfd: something is to be looked at
  Worker worker_;
  Reloader reloader_;
  ControlDesk desk_;
  std::unique_ptr<ControlServer> server_; ///< null: there is no state_dir
  Notifier notifier_;
  std::atomic<bool> ending_{false}, stopping_{false};
  // The thread's own.
  bool said_ending_ = false;
  bool reload_awaited_ = false;
  bool refusal_said_ = false;
  std::uint64_t reload_said_ = 0;
  std::uint64_t switch_said_ = 0;
  SwitchPhase phase_said_ = SwitchPhase::none;
  bool switch_under_way_ = false;
  Clock::time_point next_look_{}, next_alive_{};
  std::thread thread_;
};

} // namespace swapmq::host
