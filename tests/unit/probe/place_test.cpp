// SPDX-License-Identifier: MIT
//
// Where the probe is found, and what happens where there is none, or another one.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ProbePlace : public testing::Test {
 protected:
  ProbePlace() : folder_((fs::temp_directory_path() / "swapmq-place-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    for (const char* sub : {"/lib", "/libexec", "/libexec/swapmq", "/moods"}) {
      fs::create_directory(folder_ + sub);
    }
    fs::copy_file(TRIAL_HOST, host());
    std::ofstream(folder_ + "/moods/open") << "fail"; // which only a trial meets
  }
  ~ProbePlace() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string host() const { return folder_ + "/lib/host"; }
  [[nodiscard]] std::string probe() const { return folder_ + "/libexec/swapmq/swapmq-probe"; }
  void plant(const std::string& script) const {
    std::ofstream(probe()) << "#!/bin/sh\n" << script << "\n";
    ::chmod(probe().c_str(), 0700);
  }
  [[nodiscard]] std::string output() const {
    const std::string command = host() + " " MOODY_BACKEND " '{\"folder\":\"" + folder_ +
                                "/moods\"}' > " + folder_ + "/output";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(folder_ + "/output");
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string folder_;
};

TEST_F(ProbePlace, IsBesideTheLibraryOfItsHost) {
  fs::copy_file(PROBE, probe());
  EXPECT_EQ(output(), "moody: open: in no mood\nmoody: open: in no mood\n");
}

TEST_F(ProbePlace, WithoutItThereIsOneWarningAndNoTrial) {
  EXPECT_THAT(output(), AllOf(StartsWith("warning: the program swapmq-probe cannot be used (there "
                                         "is none; looked for "),
                              HasSubstr(probe()),
                              EndsWith("process are not tried in another one "
                                       "first\nok\nok\n")));
}

TEST_F(ProbePlace, OneOfAnotherBuildIsNotUsed) {
  plant("echo other build; exit 2");
  EXPECT_THAT(output(), AllOf(StartsWith("warning: "), HasSubstr("is of another build"),
                              EndsWith("first\nok\nok\n")));
}

TEST_F(ProbePlace, OneThatOthersMayHaveWrittenIsNotUsed) {
  plant("touch " + folder_ + "/ran");
  ::chmod(probe().c_str(), 0777);
  EXPECT_THAT(output(), AllOf(StartsWith("warning: "), EndsWith("first\nok\nok\n")));
  EXPECT_FALSE(fs::exists(folder_ + "/ran"));
}

TEST_F(ProbePlace, OneThatCannotBeRunEndsTheTrial) {
  std::ofstream(probe()) << "no program";
  ::chmod(probe().c_str(), 0700);
  EXPECT_THAT(output(), StartsWith("the plugin moody could not be tried: "));
}

TEST_F(ProbePlace, OneThatTalksNonsenseEndsTheTrial) {
  plant("echo 'step open'; echo 'end of the world'");
  EXPECT_THAT(output(), StartsWith("the probe's answer cannot be read\n"));
  plant("exit 127");
  EXPECT_THAT(output(),
              testing::MatchesRegex("the plugin moody could not be tried: .*/swapmq-probe "
                                    "ended its process with status 127 before it "
                                    "began\n.*"));
  plant("echo 'step open'");
  EXPECT_THAT(output(), StartsWith("the plugin moody ended its process with status 0 in open"));
}

} // namespace
