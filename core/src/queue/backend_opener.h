// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/current.h"
#include "metrics/metrics.h"
#include "plugin/plugin.h"
#include "queue/log.h"
#include "queue/side.h"
#include "switch/member.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// From the word of a config to an open backend, with the books that belong to its name. Any
/// thread.
class BackendOpener {
 public:
  /// The config outlives it.
  BackendOpener(const config::Current& config, std::shared_ptr<Log> log);

  /// The backend of that name as the config describes it. Errors: those of loading its plugin.
  [[nodiscard]] Result<switching::Member> member(std::string_view name) const {
    return member(*config_.get(), name);
  }
  /// All backends that a config has a section for, as far as their plugins can be loaded; the
  /// configured one last, whose error is this call's.
  [[nodiscard]] static Result<std::vector<switching::Member>> members(const config::Config& config);
  /// Blocks up to the config's connection timeout. Errors: the plugin's.
  Result<std::shared_ptr<Side>> open(const switching::Member& member) SWAPMQ_EXCLUDES(mutex_);
  /// Of all that was opened; what has the same name counts on.
  [[nodiscard]] std::vector<Metric> metrics() const SWAPMQ_EXCLUDES(mutex_);

 private:
  static Result<switching::Member> member(const config::Config& config, std::string_view name);

  const config::Current& config_;
  const std::shared_ptr<Log> log_;
  const std::string instance_; ///< who we are to brokers
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<metrics::Registry>> registries_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
