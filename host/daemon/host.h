// SPDX-License-Identifier: MIT
//
// The message queue of a command that lives for a while, and, if that is wanted, all that makes it
// a host: it follows its configuration and can be asked and told by others.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "command_line.h"
#include "daemon/config_source.h"
#include "daemon/config_watcher.h"
#include "daemon/supervisor.h"
#include "exit_code.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// One thread.
class Host {
 public:
  /// `command`: its name, for its status. Without `supervised` it is a message queue and no more.
  /// From here on a change of the file counts.
  Host(std::string command, const CommonOptions& common, bool supervised);

  /// Opens the message queue. May take as long as loading a plugin. Errors: for fail_to_open().
  Error open();
  /// Of a host that was opened.
  MessageQueue& queue() { return *queue_; }
  /// The socket that it answers at; empty: none.
  [[nodiscard]] std::string control_socket() const;
  /// It begins to end: others hear of it, and are answered still.
  void ending();
  /// MessageQueue::close(); others are answered while it drains.
  Error close(milliseconds timeout);
  /// After close(), with what the command is to exit with: the end of it all. If a plugin that is
  /// being loaded does not come back, that is the end of the process; nothing else would be.
  ExitCode leave(ExitCode code);

 private:
  const CommonOptions& common_;
  const bool supervised_;
  HostFacts facts_;
  ConfigSource source_;
  std::unique_ptr<ConfigWatcher> watcher_;
  std::optional<MessageQueue> queue_;
  std::optional<Supervisor> supervisor_; // after the queue: it ends before it
};

} // namespace swapmq::host
