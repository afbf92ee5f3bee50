// SPDX-License-Identifier: MIT
//
// Many sessions, several backends, one file: nothing twice, nothing lost, nobody told that it is
// busy.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

TEST(Concurrency, EachMessageGoesToOneOfManyConsumers) {
  constexpr int kPublishers = 3;
  constexpr int kConsumers = 8;
  constexpr int kBatches = 20;
  constexpr int kPerBatch = 25;
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  const Opened again(Opened::options(folder / "q.db"));
  std::atomic<int> received{0};
  std::mutex mutex;
  std::map<std::string, int> seen;
  std::vector<std::thread> threads;
  for (int p = 0; p < kPublishers; ++p) {
    threads.emplace_back([&, p] {
      SessionPtr session(p % 2 == 0 ? opened : again, SWAPMQ_ROLE_PUBLISH);
      swapmq_queue* queue = session.queue("q");
      for (int b = 0; b < kBatches; ++b) {
        std::vector<std::string> ids;
        for (int i = 0; i < kPerBatch; ++i) {
          ids.push_back(std::to_string(p) + "-" + std::to_string(b * kPerBatch + i));
        }
        const Published published = session.publish_ids(queue, ids);
        EXPECT_TRUE(published.confirmed()) << published.outcome;
      }
    });
  }
  constexpr int kAll = kPublishers * kBatches * kPerBatch;
  for (int c = 0; c < kConsumers; ++c) {
    threads.emplace_back([&, c] {
      SessionPtr session(c % 2 == 0 ? opened : again);
      swapmq_subscription* subscription = session.subscribe(session.queue("q"), 20);
      while (received < kAll) {
        const BatchPtr batch = session.receive(subscription, 7, milliseconds(50));
        received += static_cast<int>(batch.size());
        session.ack_all(subscription, batch);
        const std::lock_guard lock(mutex);
        for (const std::string& id : batch.ids()) ++seen[id];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kAll));
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
  SessionPtr admin(opened, SWAPMQ_ROLE_ADMIN);
  EXPECT_EQ(sizes(admin.stats(admin.queue("q"))), "0/0/0");
}

TEST(Concurrency, ManyMayOpenANewFileAtOnce) {
  const TempFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Opened opened(Opened::options(folder / "sub/folder/q.db"));
      ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
      SessionPtr session(opened);
      EXPECT_TRUE(session.publish_ids(session.queue("q"), {std::to_string(i)}).confirmed());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Opened opened(Opened::options(folder / "sub/folder/q.db"));
  SessionPtr session(opened);
  EXPECT_EQ(sizes(session.stats(session.queue("q"))), "8/0/0");
}

TEST(Concurrency, TenClosersAtOnceLoseNothing) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr publisher(opened, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = publisher.queue("q");
  std::vector<std::string> ids;
  for (int i = 1000; i < 1100; ++i) ids.push_back(std::to_string(i));
  ASSERT_TRUE(publisher.publish_ids(queue, ids).confirmed());
  std::vector<std::unique_ptr<SessionPtr>> sessions;
  for (int i = 0; i < 10; ++i) {
    sessions.push_back(std::make_unique<SessionPtr>(opened));
    SessionPtr& session = *sessions.back();
    ASSERT_EQ(session.receive(session.subscribe(session.queue("q")), 10).size(), 10u);
  }
  std::vector<std::thread> closers;
  for (auto& session : sessions) closers.emplace_back([&session] { session->close(); });
  for (std::thread& closer : closers) closer.join();
  SessionPtr last(opened);
  EXPECT_EQ(last.receive(last.subscribe(last.queue("q")), 1000).ids(), ids);
}

class RawConnection {
 public:
  explicit RawConnection(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle_), SQLITE_OK);
  }
  ~RawConnection() { sqlite3_close(handle_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  void run(const char* sql) {
    EXPECT_EQ(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle_);
  }

 private:
  sqlite3* handle_ = nullptr;
};

TEST(Concurrency, AFileThatIsLockedEndsTheCallAtItsDeadlineAndNotWithBusy) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  ASSERT_TRUE(session.publish_ids(queue, {"a"}).confirmed());
  RawConnection locker(folder / "q.db");
  locker.run("BEGIN IMMEDIATE");
  Text text;
  text.id = "b";
  const auto begin = Clock::now();
  const Published late = session.publish(queue, {text}, milliseconds(100));
  EXPECT_LT(Clock::now() - begin, milliseconds(2000));
  EXPECT_EQ(late.outcome.status, SWAPMQ_TIMEOUT) << late.outcome;
  EXPECT_EQ(late.outcome.flags, SWAPMQ_ERROR_RETRYABLE);
  EXPECT_TRUE(late.all(SWAPMQ_PUBLISH_FAILED));
  std::thread unlocking([&] {
    std::this_thread::sleep_for(milliseconds(50));
    locker.run("COMMIT");
  });
  EXPECT_TRUE(session.publish(queue, {text}).confirmed());
  unlocking.join();
  EXPECT_EQ(sizes(session.stats(queue)), "2/0/0");
}

TEST(Concurrency, BusyTimeoutEndsBeforeAFarDeadline) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db", "\"busy_timeout_ms\": 60"));
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  ASSERT_TRUE(session.publish_ids(queue, {"a"}).confirmed());
  RawConnection locker(folder / "q.db");
  locker.run("BEGIN IMMEDIATE");
  const Published late = session.publish_ids(queue, {"b"});
  EXPECT_EQ(late.outcome.status, SWAPMQ_UNAVAILABLE) << late.outcome;
  EXPECT_EQ(late.outcome.flags, SWAPMQ_ERROR_RETRYABLE);
  locker.run("COMMIT");
  EXPECT_TRUE(session.publish_ids(queue, {"b"}).confirmed());
}

TEST(Concurrency, AConsumerThatCouldNotGiveBackAtCloseDoesItLater) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr keeper(opened);
  swapmq_queue* queue = keeper.queue("q");
  ASSERT_TRUE(keeper.publish_ids(queue, {"a"}).confirmed());
  {
    RawConnection locker(folder / "q.db");
    SessionPtr closing(opened);
    ASSERT_EQ(closing.receive(closing.subscribe(closing.queue("q")), 1).size(), 1u);
    locker.run("BEGIN IMMEDIATE");
    const auto begin = Clock::now();
    closing.close();
    EXPECT_LT(Clock::now() - begin, milliseconds(5000)) << "closing does not wait for long";
  }
  const BatchPtr batch = keeper.receive(keeper.subscribe(queue), 1, milliseconds(10000));
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].delivery_count, 1u) << "it is a release, however late";
}

} // namespace
} // namespace swapmq::test
