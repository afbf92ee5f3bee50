// SPDX-License-Identifier: MIT
#include "resp.hpp"

#include <charconv>
#include <stdexcept>

namespace swapmq::live::resp {

namespace {

constexpr std::int64_t kLongest = 64 << 20;
constexpr int kDeepest = 16;

std::optional<std::string_view> take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kLongest) {
    throw std::runtime_error("not a possible RESP length: " + std::string(text));
  }
  return value;
}

std::optional<Value> take_bulk(std::string_view& bytes, std::string_view length) {
  const std::int64_t size = number(length);
  if (size < 0) return Value{};
  const auto wanted = static_cast<std::size_t>(size);
  if (bytes.size() < wanted + 2) return std::nullopt;
  Value value{Value::Kind::bulk, std::string(bytes.substr(0, wanted))};
  bytes.remove_prefix(wanted + 2);
  return value;
}

std::optional<Value> take_nested(std::string_view& bytes, int depth) {
  if (depth > kDeepest) throw std::runtime_error("RESP nested too deeply");
  const auto line = take_line(bytes);
  if (!line) return std::nullopt;
  const std::string_view rest = line->substr(line->empty() ? 0 : 1);
  switch (line->empty() ? '\0' : line->front()) {
    case '+':
      return Value{Value::Kind::status, std::string(rest)};
    case '-':
      return Value{Value::Kind::error, std::string(rest)};
    case ':':
      return Value{Value::Kind::integer, std::string(rest)};
    case '$':
      return take_bulk(bytes, rest);
    case '*': {
      const std::int64_t count = number(rest);
      if (count < 0) return Value{};
      Value array{Value::Kind::array};
      for (std::int64_t i = 0; i < count; ++i) {
        auto element = take_nested(bytes, depth + 1);
        if (!element) return std::nullopt;
        array.elements.push_back(*std::move(element));
      }
      return array;
    }
    default:
      throw std::runtime_error("not RESP2: " + std::string(*line));
  }
}

} // namespace

std::string Value::to_text() const {
  if (kind == Kind::null) return "(nil)";
  if (kind == Kind::error) return "(error) " + text;
  if (kind != Kind::array) return text;
  std::string all;
  for (const Value& element : elements) {
    if (!all.empty()) all += '\n';
    all += element.to_text();
  }
  return all;
}

std::optional<Value> take(std::string_view& bytes) {
  std::string_view rest = bytes;
  auto value = take_nested(rest, 0);
  if (value) bytes = rest;
  return value;
}

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string command(const std::vector<std::string>& words) {
  std::string all = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) all += bulk(word);
  return all;
}

} // namespace swapmq::live::resp
