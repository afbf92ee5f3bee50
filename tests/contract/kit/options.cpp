// SPDX-License-Identifier: MIT
#include "options.h"

#include <cstdio>

#include "command_line.h"

namespace swapmq::contract {

void print_usage() {
  std::puts(
      "usage: swapmq-contract-kit --plugin NAME-or-path [--options JSON] [option...]\n"
      "\n"
      "Drives a message queue backend through its C ABI and says where it breaks the contract.\n"
      "\n"
      "  --plugin NAME-or-path    the backend; a path has a slash\n"
      "  --options JSON           its options; {dir} stands for a fresh folder of this run\n"
      "  --isolate                each test in a process of its own: a crash or a hang is a\n"
      "                           finding and not the end\n"
      "  --broker-control CMD     run as CMD start, stop, kill, pause or resume to break the "
      "broker\n"
      "                           behind the backend: start returns when it takes connections;\n"
      "                           pause and resume are SIGSTOP and SIGCONT; each may be told "
      "twice.\n"
      "                           Without it the theme Broker is not promised\n"
      "  --list                   print the names of the tests and their rules, and run none\n"
      "  --json FILE              also write the result, or the list, as JSON\n"
      "  --junit FILE             also write the result as JUnit XML\n"
      "  --dir DIR                use this folder for {dir} and leave it there\n"
      "  --hang-ms N              a call that is this much past its deadline hangs (10000)\n"
      "  --patience-ms N          how long to wait for what must come (10000)\n"
      "  --tolerance-ms N         how late a wait may end (500)\n"
      "  --test-timeout-ms N      with --isolate, what one test may take (120000)\n"
      "  --quiet                  no line for tests that pass\n"
      "  --gtest_filter=PATTERN   only these tests; and GoogleTest's other options\n"
      "\n"
      "exit: 0 kept the contract, 1 broke it, 2 wrong usage, 3 no temporary folder, 4 the plugin\n"
      "cannot be loaded or opened, 5 its options are wrong, 70 a call hung (without --isolate), "
      "130 interrupted");
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  CommandLine line("swapmq-contract-kit");
  line.text("--plugin", options.plugin);
  line.text("--options", options.options);
  line.text("--json", options.json);
  line.text("--junit", options.junit);
  line.text("--dir", options.dir);
  line.text("--broker-control", options.broker_control);
  line.text("--child", options.child);
  line.text("--calls", options.calls);
  line.time("--hang-ms", options.hang);
  line.time("--patience-ms", options.patience);
  line.time("--tolerance-ms", options.tolerance);
  line.time("--test-timeout-ms", options.test_timeout);
  line.flag("--list", options.list);
  line.flag("--isolate", options.isolate);
  line.flag("--quiet", options.quiet);
  line.rest(options.child_args);
  if (!line.parse(argc, argv)) return std::nullopt;
  if (options.plugin.empty() && !options.list) {
    line.wrong("which one?", "--plugin");
    return std::nullopt;
  }
  return options;
}

} // namespace swapmq::contract
