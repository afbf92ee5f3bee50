// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/current.h"
#include "metrics/metrics.h"
#include "plugin/plugin.h"
#include "queue/log.h"
#include "queue/side.h"
#include "switch/member.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// How long one waits for a backend to be opened.
struct OpenTerms {
  Deadline deadline = Deadline::max();
  std::function<bool()> given_up{}; ///< looked at now and then; may be empty
};

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
  /// Blocks up to the deadline or the config's connection timeout; one that is new to this process,
  /// and not the first one, is tried in another process before, which takes as long again. Errors:
  /// the plugin's; those of probe::try_opening().
  Result<std::shared_ptr<Side>> open(const switching::Member& member, const OpenTerms& terms)
      SWAPMQ_EXCLUDES(mutex_);
  /// Of all that was opened; what has the same name counts on.
  [[nodiscard]] std::vector<Metric> metrics() const SWAPMQ_EXCLUDES(mutex_);

 private:
  /// What makes it another one: the build of its plugin, and its options.
  using Kind = std::pair<const plugin::Plugin*, std::string>;
  static constexpr std::size_t max_known = 1024;
  Error try_first(const SideSetup& setup, const Kind& kind, const config::Config& config,
                  const OpenTerms& terms) SWAPMQ_EXCLUDES(mutex_);
  static Result<switching::Member> member(const config::Config& config, std::string_view name);

  const config::Current& config_;
  const std::shared_ptr<Log> log_;
  const std::string instance_; ///< who we are to brokers
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<metrics::Registry>> registries_ SWAPMQ_GUARDED_BY(mutex_);
  bool opened_one_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::set<Kind> known_ SWAPMQ_GUARDED_BY(mutex_); ///< that were opened by this process
};

} // namespace swapmq::queue
