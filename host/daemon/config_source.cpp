// SPDX-License-Identifier: MIT
#include "daemon/config_source.h"

namespace swapmq::host {

Result<ReloadResult> ConfigSource::reload(MessageQueue& queue) const {
  if (path_.empty()) {
    return Error(Errc::not_found,
                 "this host was started without a configuration; there is none to read again");
  }
  return queue.reload(path_, overrides_);
}

} // namespace swapmq::host
