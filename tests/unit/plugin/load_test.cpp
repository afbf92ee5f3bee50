// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "plugin/sha256.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

namespace fs = std::filesystem;

std::string digest_of(const std::string& path) {
  const std::string bytes = read_bytes(path);
  return sha256_hex(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

/// Whether plain.so was mapped since the last call: its constructor sets a variable.
bool constructed() {
  const bool seen = ::getenv("SWAPMQ_TEST_CONSTRUCTED") != nullptr;
  ::unsetenv("SWAPMQ_TEST_CONSTRUCTED");
  return seen;
}

/// A call right through a plugin's code.
void use(const Plugin& plugin) {
  swapmq_backend* backend = nullptr;
  swapmq_open_args args{};
  args.struct_size = sizeof args;
  swapmq_error error{};
  EXPECT_EQ(plugin.vtable().open(&args, &backend, &error), SWAPMQ_OK);
  EXPECT_NE(backend, nullptr);
  plugin.vtable().close(backend);
}

/// A build of plain.so that nobody has loaded before: the same code, and bytes behind it that the
/// linker does not look at.
std::string fresh_build(const std::string& mark) { return read_bytes(fixture("plain")) + mark; }

TEST(Load, AGoodPlugin) {
  const TempDir dir;
  install("plain", dir.path(), "plain");
  const auto loaded = Plugin::load(by_name("plain", dir.path()));
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Plugin& plugin = **loaded;
  EXPECT_EQ(plugin.description().path, dir / "plain.so");
  EXPECT_EQ(plugin.capabilities().purge, SWAPMQ_NATIVE);
  EXPECT_EQ(plugin.limits().max_delay_ms, 1000);
  EXPECT_STREQ(plugin.limits().queue_name_alphabet, "abc");
  use(plugin);
}

TEST(Load, TheSameFileLoadsOnceAlsoFromManyThreads) {
  const TempDir dir;
  const std::string path = dir / "plain.so";
  write_bytes(path, fresh_build("threads"));
  std::vector<std::shared_ptr<const Plugin>> loaded(8);
  std::vector<std::thread> threads;
  for (auto& slot : loaded) {
    threads.emplace_back([&] { slot = Plugin::load(by_path(path)).value(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& plugin : loaded) EXPECT_EQ(plugin, loaded[0]);
}

TEST(Load, TheSameBytesElsewhereAreTheSameLibrary) {
  const TempDir dir;
  const std::string here = install("plain", dir.folder("here"), "plain");
  const std::string there = install("plain", dir.folder("there"), "plain");
  const auto first = Plugin::load(by_path(here)).value();
  const auto second = Plugin::load(by_path(there)).value();
  EXPECT_EQ(first->vtable().open, second->vtable().open);
  EXPECT_EQ(first->description().path, here);
  EXPECT_EQ(second->description().path, there);
}

TEST(Load, AReplacedFileLoadsBesideTheOldOne) {
  const TempDir dir;
  const std::string path = install("plain", dir.path(), "plain");
  const auto old = Plugin::load(by_path(path)).value();
  const std::string next = install("plain_second", dir.path(), "next");
  fs::rename(next, path);
  const auto replaced = Plugin::load(by_path(path)).value();
  EXPECT_EQ(old->description().version, "1.0");
  EXPECT_EQ(replaced->description().version, "2.0");
  EXPECT_NE(old->vtable().open, replaced->vtable().open);
  use(*old);
  use(*replaced);
  install("plain", dir.path(), "plain"); // and back
  EXPECT_EQ(Plugin::load(by_path(path)).value(), old);
}

TEST(Load, AFileOverwrittenInPlaceDoesNotCrashItsUsers) {
  const TempDir dir;
  const std::string path = dir / "plain.so";
  write_bytes(path, fresh_build("overwrt"));
  const auto plugin = Plugin::load(by_path(path)).value();
  const auto size = fs::file_size(path);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out); // same inode
    file << std::string(size, '\xcc');
  }
  use(*plugin);
  ASSERT_EQ(::truncate(path.c_str(), 0), 0);
  use(*plugin);
  fs::remove(path);
  use(*plugin);
  EXPECT_EQ(plugin->description().name, "plain");
}

TEST(Load, APinnedPluginIsItselfInEitherCase) {
  const TempDir dir;
  const std::string path = dir / "plain.so";
  write_bytes(path, fresh_build("pinned"));
  std::string digest = digest_of(path);
  EXPECT_TRUE(Plugin::load(by_path(path, digest)));
  std::ranges::transform(digest, digest.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  EXPECT_TRUE(Plugin::load(by_path(path, digest)));
}

TEST(Load, NothingOfAPluginRunsBeforeItsPinWasVerified) {
  const TempDir dir;
  const std::string path = dir / "plain.so";
  write_bytes(path, fresh_build("wrong"));
  constructed();
  const std::string pin(64, 'a');
  EXPECT_THAT(load_error(by_path(path, pin)),
              AllOf(HasSubstr(digest_of(path)), HasSubstr(pin), HasSubstr("not loaded")));
  EXPECT_FALSE(constructed());
  EXPECT_THAT(load_error(by_path(path, "abc")), HasSubstr("not 64 hexadecimal digits"));
  EXPECT_FALSE(constructed());
  EXPECT_TRUE(Plugin::load(by_path(path, digest_of(path))));
  EXPECT_TRUE(constructed()) << "else this test shows nothing";
}

TEST(Load, AFileChangedSinceItWasPinnedIsRefused) {
  const TempDir dir;
  const std::string path = install("plain", dir.path(), "plain");
  const std::string pin = digest_of(path);
  const auto plugin = Plugin::load(by_path(path, pin)).value();
  write_bytes(path, fresh_build("changed"));
  constructed();
  EXPECT_THAT(load_error(by_path(path, pin)), HasSubstr(pin));
  EXPECT_FALSE(constructed());
  use(*plugin);
}

TEST(Load, ASharedObjectThatIsNoPluginIsNotMapped) {
  constructed();
  EXPECT_THAT(load_error(by_path(fixture("no_entry"))),
              HasSubstr("does not export swapmq_backend_entry"));
  EXPECT_FALSE(constructed());
  EXPECT_THAT(load_error(by_path(fixture("mentions_entry"))),
              HasSubstr("does not export swapmq_backend_entry"));
}

TEST(Load, AnUnresolvedSymbolIsNamed) {
  const std::string message = load_error(by_path(fixture("unresolved")));
  EXPECT_THAT(message, HasSubstr("the dynamic linker refused it"));
  EXPECT_THAT(message, HasSubstr("undefined symbol"));
  EXPECT_THAT(message, HasSubstr("swapmq_test_nobody_defines_this"));
  EXPECT_THAT(message, Not(HasSubstr("/proc/")));
}

TEST(Load, FilesThatAreNoPlugins) {
  const TempDir dir;
  const std::string bytes = read_bytes(fixture("plain"));
  write_bytes(dir / "text.so", "just text\n");
  write_bytes(dir / "empty.so", "");
  write_bytes(dir / "cut.so", bytes.substr(0, bytes.size() / 2));
  fs::create_directory(dir / "folder.so");
  ASSERT_EQ(::mkfifo((dir / "pipe.so").c_str(), 0600), 0);
  install("plain", dir.path(), "writable");
  ASSERT_EQ(::chmod((dir / "writable.so").c_str(), 0666), 0);
  EXPECT_THAT(load_error(by_path(dir / "text.so")), HasSubstr("not an ELF file"));
  EXPECT_THAT(load_error(by_path(dir / "empty.so")), HasSubstr("it is empty"));
  EXPECT_THAT(load_error(by_path(dir / "cut.so")), HasSubstr("it is truncated"));
  EXPECT_THAT(load_error(by_path(dir / "folder.so")), HasSubstr("a directory"));
  EXPECT_THAT(load_error(by_path(dir / "pipe.so")), HasSubstr("not a regular file"));
  EXPECT_THAT(load_error(by_path(dir / "writable.so")), HasSubstr("chmod o-w"));
  EXPECT_THAT(load_error(by_path(dir / "absent.so")), HasSubstr("No such file or directory"));
}

TEST(Load, AFileOfImpossibleSizeIsNotRead) {
  const TempDir dir;
  write_bytes(dir / "huge.so", "");
  fs::resize_file(dir / "huge.so", std::uintmax_t{257} << 20); // sparse
  EXPECT_THAT(load_error(by_path(dir / "huge.so")), HasSubstr("larger than 256 MiB"));
}

TEST(Load, AFailureCanBeRepairedAndTriedAgain) {
  const TempDir dir;
  const std::string path = install("other_name", dir.path(), "plain");
  load_error(by_path(path));
  load_error(by_path(path));
  install("plain", dir.path(), "plain");
  EXPECT_TRUE(Plugin::load(by_path(path)));
}

/// The descriptor behind the copy that was mapped last.
int descriptor_of_copy(const std::string& name) {
  int found = -1;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored; // the iterator's own descriptor is gone again
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (target.starts_with("/memfd:swapmq-" + name)) {
      found = std::max(found, std::stoi(entry.path().filename().string()));
    }
  }
  return found;
}

TEST(Load, AProgramThatClosesForeignDescriptorsGetsTheRightPluginAllTheSame) {
  const auto first = Plugin::load(by_path(fixture("plain"))).value();
  const int fd = descriptor_of_copy("plain");
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::close(fd), 0);
  const auto second = Plugin::load(by_path(fixture("newer_minor"))).value();
  EXPECT_EQ(second->description().name, "newer_minor");
  EXPECT_NE(first->vtable().open, second->vtable().open);
  use(*first);
  use(*second);
}

TEST(Load, TheCopyCannotBeChangedByAnybody) {
  const auto plugin = Plugin::load(by_path(fixture("plain"))).value();
  const int fd = descriptor_of_copy("plain");
  ASSERT_GE(fd, 0);
  EXPECT_EQ(::pwrite(fd, "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(fd, 0), -1);
  EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Load, APluginsSymbolsStayItsOwn) {
  ASSERT_TRUE(Plugin::load(by_path(fixture("plain"))));
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, SWAPMQ_BACKEND_ENTRY_NAME), nullptr);
}

} // namespace
} // namespace swapmq::plugin
