// SPDX-License-Identifier: MIT
//
// What the plugin says of itself, and that it is honest: what is declared absent is refused, not
// ignored; what is declared present is there.
#include <dlfcn.h>
#include <rapidjson/document.h>

#include <cstddef>
#include <regex>

#include "child.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

class Declarations : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("declared");
  }

  /// What one publish with a session of its own came to.
  swapmq_publish_result publish_one(const Message& message) {
    Session session = publisher();
    std::vector<swapmq_publish_result> results;
    const swapmq_status status =
        session.publish(session.queue(name_), {&message, 1}, results, soon());
    if (status != SWAPMQ_OK) results[0] = {SWAPMQ_PUBLISH_FAILED, status, 0, 0};
    return results[0];
  }

  /// Refused for want of the power. False: it was taken, and must then be right.
  static bool refused(const swapmq_publish_result& result) {
    if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) return false;
    EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_FAILED);
    EXPECT_EQ(result.status, SWAPMQ_NOT_SUPPORTED) << status_name(result.status);
    return true;
  }

  std::string name_;
};

CONTRACT_TEST(Declarations, DescribesItself, "swapmq_plugin_info",
              "name, version, license, description and options_schema are there and well formed") {
  const swapmq_plugin_info* info = vt().info;
  ASSERT_NE(info, nullptr);
  for (const char* text :
       {info->name, info->version, info->license, info->description, info->options_schema}) {
    ASSERT_NE(text, nullptr);
    EXPECT_NE(*text, '\0');
  }
  EXPECT_TRUE(std::regex_match(info->name, std::regex("[a-z0-9_]{1,64}"))) << info->name;
  EXPECT_EQ(std::string(info->description).find('\n'), std::string::npos) << "one line";
  rapidjson::Document schema;
  schema.Parse(info->options_schema);
  EXPECT_TRUE(!schema.HasParseError() && schema.IsObject()) << "options_schema is not an object";
}

CONTRACT_TEST(Declarations, GradesAreKnownOnes, "swapmq_capabilities; swapmq_limits",
              "each capability has a grade that exists, and the limits are possible") {
  const swapmq_capabilities& c = can();
  for (const std::int32_t grade :
       {c.delayed_publish, c.delayed_nack, c.ttl, c.priority, c.release, c.dead_letter,
        c.deduplication, c.purge, c.counts_crashes, c.max_length}) {
    EXPECT_TRUE(grade >= SWAPMQ_ABSENT && grade <= SWAPMQ_NATIVE) << grade;
  }
  EXPECT_TRUE(c.durability >= 0 && c.durability <= SWAPMQ_DURABILITY_REPLICATED) << c.durability;
  EXPECT_TRUE(c.ordering >= 0 && c.ordering <= SWAPMQ_ORDERING_KEY) << c.ordering;
  EXPECT_TRUE(c.sharing >= 0 && c.sharing <= SWAPMQ_SHARING_NETWORK) << c.sharing;
  EXPECT_LE(limits().max_priority, 9u);
  EXPECT_GE(limits().max_delay_ms, 0);
}

CONTRACT_TEST(Declarations, TheEntryNegotiates, "swapmq_backend_entry",
              "the entry serves a newer minor of the host, and refuses another major with NULL and "
              "NOT_SUPPORTED") {
  void* library = dlopen(kit().path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto* entry =
      reinterpret_cast<swapmq_backend_entry_fn>(dlsym(library, SWAPMQ_BACKEND_ENTRY_NAME));
  ASSERT_NE(entry, nullptr);
  ErrorProbe probe;
  const swapmq_backend_vtable* table =
      call("entry", [&] { return entry(SWAPMQ_ABI_VERSION, probe.get()); });
  ASSERT_NE(table, nullptr) << probe.text();
  EXPECT_EQ(SWAPMQ_ABI_MAJOR_OF(table->abi_version), SWAPMQ_ABI_MAJOR);
  EXPECT_GE(table->struct_size, offsetof(swapmq_backend_vtable, describe));
  const std::uint32_t newer = SWAPMQ_ABI_MAKE(SWAPMQ_ABI_MAJOR, SWAPMQ_ABI_MINOR + 7);
  EXPECT_NE(call("entry", [&] { return entry(newer, probe.get()); }), nullptr)
      << "a newer minor of the host is no reason to refuse";
  for (const std::uint32_t capacity : {240u, 1u, 0u}) {
    ErrorProbe refusal(capacity);
    const std::uint32_t other = SWAPMQ_ABI_MAKE(SWAPMQ_ABI_MAJOR + 1, 0);
    EXPECT_EQ(call("entry", [&] { return entry(other, refusal.get()); }), nullptr)
        << "another major version of the host was not refused";
    refusal.check("entry", SWAPMQ_NOT_SUPPORTED);
  }
  dlclose(library); // the loader's own mapping stays
}

CONTRACT_TEST(Declarations, DelayedPublishIsAsDeclared, "swapmq_capabilities.delayed_publish",
              "due_at_ms is kept if it is taken; declared absent, it is refused with NOT_SUPPORTED "
              "or kept all the same") {
  Message later = message("later");
  later.due_at_ms = unix_now_ms() + 400;
  const bool refused_it = refused(publish_one(later));
  if (can().delayed_publish != SWAPMQ_ABSENT) {
    EXPECT_FALSE(refused_it) << "declared, and refused";
  }
  if (refused_it) return;
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name_), 1);
  subscription.ack_all(subscription.receive(1));
  EXPECT_GE(unix_now_ms(), later.due_at_ms - 2) << "taken, and delivered at once";
}

CONTRACT_TEST(Declarations, DelayedNackIsAsDeclared, "swapmq_capabilities.delayed_nack",
              "a nack's due_at_ms is kept if it is taken; declared absent, it is refused with "
              "NOT_SUPPORTED and nothing is settled") {
  fill(name_, message("nacked"));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name_), 1);
  const Deliveries got = subscription.receive(1);
  const std::int64_t at = unix_now_ms() + 300;
  const swapmq_status status = subscription.settle(nack(got[0], at));
  if (can().delayed_nack != SWAPMQ_ABSENT) {
    EXPECT_EQ(status, SWAPMQ_OK);
  }
  if (status == SWAPMQ_OK) {
    subscription.ack_all(subscription.receive(1));
    EXPECT_GE(unix_now_ms(), at - 2) << "taken, and delivered at once";
  } else {
    EXPECT_EQ(status, SWAPMQ_NOT_SUPPORTED) << status_name(status);
    EXPECT_EQ(subscription.settle(ack(got[0])), SWAPMQ_OK) << "refused: it is still unsettled";
  }
}

CONTRACT_TEST(Declarations, TtlIsAsDeclared, "swapmq_capabilities.ttl",
              "expires_at_ms is kept if it is taken; declared absent, it is refused with "
              "NOT_SUPPORTED, never ignored") {
  Message expiring = message("expiring");
  expiring.expires_at_ms = unix_now_ms() + 100;
  const bool refused_it = refused(publish_one(expiring));
  if (can().ttl != SWAPMQ_ABSENT) {
    EXPECT_FALSE(refused_it) << "declared, and refused";
  }
  std::this_thread::sleep_until(Clock::now() + milliseconds(150)); // time itself is the matter
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>())
      << "taken with expires_at_ms, and delivered after it";
}

CONTRACT_TEST(Declarations, PriorityIsAsDeclared, "swapmq_capabilities.priority",
              "a priority comes back as it was given; declared absent, it is carried or refused "
              "with NOT_SUPPORTED") {
  fill(name_, message("plain"));
  Message urgent = message("urgent");
  urgent.priority = 1;
  const bool refused_it = refused(publish_one(urgent));
  if (can().priority != SWAPMQ_ABSENT) {
    EXPECT_FALSE(refused_it) << "declared, and refused";
  }
  if (refused_it) return;
  // Where it is absent it may be taken as the mere figure that it is; it is not lost for that.
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name_), 2);
  const Deliveries got = subscription.receive(2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got[i].message->priority, got.body(i) == "urgent" ? 1u : 0u);
  }
  subscription.ack_all(got);
}

CONTRACT_TEST(Declarations, ReleaseIsAsDeclared, "swapmq_capabilities.release",
              "a release is not counted if it is taken; declared absent, it is refused with "
              "NOT_SUPPORTED and nothing is settled") {
  fill(name_, message("released"));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name_), 1);
  const Deliveries got = subscription.receive(1);
  const swapmq_status status = subscription.settle(release(got[0]));
  if (can().release != SWAPMQ_ABSENT) {
    EXPECT_EQ(status, SWAPMQ_OK);
  }
  if (status == SWAPMQ_OK) {
    const Deliveries again = subscription.receive(1);
    EXPECT_EQ(again[0].delivery_count, 1u) << "taken as a release, and counted";
    subscription.ack_all(again);
  } else {
    EXPECT_EQ(status, SWAPMQ_NOT_SUPPORTED) << status_name(status);
    EXPECT_EQ(subscription.settle(ack(got[0])), SWAPMQ_OK) << "refused: it is still unsettled";
  }
}

CONTRACT_TEST(Declarations, DeadLetterIsAsDeclared, "swapmq_capabilities.dead_letter",
              "a dead-letter moves the message if it is taken; declared absent, it is refused with "
              "NOT_SUPPORTED and moves nothing") {
  const std::string dead = fresh_queue("dead");
  fill(name_, message("dying"));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name_), 1);
  const Deliveries got = subscription.receive(1);
  const swapmq_status status = subscription.settle(dead_letter(got[0], session.queue(dead)));
  if (can().dead_letter != SWAPMQ_ABSENT) {
    EXPECT_EQ(status, SWAPMQ_OK);
  }
  if (status == SWAPMQ_OK) {
    EXPECT_EQ(drain(dead, 1), std::vector<std::string>{"dying"});
  } else {
    EXPECT_EQ(status, SWAPMQ_NOT_SUPPORTED) << status_name(status);
    EXPECT_EQ(subscription.settle(ack(got[0])), SWAPMQ_OK) << "refused: it is still unsettled";
    EXPECT_EQ(drain(dead, 0), std::vector<std::string>());
  }
}

CONTRACT_TEST(Declarations, DeduplicationIsAsDeclared, "swapmq_capabilities.deduplication",
              "a second publish of an id is confirmed: not stored if deduplication is declared, "
              "stored if it is not") {
  Message first = message("first");
  fill(name_, first);
  Message second = first;
  second.body = "second";
  fill(name_, second); // confirmed in any case
  const std::vector<std::string> got = sorted(drain(name_, 1));
  if (can().deduplication != SWAPMQ_ABSENT) {
    EXPECT_EQ(got, std::vector<std::string>{"first"});
  } else {
    EXPECT_EQ(got, (std::vector<std::string>{"first", "second"})) << "confirmed, and dropped";
  }
}

CONTRACT_TEST(Declarations, AMovedMessageIsStoredThoughItsIdIsKnown,
              "swapmq_capabilities.deduplication",
              "a moved message (first_published_ms is not 0) is stored although its id was "
              "published before") {
  Message first = message("first");
  fill(name_, first);
  Message moved = first; // away, and now it comes back
  moved.body = "moved";
  moved.first_published_ms = unix_now_ms();
  fill(name_, moved);
  EXPECT_EQ(sorted(drain(name_, 2)), (std::vector<std::string>{"first", "moved"}))
      << "confirmed, and lost: where it was it is acked now";
}

CONTRACT_TEST(Declarations, PurgeIsAsDeclared, "purge_queue(); swapmq_capabilities.purge",
              "a purge removes what is ready and says how many; declared absent, it is refused "
              "with NOT_SUPPORTED and removes nothing") {
  fill(name_, messages("purged", 3));
  Session session = admin();
  std::uint64_t removed = 4711;
  ErrorProbe probe;
  const swapmq_status status = call("purge_queue", soon(), probe, [&](auto* e) {
    return vt().purge_queue(session.raw(), session.queue(name_), &removed, soon(), e);
  });
  if (can().purge != SWAPMQ_ABSENT) {
    EXPECT_EQ(status, SWAPMQ_OK) << probe.text();
    EXPECT_EQ(removed, 3u);
  } else {
    EXPECT_EQ(status, SWAPMQ_NOT_SUPPORTED) << status_name(status);
    EXPECT_EQ(removed, 4711u) << "touched although it failed";
    EXPECT_EQ(drain(name_, 3).size(), 3) << "refused, and done";
  }
}

CONTRACT_TEST(Declarations, MaxLengthIsAsDeclared, "swapmq_capabilities.max_length",
              "a max_length that is taken is kept; declared absent, it is refused with "
              "NOT_SUPPORTED or kept all the same") {
  Session session = publisher();
  const swapmq_queue_spec spec{sizeof spec, 0, 2};
  swapmq_queue* queue = nullptr;
  const swapmq_status opened = session.try_queue(name_, spec, &queue);
  if (opened != SWAPMQ_OK) {
    EXPECT_EQ(can().max_length, SWAPMQ_ABSENT) << "declared, and refused";
    EXPECT_EQ(opened, SWAPMQ_NOT_SUPPORTED) << status_name(opened);
    return;
  }
  std::size_t confirmed = 0;
  std::vector<swapmq_publish_result> results;
  const swapmq_status status = session.publish(queue, messages("length", 4), results, soon());
  for (const auto& result : results) {
    confirmed += result.outcome == SWAPMQ_PUBLISH_CONFIRMED ? 1 : 0;
  }
  EXPECT_LE(confirmed, 2u) << "max_length was taken and ignored";
  if (can().max_length != SWAPMQ_ABSENT) {
    EXPECT_EQ(status, SWAPMQ_OK) << status_name(status);
    EXPECT_EQ(confirmed, 2u);
  }
}

CONTRACT_TEST(
    Declarations, BackendsOfOneProcessShareTheirQueues, "swapmq_capabilities.sharing",
    "backends that were opened with the same options in one process see the same queues") {
  fill(name_, message("shared"));
  Backend other;
  Session session = other.session(SWAPMQ_ROLE_CONSUME);
  Subscription subscription = session.subscribe(session.queue(name_), 1);
  const Deliveries got = subscription.receive(1);
  EXPECT_EQ(got.body(0), "shared");
  subscription.ack_all(got);
  session.close();
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>());
}

CONTRACT_TEST(Declarations, ProcessesShareTheirQueues,
              "swapmq_capabilities.sharing; SWAPMQ_SHARING_MACHINE",
              "processes that open with the same options see the same queues") {
  NEEDS_AT_LEAST(sharing, SWAPMQ_SHARING_MACHINE);
  fill(name_, message("seen elsewhere"));
  Child child("look", {name_});
  EXPECT_EQ(child.expect_line(), "seen elsewhere");
}

} // namespace
} // namespace swapmq::contract
