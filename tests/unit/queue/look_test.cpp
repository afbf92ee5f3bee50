// SPDX-License-Identifier: MIT
//
// Opening, looking, managing.
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "support.h"

namespace {

using namespace test;
using swapmq::Errc;

TEST(Look, QueuesAreCreatedCountedPurgedAndDeleted) {
  auto mq = open_memory();
  EXPECT_FALSE(mq.stats("tasks")->exists);
  EXPECT_FALSE(mq.create_queue("tasks"));
  EXPECT_FALSE(mq.create_queue("tasks"));
  EXPECT_TRUE(mq.stats("tasks")->exists);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("tasks", "x"));
  ASSERT_TRUE(mq.publish("tasks", swapmq::Message{.body = "later", .delay = 1h}));
  const auto stats = mq.stats("tasks");
  EXPECT_EQ(stats->ready, 3U);
  EXPECT_EQ(stats->delayed, 1U);
  EXPECT_EQ(stats->unacked, 0U);
  EXPECT_EQ(stats->ready_precision, swapmq::Precision::exact);
  EXPECT_EQ(*mq.list_queues(), std::vector<std::string>{"tasks"});
  EXPECT_EQ(*mq.purge("tasks"), 4U);
  EXPECT_EQ(*mq.purge("tasks"), 0U);
  EXPECT_FALSE(mq.delete_queue("tasks"));
  EXPECT_FALSE(mq.delete_queue("tasks"));
  EXPECT_TRUE(mq.list_queues()->empty());
  EXPECT_FALSE(mq.ping());
}

TEST(Look, SessionsAreCountedByRole) {
  auto mq = open_memory(R"(,"pool":{"publish_sessions":3})");
  const auto of = [&](const char* name, const char* role) {
    return metric(mq, name, {{"backend", "memory"}, {"role", role}});
  };
  EXPECT_EQ(of("swapmq_sessions_limit", "publish"), 3);
  EXPECT_EQ(of("swapmq_sessions_limit", "admin"), 1);
  EXPECT_EQ(of("swapmq_sessions_in_use", "consume"), 0);
  auto subscription = mq.subscribe("tasks");
  EXPECT_TRUE(eventually([&] { return of("swapmq_sessions_in_use", "consume") == 1; }));
  EXPECT_EQ(of("swapmq_sessions_opened_total", "consume"), 1);
  ASSERT_FALSE(subscription->close());
  EXPECT_EQ(of("swapmq_sessions_in_use", "consume"), 0);
  EXPECT_EQ(of("swapmq_sessions_in_use", "publish"), 0);
  EXPECT_EQ(of("swapmq_sessions_broken_total", "consume"), 0);
}

TEST(Look, PeekShowsAndTakesNothing) {
  auto mq = open_memory();
  for (const char* body : {"a", "b", "c"}) ASSERT_TRUE(mq.publish("tasks", body));
  auto shown = mq.peek("tasks", 2).value();
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].body(), "a");
  EXPECT_EQ(shown[1].queue(), "tasks");
  EXPECT_EQ(shown[0].delivery_count(), 1U);
  EXPECT_EQ(shown[0].ack(), swapmq::Settling::lost) << "it is nobody's to settle";
  EXPECT_EQ(shown[0].wait_settled(1s).code(), Errc::lost);
  const auto delivered = metric(mq, "swapmq_delivered_total", {{"queue", "tasks"}});
  EXPECT_EQ(delivered, 0) << "it was delivered to nobody";
  EXPECT_EQ(*mq.size("tasks"), 3U);
  EXPECT_FALSE(mq.close());
  EXPECT_EQ(shown[1].body(), "b") << "it outlives the queue";
  EXPECT_EQ(mq.peek("tasks", 0).error().code(), Errc::invalid_argument);
  EXPECT_EQ(open_scripted().peek("tasks", 1).error().code(), Errc::not_supported);
}

TEST(Look, DescribesItsBackend) {
  auto mq = open_memory();
  EXPECT_EQ(mq.backend_name(), "memory");
  EXPECT_EQ(mq.backend().name, "memory");
  EXPECT_FALSE(mq.backend().capabilities.empty());
  auto scripted = open_scripted();
  EXPECT_EQ(scripted.list_queues().error().code(), Errc::not_supported);
  EXPECT_EQ(scripted.purge("tasks").error().code(), Errc::not_supported);
}

TEST(Look, TheSameConfigButForOneWordOpensAnotherBackend) {
  const std::string before =
      R"({"message_queue":{"type":"memory","sqlite":{"path":"PATH"}},"log":{"level":"off"}})";
  char folder[] = "/tmp/swapmq-look-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string base = folder;
  const auto write = [&](std::string text) {
    text.replace(text.find("PATH"), 4, base + "/queues.db");
    std::ofstream(base + "/swapmq.json") << text;
  };
  write(before);
  { EXPECT_EQ(swapmq::MessageQueue::open(base + "/swapmq.json").backend_name(), "memory"); }
  std::string after = before;
  after.replace(after.find("memory\""), 6, "sqlite");
  write(after);
  {
    auto mq = swapmq::MessageQueue::open(base + "/swapmq.json");
    EXPECT_EQ(mq.backend_name(), "sqlite");
    EXPECT_TRUE(mq.publish("tasks", "x"));
  }
  {
    auto mq = swapmq::MessageQueue::open(base + "/swapmq.json");
    EXPECT_EQ(*mq.size("tasks"), 1U);
  }
  std::system(("rm -r " + base).c_str());
}

TEST(Look, OpenSaysWhatIsWrong) {
  EXPECT_EQ(swapmq::MessageQueue::try_open("/nowhere/swapmq.json").error().code(), Errc::config);
  EXPECT_THROW(swapmq::MessageQueue::open("/nowhere/swapmq.json"), swapmq::Exception);
  const auto unknown =
      swapmq::MessageQueue::try_open_text(R"({"message_queue":{"type":"nosuch"}})", "x.json");
  EXPECT_EQ(unknown.error().code(), Errc::plugin);
  EXPECT_NE(unknown.error().message().find("nosuch"), std::string::npos);
  const auto wrong = swapmq::MessageQueue::try_open_text(
      R"({"message_queue":{"type":"memory","max_retrys":1,"retry_delay_seconds":"x"}})", "x.json");
  EXPECT_EQ(wrong.error().code(), Errc::config);
  EXPECT_NE(wrong.error().message().find("max_retries"), std::string::npos);
  EXPECT_NE(wrong.error().message().find('\n'), std::string::npos); // both at once
}

TEST(Look, CountsWhatHappens) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  const std::vector<std::pair<std::string, std::string>> labels{{"queue", "tasks"},
                                                                {"backend", "memory"}};
  EXPECT_EQ(metric(mq, "swapmq_published_total", labels), 1);
  for (const auto& one : mq.metrics()) {
    if (one.name != "swapmq_publish_seconds") continue;
    EXPECT_EQ(one.value, 1);
    EXPECT_GT(one.sum, 0);
    ASSERT_FALSE(one.buckets.empty());
    EXPECT_EQ(one.buckets.back().second, 1U);
  }
}

TEST(Look, ALogFileThatIsAPipeIsRefusedAtOnce) {
  std::string folder = (std::filesystem::temp_directory_path() / "swapmq-log-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string pipe = folder + "/log";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto opened = swapmq::MessageQueue::try_open_text(
      R"({"message_queue":{"type":"memory"},"log":{"file":")" + pipe + R"("}})");
  EXPECT_EQ(opened.error().code(), swapmq::Errc::config);
  EXPECT_NE(opened.error().message().find("is a pipe"), std::string::npos);
  std::filesystem::remove_all(folder);
}

} // namespace
