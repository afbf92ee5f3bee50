// SPDX-License-Identifier: MIT
#include "daemon/config_source.h"

#include "config_file.h"

namespace swapmq::host {

Result<std::string> ConfigSource::read() const {
  Result<std::string> text = read_config_text(path_);
  // The file itself is what errors must point into, not our copy of it.
  if (!text || log_level_.empty() || !check_config(path_).empty()) return text;
  return with_log_level(*text, log_level_);
}

Result<MessageQueue> ConfigSource::open() {
  // Read once: the state_dir that is served must be the one that was opened.
  const Result<std::string> text = read();
  if (!text) return text.error();
  Result<MessageQueue> opened = MessageQueue::try_open_text(*text, path_);
  if (!opened) return opened;
  state_dir_ = summarize_config(*text).state_dir;
  return opened;
}

Result<ReloadResult> ConfigSource::reload(MessageQueue& queue) const {
  if (path_.empty()) {
    return Error(Errc::not_found,
                 "this host was started without a configuration; there is none to read again");
  }
  const Result<std::string> text = read();
  if (!text) return text.error();
  return queue.reload_text(*text, path_);
}

} // namespace swapmq::host
