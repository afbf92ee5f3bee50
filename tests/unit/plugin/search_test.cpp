// SPDX-License-Identifier: MIT
#include "plugin/search.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "support.h"

namespace swapmq::plugin {
namespace {

/// Sets SWAPMQ_PLUGIN_PATH for one test.
class PathVariable {
 public:
  explicit PathVariable(const std::string& value) {
    ::setenv("SWAPMQ_PLUGIN_PATH", value.c_str(), 1);
  }
  ~PathVariable() { ::unsetenv("SWAPMQ_PLUGIN_PATH"); }
  PathVariable(const PathVariable&) = delete;
  PathVariable& operator=(const PathVariable&) = delete;
};

TEST(PluginName, OnlyBareNamesArePossible) {
  const std::string impossible[] = {
      "",
      ".",
      "..",
      "a/b",
      "/etc/passwd",
      "../memory",
      "a.so",
      "Memory",
      "a b",
      "a-b",
      "caf\xc3\xa9",
      "a\nb",
      "\x01",
      "%s",
      "memory.so",
      "a\\b",
      "~",
      "$HOME",
      std::string(65, 'a'),
      std::string(100000, 'a'),
      std::string("a\0b", 3),
      std::string("\0", 1),
  };
  for (const std::string& name : impossible) {
    const auto loaded = Plugin::load({name, {}, {}, false});
    ASSERT_FALSE(loaded) << name;
    EXPECT_EQ(loaded.error().code(), Errc::invalid_argument) << name;
    EXPECT_THAT(loaded.error().message(), HasSubstr("1 to 64 of the characters a-z, 0-9 and _"));
    EXPECT_LT(loaded.error().message().size(), 500U);
    EXPECT_TRUE(std::ranges::all_of(loaded.error().message(),
                                    [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
}

TEST(PluginName, EveryAllowedCharacterIs) {
  EXPECT_TRUE(is_plugin_name("abcdefghijklmnopqrstuvwxyz0123456789_"));
  EXPECT_TRUE(is_plugin_name(std::string(64, 'z')));
  EXPECT_TRUE(is_plugin_name("_"));
}

TEST(PluginName, APathIsOnlyTakenWhereItIsAllowed) {
  const auto loaded = Plugin::load({fixture("plain"), {}, {}, false});
  EXPECT_EQ(loaded.error().code(), Errc::invalid_argument);
  EXPECT_TRUE(Plugin::load(by_path(fixture("plain"))));
}

TEST(PluginName, APathMustEndInAPluginsName) {
  for (const char* path : {"./plain", "./Plain.so", "./plain.so.1", "./.so", "/", "./a b.so"}) {
    const auto loaded = Plugin::load(by_path(path));
    ASSERT_FALSE(loaded) << path;
    EXPECT_EQ(loaded.error().code(), Errc::invalid_argument) << path;
  }
  EXPECT_FALSE(Plugin::load(by_path(std::string("./a\0/plain.so", 13))));
}

TEST(PluginSearch, FoldersComeInTheirOrder) {
  const PathVariable variable("/from/environment:/second//x/../y/");
  const std::vector<std::string> config = {"/from/config", "/second/y"};
  const auto folders = plugin_search_path(config);
  ASSERT_GE(folders.size(), 7U);
  EXPECT_EQ(folders[0], "/from/config");
  EXPECT_EQ(folders[1], "/second/y");
  EXPECT_EQ(folders[2], "/from/environment"); // the second one of it is known already
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(folders[3], program);
  EXPECT_EQ(folders[4], program / "swapmq/backends");
  EXPECT_EQ(folders[5], program.parent_path() / "lib/swapmq/backends");
  EXPECT_THAT(folders.back(), HasSubstr("swapmq/backends"));
}

TEST(PluginSearch, AnEmptyFolderIsNotTheCurrentOne) {
  const PathVariable variable("::");
  const std::vector<std::string> config = {""};
  const auto folders = plugin_search_path(config);
  EXPECT_THAT(folders, Not(Contains(std::filesystem::current_path().string())));
}

TEST(PluginSearch, NotFoundListsEveryPlaceAndItsReason) {
  const TempDir dir;
  const PathVariable variable(dir / "environment");
  write_bytes(dir / "file", "");
  const auto loaded = Plugin::load({"absent", {dir.path(), dir / "file"}, {}, false});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Errc::plugin);
  const std::string message = loaded.error().message();
  EXPECT_THAT(message, HasSubstr("plugin \"absent\" was not found"));
  EXPECT_THAT(message, HasSubstr(dir / "absent.so (No such file or directory)"));
  EXPECT_THAT(message, HasSubstr(dir / "file/absent.so (Not a directory)"));
  EXPECT_THAT(message, HasSubstr(dir / "environment/absent.so (No such file or directory)"));
  EXPECT_THAT(message, HasSubstr("put absent.so into one of these folders"));
  for (const std::string& path : candidates("absent", {})) EXPECT_THAT(message, HasSubstr(path));
}

TEST(PluginSearch, TheConfigComesBeforeTheEnvironment) {
  const TempDir dir;
  const std::string first = dir.folder("first");
  const std::string second = dir.folder("second");
  install("plain_second", first, "plain");
  install("plain", second, "plain");
  const PathVariable variable(second);
  EXPECT_EQ(Plugin::load(by_name("plain", first)).value()->description().version, "2.0");
  EXPECT_EQ(Plugin::load({"plain", {}, {}, false}).value()->description().version, "1.0");
}

TEST(PluginSearch, AFileThatCannotBeUsedHidesTheOnesBehindIt) {
  const TempDir dir;
  const std::string second = dir.folder("second");
  write_bytes(dir / "plain.so", "no plugin");
  install("plain", second, "plain");
  const auto loaded = Plugin::load({"plain", {dir / "absent", dir.path(), second}, {}, false});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(),
              AllOf(HasSubstr(dir / "plain.so: it is not an ELF file"),
                    HasSubstr("tried before it: " + (dir / "absent/plain.so"))));
}

TEST(PluginSearch, ListsEveryPluginOnceWithItsFault) {
  const TempDir dir;
  const std::string first = dir.folder("first");
  const std::string second = dir.folder("second");
  install("plain", first, "plain");
  install("plain_second", second, "plain");
  write_bytes(first + "/broken.so", "no plugin");
  write_bytes(first + "/Not-A-Name.so", "no plugin");
  write_bytes(first + "/readme.txt", "no plugin");
  const std::vector<std::string> folders = {first, second};
  const auto found = list_plugins(folders);
  ASSERT_GE(found.size(), 2U);
  EXPECT_EQ(found[0].name, "broken");
  EXPECT_THAT(found[0].description.error().message(), HasSubstr("not an ELF file"));
  EXPECT_EQ(found[1].name, "plain");
  EXPECT_EQ(found[1].path, first + "/plain.so");
  EXPECT_EQ(found[1].description->version, "1.0");
  EXPECT_EQ(std::ranges::count(found, "plain", &PluginFound::name), 1);
}

TEST(PluginSearch, DescribesByNameAndByPath) {
  const TempDir dir;
  const std::string path = install("plain", dir.path(), "plain");
  const std::vector<std::string> folders = {dir.path()};
  const auto by_its_name = describe_plugin("plain", folders).value();
  const auto by_its_path = describe_plugin(path).value();
  for (const PluginDescription& description : {by_its_name, by_its_path}) {
    EXPECT_EQ(description.name, "plain");
    EXPECT_EQ(description.version, "1.0");
    EXPECT_EQ(description.license, "MIT");
    EXPECT_EQ(description.path, path);
    EXPECT_EQ(description.abi_version, "0.2");
    EXPECT_EQ(description.options_schema, "{}");
    EXPECT_THAT(description.extensions, IsEmpty());
  }
  EXPECT_FALSE(describe_plugin("../plain.so.."));
}

} // namespace
} // namespace swapmq::plugin
