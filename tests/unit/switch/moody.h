// SPDX-License-Identifier: MIT
//
// What tests say to moody_backend.cpp, and hear of it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "queue/support.h"

namespace test {

/// The folder that one moody backend obeys.
class Moods {
 public:
  explicit Moods(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  [[nodiscard]] const std::string& folder() const { return folder_; }
  void set(const std::string& call, const std::string& mood) const {
    std::ofstream(folder_ + "/." + call) << mood;
    std::filesystem::rename(folder_ + "/." + call, folder_ + "/" + call);
  }
  void clear(const std::string& call) const { std::filesystem::remove(folder_ + "/" + call); }
  /// How often it was called, by this process or by others.
  [[nodiscard]] std::size_t calls(const std::string& call) const { return count(call, true); }
  [[nodiscard]] std::size_t calls_elsewhere(const std::string& call) const {
    return count(call, false);
  }
  /// The process that made the last such call; 0: none did.
  [[nodiscard]] pid_t last_caller(const std::string& call) const {
    pid_t last = 0;
    each([&](const std::string& name, pid_t pid) { last = name == call ? pid : last; });
    return last;
  }

 private:
  void each(const std::function<void(const std::string&, pid_t)>& call) const {
    std::ifstream file(folder_ + "/calls");
    std::string name;
    pid_t pid = 0;
    while (file >> name >> pid) call(name, pid);
  }
  [[nodiscard]] std::size_t count(const std::string& call, bool here) const {
    std::size_t sum = 0;
    each([&](const std::string& name, pid_t pid) {
      sum += name == call && (pid == getpid()) == here ? 1U : 0U;
    });
    return sum;
  }

  const std::string folder_;
};

/// A folder with a moody backend, and configs that name it.
class Moody : public testing::Test {
 protected:
  Moody()
      : folder_((std::filesystem::temp_directory_path() / "swapmq-moody-XXXXXX").string()),
        made_(mkdtemp(folder_.data()) != nullptr),
        moods_(folder_ + "/moods") {
    EXPECT_TRUE(made_);
  }
  ~Moody() override { std::filesystem::remove_all(folder_); }

  /// `more`: keys of the root, each with a comma before it.
  [[nodiscard]] std::string text(const std::string& type, const std::string& more = "",
                                 const std::string& moods = "") const {
    return R"({"message_queue":{"type":")" + type + R"(","connection_timeout_seconds":20,)" +
           R"("memory":{"name":")" + folder_ + R"("},"sqlite":{"path":")" + folder_ +
           R"(/queues.db"},"moody":{"folder":")" + (moods.empty() ? moods_.folder() : moods) +
           R"("}},"plugin_path":[")" + folder_ + R"(",")" + MOODY_BACKENDS +
           R"("],"log":{"level":"off"})" + more + "}";
  }
  [[nodiscard]] std::string state_dir() const {
    return R"(,"state_dir":")" + folder_ + R"(/state")";
  }
  [[nodiscard]] swapmq::MessageQueue open(const std::string& type,
                                          const std::string& more = "") const {
    return std::move(swapmq::MessageQueue::try_open_text(text(type, more), "test")).value();
  }
  static swapmq::BackendStatus backend(const swapmq::MessageQueue& mq, const std::string& name) {
    for (const auto& one : mq.switch_status().backends) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no " << name;
    return {};
  }
  /// To a backend that can do less, too; the one before drains or is retired.
  static void turn_to(swapmq::MessageQueue& mq, const std::string& type) {
    const auto asked = mq.switch_to(type, {.allow_capability_loss = true});
    ASSERT_TRUE(asked) << asked.error().message();
    ASSERT_TRUE(eventually([&] { return mq.backend_name() == type; }))
        << mq.switch_status().error.message();
  }

  std::string folder_;
  const bool made_;
  const Moods moods_;
};

} // namespace test
