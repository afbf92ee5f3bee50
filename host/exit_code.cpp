// SPDX-License-Identifier: MIT
#include "exit_code.h"

namespace swapmq::host {

ExitCode exit_code(Errc code) {
  switch (code) {
    case Errc::ok:
      return exit_done;
    case Errc::invalid_argument:
      return exit_usage;
    case Errc::config:
      return exit_config;
    case Errc::plugin:
    case Errc::internal: // a defect in the plugin
      return exit_plugin;
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::access_denied:
    case Errc::corrupt: // the file is there, but nothing is served from it
      return exit_unreachable;
    case Errc::interrupted:
      return exit_interrupted;
    case Errc::not_supported:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::resource_exhausted:
    case Errc::too_large:
    case Errc::lost:
    case Errc::closed:
      return exit_failed;
  }
  return exit_failed;
}

bool concerns_one_message(Errc code) { return code == Errc::too_large; }

ExitCode exit_code_of_kit(int status) {
  switch (status) {
    case 0:
      return exit_done;
    case 2:
      return exit_usage;
    case 3: // it had no folder to work in: nothing is said of the plugin
      return exit_failed;
    case 5: // the options that it was given
      return exit_config;
    case 130:
    case -1:  // SIGHUP
    case -2:  // SIGINT
    case -15: // SIGTERM
      return exit_interrupted;
    default:
      return exit_plugin;
  }
}

} // namespace swapmq::host
