// SPDX-License-Identifier: MIT
#include "plugin/host_services.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "plugin/call_error.h"

namespace swapmq::plugin {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxCounterName = 64;

HostSink& sink_of(void* context) { return *static_cast<HostSink*>(context); }

int clamped(std::int32_t level) {
  return std::clamp<int>(level, SWAPMQ_LOG_TRACE, SWAPMQ_LOG_ERROR);
}

std::int32_t log_enabled(void* context, std::int32_t level) noexcept {
  return context != nullptr && sink_of(context).log_enabled(clamped(level)) ? 1 : 0;
}

void log(void* context, std::int32_t level, swapmq_bytes line) noexcept {
  if (context == nullptr || line.data == nullptr || line.size == 0) return;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(line.size, kMaxLine));
  const std::string_view text(static_cast<const char*>(line.data), size);
  try {
    sink_of(context).log(clamped(level), one_line(text, kMaxLine));
  } catch (const std::exception&) { // out of memory: the fact is logged without the text
    sink_of(context).log(SWAPMQ_LOG_ERROR, "a plugin's log line was dropped: out of memory");
  }
}

bool is_counter_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxCounterName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void count(void* context, const char* name, std::uint64_t amount) noexcept {
  if (context == nullptr || name == nullptr) return;
  const std::string_view text(name, ::strnlen(name, kMaxCounterName + 1));
  if (is_counter_name(text)) {
    sink_of(context).count(text, amount);
  } else {
    sink_of(context).count("invalid_counter_names", 1);
  }
}

} // namespace

swapmq_host lend(HostSink& sink) {
  swapmq_host host{};
  host.struct_size = sizeof host;
  host.abi_version = SWAPMQ_ABI_VERSION;
  host.context = &sink;
  host.log_enabled = &log_enabled;
  host.log = &log;
  host.count = &count;
  return host;
}

bool is_instance_name(std::string_view name) {
  constexpr std::size_t kMaxName = 255;
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

} // namespace swapmq::plugin
