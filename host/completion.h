// SPDX-License-Identifier: MIT
//
// What may stand next on a command line that is being typed, as the definitions of the commands say
// it. The shells' scripts in completion/ ask for it, so that none of them can go stale.
#pragma once

#include <string>
#include <vector>

#include "command_line.h"

namespace swapmq::host {

struct Completion {
  enum class Kind {
    words,
    files,
    folders,
    queues,      ///< names, also of roles
    sections,    ///< backends that the configuration has options for
    backends,    ///< what a host has to do with
    plugins,     ///< names, or paths
    config_keys, ///< as 'swapmq config explain' takes them
  };
  struct Word {
    std::string text, description;
  };
  Kind kind = Kind::words;
  std::vector<Word> words; ///< all that are possible, whatever was typed of one
  std::string before;      ///< stands before what is looked for, as "--config=" does
  std::string typed;       ///< of what is looked for
  // As far as they were typed:
  CommonOptions common;
  std::string state_dir;
};

/// `words` without the program's name; the last one is being typed, and may be empty.
Completion complete(const std::vector<std::string>& words);

} // namespace swapmq::host
