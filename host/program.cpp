// SPDX-License-Identifier: MIT
#include "program.h"

#include <utility>

#include "colour.h"
#include "daemon/control_client.h"
#include "daemon/status_text.h"
#include "output.h"
#include "signals.h"
#include "table.h"

namespace swapmq::host {

namespace {

/// `in_use`: why it cannot be opened as a host would.
Result<MessageQueue> open_beside_host(CommonOptions common, const Error& in_use) {
  constexpr milliseconds patience{5'000};
  const Result<ConfigOutline> config = outline_config(common.config, common.overrides);
  if (!config || config->state_dir.empty()) return in_use;
  const Result<ControlAnswer> answer = ask_status(config->state_dir, patience);
  const std::string active = answer ? active_backend(answer->status) : std::string();
  if (active.empty()) return in_use;
  common.overrides.push_back({"state_dir", ""});
  common.overrides.push_back({"message_queue.type", active});
  Result<MessageQueue> opened = MessageQueue::try_open(common.config, common.overrides);
  if (opened && !common.quiet && stderr_is_terminal()) {
    print_err("swapmq: note: a host uses " + config->state_dir + "; working beside it, on " +
              active + "\n");
  }
  return opened;
}

} // namespace

Result<MessageQueue> open_message_queue(const CommonOptions& common) {
  Result<MessageQueue> opened = open_as_host(common);
  if (opened || opened.error().code() != Errc::conflict) return opened;
  return open_beside_host(common, opened.error());
}

Result<MessageQueue> open_as_host(const CommonOptions& common) {
  Result<MessageQueue> opened = MessageQueue::try_open(common.config, common.overrides);
  if (opened && common.config.empty() && !common.quiet && stderr_is_terminal()) {
    print_err("swapmq: no configuration is named; using the embedded default (" +
              opened->backend_name() + " in ./swapmq-data)\n");
  }
  return opened;
}

std::string_view end_of_summary() { return signals::interrupted() ? ", interrupted\n" : "\n"; }

ExitCode fail(const Error& error) {
  const std::string what =
      error.message().empty() ? std::string(to_string(error.code())) : error.message();
  print_errors("swapmq: " + what);
  return exit_code(error.code());
}

ExitCode fail_to_open(const CommonOptions& common, const Error& error) {
  const std::string& message = error.message();
  const bool names_place = (!common.config.empty() && message.starts_with(common.config)) ||
                           message.starts_with("--set ") ||
                           message.starts_with("environment variable SWAPMQ_SET__");
  if (names_place) {
    print_errors(error.message());
  } else {
    (void)fail(error);
  }
  return error.code() == Errc::invalid_argument ? exit_config : exit_code(error.code());
}

Error no_such_queue(std::string_view name) {
  return {Errc::not_found, "there is no queue \"" + printable(name) + "\""};
}

Result<std::vector<std::string>> folders_searched_first(const CommonOptions& common,
                                                        std::vector<std::string> folders) {
  if (common.config.empty()) return folders;
  Result<ConfigOutline> config = outline_config(common.config, common.overrides);
  if (!config) return config.error();
  for (std::string& folder : config->plugin_path) folders.push_back(std::move(folder));
  return folders;
}

std::string_view capability(const PluginDescription& plugin, std::string_view name) {
  for (const CapabilityValue& value : plugin.capabilities) {
    if (value.name == name) return value.grade;
  }
  return {};
}

} // namespace swapmq::host
