// SPDX-License-Identifier: MIT
//
// swapmq run: a host that does nothing but be one, until SIGTERM.
#include <unistd.h>

#include <algorithm>
#include <string>

#include "commands/commands.h"
#include "daemon/host.h"
#include "output.h"
#include "program.h"
#include "signals.h"

namespace swapmq::host {
namespace {

/// A broker that is down now may come; whoever mistyped its address wants to hear of it, though.
void say_if_unreachable(MessageQueue& queue, milliseconds timeout) {
  constexpr milliseconds most{5'000};
  const Error error = queue.ping(std::min(timeout, most));
  if (!error || signals::interrupted()) return;
  print_err("swapmq: " + queue.backend_name() + " cannot be reached: " + error.message() +
            "; the host runs, and keeps trying\n");
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
  say_running(host, common);
  say_if_unreachable(host.queue(), command.timeout);
  (void)signals::wait(-1, 0);
  if (!common.quiet) print_err("swapmq: ending; a second signal ends at once\n");
  const Error error = host.close(command.timeout);
  return host.leave(error ? fail(error) : exit_done);
}

} // namespace swapmq::host
