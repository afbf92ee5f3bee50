// SPDX-License-Identifier: MIT
//
// swapmq ping: one round trip.
#include <chrono>

#include "commands/commands.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "quantity.h"

namespace swapmq::host {

int run(const CommonOptions& common, const PingCommand& command) {
  using Clock = std::chrono::steady_clock;
  Result<MessageQueue> queue = open_message_queue(common);
  if (!queue) return fail_to_open(common, queue.error());
  // The first opens a session; the second is the round trip that people mean.
  const auto connecting = Clock::now();
  if (const Error error = queue->ping(command.timeout)) return fail_to_open(common, error);
  const auto pinging = Clock::now();
  if (const Error error = queue->ping(command.timeout)) return fail(error);
  const std::chrono::duration<double, std::milli> connected = pinging - connecting;
  const std::chrono::duration<double, std::milli> answered = Clock::now() - pinging;
  if (common.json) {
    JsonWriter json;
    json.begin_object()
        .member("backend", queue->backend_name())
        .member("connect_ms", connected.count())
        .member("round_trip_ms", answered.count())
        .end_object();
    return print_out(json.take()) ? exit_done : exit_failed;
  }
  if (common.quiet) return exit_done;
  const std::string text = queue->backend_name() + " answered in " + format_ms(answered.count()) +
                           " (connected in " + format_ms(connected.count()) + ")\n";
  return print_out(text) ? exit_done : exit_failed;
}

} // namespace swapmq::host
