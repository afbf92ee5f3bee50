// SPDX-License-Identifier: MIT
#include "report.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

namespace swapmq::differential {

namespace {

Kind kind_at(std::size_t i) { return static_cast<Kind>(i); }

bool may_reach(State state, const Powers& powers) {
  switch (state) {
    case State::kDelayed:
      return powers.delayed_publish || powers.delayed_nack;
    case State::kDeadLettered:
      return powers.dead_letter;
    case State::kPurged:
      return powers.purge;
    case State::kFull:
      return powers.max_length;
    case State::kReordered: // a choice, not a duty
      return false;
    default:
      return true;
  }
}

std::string header_of(const Difference& difference) {
  std::string text = "# " + difference.what;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3) {
    text.replace(at, 1, "\n# ");
  }
  return text + (difference.at_the_end ? "\n# seen when all was fetched at the end" : "");
}

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void key(Writer& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void text(Writer& writer, std::string_view name, std::string_view value) {
  key(writer, name);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void write_pairs(Writer& writer, const Coverage& coverage, const Powers& powers) {
  key(writer, "pairs");
  writer.StartObject();
  for (std::size_t before = 0; before < kKinds; ++before) {
    if (!possible(kind_at(before), powers)) continue;
    key(writer, kKindNames[before]);
    writer.StartObject();
    for (std::size_t after = 0; after < kKinds; ++after) {
      if (!possible(kind_at(after), powers)) continue;
      key(writer, kKindNames[after]);
      writer.Uint64(coverage.pair(kind_at(before), kind_at(after)));
    }
    writer.EndObject();
  }
  writer.EndObject();
}

void write_difference(Writer& writer, const Difference& difference) {
  key(writer, "difference");
  writer.StartObject();
  text(writer, "what", difference.what);
  key(writer, "at_the_end");
  writer.Bool(difference.at_the_end);
  key(writer, "sequence");
  writer.StartArray();
  for (const Operation& operation : difference.operations) {
    writer.String(to_text(operation).c_str());
  }
  writer.EndArray();
  writer.EndObject();
}

} // namespace

std::vector<std::string> not_reached(const Coverage& coverage, const Powers& powers) {
  std::vector<std::string> missing;
  for (std::size_t before = 0; before < kKinds; ++before) {
    for (std::size_t after = 0; after < kKinds; ++after) {
      const bool both = possible(kind_at(before), powers) && possible(kind_at(after), powers);
      if (!both || coverage.pair(kind_at(before), kind_at(after)) > 0) continue;
      missing.push_back(std::string(kKindNames[before]) + ", then " +
                        std::string(kKindNames[after]));
    }
  }
  for (std::size_t i = 0; i < kStates; ++i) {
    const auto state = static_cast<State>(i);
    if (!may_reach(state, powers) || coverage.state(state) > 0) continue;
    missing.push_back("the state " + std::string(kStateNames[i]));
  }
  return missing;
}

void print_coverage(const Coverage& coverage, const Powers& powers) {
  std::printf("\npairs of consecutive operations: the row, then the column\n%-19s", "");
  for (std::size_t i = 0; i < kKinds; ++i) std::printf("%6c", static_cast<char>('a' + i));
  std::printf("\n");
  for (std::size_t before = 0; before < kKinds; ++before) {
    const std::string name(kKindNames[before]);
    std::printf("%c %-17s", static_cast<char>('a' + before), name.c_str());
    for (std::size_t after = 0; after < kKinds; ++after) {
      if (possible(kind_at(before), powers) && possible(kind_at(after), powers)) {
        std::printf("%6" PRIu64, coverage.pair(kind_at(before), kind_at(after)));
      } else {
        std::printf("%6s", "-");
      }
    }
    std::printf("\n");
  }
  std::printf("\nmessages that were\n");
  for (std::size_t i = 0; i < kStates; ++i) {
    const std::string name(kStateNames[i]);
    std::printf("  %-15s %" PRIu64 "\n", name.c_str(), coverage.state(static_cast<State>(i)));
  }
}

void print_difference(const Arguments& arguments, const Difference& difference) {
  std::printf("%s\n", header_of(difference).c_str());
  for (const Operation& operation : difference.operations) {
    std::printf("%s\n", to_text(operation).c_str());
  }
  std::printf(
      "\nto see it again, with these lines in FILE:\n"
      "  swapmq_differential --plugin %s --options '%s' --replay FILE\n",
      arguments.plugin.c_str(), arguments.options.c_str());
}

bool save_operations(const std::string& file, const Difference& difference) {
  std::ofstream out(file, std::ios::trunc);
  out << header_of(difference) << '\n';
  for (const Operation& operation : difference.operations) out << to_text(operation) << '\n';
  return out.flush().good();
}

bool write_json(const Arguments& arguments, const Coverage& coverage, const Powers& powers,
                const std::optional<Difference>& difference) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  text(writer, "plugin", arguments.plugin);
  text(writer, "options", arguments.options);
  key(writer, "seed");
  writer.Uint64(arguments.seed);
  key(writer, "operations");
  writer.Uint64(coverage.operations());
  key(writer, "equivalent");
  writer.Bool(!difference.has_value());
  write_pairs(writer, coverage, powers);
  key(writer, "states");
  writer.StartObject();
  for (std::size_t i = 0; i < kStates; ++i) {
    key(writer, kStateNames[i]);
    writer.Uint64(coverage.state(static_cast<State>(i)));
  }
  writer.EndObject();
  key(writer, "not_reached");
  writer.StartArray();
  for (const std::string& what : not_reached(coverage, powers)) writer.String(what.c_str());
  writer.EndArray();
  if (difference) write_difference(writer, *difference);
  writer.EndObject();
  std::ofstream out(arguments.json, std::ios::binary | std::ios::trunc);
  out.write(buffer.GetString(), static_cast<std::streamsize>(buffer.GetSize()));
  out << '\n';
  return out.flush().good();
}

} // namespace swapmq::differential
