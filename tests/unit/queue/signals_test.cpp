// SPDX-License-Identifier: MIT
//
// Signals are the application's: threads that run none of its code take none.
#include <sys/syscall.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "support.h"

namespace {

using namespace test;

/// As the kernel tells it in "SigBlk:", a set of bits.
bool blocks(const std::filesystem::path& thread, int signal) {
  std::ifstream status(thread / "status");
  for (std::string word; status >> word;) {
    if (word != "SigBlk:") continue;
    std::uint64_t blocked = 0;
    status >> std::hex >> blocked;
    return (blocked >> (signal - 1) & 1) != 0;
  }
  return true; // it has just ended
}

/// The threads of this process but for the one that asks.
std::size_t others_open_to(int signal) {
  std::size_t count = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == std::to_string(::syscall(SYS_gettid))) continue;
    if (!blocks(thread.path(), signal)) ++count;
  }
  return count;
}

TEST(Signals, AreLeftToTheApplicationsThreads) {
  auto mq = open_memory();
  EXPECT_EQ(others_open_to(SIGTERM), 0U);
  // The C library blocks all signals in a thread that has not quite begun.
  EXPECT_TRUE(eventually([] { return others_open_to(SIGSEGV) > 0; }))
      << "who reports crashes is to hear of ours";
  EXPECT_TRUE(eventually([] { return others_open_to(SIGPROF) > 0; }));
}

TEST(Signals, ComeWhereTheApplicationsCodeRuns) {
  auto mq = open_memory();
  std::atomic<bool> published{false};
  mq.publish_async("tasks", swapmq::Message{.body = "x"},
                   [&](const swapmq::Sent&) { published = true; });
  ASSERT_TRUE(eventually([&] { return published.load(); }));
  EXPECT_EQ(others_open_to(SIGTERM), 1U) << "the thread that calls back";

  Seen seen;
  auto consumer = mq.consume("tasks", {}, [&](const swapmq::Delivery& /*delivery*/) {
    seen.add(blocks("/proc/thread-self", SIGTERM) ? "blocked" : "open");
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return !seen.all().empty(); }));
  EXPECT_EQ(seen.all().front(), "open") << "what a handler starts would inherit it";
}

TEST(Signals, OfTheOpenersThreadStayAsTheyWere) {
  sigset_t before, after;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  const auto mq = open_memory();
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    EXPECT_EQ(::sigismember(&before, signal), ::sigismember(&after, signal)) << signal;
  }
}

} // namespace
