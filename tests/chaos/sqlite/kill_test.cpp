// SPDX-License-Identifier: MIT
//
// A process that publishes and consumes, killed at random moments: every message that it was told
// is confirmed is still there, or was acknowledged.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "seed.hpp"
#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

/// Lines that survive the process that writes them: one append each.
class Journal {
 public:
  explicit Journal(const std::string& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~Journal() { close(fd_); }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  void add(const std::vector<std::string>& ids) const {
    std::string lines;
    for (const std::string& id : ids) lines += id + "\n";
    if (write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) _exit(9);
  }

 private:
  int fd_;
};

std::set<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

void publish_for_ever(const Opened& opened, const TempFolder& folder, int round) {
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = session.queue("q");
  const Journal confirmed(folder / "confirmed");
  std::mt19937 random(static_cast<unsigned>(round));
  for (int next = 0;;) {
    std::vector<std::string> ids;
    for (unsigned long i = 0, count = 1 + random() % 12; i < count; ++i) {
      ids.push_back(std::to_string(round) + "-" + std::to_string(next++));
    }
    if (!session.publish_ids(queue, ids).confirmed()) _exit(2);
    confirmed.add(ids);
  }
}

void consume_for_ever(const Opened& opened, const TempFolder& folder, int round) {
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 100);
  const Journal acking(folder / "acking");
  const Journal acked(folder / "acked");
  std::mt19937 random(static_cast<unsigned>(round) + 1000);
  for (;;) {
    const BatchPtr batch = session.receive(subscription, 1 + random() % 8, milliseconds(1000));
    std::vector<swapmq_settlement> settlements;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool ack = random() % 3 != 0;
      settlements.push_back(settlement(
          batch[i], ack ? SWAPMQ_SETTLE_ACK
                        : (random() % 2 == 0 ? SWAPMQ_SETTLE_NACK : SWAPMQ_SETTLE_RELEASE)));
      if (ack) ids.push_back(batch.id(i));
    }
    acking.add(ids);
    const Exchanged exchanged = session.exchange(subscription, settlements, 0, milliseconds(10000));
    if (!exchanged.outcome.ok()) _exit(3);
    acked.add(ids);
  }
}

[[noreturn]] void work_until_killed(const TempFolder& folder, int round, int ready) {
  const Opened opened(Opened::options(folder / "q.db"));
  if (!opened.outcome.ok()) _exit(1);
  std::thread publishing([&] { publish_for_ever(opened, folder, round); });
  if (write(ready, "r", 1) != 1) _exit(4);
  consume_for_ever(opened, folder, round);
  _exit(5);
}

void check(const TempFolder& folder) {
  const Opened opened(Opened::options(folder / "q.db"));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue, 1'000'000);
  std::multiset<std::string> there;
  for (;;) {
    const BatchPtr batch = session.receive(subscription, 10000);
    if (batch.size() == 0) break;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      there.insert(batch.id(i));
      EXPECT_EQ(batch.body(i), "body of " + batch.id(i));
    }
  }
  const std::set<std::string> acking = lines_of(folder / "acking");
  std::size_t lost = 0;
  for (const std::string& id : lines_of(folder / "confirmed")) {
    if (there.count(id) == 0 && acking.count(id) == 0) ++lost;
  }
  EXPECT_EQ(lost, 0u) << "confirmed, not acknowledged, and gone";
  for (const std::string& id : lines_of(folder / "acked")) {
    EXPECT_EQ(there.count(id), 0u) << id << " was acknowledged and is there again";
  }
  for (auto id = there.begin(); id != there.end(); id = there.upper_bound(*id)) {
    EXPECT_EQ(there.count(*id), 1u) << *id << " is there more than once";
  }
  const swapmq_queue_stats stats = session.stats(queue);
  EXPECT_EQ(stats.unacked, there.size());
  EXPECT_EQ(stats.ready + stats.delayed, 0u);
}

TEST(Kill, TwentyTimesAndEveryConfirmedMessageIsThereOrAcknowledged) {
  const unsigned seed = chaos_seed();
  SCOPED_TRACE("SWAPMQ_CHAOS_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const TempFolder folder;
  for (int round = 0; round < 20; ++round) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) work_until_killed(folder, round, ready[1]);
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the child did not begin";
    close(ready[0]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    check(folder);
    ASSERT_FALSE(HasFailure()) << "in round " << round;
  }
  EXPECT_GT(lines_of(folder / "confirmed").size(), 100u) << "too little happened to prove anything";
  EXPECT_GT(lines_of(folder / "acked").size(), 20u) << "too little happened to prove anything";
}

} // namespace
} // namespace swapmq::test
