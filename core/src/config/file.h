// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace swapmq::config {

/// Appends all of a regular file; of one that has more than so many bytes, only somewhat more than
/// so many. Never waits (not for a pipe's writer either). What is wrong, to go after the file's
/// name; empty: nothing is.
std::string read_file(const std::string& path, std::size_t most_bytes, std::string& text);

} // namespace swapmq::config
