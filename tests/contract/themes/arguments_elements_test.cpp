// SPDX-License-Identifier: MIT
//
// publish() and exchange(), which take arrays, with each wrong argument and element.
#include <optional>

#include "arguments.h"

namespace swapmq::contract {
namespace {

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

CONTRACT_TEST(ArgumentsOfPublish, Pointers, "publish(); swapmq_publish_args",
              "a NULL pointer is refused with INVALID_ARGUMENT, nothing is stored, and the results "
              "stay UNTOUCHED") {
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

CONTRACT_TEST(ArgumentsOfPublish, Sizes, "publish(); swapmq_publish_args",
              "a count of 0 and sizes that are too small to read are refused with "
              "INVALID_ARGUMENT, and nothing is stored") {
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

CONTRACT_TEST(ArgumentsOfPublish, Messages, "publish(); swapmq_message",
              "a message with an id that is not 1 to 255 bytes, unreadable headers or a priority "
              "above 9 is refused and not stored") {
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

CONTRACT_TEST(ArgumentsOfPublish, BytesAtNull, "publish(); Rules for every function: Views",
              "bytes with a size and no data are refused with INVALID_ARGUMENT, and the message is "
              "not stored") {
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

CONTRACT_TEST(ArgumentsOfPublish, Headers, "publish(); swapmq_header",
              "a header without a name, with a name of more than 255 bytes or at NULL is refused, "
              "and the message is not stored") {
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

CONTRACT_TEST(ArgumentsOfPublish, WithASessionOfAnotherRole, "publish()",
              "a session of another role publishes as any, or refuses it with INVALID_ARGUMENT or "
              "NOT_SUPPORTED") {
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

CONTRACT_TEST(ArgumentsOfExchange, Pointers, "exchange(); swapmq_exchange_args",
              "a NULL pointer is refused with INVALID_ARGUMENT, *batch stays untouched, and "
              "nothing is settled") {
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

CONTRACT_TEST(ArgumentsOfExchange, Settlements, "exchange(); swapmq_settlement",
              "a settlement that cannot be read or done is refused with INVALID_ARGUMENT, and the "
              "delivery stays unsettled") {
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

CONTRACT_TEST(ArgumentsOfExchange, NothingToDo, "exchange()",
              "an exchange that settles none and receives none is OK at once") {
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

} // namespace
} // namespace swapmq::contract
