// SPDX-License-Identifier: MIT
//
// swapmq run, and what can be asked of it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "host_support.h"

namespace swapmq::program_test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Host : public HostFolder {};

TEST_F(Host, TellsHowItIsAndEndsOnSigterm) {
  HostProcess host(folder_);
  const Finished told = swapmq({"status"});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out,
              AllOf(HasSubstr("host     swapmq run, process "), HasSubstr("config   swapmq.json\n"),
                    HasSubstr("switch   none so far\n"), HasSubstr("BACKEND ")));
  EXPECT_THAT(told.out, ContainsRegex("sqlite-[0-9a-f]{12}  active "));
  EXPECT_THAT(status(), AllOf(HasSubstr(R"("command":"run")"), HasSubstr(active("sqlite"))));
  EXPECT_TRUE(exists("state/control.sock"));
  host.signal(SIGTERM);
  const Finished ended = host.wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("swapmq: running on sqlite, process "));
  EXPECT_FALSE(exists("state/control.sock"));
  const Finished nobody = swapmq({"status"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_EQ(nobody.out, "");
  EXPECT_THAT(nobody.err, ContainsRegex("state_dir .*/state: no host is running there"));
}

TEST_F(Host, SwitchesRollsBackAndForgets) {
  HostProcess host(folder_);
  const Finished refused = swapmq({"switch", "memory", "--wait"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("memory can do less than sqlite (durability power -> none"));
  const Finished there = swapmq({"switch", "memory", "--wait", "--allow-capability-loss"});
  EXPECT_EQ(there.code, 0) << there.err;
  EXPECT_THAT(there.out, HasSubstr("switch 2 from sqlite to memory: retired, after "));
  EXPECT_THAT(status(), HasSubstr(active("memory")));
  const Finished again = swapmq({"switch", "memory"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("memory is the active backend already"));
  const Finished back = swapmq({"rollback", "--wait", "--json"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_THAT(back.out, AllOf(HasSubstr(R"({"event":"end","ok":true,"number":3,)"),
                              HasSubstr(active("sqlite"))));
  EXPECT_EQ(swapmq({"forget", "sqlite"}).code, 2) << "it is active";
  EXPECT_EQ(swapmq({"forget", "memory"}).out, "memory is watched no more\n");
  EXPECT_TRUE(eventually([&] { return status().find("\"memory\"") == std::string::npos; }));
  const Finished unknown = swapmq({"forget", "memory"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no backend \"memory\" is watched"));
  const Finished nothing = swapmq({"switch", "--cancel"});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("no switch is under way"));
}

TEST_F(Host, TellsProgramsThatItRunsAndThatItHasEnded) {
  HostProcess host(folder_, {"run", "--json"});
  host.signal(SIGTERM);
  const Finished ended = host.wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::vector<std::string> events = lines_of(ended.out);
  ASSERT_EQ(events.size(), 2u) << ended.out;
  EXPECT_THAT(events[0], AllOf(HasSubstr(R"({"event":"running","backend":"sqlite","process":)"),
                               HasSubstr(R"("config":"swapmq.json","control_socket":"/)")));
  EXPECT_THAT(events[1], AllOf(HasSubstr(R"({"event":"ended","backend":"sqlite","seconds":)"),
                               HasSubstr(R"("drained":true})")));
}

TEST_F(Host, OtherCommandsWorkBesideIt) {
  HostProcess host(folder_);
  EXPECT_EQ(swapmq({"publish", "tasks"}, {.input = "beside"}).code, 0);
  const Finished sizes = swapmq({"queue", "stats", "tasks", "--json"});
  EXPECT_EQ(sizes.code, 0) << sizes.err;
  EXPECT_THAT(sizes.out, AllOf(HasSubstr(R"("backend":"sqlite")"), HasSubstr(R"("ready":1)")));
  // Not where the configuration leads, but where the host is.
  EXPECT_EQ(swapmq({"queue", "peek", "tasks", "--set", "message_queue.type=memory"}).out,
            "beside\n");
  EXPECT_THAT(run(folder_, {"__complete", "-c", "swapmq.json", "consume", "t"}).out,
              HasSubstr("tasks\n"));
  EXPECT_EQ(swapmq({"consume", "tasks", "--max", "1"}).out, "beside\n");
  EXPECT_EQ(swapmq({"consume", "tasks", "--watch", "--max", "1"}).code, 1)
      << "a host needs a state_dir of its own";
}

TEST_F(Host, ADryRunTellsAndChangesNothing) {
  HostProcess host(folder_);
  const Finished possible = swapmq({"switch", "memory", "--dry-run", "--allow-capability-loss"});
  EXPECT_EQ(possible.code, 0) << possible.err;
  EXPECT_THAT(possible.out, AllOf(HasSubstr("sqlite to memory: a dry run, nothing has changed"),
                                  ContainsRegex("durability +power +none +yes")));
  const Finished too_little = swapmq({"switch", "memory", "--dry-run"});
  EXPECT_EQ(too_little.code, 1) << "as it would be without --dry-run";
  EXPECT_THAT(too_little.out, ContainsRegex("durability +power +none +yes"));
  EXPECT_THAT(too_little.err, HasSubstr("it would be refused, since memory can do less"));
  const Finished down = swapmq({"switch", "trouble", "--dry-run"});
  EXPECT_EQ(down.code, 5) << down.err;
  EXPECT_THAT(down.err, HasSubstr("no broker at trouble.example:1"));
  EXPECT_THAT(status(), AllOf(HasSubstr(active("sqlite")), Not(HasSubstr("\"name\":\"memory\""))));
}

TEST_F(Host, WithATargetThatIsDownItGoesOnAndStatusKeepsSayingWhy) {
  HostProcess host(folder_);
  const Finished failed = swapmq({"switch", "trouble", "--allow-capability-loss", "--wait"});
  EXPECT_EQ(failed.code, 5);
  EXPECT_THAT(failed.err, HasSubstr("no broker at trouble.example:1; is it running?"));
  // The same by way of its config.
  configure("trouble", R"(, "switch": {"allow_capability_loss": true})");
  EXPECT_TRUE(comes_to(R"("number":2,"phase":"failed")")) << status();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(swapmq({"status"}).out, AllOf(HasSubstr("from sqlite to trouble: failed"),
                                              HasSubstr("no broker at trouble.example:1"),
                                              ContainsRegex("sqlite-[0-9a-f]{12}  active ")));
  }
  EXPECT_EQ(swapmq({"reload", "--wait"}).code, 5);
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait().code, 0);
}

TEST_F(Host, ABadConfigChangesNothingAndStatusSaysWhatIsWrong) {
  HostProcess host(folder_);
  folder_.write("swapmq.json", R"({"state_dir": "state", "message_queue": {"typ)");
  EXPECT_TRUE(comes_to(R"("ok":false)")) << status();
  const Finished told = swapmq({"status"});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, AllOf(ContainsRegex("read again 20..-..-..T..:..:..Z"),
                              HasSubstr("(the file changed): not followed: swapmq.json:1:"),
                              ContainsRegex("sqlite-[0-9a-f]{12}  active ")));
  const Finished reload = swapmq({"reload"});
  EXPECT_EQ(reload.code, 3);
  EXPECT_THAT(reload.err, HasSubstr("swapmq.json:1:"));
  EXPECT_THAT(host.err(), HasSubstr("not followed, sqlite goes on as it is: swapmq.json:1:"));
  configure("sqlite");
  EXPECT_TRUE(comes_to(R"("asked_by":"the file changed","at":")"));
  EXPECT_TRUE(eventually([&] { return status().find("\"error\"") == std::string::npos; }));
}

TEST_F(Host, EveryErrorOfABadConfigIsTold) {
  HostProcess host(folder_);
  configure("sqlite", R"(, "queue": {}, "logs": {})");
  EXPECT_TRUE(comes_to(R"("ok":false)")) << status();
  EXPECT_THAT(swapmq({"status"}).out,
              AllOf(HasSubstr("/queue: unknown key"), HasSubstr("\n         swapmq.json:"),
                    HasSubstr("/logs: unknown key"), Not(HasSubstr("\\x0a"))));
  EXPECT_THAT(host.err(), HasSubstr("; swapmq.json:")) << "in one line";
  EXPECT_EQ(lines_of(host.err()).size(), 2u) << host.err();
}

TEST_F(Host, AnUnknownPluginChangesNothing) {
  HostProcess host(folder_);
  configure("nosuch");
  EXPECT_TRUE(comes_to("plugin \\\"nosuch\\\" was not found")) << status();
  EXPECT_EQ(swapmq({"reload"}).code, 4);
  EXPECT_EQ(swapmq({"switch", "nosuch"}).code, 4);
  EXPECT_THAT(status(), HasSubstr(active("sqlite")));
}

TEST_F(Host, APluginThatHangsWhileItIsLoadedStopsNeitherTheHostNorItsEnd) {
  HostProcess host(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  configure("hanging");
  EXPECT_TRUE(comes_to(R"("reloading":true)"));
  const Finished reload = swapmq({"reload", "--timeout", "200ms"});
  EXPECT_EQ(reload.code, 6);
  EXPECT_THAT(reload.err, HasSubstr("the configuration is still being read after 0.20 s"));
  host.write_input("1\n2\n");
  EXPECT_THAT(swapmq({"status"}).out, HasSubstr("swapmq.json; being read\n"));
  host.close_input();
  const Finished ended = host.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("confirmed 2 failed 0 in_doubt 0"),
                               HasSubstr("a plugin that is being loaded does not come back")));
}

TEST_F(Host, WithoutAStateDirThereIsNothingToAsk) {
  folder_.write("swapmq.json", R"({"message_queue": {"type": "memory", "memory": {}}})");
  Process host(folder_, {"run", "--config", "swapmq.json"});
  EXPECT_TRUE(eventually([&] {
    return host.err().find("no control socket, since it names no state_dir") != std::string::npos;
  }));
  for (const Args& args : {Args{"status"}, Args{"reload"}, Args{"switch", "x"}, Args{"rollback"}}) {
    const Finished asked = swapmq(args);
    EXPECT_EQ(asked.code, 3) << args.front();
    EXPECT_THAT(asked.err,
                HasSubstr("names no state_dir, so its host has no control socket; add "));
  }
  EXPECT_THAT(run(folder_, {"status"}).err, HasSubstr("which host? Name its configuration"));
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait().code, 0);
}

TEST_F(Host, ASecondOneOnTheSameStateDirIsRefused) {
  HostProcess first(folder_);
  const Finished second = swapmq({"run"});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, ContainsRegex("state_dir .*/state: process [0-9]+ uses it"));
  EXPECT_EQ(swapmq({"publish", "q", "--watch"}).code, 1);
  EXPECT_EQ(swapmq({"status"}).code, 0) << "the first one still answers";
}

TEST_F(Host, IsRefusedAStateDirThatOthersCanWriteTo) {
  std::filesystem::create_directory(folder_.path() + "/state");
  std::filesystem::permissions(folder_.path() + "/state", std::filesystem::perms::all);
  const Finished refused = swapmq({"run"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("can be written to by others; chmod go-w it"));
}

TEST_F(Host, KilledItGoesOnFromWhereItWas) {
  const std::string any_loss = R"(, "switch": {"allow_capability_loss": true})";
  configure("sqlite", any_loss);
  {
    HostProcess host(folder_);
    configure("memory", any_loss);
    EXPECT_TRUE(comes_to(active("memory")));
    EXPECT_EQ(swapmq({"rollback", "--wait"}).code, 0);
    host.signal(SIGKILL);
    EXPECT_EQ(host.wait().code, -SIGKILL);
  }
  EXPECT_TRUE(exists("state/control.sock")) << "the dead one left it";
  EXPECT_EQ(swapmq({"status"}).code, 1);
  HostProcess host(folder_);
  const std::string told = swapmq({"status"}).out;
  EXPECT_THAT(told, AllOf(ContainsRegex("sqlite-[0-9a-f]{12}  active "),
                          HasSubstr("it names memory, which was rolled back from: not followed")));
  EXPECT_TRUE(eventually([&] {
    return host.err().find("which was rolled back from; sqlite stays") != std::string::npos;
  }));
  EXPECT_EQ(swapmq({"switch", "memory", "--wait"}).code, 0) << "asked for, it is done";
  EXPECT_THAT(status(), AllOf(HasSubstr(active("memory")), HasSubstr(R"("config_refused":false)")));
}

TEST_F(Host, SecretsAreNowhereToBeSeen) {
  HostProcess host(folder_, {"run", "--log-level", "trace"});
  EXPECT_EQ(swapmq({"switch", "trouble", "--allow-capability-loss", "--wait"}).code, 5);
  configure("trouble", R"(, "switch": {"allow_capability_loss": true})");
  EXPECT_TRUE(comes_to(R"("phase":"failed")"));
  const std::string pid = std::to_string(number_after(status(), "\"pid\":"));
  std::string seen = status() + swapmq({"status"}).out + host.err();
  for (const char* file : {"cmdline", "environ"}) {
    std::ifstream of_process("/proc/" + pid + "/" + file);
    seen.append(std::istreambuf_iterator<char>(of_process), {});
  }
  EXPECT_THAT(seen, HasSubstr("trouble")) << "nothing was looked at";
  EXPECT_THAT(seen, Not(HasSubstr("s3cret")));
  EXPECT_THAT(folder_.read("state/journal"), Not(HasSubstr("s3cret")));
}

TEST_F(Host, ItsLogLevelOutlivesReloads) {
  configure("sqlite", R"(, "log": {"level": "error"})");
  HostProcess host(folder_, {"run", "--log-level", "info"});
  EXPECT_EQ(swapmq({"reload"}).code, 0);
  EXPECT_EQ(swapmq({"switch", "memory", "--allow-capability-loss", "--wait"}).code, 0);
  EXPECT_THAT(host.err(), HasSubstr(" swapmq info: switch 1 from sqlite-"));
}

/// The socket that a service manager gives.
class Manager {
 public:
  explicit Manager(const Folder& folder) : path_(folder.path() + "/notify") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  [[nodiscard]] How how(std::vector<std::string> more = {}) const {
    more.push_back("NOTIFY_SOCKET=" + path_);
    return {.environment = more};
  }
  /// The next message that has that text; empty: none came.
  std::string next(std::string_view text) {
    char message[4096];
    for (;;) {
      const ssize_t got = ::recv(socket_, message, sizeof message, 0);
      if (got < 0) return {};
      const std::string_view told(message, static_cast<std::size_t>(got));
      if (told.find(text) != std::string_view::npos) return std::string(told);
    }
  }

 private:
  std::string path_;
  const int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(Host, TellsItsServiceManager) {
  Manager manager(folder_);
  HostProcess host(folder_, {"run"}, manager.how({"WATCHDOG_USEC=200000"}));
  EXPECT_THAT(manager.next("READY=1"), HasSubstr("STATUS=sqlite"));
  EXPECT_NE(manager.next("WATCHDOG=1"), "");
  timespec before{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  host.signal(SIGHUP);
  const std::string reloading = manager.next("RELOADING=1");
  EXPECT_GE(number_after(reloading, "MONOTONIC_USEC="),
            std::int64_t{before.tv_sec} * 1'000'000 + before.tv_nsec / 1000);
  EXPECT_NE(manager.next("READY=1"), "");
  folder_.write("swapmq.json", "{");
  EXPECT_NE(manager.next("RELOADING=1"), "");
  EXPECT_THAT(manager.next("READY=1"), HasSubstr("configuration not followed: swapmq.json:1:"));
  host.signal(SIGTERM);
  EXPECT_NE(manager.next("STOPPING=1"), "");
  EXPECT_EQ(host.wait().code, 0);
}

TEST_F(Host, TheWatchdogIsFedTwiceInItsTime) {
  Manager manager(folder_);
  const auto began = std::chrono::steady_clock::now(); // what is read late was sent in time
  HostProcess host(folder_, {"run"}, manager.how({"WATCHDOG_USEC=400000"}));
  for (int i = 0; i < 6; ++i) EXPECT_NE(manager.next("WATCHDOG=1"), "");
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds(600)) << "far more often than every 200 ms";
}

} // namespace
} // namespace swapmq::program_test
