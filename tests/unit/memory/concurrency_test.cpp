// SPDX-License-Identifier: MIT
//
// Many threads at once: nothing twice, nothing lost, nobody left asleep.
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "store.hpp"
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

/// Counts what was received, and tells everybody when it is all.
class Tally {
 public:
  Tally(std::size_t expected, std::deque<Session>& sessions)
      : expected_(expected), sessions_(sessions) {}

  void add(const Deliveries& got) {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : got.ids()) ++times_[id];
    received_ += got.size();
    if (received_ < expected_ || complete_) return;
    complete_ = true;
    for (Session& session : sessions_) session.interrupt();
  }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] const std::map<std::string, int>& times() const { return times_; }

 private:
  const std::size_t expected_;
  std::deque<Session>& sessions_;
  std::mutex mutex_;
  std::map<std::string, int> times_;
  std::size_t received_ = 0;
  std::atomic<bool> complete_{false};
};

void consume(Session& session, std::uint32_t prefetch, Tally& tally) {
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), prefetch);
  while (!tally.complete()) {
    const Deliveries got = session.receive(subscription, prefetch, kPatience);
    if (got.empty()) {
      EXPECT_EQ(got.status(), SWAPMQ_INTERRUPTED) << "nobody woke this consumer";
      return;
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(session.ack(subscription, got[i]), SWAPMQ_OK);
    }
    tally.add(got);
  }
}

class ManyConsumers : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(ManyConsumers, EachMessageReachesOneOfFifty) {
  constexpr std::size_t kConsumers = 50;
  constexpr int kPublishers = 4;
  constexpr int kEach = 1250;
  const Backend backend = Backend::own();
  std::deque<Session> sessions;
  for (std::size_t i = 0; i < kConsumers; ++i) sessions.emplace_back(backend);
  Tally tally(std::size_t{kPublishers} * kEach, sessions);
  std::vector<std::thread> threads;
  for (Session& session : sessions) {
    threads.emplace_back([&] { consume(session, GetParam(), tally); });
  }
  for (int p = 0; p < kPublishers; ++p) {
    threads.emplace_back([&, p] {
      Session session(backend, SWAPMQ_ROLE_PUBLISH);
      swapmq_queue* queue = session.queue("q");
      for (int i = 0; i < kEach;) {
        Ids ids;
        for (int n = 1 + i % 7; n > 0 && i < kEach; --n, ++i) {
          ids.push_back(std::to_string(p) + "/" + std::to_string(i));
        }
        session.put(queue, ids);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tally.times().size(), std::size_t{kPublishers} * kEach);
  for (const auto& [id, times] : tally.times()) EXPECT_EQ(times, 1) << id;
  Session session(backend);
  EXPECT_EQ(sizes(session, session.queue("q")), (Sizes{0, 0, 0}));
}

INSTANTIATE_TEST_SUITE_P(Prefetch, ManyConsumers, ::testing::Values(1, 8, 1000));

TEST(Concurrency, DelayedMessagesReachManyWaitersInTime) {
  constexpr std::size_t kMessages = 200;
  const Backend backend = Backend::own();
  std::deque<Session> sessions;
  for (int i = 0; i < 20; ++i) sessions.emplace_back(backend);
  Tally tally(kMessages, sessions);
  std::vector<std::thread> threads;
  for (Session& session : sessions) threads.emplace_back([&] { consume(session, 1, tally); });
  Session publisher(backend, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = publisher.queue("q");
  std::vector<Draft> drafts;
  const int64_t now_ms = backend::unix_now_ms();
  for (std::size_t i = 0; i < kMessages; ++i) {
    drafts.push_back(draft(std::to_string(i)));
    drafts.back().due_at_ms = now_ms + 200 - static_cast<int64_t>(i); // each sooner than the last
  }
  for (const Draft& one : drafts) publisher.put(queue, std::vector{one});
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tally.times().size(), kMessages);
}

TEST(Concurrency, TenClosersAtOnceLoseNothing) {
  const Backend backend = Backend::own();
  Session keeper(backend);
  swapmq_queue* queue = keeper.queue("q");
  Ids ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(std::to_string(i));
  keeper.put(queue, ids);
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      Session session(backend);
      const Deliveries held = session.receive(session.subscribe(session.queue("q")), 80);
      session.close();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(keeper.drain(keeper.subscribe(queue), 1000), ids);
}

/// Does everything at random to two queues until told to stop.
void meddle(const Backend& backend, unsigned seed, std::size_t steps) {
  std::mt19937 engine(seed);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  Session session(backend);
  const std::array queues{session.queue("q"), session.queue("r")};
  std::array subscriptions{session.subscribe(queues[0], 20), session.subscribe(queues[1], 20)};
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t which = random() % 2;
    swapmq_queue* queue = queues[which];
    swapmq_subscription*& subscription = subscriptions[which];
    const uint32_t choice = random() % 100;
    if (choice < 40) {
      std::vector<Draft> drafts(1 + random() % 5, draft("m"));
      drafts[0].priority = random() % 10;
      if (random() % 3 == 0) drafts[0].expires_at_ms = backend::unix_now_ms() + random() % 5;
      if (random() % 3 == 0) drafts[0].due_at_ms = backend::unix_now_ms() + random() % 5;
      session.publish(queue, drafts);
    } else if (choice < 90) {
      const Deliveries got = session.receive(subscription, 10, 100us);
      for (std::size_t i = 0; i < got.size(); ++i) {
        const int32_t action = 1 + static_cast<int32_t>(random() % 4);
        if (action == SWAPMQ_SETTLE_DEAD_LETTER) {
          session.dead_letter(subscription, got[i], queues[random() % 2], {{"why", "random"}});
        } else if (random() % 10 != 0) {
          session.settle(subscription, got[i], action, backend::unix_now_ms() + random() % 3);
        }
      }
    } else if (choice < 93) {
      session.unsubscribe(subscription);
      subscription = session.subscribe(queue, 20);
    } else if (choice < 95) {
      session.purge(queue);
    } else if (choice < 96) {
      session.remove(queue);
    } else {
      sizes(session, queue);
      session.list();
    }
  }
}

TEST(Concurrency, TheBooksBalanceAfterAnything) {
  const std::string name = unique_name();
  const Backend backend(R"({"name":")" + name + R"(","max_messages":300,"max_bytes":100000})");
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 6; ++i) threads.emplace_back([&, i] { meddle(backend, i, 1500); });
  for (std::thread& thread : threads) thread.join();
  Options options;
  options.name = name;
  const auto store = Store::open(options);
  Session session(backend);
  for (const char* queue : {"q", "r"}) {
    swapmq_subscription* subscription = session.subscribe(session.queue(queue));
    EXPECT_EQ(session.stats(session.queue(queue)).unacked, 0U);
    for (;;) { // what is delayed is so by a few ms at most
      const Deliveries got = session.receive(subscription, 1000, 50ms);
      if (got.empty()) break;
      for (std::size_t i = 0; i < got.size(); ++i) session.ack(subscription, got[i]);
    }
    EXPECT_EQ(sizes(session, session.queue(queue)), (Sizes{0, 0, 0}));
  }
  EXPECT_EQ(store->budget().used(), 0U);
}

} // namespace
} // namespace swapmq::memory::test
