// SPDX-License-Identifier: MIT
#include "quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

namespace swapmq::host {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

struct Number {
  double value;
  std::string_view unit;
};

/// Digits with an optional fraction, then the unit. No sign, exponent, hex, "inf" or "nan".
std::optional<Number> split_number(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  const bool starts_with_digit = !number.empty() && number.front() != '.';
  if (!starts_with_digit || number.back() == '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                            std::chars_format::fixed);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return Number{value, text.substr(number.size())};
}

std::optional<double> scaled(std::string_view text, std::span<const Unit> units) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == number->unit) return number->value * unit.factor;
  }
  return std::nullopt;
}

template <class... Args>
std::string printed(const char* format, Args... args) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, args...);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 5> units{
      {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
  if (text == "0") return std::chrono::milliseconds(0);
  const auto ms = scaled(text, units);
  if (!ms || *ms > static_cast<double>(hundred_years_ms)) return std::nullopt;
  // Rounded up, so that what is not zero never becomes "none" or "for ever".
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(*ms)));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr double k = 1024;
  static constexpr std::array<Unit, 11> units{{{"", 1},
                                               {"B", 1},
                                               {"K", k},
                                               {"KB", k},
                                               {"KiB", k},
                                               {"M", k * k},
                                               {"MB", k * k},
                                               {"MiB", k * k},
                                               {"G", k * k * k},
                                               {"GB", k * k * k},
                                               {"GiB", k * k * k}}};
  constexpr double largest = 9007199254740992.0; // 2^53: a double still counts single bytes
  const auto bytes = scaled(text, units);
  if (!bytes || *bytes > largest) return std::nullopt;
  return static_cast<std::uint64_t>(std::ceil(*bytes));
}

std::optional<double> parse_rate(std::string_view text) {
  static constexpr std::array<Unit, 3> units{{{"", 1}, {"k", 1e3}, {"M", 1e6}}};
  const auto rate = scaled(text, units);
  if (!rate || *rate <= 0 || *rate > 1e9) return std::nullopt;
  return rate;
}

std::string format_elapsed(std::chrono::nanoseconds elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds < 10) return printed("%.2f s", seconds);
  if (seconds < 60) return printed("%.1f s", seconds);
  const auto whole = static_cast<long long>(seconds);
  if (whole < 3600) return printed("%lld m %lld s", whole / 60, whole % 60);
  return printed("%lld h %lld m", whole / 3600, whole / 60 % 60);
}

std::string format_ms(double ms) { return printed(ms < 10 ? "%.2f ms" : "%.1f ms", ms); }

std::string format_rate(double per_second) {
  if (per_second < 10) return printed("%.1f/s", per_second);
  if (per_second < 10e3) return printed("%.0f/s", per_second);
  if (per_second < 1e6) return printed("%.0fk/s", per_second / 1e3);
  return printed("%.1fM/s", per_second / 1e6);
}

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array<const char*, 4> units{"", " KiB", " MiB", " GiB"};
  std::size_t unit = 0;
  while (unit + 1 < units.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + units[unit];
}

} // namespace swapmq::host
