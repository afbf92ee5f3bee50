// SPDX-License-Identifier: MIT
//
// A plugin that crashes, hangs or refuses never does so to the host that runs: what is new to the
// process is tried in another one, and meanwhile publishes go on.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "moody.h"

namespace {

namespace fs = std::filesystem;
using namespace test;
using std::chrono::steady_clock;
using swapmq::Errc;
using swapmq::Error;
using swapmq::MessageQueue;
using swapmq::SwitchPhase;
using swapmq::SwitchStatus;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Publishes one after the other; each must be confirmed.
class Publisher {
 public:
  explicit Publisher(MessageQueue& mq)
      : thread_([this, &mq] {
          while (!stop_) {
            const auto sent = mq.publish("tasks", "x");
            ASSERT_TRUE(sent) << sent.error().message();
            ++confirmed_;
            std::this_thread::sleep_for(1ms);
          }
        }) {}
  ~Publisher() {
    stop_ = true;
    thread_.join();
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  [[nodiscard]] int confirmed() const { return confirmed_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> confirmed_{0};
  std::thread thread_;
};

/// As an installation replaces it.
void install(const fs::path& build, const fs::path& at, const std::string& appended = "") {
  fs::copy_file(build, at.string() + ".new", fs::copy_options::overwrite_existing);
  if (!appended.empty()) std::ofstream(at.string() + ".new", std::ios::app) << appended;
  fs::rename(at.string() + ".new", at);
}

// ---- builds that cannot be loaded ---------------------------------------------------------------

struct BadBuild {
  std::string name, says;
};

class BadBuilds : public Moody, public testing::WithParamInterface<BadBuild> {
 protected:
  BadBuilds() { install(good(), at()); }
  static std::string good() { return std::string(MOODY_BACKENDS) + "/moody.so"; }
  [[nodiscard]] std::string at() const { return folder_ + "/moody.so"; }
  [[nodiscard]] std::string bad() const {
    return std::string(BAD_BUILDS) + "/" + GetParam().name + ".so";
  }
  static constexpr const char* impatient =
      R"(,"switch":{"prepare_timeout_seconds":0.3,"allow_capability_loss":true})";
};

TEST_P(BadBuilds, OverTheOneThatRunsChangeNothing) {
  auto mq = open("moody", impatient);
  const Publisher publisher(mq);
  install(bad(), at());
  const int before = publisher.confirmed();
  const auto refused = mq.reload_text(text("moody", impatient), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::plugin);
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr(at()), HasSubstr(GetParam().says)));
  ASSERT_TRUE(eventually([&] { return publisher.confirmed() > before; }));
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::none);
  EXPECT_FALSE(mq.ping());

  install(good(), at(), "another build");
  const auto repaired =
      mq.reload_text(text("moody", R"(,"switch":{"prepare_timeout_seconds":30})"), "test");
  ASSERT_TRUE(repaired) << repaired.error().message();
  EXPECT_GT(repaired->switch_number, 0U);
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
}

TEST_P(BadBuilds, AreNoTargets) {
  auto mq = open("sqlite", impatient);
  install(bad(), at());
  const auto refused = mq.switch_to("moody", {.allow_capability_loss = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::plugin);
  EXPECT_THAT(refused.error().message(), HasSubstr(GetParam().says));
  EXPECT_TRUE(mq.publish("tasks", "x"));
  EXPECT_EQ(mq.backend_name(), "sqlite");
}

INSTANTIATE_TEST_SUITE_P(
    All, BadBuilds,
    testing::Values(
        BadBuild{"loading_crash",
                 "it crashed with signal 11 (SIGSEGV) while it was mapped, in a "
                 "process of its own; it was not loaded here"},
        BadBuild{"loading_deaf", "it did not come back in time while it was mapped"},
        BadBuild{"entry_crash", "it crashed with signal 11 (SIGSEGV) in swapmq_backend_entry"},
        BadBuild{"entry_exit", "it ended its process with status 3 in swapmq_backend_entry"},
        BadBuild{"entry_deaf", "it did not come back in time in swapmq_backend_entry"},
        BadBuild{"lacking_publish", "publish"}, BadBuild{"newer_abi", "1.4"}),
    [](const auto& build) { return build.param.name; });

// ---- backends that cannot be opened -------------------------------------------------------------

struct Misdeed {
  std::string call, mood, says;
};

class Misdeeds : public Moody, public testing::WithParamInterface<Misdeed> {};

TEST_P(Misdeeds, OfATargetChangeNothing) {
  const auto& [call, mood, says] = GetParam();
  auto mq = open("sqlite");
  const Publisher publisher(mq);
  moods_.set(call, mood);
  const int before = publisher.confirmed();
  ASSERT_TRUE(mq.switch_to("moody", {.allow_capability_loss = true, .prepare_timeout = 500ms}));
  SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.phase, SwitchPhase::failed);
  EXPECT_THAT(status.error.message(), HasSubstr(says));
  EXPECT_TRUE(eventually([&] { return publisher.confirmed() > before; }));
  EXPECT_EQ(mq.backend_name(), "sqlite");
  EXPECT_EQ(moods_.calls("open"), 0U) << "never here";
  EXPECT_EQ(moods_.calls_elsewhere(call), 1U);

  moods_.clear(call);
  turn_to(mq, "moody");
  EXPECT_EQ(moods_.calls("open"), 1U);
}

constexpr const char* a_crash = "the plugin moody crashed with signal 11 (SIGSEGV) in ";

INSTANTIATE_TEST_SUITE_P(
    All, Misdeeds,
    testing::Values(
        Misdeed{"open", "crash",
                std::string(a_crash) + "open, in a process of its own; it was not opened here"},
        Misdeed{"open", "exit", "the plugin moody ended its process with status 3 in open"},
        Misdeed{"open", "deaf", "the plugin moody did not come back in time in open"},
        Misdeed{"open", "hang", "moody: open: no answer"},
        Misdeed{"open", "fail", "moody: open: in no mood"},
        Misdeed{"session", "crash", std::string(a_crash) + "session_open"},
        Misdeed{"ping", "crash", std::string(a_crash) + "ping"},
        Misdeed{"ping", "fail", "moody: ping: in no mood"}),
    [](const auto& one) { return one.param.call + "_" + one.param.mood; });

// ---- when it is held ----------------------------------------------------------------------------

using Trial = Moody;

TEST_F(Trial, IsNotHeldOfTheFirstOneNorOfWhatWasOpenedBefore) {
  auto mq = open("moody");
  EXPECT_EQ(moods_.calls_elsewhere("open"), 0U);
  // Another connection timeout takes a new instance, of the same options.
  std::string changed = text("moody");
  changed.replace(changed.find(":20,"), 4, ":19,");
  ASSERT_GT(mq.reload_text(changed, "test")->switch_number, 0U);
  ASSERT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  EXPECT_EQ(moods_.calls("open"), 2U);
  EXPECT_EQ(moods_.calls_elsewhere("open"), 0U);
  changed.replace(changed.find(R"("moody":{)"), 9, R"("moody":{"lease_ms":1,)");
  ASSERT_GT(mq.reload_text(changed, "test")->switch_number, 0U);
  ASSERT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  EXPECT_EQ(moods_.calls_elsewhere("open"), 1U) << "other options";
}

TEST_F(Trial, IsNotHeldIfTheConfigSaysSo) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.reload_text(text("sqlite", R"(,"switch":{"probe":false})"), "test"));
  turn_to(mq, "moody");
  EXPECT_EQ(moods_.calls("open"), 1U);
  EXPECT_EQ(moods_.calls_elsewhere("open"), 0U);
}

TEST_F(Trial, EndsWithTheSwitchThatIsCancelled) {
  auto mq = open("sqlite");
  moods_.set("open", "deaf"); // for 20 s
  ASSERT_TRUE(mq.switch_to("moody", {.allow_capability_loss = true}));
  ASSERT_TRUE(eventually([&] { return moods_.calls_elsewhere("open") == 1; }));
  const auto cancelled = steady_clock::now();
  EXPECT_FALSE(mq.cancel_switch());
  EXPECT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::cancelled);
  EXPECT_LT(steady_clock::now() - cancelled, 5s);
  EXPECT_EQ(::kill(moods_.last_caller("open"), 0), -1) << "nothing is left of it";
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(Trial, EndsWithTheMessageQueue) {
  auto mq = open("sqlite");
  moods_.set("open", "deaf");
  ASSERT_TRUE(mq.switch_to("moody", {.allow_capability_loss = true}));
  ASSERT_TRUE(eventually([&] { return moods_.calls_elsewhere("open") == 1; }));
  const auto closing = steady_clock::now();
  EXPECT_FALSE(mq.close());
  EXPECT_LT(steady_clock::now() - closing, 5s);
}

TEST_F(Trial, GetsNoSecretByItsArgumentsOrEnvironment) {
  auto mq = open("sqlite");
  moods_.set("open", "deaf");
  std::string secret = text("moody");
  secret.replace(secret.find(R"("moody":{)"), 9, R"("moody":{"password":"pa55word",)");
  ASSERT_TRUE(mq.reload_text(secret, "test"));
  ASSERT_TRUE(eventually([&] { return moods_.calls_elsewhere("open") == 1; }));
  const std::string process = "/proc/" + std::to_string(moods_.last_caller("open"));
  for (const char* what : {"/cmdline", "/environ"}) {
    std::ifstream file(process + what);
    const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(all.empty()) << what;
    EXPECT_THAT(all, Not(HasSubstr("pa55word"))) << what;
  }
  std::ifstream limits(process + "/limits");
  const std::string all{std::istreambuf_iterator<char>(limits), std::istreambuf_iterator<char>()};
  EXPECT_THAT(all, testing::ContainsRegex("Max core file size +1 +1 ")) << "no core tells it";
  EXPECT_FALSE(mq.cancel_switch());
}

TEST_F(Trial, DiesWithTheHostThatIsKilled) {
  moods_.set("open", "deaf");
  const pid_t host = ::fork(); // of a process with one thread
  ASSERT_GE(host, 0);
  if (host == 0) {
    auto mq = open("sqlite");
    (void)mq.switch_to("moody", {.allow_capability_loss = true});
    (void)mq.wait_for_switch(60s);
    ::_exit(0);
  }
  ASSERT_TRUE(eventually([&] { return moods_.calls_elsewhere("open") == 1; }));
  const pid_t probe = moods_.last_caller("open");
  EXPECT_NE(probe, host);
  ASSERT_EQ(::kill(probe, 0), 0);
  ::kill(host, SIGKILL);
  ASSERT_EQ(::waitpid(host, nullptr, 0), host);
  EXPECT_TRUE(eventually([&] {
    std::ifstream stat("/proc/" + std::to_string(probe) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z"; // init may take its time
  }));
}

TEST_F(Trial, IsHeldAlsoWhereTheProgramReapsAllItsChildren) {
  auto mq = open("sqlite");
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  moods_.set("open", "crash");
  ASSERT_TRUE(mq.switch_to("moody", {.allow_capability_loss = true}));
  SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.phase, SwitchPhase::failed);
  EXPECT_THAT(status.error.message(), HasSubstr("ended its process in open"));
  moods_.clear("open");
  turn_to(mq, "moody");
  EXPECT_EQ(moods_.calls_elsewhere("open"), 2U);
  std::signal(SIGCHLD, before);
}

TEST_F(Trial, IsHeldOfWatchedBackendsThatChangeToo) {
  auto mq = open("moody");
  turn_to(mq, "memory");
  ASSERT_EQ(mq.wait_for_switch(10s).phase, SwitchPhase::retired);
  moods_.set("open", "crash");
  std::string changed = text("memory");
  changed.replace(changed.find(R"("moody":{)"), 9, R"("moody":{"lease_ms":1,)");
  ASSERT_TRUE(mq.reload_text(changed, "test"));
  ASSERT_TRUE(eventually([&] {
    return backend(mq, "moody").error.message().find("crashed with signal 11") != std::string::npos;
  }));
  EXPECT_EQ(moods_.calls("open"), 1U);
  moods_.clear("open");
  ASSERT_TRUE(eventually([&] { return moods_.calls("open") == 2; }));
  ASSERT_TRUE(eventually([&] { return !backend(mq, "moody").error; }));
}

} // namespace
