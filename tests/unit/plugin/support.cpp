// SPDX-License-Identifier: MIT
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace swapmq::plugin {

TempDir::TempDir() : path_(std::filesystem::temp_directory_path() / "swapmq-plugin-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

TempDir::~TempDir() {
  std::error_code ignored; // what is left is in a folder of its own
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::folder(const std::string& name) const {
  const std::string made = path_ + "/" + name;
  std::filesystem::create_directories(made);
  EXPECT_EQ(::chmod(made.c_str(), 0755), 0);
  return made;
}

std::string fixture(const std::string& name) { return FIXTURES "/" + name + ".so"; }

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  EXPECT_TRUE(file) << path;
  EXPECT_EQ(::chmod(path.c_str(), 0644), 0) << path;
}

std::string install(const std::string& fixture_name, const std::string& directory,
                    const std::string& as) {
  const std::string path = directory + "/" + as + ".so";
  write_bytes(path, read_bytes(fixture(fixture_name)));
  return path;
}

LoadRequest by_path(const std::string& path, const std::string& sha256) {
  return {path, {}, sha256, true};
}

LoadRequest by_name(const std::string& name, const std::string& folder) {
  return {name, {folder}, {}, false};
}

std::string load_error(const LoadRequest& request) {
  const auto loaded = Plugin::load(request);
  EXPECT_FALSE(loaded) << request.name_or_path;
  const std::string message = loaded.error().message();
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

bool RecordingSink::log_enabled(int) noexcept { return true; }

void RecordingSink::log(int level, std::string_view line) noexcept {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
  levels_.push_back(level);
}

void RecordingSink::count(std::string_view name, std::uint64_t amount) noexcept {
  const std::lock_guard lock(mutex_);
  counts_.emplace_back(name, amount);
}

std::vector<std::string> RecordingSink::lines() {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::vector<int> RecordingSink::levels() {
  const std::lock_guard lock(mutex_);
  return levels_;
}

std::vector<std::pair<std::string, std::uint64_t>> RecordingSink::counts() {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::size_t RecordingSink::lines_with(std::string_view part) {
  std::size_t found = 0;
  for (const std::string& line : lines()) {
    if (line.find(part) != std::string::npos) ++found;
  }
  return found;
}

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

Result<std::shared_ptr<Backend>> open_liar(const std::string& lie,
                                           const std::shared_ptr<RecordingSink>& sink,
                                           const std::string& instance) {
  auto plugin = Plugin::load(by_path(fixture("lying")));
  if (!plugin) return plugin.error();
  return Backend::open(*plugin, sink, {R"({"lie":")" + lie + R"("})", instance, soon()});
}

Liar::Liar(const std::string& lie, std::int32_t role) : sink_(std::make_shared<RecordingSink>()) {
  backend_ = open_liar(lie, sink_).value();
  session_ = backend_->open_session(role, soon()).value();
}

swapmq_queue* Liar::queue() {
  swapmq_queue_spec spec{};
  spec.struct_size = sizeof spec;
  return session_->queue("tasks", spec).value();
}

swapmq_subscription* Liar::subscription() {
  return session_->subscribe(queue(), 10, std::chrono::milliseconds(0), soon()).value();
}

void Liar::close() {
  session_.reset();
  backend_.reset();
}

} // namespace swapmq::plugin
