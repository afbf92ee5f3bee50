// SPDX-License-Identifier: MIT
//
// swapmq queue peek: messages are shown and stay where they are. A backend that cannot show without
// taking has them taken and given back, and a note says so.
#include <string>
#include <vector>

#include "commands/commands.h"
#include "commands/message_text.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "signals.h"

namespace swapmq::host {
namespace {

constexpr milliseconds one_look{1000}; // for a message to come, where they have to be taken

ExitCode print(const std::vector<Delivery>& shown, const PeekCommand& command) {
  JsonWriter json;
  std::string text;
  for (const Delivery& delivery : shown) append_message(text, delivery, command.output, json);
  return printed(print_out(text));
}

ExitCode take_and_give_back(MessageQueue& queue, const CommonOptions& common,
                            const PeekCommand& command) {
  if (!common.quiet) {
    print_err("swapmq: note: " + queue.backend_name() +
              " cannot show messages without taking them; they are taken and given back, so that "
              "their next delivery is flagged as a repeated one\n");
  }
  Result<Subscription> subscription = queue.subscribe(command.queue, {.prefetch = command.max});
  if (!subscription) return fail(subscription.error());
  std::vector<Delivery> taken;
  Error trouble;
  while (taken.size() < command.max && !signals::interrupted()) {
    Result<std::vector<Delivery>> more =
        subscription->receive(command.max - taken.size(), one_look);
    if (!more) trouble = more.error();
    if (!more || more->empty()) break;
    for (Delivery& delivery : *more) taken.push_back(std::move(delivery));
  }
  ExitCode code = print(taken, command);
  for (const Delivery& delivery : taken) (void)delivery.release(); // lost means the same
  if (const Error error = subscription->close(command.timeout); !trouble) trouble = error;
  if (trouble) code = fail(trouble);
  return code == exit_done && signals::interrupted() ? exit_interrupted : code;
}

} // namespace

int run(const CommonOptions& common, const PeekCommand& command) {
  Result<MessageQueue> opened = open_message_queue(common);
  if (!opened) return fail_to_open(common, opened.error());
  const Result<QueueStats> stats = opened->stats(command.queue, command.timeout);
  if (!stats) return fail(stats.error());
  if (!stats->exists) return fail(no_such_queue(command.queue));
  const auto shown = opened->peek(command.queue, command.max, command.timeout);
  if (shown) return print(*shown, command);
  if (shown.error().code() != Errc::not_supported) return fail(shown.error());
  return take_and_give_back(*opened, common, command);
}

} // namespace swapmq::host
