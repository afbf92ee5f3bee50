// SPDX-License-Identifier: MIT
//
// Runs the built program as a user would.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::program_test {

using std::chrono::milliseconds;
using Args = std::vector<std::string>;

/// A folder that is removed with all that is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Writes a file of the folder; its path.
  std::string write(const std::string& name, std::string_view content) const;
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::string path_;
};

struct Finished {
  int code = -1; ///< negative: the signal that killed it
  std::string out, err;
};

enum class Stdin { file, pipe };
enum class Stdout { file, pipe, full, closed };

struct How {
  Stdin in = Stdin::file;
  std::string input{}; ///< the content of standard input, if it is a file
  Stdout out = Stdout::file;
  std::vector<std::string> environment{}; ///< "NAME=VALUE"
  std::string program{};                  ///< empty: the one that was built
};

/// The program while it runs, in a folder. Killed by the destructor if it still does.
class Process {
 public:
  Process(const Folder& folder, const Args& args, const How& how = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write_input(std::string_view text);
  void close_input();
  /// Reads that many bytes of its output (fewer at its end).
  std::string read_output(std::size_t bytes);
  void close_output();
  void signal(int number) const;
  /// What it has written to standard error so far.
  [[nodiscard]] std::string err() const;
  /// Where its output goes, if to a file.
  [[nodiscard]] std::string out_path() const;
  /// Fails the test if it takes longer than a minute.
  Finished wait();

 private:
  const Folder& folder_;
  std::string out_name_, err_name_;
  pid_t pid_ = -1;
  int input_ = -1, output_ = -1;
};

/// From start to end.
Finished run(const Folder& folder, const Args& args, const How& how = {});

/// A config of the folder for sqlite (or the test's own plugin); its path.
std::string sqlite_config(const Folder& folder);

/// The program with a sqlite of the test's own.
class WithSqlite : public testing::Test {
 protected:
  Finished swapmq(Args args, const How& how = {}) {
    args.insert(args.end(), {"--config", config_});
    return run(folder_, args, how);
  }

  Folder folder_;
  const std::string config_ = sqlite_config(folder_);
};

std::string trouble_config(const Folder& folder, bool down = false);

/// A command at a terminal of its own: all three of its standard descriptors are that. In the
/// folder, which is its home, too. Killed by the destructor if it still runs.
class Terminal {
 public:
  Terminal(const Folder& folder, Args command, const std::vector<std::string>& environment = {});
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(std::string_view keys);
  /// All that it has shown, up to that text; fails the test if that does not come within 30 s.
  std::string read_until(std::string_view text);
  /// All that it shows until it ends.
  std::string read_all();

 private:
  bool read_some();

  pid_t pid_ = -1;
  int master_ = -1;
  std::string shown_;
};

/// Waits until it is so; fails the test after 30 s.
bool eventually(const std::function<bool()>& condition);

/// The number that follows `word` in the text; -1: it is not there.
std::int64_t number_after(std::string_view text, std::string_view word);

std::string numbered_lines(int count, std::size_t width = 8);
std::vector<std::string> lines_of(std::string_view text);

} // namespace swapmq::program_test
