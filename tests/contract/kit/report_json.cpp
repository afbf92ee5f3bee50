// SPDX-License-Identifier: MIT
//
// The result as JSON, for programs, and for the kit that runs each test in a process of its own.
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "plugin.h"
#include "report.h"
#include "rules.h"

namespace swapmq::contract {

namespace {

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void text(Writer& writer, const char* key, std::string_view value) {
  writer.Key(key);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void number(Writer& writer, const char* key, std::uint64_t value) {
  writer.Key(key);
  writer.Uint64(value);
}

void write_calls(Writer& writer, const std::vector<CallSeen>& calls) {
  writer.Key("calls");
  writer.StartArray();
  for (const CallSeen& seen : calls) {
    writer.StartObject();
    text(writer, "call", seen.call);
    writer.Key("returned");
    seen.returned.empty() ? writer.Null() : writer.String(seen.returned.c_str());
    writer.Key("took_ms");
    writer.Double(seen.took_ms);
    number(writer, "times", seen.times);
    number(writer, "thread", seen.thread);
    writer.Key("failing");
    writer.Bool(seen.failing);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_failure(Writer& writer, const Failure& failure) {
  write_calls(writer, failure.calls);
  text(writer, "expected", failure.expected);
  text(writer, "got", failure.got);
  text(writer, "note", failure.note);
  text(writer, "with", failure.with);
  text(writer, "found", failure.found);
  text(writer, "at", failure.at);
}

void write_finding(Writer& writer, const Finding& finding) {
  const Rule rule = rule_of(finding.test);
  writer.StartObject();
  text(writer, "name", finding.test);
  text(writer, "outcome", to_string(finding.outcome));
  text(writer, "rule", rule.text);
  text(writer, "rule_source", source_of(rule));
  text(writer, "text", finding.text);
  number(writer, "took_ms", static_cast<std::uint64_t>(finding.took_ms));
  if (!finding.failures.empty()) write_failure(writer, finding.failures.front());
  if (finding.failures.size() > 1) {
    writer.Key("more_failures");
    writer.StartArray();
    for (std::size_t i = 1; i < finding.failures.size(); ++i) {
      writer.StartObject();
      write_failure(writer, finding.failures[i]);
      writer.EndObject();
    }
    writer.EndArray();
  }
  writer.EndObject();
}

std::uint64_t count(const std::vector<Finding>& findings, Outcome outcome) {
  return static_cast<std::uint64_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.outcome == outcome; }));
}

bool write(const std::string& file, const rapidjson::StringBuffer& buffer) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(buffer.GetString(), static_cast<std::streamsize>(buffer.GetSize()));
  out << '\n';
  return out.flush().good();
}

std::vector<CallSeen> read_calls(const rapidjson::Value& from) {
  std::vector<CallSeen> calls;
  for (const auto& call : from["calls"].GetArray()) {
    CallSeen seen;
    seen.call = call["call"].GetString();
    if (call["returned"].IsString()) seen.returned = call["returned"].GetString();
    seen.took_ms = call["took_ms"].GetDouble();
    seen.times = call["times"].GetUint();
    seen.thread = call["thread"].GetUint();
    seen.failing = call["failing"].GetBool();
    calls.push_back(std::move(seen));
  }
  return calls;
}

Failure read_failure(const rapidjson::Value& from) {
  return {from["expected"].GetString(),
          from["got"].GetString(),
          from["note"].GetString(),
          from["with"].GetString(),
          from["found"].GetString(),
          from["at"].GetString(),
          read_calls(from)};
}

} // namespace

bool write_json(const std::string& file, const std::vector<Finding>& findings) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  text(writer, "plugin", kit().name);
  text(writer, "path", kit().path);
  number(writer, "passed", count(findings, Outcome::kPassed));
  number(writer, "failed", count(findings, Outcome::kFailed));
  number(writer, "not_promised", count(findings, Outcome::kNotPromised));
  writer.Key("tests");
  writer.StartArray();
  for (const Finding& finding : findings) write_finding(writer, finding);
  writer.EndArray();
  writer.EndObject();
  return write(file, buffer);
}

bool write_list_json(const std::string& file, const std::vector<std::string>& tests) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("tests");
  writer.StartArray();
  for (const std::string& test : tests) {
    const Rule rule = rule_of(test);
    writer.StartObject();
    text(writer, "name", test);
    text(writer, "rule", rule.text);
    text(writer, "rule_source", source_of(rule));
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return write(file, buffer);
}

std::vector<Finding> read_json(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  rapidjson::Document document;
  document.Parse(text.c_str(), text.size());
  std::vector<Finding> findings;
  if (!document.IsObject() || !document.HasMember("tests")) return findings;
  for (const auto& test : document["tests"].GetArray()) {
    Finding finding;
    finding.test = test["name"].GetString();
    finding.text = test["text"].GetString();
    finding.took_ms = test["took_ms"].GetInt64();
    const std::string outcome = test["outcome"].GetString();
    if (outcome == to_string(Outcome::kFailed)) finding.outcome = Outcome::kFailed;
    if (outcome == to_string(Outcome::kNotPromised)) finding.outcome = Outcome::kNotPromised;
    if (test.HasMember("calls")) finding.failures.push_back(read_failure(test));
    if (test.HasMember("more_failures")) {
      for (const auto& more : test["more_failures"].GetArray()) {
        finding.failures.push_back(read_failure(more));
      }
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

} // namespace swapmq::contract
