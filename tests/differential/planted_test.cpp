// SPDX-License-Identifier: MIT
//
// Proof of the differential test: with a bug in it the planted backend is told from memory.so by a
// short sequence of operations, and without one it is not.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

namespace {

struct Planted {
  const char* bug;
  int most; ///< operations of the shortest sequence
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.bug; }

const std::vector<Planted> kTable = {
    {"acks_before_storing", 2},
    {"length_too_long", 3},
    {"cuts_at_nul", 3},
    {"forgets_a_field", 3},
    {"loses_on_nack", 3},
    {"wrong_count", 4},
    {"release_counts", 4},
    {"released_goes_last", 5},
    {"stale_receipt_accepted", 5},
    {"acks_the_wrong_one", 4},
    {"pends_and_forgets", 4},
    {"exceeds_prefetch", 4},
    {"gives_more_than_asked", 4},
    {"loses_what_a_closer_held", 4},
    {"dead_letter_loses_headers", 5},
    {"dead_letter_keeps_both", 5},
    {"nack_delay_ignored", 4},
    {"delivered_early", 3},
    {"ttl_ignored", 3},
    {"priority_ignored", 4},
    {"purge_forgets_delayed", 4},
    {"purge_takes_unacked", 5},
    {"delivers_across_queues", 3},
    {"stats_lie", 4},
    {"view_dies_on_ack", 6},
};

class TempFolder {
 public:
  TempFolder() {
    path_ = (std::filesystem::temp_directory_path() / "differential-test-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored; // nothing depends on it any more
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Ran {
  int exit_code = -1;
  std::string output;
};

Ran run(const std::string& options, const std::string& more) {
  const std::string command = std::string(SWAPMQ_DIFFERENTIAL_PROGRAM) + " --plugin " +
                              SWAPMQ_PLANTED_PLUGIN + " --options '" + options + "' " + more +
                              " 2>&1";
  Ran ran;
  FILE* program = popen(command.c_str(), "r");
  if (program == nullptr) return ran;
  char chunk[4096];
  for (std::size_t length; (length = fread(chunk, 1, sizeof chunk, program)) > 0;) {
    ran.output.append(chunk, length);
  }
  const int status = pclose(program);
  if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
  return ran;
}

std::string with_bug(const std::string& bug) { return R"({"bug":")" + bug + "\"}"; }

std::string content_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// How many operations a file of them has; -1 if there is no such file.
int operations_in(const std::string& file) {
  std::ifstream in(file);
  if (!in) return -1;
  int count = 0;
  for (std::string line; std::getline(in, line);) count += line.empty() || line[0] == '#' ? 0 : 1;
  return count;
}

class PlantedBug : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsToldByAShortSequence) {
  const TempFolder folder;
  const std::string shortest = folder / "shortest";
  const std::string options = with_bug(GetParam().bug);
  // What is lost is waited for no longer than needed: whatever is ready comes at once here.
  const Ran ran = run(options, "--patience-ms 500 --operations 20000 --save " + shortest);
  ASSERT_EQ(ran.exit_code, 1) << ran.output;
  const int operations = operations_in(shortest);
  EXPECT_GE(operations, 0) << ran.output;
  EXPECT_LE(operations, GetParam().most) << ran.output;

  const Ran again = run(options, "--patience-ms 500 --replay " + shortest);
  EXPECT_EQ(again.exit_code, 1) << "replayed:\n" << again.output;
  const Ran sane = run(with_bug("none"), "--replay " + shortest);
  EXPECT_EQ(sane.exit_code, 0) << "replayed without the bug:\n" << sane.output;
}

INSTANTIATE_TEST_SUITE_P(Bug, PlantedBug, ::testing::ValuesIn(kTable),
                         [](const auto& one) { return std::string(one.param.bug); });

TEST(Planted, WithoutABugIsAsMemory) {
  const Ran ran = run(with_bug("none"), "--operations 20000");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

/// What is not promised may be as it is; and it was, so that the allowance is not idle.
TEST(Planted, AnOrderOfItsOwnIsAccepted) {
  const TempFolder folder;
  const std::string json = folder / "result.json";
  const Ran ran = run(R"({"nacked":"last"})", "--operations 20000 --json " + json);
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_EQ(content_of(json).find("\"reordered\": 0"), std::string::npos) << content_of(json);
  EXPECT_NE(content_of(json).find("\"reordered\": "), std::string::npos) << content_of(json);
}

TEST(Planted, WithOneConsumerAtATimeAsWell) {
  const Ran ran = run(R"({"nacked":"last"})", "--operations 10000 --reads-ahead");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

/// Nothing is asked of a backend that can do almost nothing.
TEST(Planted, WhatItLacksIsNotAskedFor) {
  const Ran ran = run(R"({"absent":"all"})", "--operations 5000");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

TEST(Planted, ASeedSaysAll) {
  const TempFolder folder;
  for (const char* name : {"one", "two"}) {
    const Ran ran = run(with_bug("none"), "--operations 2000 --seed 77 --json " + (folder / name));
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
  }
  EXPECT_FALSE(content_of(folder / "one").empty());
  EXPECT_EQ(content_of(folder / "one"), content_of(folder / "two"));
}

/// Sequences of one operation have no pairs.
TEST(Planted, WhatWasNeverReachedFailsTheRun) {
  const Ran ran = run(with_bug("none"), "--operations 8000 --length 1");
  EXPECT_EQ(ran.exit_code, 1) << ran.output;
  EXPECT_NE(ran.output.find("never reached: ack, then die"), std::string::npos) << ran.output;
}

TEST(Planted, WrongUsageIsSaid) {
  EXPECT_EQ(run("{}", "--replay /nowhere/operations").exit_code, 2);
  EXPECT_EQ(run("{}", "--operations many").exit_code, 2);
  EXPECT_EQ(run(R"({"bug":"no such bug"})", "").exit_code, 4);
}

} // namespace
