// SPDX-License-Identifier: MIT
//
// swapmq run: a host that does nothing but be one, until SIGTERM.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "commands/commands.h"
#include "daemon/host.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "signals.h"

namespace swapmq::host {
namespace {

using Clock = std::chrono::steady_clock;

/// A broker that is down now may come; whoever mistyped its address wants to hear of it, though.
void say_if_unreachable(MessageQueue& queue, milliseconds timeout) {
  constexpr milliseconds most{5'000};
  const Error error = queue.ping(std::min(timeout, most));
  if (!error || signals::interrupted()) return;
  print_err("swapmq: " + queue.backend_name() + " cannot be reached: " + error.message() +
            "; the host runs, and keeps trying\n");
}

bool print_event(JsonWriter& json) { return print_out(json.end_object().take()); }

/// For programs: an object when it runs, and one when it has ended.
bool print_running(Host& host, const CommonOptions& common) {
  JsonWriter json;
  json.begin_object()
      .member("event", "running")
      .member("backend", host.queue().backend_name())
      .member("process", static_cast<std::uint64_t>(::getpid()))
      .member("config", common.config)
      .member("control_socket", host.control_socket());
  return print_event(json);
}

bool print_ended(Host& host, Clock::duration took, const Error& error) {
  JsonWriter json;
  json.begin_object()
      .member("event", "ended")
      .member("backend", host.queue().backend_name())
      .member("seconds", std::chrono::duration<double>(took).count())
      .member("drained", !error);
  return print_event(json);
}

void say_running(Host& host, const CommonOptions& common) {
  if (common.quiet) return;
  const std::string config = common.config.empty() ? "the embedded default" : common.config;
  const std::string socket = host.control_socket();
  print_err("swapmq: running on " + host.queue().backend_name() + ", process " +
            std::to_string(::getpid()) + ", configuration " + config +
            (socket.empty() ? "; no control socket, since it names no state_dir"
                            : ", control socket " + socket) +
            "\n");
}

} // namespace

int run(const CommonOptions& common, const RunCommand& command) {
  Host host("run", common, true);
  if (const Error error = host.open()) return fail_to_open(common, error);
  const Clock::time_point began = Clock::now();
  bool printed = !common.json || print_running(host, common);
  say_running(host, common);
  say_if_unreachable(host.queue(), command.timeout);
  (void)signals::wait(-1, 0);
  if (!common.quiet) print_err("swapmq: ending; a second signal ends at once\n");
  const Error error = host.close(command.timeout);
  if (common.json) printed = print_ended(host, Clock::now() - began, error) && printed;
  if (error) return host.leave(fail(error));
  return host.leave(printed ? exit_done : exit_failed);
}

} // namespace swapmq::host
