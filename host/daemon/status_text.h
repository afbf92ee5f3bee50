// SPDX-License-Identifier: MIT
//
// What a host told of itself, for people, and what commands want to know of it. All of it takes the
// JSON of status_report.h, and shows what it can of one that is otherwise.
#pragma once

#include <string>
#include <vector>

namespace swapmq::host {

/// Several lines.
std::string status_text(const std::string& status);
/// One line on the switch, and what the new backend can do otherwise.
std::string switch_text(const std::string& status);
/// What came of a reload, in one line.
std::string reload_text(const std::string& reload);
/// The name of the backend that publishes go to; empty: it is not told.
std::string active_backend(const std::string& status);
/// The keys of the others.
std::vector<std::string> left_backends(const std::string& status);
/// Where the switch stands, short enough for the last line of a terminal; no newline.
std::string progress_text(const std::string& status);

} // namespace swapmq::host
