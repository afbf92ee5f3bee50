// SPDX-License-Identifier: MIT
//
// Durations, sizes and rates as people write them on a command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swapmq::host {

inline constexpr std::int64_t hundred_years_ms = 36'525ll * 24 * 3600 * 1000;

/// "500ms", "2s", "1.5m", "12h", "7d". A unit is needed ("2" could be anything), but for "0".
/// None: not a duration, negative, or beyond a hundred years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "65536", "64K", "64MiB", "1G": bytes, in powers of 1024. None: not a size, or beyond 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "100", "0.5", "2k", "1.5M": messages a second, in powers of 1000. None: not one, or not above 0.
std::optional<double> parse_rate(std::string_view text);

/// "0.41 s", "12 s", "3 m 20 s": for summaries.
std::string format_elapsed(std::chrono::nanoseconds elapsed);

/// "0.41 ms", "12.3 ms".
std::string format_ms(double ms);

/// "950/s", "201k/s", "1.2M/s": for progress.
std::string format_rate(double per_second);

/// "512", "64 KiB", "16 MiB": for descriptions.
std::string format_size(std::uint64_t bytes);

} // namespace swapmq::host
