// SPDX-License-Identifier: MIT
#include "report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>

#include "plugin.h"
#include "rules.h"

namespace swapmq::contract {

namespace {

constexpr char kNotPromisedPrefix[] = "not promised: ";
constexpr std::size_t kMostText = 8192; // of one test's failures
constexpr std::size_t kMostFailures = 20;

std::string base_name(const char* path) {
  const std::string text = path == nullptr ? "" : path;
  const std::size_t slash = text.rfind('/');
  return slash == std::string::npos ? text : text.substr(slash + 1);
}

class Reporter : public ::testing::EmptyTestEventListener {
 public:
  explicit Reporter(bool quiet) : quiet_(quiet) {}
  std::vector<Finding> findings;

 private:
  void OnTestStart(const ::testing::TestInfo& /*test*/) override {
    forget_calls();
    const std::lock_guard lock(mutex_);
    failures_.clear();
    left_out_ = 0;
  }

  /// On the thread that failed, and before it makes another call.
  void OnTestPartResult(const ::testing::TestPartResult& part) override {
    if (!part.failed()) return;
    std::string text = part.message();
    Failure failure = take_apart(text);
    failure.calls = calls_before(text);
    if (part.line_number() > 0) failure.at = place_of(part);
    const std::lock_guard lock(mutex_);
    if (failures_.size() < kMostFailures) {
      failures_.push_back(std::move(failure));
    } else {
      ++left_out_;
    }
  }

  void OnTestEnd(const ::testing::TestInfo& test) override {
    Finding finding;
    finding.test = std::string(test.test_suite_name()) + "." + test.name();
    const ::testing::TestResult& result = *test.result();
    finding.took_ms = result.elapsed_time();
    if (result.Failed()) finding.outcome = Outcome::kFailed;
    if (result.Skipped()) finding.outcome = Outcome::kNotPromised;
    for (int i = 0; i < result.total_part_count(); ++i) add(finding, result.GetTestPartResult(i));
    if (finding.text.size() > kMostText) finding.text.resize(kMostText);
    {
      const std::lock_guard lock(mutex_);
      finding.failures = std::move(failures_);
      if (left_out_ > 0) {
        finding.failures.emplace_back();
        finding.failures.back().found = std::to_string(left_out_) + " more failures";
      }
    }
    print_line(finding, quiet_);
    findings.push_back(std::move(finding));
  }

  static std::string place_of(const ::testing::TestPartResult& part) {
    return base_name(part.file_name()) + ":" + std::to_string(part.line_number());
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
    if (part.line_number() > 0) finding.text += place_of(part) + ": ";
    finding.text += unwrapped(text);
  }

  bool quiet_;
  std::mutex mutex_;
  std::vector<Failure> failures_; // of the test that runs; guarded by mutex_
  std::size_t left_out_ = 0;      // guarded by mutex_
};

std::size_t count(const std::vector<Finding>& findings, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const Finding& finding) { return finding.outcome == outcome; }));
}

} // namespace

namespace {

/// "expected  LOST", of several lines each below the first.
void put(std::string& to, const char* label, const std::string& value, char mark = ' ') {
  if (value.empty()) return;
  std::size_t at = 0;
  const char* before = label;
  while (at < value.size()) {
    const std::size_t end = std::min(value.find('\n', at), value.size());
    char column[16];
    std::snprintf(column, sizeof column, "%-8s%c ", before, mark);
    to.append(column).append(value, at, end - at).append(1, '\n');
    before = "";
    at = end + 1;
  }
}

/// Of further failures of a test the failing call alone: how it came to it was said.
void put_failure(std::string& to, const Failure& failure, bool first) {
  const char* label = "calls";
  for (const CallSeen& seen : failure.calls) {
    if (!first && !seen.failing) continue;
    put(to, label, to_line(seen), seen.failing ? '>' : ' ');
    label = "";
  }
  put(to, "with", failure.with);
  put(to, "expected", failure.expected);
  put(to, "got", failure.got);
  put(to, "note", failure.note);
  put(to, "found", failure.found);
  put(to, "at", failure.at);
}

std::string in_a_line(const Failure& failure) {
  std::string line = failure.note;
  if (line.empty()) line = failure.found;
  if (line.empty()) line = "expected " + failure.expected + ", got " + failure.got;
  line.resize(std::min(line.find('\n'), line.size()));
  return failure.at.empty() ? line : line + "  (" + failure.at + ")";
}

} // namespace

std::string explained(const Finding& finding) {
  constexpr std::size_t kExplained = 3;
  std::string text;
  const Rule rule = rule_of(finding.test);
  if (!rule.text.empty()) put(text, "rule", std::string(rule.text) + "  (" + source_of(rule) + ")");
  for (std::size_t i = 0; i < std::min(finding.failures.size(), kExplained); ++i) {
    put_failure(text, finding.failures[i], i == 0);
  }
  for (std::size_t i = kExplained; i < finding.failures.size(); ++i) {
    put(text, "also", in_a_line(finding.failures[i]));
  }
  if (finding.failures.empty()) put(text, "found", finding.text);
  return text;
}

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
    const std::string text = explained(finding);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::printf("    %s\n", text.substr(at, end - at).c_str());
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

std::vector<Finding>& install_reporter(bool quiet) {
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  auto reporter = std::make_unique<Reporter>(quiet);
  auto& findings = reporter->findings;
  listeners.Append(reporter.release());
  return findings;
}

} // namespace swapmq::contract
