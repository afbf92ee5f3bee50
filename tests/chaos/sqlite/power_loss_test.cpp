// SPDX-License-Identifier: MIT
//
// Loss of power at every write and every sync of a short run. Killing a process cannot show a sync
// that is missing, for the kernel still has the bytes; here they are gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "crash_vfs.hpp"
#include "seed.hpp"
#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

/// What must be found of a message after a loss of power at some moment.
struct Promise {
  enum Kind { kMaybe, kOnce, kGone } kind = kMaybe;
  std::string body;
  uint32_t least_count = 1;
};
using Promises = std::map<std::string, Promise>;

struct Moment {
  CrashDisk::State disk;
  Promises promises;
};

/// A publisher and a consumer at work, noting at each write and each sync what is on the disk and
/// what was promised.
class Workday {
 public:
  Workday(const std::string& path, const std::string& synchronous) : path_(path) {
    options_ = Opened::options(path, "\"synchronous\": \"" + synchronous + "\"");
    disk_.on_point = [this] { moments_.push_back({disk_.state(), promises_}); };
  }

  std::vector<Moment> moments() {
    {
      const Opened opened(options_);
      EXPECT_TRUE(opened.outcome.ok()) << opened.outcome;
      SessionPtr publisher(opened, SWAPMQ_ROLE_PUBLISH);
      SessionPtr consumer(opened);
      swapmq_subscription* subscription = consumer.subscribe(consumer.queue("q"));
      for (int round = 0; round < 6; ++round) {
        publish(publisher, 1);
        publish(publisher, 5);
        consume(consumer, subscription, round);
        // Under both sessions, as another process would: the log is emptied and begins again.
        if (round % 2 == 1) checkpoint(round == 3 ? "TRUNCATE" : "RESTART");
      }
      publish(publisher, 2, 20'000);
    }
    // Closed: the last one out has emptied and removed the log. And on again, with a new one.
    const Opened opened(options_);
    SessionPtr publisher(opened, SWAPMQ_ROLE_PUBLISH);
    publish(publisher, 3);
    disk_.on_point();
    return std::move(moments_);
  }

 private:
  void publish(SessionPtr& session, int count, std::size_t size = 50) {
    std::vector<Text> texts;
    for (int i = 0; i < count; ++i) {
      Text text;
      text.id = "m" + std::to_string(next_id_++);
      text.body = text.id + std::string(size, 'x');
      if (i == 3) text.priority = 5;
      if (i == 4) text.due_at_ms = unix_ms() + 1; // parked first
      promises_[text.id] = {Promise::kMaybe, text.body, 1};
      texts.push_back(text);
    }
    const Published published = session.publish(session.queue("q"), texts);
    ASSERT_TRUE(published.confirmed()) << published.outcome;
    for (const Text& text : texts) promises_[text.id].kind = Promise::kOnce;
  }

  void consume(SessionPtr& session, swapmq_subscription* subscription, int round) {
    const BatchPtr batch = session.receive(subscription, 4, milliseconds(5000));
    ASSERT_GE(batch.size(), 3u);
    std::vector<swapmq_settlement> settlements = {settlement(batch[0], SWAPMQ_SETTLE_ACK),
                                                  settlement(batch[1], SWAPMQ_SETTLE_NACK),
                                                  settlement(batch[2], SWAPMQ_SETTLE_ACK)};
    if (round % 3 == 2) {
      settlements[2] = settlement(batch[2], SWAPMQ_SETTLE_DEAD_LETTER);
      settlements[2].target = session.queue("dead");
    }
    for (const std::size_t i : {0u, 2u}) {
      if (settlements[i].action == SWAPMQ_SETTLE_ACK) promises_[batch.id(i)].kind = Promise::kMaybe;
    }
    const uint32_t counted = batch[1].delivery_count + 1;
    const Exchanged exchanged = session.exchange(subscription, settlements, 0);
    ASSERT_TRUE(exchanged.outcome.ok()) << exchanged.outcome;
    for (const swapmq_status status : exchanged.statuses) ASSERT_EQ(status, SWAPMQ_OK);
    promises_[batch.id(1)].least_count = counted;
    for (const std::size_t i : {0u, 2u}) {
      if (settlements[i].action == SWAPMQ_SETTLE_ACK) promises_[batch.id(i)].kind = Promise::kGone;
    }
    if (batch.size() == 4) {
      ASSERT_EQ(session.settle(subscription, batch[3], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
    }
  }

  void checkpoint(const std::string& mode) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, ("PRAGMA wal_checkpoint(" + mode + ")").c_str(), nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(handle);
  }

  std::string path_;
  std::string options_;
  CrashDisk disk_;
  Promises promises_;
  std::vector<Moment> moments_;
  int next_id_ = 0;
};

struct Found {
  int times = 0;
  std::string body;
  uint32_t count = 0;
};

std::map<std::string, Found> everything_in(const Opened& opened) {
  std::map<std::string, Found> found;
  SessionPtr session(opened);
  // Delayed messages are due a millisecond after the run; here that is long ago.
  for (const char* name : {"q", "dead"}) {
    swapmq_subscription* subscription = session.subscribe(session.queue(name), 10000);
    const BatchPtr batch = session.receive(subscription, 10000);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Found& message = found[batch.id(i)];
      ++message.times;
      message.body = batch.body(i);
      message.count = batch[i].delivery_count;
    }
  }
  return found;
}

struct Verdict {
  int lost = 0;       // promised and not there
  int back = 0;       // acknowledged and there again, or counted too little
  int impossible = 0; // twice, with another body, or never published
  std::string broken; // the file cannot be opened
  [[nodiscard]] bool kept() const {
    return lost == 0 && back == 0 && impossible == 0 && broken.empty();
  }
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  return out << "lost " << verdict.lost << ", back " << verdict.back << ", impossible "
             << verdict.impossible << " " << verdict.broken;
}

/// After a loss of power the machine has been started anew, and who held messages is known dead by
/// it.
void start_machine_anew(const std::string& path) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  // Fails where the tables are not there yet, or cannot be read: for the backend to say.
  sqlite3_exec(handle, "PRAGMA synchronous = OFF; UPDATE owners SET boot = x'00'", nullptr, nullptr,
               nullptr);
  sqlite3_close(handle);
}

Verdict judge(const CrashDisk::Image& image, const Promises& promises, const std::string& folder) {
  const TempFolder survivors;
  CrashDisk::write_to(image, folder, survivors / "");
  Verdict verdict;
  start_machine_anew(survivors / "q.db");
  const Opened opened(Opened::options(survivors / "q.db", "\"synchronous\": \"off\""));
  if (!opened.outcome.ok()) {
    verdict.broken = opened.outcome.text;
    return verdict;
  }
  const auto found = everything_in(opened);
  for (const auto& [id, message] : found) {
    const auto promise = promises.find(id);
    if (promise == promises.end() || message.times != 1 || message.body != promise->second.body) {
      ++verdict.impossible;
    }
  }
  for (const auto& [id, promise] : promises) {
    const auto message = found.find(id);
    if (message == found.end()) {
      verdict.lost += promise.kind == Promise::kOnce ? 1 : 0;
    } else if (promise.kind == Promise::kGone || message->second.count < promise.least_count) {
      ++verdict.back;
    }
  }
  return verdict;
}

class PowerLoss : public testing::Test {
 protected:
  std::vector<Moment> run(const std::string& synchronous) {
    return Workday(folder_ / "q.db", synchronous).moments();
  }
  Verdict after(const CrashDisk::Image& image, const Moment& moment) {
    return judge(image, moment.promises, folder_ / "");
  }

  TempFolder folder_;
};

TEST_F(PowerLoss, WithFullNothingConfirmedIsLostAtAnyWriteOrSync) {
  const std::vector<Moment> moments = run("full");
  ASSERT_GT(moments.size(), 100u);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Verdict verdict = after(CrashDisk::drop_unsynced(moments[i].disk), moments[i]);
    ASSERT_TRUE(verdict.kept()) << "at moment " << i << " of " << moments.size() << ": " << verdict;
  }
  const Promises& last = moments.back().promises;
  const auto promised = std::count_if(last.begin(), last.end(), [](const auto& promise) {
    return promise.second.kind == Promise::kOnce;
  });
  EXPECT_GT(promised, 10) << "the run promised too little to prove anything";
}

TEST_F(PowerLoss, WithFullNothingConfirmedIsLostWhateverElseReachedTheDisk) {
  const unsigned seed = chaos_seed();
  SCOPED_TRACE("SWAPMQ_CHAOS_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<Moment> moments = run("full");
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Verdict verdict = after(CrashDisk::keep_some(moments[i].disk, random), moments[i]);
    ASSERT_TRUE(verdict.kept()) << "at moment " << i << " of " << moments.size() << ": " << verdict;
  }
}

TEST_F(PowerLoss, WithNormalTheLastOnesMayGoButTheFileIsWhole) {
  const unsigned seed = chaos_seed();
  SCOPED_TRACE("SWAPMQ_CHAOS_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<Moment> moments = run("normal");
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Verdict verdict = after(CrashDisk::keep_some(moments[i].disk, random), moments[i]);
    ASSERT_TRUE(verdict.broken.empty() && verdict.impossible == 0)
        << "at moment " << i << ": " << verdict;
  }
}

/// The proof of the proof: where nothing is ever synced, this test must see it.
TEST_F(PowerLoss, WithOffLossesAreFound) {
  const std::vector<Moment> moments = run("off");
  int lossy = 0;
  for (std::size_t i = 0; i < moments.size(); i += 5) {
    const Verdict verdict = after(CrashDisk::drop_unsynced(moments[i].disk), moments[i]);
    if (verdict.lost > 0 || !verdict.broken.empty()) ++lossy;
  }
  EXPECT_GT(lossy, 0) << "the test does not notice that nothing was synced";
}

} // namespace
} // namespace swapmq::test
