// SPDX-License-Identifier: MIT
//
// A backend that was left and is dead, or hangs, is no reason for anything else to wait.
#include <chrono>

#include "moody.h"

namespace {

using namespace test;
using std::chrono::steady_clock;
using swapmq::MessageQueue;
using swapmq::SwitchPhase;

/// The shortest that so many pauses of a backoff that begins with 20 ms take together.
std::chrono::milliseconds shortest(int pauses) {
  return std::chrono::milliseconds(10 * ((1 << pauses) - 1));
}

class DeadSide : public Moody {
 protected:
  /// Without trials in other processes: it is this one that must not wait.
  [[nodiscard]] MessageQueue open_here(const std::string& type,
                                       const std::string& more = "") const {
    return open(type, untried + more);
  }
  static inline const std::string untried = R"(,"switch":{"probe":false})";
  /// A host that starts on memory, with moody owed messages since before.
  [[nodiscard]] MessageQueue restarted(const std::string& mood) const {
    moods_.set("owed", "");
    {
      auto mq = open_here("moody", state_dir());
      EXPECT_TRUE(mq.publish("tasks", "x"));
      turn_to(mq, "memory");
    }
    moods_.set("open", mood);
    return open_here("memory", state_dir());
  }
};

TEST_F(DeadSide, ThatHangsWhenItIsOpenedDelaysNoSwitch) {
  auto mq = restarted("hang");
  ASSERT_TRUE(eventually([&] { return moods_.calls("open") == 2; }));
  EXPECT_TRUE(backend(mq, "moody").missing);
  // It hangs for as long as a connection may take, which is 20 s.
  const auto asked = steady_clock::now();
  turn_to(mq, "sqlite");
  ASSERT_FALSE(mq.cancel_switch());
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "memory"; }));
  ASSERT_FALSE(mq.forget("sqlite", true));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 2; }));
  EXPECT_LT(steady_clock::now() - asked, 5s);
  EXPECT_TRUE(backend(mq, "moody").missing);

  moods_.clear("open");
  ASSERT_TRUE(eventually([&] { return !backend(mq, "moody").missing; }));
  ASSERT_TRUE(eventually([&] { return backend(mq, "moody").ready == 1; })) << "it is looked at";
  moods_.clear("owed");
  ASSERT_TRUE(eventually([&] { return !backend(mq, "moody").owed; }));
}

TEST_F(DeadSide, IsOpenedAfterPausesThatGrow) {
  const auto began = steady_clock::now();
  auto mq = restarted("fail");
  const std::size_t first = 1; // before the restart
  ASSERT_TRUE(eventually([&] { return moods_.calls("open") >= first + 8; }));
  EXPECT_GE(steady_clock::now() - began, shortest(7));
  EXPECT_EQ(backend(mq, "moody").error.message(), "moody: open: in no mood");
  moods_.clear("open");
  ASSERT_TRUE(eventually([&] { return !backend(mq, "moody").missing; }));
  EXPECT_FALSE(backend(mq, "moody").error);
}

TEST_F(DeadSide, ThatIsForgottenWhileItHangsIsNotTakenOver) {
  auto mq = restarted("hang");
  ASSERT_TRUE(eventually([&] { return moods_.calls("open") == 2; }));
  ASSERT_FALSE(mq.forget("moody", true));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
  const std::size_t sessions = moods_.calls("session");
  auto subscription = mq.subscribe("tasks");
  moods_.clear("open");
  turn_to(mq, "sqlite"); // rounds enough to take it over
  ASSERT_TRUE(eventually([&] { return mq.switch_status().phase == SwitchPhase::retired; }));
  EXPECT_EQ(moods_.calls("session"), sessions);
  EXPECT_EQ(mq.switch_status().backends.size(), 2U);
}

TEST_F(DeadSide, ThatGetsNewOptionsAndHangsDelaysNoSwitch) {
  auto mq = open_here("moody");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  turn_to(mq, "memory");
  ASSERT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  moods_.set("open", "hang");
  std::string changed = text("sqlite", untried);
  changed.replace(changed.find(R"("moody":{)"), 9, R"("moody":{"lease_ms":1,)");
  const auto asked = steady_clock::now();
  ASSERT_TRUE(mq.reload_text(changed, "test"));
  ASSERT_TRUE(eventually([&] { return mq.backend_name() == "sqlite"; }));
  EXPECT_LT(steady_clock::now() - asked, 5s);
  EXPECT_FALSE(backend(mq, "moody").missing) << "as it was, until then";
  ASSERT_TRUE(eventually([&] { return moods_.calls("open") == 2; }));
  const std::size_t sessions = moods_.calls("session");
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(eventually([&] { return moods_.calls("session") > sessions; }));
  moods_.clear("open");
  ASSERT_TRUE(eventually([&] { return moods_.calls("session") > sessions + 1; }))
      << "the new one is consumed from";
}

TEST_F(DeadSide, ThatDoesNotAnswerLooksDelaysASwitchByOneLook) {
  const Moods second(folder_ + "/second");
  for (const Moods* moods : {&moods_, &second}) moods->set("owed", "");
  auto mq = open_here("moody");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  ASSERT_TRUE(mq.reload_text(text("moody", untried, second.folder()), "test"));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().phase == SwitchPhase::drain; }));
  turn_to(mq, "memory");
  for (const Moods* moods : {&moods_, &second}) moods->set("stats", "hang");
  // Both are looked at in vain, in this order; then the first one again.
  ASSERT_TRUE(eventually([&] {
    const auto all = mq.switch_status().backends;
    return std::count_if(all.begin(), all.end(), [](const auto& b) { return bool(b.error); }) == 2;
  }));
  const std::size_t looks = moods_.calls("stats");
  ASSERT_TRUE(eventually([&] { return moods_.calls("stats") > looks; }));
  const auto asked = std::chrono::steady_clock::now();
  turn_to(mq, "sqlite");
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 3s)
      << "the second one was looked at first: each look takes two seconds";
  for (const Moods* moods : {&moods_, &second}) {
    moods->clear("stats");
    moods->clear("owed");
  }
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_F(DeadSide, IsLookedAtAfterPausesThatGrow) {
  moods_.set("owed", "");
  auto mq = open_here("moody");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  moods_.set("stats", "fail");
  const auto began = steady_clock::now();
  turn_to(mq, "memory");
  ASSERT_TRUE(eventually([&] { return moods_.calls("stats") >= 8; }));
  EXPECT_GE(steady_clock::now() - began, shortest(7));
  moods_.clear("stats");
  moods_.clear("owed");
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

} // namespace
