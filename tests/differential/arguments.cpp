// SPDX-License-Identifier: MIT
#include "arguments.h"

#include <cstdio>

#include "command_line.h"

namespace swapmq::differential {

void print_usage() {
  std::puts(
      "usage: swapmq_differential --plugin PATH [--options JSON] [option...]\n"
      "\n"
      "Runs random operations on a backend and on memory.so, and says where a user can see a\n"
      "difference, with the shortest sequence of operations that shows it.\n"
      "\n"
      "  --plugin PATH          the backend\n"
      "  --options JSON         its options; {dir} stands for a fresh folder of each sequence\n"
      "  --seed N               of the random choices (1)\n"
      "  --operations N         how many (20000)\n"
      "  --length N             of a sequence, after which all is made anew; every fourth is "
      "eight\n"
      "                         times as long (400)\n"
      "  --replay FILE          do these operations instead\n"
      "  --save FILE            where to write the shortest sequence that fails\n"
      "  --json FILE            also write the result as JSON\n"
      "  --dir DIR              use this folder for {dir} and leave it there\n"
      "  --hang-ms N            a call that is this much past its deadline hangs (20000)\n"
      "  --patience-ms N        how long to wait for what must come (10000)\n"
      "  --lease-ms N           of the consumers that live (120000)\n"
      "  --reads-ahead          the backend keeps messages for consumers that did not ask for "
      "them\n"
      "                         yet: each queue then has one consumer at a time\n"
      "  --returns-late         what was given back may come behind what is newer\n"
      "  --shrink-ms N          how long to look for a shorter sequence (120000)\n"
      "\n"
      "exit: 0 no difference, 1 a difference, or something was not reached, 2 wrong usage, 3 no\n"
      "temporary folder, 4 a plugin cannot be loaded or opened, 70 a call hung, 130 interrupted");
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  contract::CommandLine line("swapmq_differential");
  line.text("--plugin", arguments.plugin);
  line.text("--options", arguments.options);
  line.number("--seed", arguments.seed);
  line.number("--operations", arguments.operations);
  line.number("--length", arguments.length);
  line.text("--replay", arguments.replay);
  line.text("--save", arguments.save);
  line.text("--json", arguments.json);
  line.text("--dir", arguments.dir);
  line.text("--child", arguments.child);
  line.time("--hang-ms", arguments.hang);
  line.time("--patience-ms", arguments.patience);
  line.time("--lease-ms", arguments.lease);
  line.flag("--reads-ahead", arguments.reads_ahead);
  line.flag("--returns-late", arguments.returns_late);
  line.time("--shrink-ms", arguments.shrink_time);
  line.rest(arguments.child_args);
  if (!line.parse(argc, argv)) return std::nullopt;
  if (arguments.plugin.empty()) {
    line.wrong("which one?", "--plugin");
    return std::nullopt;
  }
  if (arguments.length == 0) {
    line.wrong("not a possible value", "--length");
    return std::nullopt;
  }
  return arguments;
}

} // namespace swapmq::differential
