// SPDX-License-Identifier: MIT
//
// Files that cannot be a config: one clear error each, and no waiting.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/document.h"
#include "fake_schemas.h"

namespace swapmq::config {
namespace {

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "swapmq-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::vector<std::string> errors(const std::string& path) {
    FakePlugins plugins;
    return lines_of(parse_file(path, plugins.lookup()).errors);
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigFile, IsReadAndNamedInErrors) {
  FakePlugins plugins;
  const std::string good = write("good.json", embedded_default());
  const Parsed parsed = parse_file(good, plugins.lookup());
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(parsed.config->file, good);

  const std::string bad = write("bad.json", "{\n  \"mesage_queue\": {}\n}");
  const auto found = parse_file(bad, plugins.lookup()).errors;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].to_string(), bad +
                                      ":2:3: /mesage_queue: unknown key \"mesage_queue\"; did "
                                      "you mean \"message_queue\"?");
}

TEST_F(ConfigFile, MissingDirectoryEmptyAndNamelessAreTold) {
  using testing::ElementsAre;
  EXPECT_THAT(errors(folder_ / "none.json"),
              ElementsAre(" cannot be found: No such file or directory"));
  EXPECT_THAT(errors(folder_), ElementsAre(" is a directory; name a file"));
  EXPECT_THAT(errors(write("empty.json", "")),
              ElementsAre("1:1: the text is empty; expected an object, { ... }"));
  EXPECT_THAT(errors(""), ElementsAre(" no file is named"));
  EXPECT_THAT(errors(std::string("a\0b", 3)), ElementsAre(" a file name cannot hold a NUL"));
  EXPECT_THAT(errors(write("file", "{}") + "/under"),
              ElementsAre(" cannot be found: Not a directory"));
}

TEST_F(ConfigFile, PipesAndDevicesAreRefusedWithoutWaiting) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(errors(pipe), testing::ElementsAre(" is a pipe; it must be a regular file"));
  EXPECT_THAT(errors("/dev/zero"),
              testing::ElementsAre(" is a device or a socket; it must be a regular file"));
}

TEST_F(ConfigFile, TooLargeIsRefused) {
  const std::string path = write("large.json", std::string(kMaxTextBytes + 4, ' '));
  EXPECT_THAT(errors(path), testing::ElementsAre(" too large: a config has at most 1048576 bytes"));
  const std::string endless = folder_ / "sparse.json";
  std::ofstream(endless).close();
  std::filesystem::resize_file(endless, 64ull << 30);
  EXPECT_THAT(errors(endless),
              testing::ElementsAre(" too large: a config has at most 1048576 bytes"));
}

TEST_F(ConfigFile, ALinkToAFileIsFollowed) {
  write("real.json", embedded_default());
  std::filesystem::create_symlink("real.json", folder_ / "link.json");
  EXPECT_THAT(errors(folder_ / "link.json"), testing::ElementsAre());
  std::filesystem::create_symlink("loop.json", folder_ / "loop.json");
  EXPECT_THAT(errors(folder_ / "loop.json"),
              testing::ElementsAre(testing::HasSubstr("cannot be found: ")));
}

TEST_F(ConfigFile, UnreadableIsTold) {
  const std::string path = write("secret.json", embedded_default());
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  // Root may read anything, so the question is asked by a child that is nobody.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(2);
    const auto found = errors(path);
    const bool told = found == std::vector<std::string>{" cannot be opened: Permission denied"};
    ::_exit(told ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

} // namespace
} // namespace swapmq::config
