// SPDX-License-Identifier: MIT
#include "queue/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace swapmq::queue {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::trace, spdlog::level::debug,
                                                  spdlog::level::info, spdlog::level::warn,
                                                  spdlog::level::err};
  return levels[std::clamp(static_cast<int>(level), 0, 4)]; // a plugin may say anything
}

/// Opening a pipe waits for its reader, perhaps for ever.
bool waits_for_a_reader(const std::string& file) {
  struct stat about {};
  return ::stat(file.c_str(), &about) == 0 && S_ISFIFO(about.st_mode);
}

} // namespace

Log::Log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

Log::~Log() { logger_->flush(); }

Result<std::shared_ptr<Log>> Log::open(const std::string& level, const std::string& file) {
  if (waits_for_a_reader(file)) {
    return Error(
        Errc::config,
        "log file \"" + file + "\": is a pipe; name a regular file, or none for standard error");
  }
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    // Not registered with spdlog: its registry of names is the application's.
    auto logger = std::make_shared<spdlog::logger>("swapmq", std::move(sink));
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::warn);
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
    return std::make_shared<Log>(std::move(logger));
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(Errc::config, "log file \"" + file + "\": " + failure.what());
  }
}

bool Log::enabled(LogLevel level) const noexcept { return logger_->should_log(to_spdlog(level)); }

void Log::set_level(const std::string& level) {
  logger_->set_level(spdlog::level::from_str(level));
}

void Log::write(LogLevel level, std::string_view line) noexcept {
  logger_->log(to_spdlog(level), line);
}

} // namespace swapmq::queue
