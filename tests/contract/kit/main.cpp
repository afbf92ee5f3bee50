// SPDX-License-Identifier: MIT
//
// swapmq-contract-kit: says whether a backend keeps the contract of <swapmq/backend.h>.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "child.h"
#include "isolate.h"
#include "option_check.h"
#include "plugin.h"
#include "plugin/plugin.h"
#include "recording.h"
#include "report.h"
#include "rules.h"
#include "run_folder.h"
#include "watchdog.h"

namespace swapmq::contract {
namespace {

constexpr int kUsage = 2;
constexpr int kNoFolder = 3;
constexpr int kNoPlugin = 4;
constexpr int kWrongOptions = 5;

int no_plugin(const std::string& why) {
  std::fprintf(stderr, "swapmq-contract-kit: %s\n", why.c_str());
  return kNoPlugin;
}

int cannot_write(const std::string& file) {
  std::fprintf(stderr, "swapmq-contract-kit: cannot write %s: %s\n", file.c_str(),
               std::strerror(errno));
  return kUsage;
}

int wrong_options(const std::vector<std::string>& wrong) {
  for (const std::string& what : wrong) {
    std::fprintf(stderr, "swapmq-contract-kit: --options: %s\n", what.c_str());
  }
  std::fprintf(stderr,
               "swapmq-contract-kit: give --options as the plugin's schema has them, which "
               "\"swapmq plugin show %s\" prints\n",
               kit().options.plugin.c_str());
  return kWrongOptions;
}

void no_test() { std::fputs("swapmq-contract-kit: the filter leaves no test\n", stderr); }

int finish(const Options& options, const std::vector<Finding>& findings) {
  print_summary(findings, options.quiet);
  if (!options.json.empty() && !write_json(options.json, findings)) {
    return cannot_write(options.json);
  }
  if (!options.junit.empty() && !write_junit(options.junit, findings)) {
    return cannot_write(options.junit);
  }
  if (findings.empty()) return no_test(), kUsage;
  return any_failed(findings) ? 1 : 0;
}

/// Of a test that ends this process; where another looks on, that does it.
std::string explain_hang(const std::string& test) {
  Failure failure;
  failure.calls = calls_at_the_end();
  return explained({test, Outcome::kFailed, {}, 0, {std::move(failure)}});
}

/// Names, and below each what the test demands.
int list(const Options& options) {
  const std::vector<std::string> tests = selected_tests();
  if (tests.empty()) return no_test(), kUsage;
  if (!options.json.empty() && !write_list_json(options.json, tests)) {
    return cannot_write(options.json);
  }
  for (const std::string& test : tests) {
    if (options.quiet) break;
    const Rule rule = rule_of(test);
    std::printf("%s\n    %s\n    (%s)\n", test.c_str(), std::string(rule.text).c_str(),
                source_of(rule).c_str());
  }
  return 0;
}

int run(Options options) {
  catch_interruptions();
  const RunFolder folder(options.dir, "swapmq-contract");
  if (!folder.trouble().empty()) {
    std::fprintf(stderr,
                 "swapmq-contract-kit: cannot make a temporary folder (%s); is TMPDIR writable?\n",
                 folder.trouble().c_str());
    return kNoFolder;
  }
  // Before the plugin is loaded, which may take for ever: it sees interruptions as well.
  const Watchdog watchdog(options.hang, folder.to_remove(),
                          options.calls.empty() ? explain_hang : nullptr);
  options.dir = folder.path();
  const bool keeps_placeholder = options.isolate; // each process puts its own folder there
  const std::string written = options.options;
  put_dir(options.options, options.dir);
  if (const std::string why = load_plugin(options); !why.empty()) return no_plugin(why);

  const CheckedOptions checked =
      check_options(options.options, kit().plugin->description().options_schema);
  if (!checked.schema_error.empty()) return no_plugin(checked.schema_error);
  if (!checked.wrong.empty()) return wrong_options(checked.wrong);
  kit().options.options = checked.json;
  if (!options.child.empty()) {
    if (const std::string why = describe_backend(); !why.empty()) return no_plugin(why);
    return act_out(options.child, options.child_args);
  }
  if (!log_calls(options.calls)) return cannot_write(options.calls);
  record_calls();
  if (keeps_placeholder) {
    kit().options.options = written;
    std::string why;
    if (!opens(why)) {
      std::fputs(why.c_str(), stderr);
      return kNoPlugin;
    }
    return finish(options, run_isolated());
  }
  if (const std::string why = describe_backend(); !why.empty()) return no_plugin(why);
  const std::vector<Finding>& findings = install_reporter(options.quiet);
  const int said = RUN_ALL_TESTS(); // the findings say more
  if (said != 0 && !any_failed(findings)) return 1;
  return finish(options, findings);
}

} // namespace
} // namespace swapmq::contract

int main(int argc, char** argv) {
  using namespace swapmq::contract;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") return print_usage(), 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  auto options = parse(argc, argv);
  if (!options) return kUsage;
  if (options->list) return list(*options);
  return run(std::move(*options));
}
