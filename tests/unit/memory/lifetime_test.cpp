// SPDX-License-Identifier: MIT
//
// What a batch shows outlives everything but the batch. (The sanitizers see what these cannot.)
#include <thread>

#include "store.hpp"
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

TEST(Lifetime, ABatchOutlivesAckUnsubscribeSessionAndBackend) {
  Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
  session.put(queue, Ids{"a", "b"});
  Deliveries got = session.receive(subscription, 2);
  session.ack(subscription, got[0]);
  EXPECT_EQ(got.body(0), "body of a");
  session.unsubscribe(subscription);
  EXPECT_EQ(got.body(1), "body of b");
  session.close();
  backend.close();
  EXPECT_EQ(got.ids(), (Ids{"a", "b"}));
  std::thread elsewhere([moved = std::move(got)]() mutable { moved = Deliveries(); });
  elsewhere.join();
}

TEST(Lifetime, ABatchOutlivesPurgeAndDelete) {
  const Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(session.subscribe(queue), 1);
  session.purge(queue);
  session.remove(queue);
  EXPECT_EQ(got.body(0), "body of a");
}

TEST(Lifetime, OneMessageInTwoBatches) {
  const Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
  session.put(queue, Ids{"a"});
  Deliveries first = session.receive(subscription, 1);
  session.settle(subscription, first[0], SWAPMQ_SETTLE_RELEASE);
  const Deliveries second = session.receive(subscription, 1);
  first = Deliveries();
  EXPECT_EQ(second.body(0), "body of a");
}

TEST(Lifetime, ABodyIsNotCopiedForItsDelivery) {
  const Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
  session.put(queue, Ids{"a"});
  const Deliveries first = session.receive(subscription, 1);
  session.settle(subscription, first[0], SWAPMQ_SETTLE_RELEASE);
  const Deliveries second = session.receive(subscription, 1);
  EXPECT_EQ(first[0].message->body.data, second[0].message->body.data);
}

TEST(Lifetime, WhatIsPublishedIsTheCallersAgain) {
  const Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  {
    std::vector drafts{draft("a")};
    session.put(queue, drafts);
    drafts[0].id = "overwritten";
    drafts[0].body = "overwritten";
  }
  EXPECT_EQ(session.receive(session.subscribe(queue), 1).body(0), "body of a");
}

TEST(Lifetime, ANameThatNobodyUsesIsNotKept) {
  Budget budget(1);
  Aftermath aftermath(budget);
  Store store(10, 1 << 20);
  std::weak_ptr<Queue> unused = store.queue("a");
  store.tidy("a");
  EXPECT_TRUE(unused.expired());
  const std::shared_ptr<Queue> used = store.queue("b");
  store.tidy("b");
  EXPECT_EQ(store.queue("b"), used);
  std::weak_ptr<Queue> existing = store.queue("c");
  existing.lock()->create({});
  store.tidy("c");
  EXPECT_FALSE(existing.expired());
  existing.lock()->remove(aftermath);
  store.tidy("c");
  EXPECT_TRUE(existing.expired());
}

} // namespace
} // namespace swapmq::memory::test
