// SPDX-License-Identifier: MIT
//
// What came of the tests: lines for people, a file for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "failure.h"

namespace swapmq::contract {

enum class Outcome { kPassed, kFailed, kNotPromised };

struct Finding {
  std::string test;
  Outcome outcome = Outcome::kPassed;
  std::string text; ///< what failed, or what is not promised
  std::int64_t took_ms = 0;
  std::vector<Failure> failures; ///< what failed, taken apart
};

const char* to_string(Outcome outcome);

/// What failed, for people to act on: rule, calls, expected, got, at; a line each or several,
/// aligned.
std::string explained(const Finding& finding);
/// "ok  NAME (12 ms)", and what failed below it.
void print_line(const Finding& finding, bool quiet);
/// "swapmq-contract-kit: memory: 110 passed, 0 failed, 3 not promised", and which failed. Quiet,
/// nothing if none did.
void print_summary(const std::vector<Finding>& findings, bool quiet);
/// False if the file cannot be written.
bool write_json(const std::string& file, const std::vector<Finding>& findings);
bool write_junit(const std::string& file, const std::vector<Finding>& findings);
/// Names and rules of these tests, for programs.
bool write_list_json(const std::string& file, const std::vector<std::string>& tests);
/// The findings of a file of write_json(); empty if it cannot be read.
std::vector<Finding> read_json(const std::string& file);
bool any_failed(const std::vector<Finding>& findings);

/// Takes the place of GoogleTest's printer and collects what it hears. Owned by GoogleTest.
std::vector<Finding>& install_reporter(bool quiet);

} // namespace swapmq::contract
