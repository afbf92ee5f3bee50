// SPDX-License-Identifier: MIT
//
// A switch as an application sees it: asked for by name, under traffic, with nothing lost.
#include <gmock/gmock.h>

#include <map>

#include "switch/three_backends.h"

namespace {

namespace fs = std::filesystem;
using namespace test;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::MessageQueue;
using swapmq::SwitchPhase;
using swapmq::SwitchStatus;
using testing::HasSubstr;

class Flow : public ThreeBackends {};

TEST_F(Flow, MovesPublishersAndConsumersUnderLoadAndLosesNothing) {
  auto mq = open("sqlite");
  constexpr int publishers = 8;
  std::mutex mutex;
  std::map<std::string, int> got;
  std::vector<swapmq::Consumer> consumers;
  for (int c = 0; c < 2; ++c) {
    consumers.push_back(
        std::move(mq.consume("tasks", {.prefetch = 64, .concurrency = 2}, [&](const Delivery& d) {
                      const std::lock_guard lock(mutex);
                      ++got[std::string(d.body())];
                      return swapmq::ack();
                    }).value()));
  }
  std::atomic<bool> stop{false};
  std::vector<int> sent(publishers);
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < publishers; ++p) {
    threads.emplace_back([&, p] {
      while (!stop) {
        const auto result = mq.publish("tasks", std::to_string(p) + "/" + std::to_string(sent[p]));
        ASSERT_TRUE(result) << result.error().message();
        ++sent[p];
      }
    });
  }
  std::string active = "sqlite";
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(30ms);
    active = active == "sqlite" ? "memory" : "sqlite";
    const SwitchStatus status = switched(mq, active);
    EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
    EXPECT_EQ(mq.backend_name(), active);
    EXPECT_TRUE(backend(status, active).active);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  std::size_t all = 0;
  for (const int count : sent) all += static_cast<std::size_t>(count);
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return got.size() == all;
  })) << got.size()
      << " of " << all;
  for (const auto& [body, times] : got) EXPECT_EQ(times, 1) << body;
}

TEST_F(Flow, EachGroupGetsEveryMessageAcrossSwitches) {
  auto mq = open("sqlite", R"(,"queues":{"orders":{"groups":["a","b"]}})");
  std::mutex mutex;
  std::map<std::string, int> got[2];
  std::vector<swapmq::Consumer> consumers;
  for (int g = 0; g < 2; ++g) {
    const auto handler = [&mutex, &mine = got[g]](const Delivery& d) {
      const std::lock_guard lock(mutex);
      ++mine[std::string(d.id())];
      return swapmq::ack();
    };
    consumers.push_back(mq.consume("orders", {.group = g == 0 ? "a" : "b"}, handler).value());
  }
  std::atomic<bool> stop{false};
  std::size_t sent = 0;
  std::thread publisher([&] {
    while (!stop) {
      const auto result = mq.publish("orders", "x");
      ASSERT_TRUE(result) << result.error().message();
      ++sent;
    }
  });
  for (const char* to : {"memory", "sqlite", "memory", "sqlite"}) {
    std::this_thread::sleep_for(30ms);
    const SwitchStatus status = switched(mq, to);
    EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  }
  stop = true;
  publisher.join();
  for (auto& mine : got) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return mine.size() == sent;
    })) << mine.size()
        << " of " << sent;
    for (const auto& [id, times] : mine) EXPECT_EQ(times, 1) << id;
  }
}

TEST_F(Flow, IsNotRetiredWhileSomethingIsOwed) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "held"));
  ASSERT_TRUE(mq.publish("later", swapmq::Message{.body = "delayed", .delay = 1500ms}));
  auto subscription = mq.subscribe("tasks");
  auto held = subscription->receive(1, 5s);
  ASSERT_EQ(held->size(), 1U);
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  SwitchStatus status = mq.wait_for_switch(500ms);
  EXPECT_EQ(status.phase, SwitchPhase::drain);
  EXPECT_TRUE(backend(status, "sqlite").owed);
  EXPECT_EQ(backend(status, "sqlite").unacked, 1U);
  EXPECT_EQ(backend(status, "sqlite").delayed, 1U);
  (*held)[0].ack();
  EXPECT_FALSE((*held)[0].wait_settled(5s));
  auto later = mq.subscribe("later");
  auto delayed = later->receive(1, 5s);
  ASSERT_EQ(delayed->size(), 1U);
  EXPECT_EQ(delayed->at(0).body(), "delayed");
  EXPECT_EQ(mq.wait_for_switch(300ms).phase, SwitchPhase::drain);
  delayed->at(0).ack();
  status = mq.wait_for_switch(5s);
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_FALSE(backend(status, "sqlite").owed);
  EXPECT_TRUE(backend(status, "sqlite").left.empty());
}

TEST_F(Flow, WhatWeHoldIsOwedAlsoWhereTheBackendDoesNotKnow) {
  auto mq = open("scripted");
  ASSERT_TRUE(mq.publish("blind", "held"));
  auto subscription = mq.subscribe("blind");
  const auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  // Longer than numbers that are not exact are looked at.
  const SwitchStatus status = mq.wait_for_switch(4s);
  EXPECT_EQ(status.phase, SwitchPhase::drain);
  EXPECT_EQ(backend(status, "scripted").unacked, 0U);
  held[0].ack();
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(Flow, ARetiredBackendStaysWatched) {
  auto mq = open("sqlite");
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(switched(mq, "memory").phase, SwitchPhase::retired);
  // Another host did not hear of the switch.
  ASSERT_TRUE(open("sqlite").publish("tasks", "late"));
  auto late = subscription->receive(1, 10s);
  ASSERT_EQ(late->size(), 1U);
  EXPECT_EQ(late->at(0).body(), "late");
}

TEST_F(Flow, WhatIsForgottenIsWatchedNoMore) {
  auto mq = open("sqlite");
  EXPECT_EQ(mq.forget("memory").code(), Errc::not_found);
  EXPECT_EQ(mq.forget("sqlite").code(), Errc::invalid_argument) << "it is active";
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(switched(mq, "memory").phase, SwitchPhase::retired);
  EXPECT_FALSE(mq.forget("sqlite"));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
  auto other = open("sqlite");
  ASSERT_TRUE(other.publish("tasks", "late"));
  ASSERT_TRUE(mq.publish("tasks", "here"));
  const auto got = subscription->receive(2, 5s).value();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].body(), "here");
  EXPECT_EQ(*other.size("tasks"), 1U) << "it is untouched";
}

TEST_F(Flow, WhatWasLeftThisMomentIsNotForgottenUnasked) {
  for (int round = 0; round < 10; ++round) {
    auto mq = open("sqlite");
    ASSERT_TRUE(mq.publish("tasks", "owed"));
    ASSERT_TRUE(mq.switch_to("memory", any_loss));
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (mq.backend_name() != "memory" && std::chrono::steady_clock::now() < until) {
    }
    EXPECT_EQ(mq.forget("sqlite").code(), Errc::conflict) << "round " << round;
  }
}

TEST_F(Flow, WhatIsOwedIsGivenUpOnlyIfThatIsSaid) {
  auto mq = open_durable("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "owed"));
  auto subscription = mq.subscribe("tasks");
  const auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  ASSERT_TRUE(mq.publish("others", "owed as well"));
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  ASSERT_TRUE(eventually([&] { return backend(mq.switch_status(), "sqlite").unacked == 1; }));
  const auto refused = mq.forget("sqlite");
  EXPECT_EQ(refused.code(), Errc::conflict);
  EXPECT_THAT(refused.message(),
              HasSubstr("owed 1 ready, 1 unacked and 0 delayed messages (1 in \"others\", 1 in "
                        "\"tasks\"); they stay there"));
  EXPECT_FALSE(mq.forget("sqlite", true));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
  held[0].ack();
  EXPECT_FALSE(held[0].wait_settled(5s)) << "what was handed out is settled all the same";
  EXPECT_EQ(mq.wait_for_switch(5s).phase, SwitchPhase::retired);
  EXPECT_EQ(*open("sqlite").size("others"), 1U);
}

TEST_F(Flow, EachPhaseIsCounted) {
  auto mq = open("sqlite");
  EXPECT_EQ(switched(mq, "memory").phase, SwitchPhase::retired);
  EXPECT_EQ(switched(mq, "sqlite", {.dry_run = true}).phase, SwitchPhase::refused);
  std::map<std::string, double> counted;
  for (const auto& metric : mq.metrics()) {
    if (metric.name == "swapmq_switch_phases_total")
      counted[metric.labels[0].second] = metric.value;
  }
  EXPECT_EQ(counted,
            (std::map<std::string, double>{
                {"prepare", 2}, {"cut over", 1}, {"drain", 1}, {"retired", 1}, {"refused", 1}}));
}

TEST_F(Flow, NamesTheDeadLettersThatStay) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "bad"));
  {
    auto consumer = mq.consume("tasks", {}, [](const Delivery&) { return swapmq::reject("no"); });
    ASSERT_TRUE(eventually([&] { return *mq.size("tasks.dead") == 1; }));
  }
  const SwitchStatus status = switched(mq, "memory");
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_EQ(backend(status, "sqlite").left,
            (std::map<std::string, std::uint64_t>{{"tasks.dead", 1}}));
}

TEST_F(Flow, ATargetThatCannotBeUsedChangesNothing) {
  fs::create_directories(database()); // a folder where the file should be
  auto mq = open("memory");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  const SwitchStatus status = switched(mq, "sqlite");
  EXPECT_EQ(status.phase, SwitchPhase::failed);
  EXPECT_NE(status.error.message(), "");
  EXPECT_EQ(mq.switch_to("nowhere").error().code(), Errc::plugin);
  EXPECT_EQ(mq.switch_to("memory").error().code(), Errc::invalid_argument);
  EXPECT_EQ(mq.backend_name(), "memory");
  EXPECT_TRUE(mq.publish("tasks", "y"));
  EXPECT_EQ(*mq.size("tasks"), 2U);
}

TEST_F(Flow, RefusesWhatWouldBeLostUnlessItIsAllowed) {
  auto mq = open("sqlite");
  const SwitchStatus refused = switched(mq, "memory", {});
  EXPECT_EQ(refused.phase, SwitchPhase::refused);
  EXPECT_THAT(refused.error.message(), HasSubstr("durability power -> none"));
  EXPECT_EQ(mq.backend_name(), "sqlite");
  bool durability_lost = false;
  for (const auto& change : refused.changes) {
    durability_lost = durability_lost || (change.name == "durability" && change.lost);
  }
  EXPECT_TRUE(durability_lost);
  EXPECT_EQ(switched(mq, "memory").phase, SwitchPhase::retired);
  EXPECT_EQ(switched(mq, "sqlite", {}).phase, SwitchPhase::retired) << "nothing is lost that way";
}

TEST_F(Flow, ADryRunLooksAndMakesNothing) {
  auto mq = open("memory");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  const SwitchStatus status = switched(mq, "sqlite", {.dry_run = true});
  EXPECT_EQ(status.phase, SwitchPhase::refused);
  EXPECT_FALSE(status.error) << status.error.message();
  EXPECT_FALSE(status.changes.empty());
  EXPECT_EQ(mq.backend_name(), "memory");
  EXPECT_FALSE(open("sqlite").stats("tasks")->exists);
}

TEST_F(Flow, CanBeCancelledUntilItIsRetired) {
  auto mq = open("sqlite");
  EXPECT_EQ(mq.cancel_switch().code(), Errc::not_found);
  ASSERT_TRUE(mq.publish("tasks", "keeps it owed"));
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().phase == SwitchPhase::drain; }));
  ASSERT_TRUE(mq.publish("tasks", "on the new one"));
  EXPECT_FALSE(mq.cancel_switch());
  SwitchStatus status = mq.wait_for_switch(300ms);
  EXPECT_EQ(mq.backend_name(), "sqlite");
  EXPECT_EQ(status.phase, SwitchPhase::drain) << "what the new one confirmed is owed now";
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(take_all(*subscription, 2).size(), 2U);
  status = mq.wait_for_switch(5s);
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_EQ(mq.cancel_switch().code(), Errc::not_found);
}

TEST_F(Flow, ThreeInARowAreAChain) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "sqlite"));
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  ASSERT_TRUE(mq.publish("tasks", "memory"));
  ASSERT_TRUE(
      eventually([&] { return mq.switch_to("scripted", any_loss).error().code() == Errc::ok; }));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "scripted"; }));
  ASSERT_TRUE(mq.publish("tasks", "scripted"));
  const SwitchStatus status = mq.wait_for_switch(300ms);
  EXPECT_EQ(status.phase, SwitchPhase::drain);
  EXPECT_TRUE(backend(status, "sqlite").owed);
  EXPECT_TRUE(backend(status, "memory").owed);
  auto subscription = mq.subscribe("tasks");
  ASSERT_EQ(take_all(*subscription, 3).size(), 3U);
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(Flow, ARestartGoesOnWhereTheJournalSaysAndThenFollowsTheConfig) {
  {
    auto mq = open_durable("memory");
    EXPECT_EQ(switched(mq, "sqlite").phase, SwitchPhase::retired);
    ASSERT_TRUE(mq.publish("tasks", "kept"));
  }
  // The config was never changed.
  {
    auto mq = open_durable("memory");
    EXPECT_EQ(mq.wait_for_switch(5s).phase, SwitchPhase::refused) << "memory is less safe";
    EXPECT_EQ(mq.backend_name(), "sqlite");
  }
  auto mq = open_durable("memory", R"(,"switch":{"allow_capability_loss":true})");
  SwitchStatus status = mq.wait_for_switch(300ms);
  EXPECT_EQ(status.phase, SwitchPhase::drain);
  EXPECT_THAT(status.from, testing::StartsWith("sqlite-"));
  EXPECT_EQ(mq.backend_name(), "memory");
  EXPECT_TRUE(backend(status, "sqlite").owed);
  auto subscription = mq.subscribe("tasks");
  auto kept = subscription->receive(1, 5s);
  ASSERT_EQ(kept->size(), 1U);
  kept->at(0).ack();
  EXPECT_EQ(mq.wait_for_switch(5s).phase, SwitchPhase::retired);
}

TEST_F(Flow, TwoHostsDoNotShareAStateDir) {
  auto first = open_durable("memory");
  const auto second = try_open("sqlite", R"(,"state_dir":")" + folder_ + R"(/state")");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
}

TEST_F(Flow, ADamagedJournalIsSetAsideAndEveryListedBackendConsumedFrom) {
  {
    auto mq = open_durable("memory");
    EXPECT_EQ(switched(mq, "sqlite").phase, SwitchPhase::retired);
    ASSERT_TRUE(mq.publish("tasks", "kept"));
  }
  fs::resize_file(folder_ + "/state/journal", 20);
  auto mq = open_durable("memory");
  EXPECT_EQ(mq.backend_name(), "memory");
  auto subscription = mq.subscribe("tasks");
  auto kept = subscription->receive(1, 10s);
  ASSERT_EQ(kept->size(), 1U) << "from sqlite, which the config lists";
}

} // namespace
