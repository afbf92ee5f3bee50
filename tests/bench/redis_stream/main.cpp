// SPDX-License-Identifier: MIT
//
// swapmq on Redis beside a raw client of Redis; see README.md.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "measure.h"
#include "report.h"
#include "stop_on_signal.h"

namespace {

enum ExitCode { measured = 0, failed = 1, usage = 2, no_plugin = 4, no_server = 5 };

struct Options {
  std::vector<std::string> cases;
  bench::Amount amount;
  std::string plugin_folder, fsync;
  bool json = false;
};

void declare(CLI::App& app, Options& options) {
  std::vector<std::string> names;
  for (const bench::Case& each : bench::all_cases()) names.emplace_back(each.name);
  app.add_option("--case", options.cases, "Measure this one only; may be given several times")
      ->type_name("NAME")
      ->check(CLI::IsMember(names));
  app.add_option("--repetitions", options.amount.repetitions, "Of which medians are taken")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--messages", options.amount.messages,
                 "A repetition; without it, what takes some 50 ms")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--body", options.amount.body, "Of a message")
      ->type_name("BYTES")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  app.add_option("--fsync", options.fsync,
                 "Redis keeps an append-only file and syncs it: always, everysec or no; without "
                 "it, nothing is kept on disk")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"always", "everysec", "no"}));
  app.add_option("--plugin-dir", options.plugin_folder,
                 "Where redis_stream.so is, if not where swapmq looks anyway")
      ->type_name("DIR");
  app.add_flag("--json", options.json, "One object a line instead of a table");
  app.footer(
      "Exit codes: 0 measured, 1 a run failed or is void, 2 usage, 4 the plugin cannot be "
      "used, 5 redis-server cannot be started.");
}

void show(const std::string& line) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  if (!terminal) return;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

using swapmq::live::RedisServer;
using swapmq::live::RedisSetup;

struct NoServer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::unique_ptr<RedisServer> start_server(const std::string& fsync) {
  RedisSetup setup;
  if (fsync == "always") setup.keep = RedisSetup::Keep::always;
  if (fsync == "everysec") setup.keep = RedisSetup::Keep::every_second;
  if (fsync == "no") setup.more = {"appendonly yes", "appendfsync no"};
  try {
    return std::make_unique<RedisServer>(std::move(setup));
  } catch (const std::exception& failure) {
    throw NoServer(failure.what());
  }
}

void measure_all(const Options& options) {
  const std::unique_ptr<RedisServer> server = start_server(options.fsync);
  const auto port = static_cast<std::uint16_t>(server->port());
  const bench::StopOnSignal stop_on_signal(*server);
  bench::Broker broker(port);
  auto library = bench::open_library(port);
  if (!options.json) bench::print_head(options.amount);
  for (const bench::Case& each : bench::all_cases()) {
    const std::string name(each.name);
    if (!options.cases.empty() && std::ranges::find(options.cases, name) == options.cases.end()) {
      continue;
    }
    const auto result =
        bench::measure(each, {port, broker, library}, options.amount,
                       [&](const std::string& stage) { show(name + ": " + stage); });
    show("");
    options.json ? bench::print_json(result) : bench::print_row(result);
  }
}

int complain(ExitCode code, const char* what) {
  show("");
  std::fprintf(stderr, "redis_stream: %s\n", what);
  return code;
}

} // namespace

int main(int count, char** arguments) {
  bench::StopOnSignal::hold_back();
  Options options;
  CLI::App app("Measures swapmq on a redis-server of its own beside a raw client of it.");
  declare(app, options);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? measured : usage;
  }
  if (!options.plugin_folder.empty()) {
    setenv("SWAPMQ_PLUGIN_PATH", options.plugin_folder.c_str(), 1);
  }
  try {
    measure_all(options);
    return measured;
  } catch (const NoServer& failure) {
    return complain(no_server, failure.what());
  } catch (const bench::VoidRun& wrong) {
    return complain(failed, ("void: " + std::string(wrong.what())).c_str());
  } catch (const swapmq::Exception& failure) {
    const bool plugin = failure.error().code() == swapmq::Errc::plugin;
    return complain(plugin ? no_plugin : failed, failure.what());
  } catch (const std::exception& failure) {
    return complain(failed, failure.what());
  }
}
