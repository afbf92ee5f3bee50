// SPDX-License-Identifier: MIT
//
// Runs a command with a RabbitMQ broker: one of its own, started before it and ended after it, or
// one that many share.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../support/text.hpp"
#include "../support/wrapped_command.hpp"
#include "rabbitmq_broker.hpp"
#include "shared_broker.hpp"

namespace swapmq::live {
namespace {

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: with_rabbitmq [--setup NAME] [--shared FOLDER] -- COMMAND [ARGUMENT...]\n"
      "       with_rabbitmq --start FOLDER\n"
      "       with_rabbitmq --stop FOLDER\n"
      "\n"
      "Starts a RabbitMQ broker on free ports, runs the command and ends the broker. In arguments\n"
      "  {rabbitmq}       stands for the options of the plugin rabbitmq, a JSON object\n"
      "  {rabbitmq_url}   for the broker as a URL, with the virtual host\n"
      "  {rabbitmq_port}  for its port\n"
      "  {rabbitmq_dir}   for its folder; rabbitmq.log and advanced.config are there\n"
      "\n"
      "With --shared the command gets a fresh virtual host of the broker that --start started "
      "with\n"
      "the same folder; it serves all set-ups at once. That one ends with --stop, or when the "
      "process\n"
      "that ran --start ends, such as ctest or a shell.\n"
      "\n"
      "set-ups:",
      to);
  for (const std::string& name : rabbitmq_setup_names()) std::fprintf(to, " %s", name.c_str());
  std::fputs(
      "; plain if none is named\n"
      "exit: that of the command, 128 + N if signal N ended it; 2 wrong usage, 125 the broker\n"
      "cannot be started or does not run, 127 the command cannot be started\n",
      to);
}

int complain(int code, const std::string& what) {
  std::fprintf(stderr, "with_rabbitmq: %s\n", what.c_str());
  return code;
}

struct Arguments {
  RabbitmqSetup setup;
  std::string start{}, stop{}, shared{}; // folders
  std::vector<std::string> command;
};

std::optional<Arguments> parse(const std::vector<std::string>& given) {
  Arguments parsed;
  std::size_t at = 0;
  for (; at + 1 < given.size() && given[at] != "--"; at += 2) {
    const std::string& name = given[at];
    const std::string& value = given[at + 1];
    if (name == "--setup") {
      const auto setup = rabbitmq_setup(value);
      if (!setup) return complain(kUsage, "there is no set-up \"" + value + "\""), std::nullopt;
      parsed.setup = *setup;
    } else if (name == "--start") {
      parsed.start = value;
    } else if (name == "--stop") {
      parsed.stop = value;
    } else if (name == "--shared") {
      parsed.shared = value;
    } else {
      return std::nullopt;
    }
  }
  const bool alone = !parsed.start.empty() || !parsed.stop.empty();
  if (alone) return given.size() == 2 ? std::optional(parsed) : std::nullopt;
  if (at + 1 >= given.size()) return std::nullopt;
  parsed.command.assign(given.begin() + static_cast<std::ptrdiff_t>(at) + 1, given.end());
  return parsed;
}

void tell(std::vector<std::string>& command, const RabbitmqOptions& options,
          const std::string& folder) {
  for (std::string& argument : command) {
    put(argument, "{rabbitmq}", options.json());
    put(argument, "{rabbitmq_url}", options.url());
    put(argument, "{rabbitmq_port}", std::to_string(options.port));
    put(argument, "{rabbitmq_dir}", folder);
  }
}

int run(std::vector<std::string> command, const RabbitmqOptions& options, const RabbitmqNode& node,
        const Signals& signals) {
  tell(command, options, node.folder);
  try {
    return run_wrapped(command, signals);
  } catch (const std::system_error& failure) {
    return complain(kNoCommand, failure.what());
  }
}

int with_own(const Arguments& arguments, const Signals& signals) {
  RabbitmqBroker broker(arguments.setup);
  const int code = run(arguments.command, broker.options(), broker.node(), signals);
  if (!broker.running()) complain(code, "the broker did not last:\n" + broker.log());
  return code;
}

int with_shared(const Arguments& arguments, const Signals& signals) {
  const SharedVirtualHost host(arguments.shared, arguments.setup);
  return run(arguments.command, host.options(), host.node(), signals);
}

int act(const Arguments& arguments) {
  if (!arguments.start.empty()) return start_shared_broker(arguments.start), 0;
  if (!arguments.stop.empty()) {
    if (!stop_shared_broker(arguments.stop)) std::puts("no broker runs there");
    return 0;
  }
  const Signals signals;
  return arguments.shared.empty() ? with_own(arguments, signals) : with_shared(arguments, signals);
}

} // namespace
} // namespace swapmq::live

int main(int argc, char** argv) {
  using namespace swapmq::live;
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (!given.empty() && given.front() == "--help") return print_usage(stdout), 0;
  const auto arguments = parse(given);
  if (!arguments) return print_usage(stderr), kUsage;
  try {
    return act(*arguments);
  } catch (const std::exception& failure) {
    return complain(kNoServer, failure.what());
  }
}
