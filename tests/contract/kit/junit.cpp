// SPDX-License-Identifier: MIT
//
// The result as JUnit XML, which services that run checks for every push show.
#include <fstream>
#include <map>
#include <string_view>

#include "plugin.h"
#include "report.h"
#include "rules.h"

namespace swapmq::contract {
namespace {

/// As text and in attributes. XML 1.0 has no way to say most control characters, nor U+FFFE and the
/// like; what a plugin says may hold any byte.
std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      xml += "&amp;";
    } else if (c == '<') {
      xml += "&lt;";
    } else if (c == '>') {
      xml += "&gt;";
    } else if (c == '"') {
      xml += "&quot;";
    } else if (c == '\n') {
      xml += "&#10;";
    } else if (byte < 0x20 || byte >= 0x7f) {
      xml += '?';
    } else {
      xml += c;
    }
  }
  return xml;
}

std::string seconds(std::int64_t ms) {
  const std::string fraction = std::to_string(1000 + ms % 1000);
  return std::to_string(ms / 1000) + "." + fraction.substr(1);
}

std::string attribute(const char* name, std::string_view value) {
  return std::string(" ") + name + "=\"" + escaped(value) + "\"";
}

std::string property(const char* name, std::string_view value) {
  return "<property" + attribute("name", name) + attribute("value", value) + "/>";
}

/// "expected LOST, got OK", or the first line of what was found.
std::string in_short(const Finding& finding) {
  if (finding.failures.empty() || finding.failures.front().expected.empty()) {
    return finding.text.substr(0, finding.text.find('\n'));
  }
  const Failure& first = finding.failures.front();
  return "expected " + first.expected + ", got " + first.got;
}

struct Suite {
  std::string cases;
  std::size_t tests = 0, failures = 0, skipped = 0;
  std::int64_t took_ms = 0;
};

void add(Suite& suite, const Finding& finding, const std::string& suite_name) {
  ++suite.tests;
  suite.took_ms += finding.took_ms;
  suite.cases += "    <testcase" + attribute("classname", kit().name + "." + suite_name) +
                 attribute("name", finding.test.substr(suite_name.size() + 1)) +
                 attribute("time", seconds(finding.took_ms));
  const Rule rule = rule_of(finding.test);
  suite.cases += ">\n      <properties>" + property("rule", rule.text) +
                 property("rule_source", source_of(rule)) + "</properties>\n";
  if (finding.outcome == Outcome::kFailed) {
    ++suite.failures;
    suite.cases += "      <failure" + attribute("message", in_short(finding)) + ">" +
                   escaped(explained(finding)) + "</failure>\n";
  } else if (finding.outcome == Outcome::kNotPromised) {
    ++suite.skipped;
    suite.cases +=
        "      <skipped" + attribute("message", "not promised: " + finding.text) + "/>\n";
  }
  suite.cases += "    </testcase>\n";
}

} // namespace

bool write_junit(const std::string& file, const std::vector<Finding>& findings) {
  std::map<std::string, Suite> suites;
  for (const Finding& finding : findings) {
    const std::string name = finding.test.substr(0, finding.test.find('.'));
    add(suites[name], finding, name);
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" << attribute("name", kit().name)
      << ">\n";
  for (const auto& [name, suite] : suites) {
    out << "  <testsuite" << attribute("name", name)
        << attribute("tests", std::to_string(suite.tests))
        << attribute("failures", std::to_string(suite.failures))
        << attribute("skipped", std::to_string(suite.skipped))
        << attribute("time", seconds(suite.took_ms)) << ">\n"
        << suite.cases << "  </testsuite>\n";
  }
  out << "</testsuites>\n";
  return out.flush().good();
}

} // namespace swapmq::contract
