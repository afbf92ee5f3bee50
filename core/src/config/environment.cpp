// SPDX-License-Identifier: MIT
//
// The one place of the core that reads the environment of the process for a config.
#include "config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr std::string_view kPrefix = "SWAPMQ_SET__";

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(by);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + by.size());
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

} // namespace

Override override_by_variable(std::string_view name, std::string_view value) {
  return {split(name, "__"), std::string(value),
          "environment variable " + std::string(kPrefix) + std::string(name)};
}

Result<Override> override_by_key(std::string_view key, std::string_view value) {
  const bool pointer = key.starts_with('/');
  Override set{split(pointer ? key.substr(1) : key, pointer ? "/" : "."), std::string(value),
               "--set " + std::string(key)};
  for (std::string& step : set.path) {
    if (step.empty()) {
      return Error(Errc::config, quoted(key) +
                                     " names no key; write it as message_queue.type, or as "
                                     "/message_queue/type");
    }
    if (!pointer) continue;
    replace_all(step, "~1", "/"); // in this order: RFC 6901, section 4
    replace_all(step, "~0", "~");
  }
  return set;
}

Environment process_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe): said above
    if (value == nullptr) return std::nullopt;
    return value;
  };
  std::vector<std::string> set;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    if (std::string_view(*each).starts_with(kPrefix)) set.emplace_back(*each);
  }
  std::sort(set.begin(), set.end()); // the same on every machine; a key before those below it
  for (const std::string& one : set) {
    const std::size_t equals = std::min(one.find('='), one.size());
    environment.overrides.push_back(
        override_by_variable(std::string_view(one).substr(0, equals).substr(kPrefix.size()),
                             std::string_view(one).substr(std::min(equals + 1, one.size()))));
  }
  return environment;
}

} // namespace swapmq::config
