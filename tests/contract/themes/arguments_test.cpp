// SPDX-License-Identifier: MIT
//
// Every function with each wrong argument: refused, without touching an output, without a crash.
#include <optional>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// What an output holds before a call that must not touch it.
template <class T>
T* untouched() {
  static int somewhere;
  return reinterpret_cast<T*>(&somewhere);
}

class Arguments : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("arguments");
    session_.emplace(consumer());
    queue_ = session_->queue(name_);
  }

  void TearDown() override {
    if (!HasFailure()) expect_usable();
    session_.reset();
    Contract::TearDown();
  }

  /// After all that, everything still works.
  void expect_usable() {
    fill(name_, message("usable"));
    Subscription subscription = session_->subscribe(queue_, 1);
    subscription.ack_all(subscription.receive(1));
  }

  template <class F>
  static void refused(const char* function, const char* what, F&& wrong_call) {
    ErrorProbe probe;
    const swapmq_status status = call(function, soon(), probe, std::forward<F>(wrong_call));
    EXPECT_EQ(status, SWAPMQ_INVALID_ARGUMENT)
        << function << "(), " << what << ": " << status_name(status);
  }

  std::string name_;
  std::optional<Session> session_;
  swapmq_queue* queue_ = nullptr;
};

TEST_F(Arguments, Open) {
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

TEST_F(Arguments, OpenWithOptionsThatAreNotJson) {
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

TEST_F(Arguments, SessionOpen) {
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

TEST_F(Arguments, QueueOpen) {
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

TEST_F(Arguments, OfTheQueueFunctions) {
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

TEST_F(Arguments, QueueStats) {
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

TEST_F(Arguments, PurgeQueue) {
  std::uint64_t removed = 4711;
  refused("purge_queue", "session NULL",
          [&](auto* e) { return vt().purge_queue(nullptr, queue_, &removed, soon(), e); });
  refused("purge_queue", "queue NULL",
          [&](auto* e) { return vt().purge_queue(session_->raw(), nullptr, &removed, soon(), e); });
  refused("purge_queue", "removed NULL",
          [&](auto* e) { return vt().purge_queue(session_->raw(), queue_, nullptr, soon(), e); });
  EXPECT_EQ(removed, 4711u);
}

/// A publish that would be right, for tests to spoil.
class ArgumentsOfPublish : public Arguments {
 protected:
  void SetUp() override {
    Arguments::SetUp();
    sender_.emplace(publisher());
    to_ = sender_->queue(name_);
    args_.struct_size = sizeof args_;
    args_.message_size = wire_.stride();
    args_.result_size = sizeof result_;
    args_.messages = wire_.data();
    args_.count = 1;
    args_.results = &result_;
    args_.deadline_ns = soon();
  }

  void TearDown() override {
    if (!HasFailure()) {
      EXPECT_EQ(drain(name_, 0), std::vector<std::string>()) << "was stored";
    }
    sender_.reset();
    Arguments::TearDown();
  }

  void refused_with(const char* what, swapmq_publish_args args) {
    result_ = {SWAPMQ_PUBLISH_UNTOUCHED, SWAPMQ_STATUS_UNTOUCHED, 0, 0};
    refused("publish", what, [&](auto* e) { return vt().publish(sender_->raw(), to_, &args, e); });
    EXPECT_EQ(result_.outcome, SWAPMQ_PUBLISH_UNTOUCHED) << what;
  }

  /// Refused as a call, or this message of it.
  void message_refused(const char* what, const swapmq_message& message) {
    swapmq_publish_args args = args_;
    args.messages = &message;
    args.message_size = sizeof message;
    result_ = {SWAPMQ_PUBLISH_UNTOUCHED, SWAPMQ_STATUS_UNTOUCHED, 0, 0};
    ErrorProbe probe;
    const swapmq_status status = call("publish", soon(), probe, [&](auto* e) {
      return vt().publish(sender_->raw(), to_, &args, e);
    });
    if (status == SWAPMQ_OK) {
      EXPECT_EQ(result_.outcome, SWAPMQ_PUBLISH_FAILED) << what;
    }
    const swapmq_status why = status == SWAPMQ_OK ? result_.status : status;
    EXPECT_TRUE(why == SWAPMQ_INVALID_ARGUMENT || why == SWAPMQ_TOO_LARGE)
        << what << ": " << status_name(why);
  }

  const std::vector<Message> sent_{message("never")};
  Wire wire_{sent_};
  swapmq_publish_result result_{};
  swapmq_publish_args args_{};
  std::optional<Session> sender_;
  swapmq_queue* to_ = nullptr;
};

TEST_F(ArgumentsOfPublish, Pointers) {
  refused("publish", "session NULL",
          [&](auto* e) { return vt().publish(nullptr, to_, &args_, e); });
  refused("publish", "queue NULL",
          [&](auto* e) { return vt().publish(sender_->raw(), nullptr, &args_, e); });
  refused("publish", "args NULL",
          [&](auto* e) { return vt().publish(sender_->raw(), to_, nullptr, e); });
  swapmq_publish_args bad = args_;
  bad.messages = nullptr;
  refused_with("messages NULL", bad);
  bad = args_;
  bad.results = nullptr;
  refused_with("results NULL", bad);
}

TEST_F(ArgumentsOfPublish, Sizes) {
  swapmq_publish_args bad = args_;
  bad.count = 0;
  refused_with("count 0", bad);
  bad = args_;
  bad.struct_size = sizeof bad.struct_size;
  refused_with("args of 4 bytes", bad);
  for (const std::uint32_t size :
       {0u, 8u, static_cast<std::uint32_t>(sizeof(swapmq_message) / 2)}) {
    bad = args_;
    bad.message_size = size;
    refused_with("message_size too small", bad);
  }
  for (const std::uint32_t size : {0u, 4u}) {
    bad = args_;
    bad.result_size = size;
    refused_with("result_size too small", bad);
  }
}

TEST_F(ArgumentsOfPublish, Messages) {
  const std::string long_id(256, 'i');
  swapmq_message bad = wire_[0];
  bad.id = {nullptr, 0};
  message_refused("no id", bad);
  bad.id = bytes(long_id);
  message_refused("an id of 256 bytes", bad);
  bad = wire_[0];
  bad.header_count = 1;
  bad.headers = nullptr;
  message_refused("headers NULL", bad);
  const swapmq_header header{bytes("name"), bytes("value")};
  bad.headers = &header;
  bad.header_size = 0;
  message_refused("header_size 0", bad);
  bad = wire_[0];
  bad.priority = 10;
  message_refused("priority 10", bad);
}

TEST_F(ArgumentsOfPublish, BytesAtNull) {
  const swapmq_bytes nowhere{nullptr, 5};
  for (swapmq_bytes swapmq_message::*field :
       {&swapmq_message::id, &swapmq_message::body, &swapmq_message::ordering_key,
        &swapmq_message::correlation_id, &swapmq_message::reply_to,
        &swapmq_message::content_type}) {
    swapmq_message bad = wire_[0];
    bad.*field = nowhere;
    message_refused("bytes at NULL", bad);
  }
}

TEST_F(ArgumentsOfPublish, Headers) {
  const std::string long_name(256, 'n');
  for (const swapmq_header& header :
       {swapmq_header{{nullptr, 0}, bytes("value")},
        swapmq_header{bytes(long_name), bytes("value")},
        swapmq_header{{nullptr, 5}, bytes("value")}, swapmq_header{bytes("name"), {nullptr, 5}}}) {
    swapmq_message bad = wire_[0];
    bad.headers = &header;
    bad.header_count = 1;
    bad.header_size = sizeof header;
    message_refused("a header without a name, with one of 256 bytes, or at NULL", bad);
  }
}

TEST_F(ArgumentsOfPublish, WithASessionOfAnotherRole) {
  // A host does not do that. A plugin refuses it or does it right.
  Session other = consumer();
  swapmq_queue* queue = other.queue(name_);
  std::vector<swapmq_publish_result> results;
  const swapmq_status status = other.publish(queue, sent_, results, soon());
  if (status != SWAPMQ_OK) {
    EXPECT_TRUE(status == SWAPMQ_INVALID_ARGUMENT || status == SWAPMQ_NOT_SUPPORTED)
        << status_name(status);
  } else if (results[0].outcome == SWAPMQ_PUBLISH_CONFIRMED) {
    EXPECT_EQ(drain(name_, 1), std::vector<std::string>{"never"});
  }
}

TEST_F(Arguments, Subscribe) {
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

/// An exchange that would be right, for tests to spoil.
class ArgumentsOfExchange : public Arguments {
 protected:
  void SetUp() override {
    Arguments::SetUp();
    fill(name_, message("held"));
    subscription_.emplace(session_->subscribe(queue_, 2));
    held_ = subscription_->receive(1);
    settlement_ = ack(held_[0]);
    args_.struct_size = sizeof args_;
    args_.settlement_size = sizeof settlement_;
    args_.settlements = &settlement_;
    args_.settlement_count = 1;
    args_.settlement_results = &result_;
    args_.deadline_ns = soon();
  }

  void TearDown() override {
    if (!HasFailure()) {
      EXPECT_EQ(subscription_->settle(ack(held_[0])), SWAPMQ_OK) << "is still unsettled";
    }
    held_.clear();
    subscription_.reset();
    Arguments::TearDown();
  }

  void refused_with(const char* what, const swapmq_exchange_args& args) {
    swapmq_batch* batch = untouched<swapmq_batch>();
    result_ = SWAPMQ_STATUS_UNTOUCHED;
    refused("exchange", what, [&](auto* e) {
      return vt().exchange(session_->raw(), subscription_->raw(), &args, &batch, e);
    });
    EXPECT_EQ(batch, untouched<swapmq_batch>()) << what;
    EXPECT_NE(result_, SWAPMQ_OK) << what;
  }

  void settlement_refused(const char* what, const swapmq_settlement& settlement) {
    swapmq_exchange_args args = args_;
    args.settlements = &settlement;
    refused_with(what, args);
  }

  std::optional<Subscription> subscription_;
  Deliveries held_;
  swapmq_settlement settlement_{};
  swapmq_status result_ = SWAPMQ_STATUS_UNTOUCHED;
  swapmq_exchange_args args_{};
};

TEST_F(ArgumentsOfExchange, Pointers) {
  swapmq_batch* batch = nullptr;
  swapmq_session* session = session_->raw();
  swapmq_subscription* subscription = subscription_->raw();
  refused("exchange", "session NULL",
          [&](auto* e) { return vt().exchange(nullptr, subscription, &args_, &batch, e); });
  refused("exchange", "subscription NULL",
          [&](auto* e) { return vt().exchange(session, nullptr, &args_, &batch, e); });
  refused("exchange", "args NULL",
          [&](auto* e) { return vt().exchange(session, subscription, nullptr, &batch, e); });
  refused("exchange", "batch NULL",
          [&](auto* e) { return vt().exchange(session, subscription, &args_, nullptr, e); });
  EXPECT_EQ(batch, nullptr);
  swapmq_exchange_args bad = args_;
  bad.settlements = nullptr;
  refused_with("settlements NULL", bad);
  bad = args_;
  bad.settlement_results = nullptr;
  refused_with("settlement_results NULL", bad);
}

TEST_F(ArgumentsOfExchange, Settlements) {
  for (const std::uint32_t size : {0u, 8u}) {
    swapmq_exchange_args bad = args_;
    bad.settlement_size = size;
    refused_with("settlement_size too small", bad);
  }
  swapmq_settlement bad = settlement_;
  bad.delivery = nullptr;
  settlement_refused("delivery NULL", bad);
  for (const std::int32_t action : {0, 5, -1, 1000}) {
    bad = settlement_;
    bad.action = action;
    settlement_refused("no such action", bad);
  }
  bad = settlement_;
  bad.action = SWAPMQ_SETTLE_DEAD_LETTER;
  settlement_refused("dead-letter without target", bad);
  bad.target = queue_;
  bad.header_count = 1;
  settlement_refused("headers NULL", bad);
  const swapmq_header header{bytes("name"), bytes("value")};
  bad.headers = &header;
  bad.header_size = 0;
  settlement_refused("header_size 0", bad);
  const swapmq_header nameless{{nullptr, 0}, bytes("value")};
  bad.headers = &nameless;
  bad.header_size = sizeof nameless;
  settlement_refused("a header without a name", bad);
}

TEST_F(ArgumentsOfExchange, NothingToDo) {
  swapmq_exchange_args empty{};
  empty.struct_size = sizeof empty;
  swapmq_batch* batch = nullptr;
  ErrorProbe probe;
  const swapmq_status status = call("exchange", soon(), probe, [&](auto* e) {
    return vt().exchange(session_->raw(), subscription_->raw(), &empty, &batch, e);
  });
  EXPECT_EQ(status, SWAPMQ_OK) << "settles none, receives none: " << probe.text();
  EXPECT_EQ(batch, nullptr);
}

TEST_F(Arguments, NullWhereNothingIsReturned) {
  call("unsubscribe", [&] { vt().unsubscribe(nullptr, nullptr); });
  call("unsubscribe", [&] { vt().unsubscribe(session_->raw(), nullptr); });
  call("session_close", [&] { vt().session_close(nullptr); });
  call("close", [&] { vt().close(nullptr); });
  call("interrupt", [&] { vt().interrupt(nullptr); });
  call("describe", [&] { vt().describe(nullptr, nullptr, nullptr); });
  call("describe", [&] { vt().describe(backend().raw(), nullptr, nullptr); });
  EXPECT_EQ(call("extension", [&] { return vt().extension(nullptr); }), nullptr);
}

TEST_F(Arguments, ListQueues) {
  const auto* table =
      static_cast<const swapmq_list_queues*>(vt().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
  if (table == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_LIST_QUEUES);
  const auto each = [](void*, swapmq_bytes) {};
  refused("list", "session NULL",
          [&](auto* e) { return table->list(nullptr, each, nullptr, soon(), e); });
  refused("list", "each NULL",
          [&](auto* e) { return table->list(session_->raw(), nullptr, nullptr, soon(), e); });
}

TEST_F(Arguments, ClaimDelayed) {
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

TEST_F(Arguments, Peek) {
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

TEST_F(Arguments, ErrorsKeepWithinTheirCapacity) {
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
