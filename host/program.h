// SPDX-License-Identifier: MIT
//
// What the commands share: opening the message queue, and saying what went wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command_line.h"
#include "exit_code.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// Of the config that the command line names, else of the embedded default; for a host.
Result<MessageQueue> open_as_host(const CommonOptions& common);
/// The same for a command that is none. Where a host uses the config's state_dir it works beside
/// it: on the backend that is active there, knowing nothing of switches.
Result<MessageQueue> open_message_queue(const CommonOptions& common);

/// Of a command that has nothing more to do than print_out(), and what that returned.
inline ExitCode printed(bool done) { return done ? exit_done : exit_failed; }

/// The end of a summary line: says if an interruption ended the work before its time.
std::string_view end_of_summary();

/// Prints the error to standard error; the exit code that it stands for.
ExitCode fail(const Error& error);
/// The same for open_message_queue() and the first ping. The errors may be lines that begin with
/// the config's name, and a value that only the backend could refuse is one of the config.
ExitCode fail_to_open(const CommonOptions& common, const Error& error);

Error no_such_queue(std::string_view name);

/// Where plugins are looked for before all else: the folders of the command line, then those of the
/// config, if one is named.
Result<std::vector<std::string>> folders_searched_first(const CommonOptions& common,
                                                        std::vector<std::string> folders);

/// The grade that a plugin gives one of its capabilities; empty: it says nothing of it.
std::string_view capability(const PluginDescription& plugin, std::string_view name);

} // namespace swapmq::host
