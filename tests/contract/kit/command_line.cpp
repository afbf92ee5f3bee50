// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <charconv>
#include <cstdio>

namespace swapmq::contract {

namespace {

bool to_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

} // namespace

void CommandLine::text(std::string_view name, std::string& to) {
  valued_[std::string(name)] = [&to](std::string_view value) { return to = value, !value.empty(); };
}

void CommandLine::time(std::string_view name, milliseconds& to) {
  valued_[std::string(name)] = [&to](std::string_view value) {
    constexpr std::uint64_t kMost = 0xffffffff;
    std::uint64_t ms = 0;
    if (!to_number(value, ms) || ms == 0 || ms > kMost) return false;
    to = milliseconds(ms);
    return true;
  };
}

void CommandLine::number(std::string_view name, std::uint64_t& to) {
  valued_[std::string(name)] = [&to](std::string_view value) { return to_number(value, to); };
}

void CommandLine::flag(std::string_view name, bool& to) { flags_[std::string(name)] = &to; }

bool CommandLine::wrong(std::string_view what, std::string_view argument) const {
  std::fprintf(stderr, "%s: %.*s: %.*s; see --help\n", program_.c_str(),
               static_cast<int>(argument.size()), argument.data(), static_cast<int>(what.size()),
               what.data());
  return false;
}

bool CommandLine::parse(int argc, char** argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--" && rest_ != nullptr) {
      rest_->assign(argv + i + 1, argv + argc);
      break;
    }
    if (const auto flag = flags_.find(argument); flag != flags_.end()) {
      *flag->second = true;
      continue;
    }
    const std::size_t equals = argument.find('=');
    const auto found = valued_.find(argument.substr(0, equals));
    if (found == valued_.end()) return wrong("no such option", argument);
    const bool attached = equals != std::string_view::npos;
    if (!attached && i + 1 == argc) return wrong("a value is missing", argument);
    const std::string_view value = attached ? argument.substr(equals + 1) : argv[++i];
    if (!found->second(value)) return wrong("not a possible value", argument);
  }
  return true;
}

} // namespace swapmq::contract
