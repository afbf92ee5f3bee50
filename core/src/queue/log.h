// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace spdlog {
class logger;
}

namespace swapmq::queue {

enum class LogLevel : int { trace, debug, info, warning, error };

/// The log of one message queue and its plugins. Any thread.
class Log {
 public:
  /// level: a word of the config; file: empty for standard error.
  static Result<std::shared_ptr<Log>> open(const std::string& level, const std::string& file);

  [[nodiscard]] bool enabled(LogLevel level) const noexcept;
  void write(LogLevel level, std::string_view line) noexcept;
  void set_level(const std::string& level); ///< a word of the config

  explicit Log(std::shared_ptr<spdlog::logger> logger);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

 private:
  const std::shared_ptr<spdlog::logger> logger_;
};

} // namespace swapmq::queue
