// SPDX-License-Identifier: MIT
//
// What a host tells of itself, as JSON: the words of the control interface, and of --json.
#pragma once

#include <chrono>
#include <string>

#include "daemon/reloader.h"
#include "json_output.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// What does not change while a host runs.
struct HostFacts {
  std::string command;   ///< "run", "publish", "consume"
  std::string config;    ///< path; empty: the embedded default
  std::string state_dir; ///< empty: none
  std::chrono::steady_clock::time_point began;
};

/// All that can be told at one time.
struct HostStatus {
  SwitchStatus switching;
  Reloaded reloaded;
  bool reloading = false;
  bool ending = false; ///< draining, since it was asked to end
};

/// As an object.
void write_status(JsonWriter& to, const HostFacts& facts, const HostStatus& status);
void write_reloaded(JsonWriter& to, const Reloaded& reloaded);
void write_error(JsonWriter& to, const Error& error);

/// The last line of an answer to what cannot be done.
std::string refusal_line(const Error& why);

/// "2026-01-31T12:00:00Z"
std::string utc(std::chrono::system_clock::time_point when);

/// Whether the switch goes on.
bool under_way(SwitchPhase phase);

/// "redis_stream" of "redis_stream-0123456789ab", for texts in which it need not be told from
/// another one of that name.
std::string name_of(const std::string& key);

} // namespace swapmq::host
