// SPDX-License-Identifier: MIT
//
// Declared limits: what is at them goes, what is beyond them is refused.
#include <algorithm>

#include "fixture.h"
#include "zeros.h"

namespace swapmq::contract {
namespace {

class Limits : public Contract {
 protected:
  /// Published alone, and what came of it.
  swapmq_publish_result publish_one(const std::string& name, const Message& message) {
    Session session = publisher();
    std::vector<swapmq_publish_result> results;
    const swapmq_status status =
        session.publish(session.queue(name), {&message, 1}, results, soon());
    if (status != SWAPMQ_OK) results[0] = {SWAPMQ_PUBLISH_FAILED, status, 0, 0};
    return results[0];
  }

  void expect_refused(const std::string& name, const swapmq_publish_result& result) {
    EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_FAILED);
    EXPECT_TRUE(result.status == SWAPMQ_TOO_LARGE || result.status == SWAPMQ_INVALID_ARGUMENT)
        << status_name(result.status);
    EXPECT_EQ(drain(name, 0), std::vector<std::string>()) << "refused, and stored";
  }

  void expect_taken(const std::string& name, const Message& sent) {
    const swapmq_publish_result result = publish_one(name, sent);
    ASSERT_EQ(result.outcome, SWAPMQ_PUBLISH_CONFIRMED) << status_name(result.status);
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name), 1);
    const Deliveries got = subscription.receive(1);
    EXPECT_EQ(difference(sent, copy(*got[0].message)), "");
    subscription.ack_all(got);
  }
};

// Limits that are too high to be tried out are tried as far as this.
constexpr std::uint64_t kMostBytes = 32u << 20;
constexpr std::uint32_t kMostElements = 20000;

CONTRACT_TEST(Limits, ABodyBeyondMaxBodyBytesIsTooLarge, "swapmq_limits.max_body_bytes",
              "a body beyond the declared limit fails with TOO_LARGE") {
  const std::uint64_t most = limits().max_body_bytes;
  if (most == 0 || most >= Zeros::kMost) NOT_PROMISED("limits.max_body_bytes");
  const std::string name = fresh_queue("body");
  const Zeros zeros(most + 1);
  const std::vector sent{message("")};
  Wire wire(sent);
  wire[0].body = zeros.bytes();
  Session session = publisher();
  std::vector<swapmq_publish_result> results;
  const swapmq_status status = session.publish(session.queue(name), wire, results, soon());
  EXPECT_EQ(status == SWAPMQ_OK ? results[0].status : status, SWAPMQ_TOO_LARGE);
  EXPECT_NE(results[0].outcome, SWAPMQ_PUBLISH_CONFIRMED) << "confirmed beyond its own limit";
}

CONTRACT_TEST(Limits, ABodyOfMaxBodyBytesGoes, "swapmq_limits.max_body_bytes",
              "a body of exactly the declared limit is stored and delivered") {
  const std::uint64_t most = limits().max_body_bytes;
  if (most == 0) NOT_PROMISED("limits.max_body_bytes");
  expect_taken(fresh_queue("body"), message(std::string(std::min(most, kMostBytes), 'b')));
}

CONTRACT_TEST(Limits, HeadersBeyondMaxHeadersBytesAreTooLarge, "swapmq_limits.max_headers_bytes",
              "headers at the declared limit go, and beyond it the message fails with TOO_LARGE or "
              "INVALID_ARGUMENT") {
  const std::uint64_t most = limits().max_headers_bytes;
  if (most == 0) NOT_PROMISED("limits.max_headers_bytes");
  const std::string name = fresh_queue("headers");
  Message sent = message("headers");
  sent.headers = {{"h", std::string(std::min(most, kMostBytes) - 1, 'v')}};
  expect_taken(name, sent);
  if (most > kMostBytes) return;
  sent.id += "beyond";
  sent.headers[0].second += 'v';
  expect_refused(name, publish_one(name, sent));
}

CONTRACT_TEST(Limits, HeadersBeyondMaxHeaderCountAreTooLarge, "swapmq_limits.max_header_count",
              "as many headers as declared go, and with one more the message fails with TOO_LARGE "
              "or INVALID_ARGUMENT") {
  const std::uint32_t most = limits().max_header_count;
  if (most == 0) NOT_PROMISED("limits.max_header_count");
  const std::string name = fresh_queue("headers");
  Message sent = message("headers");
  for (std::uint32_t i = 0; i < std::min(most, kMostElements); ++i) {
    sent.headers.emplace_back("h" + std::to_string(i), "");
  }
  const std::uint64_t bytes = limits().max_headers_bytes;
  const bool fits = bytes == 0 || bytes > 7 * (sent.headers.size() + 1);
  if (fits) expect_taken(name, sent);
  if (most > kMostElements) return;
  sent.id += "beyond";
  sent.headers.emplace_back("one more", "");
  expect_refused(name, publish_one(name, sent));
}

CONTRACT_TEST(
    Limits, QueueNamesBeyondTheLimitAreRefused, "queue_open(); swapmq_limits.max_queue_name_bytes",
    "a name of the declared length is taken, and a longer one refused with INVALID_ARGUMENT") {
  const std::uint32_t most = limits().max_queue_name_bytes;
  if (most == 0) NOT_PROMISED("limits.max_queue_name_bytes");
  const char* alphabet = limits().queue_name_alphabet;
  const char letter = alphabet != nullptr ? alphabet[0] : 'n';
  Session session = admin();
  swapmq_queue* queue = nullptr;
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  EXPECT_EQ(session.try_queue(std::string(most, letter), spec, &queue), SWAPMQ_OK);
  EXPECT_EQ(session.try_queue(std::string(most + 1, letter), spec, &queue),
            SWAPMQ_INVALID_ARGUMENT);
}

CONTRACT_TEST(Limits, QueueNamesOutsideTheAlphabetAreRefused,
              "queue_open(); swapmq_limits.queue_name_alphabet",
              "a name is taken exactly if all its bytes are in the declared alphabet") {
  const char* alphabet = limits().queue_name_alphabet;
  const std::string_view allowed = alphabet != nullptr ? alphabet : "";
  Session session = admin();
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    // NULL stands for any byte but NUL.
    const bool fine =
        alphabet == nullptr ? c != '\0' : c != '\0' && allowed.find(c) != allowed.npos;
    swapmq_queue* queue = nullptr;
    const swapmq_status status = session.try_queue(std::string(1, c), spec, &queue);
    EXPECT_EQ(status, fine ? SWAPMQ_OK : SWAPMQ_INVALID_ARGUMENT)
        << "a name of the byte " << byte << ": " << status_name(status);
  }
}

CONTRACT_TEST(
    Limits, BatchesBeyondMaxPublishBatchAreRefused, "publish(); swapmq_limits.max_publish_batch",
    "a batch of the declared size goes, and a larger one is refused as a whole and not stored") {
  const std::uint32_t most = limits().max_publish_batch;
  if (most == 0) NOT_PROMISED("limits.max_publish_batch");
  const std::string name = fresh_queue("batch");
  const std::size_t size = std::min(most, kMostElements);
  const auto sent = messages("batch", size + 1);
  Session session = publisher();
  std::vector<swapmq_publish_result> results;
  if (most <= kMostElements) {
    const swapmq_status status = session.publish(session.queue(name), sent, results, soon());
    EXPECT_TRUE(status == SWAPMQ_INVALID_ARGUMENT || status == SWAPMQ_TOO_LARGE)
        << status_name(status);
    EXPECT_EQ(drain(name, 0), std::vector<std::string>()) << "refused, and stored";
  }
  const auto whole = std::span(sent).first(size);
  ASSERT_EQ(session.publish(session.queue(name), whole, results, soon()), SWAPMQ_OK);
  EXPECT_EQ(drain(name, size).size(), size);
}

CONTRACT_TEST(Limits, DeliveriesKeepWithinMaxReceiveBatch,
              "exchange(); swapmq_limits.max_receive_batch",
              "an exchange hands out at most the declared number of messages") {
  const std::uint32_t most = limits().max_receive_batch;
  if (most == 0) NOT_PROMISED("limits.max_receive_batch");
  const std::string name = fresh_queue("batch");
  const std::uint32_t count = std::min(most, kMostElements) + 20;
  fill(name, messages("many", count));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), count);
  const Deliveries got = subscription.receive(count); // each batch is looked at
  subscription.ack_all(got);
}

CONTRACT_TEST(Limits, DelaysBeyondMaxDelayAreRefused, "swapmq_limits.max_delay_ms",
              "a delay beyond the declared limit fails with TOO_LARGE or INVALID_ARGUMENT, and one "
              "within it is taken") {
  NEEDS(delayed_publish);
  const std::int64_t most = limits().max_delay_ms;
  if (most == 0) NOT_PROMISED("limits.max_delay_ms");
  const std::string name = fresh_queue("delay");
  Message sent = message("far");
  sent.due_at_ms = unix_now_ms() + most + 60000;
  expect_refused(name, publish_one(name, sent));
  sent.id += "near";
  sent.due_at_ms = unix_now_ms() + most - 60000;
  if (most > 120000) {
    EXPECT_EQ(publish_one(name, sent).outcome, SWAPMQ_PUBLISH_CONFIRMED);
  }
}

CONTRACT_TEST(Limits, PrioritiesUpToMaxPriorityGo, "swapmq_limits.max_priority",
              "every priority up to the declared one is taken and comes back") {
  NEEDS(priority);
  const std::uint32_t most = limits().max_priority != 0 ? limits().max_priority : 9;
  ASSERT_LE(most, 9u);
  Message sent = message("urgent");
  sent.priority = most;
  expect_taken(fresh_queue("priority"), sent);
}

/// What refuses a message because it is not there yet has not refused it for want of room.
CONTRACT_TEST(Limits, AQueueThatIsJustBeingMadeIsNotFull, "swapmq_capabilities.max_length",
              "no publish is refused for want of room while its queue is just being made") {
  NEEDS(max_length);
  const auto sent = messages("early", 50);
  Session publishing = publisher();
  Session consuming = consumer();
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    const std::string name = fresh_queue("bound");
    Crew crew;
    crew.run([&] { publishing.confirm(publishing.queue(name, 1000), sent); });
    Subscription subscription = consuming.subscribe(consuming.queue(name, 1000), 64);
    subscription.ack_all(subscription.receive(sent.size()));
  }
}

CONTRACT_TEST(Limits, AFullQueueRefusesAndTakesAgain,
              "swapmq_capabilities.max_length; SWAPMQ_RESOURCE_EXHAUSTED",
              "beyond max_length messages fail with RESOURCE_EXHAUSTED, and there is room again "
              "once some are acked") {
  NEEDS(max_length);
  const std::string name = fresh_queue("full");
  Session session = publisher();
  swapmq_queue* queue = session.queue(name, 5);
  session.create(queue);
  const auto sent = messages("length", 8);
  const auto results = session.publish(queue, sent);
  std::size_t confirmed = 0;
  for (const auto& result : results) {
    confirmed += result.outcome == SWAPMQ_PUBLISH_CONFIRMED ? 1 : 0;
    if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) continue;
    EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_FAILED);
    EXPECT_EQ(result.status, SWAPMQ_RESOURCE_EXHAUSTED) << status_name(result.status);
  }
  EXPECT_EQ(confirmed, 5u);
  EXPECT_EQ(drain(name, 5), bodies(std::span(sent).first(5)));
  session.confirm(queue, message("room again"));
}

} // namespace
} // namespace swapmq::contract
