// SPDX-License-Identifier: MIT
//
// A host in miniature: trial_host PLUGIN OPTIONS tries to open that backend, twice, and says what
// it heard. Which probe it uses depends on where it lies.
#include <chrono>
#include <iostream>

#include "plugin/plugin.h"
#include "probe/trial.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto plugin = swapmq::plugin::Plugin::load({argv[1], {}, {}, true});
  if (!plugin) {
    std::cout << plugin.error().message() << '\n';
    return 1;
  }
  for (int i = 0; i < 2; ++i) {
    swapmq::probe::Terms terms;
    terms.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    terms.warn = [](const std::string& line) { std::cout << "warning: " << line << '\n'; };
    const auto error = swapmq::probe::try_opening(**plugin, {argv[2], "here", {}}, terms);
    std::cout << (error ? error.message() : "ok") << '\n';
  }
  return 0;
}
