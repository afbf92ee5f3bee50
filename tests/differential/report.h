// SPDX-License-Identifier: MIT
//
// What came of it: tables for people, a file for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "coverage.h"
#include "run.h"

namespace swapmq::differential {

/// "publish, then purge", "state full": what could have been reached and was not.
std::vector<std::string> not_reached(const Coverage& coverage, const Powers& powers);

void print_coverage(const Coverage& coverage, const Powers& powers);
/// The sequence as --replay reads it, and what it shows.
void print_difference(const Arguments& arguments, const Difference& difference);
/// False if the file cannot be written.
bool save_operations(const std::string& file, const Difference& difference);
bool write_json(const Arguments& arguments, const Coverage& coverage, const Powers& powers,
                const std::optional<Difference>& difference);

} // namespace swapmq::differential
