// SPDX-License-Identifier: MIT
//
// The broker behind the plugin, broken on purpose by a command of whoever runs the kit.
#pragma once

#include <string>

namespace swapmq::contract {

/// Runs --broker-control with one word more. Each function returns when the command did, and is a
/// Breach, with what the command printed, if that failed or took longer than a minute. Each may be
/// told twice.
class BrokerControl {
 public:
  /// False: there is no command, and nothing else may be called.
  [[nodiscard]] static bool given();

  static void start() { tell("start"); }   ///< then it takes connections
  static void stop() { tell("stop"); }     ///< in order
  static void kill() { tell("kill"); }     ///< kill -9
  static void pause() { tell("pause"); }   ///< SIGSTOP: connections stand, and nothing is answered
  static void resume() { tell("resume"); } ///< SIGCONT

 private:
  static void tell(const std::string& word);
};

} // namespace swapmq::contract
