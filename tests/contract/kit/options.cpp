// SPDX-License-Identifier: MIT
#include "options.h"

#include <charconv>
#include <cstdio>
#include <functional>
#include <map>
#include <string_view>

namespace swapmq::contract {

namespace {

bool to_ms(std::string_view text, milliseconds& out) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return false;
  out = milliseconds(value);
  return true;
}

std::nullopt_t wrong(std::string_view what, std::string_view argument) {
  std::fprintf(stderr, "swapmq-contract-kit: %.*s: %.*s; see --help\n",
               static_cast<int>(argument.size()), argument.data(), static_cast<int>(what.size()),
               what.data());
  return std::nullopt;
}

} // namespace

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
      "  --list                   print the names of the tests, one a line\n"
      "  --json FILE              also write the result as JSON\n"
      "  --dir DIR                use this folder for {dir} and leave it there\n"
      "  --hang-ms N              a call that is this much past its deadline hangs (10000)\n"
      "  --patience-ms N          how long to wait for what must come (10000)\n"
      "  --tolerance-ms N         how late a wait may end (500)\n"
      "  --test-timeout-ms N      with --isolate, what one test may take (120000)\n"
      "  --quiet                  no line for tests that pass\n"
      "  --gtest_filter=PATTERN   only these tests; and GoogleTest's other options\n"
      "\n"
      "exit: 0 kept the contract, 1 broke it, 2 wrong usage, 3 no temporary folder, 4 the plugin\n"
      "cannot be loaded or opened, 70 a call hung (without --isolate), 130 interrupted");
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  std::map<std::string_view, std::function<bool(std::string_view)>> valued;
  const auto text = [](std::string& to) {
    return [&to](std::string_view value) { return to = value, !value.empty(); };
  };
  const auto time = [](milliseconds& to) {
    return [&to](std::string_view value) { return to_ms(value, to); };
  };
  valued["--plugin"] = text(options.plugin);
  valued["--options"] = text(options.options);
  valued["--json"] = text(options.json);
  valued["--dir"] = text(options.dir);
  valued["--child"] = text(options.child);
  valued["--hang-ms"] = time(options.hang);
  valued["--patience-ms"] = time(options.patience);
  valued["--tolerance-ms"] = time(options.tolerance);
  valued["--test-timeout-ms"] = time(options.test_timeout);
  const std::map<std::string_view, bool*> flags{
      {"--list", &options.list}, {"--isolate", &options.isolate}, {"--quiet", &options.quiet}};

  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") {
      options.child_args.assign(argv + i + 1, argv + argc);
      break;
    }
    if (const auto flag = flags.find(argument); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    const std::size_t equals = argument.find('=');
    const auto found = valued.find(argument.substr(0, equals));
    if (found == valued.end()) return wrong("no such option", argument);
    const bool attached = equals != std::string_view::npos;
    if (!attached && i + 1 == argc) return wrong("a value is missing", argument);
    const std::string_view value = attached ? argument.substr(equals + 1) : argv[++i];
    if (!found->second(value)) return wrong("not a possible value", argument);
  }
  if (options.plugin.empty() && !options.list) return wrong("which one?", "--plugin");
  return options;
}

} // namespace swapmq::contract
