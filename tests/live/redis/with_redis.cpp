// SPDX-License-Identifier: MIT
//
// Runs a command with a Redis server of its own: started before it, told to it, stopped after it.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../support/text.hpp"
#include "../support/wrapped_command.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: with_redis [--setup NAME] -- COMMAND [ARGUMENT...]\n"
      "\n"
      "Starts a Redis server on a free port, runs the command and stops the server. In arguments\n"
      "  {redis}         stands for the options of the plugin redis_stream, a JSON object\n"
      "  {redis_url}     for the server as a URL\n"
      "  {redis_port}    for its port, 0 with the set-up unix\n"
      "  {redis_socket}  for the Unix socket that it has with every set-up\n"
      "  {redis_dir}     for its folder; redis.log and redis.conf are there\n"
      "\n"
      "set-ups:",
      to);
  for (const std::string& name : redis_setup_names()) std::fprintf(to, " %s", name.c_str());
  std::fputs(
      "; plain if none is named\n"
      "exit: that of the command, 128 + N if signal N ended it; 2 wrong usage, 125 the server\n"
      "cannot be started, 127 the command cannot be started\n",
      to);
}

struct Arguments {
  RedisSetup setup;
  std::vector<std::string> command;
};

std::optional<Arguments> parse(const std::vector<std::string>& given) {
  Arguments parsed;
  std::size_t at = 0;
  if (at + 1 < given.size() && given[at] == "--setup") {
    const auto setup = redis_setup(given[at + 1]);
    if (!setup) {
      std::fprintf(stderr, "with_redis: there is no set-up \"%s\"\n", given[at + 1].c_str());
      return std::nullopt;
    }
    parsed.setup = *setup;
    at += 2;
  }
  if (at + 1 >= given.size() || given[at] != "--") return std::nullopt;
  parsed.command.assign(given.begin() + static_cast<std::ptrdiff_t>(at) + 1, given.end());
  return parsed;
}

void tell(std::vector<std::string>& command, const RedisServer& server) {
  const RedisOptions options = server.options();
  for (std::string& argument : command) {
    put(argument, "{redis}", options.json());
    put(argument, "{redis_url}", options.url());
    put(argument, "{redis_port}", std::to_string(server.port()));
    put(argument, "{redis_socket}", server.socket());
    put(argument, "{redis_dir}", server.folder().path());
  }
}

int with_server(Arguments arguments) {
  const Signals signals;
  std::optional<RedisServer> server;
  try {
    server.emplace(std::move(arguments.setup));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "with_redis: %s\n", failure.what());
    return kNoServer;
  }
  tell(arguments.command, *server);
  try {
    const int code = run_wrapped(arguments.command, signals);
    if (!server->running()) {
      std::fprintf(stderr, "with_redis: the server did not last:\n%s\n", server->log().c_str());
    }
    return code;
  } catch (const std::system_error& failure) {
    std::fprintf(stderr, "with_redis: %s\n", failure.what());
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
  return with_server(*std::move(arguments));
}
