// SPDX-License-Identifier: MIT
//
// Many sessions at once, each on its thread.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// What was delivered, and what of it was acked, by all threads together.
class Ledger {
 public:
  void delivered(const std::string& body) {
    const std::lock_guard lock(mutex_);
    ++delivered_[body];
  }
  void acked(const std::string& body) {
    const std::lock_guard lock(mutex_);
    ++acked_[body];
  }
  [[nodiscard]] std::size_t done() const {
    const std::lock_guard lock(mutex_);
    return acked_.size();
  }
  /// How many of `sent` were never acked, and how many acked twice.
  void expect_each_acked_once(std::span<const Message> sent) const {
    std::size_t missing = 0;
    for (const Message& message : sent) missing += acked_.count(message.body) == 0 ? 1 : 0;
    EXPECT_EQ(missing, 0u) << "of " << sent.size() << " messages were lost";
    for (const auto& [body, times] : acked_) EXPECT_EQ(times, 1) << body << ": acked again";
  }
  void expect_each_delivered_once() const {
    for (const auto& [body, times] : delivered_) {
      EXPECT_EQ(times, 1) << body << ": delivered again although nobody failed";
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> delivered_, acked_; // guarded by mutex_; read freely once all joined
};

class Concurrency : public Contract {
 protected:
  /// Receives and acks until the ledger has `total`, or patience ends with nothing coming.
  void work(Subscription& subscription, Ledger& ledger, std::size_t total, std::uint64_t credit) {
    auto last = Clock::now();
    while (ledger.done() < total && since(last) < kit().options.patience) {
      Deliveries some;
      some.add(subscription.poll(credit, milliseconds(50)));
      if (some.empty()) continue;
      last = Clock::now();
      settle(subscription, ledger, some);
    }
  }

  static void settle_one(Subscription& subscription, Ledger& ledger, const swapmq_delivery& one) {
    const std::string body = body_of(one);
    if (subscription.settle(ack(one)) == SWAPMQ_OK) ledger.acked(body);
  }

  static void settle(Subscription& subscription, Ledger& ledger, const Deliveries& some) {
    std::vector<swapmq_settlement> acks;
    for (std::size_t i = 0; i < some.size(); ++i) {
      ledger.delivered(some.body(i));
      acks.push_back(ack(some[i]));
    }
    const auto settled = subscription.settle(acks);
    for (std::size_t i = 0; i < settled.size(); ++i) {
      if (settled[i] == SWAPMQ_OK) ledger.acked(some.body(i));
    }
  }
};

CONTRACT_TEST(Concurrency, FiveThousandMessagesToFiftyConsumersEachOnce,
              "exchange(); Rules for every function: Threads",
              "each message goes to one of many consumers, once, while none of them fails") {
  const std::string name = fresh_queue("fifty");
  const auto sent = messages("fifty", 5000);
  Ledger ledger;
  Crew crew;
  for (int i = 0; i < 50; ++i) {
    crew.run([&] {
      Session session = consumer();
      Subscription subscription = session.subscribe(session.queue(name), 20);
      work(subscription, ledger, sent.size(), 20);
    });
  }
  crew.run([&] {
    Session session = publisher();
    for (std::size_t i = 0; i < sent.size(); i += 100) {
      session.confirm(session.queue(name), {&sent[i], 100});
    }
  });
  crew.join();
  ledger.expect_each_acked_once(sent);
  ledger.expect_each_delivered_once();
  expect_stats(name, 0, 0, 0);
}

CONTRACT_TEST(Concurrency, ManyPublishersOneConsumer,
              "publish(); Rules for every function: Threads",
              "sessions publish to one queue at the same time, and nothing is lost or doubled") {
  const std::string name = fresh_queue("many");
  std::vector<std::vector<Message>> sent;
  for (int i = 0; i < 8; ++i) sent.push_back(messages("from " + std::to_string(i), 300));
  Crew crew;
  for (const auto& part : sent) {
    crew.run([&] {
      Session session = publisher();
      for (std::size_t i = 0; i < part.size(); i += 10) {
        session.confirm(session.queue(name), {&part[i], 10});
      }
    });
  }
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 100);
  std::map<std::string, std::vector<std::string>> got; // of each publisher
  for (std::size_t done = 0; done < 8 * 300;) {
    const Deliveries some = subscription.receive(std::min<std::size_t>(100, 8 * 300 - done));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::string body = some.body(i);
      got[body.substr(0, body.rfind(' '))].push_back(body);
    }
    subscription.ack_all(some);
    done += some.size();
  }
  crew.join();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    auto& of_one = got["from " + std::to_string(i)];
    EXPECT_EQ(sorted(of_one), sorted(bodies(sent[i])));
  }
}

CONTRACT_TEST(Concurrency, TenClosersAtOnceLoseNothing, "session_close(); unsubscribe()",
              "what consumers hold that end at the same moment goes back to the queue, and others "
              "get it once") {
  const std::string name = fresh_queue("closers");
  const auto sent = messages("closing", 600);
  fill(name, sent);
  Ledger ledger;
  std::atomic<int> holding{0};
  Crew crew;
  for (int i = 0; i < 10; ++i) {
    crew.run([&, i] {
      Session session = consumer();
      Subscription subscription = session.subscribe(session.queue(name), 30);
      Deliveries held = subscription.receive(30);
      for (int k = 0; k < i; ++k)
        settle_one(subscription, ledger, held[static_cast<std::size_t>(k)]);
      ++holding;
      eventually([&] { return holding == 10; }); // then all of them at once
      if (i % 2 == 0) subscription.unsubscribe();
      session.close();
    });
  }
  for (int i = 0; i < 2; ++i) {
    crew.run([&] { // meanwhile others go on
      eventually([&] { return holding == 10; });
      Session session = consumer();
      Subscription subscription = session.subscribe(session.queue(name), 20);
      work(subscription, ledger, sent.size(), 20);
    });
  }
  crew.join();
  ledger.expect_each_acked_once(sent);
  expect_stats(name, 0, 0, 0);
}

CONTRACT_TEST(Concurrency, ConsumersComeAndGoWhileMessagesFlow, "unsubscribe(); session_close()",
              "nothing is lost or settled twice while consumers come and go") {
  const std::string name = fresh_queue("coming");
  const auto sent = messages("flowing", 1000);
  Ledger ledger;
  Crew crew;
  crew.run([&] {
    Session session = publisher();
    for (std::size_t i = 0; i < sent.size(); i += 20) {
      session.confirm(session.queue(name), {&sent[i], 20});
    }
  });
  for (int i = 0; i < 6; ++i) {
    crew.run([&, i] {
      auto last = Clock::now();
      std::size_t before = 0;
      while (ledger.done() < sent.size() && since(last) < kit().options.patience) {
        if (ledger.done() != before) last = Clock::now();
        before = ledger.done();
        Session session = consumer();
        Subscription subscription = session.subscribe(session.queue(name), 16);
        for (int k = 0; k < 4; ++k) {
          Deliveries some;
          some.add(subscription.poll(16, milliseconds(20)));
          // By turns all, half or nothing of it is done before this consumer goes.
          const std::size_t done =
              k + i % 3 == 0 ? 0 : some.size() / static_cast<std::size_t>(1 + (k & 1));
          for (std::size_t n = 0; n < done; ++n) settle_one(subscription, ledger, some[n]);
          if (done < some.size()) break;
        }
      }
    });
  }
  crew.join();
  ledger.expect_each_acked_once(sent);
  EXPECT_EQ(drain(name, 0), std::vector<std::string>());
}

CONTRACT_TEST(
    Concurrency, InterruptsAndClosesRace, "interrupt(); session_close()",
    "interrupts at any moment until session_close begins break nothing and lose nothing") {
  const std::string name = fresh_queue("race");
  const auto sent = messages("raced", 200);
  fill(name, sent);
  Crew crew;
  for (int i = 0; i < 4; ++i) {
    crew.run([&] {
      for (int round = 0; round < 25; ++round) {
        Session session = consumer();
        std::atomic<bool> open{true};
        Crew interrupter;
        interrupter.run([&] { // until session_close begins, as the contract has it
          while (open) session.interrupt();
        });
        {
          Subscription subscription = session.subscribe(session.queue(name), 5);
          for (int k = 0; k < 5; ++k) {
            const Exchanged result = subscription.exchange({}, 1, in(milliseconds(10)));
            if (result.status != SWAPMQ_OK && result.status != SWAPMQ_INTERRUPTED) {
              ADD_FAILURE() << status_name(result.status) << " " << result.error;
            }
          }
        }
        open = false;
        interrupter.join();
        session.close();
      }
    });
  }
  crew.join();
  EXPECT_EQ(sorted(drain(name, sent.size())), sorted(bodies(sent)));
}

CONTRACT_TEST(Concurrency, SessionsOfManyThreadsAndRoles,
              "session_open(); Rules for every function: Threads",
              "sessions of all roles are opened, used and closed by several threads at once") {
  const std::string name = fresh_queue("roles");
  Crew crew;
  std::atomic<int> published{0};
  for (int i = 0; i < 8; ++i) {
    crew.run([&, i] {
      for (int round = 0; round < 15; ++round) {
        if (i % 2 == 0) {
          Session session = publisher();
          session.confirm(session.queue(name), message("by many"));
          ++published;
        } else {
          Session session = admin();
          session.create(session.queue(name));
          session.stats(session.queue(name));
          session.ping();
        }
      }
    });
  }
  crew.join();
  EXPECT_EQ(drain(name, static_cast<std::size_t>(published)).size(),
            static_cast<std::size_t>(published));
}

CONTRACT_TEST(Concurrency, ASessionMayChangeItsThread, "Rules for every function: Threads",
              "calls of one session may come from another thread each time") {
  const std::string name = fresh_queue("threads");
  Session session = consumer();
  Session sender = publisher();
  std::optional<Subscription> subscription;
  const auto elsewhere = [](const std::function<void()>& work) {
    Crew crew;
    crew.run(work);
  };
  elsewhere([&] { subscription.emplace(session.subscribe(session.queue(name), 10)); });
  for (int i = 0; i < 10; ++i) {
    elsewhere([&] { sender.confirm(sender.queue(name), message("handed on")); });
    Deliveries got;
    elsewhere([&] { subscription->receive(1, got); });
    elsewhere([&] { subscription->ack_all(got); });
  }
  elsewhere([&] { session.close(); });
  EXPECT_EQ(drain(name, 0), std::vector<std::string>());
}

CONTRACT_TEST(Concurrency, BackendsOpenAndCloseAtOnce, "open(); close()",
              "several backends are opened, used and closed at once in one process") {
  const std::string name = fresh_queue("backends");
  Crew crew;
  for (int i = 0; i < 6; ++i) {
    crew.run([&, i] {
      for (int round = 0; round < 5; ++round) {
        Backend own;
        Session session = own.session(SWAPMQ_ROLE_PUBLISH);
        session.confirm(session.queue(name), message(std::to_string(i * 100 + round)));
      }
    });
  }
  crew.join();
  EXPECT_EQ(drain(name, 30).size(), 30);
}

} // namespace
} // namespace swapmq::contract
