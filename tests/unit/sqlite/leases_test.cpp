// SPDX-License-Identifier: MIT
//
// Who dies gives back what it holds; who is only slow keeps it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

using Ids = std::vector<std::string>;

TEST(Leases, ClosingGivesBackAtOnceUncountedAndInPlace) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr first(opened);
  SessionPtr second(opened);
  swapmq_queue* queue = first.queue("q");
  ASSERT_TRUE(first.publish_ids(queue, {"a", "b", "c", "d"}).confirmed());
  swapmq_subscription* subscription = first.subscribe(queue);
  const BatchPtr held = first.receive(subscription, 3);
  swapmq_subscription* other = second.subscribe(second.queue("q"));
  EXPECT_EQ(second.receive(other, 1).ids(), Ids{"d"});
  EXPECT_EQ(first.settle(subscription, held[1], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  plugin().unsubscribe(first.session, subscription);
  const BatchPtr back = second.receive(other, 10);
  ASSERT_EQ(back.ids(), (Ids{"a", "c"}));
  EXPECT_EQ(back[0].delivery_count, 1u);
  EXPECT_EQ(back[0].flags, SWAPMQ_DELIVERY_REDELIVERED);
  second.close();
  SessionPtr third(opened);
  EXPECT_EQ(third.receive(third.subscribe(third.queue("q")), 10).ids(), (Ids{"a", "c", "d"}));
}

TEST(Leases, AnExpiredOneIsTakenOverAndCounted) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr silent(opened);
  SessionPtr other(opened);
  swapmq_queue* queue = silent.queue("q");
  ASSERT_TRUE(silent.publish_ids(queue, {"a", "b"}).confirmed());
  swapmq_subscription* quiet = silent.subscribe(queue, 10, 100);
  const BatchPtr held = silent.receive(quiet, 1);
  const BatchPtr taken = [&] {
    swapmq_subscription* theirs = other.subscribe(other.queue("q"));
    EXPECT_EQ(other.receive(theirs, 1).ids(), Ids{"b"});
    return other.receive(theirs, 1, milliseconds(20000));
  }();
  ASSERT_EQ(taken.ids(), Ids{"a"});
  EXPECT_EQ(taken[0].delivery_count, 2u) << "a return by a dead consumer is counted";
  EXPECT_EQ(silent.settle(quiet, held[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  // The one that was taken for dead goes on as if nothing had been.
  ASSERT_TRUE(silent.publish_ids(queue, {"c"}).confirmed());
  const BatchPtr next = silent.receive(quiet, 10);
  ASSERT_EQ(next.ids(), Ids{"c"});
  silent.ack_all(quiet, next);
  EXPECT_EQ(sizes(silent.stats(queue)), "0/2/0");
}

TEST(Leases, ASlowConsumerThatIsServicedKeepsWhatItHolds) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr slow(opened);
  SessionPtr other(opened);
  swapmq_queue* queue = slow.queue("q");
  ASSERT_TRUE(slow.publish_ids(queue, {"a"}).confirmed());
  swapmq_subscription* subscription = slow.subscribe(queue, 10, 600);
  const BatchPtr held = slow.receive(subscription, 1);
  std::thread waiting([&] {
    const BatchPtr none = other.receive(other.subscribe(other.queue("q")), 1, milliseconds(1800));
    EXPECT_EQ(none.size(), 0u) << "taken from a consumer that lives";
  });
  for (const auto end = Clock::now() + milliseconds(1900); Clock::now() < end;) {
    std::this_thread::sleep_for(milliseconds(50));
    const Outcome serviced = outcome_of(
        [&](swapmq_error* e) { return plugin().service(slow.session, in(milliseconds(1000)), e); });
    ASSERT_TRUE(serviced.ok()) << serviced;
  }
  waiting.join();
  EXPECT_EQ(slow.settle(subscription, held[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

TEST(Leases, AConsumerThatWaitsForMoreKeepsWhatItHolds) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr waiting(opened);
  SessionPtr other(opened);
  swapmq_queue* queue = waiting.queue("q");
  ASSERT_TRUE(waiting.publish_ids(queue, {"a"}).confirmed());
  swapmq_subscription* subscription = waiting.subscribe(queue, 10, 600);
  const BatchPtr held = waiting.receive(subscription, 1);
  std::thread long_wait(
      [&] { EXPECT_EQ(waiting.receive(subscription, 1, milliseconds(1600)).size(), 0u); });
  EXPECT_EQ(other.receive(other.subscribe(other.queue("q")), 1, milliseconds(1500)).size(), 0u);
  long_wait.join();
  EXPECT_EQ(waiting.settle(subscription, held[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

TEST(Leases, EveryExchangeOfASessionIsASignOfLifeForAllItHolds) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr busy(opened);
  SessionPtr other(opened);
  swapmq_queue* queue = busy.queue("q");
  ASSERT_TRUE(busy.publish_ids(queue, {"a"}).confirmed());
  swapmq_subscription* holding = busy.subscribe(queue, 10, 600);
  swapmq_subscription* idle = busy.subscribe(busy.queue("elsewhere"), 10, 600);
  const BatchPtr held = busy.receive(holding, 1);
  std::thread waiting([&] {
    const BatchPtr none = other.receive(other.subscribe(other.queue("q")), 1, milliseconds(1800));
    EXPECT_EQ(none.size(), 0u) << "taken from a consumer that lives";
  });
  bool turn = false;
  for (const auto end = Clock::now() + milliseconds(1900); Clock::now() < end; turn = !turn) {
    std::this_thread::sleep_for(milliseconds(50));
    // Without waiting, and now on the one, now on the other.
    EXPECT_EQ(busy.receive(turn ? idle : holding, 1).size(), 0u);
  }
  waiting.join();
  EXPECT_EQ(busy.settle(holding, held[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

/// Runs in a child process, which then ends without closing anything.
int hold_in_child(const std::string& path) {
  Opened opened(Opened::options(path, "\"lease_ms\": 600000"));
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  if (!session.publish_ids(queue, {"a", "b", "c"}).confirmed()) return 1;
  swapmq_subscription* subscription = session.subscribe(queue);
  const BatchPtr batch = session.receive(subscription, 2);
  if (batch.size() != 2) return 2;
  if (session.settle(subscription, batch[0], SWAPMQ_SETTLE_ACK) != SWAPMQ_OK) return 3;
  _exit(0);
}

TEST(Leases, AProcessThatDiedGivesBackLongBeforeItsLeaseEnds) {
  const TempFolder folder;
  const std::string path = folder / "q.db";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(hold_in_child(path));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;

  const Opened opened(Opened::options(path));
  SessionPtr session(opened);
  const BatchPtr batch = session.receive(session.subscribe(session.queue("q")), 10);
  ASSERT_EQ(batch.ids(), (Ids{"b", "c"}));
  EXPECT_EQ(batch[0].delivery_count, 2u);
  EXPECT_EQ(batch[1].delivery_count, 1u);
}

TEST(Leases, AProcessThatLivesKeepsWhatItHolds) {
  const TempFolder folder;
  const std::string path = folder / "q.db";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Opened opened(Opened::options(path));
    SessionPtr session(opened);
    swapmq_queue* queue = session.queue("q");
    const bool published = session.publish_ids(queue, {"a"}).confirmed();
    const BatchPtr batch = session.receive(session.subscribe(queue), 1);
    const char done = published && batch.size() == 1 ? '1' : '0';
    if (write(ready[1], &done, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char done = 0;
  ASSERT_EQ(read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, '1');
  {
    const Opened opened(Opened::options(path));
    SessionPtr session(opened);
    swapmq_subscription* subscription = session.subscribe(session.queue("q"));
    EXPECT_EQ(session.receive(subscription, 1, milliseconds(700)).size(), 0u);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    EXPECT_EQ(session.receive(subscription, 1, milliseconds(20000)).ids(), Ids{"a"});
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(ready[0]);
  close(ready[1]);
}

} // namespace
} // namespace swapmq::test
