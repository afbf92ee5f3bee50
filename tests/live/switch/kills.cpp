// SPDX-License-Identifier: MIT
//
// switch_kills: a host is killed (SIGKILL) at each place of the journal and of the switch, between
// each two durable backends, and started again with a config that names the one or the other. What
// was confirmed is there, and nothing comes twice but what was in doubt or unsettled. Takes the
// servers' options, as JSON, from SWITCH_REDIS and SWITCH_RABBITMQ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <sstream>

#include "support/child_process.hpp"

namespace switch_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using swapmq::live::ChildProcess;
using swapmq::live::Clock;
using swapmq::live::Exit;

using Options = std::map<std::string, std::string>;

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// What the victims noted, each id by what happened to it.
struct Ids {
  std::map<std::string, int> tried, confirmed, got, acked;

  explicit Ids(const std::string& path) {
    std::ifstream file(path);
    std::string what, id;
    while (file >> what >> id) {
      (what == "try" ? tried : what == "ok" ? confirmed : what == "got" ? got : acked)[id] += 1;
    }
  }
  [[nodiscard]] std::vector<std::string> lost() const {
    std::vector<std::string> ids;
    for (const auto& [id, times] : confirmed) {
      if (!got.contains(id)) ids.push_back(id);
    }
    return ids;
  }
};

class SwitchKills : public testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  SwitchKills() : folder_((fs::temp_directory_path() / "swapmq-kills-XXXXXX").string()) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    sections_ = {{"sqlite", R"({"path":")" + folder_ + R"(/queues.db"})"},
                 {"redis_stream", with_prefix(from_environment("SWITCH_REDIS"), "key_prefix")},
                 {"rabbitmq", with_prefix(from_environment("SWITCH_RABBITMQ"), "queue_prefix")}};
  }
  ~SwitchKills() override { fs::remove_all(folder_); }

  /// Of this test alone, on servers that others use.
  std::string with_prefix(const std::string& options, const std::string& key) const {
    return options.substr(0, options.rfind('}')) + R"(,")" + key + R"(":")" +
           fs::path(folder_).filename().string() + R"(-"})";
  }
  std::string config(const std::string& type) const {
    std::string text = R"({"message_queue":{"type":")" + type + R"(","retry_delay_seconds":0)";
    for (const auto& [name, options] : sections_) text += ",\"" + name + "\":" + options;
    text += R"(},"switch":{"allow_capability_loss":true},"log":{"level":"error"},"state_dir":")" +
            folder_ + R"(/state"})";
    const std::string path = folder_ + "/" + type + ".json";
    std::ofstream(path) << text;
    return path;
  }
  static Exit run(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{SWITCH_VICTIM};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ChildProcess child({all});
    const auto exit = child.wait(Clock::now() + 60s);
    EXPECT_TRUE(exit) << "hangs";
    return exit.value_or(Exit{});
  }

  std::string folder_;
  Options sections_;
};

TEST_P(SwitchKills, LoseNothingAtAnyPlace) {
  const auto& [from, to] = GetParam();
  int places = 0;
  std::size_t confirmed = 0;
  std::size_t twice = 0;
  for (bool survived = false; !survived; ++places) {
    ASSERT_LT(places, 100);
    const std::string number = std::to_string(places + 1);
    const std::string ids = folder_ + "/ids-" + number;
    fs::remove_all(folder_ + "/state");
    const Exit exit = run({config(from), ids, "k" + number, to, number});
    survived = exit.signal == 0;
    EXPECT_EQ(exit.code, survived ? 0 : -1) << "at place " << number;
    const Ids before(ids);
    // Somebody edited the config back, or did not.
    const std::string next = places % 2 == 0 ? from : to;
    EXPECT_EQ(run({config(next), ids}).code, 0) << "at place " << number << ", then with " << next;
    const Ids after(ids);
    EXPECT_THAT(after.lost(), testing::IsEmpty()) << "at place " << number << ", then " << next;
    for (const auto& [id, times] : after.got) {
      if (times < 2) continue;
      ++twice;
      const bool explained = !before.confirmed.contains(id) || !before.acked.contains(id);
      EXPECT_TRUE(explained) << id << " was confirmed and settled, and came " << times << " times";
    }
    confirmed += after.confirmed.size();
  }
  std::printf("%-12s -> %-12s killed at %d places: %zu confirmed, 0 lost, %zu twice\n",
              from.c_str(), to.c_str(), places - 1, confirmed, twice);
  EXPECT_GE(places - 1, 8) << "the places of the journal and of the switch";
}

std::vector<std::pair<std::string, std::string>> all_pairs() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const char* from : {"sqlite", "redis_stream", "rabbitmq"}) {
    for (const char* to : {"sqlite", "redis_stream", "rabbitmq"}) {
      if (std::string(from) != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(, SwitchKills, testing::ValuesIn(all_pairs()), [](const auto& one) {
  return one.param.first + "_to_" + one.param.second;
});

} // namespace
} // namespace switch_test
