// SPDX-License-Identifier: MIT
//
// A config that changed, as an application follows it: at once, by a switch, or not at all.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "queue/support.h"

namespace {

namespace fs = std::filesystem;
using namespace test;
using swapmq::BackendStatus;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::MessageQueue;
using swapmq::ReloadResult;
using swapmq::SwitchPhase;
using swapmq::SwitchStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A server that takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, any, size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    EXPECT_EQ(::getsockname(socket_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

 private:
  const int socket_;
  std::uint16_t port_ = 0;
};

/// The parts of a config that these tests change.
struct Parts {
  std::string type = "sqlite";
  std::string message_queue{}; ///< more keys, each with a comma before it
  std::string sqlite{};        ///< more options, the same
  std::string root{};          ///< more sections, the same
  bool list_sqlite = true;
};

class Reload : public testing::Test {
 protected:
  Reload() : folder_((fs::temp_directory_path() / "swapmq-reload-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~Reload() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string text(const Parts& parts) const {
    std::string sqlite = R"(,"sqlite":{"path":")" + folder_ + R"(/queues.db")" + parts.sqlite + "}";
    if (!parts.list_sqlite) sqlite.clear();
    return R"({"message_queue":{"type":")" + parts.type + R"(","memory":{"name":")" + folder_ +
           R"("},"redis_stream":{"url":")" + silent_.url() + R"("})" + sqlite +
           parts.message_queue + R"(},"switch":{"allow_capability_loss":true},"plugin_path":[")" +
           folder_ + R"("],"log":{"level":"off"})" + parts.root + "}";
  }
  [[nodiscard]] std::string durable() const { return R"(,"state_dir":")" + folder_ + R"(/state")"; }
  [[nodiscard]] MessageQueue open(const Parts& parts) const {
    return std::move(MessageQueue::try_open_text(text(parts), "test")).value();
  }
  ReloadResult reload(MessageQueue& mq, const Parts& parts) const {
    auto result = mq.reload_text(text(parts), "test");
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : ReloadResult{};
  }
  /// The config named another backend, or wanted it otherwise.
  SwitchStatus switched(MessageQueue& mq, const Parts& parts) const {
    EXPECT_GT(reload(mq, parts).switch_number, 0U);
    return mq.wait_for_switch(10s);
  }

  SilentServer silent_;
  std::string folder_;
};

TEST_F(Reload, WhatIsTheSameChangesNothing) {
  auto mq = open({});
  const ReloadResult result = reload(mq, {});
  EXPECT_THAT(result.live, IsEmpty());
  EXPECT_THAT(result.at_restart, IsEmpty());
  EXPECT_EQ(result.switch_number, 0U);
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::none);
}

TEST_F(Reload, AnotherTypeIsASwitch) {
  auto mq = open({});
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(mq.publish("tasks", "old"));
  EXPECT_GT(reload(mq, {.type = "memory"}).switch_number, 0U);
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  EXPECT_THAT(mq.switch_status().configured, testing::StartsWith("memory-"));
  ASSERT_TRUE(mq.publish("tasks", "new"));
  ASSERT_EQ(take_all(*subscription, 2).size(), 2U);
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(Reload, RetriesAndDeadLetterQueueChangeUnderAConsumerThatRuns) {
  auto mq = open({.message_queue = R"(,"max_retries":1000000,"retry_delay_seconds":0)"});
  std::atomic<int> runs{0};
  auto consumer = mq.consume("tasks", {.prefetch = 1}, [&](const Delivery&) {
    ++runs;
    return swapmq::nack();
  });
  ASSERT_TRUE(mq.publish("tasks", "poison"));
  ASSERT_TRUE(eventually([&] { return runs >= 10; }));
  const ReloadResult result =
      reload(mq, {.message_queue = R"(,"max_retries":3,"retry_delay_seconds":0)",
                  .root = R"(,"queues":{"tasks":{"dead_letter_queue":"bad/tasks"}})"});
  EXPECT_THAT(result.live,
              ElementsAre("/message_queue/max_retries", "/queues/tasks/dead_letter_queue"));
  EXPECT_EQ(result.switch_number, 0U);
  EXPECT_TRUE(eventually([&] { return mq.size("bad/tasks").value() == 1; }));
  EXPECT_EQ(mq.size("tasks.dead").value(), 0U);
}

TEST_F(Reload, OtherOptionsOfTheSameBackendAreAnotherInstanceOfIt) {
  auto mq = open({});
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(mq.publish("tasks", "held"));
  auto held = subscription->receive(1, 5s);
  ASSERT_EQ(held->size(), 1U);
  EXPECT_GT(reload(mq, {.sqlite = R"(,"lease_ms":20000)"}).switch_number, 0U);
  EXPECT_EQ(mq.wait_for_switch(300ms).phase, SwitchPhase::drain) << "one is held";
  ASSERT_TRUE(mq.publish("tasks", "new"));
  auto next = subscription->receive(1, 5s);
  ASSERT_EQ(next->size(), 1U);
  EXPECT_EQ(next->at(0).body(), "new");
  next->at(0).ack();
  EXPECT_FALSE(next->at(0).wait_settled(5s));
  held->at(0).ack();
  EXPECT_FALSE(held->at(0).wait_settled(5s)) << "where it came from";
  const SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_EQ(status.from, status.to);
  EXPECT_EQ(status.backends.size(), 1U);
  EXPECT_EQ(reload(mq, {.sqlite = R"(,"lease_ms":20000)"}).switch_number, 0U);
}

std::size_t open_files() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::size_t threads() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

TEST_F(Reload, ManyInstancesUnderLoadLoseNothingAndLeaveNothingBehind) {
  auto mq = open({});
  std::mutex mutex;
  std::map<std::string, int> got;
  auto consumer =
      mq.consume("tasks", {.prefetch = 32, .concurrency = 4}, [&](const Delivery& delivery) {
        const std::lock_guard lock(mutex);
        ++got[std::string(delivery.body())];
        return swapmq::ack();
      });
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> sent{0};
  std::vector<std::thread> publishers;
  for (int p = 0; p < 4; ++p) {
    publishers.emplace_back([&, p] {
      for (int i = 0; !stop; ++i) {
        const auto result = mq.publish("tasks", std::to_string(p) + "/" + std::to_string(i));
        ASSERT_TRUE(result) << result.error().message();
        ++sent;
      }
    });
  }
  std::size_t files = 0;
  std::size_t tasks = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string lease = std::to_string(20'000 + i);
    const SwitchStatus status = switched(mq, {.sqlite = R"(,"lease_ms":)" + lease});
    ASSERT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
    if (i != 4) continue;
    files = open_files();
    tasks = threads();
  }
  EXPECT_LE(open_files(), files + 2);
  EXPECT_LE(threads(), tasks);
  stop = true;
  for (auto& publisher : publishers) publisher.join();
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return got.size() == sent;
  })) << got.size()
      << " of " << sent;
  for (const auto& [body, times] : got) EXPECT_EQ(times, 1) << body;
}

TEST_F(Reload, WhatABrokerWasToldOfAQueueTakesAnotherInstance) {
  auto mq = open({});
  ASSERT_TRUE(mq.publish("tasks", "1"));
  ASSERT_TRUE(mq.publish("tasks", "2"));
  const Parts bounded{.root = R"(,"queues":{"tasks":{"max_length":2}})"};
  const ReloadResult result = reload(mq, bounded);
  EXPECT_THAT(result.live, ElementsAre("/queues/tasks/max_length"));
  EXPECT_GT(result.switch_number, 0U);
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  const auto full = mq.publish("tasks", "3", {.timeout = 100ms});
  EXPECT_EQ(full.error().code(), Errc::resource_exhausted) << full.error().message();
}

TEST_F(Reload, AnotherBuildOfThePluginIsLoadedBesideTheOld) {
  const std::string plugin = folder_ + "/sqlite.so";
  fs::copy_file(SQLITE_BACKEND, plugin);
  auto mq = open({});
  ASSERT_EQ(mq.backend().path, plugin);
  ASSERT_TRUE(mq.publish("tasks", "x"));
  EXPECT_EQ(reload(mq, {}).switch_number, 0U);
  fs::copy_file(SQLITE_BACKEND, plugin + ".new");
  std::ofstream(plugin + ".new", std::ios::app) << "another build";
  fs::rename(plugin + ".new", plugin);
  EXPECT_EQ(switched(mq, {}).phase, SwitchPhase::retired);
  EXPECT_EQ(mq.size("tasks").value(), 1U);
  EXPECT_EQ(reload(mq, {}).switch_number, 0U) << "it is that one now";
}

TEST_F(Reload, ABrokenBuildOfThePluginChangesNothing) {
  const std::string plugin = folder_ + "/sqlite.so";
  fs::copy_file(SQLITE_BACKEND, plugin);
  auto mq = open({});
  fs::remove(plugin);
  std::ofstream(plugin) << "no plugin";
  fs::permissions(plugin, fs::perms::owner_all);
  const auto refused = mq.reload_text(text({}), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::plugin) << refused.error().message();
  EXPECT_TRUE(mq.publish("tasks", "goes on"));
}

TEST_F(Reload, AConfigThatIsWrongChangesNothing) {
  auto mq = open({});
  const auto refused = mq.reload_text(text({.message_queue = R"(,"max_retrys":3)"}), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::config);
  EXPECT_THAT(refused.error().message(), HasSubstr("max_retries"));
  EXPECT_EQ(mq.reload_text("{", "test").error().code(), Errc::config);
  EXPECT_EQ(mq.reload(folder_ + "/missing.json").error().code(), Errc::config);
  EXPECT_EQ(mq.reload_text(text({.type = "nowhere"}), "test").error().code(), Errc::plugin);
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::none);
  EXPECT_TRUE(mq.publish("tasks", "goes on"));
}

TEST_F(Reload, ATargetThatIsDownChangesNothingAndCanBeTriedAgain) {
  auto mq = open({.type = "memory"});
  fs::create_directory(folder_ + "/queues.db"); // where the file should be
  SwitchStatus status = switched(mq, {});
  EXPECT_EQ(status.phase, SwitchPhase::failed);
  EXPECT_THAT(status.error.message(), HasSubstr("queues.db"));
  EXPECT_EQ(mq.backend_name(), "memory");
  EXPECT_TRUE(mq.publish("tasks", "goes on"));
  fs::remove(folder_ + "/queues.db");
  ASSERT_GT(reload(mq, {}).switch_number, 0U) << "the same config, and it works now";
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "sqlite"; }));
}

TEST_F(Reload, ANewerConfigTakesThePlaceOfASwitchThatIsPrepared) {
  auto mq = open({.message_queue = R"(,"connection_timeout_seconds":3)"});
  const Parts silent{.type = "redis_stream", .message_queue = R"(,"connection_timeout_seconds":3)"};
  const std::uint64_t first = reload(mq, silent).switch_number;
  EXPECT_GT(first, 0U);
  EXPECT_EQ(reload(mq, silent).switch_number, first) << "that is on its way";
  EXPECT_EQ(mq.switch_to("memory").error().code(), Errc::conflict);
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::prepare);
  const Parts memory{.type = "memory", .message_queue = R"(,"connection_timeout_seconds":3)"};
  const std::uint64_t second = reload(mq, memory).switch_number;
  EXPECT_GT(second, first);
  const SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.number, second);
  EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  EXPECT_EQ(mq.backend_name(), "memory");
}

TEST_F(Reload, TheConfigOfBeforeEndsASwitchThatIsPrepared) {
  const Parts patient{.message_queue = R"(,"connection_timeout_seconds":3)"};
  auto mq = open(patient);
  Parts silent = patient;
  silent.type = "redis_stream";
  EXPECT_GT(reload(mq, silent).switch_number, 0U);
  EXPECT_EQ(reload(mq, patient).switch_number, 0U);
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::cancelled);
  EXPECT_EQ(mq.backend_name(), "sqlite");
}

TEST_F(Reload, AConfigThatWasRolledBackFromIsNotFollowedAgain) {
  {
    auto mq = open({.root = durable()});
    EXPECT_EQ(mq.roll_back().error().code(), Errc::not_found);
    EXPECT_EQ(switched(mq, {.type = "memory", .root = durable()}).phase, SwitchPhase::retired);
    EXPECT_TRUE(mq.roll_back());
    const SwitchStatus status = mq.wait_for_switch(10s);
    EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
    EXPECT_TRUE(status.config_refused);
    EXPECT_EQ(mq.backend_name(), "sqlite");
    EXPECT_EQ(reload(mq, {.type = "memory", .root = durable()}).switch_number, 0U);
  }
  {
    auto mq = open({.type = "memory", .root = durable()});
    EXPECT_EQ(mq.backend_name(), "sqlite") << "nor by a restart";
    EXPECT_EQ(mq.switch_status().phase, SwitchPhase::none);
    EXPECT_TRUE(mq.switch_status().config_refused);
    EXPECT_EQ(reload(mq, {.root = durable()}).switch_number, 0U);
    EXPECT_FALSE(mq.switch_status().config_refused) << "it names another one";
    EXPECT_EQ(switched(mq, {.type = "memory", .root = durable()}).phase, SwitchPhase::retired);
    EXPECT_TRUE(mq.roll_back());
    EXPECT_TRUE(eventually([&] { return mq.backend_name() == "sqlite"; }));
  }
  auto mq = open({.type = "memory", .root = durable()});
  EXPECT_TRUE(mq.roll_back()) << "also what was active before the restart is known";
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  EXPECT_FALSE(mq.switch_status().config_refused);
}

TEST_F(Reload, WhatIsListedNoMoreIsWatchedNoMoreOnceItIsRetired) {
  auto mq = open({});
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(mq.publish("tasks", "keeps it owed"));
  Parts memory{.type = "memory", .list_sqlite = false};
  EXPECT_GT(reload(mq, memory).switch_number, 0U);
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  reload(mq, memory);
  EXPECT_EQ(mq.wait_for_switch(300ms).phase, SwitchPhase::drain);
  EXPECT_EQ(mq.switch_status().backends.size(), 2U) << "it is owed";
  const auto owed = subscription->receive(1, 5s).value();
  ASSERT_EQ(owed.size(), 1U);
  owed[0].ack();
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  EXPECT_EQ(mq.switch_status().backends.size(), 2U) << "still watched";
  reload(mq, memory);
  EXPECT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
}

TEST_F(Reload, AWatchedBackendGetsItsNewOptionsToo) {
  auto mq = open({});
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(switched(mq, {.type = "memory"}).phase, SwitchPhase::retired);
  reload(mq, {.type = "memory", .sqlite = R"(,"lease_ms":20000)"});
  ASSERT_TRUE(open({}).publish("tasks", "late"));
  auto late = subscription->receive(1, 10s);
  ASSERT_EQ(late->size(), 1U);
  late->at(0).ack();
  EXPECT_FALSE(late->at(0).wait_settled(5s));
}

TEST_F(Reload, MemoryWouldForgetItsMessagesAndStays) {
  auto mq = open({.type = "memory"});
  ASSERT_TRUE(mq.publish("tasks", "kept"));
  const ReloadResult result =
      reload(mq, {.type = "memory", .message_queue = R"(,"pool":{"publish_sessions":3})"});
  EXPECT_EQ(result.switch_number, 0U);
  EXPECT_THAT(result.at_restart, ElementsAre("/message_queue/pool/publish_sessions"));
  EXPECT_EQ(mq.size("tasks").value(), 1U);
}

} // namespace
