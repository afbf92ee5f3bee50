// SPDX-License-Identifier: MIT
#include "operation.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace swapmq::differential {

std::string to_text(const Operation& operation) {
  std::ostringstream text;
  text << name_of(operation.kind) << " queue=" << operation.queue
       << " consumer=" << operation.consumer << " count=" << operation.count
       << " seed=" << operation.seed;
  return text.str();
}

namespace {

bool read_field(std::istream& in, std::string_view name, std::uint64_t most, std::uint64_t& to) {
  std::string key;
  return std::getline(in >> std::ws, key, '=') && key == name && in >> to && to <= most;
}

} // namespace

std::optional<Operation> from_text(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::string name;
  in >> name;
  const auto* const found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end()) return std::nullopt;
  std::uint64_t queue = 0;
  std::uint64_t consumer = 0;
  std::uint64_t count = 0;
  Operation read;
  if (!read_field(in, "queue", kQueues - 1, queue) ||
      !read_field(in, "consumer", kConsumers - 1, consumer) ||
      !read_field(in, "count", 1000, count) || !read_field(in, "seed", UINT64_MAX, read.seed)) {
    return std::nullopt;
  }
  std::string more;
  if (in >> more) return std::nullopt;
  read.kind = static_cast<Kind>(found - kKindNames.begin());
  read.queue = static_cast<unsigned>(queue);
  read.consumer = static_cast<unsigned>(consumer);
  read.count = static_cast<unsigned>(count);
  return read;
}

std::optional<Operations> read_operations(const std::string& file, std::string& why) {
  std::ifstream in(file);
  if (!in) {
    why = file + ": cannot be read";
    return std::nullopt;
  }
  Operations operations;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto operation = from_text(line);
    if (!operation) {
      why = file + ":" + std::to_string(number) + ": not an operation: " + line;
      return std::nullopt;
    }
    operations.push_back(*operation);
  }
  return operations;
}

} // namespace swapmq::differential
