// SPDX-License-Identifier: MIT
//
// The configuration as the core uses it: parsed, checked against the schemas of the plugins that it
// names, with every error placed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::config {

struct QueueConfig {
  std::uint32_t max_deliveries = 0; ///< 0: max_retries of message_queue, plus one
  std::string dead_letter_queue;    ///< empty: QUEUE.dead
  std::uint64_t max_length = 0;     ///< 0: no limit
  bool strict_order = false;
  std::vector<std::string> groups{}; ///< none: what is published stays in the queue itself
};

/// The queue that holds what is for a group: QUEUE@GROUP; the queue itself for "".
std::string group_queue(std::string_view queue, std::string_view group);

struct Pool {
  std::uint32_t publish_sessions = 2;
  std::uint32_t consume_sessions = 1; ///< sessions that a consumer spreads over
};

struct Config {
  std::string file; ///< as named in messages
  std::string type;
  std::map<std::string, std::string> options; ///< backend name -> its section as JSON text
  std::vector<std::string> plugin_path;
  std::map<std::string, std::string> sha256; ///< plugin name -> pin
  std::string task_queue = "tasks";
  std::string status_queue = "status_updates";
  std::string heartbeat_queue = "heartbeats";
  std::string control_queue = "control";
  std::uint32_t max_retries = 3;
  std::chrono::milliseconds retry_delay{60'000};        ///< of a nack without a delay
  std::chrono::milliseconds connection_timeout{30'000}; ///< of opening a backend or a session
  Pool pool;
  std::map<std::string, QueueConfig> queues;
  bool probe = true;       ///< what is new to the process is tried in another one first
  SwitchOptions switching; ///< of the switches that follow the config
  std::string state_dir;   ///< empty: what a switch must remember is not kept across a crash
  std::string log_level = "warning"; ///< trace, debug, info, warning, error, off
  std::string log_file;              ///< empty: standard error

  /// The queue that has the role "@task", "@status", "@heartbeat" or "@control"; any other name is
  /// the queue's own.
  [[nodiscard]] std::string_view queue_of_role(std::string_view name) const;
  /// The same, also for the queue of a group: "@task@GROUP".
  [[nodiscard]] std::string queue_name(std::string_view name) const;
  /// What applies to a queue, defaults filled in; to one of a group what applies to the queue that
  /// has it, unless it is listed itself.
  [[nodiscard]] QueueConfig queue(std::string_view name) const;
  /// The queues that get what is published to this one: those of its groups. None if it has none.
  [[nodiscard]] std::vector<std::string> group_queues(std::string_view name) const;
  /// Whether any queue has groups.
  [[nodiscard]] bool has_groups() const;
  /// The section of a backend; "{}" if there is none.
  [[nodiscard]] const std::string& options_of(std::string_view backend) const;

 private:
  [[nodiscard]] QueueConfig of_group(std::string_view name) const;
};

/// The options schema of a plugin by name; the error says why there is none. Called at most once a
/// name; the first argument of its call is the name, the others come from the same file.
using SchemaLookup = std::function<Result<std::string>(
    std::string_view name, const std::vector<std::string>& plugin_path, std::string_view sha256)>;

struct Parsed {
  std::optional<Config> config;    ///< none if there are errors
  std::vector<ConfigError> errors; ///< in the order of the file
  std::string shown;               ///< all that is set, as JSON without secrets
};

/// Checks all of it and reports every error at once.
Parsed parse(std::string_view json, const std::string& file, const SchemaLookup& schemas,
             const Environment& environment = {});
/// Absolute, so that it stays the same when the working directory changes.
std::string folder_of(const std::string& path);
/// Reads the file first; missing, a directory, unreadable, too large: one error each. Relative
/// paths in it begin in its folder.
Parsed parse_file(const std::string& path, const SchemaLookup& schemas,
                  Environment environment = {});
/// What is used where no file is named: sqlite in ./swapmq-data.
std::string_view embedded_default();

} // namespace swapmq::config
