// SPDX-License-Identifier: MIT
#include "kit_run.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace planted {

namespace {

/// The indented lines from `at` on as one, without needless spaces.
std::string why(const std::string& output, std::size_t at) {
  std::string joined;
  while (output.compare(at, 4, "    ") == 0) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    for (; at < end; ++at) {
      if (output[at] != ' ' || (!joined.empty() && joined.back() != ' ')) joined += output[at];
    }
    joined += ' ';
    at = std::min(end + 1, output.size());
  }
  return joined;
}

/// "FAILED        NAME (12 ms)", and below it, indented, why.
void read_verdict(Verdict& verdict) {
  constexpr char kFailed[] = "FAILED        ";
  std::size_t at = 0;
  while (at < verdict.output.size()) {
    const std::size_t end = std::min(verdict.output.find('\n', at), verdict.output.size());
    const std::string line = verdict.output.substr(at, end - at);
    at = end + 1;
    if (line.rfind(kFailed, 0) != 0) continue;
    const std::size_t name = sizeof kFailed - 1;
    const std::string test = line.substr(name, line.find(' ', name) - name);
    verdict.failed[test] = why(verdict.output, at);
  }
}

Verdict run(const std::string& arguments) {
  const std::string command = std::string(SWAPMQ_KIT_PROGRAM) + " " + arguments + " 2>&1";
  Verdict verdict;
  FILE* kit = popen(command.c_str(), "r");
  if (kit == nullptr) return verdict;
  char chunk[4096];
  for (std::size_t length; (length = fread(chunk, 1, sizeof chunk, kit)) > 0;) {
    verdict.output.append(chunk, length);
  }
  const int status = pclose(kit);
  if (WIFEXITED(status)) verdict.exit_code = WEXITSTATUS(status);
  return verdict;
}

} // namespace

Verdict run_kit(const std::string& options, const std::string& filter, const std::string& more) {
  Verdict verdict =
      run(std::string("--plugin ") + SWAPMQ_PLANTED_PLUGIN + " --options '" + options +
          "' --hang-ms 1500 --patience-ms 1200 --gtest_filter='" + filter + "' " + more);
  read_verdict(verdict);
  return verdict;
}

std::map<std::string, ListedRule> listed_rules() {
  std::map<std::string, ListedRule> rules;
  std::istringstream lines(run("--list").output);
  for (std::string test, text, source; std::getline(lines, test);) {
    std::getline(lines, text);
    std::getline(lines, source);
    if (text.size() < 5 || source.size() < 7) continue; // no rule: whoever looks for it will say so
    rules[test] = {text.substr(4), source.substr(5, source.size() - 6)};
  }
  return rules;
}

} // namespace planted
