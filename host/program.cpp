// SPDX-License-Identifier: MIT
#include "program.h"

#include "config_file.h"
#include "output.h"

namespace swapmq::host {
namespace {

Result<MessageQueue> open_with_log_level(const std::string& path, const std::string& level) {
  if (path.empty()) {
    return MessageQueue::try_open_text(default_config_with_log_level(level), "<default>");
  }
  // The file itself is what errors must point into, not our copy of it.
  const Result<std::string> text = read_config_text(path);
  if (!text || !check_config(path).empty()) return MessageQueue::try_open(path);
  return MessageQueue::try_open_text(with_log_level(*text, level), path);
}

} // namespace

Result<MessageQueue> open_message_queue(const CommonOptions& common) {
  Result<MessageQueue> opened = common.log_level.empty()
                                    ? MessageQueue::try_open(common.config)
                                    : open_with_log_level(common.config, common.log_level);
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
  const bool names_file = !common.config.empty() && error.message().starts_with(common.config);
  if (names_file) {
    print_err(error.message() + "\n");
  } else {
    (void)fail(error);
  }
  return error.code() == Errc::invalid_argument ? exit_config : exit_code(error.code());
}

std::string_view capability(const PluginDescription& plugin, std::string_view name) {
  for (const CapabilityValue& value : plugin.capabilities) {
    if (value.name == name) return value.grade;
  }
  return {};
}

} // namespace swapmq::host
