// SPDX-License-Identifier: MIT
//
// What is confirmed is stored, and comes back as it was.
#include <algorithm>
#include <map>

#include "fixture.h"
#include "zeros.h"

namespace swapmq::contract {
namespace {

class Publish : public Contract {
 protected:
  /// Publishes all, receives all, compares all.
  void round_trip(std::span<const Message> sent, std::uint32_t prefetch = 50) {
    const std::string name = fresh_queue("publish");
    fill(name, sent);
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name), prefetch);
    std::map<std::string, const Message*> awaited;
    for (const Message& message : sent) awaited[message.id] = &message;
    while (!awaited.empty()) {
      const Deliveries got = subscription.receive(std::min<std::size_t>(prefetch, awaited.size()));
      for (const swapmq_delivery* delivery : got) compare(awaited, copy(*delivery->message));
      if (HasFailure()) return;
      subscription.ack_all(got);
    }
  }

 private:
  static void compare(std::map<std::string, const Message*>& awaited, const Message& got) {
    const auto at = awaited.find(got.id);
    if (at == awaited.end()) {
      ADD_FAILURE() << "a delivery with an id that was not published (or came twice): "
                    << ::testing::PrintToString(got.id);
      return;
    }
    EXPECT_EQ(difference(*at->second, got), "");
    awaited.erase(at);
  }
};

CONTRACT_TEST(Publish, OneMessageIsDelivered, "publish(); exchange()",
              "a confirmed message is delivered as it was given") {
  round_trip(messages("one", 1));
}

CONTRACT_TEST(Publish, ConfirmedIsThereWhenThePublisherIsGone, "SWAPMQ_PUBLISH_CONFIRMED",
              "what is confirmed is stored, also when its publisher closes at once") {
  const std::string name = fresh_queue();
  const auto sent = messages("confirmed", 3);
  {
    Session session = publisher();
    session.confirm(session.queue(name), sent);
  }
  EXPECT_EQ(sorted(drain(name, sent.size())), sorted(bodies(sent)));
}

CONTRACT_TEST(Publish, EveryConfirmedMessageIsDelivered, "SWAPMQ_PUBLISH_CONFIRMED",
              "every confirmed message is delivered") {
  const std::string name = fresh_queue();
  const auto sent = messages("every", 2000);
  Session session = publisher();
  swapmq_queue* queue = session.queue(name);
  for (std::size_t i = 0; i < sent.size(); i += 50) session.confirm(queue, {&sent[i], 50});
  EXPECT_EQ(sorted(drain(name, sent.size())), sorted(bodies(sent)));
}

CONTRACT_TEST(Publish, BatchesOfEverySize, "publish()",
              "batches of any size are stored and delivered whole") {
  for (const std::size_t size : {1u, 2u, 127u, 128u, 129u, 1000u}) {
    SCOPED_TRACE(std::to_string(size) + " messages");
    round_trip(messages("batch", size), 200);
  }
}

CONTRACT_TEST(
    Publish, BodiesFromNothingTo16MiB, "swapmq_message.body",
    "bodies from 0 bytes to 16 MiB, or to the declared limit, come back as they were given") {
  const std::uint64_t most =
      has_limit(limits().max_body_bytes) ? limits().max_body_bytes : 16 << 20;
  for (std::size_t size = 0; size <= std::min<std::uint64_t>(most, 16 << 20);
       size = size == 0 ? 1 : size * 4) {
    SCOPED_TRACE(std::to_string(size) + " bytes");
    round_trip(std::vector{message(pattern(size))});
  }
  for (const std::size_t size : {10u, 100u, 1000u, 10000u, 1000000u, 16777215u}) {
    SCOPED_TRACE(std::to_string(size) + " bytes");
    if (size <= most) round_trip(std::vector{message(pattern(size))});
  }
}

CONTRACT_TEST(Publish, BodiesAroundTheEdgesOfBuffers, "swapmq_message.body",
              "bodies of sizes around powers of two come back as they were given") {
  std::vector<Message> sent;
  for (const std::size_t edge : {4088u, 4096u, 8192u, 65536u, 131064u, 131072u}) {
    for (const std::size_t size : {edge - 1, edge, edge + 1}) {
      const std::uint64_t most = limits().max_body_bytes;
      if (most == 0 || size <= most) sent.push_back(message(pattern(size)));
    }
  }
  round_trip(sent);
}

CONTRACT_TEST(Publish, AnyByteInTheBody, "swapmq_message.body; Rules for every function: Views",
              "a body holds any byte, NUL included") {
  std::vector<Message> sent;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    sent.push_back(message(std::string(1, static_cast<char>(byte))));
  }
  sent.push_back(message(all));
  sent.push_back(message(std::string(100, '\0')));
  round_trip(sent);
}

CONTRACT_TEST(Publish, AnyByteInTheId, "swapmq_message.id; Rules for every function: Views",
              "an id of 1 to 255 bytes holds any byte, NUL included") {
  std::vector<Message> sent;
  std::string long_id;
  for (int byte = 0; byte < 256; ++byte) {
    sent.push_back(message("id " + std::to_string(byte)));
    sent.back().id += static_cast<char>(byte);
    sent.back().id += "end";
    if (byte < 255) long_id += static_cast<char>(255 - byte);
  }
  sent.push_back(message("an id of 255 bytes"));
  sent.back().id = long_id;
  sent.push_back(message("an id of one byte"));
  sent.back().id = std::string(1, '\0');
  round_trip(sent);
}

CONTRACT_TEST(Publish, AnyByteInHeaders, "swapmq_header; Rules for every function: Views",
              "names and values of headers hold any byte, NUL included") {
  std::vector<Message> sent;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    sent.push_back(message("header " + std::to_string(byte)));
    const std::string one(1, static_cast<char>(byte));
    sent.back().headers = {{"x" + one, one}, {"y", "a" + one + "b"}};
  }
  sent.push_back(message("all bytes"));
  sent.back().headers = {{"all", all}, {all.substr(1), "a name of 255 bytes"}, {"empty", ""}};
  round_trip(sent);
}

CONTRACT_TEST(Publish, HeadersKeepTheirOrder, "swapmq_message.headers",
              "headers come back in the order in which they were given") {
  Message sent = message("order");
  const std::uint64_t most = has_limit(limits().max_header_count) ? limits().max_header_count : 64;
  for (std::size_t i = 0; i < std::min<std::uint64_t>(most, 64); ++i) {
    sent.headers.emplace_back("name " + std::to_string(i * 7 % 64), "value " + std::to_string(i));
  }
  round_trip(std::vector{sent});
}

CONTRACT_TEST(Publish, EveryFieldComesBack, "swapmq_message",
              "every field of a message comes back as it was given") {
  Message full = message("all of it");
  full.headers = {{"content-language", "de"}, {"x-trace", "00-11-22"}};
  full.timestamp_ms -= 5000;
  full.first_published_ms = full.timestamp_ms - 100000;
  full.ordering_key = pattern(40, 2);
  full.correlation_id = pattern(41, 3);
  full.reply_to = pattern(42, 4);
  full.content_type = "application/octet-stream";
  if (can().priority != SWAPMQ_ABSENT) full.priority = 5;
  if (can().delayed_publish != SWAPMQ_ABSENT) full.due_at_ms = unix_now_ms() - 1000;
  if (can().ttl != SWAPMQ_ABSENT) full.expires_at_ms = unix_now_ms() + 3600 * 1000;
  Message plain = message("next to nothing");
  plain.timestamp_ms = 0;
  round_trip(std::vector{full, plain});
}

CONTRACT_TEST(Publish, CountsOfAnotherBackendGoOn, "swapmq_message.delivery_count",
              "counted deliveries that a moved message had elsewhere are added to, and it counts "
              "as redelivered") {
  const std::string name = fresh_queue();
  Message moved = message("moved");
  moved.delivery_count = 3;
  fill(name, moved);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 1);
  const Deliveries first = subscription.receive(1);
  EXPECT_EQ(first[0].delivery_count, 4u) << "three counted deliveries elsewhere, and this one";
  EXPECT_EQ(first[0].message->delivery_count, 3u);
  EXPECT_NE(first[0].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u) << "handed out before, elsewhere";
  ASSERT_EQ(subscription.settle(nack(first[0])), SWAPMQ_OK);
  EXPECT_EQ(subscription.receive(1)[0].delivery_count, 5u);
}

CONTRACT_TEST(Publish, OneThatIsTooLargeFailsAlone, "publish(); swapmq_publish_result",
              "each message has its own result: one that is too large fails with TOO_LARGE, and "
              "the others are stored") {
  const std::uint64_t most = limits().max_body_bytes;
  if (most == 0 || most >= Zeros::kMost) NOT_PROMISED("limits.max_body_bytes");
  const std::string name = fresh_queue();
  const auto sent = messages("around", 3);
  const Zeros zeros(most + 1);
  Wire wire(sent);
  wire[1].body = zeros.bytes();
  Session session = publisher();
  std::vector<swapmq_publish_result> results;
  ASSERT_EQ(session.publish(session.queue(name), wire, results, soon()), SWAPMQ_OK)
      << "one message that is too large is no failure of the call";
  EXPECT_EQ(results[0].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(results[1].outcome, SWAPMQ_PUBLISH_FAILED);
  EXPECT_EQ(results[1].status, SWAPMQ_TOO_LARGE) << status_name(results[1].status);
  EXPECT_EQ(results[2].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(sorted(drain(name, 2)), (std::vector<std::string>{"around 0", "around 2"}));
}

CONTRACT_TEST(Publish, AResultThatIsFailedIsNotStored, "publish(); SWAPMQ_PUBLISH_FAILED",
              "what is FAILED or untouched is certainly not stored, and what is CONFIRMED is, also "
              "past the deadline") {
  // A deadline that has passed: what can be done without waiting is done, and said truly.
  const std::string name = fresh_queue();
  Session session = publisher();
  swapmq_queue* queue = session.queue(name);
  std::vector<std::string> must, may;
  for (int round = 0; round < 20; ++round) {
    const auto sent = messages("late " + std::to_string(round), 5);
    std::vector<swapmq_publish_result> results;
    session.publish(queue, sent, results, in(milliseconds(-1)));
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (results[i].outcome == SWAPMQ_PUBLISH_CONFIRMED) must.push_back(sent[i].body);
      if (results[i].outcome == SWAPMQ_PUBLISH_IN_DOUBT) may.push_back(sent[i].body);
    }
  }
  for (const std::string& body : drain(name, must.size())) {
    if (std::erase(must, body) == 0) {
      EXPECT_EQ(std::erase(may, body), 1u) << body;
    }
  }
  EXPECT_EQ(must, std::vector<std::string>()) << "confirmed and not delivered";
}

CONTRACT_TEST(Publish, OneSessionToManyQueues, "queue_open(); publish()",
              "one session publishes to many queues, and each gets its own messages") {
  Session session = publisher();
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back(fresh_queue());
  for (int round = 0; round < 3; ++round) {
    for (const std::string& name : names) {
      session.confirm(session.queue(name), message(name + std::to_string(round)));
    }
  }
  Session other = consumer();
  for (const std::string& name : names) {
    Subscription subscription = other.subscribe(other.queue(name), 10);
    const Deliveries got = subscription.receive(3);
    EXPECT_EQ(sorted(got.bodies()), (std::vector<std::string>{name + "0", name + "1", name + "2"}));
    subscription.ack_all(got);
  }
}

} // namespace
} // namespace swapmq::contract
