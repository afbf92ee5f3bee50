// SPDX-License-Identifier: MIT
#include "failure.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

#include "probe.h"

namespace swapmq::contract {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::string_view kTrace = "Google Test trace:";

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

/// The lines from `first` to before `end` as one text.
std::string joined(const Lines& lines, std::size_t first, std::size_t end) {
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    text += (text.empty() ? "" : "\n") + std::string(lines[i]);
  }
  return std::string(trimmed(text));
}

/// After it comes what follows; nothing if it does not begin so.
std::optional<std::string_view> after(std::string_view line, std::string_view beginning) {
  if (line.substr(0, beginning.size()) != beginning) return std::nullopt;
  return line.substr(beginning.size());
}

/// Source text may go over several lines; what is long is a lambda, and says little.
std::string short_source(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string line;
  for (const char c : trimmed(text)) {
    const bool space = c == ' ' || c == '\n';
    if (!space || (!line.empty() && line.back() != ' ')) line += space ? ' ' : c;
  }
  return line.size() > kMost ? line.substr(0, kMost) + " ..." : line;
}

template <class N>
std::optional<N> to_number(std::string_view text) {
  N number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string outcome_name(std::int32_t outcome) {
  constexpr std::array<const char*, 4> kNames = {"UNTOUCHED", "CONFIRMED", "FAILED", "IN_DOUBT"};
  const bool known = outcome >= 0 && outcome < 4;
  return known ? kNames[static_cast<std::size_t>(outcome)] : std::to_string(outcome);
}

std::string name_of_status(std::int32_t status) {
  const bool known = status >= SWAPMQ_STATUS_PENDING && status < SWAPMQ_STATUS_COUNT;
  return known ? status_name(status) : std::to_string(status);
}

/// The numbers of "7" or "{ 0, 12 }" in words.
std::string in_words(std::string_view value, std::string (*word)(std::int32_t)) {
  std::string line;
  for (std::size_t i = 0; i < value.size();) {
    std::size_t end = i;
    while (end < value.size() && (value[end] == '-' || (value[end] >= '0' && value[end] <= '9'))) {
      ++end;
    }
    const auto number = to_number<std::int32_t>(value.substr(i, end - i));
    line +=
        number ? word(*number) : std::string(value.substr(i, std::max<std::size_t>(end - i, 1)));
    i = std::max(end, i + 1);
  }
  return line;
}

/// "30130689ns" in milliseconds; other values as they are.
std::string readable(std::string_view value) {
  if (value.size() < 3 || value.substr(value.size() - 2) != "ns") return std::string(value);
  const auto ns = to_number<std::int64_t>(value.substr(0, value.size() - 2));
  if (!ns) return std::string(value);
  char ms[32];
  std::snprintf(ms, sizeof ms, "%.1fms", static_cast<double>(*ns) / 1e6);
  return ms;
}

/// Whether the source of a value says that it is a status, or the outcome of a publish.
std::string worded(const std::string& value, std::string_view sources) {
  if (sources.find("SWAPMQ_PUBLISH_") != std::string_view::npos) {
    return in_words(value, outcome_name);
  }
  if (sources.find("swapmq_status") != std::string_view::npos)
    return in_words(value, name_of_status);
  for (std::int32_t status = SWAPMQ_STATUS_PENDING; status < SWAPMQ_STATUS_COUNT; ++status) {
    const std::string macro = status < 0 ? std::string("SWAPMQ_STATUS_") + status_name(status)
                                         : std::string("SWAPMQ_") + status_name(status);
    if (sources == macro) return in_words(value, name_of_status);
  }
  return value;
}

/// The value at `lines[i]`, of which the next line may say what it is; i goes behind it.
struct Value {
  std::string source, value;
};
Value take_value(const Lines& lines, std::size_t& i) {
  Value taken;
  if (i >= lines.size()) return taken;
  taken.source = short_source(lines[i++]);
  taken.value = taken.source;
  if (i >= lines.size()) return taken;
  if (const auto is = after(trimmed(lines[i]), "Which is: ")) {
    taken.value = *is;
    ++i;
  }
  return taken;
}

/// EXPECT_EQ(got, expected).
std::size_t take_equality(const Lines& lines, Failure& failure) {
  std::size_t i = 1;
  const Value got = take_value(lines, i);
  const Value expected = take_value(lines, i);
  failure.got = worded(got.value, expected.source);
  failure.expected = worded(expected.value, expected.source);
  if (got.source != got.value) failure.got += "  (" + got.source + ")";
  return i;
}

/// EXPECT_TRUE(expected) and EXPECT_FALSE.
std::size_t take_truth(const Lines& lines, Failure& failure) {
  std::size_t i = 0;
  while (i < lines.size() && !after(lines[i], "  Actual: ")) ++i;
  if (i + 1 >= lines.size()) return 0;
  const std::string source = joined(lines, 0, i).substr(sizeof "Value of: " - 1);
  const auto wanted = after(lines[i + 1], "Expected: ");
  if (!wanted) return 0;
  failure.expected = std::string(*wanted) + ": " + short_source(source);
  failure.got = std::string(*after(lines[i], "  Actual: "));
  return i + 2;
}

/// EXPECT_LE(got, bound) and the like: "Expected: (a) <= (b), actual: 3 vs 2".
std::size_t take_comparison(const Lines& lines, Failure& failure) {
  constexpr std::string_view kActual = "), actual: ", kVersus = " vs ";
  const std::string_view line = *after(lines[0], "Expected: (");
  const std::size_t actual = line.rfind(kActual);
  if (actual == std::string_view::npos) return 0;
  const std::string_view values = line.substr(actual + kActual.size());
  const std::size_t versus = values.find(kVersus);
  for (const std::string_view sign : {" <= ", " >= ", " != ", " < ", " > "}) {
    const std::string between = ")" + std::string(sign) + "(";
    const std::size_t at = line.find(between);
    if (at == std::string_view::npos || at > actual || versus == std::string_view::npos) continue;
    const std::string_view bound = line.substr(at + between.size(), actual - at - between.size());
    const std::string_view bound_value = values.substr(versus + kVersus.size());
    failure.expected = short_source(line.substr(0, at)) + std::string(sign) + short_source(bound);
    if (bound != bound_value) failure.expected += "  (" + readable(bound_value) + ")";
    failure.got = readable(values.substr(0, versus));
    return 1;
  }
  return 0;
}

/// How many of the lines say what was expected and what came instead; 0: none.
std::size_t take_expectation(const Lines& lines, Failure& failure) {
  if (lines.empty()) return 0;
  if (lines[0] == "Expected equality of these values:") return take_equality(lines, failure);
  if (after(lines[0], "Value of: ")) return take_truth(lines, failure);
  if (after(lines[0], "Expected: (")) return take_comparison(lines, failure);
  return 0;
}

/// "file:line: 50 ms" of each line, innermost first.
std::string traces(const Lines& lines, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(": ");
    if (colon == std::string_view::npos) continue;
    text += (text.empty() ? "" : ", ") + std::string(lines[i].substr(colon + 2));
  }
  return text;
}

} // namespace

std::string unwrapped(std::string text) {
  constexpr std::string_view kBefore = "C++ exception with description \"";
  constexpr std::string_view kAfter = "\" thrown in ";
  const std::size_t end = text.rfind(kAfter);
  if (text.rfind(kBefore, 0) != 0 || end == std::string::npos) return text;
  return text.substr(kBefore.size(), end - kBefore.size());
}

Failure take_apart(std::string_view text) {
  Failure failure;
  Lines lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] != kTrace) continue;
    failure.with = traces(lines, i + 1);
    lines.resize(i);
  }
  const std::size_t taken = take_expectation(lines, failure);
  if (taken != 0) {
    failure.note = joined(lines, taken, lines.size());
    if (failure.note == failure.got.substr(0, failure.got.find("  ("))) failure.note.clear();
    return failure;
  }
  const bool bare = !lines.empty() && lines[0] == "Failed";
  failure.found = unwrapped(joined(lines, bare ? 1 : 0, lines.size()));
  return failure;
}

} // namespace swapmq::contract
