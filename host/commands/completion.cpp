// SPDX-License-Identifier: MIT
//
// swapmq completion: the scripts in completion/, which the build puts into the program.
#include "commands/commands.h"
#include "completion_scripts.h"
#include "output.h"
#include "program.h"

namespace swapmq::host {

int run(const CommonOptions& /*common*/, const CompletionCommand& command) {
  const char* script = completion_scripts::bash;
  if (command.shell == "zsh") script = completion_scripts::zsh;
  if (command.shell == "fish") script = completion_scripts::fish;
  return printed(print_out(script));
}

} // namespace swapmq::host
