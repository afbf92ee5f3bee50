// SPDX-License-Identifier: MIT
#include "daemon/reloader.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>

#include "daemon/descriptor.h"

namespace swapmq::host {
namespace {

/// A reload that ends when the test says so.
class Reloading : public testing::Test {
 protected:
  Reloading()
      : rung_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        worker_(rung_.get()),
        reloader_([this] { return reload(); }, worker_) {}
  ~Reloading() override {
    while (given_ < may_end_.size()) let_end();
    worker_.stop();
  }

  Result<ReloadResult> reload() {
    const std::size_t number = begun_++;
    begins_[number].set_value();
    may_end_[number].get_future().wait();
    if (number == fails_) return Error(Errc::config, "it is wrong");
    ReloadResult result;
    result.switch_number = number + 1;
    return result;
  }
  void await_begin(std::size_t number) { begins_[number].get_future().wait(); }
  void let_end() { may_end_[given_++].set_value(); }
  /// Until the worker has told that a job ended.
  void await_end() {
    pollfd readable{rung_.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 30'000), 1);
    eventfd_t count = 0;
    ASSERT_EQ(::eventfd_read(rung_.get(), &count), 0);
  }

  std::size_t fails_ = 99, given_ = 0;
  std::atomic<std::size_t> begun_{0};
  std::array<std::promise<void>, 4> begins_, may_end_;
  Descriptor rung_;
  Worker worker_;
  Reloader reloader_;
};

TEST_F(Reloading, HoweverManyAskMeanwhileOneMoreFollows) {
  EXPECT_EQ(reloader_.last().number, 0U);
  EXPECT_FALSE(reloader_.busy());
  EXPECT_EQ(reloader_.ask("first"), 1U);
  await_begin(0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(reloader_.ask("storm"), 2U);
  EXPECT_EQ(reloader_.last().number, 0U);
  let_end();
  await_begin(1);
  EXPECT_TRUE(reloader_.busy());
  let_end();
  await_end();
  while (reloader_.busy()) await_end();
  EXPECT_EQ(begun_, 2U);
  EXPECT_EQ(reloader_.last().number, 2U);
  EXPECT_EQ(reloader_.last().why, "storm");
  EXPECT_EQ(reloader_.last().result.switch_number, 2U);
  const std::vector<Reloaded> both = reloader_.after(0);
  ASSERT_EQ(both.size(), 2U) << "whoever asked for the first one hears of that";
  EXPECT_EQ(both.front().why, "first");
  EXPECT_EQ(both.front().result.switch_number, 1U);
  EXPECT_EQ(reloader_.after(1).size(), 1U);
  EXPECT_TRUE(reloader_.after(2).empty());
}

TEST_F(Reloading, RemembersWhyTheLastOneFailed) {
  fails_ = 0;
  const auto before = std::chrono::system_clock::now();
  reloader_.ask("SIGHUP");
  let_end();
  await_end();
  const Reloaded last = reloader_.last();
  EXPECT_EQ(last.error.code(), Errc::config);
  EXPECT_EQ(last.error.message(), "it is wrong");
  EXPECT_EQ(last.why, "SIGHUP");
  EXPECT_GE(last.when, before);
  reloader_.ask("again");
  let_end();
  await_end();
  EXPECT_FALSE(reloader_.last().error) << "the last one counts";
}

TEST_F(Reloading, AfterTheEndItIsRefused) {
  worker_.stop();
  const std::uint64_t number = reloader_.ask("late");
  EXPECT_EQ(reloader_.last().number, number) << "whoever waits for it must not wait for ever";
  EXPECT_EQ(reloader_.last().error.code(), Errc::closed);
  EXPECT_FALSE(reloader_.busy());
}

TEST(Worker, HasABound) {
  const Descriptor rung(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::promise<void> began, may_end; // outlive the worker, whose job looks at them
  Worker worker(rung.get());
  ASSERT_TRUE(worker.post([&] {
    began.set_value();
    may_end.get_future().wait();
  }));
  began.get_future().wait();
  for (std::size_t i = 0; i < Worker::most_jobs; ++i) EXPECT_TRUE(worker.post([] {}));
  EXPECT_FALSE(worker.post([] {}));
  may_end.set_value();
}

TEST(Worker, TellsThatAJobDoesNotEnd) {
  const Descriptor rung(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::promise<void> began, may_end;
  bool dropped = true;
  Worker worker(rung.get());
  ASSERT_TRUE(worker.post([&] {
    began.set_value();
    may_end.get_future().wait();
  }));
  ASSERT_TRUE(worker.post([&] { dropped = false; }));
  began.get_future().wait();
  EXPECT_FALSE(worker.finish(std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
  EXPECT_FALSE(worker.post([] {})) << "it takes no more";
  may_end.set_value();
  EXPECT_TRUE(worker.finish(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  worker.stop();
  EXPECT_TRUE(dropped);
}

} // namespace
} // namespace swapmq::host
