// SPDX-License-Identifier: MIT
//
// A disk that remembers what it was not asked to sync. As SQLite's default VFS it passes everything
// on to the real one, and beside that keeps, for each file, the bytes that are durable and the
// operations since the last sync. So the files as a loss of power would leave them can be had at
// any moment, without one.
//
// Known of the real VFS and relied upon: the first sync of a new log syncs its folder too.
//
// Thread safety: the file operations may come from any thread; the rest is for the test's thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace swapmq::test {

class CrashDisk {
 public:
  struct Operation {
    enum Kind { kCreate, kRemove, kWrite, kTruncate } kind;
    int64_t offset = 0; // of a write; the size of a truncation
    std::string data;
  };
  struct File {
    bool exists = false; // durably
    std::shared_ptr<const std::string> durable = std::make_shared<const std::string>();
    std::vector<std::shared_ptr<const Operation>> pending;
  };
  /// Cheap to copy: contents are shared.
  using State = std::map<std::string, File>;
  /// Path to contents.
  using Image = std::map<std::string, std::string>;

  /// Registers itself as the default VFS; at most one at a time.
  CrashDisk();
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;

  /// Called before each operation that changes a file or syncs it: a moment to lose power.
  std::function<void()> on_point;
  [[nodiscard]] State state();
  /// What is left if everything not synced is gone.
  static Image drop_unsynced(const State& state);
  /// What is left if the disk had got round to some of it, in any order, and to parts of writes.
  static Image keep_some(const State& state, std::mt19937& random);
  static void write_to(const Image& image, const std::string& from, const std::string& to);

  /// Bytes that may still be written before the disk is full; negative: as many as you like.
  void set_room(int64_t bytes);
  /// The next operation of this kind, on a file whose name ends so, fails with this code.
  void fail_next_sync(const std::string& suffix, int code);
  void fail_next_write(const std::string& suffix, int code);

  // For the VFS.
  int before_write(const std::string& path, int64_t bytes);
  int before_sync(const std::string& path);
  void record(const std::string& path, Operation operation);
  void synced(const std::string& path);
  void opened(const std::string& path, bool existed);
  void removed(const std::string& path, bool durably);

 private:
  struct Fault {
    std::string suffix;
    int code = 0;
  };
  static bool strikes(Fault& fault, const std::string& path);
  void point();

  sqlite3_vfs vfs_{};
  std::mutex mutex_;
  State files_;
  int64_t room_ = -1;
  Fault sync_fault_;
  Fault write_fault_;
};

} // namespace swapmq::test
