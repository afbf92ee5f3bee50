// SPDX-License-Identifier: MIT
//
// Several processes on one file: each message once, nobody told that the file is busy.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

constexpr int kPublishers = 2;
constexpr int kConsumers = 3;
constexpr int kBatches = 60;
constexpr int kPerBatch = 20;

[[noreturn]] void publish(const std::string& path, int number) {
  const Opened opened(Opened::options(path));
  if (!opened.outcome.ok()) _exit(1);
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = session.queue("q");
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<std::string> ids;
    for (int i = 0; i < kPerBatch; ++i) {
      ids.push_back(std::to_string(number) + "-" + std::to_string(batch * kPerBatch + i));
    }
    if (!session.publish_ids(queue, ids).confirmed()) _exit(2);
  }
  _exit(0);
}

/// Until told to stop by a message that is only for that.
[[noreturn]] void consume(const std::string& path, const std::string& log) {
  const Opened opened(Opened::options(path));
  if (!opened.outcome.ok()) _exit(1);
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 50);
  std::ofstream file(log);
  for (bool stopped = false; !stopped;) {
    const Exchanged received = session.exchange(subscription, {}, 16, milliseconds(20000));
    if (!received.outcome.ok() || received.batch.size() == 0) _exit(2);
    std::vector<swapmq_settlement> settlements;
    for (std::size_t i = 0; i < received.batch.size(); ++i) {
      const bool stop = received.batch.id(i) == "stop";
      // One stop for each consumer: those beyond the first are for the others.
      settlements.push_back(settlement(
          received.batch[i], stop && stopped ? SWAPMQ_SETTLE_RELEASE : SWAPMQ_SETTLE_ACK));
      stopped = stopped || stop;
      if (!stop) file << received.batch.id(i) << "\n";
    }
    const Exchanged settled = session.exchange(subscription, settlements, 0, milliseconds(20000));
    if (!settled.outcome.ok()) _exit(3);
    for (const swapmq_status status : settled.statuses) {
      if (status != SWAPMQ_OK) _exit(4);
    }
  }
  file.close();
  _exit(0);
}

int exit_code(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Opens the file as soon as the gate is closed at its other end, with all the others.
[[noreturn]] void open_at_once(const std::string& path, int gate) {
  char nothing = 0;
  if (read(gate, &nothing, 1) != 0) _exit(2);
  _exit(Opened(Opened::options(path)).outcome.ok() ? 0 : 1);
}

TEST(Processes, ThatMakeTheFileAtTheSameMomentAllOpenIt) {
  for (int round = 0; round < 60; ++round) {
    const TempFolder folder;
    int gate[2];
    ASSERT_EQ(pipe(gate), 0);
    std::vector<pid_t> openers;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        close(gate[1]);
        open_at_once(folder / "q.db", gate[0]);
      }
      openers.push_back(child);
    }
    close(gate[0]);
    close(gate[1]);
    for (const pid_t child : openers) ASSERT_EQ(exit_code(child), 0) << "in round " << round;
  }
}

TEST(Processes, EachMessageGoesToOneConsumerAndNobodyIsTurnedAway) {
  const TempFolder folder;
  const std::string path = folder / "q.db";
  std::vector<pid_t> consumers;
  for (int i = 0; i < kConsumers; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) consume(path, folder / ("log" + std::to_string(i)));
    consumers.push_back(child);
  }
  std::vector<pid_t> publishers;
  for (int i = 0; i < kPublishers; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) publish(path, i);
    publishers.push_back(child);
  }
  for (const pid_t child : publishers) EXPECT_EQ(exit_code(child), 0) << "a publisher";
  {
    const Opened opened(Opened::options(path));
    SessionPtr session(opened);
    swapmq_queue* queue = session.queue("q");
    ASSERT_TRUE(session.publish_ids(queue, {"stop", "stop", "stop"}).confirmed());
    for (const pid_t child : consumers) EXPECT_EQ(exit_code(child), 0) << "a consumer";
    EXPECT_EQ(sizes(session.stats(queue)), "0/0/0");
  }
  std::map<std::string, int> seen;
  for (int i = 0; i < kConsumers; ++i) {
    std::ifstream log(folder / ("log" + std::to_string(i)));
    for (std::string line; std::getline(log, line);) ++seen[line];
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kPublishers * kBatches * kPerBatch));
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
}

} // namespace
} // namespace swapmq::test
