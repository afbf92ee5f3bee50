// SPDX-License-Identifier: MIT
//
// swapmq status, switch, reload, rollback, forget: asks the host whose state_dir it is.
#include <string>

#include "commands/commands.h"
#include "daemon/control_client.h"
#include "daemon/status_text.h"
#include "output.h"
#include "program.h"
#include "progress.h"

namespace swapmq::host {
namespace {

using Do = ControlRequest::Do;

/// Also of a config that is broken now: its host goes on, and can tell why it does not follow it.
Result<std::string> state_dir_of(const CommonOptions& common, const ControlCommand& command) {
  if (!command.state_dir.empty()) return command.state_dir;
  if (common.config.empty()) {
    return Error(Errc::config,
                 "which host? Name its configuration (--config or SWAPMQ_CONFIG) or --state-dir");
  }
  const Result<ConfigOutline> config = outline_config(common.config, common.overrides);
  if (!config) {
    return Error(config.error().code(), config.error().message() +
                                            "; --state-dir names the host's "
                                            "folder without it");
  }
  if (!config->state_dir.empty()) return config->state_dir;
  return Error(Errc::config, common.config +
                                 ": names no state_dir, so its host has no control socket; add "
                                 "\"state_dir\": \"FOLDER\" and restart the host");
}

/// How it ended, or, if nobody waited for that, that it began.
std::string text_of_switch(const ControlRequest& request, const ControlAnswer& answer) {
  if (request.wait || request.dry_run || answer.number == 0) return switch_text(answer.status);
  return "switch " + std::to_string(answer.number) +
         " begins; 'swapmq status --wait' tells how it ends\n";
}

std::string text_of(const ControlRequest& request, const ControlAnswer& answer) {
  switch (request.what) {
    case Do::status:
      return status_text(answer.status);
    case Do::forget:
      return request.backend + " is watched no more\n";
    case Do::reload:
      return reload_text(answer.reload) + (request.wait ? switch_text(answer.status) : "");
    case Do::change:
    case Do::cancel:
    case Do::roll_back:
      break;
  }
  return text_of_switch(request, answer);
}

ExitCode print_answer(const CommonOptions& common, const ControlRequest& request,
                      const ControlAnswer& answer) {
  const bool of_status = request.what == Do::status;
  std::string text;
  if (common.json) {
    text = (of_status ? answer.status : answer.line) + "\n";
  } else if (of_status || ((answer.ok || request.dry_run) && !common.quiet)) {
    // What is wrong is said elsewhere; what a dry run found is of use in any case.
    text = text_of(request, answer);
  }
  return print_out(text) ? exit_done : exit_failed;
}

} // namespace

int run(const CommonOptions& common, const ControlCommand& command) {
  const Result<std::string> folder = state_dir_of(common, command);
  if (!folder) return fail(folder.error());
  Progress progress("", !common.quiet);
  const auto show = [&](const std::string& status) { progress.show(progress_text(status)); };
  const Result<ControlAnswer> answer = ask_host(*folder, command.request, show);
  progress.erase();
  if (!answer) return fail(answer.error());
  const ExitCode printed = print_answer(common, command.request, *answer);
  if (answer->ok) return printed;
  const ExitCode code = fail(answer->error);
  if (answer->under_way) return exit_under_way;
  return code == exit_done ? exit_failed : code; // no error is "done"
}

} // namespace swapmq::host
