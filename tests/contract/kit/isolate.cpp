// SPDX-License-Identifier: MIT
#include "isolate.h"

#include <fnmatch.h>
#include <gtest/gtest.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>

#include "breach.h"
#include "child.h"
#include "plugin.h"
#include "watchdog.h"

namespace swapmq::contract {

namespace {

constexpr std::size_t kKeptOutput = 64 << 10;

bool matches_any(const std::string& name, std::string_view patterns) {
  while (!patterns.empty()) {
    const std::size_t colon = patterns.find(':');
    const std::string pattern(patterns.substr(0, colon));
    if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
    if (colon == std::string_view::npos) break;
    patterns.remove_prefix(colon + 1);
  }
  return false;
}

bool selected(const std::string& name) {
  const std::string filter = GTEST_FLAG_GET(filter);
  const std::size_t minus = filter.find('-');
  const std::string wanted = minus == 0 ? "*" : filter.substr(0, minus);
  const std::string unwanted = minus == std::string::npos ? "" : filter.substr(minus + 1);
  return matches_any(name, wanted) && !matches_any(name, unwanted);
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

/// What the watchdog of the process wrote, or an empty string.
std::string hung_line(const std::string& output) {
  const std::size_t at = output.rfind(kHungPrefix);
  if (at == std::string::npos) return {};
  return output.substr(at, output.find('\n', at) - at);
}

/// All but the watchdog's line, on lines of its own.
std::string said_besides(std::string output) {
  const std::string hung = hung_line(output);
  if (!hung.empty()) output.erase(output.rfind(hung), hung.size());
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output.empty() ? output : "\n" + output;
}

Finding judge(const std::string& test, const Ended& ended, const std::string& output,
              const std::string& json, const std::string& calls) {
  Finding finding;
  finding.test = test;
  finding.outcome = Outcome::kFailed;
  const std::vector<Finding> written = read_json(json);
  if (ended.timed_out) {
    finding.text = "hung in " + test + ": not done after " +
                   std::to_string(kit().options.test_timeout.count()) + " ms";
  } else if (ended.signal != 0) {
    finding.text = "crashed (" + signal_name(ended.signal) + ") in " + test;
  } else if (ended.exit_code == kHungExit) {
    finding.text = "hung in " + test + ": " + hung_line(output);
  } else if (written.size() != 1 || ended.exit_code > 1) {
    finding.text = "died (exit code " + std::to_string(ended.exit_code) + ") in " + test;
  } else if (written[0].outcome != Outcome::kFailed && ended.exit_code != 0) {
    finding.text = "passed, and then its process ended with exit code " +
                   std::to_string(ended.exit_code) + " in " + test;
  } else {
    return written[0];
  }
  const std::string why = finding.text;
  if (!output.empty()) finding.text += "\n" + output;
  Failure failure;
  failure.found = why + said_besides(output);
  failure.calls = calls_left_in(calls);
  finding.failures.push_back(std::move(failure));
  return finding;
}

void make_folder(const std::filesystem::path& folder) {
  const auto held = hold_off_end();
  std::filesystem::create_directories(folder);
}

void remove_folder(const std::filesystem::path& folder) {
  const auto held = hold_off_end();
  std::error_code ignored; // the run's folder is removed as a whole later
  std::filesystem::remove_all(folder, ignored);
}

Finding run_one(const std::string& test, const std::filesystem::path& folder) {
  const Options& options = kit().options;
  const std::filesystem::path dir = folder / "data";
  make_folder(dir);
  const std::string json = (folder / "result.json").string();
  const std::string calls = (folder / "calls").string();
  const auto ms = [](milliseconds time) { return std::to_string(time.count()); };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> arguments{"--plugin",
                                     kit().path,
                                     "--options",
                                     options.options,
                                     "--dir",
                                     dir.string(),
                                     "--json",
                                     json,
                                     "--calls",
                                     calls,
                                     "--quiet",
                                     "--hang-ms",
                                     ms(options.hang),
                                     "--patience-ms",
                                     ms(options.patience),
                                     "--tolerance-ms",
                                     ms(options.tolerance),
                                     "--gtest_filter=" + test};
  if (!options.broker_control.empty()) {
    arguments.insert(arguments.end(), {"--broker-control", options.broker_control});
  }
  Process process(std::move(arguments), true);
  std::string output;
  const Ended ended = process.wait(start + options.test_timeout, kKeptOutput, output);
  Finding finding = judge(test, ended, output, json, calls);
  if (finding.took_ms == 0) {
    const auto took = std::chrono::steady_clock::now() - start;
    finding.took_ms = std::chrono::duration_cast<milliseconds>(took).count();
  }
  remove_folder(folder);
  return finding;
}

} // namespace

std::vector<std::string> selected_tests() {
  std::vector<std::string> names;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string name = std::string(suite.name()) + "." + suite.GetTestInfo(j)->name();
      if (selected(name)) names.push_back(name);
    }
  }
  return names;
}

bool opens(std::string& why) {
  constexpr int kNoPlugin = 4;
  const auto folder = std::filesystem::path(kit().options.dir) / "opening";
  make_folder(folder);
  Process process({"--child", "open", "--plugin", kit().path, "--options", kit().options.options,
                   "--dir", folder.string()},
                  true);
  const auto deadline = std::chrono::steady_clock::now() + kit().options.test_timeout;
  const Ended ended = process.wait(deadline, kKeptOutput, why);
  remove_folder(folder);
  return ended.exit_code != kNoPlugin;
}

std::vector<Finding> run_isolated() {
  std::vector<Finding> findings;
  for (const std::string& test : selected_tests()) {
    const auto folder = std::filesystem::path(kit().options.dir) / test;
    try {
      findings.push_back(run_one(test, folder));
    } catch (const std::exception& failure) { // no process, no folder
      findings.push_back({test, Outcome::kFailed, failure.what(), 0, {}});
    }
    while (interrupted()) ::pause(); // that it ended says nothing; the watchdog ends this process
    print_line(findings.back(), kit().options.quiet);
  }
  return findings;
}

} // namespace swapmq::contract
