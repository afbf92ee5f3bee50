// SPDX-License-Identifier: MIT
//
// A broker that is hostile, or of another mind than most, while we log in.
#include <ostream>
#include <vector>

#include "../support/told.hpp"
#include "hostile.hpp"

namespace swapmq::live {
namespace {

using namespace amqp;
using testing::ContainsRegex;
using testing::Eq;

/// What is said at one step of the handshake, and what is said of it.
struct Step {
  std::string name;
  Method method;
  AmqpReply reply;
  Errc code;
  std::string said; // a regular expression
};
void PrintTo(const Step& step, std::ostream* out) { *out << step.name; }

class HostileLogin : public testing::TestWithParam<Step> {};

TEST_P(HostileLogin, IsNoLoginAndIsSaid) {
  const Step& step = GetParam();
  HostileApp app(instead_of(step.method, step.reply));
  constexpr milliseconds kTimeout(2500); // several attempts of 0.4 s
  const Error error = timely("ping", kTimeout, [&] { return app.mq().ping(kTimeout); });
  expect_told(told(error), Eq(step.code), ContainsRegex(step.said));
  app.expect_not_published(Outcome::failed, step.said);
  app.expect_heals();
}

TEST_P(HostileLogin, IsSaidByAConsumer) {
  HostileApp app(instead_of(GetParam().method, GetParam().reply));
  app.expect_not_consumed(GetParam().said);
}

std::string without_end(std::string bytes) {
  bytes.back() = 'X';
  return bytes;
}

std::vector<Step> greetings() {
  const Errc down = Errc::unavailable;
  const std::string large = text_entry("large", std::string(140'000, 'x'));
  const std::string beyond = method(0, kStart, u8(0) + u8(9) + u32(0x7fffffff) + "\x01");
  const std::string deep = start("PLAIN", short_text("deep") + 'F' + deep_table(20'000));
  return {
      {"GreetsWithAnotherVersion",
       kProtocolHeader,
       {std::string("AMQP\0\1\0\0", 8), true},
       Errc::not_supported,
       "another version of AMQP"},
      {"GreetsWithHttp",
       kProtocolHeader,
       {"HTTP/1.1 400 Bad Request\r\n\r\n", true},
       down,
       "HTTP server"},
      {"GreetsWithZeros", kProtocolHeader, std::string(300, '\0'), down, "not RabbitMQ"},
      {"GreetsWithoutPlain", kProtocolHeader, start("EXTERNAL AMQPLAIN"), Errc::not_supported,
       "no login by PLAIN.*EXTERNAL AMQPLAIN"},
      {"GreetsWithoutAnything", kProtocolHeader, start(""), Errc::not_supported,
       "no login by PLAIN"},
      {"GreetsAtLength", kProtocolHeader, start("PLAIN", large), down, "more than was agreed on"},
      {"GreetsWithoutFrameEnd", kProtocolHeader, without_end(start()), down, "without its end"},
      {"GreetsWithATableBeyondTheFrame", kProtocolHeader, beyond, down, "cannot be read"},
      {"GreetsWithADeepTable", kProtocolHeader, deep, down, "too deep"},
      {"GreetsWithHalf",
       kProtocolHeader,
       {start().substr(0, 20), true},
       down,
       "before any greeting"},
      {"GreetsWithTune", kProtocolHeader, tune(), down, "something else.*to greet"},
      {"GreetsWithBlocked", kProtocolHeader, method(0, kBlocked, short_text("why")), down,
       "something else.*to greet"},
      {"GreetsWithClose320",
       kProtocolHeader,
       {closing(0, 320, "CONNECTION_FORCED - now"), true},
       down,
       "closed the connection: CONNECTION_FORCED - now"},
      {"GreetsWithClose541",
       kProtocolHeader,
       {closing(0, 541, "INTERNAL_ERROR"), true},
       down,
       "closed the connection: INTERNAL_ERROR"},
      {"GreetsWithSilence", kProtocolHeader, std::string(), Errc::timeout, "did not greet in time"},
  };
}

std::vector<Step> later_steps() {
  const Errc down = Errc::unavailable;
  std::vector<Step> all{
      {"ChallengesInsteadOfTuning", kStartOk, method(0, kSecure, long_text("what?")), down,
       "something else.*at login"},
      {"TunesWithAMethodThatIsCut", kStartOk, method(0, kTune, u16(1)), down, "cannot be read"},
      {"TunesToFramesOf1", kStartOk, tune(2047, 1), Errc::not_supported,
       "frames of at most 1 bytes.*4096.*frame_max"},
      {"TunesToFramesOf4095", kStartOk, tune(2047, 4095), Errc::not_supported,
       "frames of at most 4095 bytes"},
      {"TunesToOneChannel", kStartOk, tune(1), Errc::not_supported, "channel.*channel_max"},
      {"TunesWithABody", kStartOk, body_frame(0, "body"), down, "something else.*at login"},
      {"OpensWithBlocked", kOpen, method(0, kBlocked, short_text("why")), down,
       "something else.*virtual host"},
      {"OpensWithAChannelsMethod", kOpen, method(1, kChannelOpenOk, long_text("")), down,
       "something else.*virtual host"},
      {"TunesWithSilence", kStartOk, std::string(), down, "did not answer|is silent"},
      {"OpensWithSilence", kOpen, std::string(), down, "did not answer|is silent"},
  };
  all[8].code = all[9].code = Errc::timeout;
  for (const auto& [name, method] : {std::pair{"Tunes", kStartOk}, std::pair{"Opens", kOpen}}) {
    all.push_back({std::string(name) + "WithClose320",
                   method,
                   {closing(0, 320, "CONNECTION_FORCED - now"), true},
                   down,
                   "closed the connection: CONNECTION_FORCED - now"});
    all.push_back({std::string(name) + "WithClose541",
                   method,
                   {closing(0, 541, "INTERNAL_ERROR"), true},
                   down,
                   "closed the connection: INTERNAL_ERROR"});
    all.push_back(
        {std::string(name) + "ByClosing", method, {"", true}, down, "the server closed it"});
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<Step>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Start, HostileLogin, testing::ValuesIn(greetings()), name_of);
INSTANTIATE_TEST_SUITE_P(Later, HostileLogin, testing::ValuesIn(later_steps()), name_of);

// ---- what is unusual and works ------------------------------------------------------------------

TEST(UnusualTuning, WithoutLimitsIsTakenAsSuch) {
  HostileApp app(instead_of(kStartOk, tune(0, 0, 0)));
  const Sent sent = app.mq().publish("tasks", std::string(300'000, 'x'), {.timeout = kEnough});
  EXPECT_TRUE(sent) << sent.error().message();
  for (const AmqpRequest& request : app.broker().requests()) {
    if (request.method != kTuneOk) continue;
    EXPECT_EQ(request.fields.substr(2, 4), u32(131072)) << "the most that we take";
  }
  app.expect_heals();
}

TEST(UnusualTuning, TwoChannelsWillDo) {
  HostileApp app(instead_of(kStartOk, tune(2)));
  const Sent sent = app.mq().publish("tasks", "body", {.timeout = kEnough});
  EXPECT_TRUE(sent) << sent.error().message();
  app.expect_heals();
}

TEST(UnusualTuning, BodiesAreSplitToTheLeastFrame) {
  HostileApp app(instead_of(kStartOk, tune(2047, 4096)));
  std::string body;
  for (int i = 0; i < 10'000; ++i) body.push_back(static_cast<char>(i * 7));
  const Sent sent = app.mq().publish("tasks", body, {.timeout = kEnough});
  EXPECT_TRUE(sent) << sent.error().message();
  for (const AmqpRequest& request : app.broker().requests()) {
    if (request.method != kPublish) continue;
    EXPECT_EQ(request.body_frames, 3U);
    EXPECT_TRUE(request.body == body);
  }
  EXPECT_EQ(app.broker().not_understood(), 0U);
}

TEST(UnusualTuning, AFrameBeyondWhatWasAgreedOnIsRefused) {
  HostileApp app([](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method == kStartOk) return tune(2047, 4096);
    if (request.method != kPublish) return std::nullopt;
    return body_frame(1, std::string(4089, 'x'));
  });
  app.expect_not_published(Outcome::in_doubt, "frame of 4089 bytes, more than was agreed on");
  app.expect_heals();
}

TEST(UnusualTuning, BodiesComeInFramesOfTheLeastSize) {
  const std::string part(4088, 'x');
  HostileApp app([&](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method == kStartOk) return tune(2047, 4096);
    if (request.method != kConsume) return std::nullopt;
    return method(1, kConsumeOk, short_text("consumer")) + deliver(1, 1) +
           header_frame(1, 2 * part.size()) + body_frame(1, part) + body_frame(1, part);
  });
  auto subscription = app.mq().subscribe("tasks");
  const auto got = subscription->receive(1, kEnough);
  ASSERT_TRUE(got && got->size() == 1) << app.log();
  EXPECT_TRUE((*got)[0].body() == part + part);
}

/// Ours come in time; and where the broker's do not, the connection is lost and made anew.
TEST(UnusualTuning, AHeartbeatOfASecond) {
  HostileApp app(instead_of(kStartOk, tune(2047, 131072, 1)));
  auto subscription = app.mq().subscribe("tasks");
  HostileApp::expect_consumed(*subscription);
  EXPECT_TRUE(app.broker().await_heartbeats(3, kEnough));
  EXPECT_TRUE(await(
      [&] { return app.log().find("silent for two heartbeats") != std::string::npos; }, kEnough));
  HostileApp::expect_consumed(*subscription);
}

/// An alarm from the first moment on: publishes wait, consumers do not.
TEST(BlockedAtOnce, PublishesFailAndSayWhy) {
  HostileApp app([](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != kOpen) return std::nullopt;
    return polite_reply(request).bytes + method(0, kBlocked, short_text("low on\x01 disk"));
  });
  app.expect_not_published(Outcome::failed, "alarm of its own: low on  ?disk");
  for (const AmqpRequest& request : app.broker().requests()) EXPECT_NE(request.method, kPublish);
  auto subscription = app.mq().subscribe("tasks");
  HostileApp::expect_consumed(*subscription);
  app.be_polite();
  app.broker().say(method(0, Method{10 << 16 | 61})); // connection.unblocked
  const Sent sent = app.mq().publish("tasks", "body", {.timeout = kEnough});
  EXPECT_TRUE(sent) << sent.error().message();
}

} // namespace
} // namespace swapmq::live
