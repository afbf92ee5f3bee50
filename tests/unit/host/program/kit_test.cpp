// SPDX-License-Identifier: MIT
//
// plugin check with the contract kit itself; one of its tests is enough here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <filesystem>

#include "support.h"

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Kit : public testing::Test {
 protected:
  Finished check(Args more, const std::string& filter = "Settle.TwiceIsLost") {
    more.insert(more.begin(), {"plugin", "check", "memory"});
    return run(folder_, more, {.environment = {"GTEST_FILTER=" + filter}});
  }

  Folder folder_;
};

TEST_F(Kit, SaysWhatCameOfIt) {
  const Finished checked = check({});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("memory: 1 passed, 0 failed, 0 not promised\n"));
}

TEST_F(Kit, IsSilentWhenQuietAndNothingFailed) {
  const Finished checked = check({"--quiet"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.out, "");
  EXPECT_EQ(checked.err, "");
}

TEST_F(Kit, JsonIsOneDocumentAlone) {
  const Finished checked = check({"--json"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, StartsWith("{\n"));
  EXPECT_THAT(checked.out, HasSubstr("\"passed\": 1,"));
  EXPECT_THAT(checked.out, EndsWith("}\n"));
  EXPECT_EQ(checked.err, "");
}

TEST_F(Kit, OnlySomeTests) {
  const Finished checked = run(folder_, {"plugin", "check", "memory", "--only", "Flow.NotMore*"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("memory: 1 passed, 0 failed, 0 not promised\n"));
  EXPECT_EQ(run(folder_, {"plugin", "check", "memory", "--only", "Nothing.*"}).code, 2);
}

TEST_F(Kit, ListsTestsWithTheirRules) {
  const Finished list = run(folder_, {"plugin", "check", "--list", "--only", "Settle.Twice*"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_EQ(list.out,
            "Settle.TwiceIsLost\n"
            "    a delivery that was settled before settles as LOST\n"
            "    (backend.h: exchange(): settlement_results)\n");
  const Finished json =
      run(folder_, {"plugin", "check", "--list", "--only", "Settle.Twice*", "--json"});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_THAT(json.out, HasSubstr("\"name\": \"Settle.TwiceIsLost\","));
  EXPECT_THAT(json.out,
              HasSubstr("\"rule\": \"a delivery that was settled before settles as LOST\","));
  EXPECT_EQ(run(folder_, {"plugin", "check", "--list", "--only", "Nothing.*"}).code, 2);
}

TEST_F(Kit, WrongOptionsAreNotTried) {
  const Finished checked = check({"--options", R"({"max_mesages": 5})"});
  EXPECT_EQ(checked.code, 3);
  EXPECT_EQ(checked.out, "");
  EXPECT_THAT(checked.err, HasSubstr("--options: /max_mesages: unknown key \"max_mesages\""));
  EXPECT_THAT(checked.err, HasSubstr("\"swapmq plugin show /"));
  EXPECT_THAT(check({"--options", "{"}).err, HasSubstr("--options: "));
  EXPECT_EQ(check({"--options", "{"}).code, 3);
  EXPECT_EQ(check({"--options", "[]"}).code, 3);
}

TEST_F(Kit, JUnitIsWellFormedAndSaysWhatFailed) {
  const Finished checked =
      run(folder_, {"plugin", "check", SWAPMQ_TEST_BACKENDS "/trouble.so", "--only",
                    "Settle.TwiceIsLost:Limits.*", "--junit", "result.xml"});
  EXPECT_EQ(checked.code, 4);
  const std::string xml = folder_.read("result.xml");
  EXPECT_THAT(xml, HasSubstr(R"(<testsuite name="Settle" tests="1" failures="1" skipped="0")"));
  EXPECT_THAT(xml, HasSubstr(R"(<testcase classname="trouble.Settle" name="TwiceIsLost")"));
  EXPECT_THAT(xml, HasSubstr(R"(<skipped message="not promised: )"));
  const Finished parsed =
      run(folder_,
          {"-c", "import xml.dom.minidom as d; print(d.parse('result.xml').childNodes[0].tagName)"},
          {.program = "/usr/bin/python3"});
  EXPECT_EQ(parsed.out, "testsuites\n") << parsed.err;
  EXPECT_EQ(check({"--junit", "nowhere/result.xml"}).code, 2) << "it cannot be written";
}

TEST_F(Kit, WithoutATemporaryFolderSaysSo) {
  const How how{.environment = {"TMPDIR=" + folder_.path() + "/missing"}};
  const Finished checked = run(folder_, {"plugin", "check", "memory"}, how);
  EXPECT_EQ(checked.code, 1);
  EXPECT_THAT(checked.err, HasSubstr("cannot make a temporary folder ("));
  EXPECT_THAT(checked.err, HasSubstr("is TMPDIR writable?"));
  const Finished json = run(folder_, {"plugin", "check", "memory", "--json"}, how);
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(json.out, "");
  EXPECT_THAT(json.err, HasSubstr("cannot make a temporary file for the result ("));
}

TEST_F(Kit, InterruptedLeavesNothingBehind) {
  const std::string tmp = folder_.path() + "/tmp";
  for (int round = 0; round < 30; ++round) { // at one moment and another of the kit's
    const int signal = std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<std::size_t>(round % 3)];
    fs::create_directories(tmp);
    Process checking(folder_, {"plugin", "check", "memory"},
                     {.out = Stdout::pipe, .environment = {"TMPDIR=" + tmp}});
    EXPECT_EQ(checking.read_output(2), "ok") << "the first test";
    EXPECT_FALSE(fs::is_empty(tmp));
    checking.signal(signal);
    EXPECT_EQ(checking.wait().code, 130);
    EXPECT_TRUE(fs::is_empty(tmp)) << "after signal " << signal << " in round " << round;
  }
}

} // namespace
} // namespace swapmq::program_test
