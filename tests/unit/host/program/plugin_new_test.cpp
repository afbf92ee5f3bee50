// SPDX-License-Identifier: MIT
//
// swapmq plugin new: the folder. That it builds and keeps the contract tests/installed shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PluginNew : public testing::Test {
 protected:
  Finished plugin_new(Args more) {
    more.insert(more.begin(), {"plugin", "new"});
    return run(folder_, more);
  }

  Folder folder_;
};

TEST_F(PluginNew, WritesAFolderInItsName) {
  const Finished made = plugin_new({"file_queue"});
  EXPECT_EQ(made.code, 0) << made.err;
  for (const char* file : {"CMakeLists.txt", "CMakePresets.json", "README.md", "example.json",
                           "ci/check.yml", ".gitignore", "src/file_queue.cpp"}) {
    EXPECT_THAT(made.out, HasSubstr(std::string("file_queue/") + file + "\n"));
    EXPECT_NE(folder_.read(std::string("file_queue/") + file), "") << file;
  }
  EXPECT_THAT(made.err, HasSubstr("cd file_queue && cmake --workflow --preset check"));
  const std::string source = folder_.read("file_queue/src/file_queue.cpp");
  EXPECT_THAT(source,
              AllOf(HasSubstr("class FileQueueSession"), HasSubstr(".name = \"file_queue\""),
                    Not(HasSubstr("minimal")), Not(HasSubstr("Minimal"))));
  EXPECT_THAT(folder_.read("file_queue/CMakeLists.txt"),
              HasSubstr("swapmq_add_backend(file_queue "));
}

TEST_F(PluginNew, InCAndElsewhere) {
  const Finished made = plugin_new({"mine", "deep/down", "--language", "c", "--json"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr(R"({"folder":"deep/down","files":[)"),
                              HasSubstr(R"("src/plugin.c")")));
  EXPECT_THAT(folder_.read("deep/down/src/plugin.c"), HasSubstr(".name = \"mine\""));
}

TEST_F(PluginNew, RefusesWhatItWouldSpoil) {
  folder_.write("mine", "a file");
  const Finished there = plugin_new({"mine"});
  EXPECT_EQ(there.code, 1);
  EXPECT_EQ(there.err, "swapmq: mine exists already; name another folder\n");
  EXPECT_EQ(folder_.read("mine"), "a file");
  for (const char* name : {"Mine", "9lives", "a-b", "", "../up"}) {
    const Finished bad = plugin_new({name});
    EXPECT_EQ(bad.code, 2) << name;
    EXPECT_THAT(bad.err, HasSubstr("is not a plugin's name")) << name;
  }
  EXPECT_EQ(plugin_new({"mine", "--language", "cobol"}).code, 2);
}

} // namespace
} // namespace swapmq::program_test
