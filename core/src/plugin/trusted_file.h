// SPDX-License-Identifier: MIT
//
// Opens a file that only root or ourselves can have written.
//
// The path is walked one name at a time, each relative to the directory that was just checked, so
// nothing can be exchanged between the check and the use; what was checked is what is open.
//   - The file is regular, owned by root or by us, and writable by nobody else.
//   - The same holds for the directory that it lies in, and for one that a link to it lies in: who
//     writes there chooses the file. A sticky bit does not help.
//   - Directories further up may belong to others, but may not be writable by a group or by all,
//     unless sticky (/tmp). Somebody who can exchange one of them still cannot make a file and a
//     directory of ours, so more is not asked, and a tree built by root in a user's home works.
//   - Links are followed; a link in a sticky directory must be ours or root's.
//   - Write permission of a group counts as its owner's if the group is the private one of root, of
//     us or of the owner (the same name, no other members) and no access control list is set.
#pragma once

#include <string>

#include "plugin/unique_fd.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::plugin {

/// Open for reading, at its beginning. Errors: not_found if there is no such file (or no way to
/// it), plugin if it must not be used. Texts do not repeat `path`.
Result<UniqueFd> open_trusted(const std::string& path);

} // namespace swapmq::plugin
