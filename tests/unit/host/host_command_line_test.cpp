// SPDX-License-Identifier: MIT
//
// The command line of hosts, and of what is asked of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_line.h"

namespace swapmq::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Args = std::vector<std::string>;
using Do = ControlRequest::Do;

template <class C>
C command(const Args& args) {
  auto result = parse_command_line(args, "");
  if (const auto* leave = std::get_if<Leave>(&result)) {
    ADD_FAILURE() << leave->err << leave->out;
    return {};
  }
  const C* found = std::get_if<C>(&std::get<CommandLine>(result).command);
  EXPECT_NE(found, nullptr) << "another command";
  return found == nullptr ? C() : *found;
}

std::string usage_error(const Args& args) {
  auto result = parse_command_line(args, "");
  const auto* leave = std::get_if<Leave>(&result);
  EXPECT_NE(leave, nullptr) << "it was accepted";
  if (leave == nullptr) return {};
  EXPECT_EQ(leave->exit_code, 2);
  return leave->err;
}

TEST(HostCommandLine, Run) {
  EXPECT_EQ(command<RunCommand>({"run"}).timeout, 30s);
  EXPECT_EQ(command<RunCommand>({"run", "--timeout", "2s", "--config", "x"}).timeout, 2s);
  EXPECT_THAT(usage_error({"run", "tasks"}), HasSubstr("unexpected argument \"tasks\""));
}

TEST(HostCommandLine, SwitchSaysWhatWasGivenAndNoMore) {
  const auto plain = command<ControlCommand>({"switch", "redis_stream"}).request;
  EXPECT_EQ(plain.what, Do::change);
  EXPECT_EQ(plain.type, "redis_stream");
  EXPECT_FALSE(plain.policy || plain.order || plain.dry_run || plain.allow_capability_loss);
  EXPECT_FALSE(plain.wait || plain.hold_publishes);
  const auto all =
      command<ControlCommand>({"switch", "rabbitmq", "--dry-run", "--policy", "transfer",
                               "--order=strict", "--hold-publishes", "--allow-capability-loss",
                               "--wait", "--timeout", "10m", "--state-dir", "/var/lib/x"});
  EXPECT_EQ(all.request.policy, BacklogPolicy::transfer);
  EXPECT_EQ(all.request.order, SwitchOrder::strict);
  EXPECT_TRUE(all.request.dry_run && all.request.allow_capability_loss && all.request.wait);
  EXPECT_TRUE(all.request.hold_publishes);
  EXPECT_EQ(all.request.timeout, 10min);
  EXPECT_EQ(all.state_dir, "/var/lib/x");
}

TEST(HostCommandLine, SwitchNeedsATypeOrIsCancelled) {
  EXPECT_EQ(command<ControlCommand>({"switch", "--cancel", "--wait"}).request.what, Do::cancel);
  EXPECT_THAT(usage_error({"switch"}), HasSubstr("TYPE is required"));
  EXPECT_THAT(usage_error({"switch", "sqlite", "--cancel"}), HasSubstr("--cancel goes with"));
  EXPECT_THAT(usage_error({"switch", "--cancel", "--dry-run"}), HasSubstr("--cancel goes with"));
  EXPECT_THAT(usage_error({"switch", "x", "--policy", "keep"}),
              HasSubstr("\"keep\" is not drain, transfer or leave"));
  EXPECT_THAT(usage_error({"switch", "x", "--order", "some"}),
              HasSubstr("\"some\" is not relaxed or strict"));
  EXPECT_THAT(usage_error({"switch", "x", "--timeout", "0"}), HasSubstr("above zero"));
}

TEST(HostCommandLine, TheOthers) {
  EXPECT_EQ(command<ControlCommand>({"status"}).request.what, Do::status);
  EXPECT_TRUE(command<ControlCommand>({"status", "--wait"}).request.wait);
  EXPECT_EQ(command<ControlCommand>({"reload", "--wait"}).request.what, Do::reload);
  EXPECT_EQ(command<ControlCommand>({"rollback"}).request.what, Do::roll_back);
  const auto forget = command<ControlCommand>({"forget", "sqlite", "--give-up"}).request;
  EXPECT_EQ(forget.what, Do::forget);
  EXPECT_EQ(forget.backend, "sqlite");
  EXPECT_TRUE(forget.give_up);
  EXPECT_THAT(usage_error({"forget"}), HasSubstr("BACKEND is required"));
  EXPECT_THAT(usage_error({"statsu"}), HasSubstr("did you mean \"status\"?"));
}

TEST(HostCommandLine, PublishAndConsumeAreHostsIfAsked) {
  EXPECT_FALSE(command<PublishCommand>({"publish", "q"}).watch);
  EXPECT_TRUE(command<PublishCommand>({"publish", "q", "--watch"}).watch);
  EXPECT_FALSE(command<ConsumeCommand>({"consume", "q"}).watch);
  EXPECT_TRUE(command<ConsumeCommand>({"consume", "q", "--watch"}).watch);
}

TEST(HostCommandLine, EachHasAManual) {
  for (const char* name : {"run", "status", "switch", "reload", "rollback", "forget"}) {
    auto result = parse_command_line({name, "--help"}, "");
    const auto* leave = std::get_if<Leave>(&result);
    ASSERT_NE(leave, nullptr) << name;
    EXPECT_EQ(leave->exit_code, 0);
    for (const char* part : {"Usage: swapmq ", "Exit codes: 0 ", "Examples:\n  swapmq "}) {
      EXPECT_THAT(leave->out, HasSubstr(part)) << name;
    }
  }
}

} // namespace
} // namespace swapmq::host
