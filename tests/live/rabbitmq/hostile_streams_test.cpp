// SPDX-License-Identifier: MIT
//
// A broker that never ends, or that is slow, and one whose bytes are damaged: calls end in time,
// and memory is bounded.
#include <unistd.h>

#include <ostream>
#include <random>
#include <thread>
#include <vector>

#include "hostile.hpp"

namespace swapmq::live {

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  statm >> all >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

namespace {

using namespace amqp;

// Of memory, in bytes. The address sanitizer keeps up to 256 MB of what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMostGrowth = (64 + 256) << 20;
#else
constexpr std::size_t kMostGrowth = 64 << 20;
#endif

constexpr std::size_t kAtATime = 256 << 10;

/// Something that never ends, from the reply to this method on, in its place.
struct Endless {
  std::string name;
  Method method;
  std::string bytes; // again and again
  bool slowly = false;
  bool replies = false; // politely, before
};
void PrintTo(const Endless& endless, std::ostream* out) { *out << endless.name; }

AmqpScript script_of(const Endless& endless) {
  return [=](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != endless.method) return std::nullopt;
    AmqpReply reply = endless.replies ? polite_reply(request) : AmqpReply();
    // Many at a time, so that it is faster than who reads it.
    std::string many = endless.bytes;
    while (!endless.slowly && many.size() < kAtATime) many += endless.bytes;
    reply.endless = [many] { return many; };
    reply.slowly = endless.slowly;
    return reply;
  };
}

class EndlessStream : public testing::TestWithParam<Endless> {};

TEST_P(EndlessStream, HoldsNobodyUp) {
  HostileApp app(script_of(GetParam()));
  const std::size_t before = resident_bytes();
  constexpr milliseconds kAMoment(100);
  (void)timely("publish", kAMoment,
               [&] { return app.mq().publish("tasks", "body", {.timeout = kAMoment}); });
  (void)timely("ping", kAMoment, [&] { return app.mq().ping(kAMoment); });
  {
    auto subscription = app.mq().subscribe("tasks");
    (void)timely("receive", kAMoment, [&] { return subscription->receive(10, kAMoment); });
    (void)timely("close", kAMoment, [&] { return subscription->close(kAMoment); });
  }
  EXPECT_LT(resident_bytes(), before + kMostGrowth);
  app.expect_heals();
}

std::vector<Endless> endless_streams() {
  const std::string beat = frame(kHeartbeatFrame, 0, "");
  const std::string stray = method(2, kAck, u64(1) + u8(0));
  const std::string blocked = method(0, kBlocked, short_text("again"));
  const std::string body = body_frame(1, std::string(1000, 'x'));
  return {
      {"HeartbeatsForAGreeting", kProtocolHeader, beat},
      {"HeartbeatsForATune", kStartOk, beat},
      {"HeartbeatsForAnOpen", kOpen, beat},
      {"HeartbeatsForAChannel", kChannelOpen, beat},
      {"HeartbeatsForAConfirm", kPublish, beat},
      {"HeartbeatsForAConsumer", kConsume, beat},
      {"HeartbeatsForAGoodbye", kClose, beat},
      {"HeartbeatsAfterAll", kOpen, beat, false, true},
      {"AlarmsForAChannel", kChannelOpen, blocked},
      {"AlarmsForAConfirm", kPublish, blocked},
      {"StrayConfirmsForAConfirm", kPublish, stray},
      {"StrayConfirmsForAFlow", kFlow, stray},
      {"BodiesForAChannel", kChannelOpen, body},
      {"BodiesForADeclaration", kQueueDeclare, body},
      {"BodiesForAConfirm", kPublish, body},
      {"BodiesForAConsumer", kConsume, body},
      {"GarbageForAGreeting", kProtocolHeader, "\xff\x01\x02"},
      {"GarbageForAConfirm", kPublish, "\xff\x01\x02"},
      {"SlowHeartbeatsForAGreeting", kProtocolHeader, beat, true},
      {"SlowGreeting", kProtocolHeader, beat, true, true},
      {"SlowTune", kStartOk, beat, true},
      {"SlowChannel", kChannelOpen, beat, true},
      {"SlowConfirm", kPublish, beat, true},
      {"SlowConsumer", kConsume, beat, true},
      {"SlowBody", kConsume, body, true},
      {"SlowGarbage", kPublish, "\x01", true},
  };
}
std::string name_of(const testing::TestParamInfo<Endless>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Each, EndlessStream, testing::ValuesIn(endless_streams()), name_of);

/// Gives deliveries, each with the next tag.
std::function<std::string()> deliveries(std::size_t body_bytes) {
  return [tag = std::uint64_t{0}, body = std::string(body_bytes, 'x')]() mutable {
    return delivery(1, ++tag, body);
  };
}

/// Also where nobody asks for more.
TEST(EndlessDeliveries, BeyondThePrefetchAreNotKept) {
  HostileApp app([](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != kConsume) return std::nullopt;
    AmqpReply reply(method(1, kConsumeOk, short_text("consumer")));
    reply.endless = deliveries(20'000);
    return reply;
  });
  const std::size_t before = resident_bytes();
  auto subscription = app.mq().subscribe("tasks", {.prefetch = 10});
  ASSERT_TRUE(subscription);
  auto got = subscription->receive(1, kEnough);
  ASSERT_TRUE(got && got->size() == 1) << app.log();
  const auto said = testing::ContainsRegex("more than the prefetch");
  EXPECT_TRUE(await([&] { return testing::Matches(said)(app.log()); }, kEnough)) << app.log();
  EXPECT_LT(resident_bytes(), before + kMostGrowth);
  EXPECT_EQ((*got)[0].body(), std::string(20'000, 'x')) << "stays as it is";
  got->clear();
  EXPECT_FALSE(timely("close", milliseconds(500), [&] { return subscription->close(); }));
  app.expect_heals();
}

// ---- damaged bytes ------------------------------------------------------------------------------

/// Polite, but for one place in all that it sends, which is damaged.
class Damage {
 public:
  explicit Damage(std::uint32_t seed) : random_(seed) {
    constexpr std::size_t kUpTo = 420; // of what a login and a publish, or a delivery, take
    at_ = random_() % kUpTo;
  }

  AmqpReply reply(const AmqpRequest& request) {
    AmqpReply reply = polite_reply(request);
    const std::size_t size = reply.bytes.size();
    if (at_ >= sent_ && at_ < sent_ + size) damage(reply.bytes, at_ - sent_);
    sent_ += size;
    return reply;
  }

 private:
  void damage(std::string& bytes, std::size_t at) {
    const std::size_t count = 1 + random_() % 4;
    switch (random_() % 3) {
      case 0:
        bytes[at] =
            static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << random_() % 8));
        break;
      case 1:
        for (std::size_t i = 0; i < count; ++i) {
          bytes.insert(at, 1, static_cast<char>(random_() & 0xff));
        }
        break;
      default:
        bytes.erase(at, count);
    }
  }

  std::mt19937 random_;
  std::size_t at_ = 0;
  std::size_t sent_ = 0;
};

/// Publishes, or consumes, once over a damaged stream, and then over a good one.
void survive(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Damage damage(seed);
  HostileApp app(
      [&](const AmqpRequest& request) { return damage.reply(request); },
      HostileApp::Options{.heartbeat_seconds = 1}); // where a consumer's delivery lost its end
  if (seed % 2 == 0) {
    constexpr milliseconds kTimeout(1000);
    const Sent sent = timely("publish", kTimeout, [&] {
      return app.mq().publish("tasks", "body", {.timeout = kTimeout});
    });
    EXPECT_TRUE(!sent || app.broker().await_request(kPublish, 1, milliseconds(0)));
  } else {
    auto subscription = app.mq().subscribe("tasks");
    (void)timely("receive", kSoon, [&] { return subscription->receive(1, kSoon); });
    (void)timely("close", kSoon, [&] { return subscription->close(); });
  }
  app.expect_heals();
}

TEST(DamagedStream, IsSurvivedAndHealed) {
  constexpr std::uint32_t kSeeds = 250;
  constexpr std::uint32_t kThreads = 12; // they wait most of the time
  std::vector<std::thread> threads;
  for (std::uint32_t first = 0; first < kThreads; ++first) {
    threads.emplace_back([first] {
      for (std::uint32_t seed = first; seed < kSeeds; seed += kThreads) survive(seed);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

} // namespace
} // namespace swapmq::live
