// SPDX-License-Identifier: MIT
//
// Draining: what is in flight ends, what is buffered goes back, and everything has a deadline.
#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::Settling;

TEST(Close, HandlersInFlightFinishAndTheRestGoesBack) {
  auto mq = open_memory();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(mq.publish("tasks", std::to_string(i)));
  std::atomic<bool> go{false};
  std::atomic<int> started{0}, finished{0};
  auto consumer = mq.consume("tasks", {.prefetch = 50, .concurrency = 4}, [&](const Delivery&) {
    ++started;
    while (!go) std::this_thread::sleep_for(1ms);
    ++finished;
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return started == 4; }));
  std::thread closing([&] { EXPECT_FALSE(consumer->close(10s)); });
  EXPECT_TRUE(
      eventually([&] { return mq.stats("tasks")->unacked == 4; })); // the buffered went back
  go = true;
  closing.join();
  EXPECT_EQ(finished, 4);
  EXPECT_EQ(mq.stats("tasks")->unacked, 0U);
  EXPECT_EQ(*mq.size("tasks"), 96U);
  // In their old places, uncounted.
  auto subscription = mq.subscribe("tasks");
  auto got = subscription->receive(1, 5s);
  ASSERT_EQ(got->size(), 1U);
  EXPECT_EQ((*got)[0].body(), "4");
  EXPECT_EQ((*got)[0].delivery_count(), 1U);
}

TEST(Close, AHandlerThatIsTooSlowLosesItsDelivery) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  std::atomic<bool> started{false}, go{false};
  std::atomic<int> said{-1};
  {
    auto consumer = mq.consume("tasks", {}, [&](const Delivery& d) {
      started = true;
      while (!go) std::this_thread::sleep_for(1ms);
      said = static_cast<int>(d.ack());
      return swapmq::keep();
    });
    ASSERT_TRUE(eventually([&] { return started.load(); }));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(consumer->close(100ms).code(), Errc::timeout);
    EXPECT_LE(std::chrono::steady_clock::now() - before, 2s);
    EXPECT_EQ(*mq.size("tasks"), 1U); // it went back
    go = true;
  }
  EXPECT_EQ(said, static_cast<int>(Settling::lost));
}

TEST(Close, DeliveriesMayOutliveEverything) {
  Delivery kept;
  {
    auto mq = open_memory();
    ASSERT_TRUE(mq.publish("tasks", "still here"));
    auto subscription = mq.subscribe("tasks");
    auto got = subscription->receive(1, 5s);
    ASSERT_EQ(got->size(), 1U);
    kept = (*got)[0];
  }
  EXPECT_EQ(kept.body(), "still here");
  EXPECT_EQ(kept.ack(), Settling::lost);
}

TEST(Close, AMessageQueueClosesItsConsumersAndRefusesMore) {
  auto mq = open_memory();
  auto consumer = mq.consume("tasks", {}, [](const Delivery&) { return swapmq::ack(); });
  auto subscription = mq.subscribe("other");
  EXPECT_FALSE(mq.close(5s));
  EXPECT_EQ(mq.publish("tasks", "x").error().code(), Errc::closed);
  EXPECT_EQ(mq.subscribe("tasks").error().code(), Errc::closed);
  EXPECT_EQ(mq.stats("tasks").error().code(), Errc::closed);
  EXPECT_EQ(subscription->receive(1, 10ms).error().code(), Errc::closed);
  EXPECT_FALSE(mq.close(5s)); // twice is fine
  int called = 0;
  mq.publish_async("tasks", {.body = "x"}, [&](const swapmq::Sent& sent) {
    ++called;
    EXPECT_EQ(sent.error().code(), Errc::closed);
  });
  EXPECT_EQ(called, 1);
}

TEST(Close, WaitsForWhatIsBeingPublished) {
  auto mq = open_scripted();
  std::atomic<int> confirmed{0};
  for (int i = 0; i < 10; ++i) {
    mq.publish_async("slow-50", {.body = "x"},
                     [&](const swapmq::Sent& sent) { confirmed += sent ? 1 : 0; });
  }
  EXPECT_FALSE(mq.close(10s));
  EXPECT_EQ(confirmed, 10);
}

TEST(Close, GivesUpPublishingAtItsDeadline) {
  auto mq = open_scripted();
  std::atomic<int> failed{0};
  for (int i = 0; i < 10; ++i) {
    mq.publish_async("down", {.body = "x"}, [&](const swapmq::Sent& sent) {
      failed += sent.outcome() == swapmq::Outcome::failed ? 1 : 0;
    });
  }
  const auto before = std::chrono::steady_clock::now();
  mq.close(200ms);
  EXPECT_LE(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_EQ(failed, 10);
}

TEST(Close, DoesNotWaitOutThePausesBetweenAttempts) {
  auto mq = open_scripted();
  std::atomic<int> failed{0};
  for (int queue = 0; queue < 20; ++queue) { // their pauses have grown to a second or two
    mq.publish_async("down-" + std::to_string(queue), {.body = "x"},
                     [&](const swapmq::Sent& sent) { failed += sent ? 0 : 1; });
  }
  ASSERT_TRUE(eventually([&] { return metric(mq, "swapmq_publish_retries_total") >= 20 * 7; }));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(mq.close(0ms).code(), Errc::timeout);
  EXPECT_LE(std::chrono::steady_clock::now() - before, 500ms);
  EXPECT_EQ(failed, 20);
}

TEST(Close, WhileOthersPublishConfirmsNothingThatIsNotThere) {
  const std::string shared =
      R"({"message_queue":{"type":"memory","memory":{"name":"closing"}},"log":{"level":"off"}})";
  auto observer = swapmq::MessageQueue::try_open_text(shared);
  ASSERT_TRUE(observer) << observer.error().message();
  std::atomic<std::uint64_t> confirmed{0};
  {
    auto mq = swapmq::MessageQueue::try_open_text(shared);
    ASSERT_TRUE(mq);
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&] {
        while (true) {
          const auto sent = mq->publish("tasks", "x");
          if (!sent) {
            EXPECT_EQ(sent.error().code(), Errc::closed);
            return;
          }
          ++confirmed;
        }
      });
    }
    ASSERT_TRUE(eventually([&] { return confirmed > 1000; }));
    EXPECT_FALSE(mq->close(5s));
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(*observer->size("tasks"), confirmed.load());
}

TEST(Close, EveryAsynchronousPublishHearsOfItsEnd) {
  for (int round = 0; round < 150; ++round) {
    auto mq = open_memory();
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::atomic<bool> closed{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        while (!closed) {
          ++asked;
          mq.publish_async("tasks", {.body = "x"}, [&](const swapmq::Sent&) { ++answered; });
        }
      });
    }
    ASSERT_TRUE(eventually([&] { return answered > 100; }));
    mq.close(5s);
    closed = true;
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(answered, asked) << "in round " << round;
  }
}

TEST(Close, ClosesTheBackendThoughTheObjectsRemain) {
  const std::string shared =
      R"({"message_queue":{"type":"memory","memory":{"name":"closed"}},"log":{"level":"off"}})";
  auto mq = swapmq::MessageQueue::try_open_text(shared);
  ASSERT_TRUE(mq->publish("tasks", "forgotten with the last backend of that name"));
  auto consumer = mq->consume("other", {}, [](const Delivery&) { return swapmq::ack(); });
  EXPECT_FALSE(mq->close(5s));
  auto again = swapmq::MessageQueue::try_open_text(shared);
  EXPECT_EQ(*again->size("tasks"), 0U);
}

TEST(Close, LetsNobodyBeginToConsumeOnceItHasBegun) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  std::atomic<bool> handling{false};
  std::atomic<bool> go_on{false};
  auto consumer = mq.consume("tasks", {}, [&](const Delivery&) {
    handling = true;
    eventually([&] { return go_on.load(); });
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return handling.load(); }));
  std::atomic<bool> closed{false};
  std::thread closing([&] {
    EXPECT_FALSE(mq.close(20s));
    closed = true;
  });
  EXPECT_TRUE(eventually([&] { return mq.subscribe("other").error().code() == Errc::closed; }));
  EXPECT_FALSE(closed) << "it was let in until all was closed";
  go_on = true;
  closing.join();
}

} // namespace
