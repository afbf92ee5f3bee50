// SPDX-License-Identifier: MIT
//
// The plugin against servers that answer in one place what no server should: in every place where
// it reads an answer. It neither crashes nor hangs, and what it says of a message is true: an
// answer that is none leaves a publish in doubt and never settles a delivery.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "polite_server.hpp"

namespace swapmq::live {
namespace {

using test::Exchanged;
using test::Outcome;
using test::Published;
using test::SessionPtr;

constexpr milliseconds kPatience(400);
// Beyond the deadline; more is a hang.
constexpr milliseconds kLate(1000);
// An exchange that is to do something has three seconds more for that.
constexpr milliseconds kGrace(3000);

/// What is said in the place, on and on or only once.
struct Hostile {
  std::string name;
  std::string bytes;
  bool close = false;
};

std::vector<Hostile> hostile_answers() {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "*1\r\n";
  std::vector<Hostile> all{
      {"huge bulk", "$1073741824\r\nabc", true},
      {"larger bulk", "$9223372036854775807\r\nabc", true},
      {"impossible bulk", "$99999999999999999999\r\n"},
      {"huge array", "*2147483647\r\n:1\r\n", true},
      {"impossible array", "*4294967296\r\n"},
      {"negative bulk", "$-7\r\n"},
      {"negative array", "*-7\r\n"},
      {"deep array", deep + ":1\r\n"},
      {"http", "HTTP/1.1 400 Bad Request\r\n\r\n", true},
      {"zeros", std::string(64, '\0')},
      {"resp3", "%1\r\n$1\r\na\r\n$1\r\nb\r\n"},
      {"integer", ":77\r\n"},
      {"negative integer", ":-9223372036854775808\r\n"},
      {"status", "+HMM\r\n"},
      {"string", "$3\r\nabc\r\n"},
      {"long string", "$2000\r\n" + std::string(2000, 'x') + "\r\n"},
      {"empty string", "$0\r\n\r\n"},
      {"nil", "$-1\r\n"},
      {"nil array", "*-1\r\n"},
      {"no id", "$15\r\n170000000000000\r\n"},
      {"empty array", "*0\r\n"},
      {"array of nil", "*1\r\n$-1\r\n"},
      {"nested empty", "*1\r\n*0\r\n"},
      {"nested", "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"},
      {"pairs of nil", "*2\r\n*-1\r\n*-1\r\n"},
      {"two integers", "*2\r\n:1\r\n:1\r\n"},
      {"three strings", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"},
      {"three arrays", "*3\r\n*0\r\n*0\r\n*0\r\n"},
      {"four nils", "*4\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n"},
      {"five strings", "*5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n"},
      {"five negative", "*5\r\n:-1\r\n:-2\r\n:-3\r\n:-4\r\n:-5\r\n"},
      {"errors in an array", "*3\r\n-ERR a\r\n-ERR b\r\n-ERR c\r\n"},
      {"entry without fields", "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n"},
      {"entry that is a string", "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n$3\r\n1-1\r\n"},
      {"entries that are a string", "*1\r\n*2\r\n$1\r\nq\r\n$3\r\n1-1\r\n"},
      {"entry of one element", "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*1\r\n$3\r\n1-1\r\n"},
      {"entry of an id that is none", entries("one", {"data", "x"})},
      {"entry of odd fields", entries("1-1", {"data", "x", "y"})},
      {"taken with a bad id",
       "*6\r\n:-1\r\n:0\r\n:0\r\n$3\r\none\r\n*2\r\n$4\r\ndata\r\n$1\r\nx\r\n:1\r\n"},
      {"taken too little", "*5\r\n:-1\r\n:0\r\n:0\r\n$3\r\n1-1\r\n*2\r\n$4\r\ndata\r\n$1\r\nx\r\n"},
      {"taken of other types", "*6\r\n:-1\r\n:0\r\n:0\r\n$3\r\n1-1\r\n:5\r\n$1\r\nx\r\n"},
      {"pending that is wrong", "*2\r\n*4\r\n:1\r\n:2\r\n:3\r\n$1\r\nx\r\n*1\r\n$3\r\n1-1\r\n"},
      {"a cursor and no keys", "*2\r\n$1\r\n0\r\n:5\r\n"},
      {"keys that are none", "*2\r\n$1\r\n0\r\n*3\r\n:1\r\n$-1\r\n*0\r\n"},
      {"silence", ""},
      {"closes", "", true},
      {"empty error", "-\r\n"},
      {"strange error", "-ERR \x1b[2J\xff hostile\r\n"},
  };
  for (const char* code : {"NOGROUP", "NOSCRIPT", "WRONGTYPE", "CROSSSLOT", "LOADING", "READONLY",
                           "OOM", "MOVED 1 h:1", "NOAUTH", "NOPERM", "BUSYGROUP", "UNBLOCKED"}) {
    all.push_back({std::string("error ") + code, std::string("-") + code + " hostile\r\n"});
  }
  return all;
}

bool is_error(const std::string& bytes) { return bytes.starts_with('-'); }

/// Runs a call that is to end by its deadline.
template <class Call>
auto timely(const char* what, milliseconds patience, Call&& call) {
  const auto began = Clock::now();
  struct Check {
    const char* what;
    Clock::time_point latest;
    ~Check() { EXPECT_LT(Clock::now(), latest) << what << " ended too late"; }
  } check{what, began + patience + kLate};
  return call();
}

void expect_proper(const Outcome& outcome) {
  EXPECT_LT(outcome.status, SWAPMQ_STATUS_COUNT);
  EXPECT_GE(outcome.status, 0);
  for (const char c : outcome.text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << outcome.text;
}

/// A visit to a place: all that leads there, with the answer to be given in that place.
class Visit {
 public:
  /// `copies`: a dead letter goes to another cluster slot.
  Visit(Place place, Hostile hostile, bool copies = false)
      : place_(place),
        copies_(copies),
        hostile_(std::move(hostile)),
        server_(polite([this](Place at, const Command& command) { return say(at, command); })),
        opened_("{\"port\":" + std::to_string(server_.port()) +
                ",\"password\":\"secret-of-test\",\"database\":3,\"retry_delay_seconds\":0.001," +
                (place == Place::wait ? "\"wait_replicas\":1," : "") +
                "\"connection_timeout_seconds\":5}") {}

  void run() {
    session_ = timely("session_open", kPatience, [&] {
      return std::make_unique<SessionPtr>(opened_, SWAPMQ_ROLE_CONSUME, kPatience);
    });
    expect_proper(session_->outcome);
    if (!session_->outcome.ok()) return;
    queue_ = session_->queue("q");
    if (place_ == Place::ping) ping();
    const bool publishes =
        place_ == Place::xadd || place_ == Place::script_publish || place_ == Place::wait;
    if (publishes && !copies_) publish();
    administer();
    consume();
    timely("session_close", milliseconds(2000), [&] { session_.reset(); });
  }

  [[nodiscard]] bool was_there() const { return visits_ > 0; }
  /// Of the session: why it was not there.
  [[nodiscard]] const Outcome& opening() const { return session_->outcome; }
  /// What was copied was acked.
  [[nodiscard]] bool acked() const { return acked_; }

 private:
  std::optional<Answer> say(Place at, const Command& command) {
    if (at == place_) {
      ++visits_;
      // The read ends, so that its end is not waited for until the patience at closing is over.
      if (at == Place::unblock) server_.say_to("XREADGROUP", "*-1\r\n");
      return Answer(hostile_.bytes, hostile_.close);
    }
    return lead(at, command);
  }

  /// What makes the plugin come to the place.
  std::optional<Answer> lead(Place at, const Command& /*command*/) {
    if (at == Place::xreadgroup && place_ == Place::xpending && !cut_.exchange(true)) {
      return Answer("*1\r\n", true); // an answer was on its way: what is pending is looked for
    }
    if (at == Place::xreadgroup && place_ == Place::unblock) return Answer(); // blocks
    if (at == Place::pexpire && place_ == Place::script_ack_fenced) return Answer(":0\r\n");
    if (at == Place::script_dead_letter && copies_) return Answer("-CROSSSLOT hostile\r\n");
    if (at == Place::script_ack_fenced && copies_) acked_ = true;
    return std::nullopt;
  }

  void ping() {
    const Outcome outcome = timely("ping", kPatience, [&] {
      return test::outcome_of([&](swapmq_error* e) {
        return test::plugin().ping(session_->session, test::in(kPatience), e);
      });
    });
    expect_proper(outcome);
    EXPECT_FALSE(outcome.ok()) << "it takes this for an answer to PING";
  }

  void publish() {
    std::vector<test::Text> texts(3);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i].id = "m" + std::to_string(i);
      texts[i].body = "body";
      if (place_ == Place::script_publish) texts[i].expires_at_ms = test::unix_ms() + 60'000;
    }
    const Published published =
        timely("publish", kPatience, [&] { return session_->publish(queue_, texts, kPatience); });
    expect_proper(published.outcome);
    if (place_ == Place::wait && hostile_.name == "integer") return; // so many replicas
    const bool refused = place_ != Place::wait && is_error(hostile_.bytes);
    for (const auto& result : published.results) {
      EXPECT_EQ(result.outcome, refused ? SWAPMQ_PUBLISH_FAILED : SWAPMQ_PUBLISH_IN_DOUBT)
          << "status " << result.status;
    }
  }

  using Admin = swapmq_status (*)(swapmq_session*, swapmq_queue*, int64_t, swapmq_error*);
  Outcome admin(const char* what, Admin function) {
    const Outcome outcome = timely(what, kPatience, [&] {
      return test::outcome_of([&](swapmq_error* e) {
        return function(session_->session, queue_, test::in(kPatience), e);
      });
    });
    expect_proper(outcome);
    return outcome;
  }

  void administer() {
    if (place_ == Place::xgroup) {
      const bool there = hostile_.name == "error BUSYGROUP";
      EXPECT_EQ(admin("create_queue", test::plugin().create_queue).ok(), there);
    }
    if (place_ == Place::type || place_ == Place::unlink) {
      EXPECT_FALSE(admin("delete_queue", test::plugin().delete_queue).ok());
    }
    if (place_ == Place::script_stats) {
      const Outcome outcome = admin(
          "queue_stats", [](swapmq_session* s, swapmq_queue* q, int64_t deadline, swapmq_error* e) {
            swapmq_queue_stats stats{};
            stats.struct_size = sizeof stats;
            return test::plugin().queue_stats(s, q, &stats, deadline, e);
          });
      EXPECT_FALSE(outcome.ok());
    }
    if (place_ == Place::script_purge) {
      const Outcome outcome = admin(
          "purge_queue", [](swapmq_session* s, swapmq_queue* q, int64_t deadline, swapmq_error* e) {
            uint64_t removed = 0;
            return test::plugin().purge_queue(s, q, &removed, deadline, e);
          });
      EXPECT_FALSE(outcome.ok());
    }
    if (place_ == Place::scan) list();
  }

  void list() {
    const auto* lists = static_cast<const swapmq_list_queues*>(
        test::plugin().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
    const Outcome outcome = timely("list", kPatience, [&] {
      return test::outcome_of([&](swapmq_error* e) {
        return lists->list(
            session_->session, [](void*, swapmq_bytes) {}, nullptr, test::in(kPatience), e);
      });
    });
    expect_proper(outcome);
    EXPECT_FALSE(outcome.ok());
  }

  void consume() {
    const bool renews = place_ == Place::pexpire || place_ == Place::script_ack_fenced;
    swapmq_subscription* subscription = nullptr;
    const swapmq_subscribe_args args{sizeof args, 100, renews ? 1 : 0, test::in(kPatience)};
    const Outcome subscribed = timely("subscribe", kPatience, [&] {
      return test::outcome_of([&](swapmq_error* e) {
        return test::plugin().subscribe(session_->session, queue_, &args, &subscription, e);
      });
    });
    expect_proper(subscribed);
    if (!subscribed.ok()) return;
    if (place_ == Place::script_claim || place_ == Place::script_settle_claimed) {
      claim(subscription);
    }
    const Exchanged first = exchange(subscription, {});
    settle(subscription, first);
    exchange(subscription, {});
    timely("unsubscribe", milliseconds(2000),
           [&] { test::plugin().unsubscribe(session_->session, subscription); });
  }

  void claim(swapmq_subscription* subscription) {
    const auto* claims = static_cast<const swapmq_claim_delayed*>(
        test::plugin().extension(SWAPMQ_EXTENSION_CLAIM_DELAYED));
    swapmq_batch* raw = nullptr;
    const Outcome outcome = timely("claim", kPatience + kGrace, [&] {
      return test::outcome_of([&](swapmq_error* e) {
        return claims->claim(session_->session, subscription, 10, 0, test::in(kPatience), &raw, e);
      });
    });
    expect_proper(outcome);
    const test::BatchPtr batch(raw);
    if (place_ == Place::script_claim) {
      EXPECT_FALSE(outcome.ok()) << "it takes this for an answer to a claim";
      return;
    }
    ASSERT_EQ(batch.size(), 1U) << outcome;
    for (const int32_t action : {SWAPMQ_SETTLE_RELEASE, SWAPMQ_SETTLE_ACK}) {
      const Exchanged settled = exchange(subscription, {test::settlement(batch[0], action)});
      EXPECT_NE(settled.statuses[0], SWAPMQ_OK) << "what was not an answer settled it";
    }
  }

  Exchanged exchange(swapmq_subscription* subscription,
                     const std::vector<swapmq_settlement>& settlements) {
    // Where nothing comes it waits in vain.
    const bool vain = place_ == Place::xreadgroup || place_ == Place::unblock;
    const milliseconds patience = vain ? milliseconds(40) : kPatience;
    Exchanged made = timely("exchange", patience + kGrace, [&] {
      return session_->exchange(subscription, settlements, 10, patience);
    });
    expect_proper(made.outcome);
    for (std::size_t i = 0; i < made.batch.size(); ++i) {
      EXPECT_GE(made.batch.id(i).size(), 1U); // reads all of it
      EXPECT_LE(made.batch[i].message->priority, 9U);
    }
    return made;
  }

  void settle(swapmq_subscription* subscription, const Exchanged& got) {
    if (got.batch.size() == 0) return;
    const bool back = place_ == Place::script_give_back;
    const bool dead = place_ == Place::script_dead_letter || copies_;
    const int32_t action = back   ? SWAPMQ_SETTLE_NACK
                           : dead ? SWAPMQ_SETTLE_DEAD_LETTER
                                  : SWAPMQ_SETTLE_ACK;
    swapmq_settlement one = test::settlement(got.batch[0], action);
    one.target = dead ? session_->queue("dead") : nullptr;
    const Exchanged settled = exchange(subscription, {one});
    const bool is_copied = dead && !copies_ && hostile_.name == "error CROSSSLOT";
    if (is_copied) return;
    const bool in_place = back || dead || place_ == Place::xdel || place_ == Place::xack ||
                          place_ == Place::script_ack_fenced;
    if (in_place) {
      EXPECT_NE(settled.statuses[0], SWAPMQ_OK) << "what was not an answer settled it";
    }
  }

  const Place place_;
  const bool copies_;
  const Hostile hostile_;
  std::atomic<int> visits_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> acked_{false};
  FakeServer server_;
  test::OpenedBackend opened_;
  std::unique_ptr<SessionPtr> session_;
  swapmq_queue* queue_ = nullptr;
};

class EveryPlace : public testing::TestWithParam<Place> {};

TEST_P(EveryPlace, WithstandsWhatIsNoAnswer) {
  for (const Hostile& hostile : hostile_answers()) {
    SCOPED_TRACE(hostile.name);
    Visit visit(GetParam(), hostile);
    visit.run();
    EXPECT_TRUE(visit.was_there()) << visit.opening();
  }
}

TEST_P(EveryPlace, WithstandsAnAnswerThatIsCut) {
  Command command(13); // of as many words as give back one entry
  command.front() = "HELLO";
  std::string proper = proper_answer(GetParam(), command);
  if (GetParam() == Place::script_ack_fenced) proper = "*1\r\n:1\r\n";
  for (std::size_t length = 0; length < proper.size(); ++length) {
    SCOPED_TRACE("cut at " + std::to_string(length));
    Visit visit(GetParam(), {"cut", proper.substr(0, length), true});
    visit.run();
    EXPECT_TRUE(visit.was_there()) << visit.opening();
  }
}

TEST(HostileCopy, OfADeadLetterWithoutAnAnswerIsNotFollowedByAnAck) {
  for (const Hostile& hostile : hostile_answers()) {
    SCOPED_TRACE(hostile.name);
    Visit visit(Place::script_publish, hostile, true);
    visit.run();
    EXPECT_TRUE(visit.was_there()) << visit.opening();
    EXPECT_FALSE(visit.acked()) << "it is lost now";
  }
}

INSTANTIATE_TEST_SUITE_P(Hostile, EveryPlace, testing::ValuesIn(all_places()),
                         [](const auto& place) { return std::string(name_of(place.param)); });

} // namespace
} // namespace swapmq::live
