// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "queue/uuid7.h"

namespace {

using swapmq::queue::make_message_id;

TEST(MessageId, IsAUuidVersion7WithItsTimeInFront) {
  const auto id = make_message_id(0x0123456789ab);
  const std::string text(id.view());
  EXPECT_EQ(text.substr(0, 13), "01234567-89ab");
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(text[dash], '-');
}

TEST(MessageId, DiffersAcrossCallsAndThreads) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < 20'000; ++i) ids.emplace_back(make_message_id(1).view());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 80'000U);
}

TEST(MessageId, DiffersAfterAFork) {
  make_message_id(1); // seeded before the fork
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto id = make_message_id(1);
    _exit(write(channel[1], id.text.data(), id.text.size()) == 36 ? 0 : 1);
  }
  const std::string own(make_message_id(1).view());
  std::string childs(36, '\0');
  ASSERT_EQ(read(channel[0], childs.data(), childs.size()), 36);
  int status = 0;
  waitpid(child, &status, 0);
  close(channel[0]);
  close(channel[1]);
  EXPECT_NE(own, childs);
}

} // namespace
