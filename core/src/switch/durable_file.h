// SPDX-License-Identifier: MIT
//
// Files that are there as a whole or not at all, also after a crash.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace swapmq::switching {

/// Replaces the file: written beside it, fsynced, renamed, and the folder fsynced. Only the owner
/// may read it. Blocks for the disk.
Error replace_file(const std::string& folder, const std::string& name, std::string_view content);
/// Nothing where there is no such file; corrupt where it has more than `most` bytes.
Result<std::optional<std::string>> read_file(const std::string& folder, const std::string& name,
                                             std::size_t most);
/// Renames and fsyncs the folder.
Error rename_file(const std::string& folder, const std::string& from, const std::string& to);
/// One that is not there is fine.
Error remove_file(const std::string& folder, const std::string& name);

} // namespace swapmq::switching
