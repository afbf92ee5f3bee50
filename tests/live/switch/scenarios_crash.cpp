// SPDX-License-Identifier: MIT
//
// Scenarios of hosts that stop or are killed, of journals that are damaged or missing, and of a
// backend that dies.
#include <filesystem>

#include "scenario.hpp"

namespace switch_test {
namespace {

namespace fs = std::filesystem;

class Crash : public Scenario {
 protected:
  /// Awaits that all that was confirmed was handled: the host consumes.
  void expect_all_come(Host& host) const {
    host.tell("consume tasks ack 16 2");
    EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  }
  static void expect_role(Host& host, const std::string& backend, const std::string& role) {
    EXPECT_TRUE(await([&] { return host.role(backend) == role; }))
        << backend << " is " << host.role(backend) << ", not " << role;
  }
};

/// Does what may kill the host; whether that did.
bool dies_of(Host& host, const std::function<void()>& what) {
  try {
    what();
    return false;
  } catch (const Host::Died&) {
    EXPECT_TRUE(host.was_killed());
    return true;
  }
}

class CrashBetween : public Crash, public testing::WithParamInterface<Move> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to;
};

INSTANTIATE_TEST_SUITE_P(, CrashBetween,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "sqlite"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

TEST_P(CrashBetween, StopEditTheConfigStart) {
  auto host = start("host", from_);
  publish(*host, "backlog", 50);
  host->end();
  host = start("host", to_);
  EXPECT_TRUE(await([&] { return host->publishes_to(to_); }));
  publish(*host, "after", 20);
  EXPECT_EQ(host->role(from_), "owed") << "50 messages lie there";
  expect_all_come(*host);
  expect_role(*host, from_, "watched");
  expect_all_settled();
}

class CrashAtAPlace : public CrashBetween {};

// Every pair: switch_kills.
INSTANTIATE_TEST_SUITE_P(, CrashAtAPlace,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

/// One host after the other, each killed at the next place, until there is none: stopped there
/// first, so that what the other threads do meanwhile counts as well.
TEST_P(CrashAtAPlace, KilledBeforeAndAfterEachJournalWriteConfigEditedBack) {
  int places = 0;
  std::unique_ptr<Host> successor;
  for (bool stopped = true; stopped;) {
    ASSERT_LT(places, 60);
    if (successor != nullptr) successor->end();
    const std::string name = "host-" + std::to_string(places + 1);
    auto host = start(name, from_);
    publish(*host, name + "-backlog", 5);
    host->tell("consume tasks ack 16 2");
    host->tell("publish tasks " + name + "-flow 0 0");
    host->tell("publish tasks " + name + "-later 0 500"); // so that something always lies there
    host->tell("pause " + std::to_string(places + 1) + " journal,file");
    host->tell("switch " + to_);
    const auto is_stopped = [&] { return host->tell("paused") == "yes"; };
    EXPECT_TRUE(await([&] { return is_stopped() || host->role(from_) == "watched"; }));
    stopped = is_stopped();
    places += stopped ? 1 : 0;
    let_flow(*host, 20);
    host->kill();
    successor = start(name, from_);
    expect_all_come(*successor);
  }
  EXPECT_GE(places, 8) << "two writes, each with what is before and after it";
  std::printf("killed at %d places\n", places);
  expect_all_settled();
}

TEST_F(Crash, ThreeBackendsInTurnKilledAtEachStepTheFirstDeletedFromTheConfig) {
  Sections without_first = sections();
  without_first.erase("rabbitmq"); // which has a password
  int places = 0;
  for (bool killed = true; killed;) {
    ASSERT_LT(places, 60);
    const std::string name = "host-" + std::to_string(places + 1);
    auto host = start(name, "rabbitmq");
    publish(*host, name + "-first", 5);
    host->tell("kill " + std::to_string(places + 1) + " cut over,retire,journal");
    killed = dies_of(*host, [&] {
      host->switch_to("redis_stream");
      host->tell("publish tasks " + name + "-second 5 0");
      host->tell("halt");
      host->switch_to("sqlite");
      host->tell("publish tasks " + name + "-third 5 0");
      host->tell("consume tasks ack 16 2");
      expect_role(*host, "redis_stream", "watched");
      expect_role(*host, "rabbitmq", "watched");
    });
    places += killed ? 1 : 0;
    host.reset();
    host = start(name, "sqlite", without_first);
    expect_all_come(*host);
    host->end();
  }
  EXPECT_GE(places, 16) << "two switches with four steps, two retired, six writes";
  std::printf("killed at %d places\n", places);
  expect_all_settled();
}

// ---- a backend that dies ------------------------------------------------------------------------

TEST_F(Crash, NewSideDiesAfterConfirmingRollbackItReturns) {
  swapmq::live::RedisServer mortal(*swapmq::live::redis_setup("aof_always"));
  set_section("redis_stream", mortal.options().json());
  auto host = start("host", "rabbitmq");
  publish(*host, "before", 20);
  host->tell("reload " + write_config("host", "redis_stream", sections()));
  EXPECT_TRUE(await([&] { return host->publishes_to("redis_stream"); }));
  publish(*host, "on-the-new-side", 50);
  mortal.kill();
  host->tell("roll_back");
  EXPECT_TRUE(await([&] { return host->publishes_to("rabbitmq"); }));
  publish(*host, "rolled-back", 20);
  expect_role(*host, "redis_stream", "owed");
  EXPECT_TRUE(host->state().config_refused);
  host->kill();

  host = start("host", "redis_stream"); // which is dead, and was rolled back from
  EXPECT_TRUE(host->publishes_to("rabbitmq"));
  EXPECT_TRUE(host->state().config_refused);
  publish(*host, "restarted", 20);
  host->tell("consume tasks ack 16 2");
  await_count("ack", 60);
  EXPECT_TRUE(await([&] {
    const BackendState dead = host->state().backends["redis_stream"];
    return dead.role == "owed" && dead.error != "ok";
  }));
  EXPECT_EQ(books().missing().size(), 50U);
  mortal.restart();
  await_count("ack", 110);
  expect_role(*host, "redis_stream", "watched");
  EXPECT_TRUE(host->publishes_to("rabbitmq"));
  expect_all_settled();
}

// ---- what is on disk ----------------------------------------------------------------------------

TEST_F(Crash, JournalTruncated) {
  for (const double part : {0.0, 0.3, 0.7, 0.99}) {
    const std::string name = "host-" + std::to_string(part);
    auto host = start(name, "redis_stream");
    publish(*host, name + "-old", 10);
    host->switch_to("sqlite");
    publish(*host, name + "-new", 10);
    host->end();
    const fs::path journal = state_dir(name) + "/journal";
    fs::resize_file(
        journal, static_cast<std::uintmax_t>(static_cast<double>(fs::file_size(journal)) * part));
    host = start(name, "sqlite");
    EXPECT_NE(log_of(name).find("damaged"), std::string::npos) << "it says so";
    expect_all_come(*host); // also from the one that it would not know of
    host->end();
    std::size_t set_aside = 0;
    for (const auto& file : fs::directory_iterator(state_dir(name))) {
      set_aside += file.path().filename().string().rfind("journal.damaged-", 0) == 0 ? 1 : 0;
    }
    EXPECT_EQ(set_aside, 1U);
  }
  expect_all_settled();
}

TEST_F(Crash, FreshStateDirKnowsWhatTheConfigNamesAlone) {
  auto host = start("host", "redis_stream");
  publish(*host, "old", 10);
  host->end();
  fs::remove_all(state_dir("host"));
  host = start("host", "sqlite");
  EXPECT_TRUE(host->publishes_to("sqlite"));
  EXPECT_EQ(host->state().backends.size(), 1U) << "it does not guess";
  publish(*host, "new", 10);
  host->tell("consume tasks ack 16 2");
  await_count("ack", 10);
  EXPECT_EQ(sizes("redis_stream").ready, 10U) << "nothing was taken there";
  host->kill(); // its journal was written before the first publish
  host = start("host", "redis_stream");
  expect_all_come(*host);
  expect_role(*host, "sqlite", "watched");
  expect_all_settled();
}

TEST_F(Crash, TwoProcessesOnOneStateDir) {
  auto host = start("host", "redis_stream");
  publish(*host, "first", 10);
  try {
    start("host", "redis_stream");
    ADD_FAILURE() << "the second one is let in";
  } catch (const Host::Died& refused) {
    EXPECT_THAT(refused.what(), testing::HasSubstr(state_dir("host")));
    EXPECT_THAT(refused.what(), testing::HasSubstr("uses it"));
  }
  publish(*host, "second", 10);
  host->kill();
  host = start("host", "redis_stream");
  expect_all_come(*host);
  expect_all_settled();
}

} // namespace
} // namespace switch_test
