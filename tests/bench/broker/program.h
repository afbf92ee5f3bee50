// SPDX-License-Identifier: MIT
//
// The whole of a benchmark that starts a server of its own: its options, its output, its end.
#pragma once

#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "contest.h"

namespace bench {

/// What is different with each server.
class Benchmark {
 public:
  Benchmark() = default;
  virtual ~Benchmark() = default;
  Benchmark(const Benchmark&) = delete;
  Benchmark& operator=(const Benchmark&) = delete;

  /// Of the plugin, and of the program.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string server_name() const = 0;
  [[nodiscard]] virtual std::vector<std::string> cases() const = 0;
  /// If nothing else is asked.
  [[nodiscard]] virtual Amount amount() const = 0;
  /// Options that only this one has.
  virtual void declare(CLI::App& /*app*/) {}

  /// Once. Throws std::exception if there is no server.
  virtual void start() = 0;
  // From here on it was started.
  [[nodiscard]] virtual pid_t server() const = 0;
  [[nodiscard]] virtual std::string folder() const = 0; ///< the server's
  virtual Broker& broker() = 0;
  /// Of one of cases().
  virtual Contest contest(const std::string& name) = 0;
};

/// What main() is to return.
int run_program(Benchmark& benchmark, int count, char** arguments);

} // namespace bench
