// SPDX-License-Identifier: MIT
//
// The broker stops, dies, falls silent and comes back: calls end in time and say what is true, and
// what was confirmed is there. Only with --broker-control.
#include <algorithm>
#include <atomic>

#include "broker_control.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

/// For a call while the broker is not there.
constexpr milliseconds kShort{700};
constexpr milliseconds kLease{400};

class Broker : public Contract {
 protected:
  void SetUp() override {
    if (!BrokerControl::given()) NOT_PROMISED("without --broker-control");
    name_ = fresh_queue("broker");
  }
  void TearDown() override {
    if (!BrokerControl::given()) return;
    come_back();
    Contract::TearDown();
  }

  /// Running, and reached by the plugin.
  void come_back() {
    BrokerControl::resume();
    BrokerControl::start();
    std::string why;
    ASSERT_TRUE(eventually([&] {
      try {
        admin().ping();
        return true;
      } catch (const Breach& breach) {
        why = breach.what();
        return false;
      }
    })) << "the broker is back, and the plugin does not reach it: "
        << why;
  }

  struct Books {
    std::vector<std::string> confirmed, failed, in_doubt;
    void add(std::span<const Message> sent, std::span<const swapmq_publish_result> results) {
      for (std::size_t i = 0; i < sent.size(); ++i) {
        const std::int32_t outcome = results[i].outcome;
        auto& list = outcome == SWAPMQ_PUBLISH_CONFIRMED  ? confirmed
                     : outcome == SWAPMQ_PUBLISH_IN_DOUBT ? in_doubt
                                                          : failed;
        list.push_back(sent[i].body);
      }
    }
  };
  /// Publishes on a thread of its own, five at a time, for as long as it lives.
  class Traffic {
   public:
    Traffic(Session session, std::string queue)
        : session_(std::move(session)), queue_(std::move(queue)) {
      crew_.run([this] { run(); });
    }
    ~Traffic() { enough_ = true; }
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// Until some more were confirmed.
    void flow() { expect_more(confirmed_, 100); }
    /// Until some more were not.
    void stall() { expect_more(in_vain_, 5); }
    Books end() {
      enough_ = true;
      crew_.join();
      return std::move(books_);
    }

   private:
    static void expect_more(const std::atomic<std::size_t>& of, std::size_t count) {
      const std::size_t before = of;
      EXPECT_TRUE(eventually([&] { return of >= before + count; })) << of - before << " came";
    }
    void run() {
      for (std::size_t next = 0; !enough_; next += 5) {
        std::vector<Message> sent;
        for (std::size_t i = next; i < next + 5; ++i) {
          sent.push_back(message("under way " + std::to_string(i)));
        }
        std::vector<swapmq_publish_result> results;
        session_.publish(session_.queue(queue_), sent, results, in(kShort));
        books_.add(sent, results);
        confirmed_ = books_.confirmed.size();
        in_vain_ = books_.failed.size() + books_.in_doubt.size();
      }
    }

    Session session_;
    const std::string queue_;
    std::atomic<bool> enough_{false};
    std::atomic<std::size_t> confirmed_{0}, in_vain_{0};
    Books books_; // the thread's, until end()
    Crew crew_;   // joined before what it uses goes
  };

  /// What is there must be all that was confirmed, and nothing that failed.
  void expect_true(const Books& books) {
    const std::vector<std::string> got = drain(name_, books.confirmed.size());
    for (const std::string& body : books.confirmed) {
      EXPECT_GE(std::count(got.begin(), got.end(), body), 1)
          << body << " was confirmed and is lost";
    }
    for (const std::string& body : books.failed) {
      EXPECT_EQ(std::count(got.begin(), got.end(), body), 0)
          << body << " was certainly not stored, and came";
    }
  }
  /// One call, which must end in time and confirm nothing.
  void publish_in_vain(Session& session, swapmq_queue* queue, Books& books) {
    const std::vector<Message> sent{message("in vain " + std::to_string(++vain_))};
    std::vector<swapmq_publish_result> results;
    const auto start = Clock::now();
    session.publish(queue, sent, results, in(kShort));
    EXPECT_LE(since(start), kShort + kit().options.tolerance) << "publish ended late";
    EXPECT_NE(results[0].outcome, SWAPMQ_PUBLISH_CONFIRMED) << "with no broker to say so";
    books.add(sent, results);
  }
  static void expect_no_answer(swapmq_status status, const char* of) {
    EXPECT_TRUE(status == SWAPMQ_UNAVAILABLE || status == SWAPMQ_TIMEOUT)
        << of << ": expected UNAVAILABLE or TIMEOUT, got " << status_name(status);
  }

  std::string name_;
  int vain_ = 0;
};

CONTRACT_TEST(Broker, ThatIsStoppedIsUnavailableInTime, "Rules for every function: Blocking",
              "without a broker a call ends by its deadline, with UNAVAILABLE or TIMEOUT, and "
              "confirms nothing") {
  Session publishing = publisher(), looking = admin(), consuming = consumer();
  swapmq_queue* queue = publishing.queue(name_);
  publishing.confirm(queue, message("before"));
  Subscription subscription = consuming.subscribe(consuming.queue(name_), 10);
  BrokerControl::stop();

  Books books;
  publish_in_vain(publishing, queue, books);
  publish_in_vain(publishing, queue, books); // by then it knows
  ErrorProbe probe;
  const auto start = Clock::now();
  const std::int64_t deadline = in(kShort);
  const swapmq_status pinged = call("ping", deadline, probe, [&](swapmq_error* error) {
    return vt().ping(looking.raw(), deadline, error);
  });
  expect_no_answer(pinged, "ping");
  EXPECT_LE(since(start), kShort + kit().options.tolerance) << "ping ended late";
  const Exchanged exchanged = subscription.exchange({}, 10, in(kShort));
  EXPECT_LE(exchanged.took, kShort + kit().options.tolerance) << "exchange ended late";
  expect_no_answer(exchanged.status, "exchange");
}

CONTRACT_TEST(Broker, ASessionThatIsNotDeadWorksAgainWhenItIsBack,
              "ping(); SWAPMQ_ERROR_SESSION_DEAD",
              "a session outlives its connection: it works again once the broker is back, or says "
              "SESSION_DEAD") {
  Session session = publisher();
  swapmq_queue* queue = session.queue(name_);
  session.confirm(queue, message("before"));
  BrokerControl::stop();
  Books books;
  publish_in_vain(session, queue, books);
  come_back();
  EXPECT_TRUE(eventually([&] {
    ErrorProbe probe;
    const std::int64_t deadline = soon();
    call("ping", deadline, probe,
         [&](swapmq_error* error) { return vt().ping(session.raw(), deadline, error); });
    if ((probe.error().flags & SWAPMQ_ERROR_SESSION_DEAD) != 0)
      return true; // then another is opened
    const std::vector<Message> sent{message("after")};
    std::vector<swapmq_publish_result> results;
    session.publish(queue, sent, results, deadline);
    return results[0].outcome == SWAPMQ_PUBLISH_CONFIRMED;
  })) << "it did not say that it is dead (SWAPMQ_ERROR_SESSION_DEAD), and stays useless";
}

CONTRACT_TEST(Broker, WhatWasConfirmedSurvivesAStop, "swapmq_capabilities.durability",
              "what was confirmed is still there after the broker was stopped and started") {
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS);
  const auto sent = messages("kept", 50);
  fill(name_, sent);
  Books books;
  books.confirmed = bodies(sent);
  BrokerControl::stop();
  come_back();
  expect_true(books);
}

CONTRACT_TEST(Broker, OutcomesAreTrueWhenItIsKilled, "publish(); SWAPMQ_PUBLISH_IN_DOUBT",
              "what is CONFIRMED is stored, what is FAILED is certainly not, and what was sent "
              "without an answer is IN_DOUBT") {
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS);
  Traffic traffic(publisher(), name_);
  traffic.flow();
  BrokerControl::kill();
  traffic.stall();
  const Books books = traffic.end();
  come_back();
  expect_true(books);
}

CONTRACT_TEST(
    Broker, WhatWasSettledStaysSoWhenItIsKilled, "exchange(); swapmq_capabilities.durability",
    "what was acked does not come back from a killed broker, and what was not settled does") {
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS);
  fill(name_, messages("handed out", 20));
  std::vector<std::string> acked, open;
  {
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name_), 20, kLease);
    const Deliveries got = subscription.receive(20);
    std::vector<swapmq_settlement> settlements;
    for (std::size_t i = 0; i < 10; ++i) settlements.push_back(ack(got[i]));
    EXPECT_EQ(subscription.settle(settlements), std::vector<swapmq_status>(10, SWAPMQ_OK));
    for (std::size_t i = 0; i < got.size(); ++i) (i < 10 ? acked : open).push_back(got.body(i));
    BrokerControl::kill();
  }
  come_back();
  const std::vector<std::string> again = drain(name_, open.size());
  for (const std::string& body : acked) {
    EXPECT_EQ(std::count(again.begin(), again.end(), body), 0) << body << " was acked";
  }
  for (const std::string& body : open) {
    EXPECT_GE(std::count(again.begin(), again.end(), body), 1) << body << " was not settled";
  }
}

CONTRACT_TEST(Broker, ThatFallsSilentHoldsNobodyBeyondTheDeadline,
              "session_close(); Rules for every function: Blocking",
              "a broker that does not answer holds no call beyond its deadline, nor unsubscribe "
              "and session_close") {
  Session publishing = publisher(), consuming = consumer();
  swapmq_queue* queue = publishing.queue(name_);
  publishing.confirm(queue, message("before"));
  Subscription subscription = consuming.subscribe(consuming.queue(name_), 10);
  Books books;
  books.confirmed.push_back("before");
  BrokerControl::pause();
  publish_in_vain(publishing, queue, books);
  publish_in_vain(publishing, queue, books);
  subscription.exchange({}, 10, in(kShort)); // may wait longer for an answer, but not hang
  const auto start = Clock::now();
  subscription.unsubscribe();
  consuming.close();
  publishing.close();
  EXPECT_LE(since(start), kit().options.hang) << "closing waits for it";
  come_back();
  expect_true(books);
}

CONTRACT_TEST(
    Broker, OpeningASessionEndsInTimeWithoutIt, "session_open()",
    "without a broker it ends by its deadline, with UNAVAILABLE or TIMEOUT if it must connect") {
  BrokerControl::stop();
  ErrorProbe probe;
  swapmq_session* session = nullptr;
  const std::int64_t deadline = in(kShort);
  const auto start = Clock::now();
  const swapmq_status status = call("session_open", deadline, probe, [&](swapmq_error* error) {
    return vt().session_open(backend().raw(), SWAPMQ_ROLE_PUBLISH, deadline, &session, error);
  });
  EXPECT_LE(since(start), kShort + kit().options.tolerance) << "session_open ended late";
  if (status != SWAPMQ_OK) return expect_no_answer(status, "session_open"); // or it connects later
  call("session_close", [&] { vt().session_close(session); });
}

CONTRACT_TEST(
    Broker, ComesAndGoesUnderTraffic, "publish(); SWAPMQ_PUBLISH_IN_DOUBT",
    "outcomes stay true while the broker is stopped, killed and silenced again and again") {
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS);
  Traffic traffic(publisher(), name_);
  for (const auto breaking : {BrokerControl::stop, BrokerControl::kill, BrokerControl::pause}) {
    traffic.flow();
    breaking();
    traffic.stall();
    come_back();
  }
  traffic.flow();
  expect_true(traffic.end());
}

} // namespace
} // namespace swapmq::contract
