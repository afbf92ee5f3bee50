// SPDX-License-Identifier: MIT
//
// Brokers that die in the middle of a switch, and may come back: the target while it is prepared,
// at the cut-over, and while the source is drained; the source while it is drained.
#include "scenario.hpp"

namespace switch_test {
namespace {

class DyingBroker : public Scenario {
 protected:
  DyingBroker() { set_section("redis_stream", mortal_.options().json()); }

  /// Publishes all the while, with something to drain.
  void begin(const std::string& from) {
    host_ = start("host", from);
    publish(*host_, "backlog", 50);
    host_->tell("publish tasks flow 0 0");
    let_flow(*host_, 20);
  }
  void expect_active(const std::string& backend) const {
    EXPECT_TRUE(await([&] { return host_->publishes_to(backend); })) << host_->state().phase;
  }
  void expect_error(const std::string& backend) const {
    EXPECT_TRUE(await([&] {
      const BackendState dead = host_->state().backends[backend];
      return dead.role == "owed" && dead.error != "ok";
    })) << "it does not say what is wrong with it";
  }
  /// Whatever was confirmed comes, and nothing that was published failed.
  void end(std::size_t in_doubt = 0) {
    host_->tell("halt");
    host_->tell("consume tasks ack 16 2");
    expect_all_settled({}, in_doubt);
    EXPECT_EQ(books().count("fail"), 0U);
  }

  swapmq::live::RedisServer mortal_{*swapmq::live::redis_setup("aof_always")};
  std::unique_ptr<Host> host_;
};

TEST_F(DyingBroker, TargetWhileItIsPreparedNothingChanges) {
  begin("rabbitmq");
  mortal_.pause(); // so that it is being prepared when it dies
  host_->tell("switch redis_stream");
  EXPECT_TRUE(lasts(milliseconds(300), [this] { return host_->state().phase == "prepare"; }));
  mortal_.kill();
  EXPECT_TRUE(await([this] { return host_->state().phase == "failed"; })) << host_->state().phase;
  EXPECT_TRUE(await_log("host", "cannot connect to Redis")) << log_of("host");
  let_flow(*host_, 50);
  expect_active("rabbitmq");
  mortal_.restart();
  host_->switch_to("redis_stream");
  let_flow(*host_, 50);
  end();
}

TEST_F(DyingBroker, TargetAtTheCutOverPublishesWaitForItsReturn) {
  begin("rabbitmq");
  host_->tell("pause 1 cut over: before the route");
  host_->tell("switch redis_stream");
  ASSERT_TRUE(await([this] { return host_->tell("paused") == "yes"; }));
  mortal_.kill();
  host_->tell("resume");
  expect_active("redis_stream");
  const std::uint64_t before = host_->published();
  EXPECT_TRUE(lasts(milliseconds(500), [&] { return host_->published() <= before + 1; }));
  mortal_.restart();
  let_flow(*host_, 50);
  EXPECT_EQ(host_->role("rabbitmq"), "owed");
  end();
}

TEST_F(DyingBroker, TargetWhileTheSourceIsDrainedItIsRolledBackFrom) {
  begin("rabbitmq");
  host_->switch_to("redis_stream");
  let_flow(*host_, 50);
  mortal_.kill();
  host_->tell("roll_back");
  expect_active("rabbitmq");
  let_flow(*host_, 50);
  host_->tell("consume tasks ack 16 2"); // of which the dead one has some
  expect_error("redis_stream");
  mortal_.restart();
  EXPECT_TRUE(await([this] { return host_->has_retired("redis_stream"); }));
  // What the broker had when it died, without having said so, was published again elsewhere.
  end(std::stoull(host_->tell("may_be_twice")));
}

TEST_F(DyingBroker, SourceWhileItIsDrainedItWaitsAndGoesOn) {
  begin("redis_stream");
  host_->switch_to("rabbitmq");
  let_flow(*host_, 50);
  mortal_.kill();
  host_->tell("consume tasks ack 16 2");
  expect_error("redis_stream");
  EXPECT_FALSE(books().missing().empty()) << "there was nothing to wait for";
  EXPECT_TRUE(lasts(milliseconds(1000), [this] { return host_->role("redis_stream") == "owed"; }));
  EXPECT_EQ(host_->state().phase, "drain");
  let_flow(*host_, 50);
  mortal_.restart();
  EXPECT_TRUE(await([this] { return host_->has_retired("redis_stream"); }));
  EXPECT_TRUE(await([this] { return host_->state().phase == "retired"; }));
  end();
}

TEST_F(DyingBroker, SourceWhileItIsDrainedIsGivenUpAndWhatStaysIsListed) {
  begin("redis_stream");
  host_->tell("halt");
  const std::string lie = std::to_string(books().count("ok"));
  host_->switch_to("rabbitmq");
  EXPECT_TRUE(await([&] { return host_->state().backends["redis_stream"].ready > 0; }));
  mortal_.kill();
  expect_error("redis_stream");
  try {
    host_->tell("forget redis_stream");
    ADD_FAILURE() << "it is given up without a word";
  } catch (const std::runtime_error& refused) {
    EXPECT_THAT(refused.what(), testing::HasSubstr("(" + lie + " in \"tasks\"); they stay there"));
  }
  host_->tell("forget redis_stream give_up");
  EXPECT_TRUE(await([this] { return host_->state().phase == "retired"; })) << "the switch is over";
  EXPECT_EQ(host_->role("redis_stream"), "");
  EXPECT_THAT(log_of("host"), testing::HasSubstr("somebody gave it up, with " + lie + " ready, "));
  EXPECT_THAT(log_of("host"), testing::HasSubstr("(" + lie + " in \"tasks\"), as last seen"));
  mortal_.restart();
  EXPECT_EQ(std::to_string(sizes("redis_stream").ready), lie) << "all that was listed is there";
  // Whoever wants it back switches there again.
  host_->switch_to("redis_stream");
  end();
}

} // namespace
} // namespace switch_test
