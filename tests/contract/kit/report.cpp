// SPDX-License-Identifier: MIT
#include "report.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>

#include "plugin.h"

namespace swapmq::contract {

namespace {

constexpr char kNotPromisedPrefix[] = "not promised: ";
constexpr std::size_t kMostText = 8192; // of one test's failures

std::string base_name(const char* path) {
  const std::string text = path == nullptr ? "" : path;
  const std::size_t slash = text.rfind('/');
  return slash == std::string::npos ? text : text.substr(slash + 1);
}

/// GoogleTest's words around what the harness throws say nothing more.
std::string unwrapped(std::string text) {
  constexpr std::string_view kBefore = "C++ exception with description \"";
  constexpr std::string_view kAfter = "\" thrown in the test body.";
  const std::size_t end = text.rfind(kAfter);
  if (text.rfind(kBefore, 0) != 0 || end == std::string::npos) return text;
  return text.substr(kBefore.size(), end - kBefore.size());
}

class Reporter : public ::testing::EmptyTestEventListener {
 public:
  explicit Reporter(bool quiet) : quiet_(quiet) {}
  std::vector<Finding> findings;

 private:
  void OnTestEnd(const ::testing::TestInfo& test) override {
    Finding finding;
    finding.test = std::string(test.test_suite_name()) + "." + test.name();
    const ::testing::TestResult& result = *test.result();
    finding.took_ms = result.elapsed_time();
    if (result.Failed()) finding.outcome = Outcome::kFailed;
    if (result.Skipped()) finding.outcome = Outcome::kNotPromised;
    for (int i = 0; i < result.total_part_count(); ++i) add(finding, result.GetTestPartResult(i));
    if (finding.text.size() > kMostText) finding.text.resize(kMostText);
    print_line(finding, quiet_);
    findings.push_back(std::move(finding));
  }

  static void add(Finding& finding, const ::testing::TestPartResult& part) {
    if (part.passed() || finding.text.size() > kMostText) return;
    std::string text = part.message();
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (part.skipped()) {
      if (text.rfind(kNotPromisedPrefix, 0) == 0) text.erase(0, sizeof kNotPromisedPrefix - 1);
      finding.text = text;
      return;
    }
    if (finding.outcome != Outcome::kFailed) return;
    if (!finding.text.empty()) finding.text += '\n';
    if (part.line_number() > 0) {
      finding.text += base_name(part.file_name()) + ":" + std::to_string(part.line_number()) + ": ";
    }
    finding.text += unwrapped(text);
  }

  bool quiet_;
};

std::size_t count(const std::vector<Finding>& findings, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.outcome == outcome; }));
}

} // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kNotPromised:
      return "not promised";
  }
  return "";
}

void print_line(const Finding& finding, bool quiet) {
  const auto took = static_cast<long long>(finding.took_ms);
  if (finding.outcome == Outcome::kFailed) {
    std::printf("FAILED        %s (%lld ms)\n", finding.test.c_str(), took);
    std::size_t at = 0;
    while (at < finding.text.size()) {
      const std::size_t end = std::min(finding.text.find('\n', at), finding.text.size());
      std::printf("    %s\n", finding.text.substr(at, end - at).c_str());
      at = end + 1;
    }
  } else if (!quiet && finding.outcome == Outcome::kNotPromised) {
    std::printf("not promised  %s: %s\n", finding.test.c_str(), finding.text.c_str());
  } else if (!quiet) {
    std::printf("ok            %s (%lld ms)\n", finding.test.c_str(), took);
  }
  std::fflush(stdout);
}

void print_summary(const std::vector<Finding>& findings, bool quiet) {
  if (quiet && !any_failed(findings)) return;
  for (const Finding& finding : findings) {
    if (finding.outcome == Outcome::kFailed) std::printf("failed: %s\n", finding.test.c_str());
  }
  std::printf("%s: %zu passed, %zu failed, %zu not promised\n", kit().name.c_str(),
              count(findings, Outcome::kPassed), count(findings, Outcome::kFailed),
              count(findings, Outcome::kNotPromised));
  std::fflush(stdout);
}

bool any_failed(const std::vector<Finding>& findings) {
  return count(findings, Outcome::kFailed) > 0;
}

bool write_json(const std::string& file, const std::vector<Finding>& findings) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](const char* key, const std::string& value) {
    writer.Key(key);
    writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  };
  const auto number = [&](const char* key, std::size_t value) {
    writer.Key(key);
    writer.Uint64(value);
  };
  writer.StartObject();
  text("plugin", kit().name);
  text("path", kit().path);
  number("passed", count(findings, Outcome::kPassed));
  number("failed", count(findings, Outcome::kFailed));
  number("not_promised", count(findings, Outcome::kNotPromised));
  writer.Key("tests");
  writer.StartArray();
  for (const Finding& finding : findings) {
    writer.StartObject();
    text("name", finding.test);
    text("outcome", to_string(finding.outcome));
    text("text", finding.text);
    number("took_ms", static_cast<std::size_t>(finding.took_ms));
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(buffer.GetString(), static_cast<std::streamsize>(buffer.GetSize()));
  out << '\n';
  return out.flush().good();
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
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding>& install_reporter(bool quiet) {
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  auto reporter = std::make_unique<Reporter>(quiet);
  auto& findings = reporter->findings;
  listeners.Append(reporter.release());
  return findings;
}

} // namespace swapmq::contract
