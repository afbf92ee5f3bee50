// SPDX-License-Identifier: MIT
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/plugin.h"
#include "plugin/session.h"

namespace swapmq::plugin {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A folder of one test, removed at its end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// PATH/name
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Makes a folder in it.
  [[nodiscard]] std::string folder(const std::string& name) const;

 private:
  std::string path_;
};

/// A plugin that was built for these tests.
std::string fixture(const std::string& name);
std::string read_bytes(const std::string& path);
/// Writes a file anew, mode 0644.
void write_bytes(const std::string& path, std::string_view bytes);
/// Copies a fixture to DIRECTORY/as.so.
std::string install(const std::string& fixture_name, const std::string& directory,
                    const std::string& as);

/// By a path, as the command line may.
LoadRequest by_path(const std::string& path, const std::string& sha256 = {});
/// By its name in one folder.
LoadRequest by_name(const std::string& name, const std::string& folder);
/// Of a load that must fail; of its text.
std::string load_error(const LoadRequest& request);

/// Keeps what a plugin tells its host.
class RecordingSink : public HostSink {
 public:
  bool log_enabled(int level) noexcept override;
  void log(int level, std::string_view line) noexcept override;
  void count(std::string_view name, std::uint64_t amount) noexcept override;

  std::vector<std::string> lines();
  std::vector<int> levels();
  std::vector<std::pair<std::string, std::uint64_t>> counts();
  std::size_t lines_with(std::string_view part);

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<int> levels_;
  std::vector<std::pair<std::string, std::uint64_t>> counts_;
};

/// A backend of the lying plugin, which breaks one rule of the ABI, and a session of it. One at a
/// time: the plugin keeps its lie in a global variable.
class Liar {
 public:
  explicit Liar(const std::string& lie, std::int32_t role = SWAPMQ_ROLE_CONSUME);

  [[nodiscard]] Session& session() { return *session_; }
  [[nodiscard]] RecordingSink& sink() { return *sink_; }
  [[nodiscard]] Backend& backend() { return *backend_; }
  swapmq_queue* queue();
  swapmq_subscription* subscription();
  /// Closes session and backend.
  void close();

 private:
  std::shared_ptr<RecordingSink> sink_;
  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Session> session_;
};

/// Opens the lying plugin; for what already goes wrong there.
Result<std::shared_ptr<Backend>> open_liar(const std::string& lie,
                                           const std::shared_ptr<RecordingSink>& sink,
                                           const std::string& instance = "test-1");

Deadline soon();

} // namespace swapmq::plugin
