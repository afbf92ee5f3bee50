// SPDX-License-Identifier: MIT
#include "probe/words.h"

#include <charconv>
#include <utility>
#include <vector>

namespace swapmq::probe {
namespace {

constexpr std::string_view format = "swapmq-probe/1 ";

std::string build() { return std::string(format) + std::string(version()); }

/// "LENGTH:BYTES"
void put(std::string& to, std::string_view field) {
  to += std::to_string(field.size()) + ":";
  to += field;
}

template <class Integer>
std::optional<Integer> number(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::string_view>> fields(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto size = number<std::size_t>(text.substr(0, colon));
    text.remove_prefix(colon + 1);
    if (!size || *size > text.size()) return std::nullopt;
    all.push_back(text.substr(0, *size));
    text.remove_prefix(*size);
  }
  return all;
}

Error error_from(std::string_view text) {
  const auto all = fields(text);
  const auto code = all && all->size() == 3 ? number<int>(all->at(0)) : std::nullopt;
  if (!code) return {Errc::internal, "the probe's answer cannot be read"};
  return {static_cast<Errc>(*code), std::string(all->at(2)), all->at(1) == "1"};
}

} // namespace

std::string to_text(const Request& request) {
  std::string text;
  put(text, build());
  put(text, request.name);
  put(text, request.path);
  put(text, request.open ? "1" : "0");
  put(text, request.options);
  put(text, request.instance);
  put(text, std::to_string(request.deadline_ns));
  put(text, std::to_string(request.parent));
  return text;
}

std::optional<Request> request_from(std::string_view text) {
  const auto all = fields(text);
  if (!all || all->size() != 8 || all->front() != build()) return std::nullopt;
  const auto deadline = number<std::int64_t>(all->at(6));
  const auto parent = number<std::int64_t>(all->at(7));
  if (!deadline || !parent) return std::nullopt;
  Request request;
  request.name = all->at(1);
  request.path = all->at(2);
  request.open = all->at(3) == "1";
  request.options = all->at(4);
  request.instance = all->at(5);
  request.deadline_ns = *deadline;
  request.parent = *parent;
  return request;
}

std::string begun(std::string_view step) { return "step " + std::string(step) + "\n"; }

std::string ended(const Error& error) {
  std::string text;
  put(text, std::to_string(static_cast<int>(error.code())));
  put(text, error.retryable() ? "1" : "0");
  put(text, error.message());
  return "end " + text;
}

std::string other_build() { return "other build\n"; }

Report report_from(std::string_view text) {
  Report report;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (text.starts_with("end ")) {
      report.ended = true;
      report.error = error_from(text.substr(4));
      return report;
    }
    if (line.starts_with("step ")) report.step = line.substr(5);
    report.other_build = report.other_build || text.starts_with(other_build());
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return report;
}

} // namespace swapmq::probe
