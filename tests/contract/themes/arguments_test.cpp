// SPDX-License-Identifier: MIT
//
// Every function with each wrong argument: refused, without touching an output, without a crash.
// Those of publish() and exchange() are in arguments_elements_test.cpp.
#include "arguments.h"

namespace swapmq::contract {
namespace {

CONTRACT_TEST(Arguments, Open, "open(); Rules for every function: Errors",
              "a NULL or unreadable argument is refused with INVALID_ARGUMENT, and *backend stays "
              "untouched") {
  swapmq_backend* made = untouched<swapmq_backend>();
  const swapmq_open_args good = open_args(silent_host());
  refused("open", "args NULL", [&](auto* e) { return vt().open(nullptr, &made, e); });
  refused("open", "backend NULL", [&](auto* e) { return vt().open(&good, nullptr, e); });
  swapmq_open_args bad = good;
  bad.host = nullptr;
  refused("open", "host NULL", [&](auto* e) { return vt().open(&bad, &made, e); });
  bad = good;
  bad.struct_size = sizeof bad.struct_size;
  refused("open", "args of 4 bytes", [&](auto* e) { return vt().open(&bad, &made, e); });
  EXPECT_EQ(made, untouched<swapmq_backend>());
}

CONTRACT_TEST(
    Arguments, OpenWithOptionsThatAreNotJson, "open(); swapmq_open_args.options_json",
    "options that are no JSON object are refused with INVALID_ARGUMENT or taken, but never crash") {
  for (const char* text : {"", "{", "[]", "null", "{\"a\":}", "\xff\xfe"}) {
    swapmq_open_args args = open_args(silent_host());
    args.options_json = bytes(text);
    swapmq_backend* made = nullptr;
    ErrorProbe probe;
    const swapmq_status status =
        call("open", args.deadline_ns, probe, [&](auto* e) { return vt().open(&args, &made, e); });
    // The host has checked them against the schema; a plugin may trust that, but not crash.
    EXPECT_TRUE(status == SWAPMQ_INVALID_ARGUMENT || status == SWAPMQ_OK)
        << "options " << text << ": " << status_name(status);
    if (status == SWAPMQ_OK) call("close", [&] { vt().close(made); });
  }
}

CONTRACT_TEST(Arguments, SessionOpen, "session_open(); Rules for every function: Errors",
              "a NULL argument and a role that does not exist are refused with INVALID_ARGUMENT, "
              "and *session stays untouched") {
  swapmq_session* made = untouched<swapmq_session>();
  refused("session_open", "backend NULL",
          [&](auto* e) { return vt().session_open(nullptr, SWAPMQ_ROLE_ADMIN, soon(), &made, e); });
  refused("session_open", "session NULL", [&](auto* e) {
    return vt().session_open(backend().raw(), SWAPMQ_ROLE_ADMIN, soon(), nullptr, e);
  });
  for (const std::int32_t role : {0, 4, -1, 1000, INT32_MIN}) {
    refused("session_open", "no such role",
            [&](auto* e) { return vt().session_open(backend().raw(), role, soon(), &made, e); });
  }
  EXPECT_EQ(made, untouched<swapmq_session>());
}

CONTRACT_TEST(Arguments, QueueOpen, "queue_open()",
              "a name that is empty, at NULL or holds a NUL is refused with INVALID_ARGUMENT, and "
              "`spec` may be NULL") {
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  swapmq_queue* made = untouched<swapmq_queue>();
  const auto open = [&](swapmq_session* session, swapmq_bytes name, swapmq_queue** queue) {
    return [=, &spec](swapmq_error* e) { return vt().queue_open(session, name, &spec, queue, e); };
  };
  EXPECT_EQ(vt().queue_open(session_->raw(), bytes(name_), nullptr, &made, nullptr), SWAPMQ_OK)
      << "queue_open without a spec";
  made = untouched<swapmq_queue>();
  refused("queue_open", "session NULL", open(nullptr, bytes(name_), &made));
  refused("queue_open", "queue NULL", open(session_->raw(), bytes(name_), nullptr));
  refused("queue_open", "an empty name", open(session_->raw(), {name_.data(), 0}, &made));
  refused("queue_open", "no name", open(session_->raw(), {nullptr, 0}, &made));
  refused("queue_open", "a name at NULL", open(session_->raw(), {nullptr, 5}, &made));
  const std::string nul("a\0b", 3);
  refused("queue_open", "a NUL in the name", open(session_->raw(), bytes(nul), &made));
  EXPECT_EQ(made, untouched<swapmq_queue>());
}

CONTRACT_TEST(Arguments, OfTheQueueFunctions, "create_queue(); Rules for every function: Errors",
              "create_queue, delete_queue, ping and service refuse NULL with INVALID_ARGUMENT") {
  swapmq_session* session = session_->raw();
  const auto of_session_and_queue = [&](const char* function, auto* slot) {
    refused(function, "session NULL", [&](auto* e) { return slot(nullptr, queue_, soon(), e); });
    refused(function, "queue NULL", [&](auto* e) { return slot(session, nullptr, soon(), e); });
  };
  of_session_and_queue("create_queue", vt().create_queue);
  of_session_and_queue("delete_queue", vt().delete_queue);
  refused("ping", "session NULL", [&](auto* e) { return vt().ping(nullptr, soon(), e); });
  refused("service", "session NULL", [&](auto* e) { return vt().service(nullptr, soon(), e); });
}

CONTRACT_TEST(Arguments, QueueStats, "queue_stats(); Rules for every function: Errors",
              "a NULL argument and a struct_size of 0 are refused with INVALID_ARGUMENT, and "
              "*stats stays untouched") {
  swapmq_session* session = session_->raw();
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  stats.ready = 4711;
  const auto read = [&](swapmq_session* s, swapmq_queue* q, swapmq_queue_stats* to) {
    return [=](swapmq_error* e) { return vt().queue_stats(s, q, to, soon(), e); };
  };
  refused("queue_stats", "session NULL", read(nullptr, queue_, &stats));
  refused("queue_stats", "queue NULL", read(session, nullptr, &stats));
  refused("queue_stats", "stats NULL", read(session, queue_, nullptr));
  stats.struct_size = 0;
  refused("queue_stats", "struct_size 0", read(session, queue_, &stats));
  EXPECT_EQ(stats.ready, 4711u);
}

CONTRACT_TEST(Arguments, PurgeQueue, "purge_queue(); Rules for every function: Errors",
              "a NULL argument is refused with INVALID_ARGUMENT, and *removed stays untouched") {
  std::uint64_t removed = 4711;
  refused("purge_queue", "session NULL",
          [&](auto* e) { return vt().purge_queue(nullptr, queue_, &removed, soon(), e); });
  refused("purge_queue", "queue NULL",
          [&](auto* e) { return vt().purge_queue(session_->raw(), nullptr, &removed, soon(), e); });
  refused("purge_queue", "removed NULL",
          [&](auto* e) { return vt().purge_queue(session_->raw(), queue_, nullptr, soon(), e); });
  EXPECT_EQ(removed, 4711u);
}

CONTRACT_TEST(Arguments, Subscribe, "subscribe(); swapmq_subscribe_args",
              "a NULL argument, a prefetch of 0 and a negative lease are refused with "
              "INVALID_ARGUMENT, and *subscription stays untouched") {
  swapmq_subscribe_args good{};
  good.struct_size = sizeof good;
  good.prefetch = 1;
  good.deadline_ns = soon();
  swapmq_subscription* made = untouched<swapmq_subscription>();
  const auto subscribe = [&](swapmq_session* session, swapmq_queue* queue,
                             const swapmq_subscribe_args* args, swapmq_subscription** to) {
    return [=](swapmq_error* e) { return vt().subscribe(session, queue, args, to, e); };
  };
  swapmq_session* session = session_->raw();
  refused("subscribe", "session NULL", subscribe(nullptr, queue_, &good, &made));
  refused("subscribe", "queue NULL", subscribe(session, nullptr, &good, &made));
  refused("subscribe", "args NULL", subscribe(session, queue_, nullptr, &made));
  refused("subscribe", "subscription NULL", subscribe(session, queue_, &good, nullptr));
  swapmq_subscribe_args bad = good;
  bad.prefetch = 0;
  refused("subscribe", "prefetch 0", subscribe(session, queue_, &bad, &made));
  bad = good;
  bad.lease_ms = -1;
  refused("subscribe", "lease_ms -1", subscribe(session, queue_, &bad, &made));
  bad = good;
  bad.struct_size = sizeof bad.struct_size;
  refused("subscribe", "args of 4 bytes", subscribe(session, queue_, &bad, &made));
  EXPECT_EQ(made, untouched<swapmq_subscription>());
}

CONTRACT_TEST(
    Arguments, NullWhereNothingIsReturned, "Rules for every function: Errors",
    "functions that return no status take NULL without a crash, and extension(NULL) is NULL") {
  call("unsubscribe", [&] { vt().unsubscribe(nullptr, nullptr); });
  call("unsubscribe", [&] { vt().unsubscribe(session_->raw(), nullptr); });
  call("session_close", [&] { vt().session_close(nullptr); });
  call("close", [&] { vt().close(nullptr); });
  call("interrupt", [&] { vt().interrupt(nullptr); });
  call("describe", [&] { vt().describe(nullptr, nullptr, nullptr); });
  call("describe", [&] { vt().describe(backend().raw(), nullptr, nullptr); });
  EXPECT_EQ(call("extension", [&] { return vt().extension(nullptr); }), nullptr);
}

CONTRACT_TEST(Arguments, ListQueues, "swapmq_list_queues.list",
              "a NULL session or callback is refused with INVALID_ARGUMENT") {
  const auto* table =
      static_cast<const swapmq_list_queues*>(vt().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
  if (table == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_LIST_QUEUES);
  const auto each = [](void*, swapmq_bytes) {};
  refused("list", "session NULL",
          [&](auto* e) { return table->list(nullptr, each, nullptr, soon(), e); });
  refused("list", "each NULL",
          [&](auto* e) { return table->list(session_->raw(), nullptr, nullptr, soon(), e); });
}

CONTRACT_TEST(Arguments, ClaimDelayed, "swapmq_claim_delayed.claim",
              "a NULL session, subscription or batch is refused with INVALID_ARGUMENT") {
  const swapmq_claim_delayed* table = claim_table();
  if (table == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_CLAIM_DELAYED);
  Subscription one = session_->subscribe(queue_, 1);
  swapmq_batch* batch = nullptr;
  const auto claim = [&](const char* what, swapmq_session* s, swapmq_subscription* from, auto* to) {
    refused("claim", what, [&](auto* e) { return table->claim(s, from, 1, 0, soon(), to, e); });
  };
  claim("session NULL", nullptr, one.raw(), &batch);
  claim("subscription NULL", session_->raw(), nullptr, &batch);
  claim("batch NULL", session_->raw(), one.raw(), static_cast<swapmq_batch**>(nullptr));
}

CONTRACT_TEST(Arguments, Peek, "swapmq_peek.peek",
              "a NULL session, queue or batch is refused with INVALID_ARGUMENT") {
  const swapmq_peek* table = peek_table();
  if (table == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_PEEK);
  swapmq_batch* batch = nullptr;
  const auto peek = [&](const char* what, swapmq_session* s, swapmq_queue* queue, auto* to) {
    refused("peek", what, [&](auto* e) { return table->peek(s, queue, 1, 0, soon(), to, e); });
  };
  peek("session NULL", nullptr, queue_, &batch);
  peek("queue NULL", session_->raw(), nullptr, &batch);
  peek("batch NULL", session_->raw(), queue_, static_cast<swapmq_batch**>(nullptr));
}

CONTRACT_TEST(
    Arguments, ErrorsKeepWithinTheirCapacity, "swapmq_error",
    "the message of an error is truncated and terminated within message_capacity, which may be 0") {
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  swapmq_queue* queue = nullptr;
  const auto fail = [&](ErrorProbe& probe) {
    const swapmq_status status = call("queue_open", soon(), probe, [&](auto* e) {
      return vt().queue_open(session_->raw(), {nullptr, 0}, &spec, &queue, e);
    });
    EXPECT_EQ(status, SWAPMQ_INVALID_ARGUMENT);
  };
  for (const std::uint32_t capacity : {0u, 1u, 2u, 3u, 8u, 16u, 64u, 1000u}) {
    SCOPED_TRACE("message_capacity " + std::to_string(capacity));
    ErrorProbe probe(capacity); // looks at the bytes around it
    fail(probe);
  }
  ErrorProbe without(0, false);
  fail(without);
  EXPECT_EQ(without.error().status, SWAPMQ_INVALID_ARGUMENT);
}

} // namespace
} // namespace swapmq::contract
