// SPDX-License-Identifier: MIT
#include "program.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "report.h"
#include "stop_on_signal.h"
#include "swapmq/swapmq.hpp"

namespace bench {
namespace {

enum ExitCode { measured = 0, failed = 1, usage = 2, no_plugin = 4, no_server = 5 };

struct Options {
  std::vector<std::string> cases;
  Amount amount;
  std::string plugin_folder;
  bool json = false, quick = false;
};

constexpr std::size_t quick_messages = 1000;

void declare(CLI::App& app, Benchmark& benchmark, Options& options) {
  app.add_option("--case", options.cases, "Measure this one only; may be given several times")
      ->type_name("NAME")
      ->check(CLI::IsMember(benchmark.cases()));
  auto* repetitions =
      app.add_option("--repetitions", options.amount.repetitions, "Of which medians are taken")
          ->type_name("N")
          ->check(CLI::Range(1, 100'000))
          ->capture_default_str();
  auto* messages = app.add_option("--messages", options.amount.messages,
                                  "A repetition; without it, each case has its own")
                       ->type_name("N")
                       ->check(CLI::Range(1, 10'000'000));
  app.add_flag("--quick", options.quick, "Only look whether everything runs: no figure counts")
      ->excludes(repetitions)
      ->excludes(messages);
  if (options.amount.body > 0) {
    app.add_option("--body", options.amount.body, "Of a message")
        ->type_name("BYTES")
        ->check(CLI::Range(1, 65'536))
        ->capture_default_str();
  }
  benchmark.declare(app);
  app.add_option("--plugin-dir", options.plugin_folder,
                 "Where " + benchmark.name() + ".so is, if not where swapmq looks anyway")
      ->type_name("DIR");
  app.add_flag("--json", options.json, "One object a line instead of a table");
  app.footer(
      "Exit codes: 0 measured, 1 a run failed or is void, 2 usage, 4 the plugin cannot be "
      "used, 5 " +
      benchmark.server_name() + " cannot be started.");
}

void show(const std::string& line) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  if (!terminal) return;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

struct NoServer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void start(Benchmark& benchmark) {
  try {
    benchmark.start();
  } catch (const std::exception& failure) {
    throw NoServer(failure.what());
  }
}

void measure_all(Benchmark& benchmark, const Options& options) {
  start(benchmark);
  const StopOnSignal stop_on_signal(benchmark.server(), benchmark.folder());
  if (!options.json) print_head(options.amount);
  for (const std::string& name : benchmark.cases()) {
    if (!options.cases.empty() && std::ranges::find(options.cases, name) == options.cases.end()) {
      continue;
    }
    const Contest contest = benchmark.contest(name);
    const Result result = hold(contest, benchmark.broker(), options.amount,
                               [&](const std::string& stage) { show(name + ": " + stage); });
    show("");
    options.json ? print_json(result) : print_row(result);
  }
}

int complain(const Benchmark& benchmark, ExitCode code, const char* what) {
  show("");
  std::fprintf(stderr, "%s: %s\n", benchmark.name().c_str(), what);
  return code;
}

} // namespace

int run_program(Benchmark& benchmark, int count, char** arguments) {
  StopOnSignal::hold_back();
  Options options;
  options.amount = benchmark.amount();
  const std::string server = benchmark.server_name();
  CLI::App app("Measures swapmq on a " + server + " of its own beside a raw client of it.");
  declare(app, benchmark, options);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? measured : usage;
  }
  if (options.quick) {
    options.amount.repetitions = 1;
    options.amount.messages = quick_messages;
  }
  if (!options.plugin_folder.empty()) {
    setenv("SWAPMQ_PLUGIN_PATH", options.plugin_folder.c_str(), 1);
  }
  try {
    measure_all(benchmark, options);
    return measured;
  } catch (const NoServer& failure) {
    return complain(benchmark, no_server, failure.what());
  } catch (const VoidRun& wrong) {
    return complain(benchmark, failed, ("void: " + std::string(wrong.what())).c_str());
  } catch (const swapmq::Exception& failure) {
    const bool plugin = failure.error().code() == swapmq::Errc::plugin;
    return complain(benchmark, plugin ? no_plugin : failed, failure.what());
  } catch (const std::exception& failure) {
    return complain(benchmark, failed, failure.what());
  }
}

} // namespace bench
