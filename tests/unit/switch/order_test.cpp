// SPDX-License-Identifier: MIT
//
// Strict order across a switch: what was published to the new backend comes after all of the old.
#include <gmock/gmock.h>

#include "switch/three_backends.h"

namespace {

using namespace test;
using swapmq::BacklogPolicy;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::Message;
using swapmq::SwitchOptions;
using swapmq::SwitchOrder;
using swapmq::SwitchPhase;
using swapmq::SwitchStatus;
using testing::HasSubstr;

constexpr SwitchOptions strict{.allow_capability_loss = true, .order = SwitchOrder::strict};

class StrictOrder : public ThreeBackends {
 protected:
  static std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> all;
    for (int i = from; i < to; ++i) all.push_back(std::to_string(i));
    return all;
  }
  static void publish(swapmq::MessageQueue& mq, int from, int to) {
    for (const std::string& body : numbers(from, to)) ASSERT_TRUE(mq.publish("tasks", body));
  }
};

TEST_F(StrictOrder, TheNewBackendIsConsumedAfterTheOldOne) {
  auto mq = open("sqlite");
  publish(mq, 0, 500);
  Seen seen;
  auto consumer = mq.consume("tasks", {.prefetch = 2}, [&](const Delivery& d) {
    seen.add(d.body());
    std::this_thread::sleep_for(500us); // so that the new one has its messages meanwhile
    return swapmq::ack();
  });
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  publish(mq, 500, 1000);
  ASSERT_TRUE(eventually([&] { return seen.size() == 1000; })) << seen.size();
  EXPECT_EQ(seen.all(), numbers(0, 1000));
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(StrictOrder, ToAndFroUnderLoad) {
  auto mq = open("sqlite");
  Seen seen;
  auto consumer = mq.consume("tasks", {.prefetch = 16}, [&](const Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  std::atomic<bool> stop{false};
  int sent = 0;
  std::thread publisher([&] {
    for (; !stop; ++sent) ASSERT_TRUE(mq.publish("tasks", std::to_string(sent)));
  });
  std::string active = "sqlite";
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(30ms);
    active = active == "sqlite" ? "memory" : "sqlite";
    const SwitchStatus status = switched(mq, active, strict);
    EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  }
  stop = true;
  publisher.join();
  ASSERT_TRUE(eventually([&] { return seen.size() == static_cast<std::size_t>(sent); }));
  EXPECT_EQ(seen.all(), numbers(0, sent));
}

TEST_F(StrictOrder, WhatIsHeldKeepsTheNewBackendClosed) {
  auto mq = open("sqlite");
  publish(mq, 0, 2);
  auto subscription = mq.subscribe("tasks", {.prefetch = 2});
  const auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  publish(mq, 2, 3);
  const auto second = subscription->receive(8, 5s).value();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].body(), "1");
  second[0].ack();
  EXPECT_TRUE(subscription->receive(8, 1s)->empty()) << "0 is not settled";
  held[0].ack();
  EXPECT_EQ(subscription->receive(8, 5s)->at(0).body(), "2");
}

TEST_F(StrictOrder, WhatIsNackedWithADelayDoesNotKeepItClosed) {
  auto mq = open("sqlite");
  publish(mq, 0, 1);
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  publish(mq, 1, 2);
  const auto first = subscription->receive(1, 5s).value();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].body(), "0");
  first[0].nack(5s);
  const auto second = subscription->receive(1, 3s).value();
  ASSERT_EQ(second.size(), 1U) << "it was delivered once";
  EXPECT_EQ(second[0].body(), "1");
}

TEST_F(StrictOrder, GoesOnAfterARestart) {
  {
    auto mq = open_durable("sqlite");
    publish(mq, 0, 3);
    ASSERT_TRUE(mq.switch_to("scripted", strict));
    ASSERT_TRUE(eventually([&] { return mq.backend_name() == "scripted"; }));
  }
  auto mq = open_durable("scripted");
  ASSERT_EQ(mq.backend_name(), "scripted");
  auto subscription = mq.subscribe("tasks", {.prefetch = 1});
  publish(mq, 3, 4);
  for (const std::string& body : numbers(0, 4)) {
    const auto one = subscription->receive(1, 10s).value();
    ASSERT_EQ(one.size(), 1U) << body;
    EXPECT_EQ(one[0].body(), body);
    one[0].ack();
  }
}

TEST_F(StrictOrder, ABackendThatIsOwedHasToBeEmptiedBeforeItGetsNewMessages) {
  auto mq = open("sqlite");
  publish(mq, 0, 1);
  auto subscription = mq.subscribe("tasks", {.prefetch = 1});
  const auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  publish(mq, 1, 2);
  SwitchOptions hasty = strict;
  hasty.prepare_timeout = 300ms;
  const SwitchStatus failed = switched(mq, "sqlite", hasty);
  EXPECT_EQ(failed.phase, SwitchPhase::failed);
  EXPECT_THAT(failed.error.message(), HasSubstr("has to be empty before"));
  ASSERT_TRUE(mq.switch_to("sqlite", strict));
  EXPECT_EQ(mq.wait_for_switch(500ms).phase, SwitchPhase::prepare) << "it waits";
  EXPECT_EQ(mq.backend_name(), "memory");
  held[0].ack();
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "sqlite"; }));
  EXPECT_EQ(take_all(*subscription, 1), std::set<std::string>{"1"});
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(StrictOrder, ASwitchThatWaitsIsCancelledByTheNextOne) {
  const std::string more = R"(,"switch":{"allow_capability_loss":true})";
  auto mq = std::move(try_open("sqlite", more)).value();
  publish(mq, 0, 1);
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  ASSERT_TRUE(mq.switch_to("sqlite", strict));
  EXPECT_EQ(mq.wait_for_switch(300ms).phase, SwitchPhase::prepare) << "it is owed a message";
  ASSERT_TRUE(mq.reload_text(text("scripted", more), "test"));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "scripted"; }));
  EXPECT_EQ(metric(mq, "swapmq_switch_phases_total", {{"phase", "cancelled"}}), 1);
}

TEST_F(StrictOrder, CannotBeKeptByMoving) {
  auto mq = open("sqlite");
  SwitchOptions both = strict;
  both.policy = BacklogPolicy::transfer;
  const auto refused = mq.switch_to("memory", both);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_argument);
  EXPECT_THAT(refused.error().message(), HasSubstr("lose their order"));
}

TEST_F(StrictOrder, GivingUpADeadBackendOpensTheNewOne) {
  auto mq = open("sqlite");
  publish(mq, 0, 1);
  ASSERT_TRUE(mq.switch_to("memory", strict));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  ASSERT_FALSE(mq.forget("sqlite", true));
  ASSERT_TRUE(eventually([&] {
    const auto backends = mq.switch_status().backends;
    return backends.size() == 1 &&
           backends[0].name == "memory"; // not the list of before the switch
  }));
  publish(mq, 1, 2);
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(subscription->receive(1, 5s)->at(0).body(), "1");
}

TEST_F(StrictOrder, WhoeverOnlyPublishesWaitsUntilOthersAreDoneWithTheOldBackend) {
  auto producer = open("sqlite");
  auto host = open("sqlite");
  Seen seen;
  publish(producer, 0, 200);
  ASSERT_TRUE(host.switch_to("memory", strict)); // the consumer goes first
  ASSERT_TRUE(eventually([&] { return host.backend_name() == "memory"; }));
  SwitchOptions holding = strict;
  holding.hold_publishes = true;
  ASSERT_TRUE(producer.switch_to("memory", holding));
  ASSERT_TRUE(eventually([&] { return producer.backend_name() == "memory"; }));
  const auto held =
      producer.publish("tasks", "too early", {.timeout = std::chrono::milliseconds(300)});
  EXPECT_EQ(held.outcome(), swapmq::Outcome::failed) << "nothing was sent";
  EXPECT_THAT(held.error().message(), HasSubstr("strict order"));
  std::thread publisher([&] { publish(producer, 200, 400); });
  auto consumer = host.consume("tasks", {.prefetch = 4}, [&](const Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  publisher.join();
  ASSERT_TRUE(eventually([&] { return seen.size() == 400; })) << seen.size();
  EXPECT_EQ(seen.all(), numbers(0, 400));
}

} // namespace
