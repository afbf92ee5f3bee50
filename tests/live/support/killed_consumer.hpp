// SPDX-License-Identifier: MIT
//
// Two processes consume, one is killed: what it held comes to the other.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "child_process.hpp"
#include "open_queue.hpp"
#include "temp_folder.hpp"

namespace swapmq::live {

class KilledConsumer {
 public:
  explicit KilledConsumer(const std::string& config) : config_(config), mq_(open_queue(config)) {}

  /// Every id that was confirmed is consumed by one of them.
  void expect_that_all_comes() {
    std::optional<ChildProcess> victim(program("victim", "100"));
    publish(200);
    const bool full =
        await([&] { return ids("victim").count("kept") == 50; }, milliseconds(15'000));
    ASSERT_TRUE(full) << "its whole prefetch: " << ids("victim").count("kept");
    const ChildProcess survivor(program("survivor", "1000000"));
    publish(200);
    victim.reset(); // SIGKILL
    const bool all = await([this] { return consumed() == confirmed_; }, milliseconds(15'000));
    EXPECT_TRUE(all) << consumed().size() << " of " << confirmed_.size();
  }

 private:
  [[nodiscard]] ChildProcess::Program program(const std::string& name, const char* most) const {
    return {{CONSUME_IDS_PROGRAM, config_, "tasks", folder_ / name, most}};
  }
  [[nodiscard]] std::multiset<std::string> ids(const std::string& name) const {
    std::ifstream text(folder_ / name);
    std::multiset<std::string> all;
    for (std::string line; std::getline(text, line);) all.insert(line);
    return all;
  }
  [[nodiscard]] std::set<std::string> consumed() const {
    std::set<std::string> all;
    for (const char* name : {"victim", "survivor"}) {
      for (const std::string& id : ids(name)) all.insert(id);
    }
    all.erase("kept");
    return all;
  }
  void publish(int count) {
    for (int i = 0; i < count; ++i) {
      const Sent sent = mq_.publish("tasks", "body");
      ASSERT_TRUE(sent) << sent.error().message();
      confirmed_.emplace(sent.id());
    }
  }

  const TempFolder folder_{"swapmq-consumers"};
  const std::string config_;
  MessageQueue mq_;
  std::set<std::string> confirmed_;
};

} // namespace swapmq::live
