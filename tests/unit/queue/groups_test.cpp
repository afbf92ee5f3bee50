// SPDX-License-Identifier: MIT
//
// Groups of a queue: each gets every message, whatever becomes of the others.
#include <gmock/gmock.h>

#include "support.h"

namespace {

using namespace test;
using swapmq::Errc;
using swapmq::Message;
using swapmq::MessageQueue;
using swapmq::Outcome;
using swapmq::Subscription;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* orders = R"({"orders":{"groups":["billing","mail"],"max_deliveries":1}})";

Subscription of_group(MessageQueue& mq, const std::string& queue, const std::string& group) {
  return mq.subscribe(queue, {.group = group}).value();
}

TEST(Groups, EachGetsEveryMessageWithTheSameId) {
  auto mq = open_memory("", orders);
  EXPECT_THAT(mq.groups("orders"), ElementsAre("billing", "mail"));
  EXPECT_THAT(mq.groups("tasks"), IsEmpty());
  const auto sent = mq.publish("orders", "one");
  ASSERT_TRUE(sent) << sent.error().message();
  for (const char* group : {"billing", "mail"}) {
    auto subscription = of_group(mq, "orders", group);
    const auto got = subscription.receive(10, 5s).value();
    ASSERT_EQ(got.size(), 1U) << group;
    EXPECT_EQ(got[0].body(), "one");
    EXPECT_EQ(got[0].id(), sent.id());
    EXPECT_EQ(got[0].queue(), std::string("orders@") + group);
  }
  EXPECT_FALSE(mq.stats("orders")->exists);
}

TEST(Groups, ConsumersOfOneShareItsMessages) {
  auto mq = open_memory("", orders);
  auto one = of_group(mq, "orders", "mail"), other = of_group(mq, "orders", "mail");
  std::vector<Message> messages(2, Message{.body = "x"});
  for (const auto& sent : mq.publish_many("orders", messages)) EXPECT_TRUE(sent);
  std::size_t got = 0;
  EXPECT_TRUE(eventually([&] {
    for (Subscription* each : {&one, &other}) {
      for (const auto& delivery : each->receive(1, 10ms).value()) {
        delivery.ack();
        ++got;
      }
    }
    return got == 2;
  }));
  EXPECT_THAT(one.receive(1, 50ms).value(), IsEmpty());
  EXPECT_THAT(other.receive(1, 50ms).value(), IsEmpty());
}

TEST(Groups, ManyKeepTheirOrderInEach) {
  auto mq = open_memory("", orders);
  std::vector<std::string> bodies;
  for (int i = 0; i < 1000; ++i) bodies.push_back(std::to_string(i));
  std::vector<Message> messages(bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) messages[i].body = bodies[i];
  const auto sent = mq.publish_many("orders", messages);
  for (const char* group : {"billing", "mail"}) {
    auto subscription = of_group(mq, "orders", group);
    for (std::size_t i = 0; i < bodies.size();) {
      const auto got = subscription.receive(bodies.size(), 5s).value();
      ASSERT_FALSE(got.empty());
      for (const auto& delivery : got) {
        ASSERT_EQ(delivery.body(), bodies[i]);
        ASSERT_EQ(delivery.id(), sent[i++].id());
        delivery.ack();
      }
    }
  }
}

TEST(Groups, AsynchronousPublishesTellOnce) {
  auto mq = open_memory("", orders);
  std::atomic<int> told{0}, confirmed{0};
  for (int i = 0; i < 100; ++i) {
    mq.publish_async("orders", Message{.body = "x"}, [&](const swapmq::Sent& sent) {
      ++told;
      if (sent) ++confirmed;
    });
  }
  EXPECT_TRUE(eventually([&] { return told == 100; }));
  EXPECT_EQ(confirmed, 100);
  EXPECT_EQ(*mq.size("orders@billing"), 100U);
  EXPECT_EQ(*mq.size("orders@mail"), 100U);
  ASSERT_FALSE(mq.close());
  EXPECT_EQ(told, 100);
}

TEST(Groups, TheQueueItselfCanBeOneOfThem) {
  auto mq = open_memory("", R"({"orders":{"groups":["","audit"]}})");
  ASSERT_TRUE(mq.publish("orders", "one"));
  EXPECT_EQ(*mq.size("orders"), 1U);
  EXPECT_EQ(*mq.size("orders@audit"), 1U);
  EXPECT_EQ(mq.subscribe("orders")->receive(1, 5s)->at(0).queue(), "orders");
}

TEST(Groups, OneThatIsNotListedIsNone) {
  auto mq = open_memory("", orders);
  const auto wrong = mq.subscribe("orders", {.group = "biling"});
  EXPECT_EQ(wrong.error().code(), Errc::invalid_argument);
  EXPECT_THAT(wrong.error().message(),
              AllOf(HasSubstr(R"("billing", "mail", not "biling")"), HasSubstr(R"("queues")")));
  const auto none =
      mq.consume("tasks", {.group = "mail"}, [](const auto&) { return swapmq::ack(); });
  EXPECT_THAT(none.error().message(), HasSubstr("has no groups"));
}

TEST(Groups, HaveTheSettingsOfTheirQueue) {
  auto mq = open_memory("", orders);
  ASSERT_TRUE(mq.publish("orders", "one"));
  auto mail = of_group(mq, "orders", "mail");
  const auto failed = mail.receive(1, 5s).value();
  ASSERT_EQ(failed.size(), 1U);
  failed[0].nack();
  EXPECT_FALSE(failed[0].wait_settled(5s));
  EXPECT_EQ(*mq.size("orders@mail.dead"), 1U);
  EXPECT_EQ(*mq.size("orders@billing"), 1U);
}

TEST(Groups, OfAQueueWithARole) {
  auto mq = open_memory("", R"({"@task":{"groups":["a"]}})");
  ASSERT_TRUE(mq.publish("@task", "one"));
  EXPECT_THAT(mq.groups("@task"), ElementsAre("a"));
  EXPECT_EQ(of_group(mq, "@task", "a").receive(1, 5s)->at(0).queue(), "tasks@a");
  EXPECT_EQ(*mq.size("@task@a"), 1U);
}

TEST(Groups, AMessageThatNoneHasHasFailed) {
  auto mq = open_scripted("},\"queues\":{\"refused\":{\"groups\":[\"\",\"b\"]}");
  const auto sent = mq.publish("refused", "one");
  EXPECT_EQ(sent.outcome(), Outcome::failed);
  EXPECT_EQ(*mq.size("refused@b"), 0U);
}

TEST(Groups, OneThatOnlySomeHaveIsInDoubt) {
  auto mq = open_memory("", R"({"orders":{"groups":["a","b"]},"orders@b":{"max_length":1}})");
  ASSERT_TRUE(mq.publish("orders", "fits"));
  const auto sent =
      mq.publish("orders", Message{.body = "too much", .id = "given"}, {.timeout = 200ms});
  EXPECT_EQ(sent.outcome(), Outcome::in_doubt);
  EXPECT_EQ(sent.id(), "given");
  EXPECT_THAT(sent.error().message(),
              AllOf(HasSubstr("orders@b: "), HasSubstr("other groups may have the message")));
  EXPECT_EQ(*mq.size("orders@a"), 2U);
  EXPECT_EQ(*mq.size("orders@b"), 1U);
  // Those that were confirmed of the same call are.
  of_group(mq, "orders", "b").receive(1, 5s)->at(0).ack();
}

TEST(Groups, OfMessagesPublishedTogetherEachHasItsOwnOutcome) {
  auto mq = open_memory("", R"({"orders":{"groups":["a","b"]},"orders@b":{"max_length":2}})");
  std::vector<Message> messages(3, Message{.body = "x"});
  const auto sent = mq.publish_many("orders", messages, {.timeout = 200ms});
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_TRUE(sent[0]);
  EXPECT_TRUE(sent[1]);
  EXPECT_EQ(sent[2].outcome(), Outcome::in_doubt);
}

TEST(Groups, AsynchronouslyToo) {
  auto mq = open_memory("", R"({"orders":{"groups":["a","b"]},"orders@b":{"max_length":1}})");
  ASSERT_TRUE(mq.publish("orders", "fits"));
  Seen seen;
  mq.publish_async("orders", Message{.body = "x"},
                   [&](const swapmq::Sent& sent) { seen.add(to_string(sent.outcome())); },
                   {.timeout = 200ms});
  EXPECT_TRUE(eventually([&] { return !seen.all().empty(); }));
  EXPECT_THAT(seen.all(), ElementsAre("in doubt"));
}

TEST(Groups, ComeAndGoWithAReload) {
  const auto config = [](const std::string& groups) {
    return R"({"message_queue":{"type":"memory","memory":{"name":"groups-)" +
           std::to_string(getpid()) + R"("}},"queues":{"orders":)" + groups +
           R"(},"log":{"level":"off"}})";
  };
  auto mq = MessageQueue::try_open_text(config("{}")).value();
  ASSERT_TRUE(mq.publish("orders", "before"));
  const auto reloaded = mq.reload_text(config(R"({"groups":["a"]})"));
  ASSERT_TRUE(reloaded) << reloaded.error().message();
  EXPECT_THAT(reloaded->live, ElementsAre("/queues/orders/groups"));
  ASSERT_TRUE(mq.publish("orders", "with"));
  auto a = of_group(mq, "orders", "a");
  const auto with = a.receive(10, 5s).value();
  ASSERT_EQ(with.size(), 1U);
  EXPECT_EQ(with[0].body(), "with");
  ASSERT_TRUE(mq.reload_text(config("{}")));
  ASSERT_TRUE(mq.publish("orders", "after"));
  EXPECT_THAT(a.receive(10, 50ms).value(), IsEmpty());
  auto plain = mq.subscribe("orders").value();
  EXPECT_EQ(take_all(plain, 2), (std::set<std::string>{"before", "after"}));
}

} // namespace
