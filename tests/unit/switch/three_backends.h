// SPDX-License-Identifier: MIT
//
// For tests of the switch: a message queue with a config that lists memory, sqlite and the scripted
// backend, in a folder of its own.
#pragma once

#include <filesystem>
#include <string>

#include "queue/support.h"

namespace test {

inline constexpr swapmq::SwitchOptions any_loss{.allow_capability_loss = true};

class ThreeBackends : public testing::Test {
 protected:
  ThreeBackends()
      : folder_((std::filesystem::temp_directory_path() / "swapmq-flow-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~ThreeBackends() override { std::filesystem::remove_all(folder_); }

  std::string database() const { return folder_ + "/queues.db"; }
  /// With sections for memory, sqlite and the scripted backend.
  std::string text(const std::string& type, const std::string& more = "") const {
    return R"({"message_queue":{"type":")" + type + R"(","memory":{"name":")" + folder_ +
           R"("},"sqlite":{"path":")" + database() + R"("},"scripted":{}},"plugin_path":[")" +
           TEST_BACKENDS + R"("],"log":{"level":"off"})" + more + "}";
  }
  swapmq::Result<swapmq::MessageQueue> try_open(const std::string& type,
                                                const std::string& more = "") {
    return swapmq::MessageQueue::try_open_text(text(type, more), "test");
  }
  swapmq::MessageQueue open(const std::string& type, const std::string& more = "") {
    return std::move(try_open(type, more)).value();
  }
  swapmq::MessageQueue open_durable(const std::string& type, const std::string& more = "") {
    return std::move(try_open(type, R"(,"state_dir":")" + folder_ + R"(/state")" + more)).value();
  }
  static swapmq::SwitchStatus switched(swapmq::MessageQueue& mq, const std::string& type,
                                       const swapmq::SwitchOptions& options = any_loss) {
    const swapmq::Error error = mq.switch_to(type, options).error();
    EXPECT_FALSE(error) << error.message();
    return mq.wait_for_switch(10s);
  }
  static const swapmq::BackendStatus& backend(const swapmq::SwitchStatus& status,
                                              const std::string& name) {
    static const swapmq::BackendStatus none;
    for (const swapmq::BackendStatus& one : status.backends) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no " << name;
    return none;
  }

  std::string folder_;
};

} // namespace test
