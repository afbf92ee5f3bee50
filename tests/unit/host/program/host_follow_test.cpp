// SPDX-License-Identifier: MIT
//
// Hosts follow their config, however it is changed, with traffic on them.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "host_support.h"

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string any_loss = R"(, "switch": {"allow_capability_loss": true})";

class HostFollows : public HostFolder {
 protected:
  HostFollows() { configure("sqlite", any_loss); }
};

TEST_F(HostFollows, AFileThatIsWrittenInPlace) {
  HostProcess host(folder_);
  configure("memory", any_loss);
  EXPECT_TRUE(comes_to(active("memory"))) << status();
  EXPECT_THAT(status(), HasSubstr(R"("asked_by":"the file changed")"));
}

TEST_F(HostFollows, AFileThatIsRenamedOver) {
  HostProcess host(folder_);
  for (const char* type : {"memory", "sqlite", "memory"}) {
    folder_.write("new.json", config(type, any_loss));
    fs::rename(folder_.path() + "/new.json", folder_.path() + "/swapmq.json");
    EXPECT_TRUE(comes_to(active(type))) << status();
  }
}

TEST_F(HostFollows, AMapOfKubernetes) {
  fs::remove(folder_.path() + "/swapmq.json");
  for (const char* type : {"sqlite", "memory"}) {
    fs::create_directory(folder_.path() + "/.." + type);
    folder_.write(std::string("..") + type + "/swapmq.json", config(type, any_loss));
  }
  fs::create_directory_symlink("..sqlite", folder_.path() + "/..data");
  fs::create_symlink("..data/swapmq.json", folder_.path() + "/swapmq.json");
  HostProcess host(folder_);
  fs::create_directory_symlink("..memory", folder_.path() + "/..data_tmp");
  fs::rename(folder_.path() + "/..data_tmp", folder_.path() + "/..data");
  EXPECT_TRUE(comes_to(active("memory"))) << status();
}

TEST_F(HostFollows, ASighup) {
  HostProcess host(folder_);
  host.signal(SIGHUP);
  EXPECT_TRUE(comes_to(R"("reload":{"number":1,"asked_by":"SIGHUP")")) << status();
  EXPECT_THAT(status(), AllOf(HasSubstr(R"("ok":true)"), HasSubstr(active("sqlite"))));
}

TEST_F(HostFollows, ASighupThatNohupHadIgnored) {
  HostProcess host(folder_, {SWAPMQ_TEST_PROGRAM, "run"}, {.program = "/usr/bin/nohup"});
  host.signal(SIGHUP);
  EXPECT_TRUE(comes_to(R"("asked_by":"SIGHUP")")) << status();
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait().code, 0);
}

TEST_F(HostFollows, ACommand) {
  HostProcess host(folder_);
  const Finished same = swapmq({"reload"});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, "nothing is different\n");
  // The file is read by whichever comes first, the watcher or the command: both tell the same host.
  configure("sqlite", any_loss + R"(, "queues": {"q": {"max_deliveries": 7}})");
  EXPECT_EQ(swapmq({"reload", "--wait"}).code, 0);
  EXPECT_TRUE(eventually([&] {
    return host.err().find("): in force: /queues/q") != std::string::npos;
  })) << host.err();
}

TEST_F(HostFollows, AThousandSighups) {
  HostProcess host(folder_);
  for (int i = 0; i < 1000; ++i) host.signal(SIGHUP);
  EXPECT_TRUE(comes_to(R"("asked_by":"SIGHUP")"));
  EXPECT_TRUE(comes_to(R"("reloading":false)"));
  EXPECT_THAT(status(), AllOf(HasSubstr(active("sqlite")), HasSubstr(R"("ok":true)")));
  configure("memory", any_loss);
  EXPECT_TRUE(comes_to(active("memory"))) << "it follows as before";
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait().code, 0);
}

TEST_F(HostFollows, TheLastOfManyChanges) {
  HostProcess host(folder_);
  for (int i = 0; i < 200; ++i) configure(i % 2 == 0 ? "sqlite" : "memory", any_loss);
  EXPECT_TRUE(comes_to(active("memory"))) << status();
  EXPECT_TRUE(comes_to(R"("under_way":false)"));
}

// ---- with traffic -------------------------------------------------------------------------------

/// A publisher and a consumer, each a host of its own, on two databases.
class HostTraffic : public HostFolder {
 protected:
  HostTraffic() {
    point("publish", "one.db");
    point("consume", "one.db");
  }
  /// That host's config names that database from now on.
  void point(const std::string& host, const std::string& database) const {
    folder_.write(host + ".new", R"({"message_queue": {"type": "sqlite", "sqlite": {"path": ")" +
                                     database + R"("}}, "state_dir": ")" + host + R"(-state"})");
    fs::rename(folder_.path() + "/" + host + ".new", folder_.path() + "/" + host + ".json");
  }
  [[nodiscard]] bool switched(const std::string& host, int number) const {
    const std::string config = host + ".json", text = "\"number\":" + std::to_string(number);
    return eventually([&] {
      const std::string told = run(folder_, {"status", "--json", "--config", config}).out;
      return told.find(text + ",\"phase\":\"drain\"") != std::string::npos ||
             told.find(text + ",\"phase\":\"retired\"") != std::string::npos;
    });
  }
  [[nodiscard]] std::int64_t ready(const std::string& database) const {
    folder_.write("look.json", R"({"message_queue": {"type": "sqlite", "sqlite": {"path": ")" +
                                   database + R"("}}})");
    return number_after(
        run(folder_, {"queue", "stats", "q", "--json", "--config", "look.json"}).out, "\"ready\":");
  }
};

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += std::to_string(100'000 + i) + "\n";
  return text;
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> all = lines_of(text);
  std::sort(all.begin(), all.end());
  return all;
}

TEST_F(HostTraffic, PublisherAndConsumerSwitchOneAfterTheOtherAndNothingIsLost) {
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch", "--config", "publish.json"},
                        {.in = Stdin::pipe});
  publisher.write_input(lines(0, 5'000));
  HostProcess consumer(folder_, {"consume", "q", "--watch", "--config", "consume.json"});
  point("publish", "two.db");
  publisher.write_input(lines(5'000, 10'000));
  EXPECT_TRUE(switched("publish", 1)) << publisher.err();
  publisher.write_input(lines(10'000, 15'000));
  EXPECT_TRUE(eventually([&] { return ready("two.db") > 0; })) << "published on the new side";
  point("consume", "two.db");
  EXPECT_TRUE(switched("consume", 1)) << consumer.err();
  point("publish", "one.db");
  publisher.write_input(lines(15'000, 20'000));
  EXPECT_TRUE(switched("publish", 2)) << publisher.err();
  publisher.write_input(lines(20'000, 25'000));
  publisher.close_input();
  const Finished published = publisher.wait();
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_THAT(published.err, HasSubstr("confirmed 25000 failed 0 in_doubt 0"));

  EXPECT_TRUE(eventually([&] { return ready("one.db") == 0 && ready("two.db") == 0; }));
  consumer.signal(SIGTERM);
  const Finished consumed = consumer.wait();
  EXPECT_EQ(consumed.code, 130);
  EXPECT_EQ(sorted_lines(consumed.out), sorted_lines(lines(0, 25'000)));
}

TEST_F(HostTraffic, ASwitchThatIsNotOverWhenTheTimeoutPassedGoesOn) {
  folder_.write("swapmq.json", config("sqlite"));
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  publisher.write_input("1\n2\n3\n");
  EXPECT_TRUE(eventually([&] { return ready("queues.db") == 3; }));
  const Finished late =
      swapmq({"switch", "memory", "--allow-capability-loss", "--wait", "--timeout", "2s"});
  EXPECT_EQ(late.code, 6) << late.err;
  EXPECT_THAT(late.err, HasSubstr("the switch is still under way (drain), and goes on"));
  EXPECT_EQ(swapmq({"status", "--wait", "--timeout", "100ms"}).code, 6);
  EXPECT_TRUE(comes_to(R"("owed":true)"));
  EXPECT_TRUE(eventually([&] { return swapmq({"status"}).out.find("owed") != std::string::npos; }));
  EXPECT_TRUE(eventually(
      [&] { return swapmq({"status"}).out.find(": lie there: 3 in ") != std::string::npos; }));
  const Finished owed = swapmq({"forget", "sqlite"});
  EXPECT_EQ(owed.code, 1);
  EXPECT_THAT(owed.err, HasSubstr("is owed 3 ready, 0 unacked and 0 delayed messages"));
  // Somebody else consumes what is owed: then it is over.
  Process consumer(folder_, {"consume", "q", "--max", "3", "--config", "look.json"});
  EXPECT_EQ(consumer.wait().out, "1\n2\n3\n");
  const Finished over = swapmq({"status", "--wait"});
  EXPECT_EQ(over.code, 0) << over.err;
  EXPECT_THAT(over.out, HasSubstr("from sqlite to memory: retired"));
  publisher.close_input();
  EXPECT_EQ(publisher.wait().code, 0);
}

TEST_F(HostTraffic, TransferMovesWhatLiesThere) {
  folder_.write("swapmq.json", config("sqlite"));
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  publisher.write_input("1\n2\n3\n");
  EXPECT_TRUE(eventually([&] { return ready("queues.db") == 3; }));
  const Args to_memory{"switch", "memory", "--allow-capability-loss", "--wait", "--policy"};
  Args strict = to_memory, transfer = to_memory;
  strict.insert(strict.end(), {"transfer", "--order", "strict"});
  transfer.emplace_back("transfer");
  EXPECT_EQ(swapmq(strict).code, 2) << "messages that are moved lose their order";
  const Finished moved = swapmq(transfer);
  EXPECT_EQ(moved.code, 0) << moved.err;
  EXPECT_THAT(moved.out, HasSubstr("from sqlite to memory: retired"));
  EXPECT_THAT(status(), HasSubstr("\"moved\":3"));
  EXPECT_EQ(ready("queues.db"), 0);
}

TEST_F(HostTraffic, ATerminalShowsHowFarASwitchIs) {
  folder_.write("swapmq.json", config("sqlite"));
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  publisher.write_input("1\n2\n3\n");
  EXPECT_TRUE(eventually([&] { return ready("queues.db") == 3; }));
  // script(1) has a terminal of its own.
  const std::string command = SWAPMQ_TEST_PROGRAM
      " switch memory --allow-capability-loss --wait --timeout 2s --config swapmq.json";
  const Finished shown = run(folder_, {"-qec", command, "/dev/null"},
                             {.environment = {"TERM=xterm"}, .program = "/usr/bin/script"});
  EXPECT_EQ(shown.code, 6);
  EXPECT_THAT(shown.out,
              HasSubstr("\r\033[Kfrom sqlite to memory: drain, left 3 ready 0 unacked 0 delayed, "
                        "moved 0, "));
  EXPECT_THAT(shown.out,
              HasSubstr("\r\033[K\033[1;31mswapmq:\033[0m the switch is still under way"))
      << "the line is out of the way";
}

TEST_F(HostTraffic, WhoWaitsForASwitchHearsThatAnotherOneFollowed) {
  folder_.write("swapmq.json", config("sqlite"));
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  publisher.write_input("1\n");
  EXPECT_TRUE(eventually([&] { return ready("queues.db") == 1; }));
  Process waiting(folder_, {"switch", "memory", "--allow-capability-loss", "--wait", "--config",
                            "swapmq.json"});
  EXPECT_TRUE(comes_to(R"("phase":"drain")"));
  EXPECT_EQ(swapmq({"rollback", "--wait"}).code, 0);
  const Finished told = waiting.wait();
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err, HasSubstr("another switch, number 2, has followed on number 1"));
}

TEST_F(HostTraffic, ASwitchIsCancelledWhileItPrepares) {
  folder_.write("swapmq.json", R"({"message_queue": {"type": "sqlite",
      "sqlite": {"path": "queues.db"}, "trouble": {"pace": "slow"}},
      "switch": {"allow_capability_loss": true, "prepare_timeout_seconds": 3},
      "plugin_path": [")" SWAPMQ_TEST_BACKENDS R"("], "state_dir": "state"})");
  HostProcess host(folder_);
  Process waiting(folder_, {"switch", "trouble", "--wait", "--config", "swapmq.json"});
  EXPECT_TRUE(comes_to(R"("phase":"prepare")"));
  const Finished cancelled = swapmq({"switch", "--cancel", "--wait"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_THAT(cancelled.out, HasSubstr("from sqlite to trouble: cancelled"));
  const Finished told = waiting.wait();
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err, HasSubstr("the switch was cancelled; all is as it was"));
  EXPECT_THAT(status(), HasSubstr(active("sqlite")));
}

TEST_F(HostTraffic, ACancelledDrainIsRolledBack) {
  folder_.write("swapmq.json", config("sqlite"));
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch"}, {.in = Stdin::pipe});
  publisher.write_input("1\n");
  EXPECT_TRUE(eventually([&] { return ready("queues.db") == 1; }));
  EXPECT_EQ(swapmq({"switch", "memory", "--allow-capability-loss"}).code, 0);
  EXPECT_TRUE(comes_to(R"("phase":"drain")"));
  const Finished cancelled = swapmq({"switch", "--cancel", "--wait"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_THAT(status(), HasSubstr(active("sqlite")));
  publisher.write_input("2\n");
  publisher.close_input();
  EXPECT_EQ(publisher.wait().code, 0);
  EXPECT_EQ(ready("queues.db"), 2);
}

TEST_F(HostTraffic, AConsumerFollowsSighupsAndIsNotInterruptedByThem) {
  HostProcess consumer(folder_, {"consume", "q", "--watch", "--config", "consume.json"},
                       {.out = Stdout::pipe});
  consumer.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return run(folder_, {"status", "--json", "--config", "consume.json"})
               .out.find("\"asked_by\":\"SIGHUP\"") != std::string::npos;
  }));
  EXPECT_EQ(run(folder_, {"publish", "q", "--lines", "--config", "publish.json"},
                {.input = "still there\n"})
                .code,
            0);
  EXPECT_EQ(consumer.read_output(12), "still there\n");
  consumer.signal(SIGTERM);
  EXPECT_EQ(consumer.wait().code, 130);
}

TEST_F(HostTraffic, ASecondSigtermEndsItAtOnce) {
  folder_.write("stuck.json", R"({"message_queue": {"type": "trouble", "trouble": {}},
    "plugin_path": [")" SWAPMQ_TEST_BACKENDS R"("], "state_dir": "state"})");
  HostProcess host(folder_,
                   {"publish", "stuck", "--timeout", "1m", "--watch", "--config", "stuck.json"},
                   {.input = "for ever"});
  EXPECT_TRUE(eventually([&] { return host.err().find("stuck until") != std::string::npos; }));
  host.signal(SIGTERM);
  EXPECT_EQ(run(folder_, {"status", "--config", "stuck.json"}).code, 0) << "it answers meanwhile";
  const auto asked = std::chrono::steady_clock::now();
  host.signal(SIGTERM);
  EXPECT_EQ(host.wait().code, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(20));
}

} // namespace
} // namespace swapmq::program_test
