// SPDX-License-Identifier: MIT
//
// Runs a command with a RabbitMQ broker of its own: started before it, told to it, ended after it.
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

namespace swapmq::live {
namespace {

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: with_rabbitmq [--setup NAME] -- COMMAND [ARGUMENT...]\n"
      "\n"
      "Starts a RabbitMQ broker on free ports, runs the command and ends the broker. In arguments\n"
      "  {rabbitmq}       stands for the options of the plugin rabbitmq, a JSON object\n"
      "  {rabbitmq_url}   for the broker as a URL, with the virtual host\n"
      "  {rabbitmq_port}  for its port\n"
      "  {rabbitmq_dir}   for its folder; rabbitmq.log and advanced.config are there\n"
      "\n"
      "set-ups:",
      to);
  for (const std::string& name : rabbitmq_setup_names()) std::fprintf(to, " %s", name.c_str());
  std::fputs(
      "; plain if none is named\n"
      "exit: that of the command, 128 + N if signal N ended it; 2 wrong usage, 125 the broker\n"
      "cannot be started, 127 the command cannot be started\n",
      to);
}

struct Arguments {
  RabbitmqSetup setup;
  std::vector<std::string> command;
};

std::optional<Arguments> parse(const std::vector<std::string>& given) {
  Arguments parsed;
  std::size_t at = 0;
  if (at + 1 < given.size() && given[at] == "--setup") {
    const auto setup = rabbitmq_setup(given[at + 1]);
    if (!setup) {
      std::fprintf(stderr, "with_rabbitmq: there is no set-up \"%s\"\n", given[at + 1].c_str());
      return std::nullopt;
    }
    parsed.setup = *setup;
    at += 2;
  }
  if (at + 1 >= given.size() || given[at] != "--") return std::nullopt;
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

int with_broker(Arguments arguments) {
  const Signals signals;
  std::optional<RabbitmqBroker> broker;
  try {
    broker.emplace(std::move(arguments.setup));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "with_rabbitmq: %s\n", failure.what());
    return kNoServer;
  }
  tell(arguments.command, broker->options(), broker->folder().path());
  try {
    const int code = run_wrapped(arguments.command, signals);
    if (!broker->running()) {
      std::fprintf(stderr, "with_rabbitmq: the broker did not last:\n%s\n", broker->log().c_str());
    }
    return code;
  } catch (const std::system_error& failure) {
    std::fprintf(stderr, "with_rabbitmq: %s\n", failure.what());
    return kNoCommand;
  }
}

} // namespace
} // namespace swapmq::live

int main(int argc, char** argv) {
  using namespace swapmq::live;
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (!given.empty() && given.front() == "--help") return print_usage(stdout), 0;
  auto arguments = parse(given);
  if (!arguments) return print_usage(stderr), kUsage;
  return with_broker(*std::move(arguments));
}
