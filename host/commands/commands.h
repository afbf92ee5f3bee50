// SPDX-License-Identifier: MIT
//
// The commands. Each does its work and returns the exit code.
#pragma once

#include "command_line.h"

namespace swapmq::host {

int run(const CommonOptions& common, const PublishCommand& command);
int run(const CommonOptions& common, const ConsumeCommand& command);
int run(const CommonOptions& common, const QueueCommand& command);
int run(const CommonOptions& common, const RedriveCommand& command);
int run(const CommonOptions& common, const PeekCommand& command);
int run(const CommonOptions& common, const ConfigCommand& command);
int run(const CommonOptions& common, const PluginCommand& command);
int run(const CommonOptions& common, const PluginNewCommand& command);
int run(const CommonOptions& common, const VersionCommand& command);
int run(const CommonOptions& common, const PingCommand& command);
int run(const CommonOptions& common, const RunCommand& command);
int run(const CommonOptions& common, const ControlCommand& command);
int run(const CommonOptions& common, const CompletionCommand& command);
int run(const CommonOptions& common, const CompleteCommand& command);

} // namespace swapmq::host
