// SPDX-License-Identifier: MIT
//
// What the kit writes of a failure: for people, as JSON and as JUnit; and the rules that it names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "kit_run.h"

namespace {

using planted::run_kit;
using planted::Verdict;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr char kTwice[] = R"({"bug":"stale_receipt_accepted"})";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A file that the kit writes.
class Written {
 public:
  Written() : path_(testing::TempDir() + "planted-" + std::to_string(getpid())) {}
  ~Written() { ::unlink(path_.c_str()); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string text() const { return read(path_); }
  [[nodiscard]] rapidjson::Document json() const {
    rapidjson::Document document;
    document.Parse(text().c_str());
    return document;
  }

 private:
  std::string path_;
};

TEST(Report, SaysRuleCallsExpectedGotAndPlace) {
  const Verdict verdict = run_kit(kTwice, "Settle.TwiceIsLost");
  EXPECT_THAT(verdict.output,
              ContainsRegex("FAILED        Settle.TwiceIsLost \\([0-9]+ ms\\)\n"
                            "    rule      a delivery that was settled before settles as LOST  "
                            "\\(backend.h: exchange\\(\\): settlement_results\\)\n"
                            "    calls     [^\n]*\n"));
  EXPECT_THAT(verdict.output,
              ContainsRegex("\n            > exchange\\(1 settlement: ack; up to 0 messages, "
                            "[^\n]*\\) -> OK, settled: OK, [0-9.]+ ms \\(2 times\\)\n"
                            "    expected  LOST\n"
                            "    got       OK  \\(subscription.settle\\(ack\\(got\\[0\\]\\)\\)\\)\n"
                            "    at        settle_test.cpp:[0-9]+\n"
                            "    calls   > exchange\\(1 settlement: nack;"));
}

TEST(Report, SaysOfManyFailuresTheRestInALineEach) {
  const Verdict many = run_kit(R"({"bug":"claims_the_latest"})", "Claims.EarliestDueComesFirst");
  EXPECT_THAT(many.output,
              ContainsRegex("\n    also      expected \"due [0-9]+\", got \"due [0-9]+\"  "
                            "\\(order\\[i\\]\\)  \\(claims_test.cpp:[0-9]+\\)\n"));
  EXPECT_THAT(many.output, ContainsRegex("\n    also      [0-9]+ more failures\n"));
}

/// A test that makes its process end is told of by another, or by the watchdog of its own.
TEST(Report, OfACrashNamesTheRuleAndTheCall) {
  const Verdict crash = run_kit(R"({"bug":"crashes_on_null"})", "ArgumentsOfPublish.Pointers");
  EXPECT_THAT(
      crash.output,
      ContainsRegex("\n    rule      a NULL pointer is refused [^\n]*\n"
                    "    calls     (.*\n)*"
                    "            > publish\\([^\n]*, args NULL\\) -> has not returned\n"
                    "    found     crashed \\(SIG[A-Z]+\\) in ArgumentsOfPublish.Pointers\n"));
}

TEST(Report, OfAHangNamesTheRuleAndTheCall) {
  for (const char* more : {"--isolate", ""}) {
    SCOPED_TRACE(more);
    const Verdict hang =
        run_kit(R"({"bug":"hangs_in_close"})", "Lifetime.ClosingWhileHoldingGivesBack", more);
    EXPECT_THAT(hang.output, HasSubstr("HUNG Lifetime.ClosingWhileHoldingGivesBack: "
                                       "session_close() has not returned after "));
    EXPECT_THAT(hang.output,
                ContainsRegex("rule      what a session's subscriptions hold goes back "
                              "when it is closed, as released"));
    EXPECT_THAT(hang.output, ContainsRegex(" > session_close\\(\\) -> has not returned\n"));
  }
}

TEST(Report, AsJsonHasTheSame) {
  const Written file;
  run_kit(kTwice, "Settle.TwiceIsLost", "--isolate --json " + file.path());
  const rapidjson::Document document = file.json();
  ASSERT_TRUE(document.IsObject()) << file.text();
  const auto& test = document["tests"][0];
  EXPECT_STREQ(test["name"].GetString(), "Settle.TwiceIsLost");
  EXPECT_STREQ(test["rule"].GetString(), "a delivery that was settled before settles as LOST");
  EXPECT_STREQ(test["rule_source"].GetString(), "backend.h: exchange(): settlement_results");
  EXPECT_STREQ(test["expected"].GetString(), "LOST");
  EXPECT_STREQ(test["got"].GetString(), "OK  (subscription.settle(ack(got[0])))");
  EXPECT_THAT(test["text"].GetString(), HasSubstr("Expected equality of these values:"));
  const auto& calls = test["calls"];
  ASSERT_GT(calls.Size(), 1u);
  const auto& last = calls[calls.Size() - 1];
  EXPECT_THAT(last["call"].GetString(), HasSubstr("exchange(1 settlement: ack;"));
  EXPECT_STREQ(last["returned"].GetString(), "OK, settled: OK");
  EXPECT_TRUE(last["failing"].GetBool());
  EXPECT_GE(last["took_ms"].GetDouble(), 0);
  EXPECT_EQ(last["times"].GetInt(), 2);
  EXPECT_FALSE(calls[0]["failing"].GetBool());
  EXPECT_EQ(test["more_failures"].Size(), 2u);
}

TEST(Report, AsJsonOfACrashHasNoReturn) {
  const Written file;
  run_kit(R"({"bug":"crashes_on_null"})", "ArgumentsOfPublish.Pointers",
          "--isolate --json " + file.path());
  const rapidjson::Document document = file.json();
  ASSERT_TRUE(document.IsObject()) << file.text();
  const auto& calls = document["tests"][0]["calls"];
  ASSERT_GT(calls.Size(), 0u);
  EXPECT_TRUE(calls[calls.Size() - 1]["returned"].IsNull());
}

TEST(Report, AsJUnitHasTheSame) {
  const Written file;
  run_kit(kTwice, "Settle.TwiceIsLost", "--isolate --junit " + file.path());
  const std::string xml = file.text();
  EXPECT_THAT(xml, HasSubstr("<property name=\"rule\" value=\"a delivery that was settled before "
                             "settles as LOST\"/>"));
  EXPECT_THAT(xml, HasSubstr("<property name=\"rule_source\" value=\"backend.h: exchange()"));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"expected LOST, got OK  (subscription"));
  EXPECT_THAT(xml, HasSubstr("&gt; exchange(1 settlement: ack;"));
  EXPECT_THAT(xml, HasSubstr("&#10;at        settle_test.cpp:"));
}

TEST(Options, OfAnotherFormAreNotTried) {
  for (const char* more : {"", "--isolate"}) {
    SCOPED_TRACE(more);
    const Verdict verdict = run_kit(R"({"absent":"some","bugs":1})", "Settle.TwiceIsLost", more);
    EXPECT_EQ(verdict.exit_code, 5);
    EXPECT_THAT(verdict.output, HasSubstr("--options: /absent: "));
    EXPECT_THAT(verdict.output,
                HasSubstr("--options: /bugs: unknown key \"bugs\"; did you mean \"bug\"?\n"));
    EXPECT_THAT(verdict.output, HasSubstr("\"swapmq plugin show " SWAPMQ_PLANTED_PLUGIN "\""));
    EXPECT_EQ(verdict.output.find("Settle"), std::string::npos) << "nothing was run";
  }
}

/// Each word of where a rule stands is a word of the header.
TEST(Rules, EveryTestHasOneWithWhereItStands) {
  const std::string header =
      std::regex_replace(read(SWAPMQ_BACKEND_HEADER), std::regex("\n \\* *"), " ");
  const auto rules = planted::listed_rules();
  EXPECT_GT(rules.size(), 200u);
  std::set<std::string> texts;
  for (const auto& [test, rule] : rules) {
    EXPECT_GT(rule.text.size(), 20u) << test;
    EXPECT_NE(rule.text.back(), '.') << test;
    EXPECT_TRUE(texts.insert(rule.text).second) << test << " has the rule of another test";
    const std::string where = rule.source.substr(sizeof "backend.h: " - 1);
    const std::regex between("[.:;()]+ ?");
    for (std::sregex_token_iterator word(where.begin(), where.end(), between, -1), end; word != end;
         ++word) {
      EXPECT_NE(header.find(word->str()), std::string::npos)
          << test << ": \"" << *word << "\" is not in backend.h";
    }
  }
}

TEST(Rules, AreListedAsJson) {
  const Written file;
  const Verdict verdict = run_kit("{}", "Settle.TwiceIsLost", "--list --json " + file.path());
  EXPECT_EQ(verdict.exit_code, 0);
  const rapidjson::Document document = file.json();
  ASSERT_TRUE(document.IsObject()) << file.text();
  ASSERT_EQ(document["tests"].Size(), 1u);
  EXPECT_STREQ(document["tests"][0]["name"].GetString(), "Settle.TwiceIsLost");
  EXPECT_STREQ(document["tests"][0]["rule"].GetString(),
               "a delivery that was settled before settles as LOST");
}

} // namespace
