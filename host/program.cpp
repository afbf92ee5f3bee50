// SPDX-License-Identifier: MIT
#include "program.h"

#include <utility>

#include "output.h"

namespace swapmq::host {
Result<MessageQueue> open_message_queue(const CommonOptions& common) {
  Result<MessageQueue> opened = MessageQueue::try_open(common.config, common.overrides);
  if (opened && common.config.empty() && !common.quiet && stderr_is_terminal()) {
    print_err("swapmq: no configuration is named; using the embedded default (" +
              opened->backend_name() + " in ./swapmq-data)\n");
  }
  return opened;
}

ExitCode fail(const Error& error) {
  const std::string what =
      error.message().empty() ? std::string(to_string(error.code())) : error.message();
  print_err("swapmq: " + what + "\n");
  return exit_code(error.code());
}

ExitCode fail_to_open(const CommonOptions& common, const Error& error) {
  const std::string& message = error.message();
  const bool names_place = (!common.config.empty() && message.starts_with(common.config)) ||
                           message.starts_with("--set ") ||
                           message.starts_with("environment variable SWAPMQ_SET__");
  if (names_place) {
    print_err(error.message() + "\n");
  } else {
    (void)fail(error);
  }
  return error.code() == Errc::invalid_argument ? exit_config : exit_code(error.code());
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
