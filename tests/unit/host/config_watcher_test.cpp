// SPDX-License-Identifier: MIT
//
// Every way in which people and programs change a file, on a real file system.
#include "daemon/config_watcher.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "../../support/temporary_folder.hpp"

namespace swapmq::host {
namespace {

using test::TemporaryFolder;

namespace fs = std::filesystem;
using Clock = ConfigWatcher::Clock;
using std::chrono::milliseconds;

class Watcher : public testing::Test {
 protected:
  /// One that is told by the kernel alone.
  static ConfigWatcher watch(const std::string& path) {
    return {path, Clock::now(), std::chrono::hours(1)};
  }
  /// Waits as its owner does. Whether a change is told within the time.
  static bool told(ConfigWatcher& watcher, milliseconds time = milliseconds(10'000)) {
    const auto end = Clock::now() + time;
    for (;;) {
      const auto now = Clock::now();
      if (watcher.look(now)) return true;
      if (now >= end) return false;
      const auto until = std::min(watcher.due(), end);
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
      pollfd readable{watcher.descriptor(), POLLIN, 0};
      ::poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    }
  }
  static bool quiet(ConfigWatcher& watcher) { return !told(watcher, milliseconds(400)); }
  /// As an editor does.
  void replace(const std::string& name, const std::string& content) const {
    folder_.write(name + ".new", content);
    fs::rename(folder_ / (name + ".new"), folder_ / name);
  }

  TemporaryFolder folder_;
};

TEST_F(Watcher, TellsOfAFileThatIsWrittenInPlaceOnce) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  EXPECT_TRUE(quiet(watcher)) << "nothing has changed yet";
  folder_.write("c.json", "2");
  EXPECT_TRUE(told(watcher));
  EXPECT_TRUE(quiet(watcher)) << "told twice";
}

TEST_F(Watcher, TellsOfAFileThatIsRenamedOverEachTime) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  for (int i = 0; i < 3; ++i) {
    replace("c.json", std::to_string(i));
    EXPECT_TRUE(told(watcher)) << i;
  }
  folder_.write("c.json", "in place, of the last that came");
  EXPECT_TRUE(told(watcher));
}

TEST_F(Watcher, TellsOfAMapOfKubernetesWhoseDataIsSwapped) {
  fs::create_directories(folder_ / "..one");
  fs::create_directories(folder_ / "..two");
  folder_.write("..one/c.json", "1");
  folder_.write("..two/c.json", "2");
  fs::create_directory_symlink("..one", folder_ / "..data");
  fs::create_symlink("..data/c.json", folder_ / "c.json");
  ConfigWatcher watcher = watch(folder_ / "c.json");
  for (const char* target : {"..two", "..one"}) {
    fs::create_directory_symlink(target, folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", folder_ / "..data");
    EXPECT_TRUE(told(watcher)) << target;
  }
  fs::remove_all(folder_ / "..two");
  EXPECT_TRUE(quiet(watcher)) << "the one that is not used any more";
}

TEST_F(Watcher, TellsOfAFolderOnTheWayThatIsALink) {
  fs::create_directories(folder_ / "release-1/etc");
  fs::create_directories(folder_ / "release-2/etc");
  folder_.write("release-1/etc/c.json", "1");
  folder_.write("release-2/etc/c.json", "2");
  fs::create_directory_symlink(folder_ / "release-1", folder_ / "current");
  ConfigWatcher watcher = watch(folder_ / "current/etc/c.json");
  fs::create_directory_symlink(folder_ / "release-2", folder_ / "next");
  fs::rename(folder_ / "next", folder_ / "current");
  EXPECT_TRUE(told(watcher));
  folder_.write("release-2/etc/c.json", "3");
  EXPECT_TRUE(told(watcher)) << "it watches what is used now";
}

TEST_F(Watcher, AFileThatIsAwayForAMomentIsToldOfWhenItIsBack) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  fs::rename(folder_ / "c.json", folder_ / "c.json~"); // as editors that keep a copy do
  EXPECT_FALSE(told(watcher, milliseconds(500)));
  folder_.write("c.json", "2");
  EXPECT_TRUE(told(watcher));
  EXPECT_TRUE(fs::exists(folder_ / "c.json"));
}

TEST_F(Watcher, AFileThatStaysAwayIsToldOfOnceAndAgainWhenItReturns) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  const auto removed = Clock::now();
  fs::remove(folder_ / "c.json");
  EXPECT_TRUE(told(watcher));
  EXPECT_GE(Clock::now() - removed, ConfigWatcher::away_time);
  EXPECT_TRUE(quiet(watcher));
  folder_.write("c.json", "2");
  EXPECT_TRUE(told(watcher));
}

TEST_F(Watcher, TellsOfAFileWhoseFolderIsReplaced) {
  fs::create_directories(folder_ / "etc");
  folder_.write("etc/c.json", "1");
  ConfigWatcher watcher = watch(folder_ / "etc/c.json");
  fs::create_directories(folder_ / "new");
  folder_.write("new/c.json", "2");
  fs::rename(folder_ / "etc", folder_ / "old");
  fs::rename(folder_ / "new", folder_ / "etc");
  EXPECT_TRUE(told(watcher));
  folder_.write("etc/c.json", "3");
  EXPECT_TRUE(told(watcher)) << "it watches the new folder";
}

TEST_F(Watcher, ManyWritesAreToldOfOnce) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  int times = 0;
  const auto begun = Clock::now();
  for (int i = 0; i < 50; ++i) { // told the time, so that a machine that is busy changes nothing
    folder_.write("c.json", "again");
    if (watcher.look(begun + i * milliseconds(10))) ++times;
  }
  EXPECT_EQ(times, 0) << "in the middle of being written";
  EXPECT_TRUE(told(watcher));
  EXPECT_TRUE(quiet(watcher));
}

TEST_F(Watcher, WritesWithoutEndAreToldOfAllTheSame) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  const auto end = Clock::now() + 3 * ConfigWatcher::most_patience;
  bool was_told = false;
  while (!was_told && Clock::now() < end) {
    folder_.write("c.json", "again");
    was_told = watcher.look(Clock::now());
  }
  EXPECT_TRUE(was_told);
}

TEST_F(Watcher, WhatElseIsInTheFolderDoesNotWakeIt) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  folder_.write("queues.db", "a database");
  EXPECT_TRUE(quiet(watcher)) << "another name";
  folder_.write("queues.db", "is written to all the time");
  pollfd readable{watcher.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 100), 0);
}

TEST_F(Watcher, AChangeBeforeTheFirstLookCounts) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  folder_.write("c.json", "2");
  EXPECT_TRUE(told(watcher));
}

TEST_F(Watcher, AFileThatIsReadableAgainIsToldOf) {
  ConfigWatcher watcher = watch(folder_.write("c.json", "1"));
  ASSERT_EQ(::chmod((folder_ / "c.json").c_str(), 0640), 0);
  EXPECT_TRUE(told(watcher));
}

/// What the kernel leaves unsaid (that a folder is there again, or what a network file system has)
/// is seen by looking.
TEST_F(Watcher, LooksForItselfAfterAWhile) {
  using W = ConfigWatcher;
  fs::create_directories(folder_ / "etc");
  folder_.write("etc/c.json", "1");
  auto now = Clock::now(); // told, so that nothing here waits
  W watcher(folder_ / "etc/c.json", now);
  EXPECT_FALSE(watcher.look(now += W::look_period)) << "nothing is different";
  EXPECT_LE(watcher.due(), now + W::look_period);
  fs::remove_all(folder_ / "etc");
  EXPECT_FALSE(watcher.look(now));
  EXPECT_FALSE(watcher.look(now += W::quiet_time)) << "it may be back in a moment";
  EXPECT_TRUE(watcher.look(now += W::away_time));
  fs::create_directories(folder_ / "etc");
  folder_.write("etc/c.json", "2");
  EXPECT_FALSE(watcher.look(now)) << "the kernel has told after all; then this test is in vain";
  EXPECT_FALSE(watcher.look(now += W::look_period));
  EXPECT_TRUE(watcher.look(now += W::quiet_time));
}

} // namespace
} // namespace swapmq::host
