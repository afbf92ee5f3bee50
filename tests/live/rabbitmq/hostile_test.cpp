// SPDX-License-Identifier: MIT
//
// A broker that logs us in and then says what no broker should: to a publish, and to a consumer.
#include "hostile.hpp"

#include <ostream>
#include <thread>
#include <vector>

namespace swapmq::live {
namespace {

using namespace amqp;

// The channel by which messages are published is the one by which another connection consumes.
constexpr int kChannel = 1;
constexpr int kAdminChannel = 2;
// For who counts connections.
const HostileApp::Options kPatient{.patience_seconds = "10"};

struct Nonsense {
  std::string name, bytes;
  std::string to_publish{}, to_consume{}; // what is said of it: regular expressions
  bool close = false;                     // the connection, after it
};
void PrintTo(const Nonsense& nonsense, std::ostream* out) { *out << nonsense.name; }

std::string without_end(std::string bytes) {
  bytes.back() = 'X';
  return bytes;
}

std::vector<Nonsense> nonsense() {
  const std::string other = "answered a publish with something else";
  const std::string none = "of a message that did not begin";
  const std::string close_text = "AMQP: \x1b[2J\nno";
  return {
      {"NoFrameEnd", without_end(ack(kChannel, 1)), "frame without its end",
       "frame without its end"},
      {"UnknownFrameType", frame(4, kChannel, "what"), other, "frame of an unknown type"},
      {"FrameTooLarge", u8(3) + u16(kChannel) + u32(131065), "frame of 131065 bytes, more than",
       "frame of 131065 bytes, more than"},
      {"FrameOf4Gigabytes", u8(3) + u16(kChannel) + u32(0xffffffff), "4294967295 bytes, more than",
       "4294967295 bytes, more than"},
      {"ChannelThatIsNotOpen", method(99, kFlowOk, u8(1)), "on a channel that is not open",
       "on a channel that is not open"},
      {"EndOfAChannelThatIsNotOpen", closing(99, 404, "NOT_FOUND"), "on a channel that is not open",
       "on a channel that is not open"},
      {"MethodOfAChannelOnChannel0", ack(0, 1), "no place on channel 0", "no place on channel 0"},
      {"LoginOnceMore", start(), "no place on channel 0", "no place on channel 0"},
      {"BodyOnChannel0", body_frame(0, "body"), "no place on channel 0", "no place on channel 0"},
      {"HeaderAlone", header_frame(kChannel, 4), other, none},
      {"BodyAlone", body_frame(kChannel, "body"), other, "more of a message than there is"},
      {"MethodOfTwoBytes", frame(kMethodFrame, kChannel, "\x3c"), other, "what is not for one"},
      {"UnknownMethod", method(kChannel, Method{0xabcdef01}), other, "what is not for one"},
      {"CloseThatIsCut", frame(kMethodFrame, kChannel, u32(kChannelClose) + u16(404)),
       "method that cannot be read", "method that cannot be read"},
      {"ConnectionCloseThatIsCut", frame(kMethodFrame, 0, u32(kClose) + u16(320) + u8(200) + "x"),
       "method that cannot be read", "method that cannot be read"},
      {"ConnectionForced", closing(0, 320, "CONNECTION_FORCED - by a test"),
       "closed the connection: CONNECTION_FORCED - by a test",
       "closed the connection: CONNECTION_FORCED - by a test", true},
      {"InternalError", closing(0, 541, "INTERNAL_ERROR"), "closed the connection: INTERNAL_ERROR",
       "closed the connection: INTERNAL_ERROR", true},
      {"NotFound", closing(kChannel, 404, "NOT_FOUND - it"), "NOT_FOUND - it", "NOT_FOUND - it"},
      {"PreconditionFailed", closing(kChannel, 406, "PRECONDITION_FAILED - so"),
       "PRECONDITION_FAILED - so", "PRECONDITION_FAILED - so"},
      {"ResourceError", closing(kChannel, 506, "RESOURCE_ERROR"), "RESOURCE_ERROR",
       "RESOURCE_ERROR"},
      {"ControlCharacters", closing(kChannel, 541, close_text), "AMQP:  .2J no", "AMQP:  .2J no"},
      {"SocketClosedInAFrame", ack(kChannel, 1).substr(0, 9), "the server closed it",
       "the server closed it", true},
      {"Http", "HTTP/1.1 400 Bad Request\r\n\r\n", "more than was agreed", "more than was agreed"},
      {"Garbage", std::string(300, '\xff'), "more than was agreed", "more than was agreed"},
      {"Zeros", std::string(300, '\0'), "frame without its end", "frame without its end"},
  };
}

class HostileBroker : public testing::TestWithParam<Nonsense> {};

TEST_P(HostileBroker, ConfirmsNothingByNonsense) {
  HostileApp app(instead_of(kPublish, {GetParam().bytes, GetParam().close}));
  app.expect_not_published(Outcome::in_doubt, GetParam().to_publish);
  app.expect_heals();
}

TEST_P(HostileBroker, DeliversNothingByNonsense) {
  HostileApp app(pushed({GetParam().bytes, GetParam().close}));
  app.expect_not_consumed(GetParam().to_consume);
}

std::string name_of(const testing::TestParamInfo<Nonsense>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Each, HostileBroker, testing::ValuesIn(nonsense()), name_of);

// ---- requests -----------------------------------------------------------------------------------

/// In answer to every request on the way to a publish or a delivery.
class HostileAnswer : public testing::TestWithParam<Method> {};

struct Refusal {
  int code;
  std::string text;
};
const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> all{{404, "NOT_FOUND - it"},
                                        {406, "PRECONDITION_FAILED - so"},
                                        {506, "RESOURCE_ERROR - full"},
                                        {320, "CONNECTION_FORCED - by a test"},
                                        {541, "INTERNAL_ERROR - oh"}};
  return all;
}
bool is_of_consumer(Method method) { return method == kQos || method == kConsume; }

TEST_P(HostileAnswer, ThatRefuses) {
  const Method method = GetParam();
  for (const Refusal& refusal : refusals()) {
    SCOPED_TRACE(refusal.text);
    const bool channel = refusal.code >= 400 && refusal.code < 540;
    HostileApp app([&, method](const AmqpRequest& request) -> std::optional<AmqpReply> {
      if (request.method != method) return std::nullopt;
      return AmqpReply(closing(channel ? request.channel : 0, refusal.code, refusal.text),
                       !channel);
    });
    if (is_of_consumer(method)) {
      app.expect_not_consumed(refusal.text);
    } else {
      app.expect_not_published(Outcome::failed, refusal.text);
      app.expect_heals();
    }
  }
}

TEST_P(HostileAnswer, ThatIsAnother) {
  const Method method = GetParam();
  HostileApp app([method](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != method) return std::nullopt;
    return AmqpReply(amqp::method(request.channel, kQueuePurgeOk, u32(0)) +
                     frame(9, request.channel, "type") + body_frame(request.channel, "body"));
  });
  if (is_of_consumer(method)) {
    app.expect_not_consumed("did not answer|is silent");
  } else {
    app.expect_not_published(Outcome::failed, "did not answer in time|is silent");
    app.expect_heals();
  }
}

std::string name_of_method(const testing::TestParamInfo<Method>& info) {
  switch (info.param) {
    case kChannelOpen:
      return "ChannelOpen";
    case kConfirmSelect:
      return "ConfirmSelect";
    case kQueueDeclare:
      return "QueueDeclare";
    case kQos:
      return "Qos";
    default:
      return "Consume";
  }
}
INSTANTIATE_TEST_SUITE_P(Each, HostileAnswer,
                         testing::Values(kChannelOpen, kConfirmSelect, kQueueDeclare, kQos,
                                         kConsume),
                         name_of_method);

// ---- confirms -----------------------------------------------------------------------------------

struct WrongConfirm {
  std::string name;
  std::function<std::string(std::uint64_t)> bytes; // in answer to the publish of this tag
  std::string said;
};
void PrintTo(const WrongConfirm& confirm, std::ostream* out) { *out << confirm.name; }

class HostileConfirm : public testing::TestWithParam<WrongConfirm> {};

TEST_P(HostileConfirm, LeavesInDoubt) {
  HostileApp app([](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != kPublish) return std::nullopt;
    return AmqpReply(GetParam().bytes(request.number));
  });
  app.expect_not_published(Outcome::in_doubt, GetParam().said);
  app.expect_heals();
}

std::string returned(std::string_view id, std::uint64_t body_size) {
  return method(kChannel, kReturn,
                u16(312) + short_text("NO_ROUTE") + short_text("") + short_text("tasks")) +
         header_frame(kChannel, body_size, kMessageIdFlag, short_text(id));
}

std::vector<WrongConfirm> wrong_confirms() {
  const std::string not_sent = "confirmed a message that was not sent";
  const std::string within = "in the middle of a message";
  return {
      {"OfWhatWasNeverSent", [](auto tag) { return ack(kChannel, tag + 1); }, not_sent},
      {"OfALot", [](auto tag) { return ack(kChannel, tag + 100, true); }, not_sent},
      {"OfTheLastTagThereIs", [](auto) { return ack(kChannel, ~0ULL); }, not_sent},
      {"OfAllTags", [](auto) { return ack(kChannel, ~0ULL, true); }, not_sent},
      {"OfTag0", [](auto) { return ack(kChannel, 0); }, "did not confirm in time|is silent"},
      {"ThatIsCut", [](auto) { return method(kChannel, kAck, "\x01\x02"); },
       "confirm that cannot be read"},
      {"OnTheAdminChannel", [](auto tag) { return ack(kAdminChannel, tag); },
       "did not confirm in time|is silent"},
      {"AReturnOfWhatWasNeverSent", [](auto) { return returned("nobody", 0); },
       "did not confirm in time|is silent"},
      {"WithinAReturnsHeader",
       [](auto tag) {
         return method(kChannel, kReturn,
                       u16(312) + short_text("") + short_text("") + short_text("tasks")) +
                ack(kChannel, tag);
       },
       within},
      {"WithinAReturnsBody",
       [](auto tag) { return returned("nobody", 10) + body_frame(kChannel, "x") + ack(1, tag); },
       within},
      {"AReturnWithoutEnd",
       [](auto tag) { return returned("nobody", 1ULL << 63) + body_frame(1, "x") + ack(1, tag); },
       within},
      {"AReturnOfMoreThanThereIs",
       [](auto) { return returned("nobody", 2) + body_frame(kChannel, "xxx"); },
       "more of a message than there is"},
  };
}
std::string name_of_confirm(const testing::TestParamInfo<WrongConfirm>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Each, HostileConfirm, testing::ValuesIn(wrong_confirms()),
                         name_of_confirm);

TEST(HostileConfirms, WhatWasConfirmedBeforeTheNonsenseIsConfirmedAlone) {
  std::atomic<int> published{0};
  HostileApp app([&](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != kPublish) return std::nullopt;
    const int count = ++published;
    if (count == 1) return AmqpReply(ack(kChannel, 1)); // what follows waits for that
    if (count == 5) return AmqpReply(ack(kChannel, 3, true) + ack(kChannel, 99, true));
    return AmqpReply();
  });
  const std::vector<Message> messages(5, Message{.body = "body"});
  constexpr milliseconds kTimeout(600);
  const auto sent = timely("publish", kTimeout, [&] {
    return app.mq().publish_many("tasks", messages, {.timeout = kTimeout});
  });
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].outcome(), i < 3 ? Outcome::confirmed : Outcome::in_doubt) << i;
  }
  app.expect_heals();
}

/// The broker may say so of what an earlier call did not wait for.
TEST(HostileConfirms, AReturnOfSomethingElseChangesNothing) {
  const AmqpScript script = [](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != kPublish) return std::nullopt;
    return AmqpReply(returned("nobody", 3) + body_frame(kChannel, "xyz") +
                     ack(kChannel, request.number) + ack(kChannel, request.number));
  };
  HostileApp app(script, kPatient);
  for (int i = 0; i < 3; ++i) {
    const Sent sent = app.mq().publish("tasks", "body", {.timeout = kEnough});
    EXPECT_TRUE(sent) << sent.error().message();
  }
  EXPECT_EQ(app.broker().accepted(), 1U);
}

/// What became of a queue meanwhile a channel that was just opened does not know: a refusal of the
/// first message that it is given must not let those behind it overtake it.
TEST(HostileConfirms, WhatIsRefusedFirstOnANewChannelStaysFirst) {
  HostileApp app(
      [channels = 0](const AmqpRequest& request) mutable -> std::optional<AmqpReply> {
        if (request.method == kConfirmSelect) ++channels;
        if (request.method != kPublish) return std::nullopt;
        if (channels == 1 && request.number == 2) {
          return AmqpReply(closing(kChannel, 506, "RESOURCE_ERROR"));
        }
        if (channels == 1 && request.number > 2) return AmqpReply(); // of a channel that is closed
        if (channels == 2 && request.number == 1) return AmqpReply(nack(kChannel, 1));
        return std::nullopt;
      },
      kPatient);
  std::vector<std::string> bodies;
  for (char body = 'a'; body <= 'z'; ++body) bodies.emplace_back(1, body);
  std::vector<Message> messages;
  for (const std::string& body : bodies) messages.push_back(Message{.body = body});
  for (const Sent& sent : app.mq().publish_many("tasks", messages, {.timeout = kEnough})) {
    EXPECT_TRUE(sent) << sent.error().message();
  }
  std::vector<std::string> on_the_last; // channel
  for (const AmqpRequest& request : app.broker().requests()) {
    if (request.method == kConfirmSelect) on_the_last.clear();
    if (request.method == kPublish) on_the_last.push_back(request.body);
  }
  bodies.front() = "b"; // "a" was confirmed before; "b" is refused once
  EXPECT_EQ(on_the_last, bodies);
}

// ---- deliveries ---------------------------------------------------------------------------------

class HostileDelivery : public testing::TestWithParam<Nonsense> {};

TEST_P(HostileDelivery, IsNotHandedOut) {
  HostileApp app(pushed({GetParam().bytes, GetParam().close}));
  app.expect_not_consumed(GetParam().to_consume);
}

std::vector<Nonsense> wrong_deliveries() {
  const std::string begun = deliver(kChannel, 1);
  const std::string headed = begun + header_frame(kChannel, 10);
  const std::string tag = "delivery tag that is not the next one";
  const std::string more = "more of a message than there is";
  const std::string method_within = "method where a message should go on";
  return {
      {"OfTag2", delivery(kChannel, 2), "", tag},
      {"OfTag0", delivery(kChannel, 0), "", tag},
      {"OfTheLastTagThereIs", delivery(kChannel, ~0ULL), "", tag},
      {"ThatIsCut", method(kChannel, kDeliver, short_text("consumer") + u32(0)), "",
       "method that cannot be read"},
      {"OnTheAdminChannel", delivery(kAdminChannel, 1), "", "on a channel that is not open"},
      {"BodyBeforeItsHeader", begun + body_frame(kChannel, "body"), "", more},
      {"HeaderTwice", headed + header_frame(kChannel, 10), "", "did not begin"},
      {"BodyLargerThanAnnounced", headed + body_frame(kChannel, std::string(11, 'x')), "", more},
      {"BodiesLargerThanAnnounced",
       headed + body_frame(kChannel, "xxxxxxx") + body_frame(kChannel, "xxxx"), "", more},
      {"EmptyBodyFrame", headed + body_frame(kChannel, ""), "", more},
      {"BodyOf2To63", begun + header_frame(kChannel, 1ULL << 63) + body_frame(kChannel, "x"), "",
       "message without end"},
      {"BodyOf2To64", begun + header_frame(kChannel, ~0ULL) + body_frame(kChannel, "x"), "",
       "message without end"},
      {"HeaderThatIsCut", begun + frame(kHeaderFrame, kChannel, u16(60) + u16(0) + u32(0)), "",
       "content header that cannot be read"},
      {"MethodInsteadOfTheHeader", begun + method(kChannel, kFlowOk, u8(1)), "", method_within},
      {"MethodInTheMiddle", headed + body_frame(kChannel, "x") + delivery(kChannel, 2), "",
       method_within},
      {"CloseInTheMiddle", headed + body_frame(kChannel, "x") + closing(0, 320, "FORCED"), "",
       "closed the connection: FORCED", true},
      {"SocketClosedInTheMiddle", headed + body_frame(kChannel, "x"), "", "the server closed it",
       true},
  };
}
INSTANTIATE_TEST_SUITE_P(Each, HostileDelivery, testing::ValuesIn(wrong_deliveries()), name_of);

/// A broker on a busy machine needs longer for it than an exchange has, and more than a second:
/// what it answers then is taken, and the connection is not left for one to which the same happens.
TEST(LateAnswer, ToWhoBecomesAConsumer) {
  HostileApp app(
      [](const AmqpRequest& request) -> std::optional<AmqpReply> {
        // On the broker's thread: this is the broker that is late, and no wait of the test.
        if (request.method == kConsume) std::this_thread::sleep_for(milliseconds(1500));
        return std::nullopt;
      },
      kPatient);
  auto subscription = app.mq().subscribe("tasks");
  ASSERT_TRUE(subscription);
  HostileApp::expect_consumed(*subscription);
  EXPECT_EQ(app.broker().accepted(), 2U) << app.log();
}

// ---- properties ---------------------------------------------------------------------------------

/// Properties that cannot be read: the frames are sound, so the message goes where the undecodable
/// go, and those behind it come.
class HostileProperties : public testing::TestWithParam<Nonsense> {};

bool is_acked(const FakeBroker& broker, std::uint64_t tag) {
  for (const AmqpRequest& request : broker.requests()) {
    if (request.method != kAck) continue;
    const bool multiple = request.fields.back() != 0;
    const std::string acked = request.fields.substr(0, 8);
    if (acked == u64(tag) || (multiple && acked > u64(tag))) return true;
  }
  return false;
}

TEST_P(HostileProperties, AreForTheDeadLetterQueue) {
  const std::string header = frame(kHeaderFrame, kChannel, GetParam().bytes);
  const std::string bad = deliver(kChannel, 1) + header + body_frame(kChannel, "bad!");
  HostileApp app(pushed(bad + delivery(kChannel, 2)), kPatient);
  auto subscription = app.mq().subscribe("tasks");
  ASSERT_TRUE(subscription);
  HostileApp::expect_consumed(*subscription);
  EXPECT_TRUE(app.broker().await_request(kPublish, 1, kEnough)) << app.log();
  for (const AmqpRequest& request : app.broker().requests()) {
    if (request.method != kPublish) continue;
    EXPECT_EQ(request.body, "bad!");
    EXPECT_THAT(request.fields, testing::HasSubstr("tasks.dead"));
  }
  EXPECT_FALSE(timely("close", milliseconds(0), [&] { return app.mq().close(); }));
  EXPECT_TRUE(is_acked(app.broker(), 1) && is_acked(app.broker(), 2));
  EXPECT_EQ(app.broker().accepted(), 2U) << app.log();
}

std::vector<Nonsense> wrong_properties() {
  const std::string entry = text_entry("name", "value");
  const auto headers = [](const std::string& table) {
    return content_header(4, kHeadersFlag, table);
  };
  return {
      {"FlagsOfWhatIsNotThere", content_header(4, kContentTypeFlag)},
      {"AllFlags", content_header(4, 0xfffe, short_text("text/plain"))},
      {"FlagsWithoutEnd", content_header(4, 0xffff, std::string(64, '\xff'))},
      {"TextThatIsCut", content_header(4, kMessageIdFlag, u8(200) + "id")},
      {"TableThatIsCut", headers(u32(entry.size()) + entry.substr(0, entry.size() - 1))},
      {"TableBeyondTheFrame", headers(u32(0x7fffffff) + entry)},
      {"TableOfFourGigabytes", headers(u32(0xffffffff) + entry)},
      {"TableOfHalfASize", headers("\x01")},
      {"NameBeyondTheTable", headers(u32(2) + u8(200) + "x")},
      {"TextBeyondTheTable", headers(u32(7) + short_text("x") + "S" + u32(0xffff))},
      {"UnknownKind", headers(long_text(short_text("x") + "?" + u64(0)))},
      {"DeepTable", headers(long_text(short_text("deep") + 'F' + deep_table(20'000)))},
  };
}
INSTANTIATE_TEST_SUITE_P(Each, HostileProperties, testing::ValuesIn(wrong_properties()), name_of);

} // namespace
} // namespace swapmq::live
