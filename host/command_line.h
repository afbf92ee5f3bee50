// SPDX-License-Identifier: MIT
//
// The command line as values: what was asked for, or the text and exit code to leave with. Who
// includes CLI11 is said in command_line_parts.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/control_request.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

using std::chrono::milliseconds;

/// What every command understands.
struct CommonOptions {
  std::string config; ///< empty: the embedded default
  std::vector<ConfigOverride> overrides;
  bool quiet = false;
  bool json = false;
};

struct PublishCommand {
  std::string queue;
  std::string file; ///< empty or "-": standard input
  bool lines = false;
  bool null_separated = false;
  bool ndjson = false;  ///< a line is a message as a JSON object
  bool new_ids = false; ///< of ndjson: not those of the lines
  std::uint32_t batch = 256;
  double rate = 0; ///< messages a second; 0: as fast as it goes
  std::uint64_t max_size = 64ull << 20;
  bool watch = false; ///< a host like any other
  milliseconds timeout{30'000};
  milliseconds delay{0}, ttl{0};
  std::uint32_t priority = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string id, ordering_key, content_type, correlation_id, reply_to;
};

inline constexpr std::uint32_t largest_prefetch = 65535;

/// How messages are written.
enum class MessageForm { lines, null_separated, raw, json };

struct ConsumeCommand {
  std::string queue;
  std::string group; ///< empty: none
  MessageForm output = MessageForm::lines;
  std::uint64_t max = 0; ///< 0: no end
  bool exits_when_idle = false;
  milliseconds idle_exit{0};
  std::uint32_t prefetch = 256;
  bool release = false; ///< look and give back
  bool watch = false;   ///< a host like any other
  bool sync = false;    ///< the output reaches the disk before the ack
  milliseconds timeout{30'000};
};

struct QueueCommand {
  enum class Action { create, remove, stats, purge, list } action = Action::list;
  std::vector<std::string> queues;
  bool yes = false;
  bool sizes = false; ///< of list
  milliseconds timeout{30'000};
};

/// Dead letters back to where they came from.
struct RedriveCommand {
  std::string queue;     ///< of the dead letters
  std::string to;        ///< empty: where each came from
  std::uint64_t max = 0; ///< 0: all that lie there at the beginning
  milliseconds timeout{30'000};
};

/// Messages shown, and left where they are.
struct PeekCommand {
  std::string queue;
  MessageForm output = MessageForm::lines;
  std::uint32_t max = 10;
  milliseconds timeout{30'000};
};

struct ConfigCommand {
  enum class Action { check, show, schema, explain } action = Action::check;
  std::string file; ///< empty: the embedded default
  std::string key;  ///< empty: all of them
  bool markdown = false;
  std::vector<std::string> plugin_path;
};

struct PluginCommand {
  enum class Action { list, show, check } action = Action::list;
  std::string plugin; ///< name or path
  std::string options = "{}";
  std::string only;           ///< of check: a pattern of tests
  std::string junit;          ///< of check: a file
  std::string broker_control; ///< of check: a command; empty: none
  bool list_tests = false;    ///< of check: run none; without a plugin
  std::vector<std::string> plugin_path;
};

/// A folder that a backend begins from.
struct PluginNewCommand {
  std::string name;
  std::string language = "c++";
  std::string folder; ///< empty: as the name
};

struct VersionCommand {};

/// The script of a shell.
struct CompletionCommand {
  std::string shell;
};

/// What such a script asks: what may stand next?
struct CompleteCommand {
  std::vector<std::string> words; ///< without the program's name; the last one is being typed
};

struct PingCommand {
  milliseconds timeout{30'000};
};

struct RunCommand {
  milliseconds timeout{30'000}; ///< of draining at the end
};

/// status, switch, reload, rollback, forget: what a host is asked.
struct ControlCommand {
  ControlRequest request;
  std::string state_dir; ///< empty: the configuration's
};

using Command =
    std::variant<PublishCommand, ConsumeCommand, QueueCommand, RedriveCommand, PeekCommand,
                 ConfigCommand, PluginCommand, PluginNewCommand, VersionCommand, PingCommand,
                 RunCommand, ControlCommand, CompletionCommand, CompleteCommand>;

struct CommandLine {
  CommonOptions common;
  Command command;
};

/// Nothing to do but to print and leave: help was asked for, or the command line is wrong.
struct Leave {
  int exit_code = 0;
  std::string out, err;
};

/// `args` without the program's name; `config_from_environment` is SWAPMQ_CONFIG, or empty.
std::variant<CommandLine, Leave> parse_command_line(std::vector<std::string> args,
                                                    const std::string& config_from_environment);

} // namespace swapmq::host
