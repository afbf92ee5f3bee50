// SPDX-License-Identifier: MIT
//
// Contenders that take turns in short repetitions, since a machine's speed drifts.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "broker.h"
#include "contender.h"

namespace bench {

/// What came out is not what went in: whatever was measured means nothing.
class VoidRun : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a repetition is about, and what of it must be checked.
enum class Traffic { publishes, consumes, both, nothing };

/// One for each repetition.
struct Samples {
  std::vector<double> rate;           ///< messages a second
  std::vector<double> cpu_us;         ///< of this process, a message
  std::vector<double> server_cpu_us;  ///< of the server, a message
  std::vector<double> p50_us, p99_us; ///< where each message is timed by itself
};

struct Entrant {
  std::string name;
  Contender* contender = nullptr;
  Traffic traffic = Traffic::nothing;
  Samples samples{};
};

class Course {
 public:
  Course(Broker& broker, std::string body, std::size_t messages, bool each_timed);

  /// Each entrant runs once a repetition, in an order that changes. A round more is run first and
  /// forgotten. Throws VoidRun, and what contenders throw.
  void run(std::vector<Entrant>& entrants, std::size_t repetitions,
           const std::function<void(std::size_t done)>& progress = {});

 private:
  void repeat(Entrant& entrant);
  void check(const Entrant& entrant, const Task& task, std::vector<Id> filled);

  Broker& broker_;
  const std::string body_;
  const std::size_t messages_;
  std::vector<Id> ids_, consumed_;
  std::vector<std::uint32_t> nanoseconds_;
  std::size_t queues_ = 0;
};

double median(std::vector<double> values);

} // namespace bench
