// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "metrics/metrics.h"
#include "plugin/session.h"

namespace spdlog {
class logger;
}

namespace swapmq::queue {

enum class LogLevel : int { trace, debug, info, warning, error };

/// The log of one message queue, and what its plugin is lent. Any thread.
class Log final : public plugin::HostSink {
 public:
  /// level: a word of the config; file: empty for standard error.
  static Result<std::shared_ptr<Log>> open(const std::string& level, const std::string& file,
                                           metrics::Registry& registry);

  void write(LogLevel level, std::string_view line) noexcept;

  bool log_enabled(int level) noexcept override;
  void log(int level, std::string_view line) noexcept override;
  void count(std::string_view name, std::uint64_t amount) noexcept override;

  Log(std::shared_ptr<spdlog::logger> logger, metrics::Registry& registry);
  ~Log() override;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  metrics::Registry& registry_;
};

} // namespace swapmq::queue
