// SPDX-License-Identifier: MIT
//
// Traces: what "traceparent" may be, the hooks, and that they stay whole over several queues.
#include "swapmq/tracing.hpp"

#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Message;
using swapmq::TraceParent;

constexpr std::string_view example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParentText, IsReadAndWritten) {
  const auto read = TraceParent::parse(example);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id[0], 0x0a);
  EXPECT_EQ(read->trace_id[15], 0x9c);
  EXPECT_EQ(read->parent_id[0], 0xb7);
  EXPECT_EQ(read->flags, 1);
  EXPECT_EQ(read->text(), example);
}

TEST(TraceParentText, OfALaterVersionTheKnownPartIsRead) {
  const std::string later = "01" + std::string(example.substr(2));
  EXPECT_EQ(TraceParent::parse(later), TraceParent::parse(example));
  EXPECT_EQ(TraceParent::parse(later + "-what-comes"), TraceParent::parse(example));
  EXPECT_FALSE(TraceParent::parse(later + "what-comes"));
}

TEST(TraceParentText, OrIsNone) {
  const std::string good(example);
  const std::vector<std::string> none{"",
                                      "00",
                                      good.substr(0, 54),
                                      good + "-",
                                      good + "-00",
                                      good + "0",
                                      " " + good,
                                      "ff" + good.substr(2),
                                      "0G" + good.substr(2),
                                      "00_" + good.substr(3),
                                      "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x"};
  for (const std::string& bad : none) {
    EXPECT_FALSE(TraceParent::parse(bad)) << bad;
  }
}

TEST(TraceParentText, IsMadeAtRandom) {
  const TraceParent one = TraceParent::make(true), other = TraceParent::make(false);
  EXPECT_EQ(one.flags, 1);
  EXPECT_EQ(other.flags, 0);
  EXPECT_NE(one.trace_id, other.trace_id);
  const TraceParent child = one.child();
  EXPECT_EQ(child.trace_id, one.trace_id);
  EXPECT_EQ(child.flags, one.flags);
  EXPECT_NE(child.parent_id, one.parent_id);
  EXPECT_EQ(TraceParent::parse(child.text()), child);
}

/// Writes down what it hears, and gives what is published a context.
class Recorder : public swapmq::Tracer {
 public:
  struct Published : swapmq::PublishSpan {
    Published(Seen& events, std::string name) : events_(events), name_(std::move(name)) {}
    std::string traceparent() override { return std::string(example); }
    std::string tracestate() override { return "vendor=1"; }
    void ended(const swapmq::Sent& sent) override {
      events_.add("sent " + name_ + " " + std::string(to_string(sent.outcome())));
    }
    Seen& events_;
    const std::string name_;
  };
  struct Handled : swapmq::HandleSpan {
    Handled(Seen& events, std::string name) : events_(events), name_(std::move(name)) {}
    ~Handled() override { events_.add("over " + name_); }
    Handled(const Handled&) = delete;
    Handled& operator=(const Handled&) = delete;
    void ended(const swapmq::Decision& decision) override {
      const bool acked = decision.kind == swapmq::Decision::Kind::ack;
      events_.add("handled " + name_ + (acked ? "" : ": " + decision.reason));
    }
    Seen& events_;
    const std::string name_;
  };

  std::unique_ptr<swapmq::PublishSpan> publishing(std::string_view queue,
                                                  const Message& message) override {
    if (message.body == "secretly") return nullptr;
    events.add("publishing to " + std::string(queue));
    return std::make_unique<Published>(events, std::string(message.body));
  }
  std::unique_ptr<swapmq::HandleSpan> handling(const Delivery& delivery) override {
    events.add("handling " + std::string(delivery.header("traceparent").value_or("no trace")));
    return std::make_unique<Handled>(events, std::string(delivery.body()));
  }

  Seen events;
};

using Events = std::vector<std::string>;

std::vector<std::string> headers_of(const Delivery& delivery) {
  std::vector<std::string> all;
  for (const auto& header : delivery.headers()) {
    all.push_back(std::string(header.name) + "=" + std::string(header.value));
  }
  return all;
}

TEST(Tracing, EachWayOfPublishingHasASpan) {
  auto mq = open_memory();
  const auto recorder = std::make_shared<Recorder>();
  mq.set_tracer(recorder);
  ASSERT_TRUE(mq.publish("tasks", "one"));
  const std::vector<Message> many{{.body = "two"}, {.body = "secretly"}};
  mq.publish_many("tasks", many);
  std::atomic<bool> done{false};
  mq.publish_async("tasks", {.body = "three"}, [&](const swapmq::Sent&) { done = true; });
  ASSERT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_EQ(recorder->events.all(),
            (Events{"publishing to tasks", "sent one confirmed", "publishing to tasks",
                    "sent two confirmed", "publishing to tasks", "sent three confirmed"}));

  auto subscription = mq.subscribe("tasks");
  std::size_t traced = 0;
  for (const auto& delivery : subscription->receive(4, 5s).value()) {
    const Events expected{"traceparent=" + std::string(example), "tracestate=vendor=1"};
    EXPECT_EQ(headers_of(delivery), delivery.body() == "secretly" ? Events{} : expected);
    ++traced;
  }
  EXPECT_EQ(traced, 4U);
}

TEST(Tracing, AMessagesOwnTraceIsKept) {
  auto mq = open_memory();
  mq.set_tracer(std::make_shared<Recorder>());
  const std::vector<swapmq::Header> own{{"colour", "red"}, {"traceparent", "its own"}};
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "x", .headers = own}));
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(headers_of(subscription->receive(1, 5s).value().at(0)),
            (Events{"colour=red", "traceparent=its own"}));
}

TEST(Tracing, WhatIsRefusedHasASpanToo) {
  auto mq = open_memory();
  const auto recorder = std::make_shared<Recorder>();
  mq.set_tracer(recorder);
  EXPECT_FALSE(mq.publish("", "one"));
  mq.publish_async("", {.body = "two"});
  EXPECT_EQ(recorder->events.all(),
            (Events{"publishing to ", "sent one failed", "publishing to ", "sent two failed"}));
}

TEST(Tracing, HandlersAndWhatTheyDecide) {
  auto mq = open_memory(R"(,"retry_delay_seconds":3600)");
  const auto recorder = std::make_shared<Recorder>();
  ASSERT_TRUE(mq.publish("tasks", "good"));
  ASSERT_TRUE(mq.publish("tasks", "bad"));
  mq.set_tracer(recorder);
  auto consumer = mq.consume("tasks", {}, [](const Delivery& delivery) {
    if (delivery.body() == "bad") throw std::runtime_error("no good");
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return recorder->events.size() == 6; }));
  EXPECT_EQ(recorder->events.all(),
            (Events{"handling no trace", "handled good", "over good", "handling no trace",
                    "handled bad: no good", "over bad"}));
}

TEST(Tracing, IsPassedOnFromDeliveryToWhatItsHandlerPublishes) {
  auto mq = open_memory();
  mq.set_tracer(swapmq::pass_traces_on());
  const std::vector<swapmq::Header> of_it{{"traceparent", example}, {"tracestate", "vendor=1"}};
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "traced", .headers = of_it}));
  ASSERT_TRUE(mq.publish("tasks", "untraced"));
  auto consumer = mq.consume("tasks", {}, [&](const Delivery& delivery) {
    return mq.publish("results", delivery.body()) ? swapmq::ack() : swapmq::nack();
  });
  auto results = mq.subscribe("results");
  for (int i = 0; i < 2; ++i) {
    const auto got = results->receive(1, 5s).value();
    ASSERT_EQ(got.size(), 1U);
    if (got[0].body() == "untraced") {
      EXPECT_EQ(headers_of(got[0]), Events{}) << "the trace before is over";
      continue;
    }
    EXPECT_EQ(got[0].header("tracestate"), "vendor=1");
    const auto parent = TraceParent::parse(got[0].header("traceparent").value_or(""));
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace_id, TraceParent::parse(example)->trace_id);
    EXPECT_NE(parent->parent_id, TraceParent::parse(example)->parent_id);
    EXPECT_EQ(parent->flags, 1);
  }
}

TEST(Tracing, EndsBeforeTheMessageQueueDoes) {
  const auto recorder = std::make_shared<Recorder>();
  {
    auto mq = open_memory();
    mq.set_tracer(recorder);
    for (int i = 0; i < 100; ++i) mq.publish_async("tasks", {.body = std::to_string(i)});
  }
  EXPECT_EQ(recorder->events.size(), 200U) << "each began and ended";
  EXPECT_EQ(recorder.use_count(), 1);
}

} // namespace
