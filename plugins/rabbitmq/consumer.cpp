// SPDX-License-Identifier: MIT
#include "consumer.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "broker_error.hpp"
#include "declare.hpp"
#include "network/nonce.hpp"
#include "requests.hpp"
#include "session.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;
using network::Interrupted;

// Before a queue that was deleted under us is made again: whoever did it may not be done yet.
constexpr milliseconds kHealAfter(100);
// The largest message that any broker takes (max_message_size).
constexpr uint64_t kMaxBody = uint64_t{512} << 20;
constexpr milliseconds kServiceAtMost(200);
// A host that has not asked for messages for so long does not want any.
constexpr milliseconds kAsksAgainWithin(1000);
// Times the prefetch: brokers push anew for what is being settled, and each counts in its own way.
constexpr std::size_t kMostHeld = 4;
constexpr uint32_t kMaxPrefetch = 65535; // basic.qos has 16 bits; 0 is without a limit

} // namespace

uint32_t Waiting::deliveries() const {
  // Others may have written any number.
  const uint64_t count = uint64_t{message->delivery_count} + returned.nacks + 1;
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

Consumer::Consumer(const ConsumerContext& context, RabbitQueue& queue,
                   const swapmq_subscribe_args& args)
    : context_(context),
      queue_(queue),
      link_(context.dialer, context.host),
      tags_(network::make_nonce()),
      prefetch_(std::min(args.prefetch, kMaxPrefetch)),
      claimer_(context, queue) {
  const Deadline deadline(args.deadline_ns);
  make_queue(deadline);
  attach(deadline, nullptr);
}

bool Consumer::is_attached() {
  return link_.live() != nullptr && attached_to_ == link_.live()->serial();
}

void Consumer::make_queue(Deadline deadline) {
  over(context_.control, deadline,
       [&](Connection& control) { ensure_exists(control, queue_.routes().queue(), deadline); });
}

/// A connection with a channel, on which nothing is pushed yet.
Connection& Consumer::attach(Deadline deadline, const network::Wake* wake) {
  Connection& connection = link_.open(deadline, wake);
  if (attached_to_ == connection.serial()) return connection;
  lose_all();
  try {
    open_channel(connection, kConsumeChannel, deadline);
  } catch (...) {
    link_.drop();
    throw;
  }
  attached_to_ = connection.serial();
  return connection;
}

void Consumer::await_healing(Deadline deadline, const network::Wake* wake) const {
  const Deadline turn = network::deadline_at(std::min(heal_at_, deadline.at()));
  while (!turn.passed()) {
    pollfd polled{wake != nullptr ? wake->fd() : -1, POLLIN, 0};
    if (poll(&polled, 1, turn.left_ms()) > 0) throw Interrupted{};
  }
}

/// Becomes a consumer to the broker, of as many messages as there is room for.
void Consumer::begin_pushing(Deadline deadline) {
  if (pushing_ && waiting_.empty() && could_push_more()) {
    stop_pushing(*link_.live(), deadline);
  }
  if (pushing_ || (is_attached() && tags_.held() >= prefetch_)) return;
  for (int attempt = 0;; ++attempt) {
    try {
      return consume(attach(deadline, nullptr), deadline);
    } catch (const ChannelClosed& closed) {
      link_.drop();
      lose_all();
      // Deleted since we knew of it: it is made again, once.
      queue_.routes().forget();
      if (closed.closing().code != AMQP_NOT_FOUND || attempt > 0) throw;
      make_queue(deadline);
    } catch (...) {
      link_.drop();
      lose_all();
      throw;
    }
  }
}

void Consumer::consume(Connection& connection, Deadline deadline) {
  // Each time another tag: to a consumer that comes back, a quorum queue delivers again what it
  // holds. So the prefetch, which is a consumer's, is what the earlier ones leave of it.
  push_from_ = tags_.next();
  told_ = 0;
  pushed_ = prefetch_ - std::min(prefetch_, tags_.held());
  consumer_tag_ = "swapmq-" + network::hex(tags_.nonce()) + "-" + std::to_string(++consumers_);
  amqp_basic_qos_t qos{};
  qos.prefetch_count = static_cast<uint16_t>(pushed_);
  request<amqp_basic_qos_ok_t>(connection, kConsumeChannel, AMQP_BASIC_QOS_METHOD, qos,
                               AMQP_BASIC_QOS_OK_METHOD, deadline);
  amqp_basic_consume_t consume{};
  consume.queue = amqp_bytes(queue_.routes().queue().queue);
  consume.consumer_tag = amqp_bytes(consumer_tag_);
  request<amqp_basic_consume_ok_t>(connection, kConsumeChannel, AMQP_BASIC_CONSUME_METHOD, consume,
                                   AMQP_BASIC_CONSUME_OK_METHOD, deadline);
  pushing_ = true;
  starving_ = false;
  look_at_ = Clock::now() + kLookEvery;
}

/// Then all that was pushed is here. The broker's channel learns from the queue what is pushed
/// while it is told of the end of the consumer, and passes it on behind its answer: so what is told
/// it together with that would not be about all of it.
void Consumer::stop_pushing(Connection& connection, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  amqp_basic_cancel_t cancel{};
  cancel.consumer_tag = amqp_bytes(consumer_tag_);
  connection.out().method(kConsumeChannel, AMQP_BASIC_CANCEL_METHOD, cancel);
  await_barrier(connection, barriers_ + 1, deadline);
  if (tags_.epoch() != epoch) return;
  pushing_ = false;
  ask(connection, deadline);
}

/// Whether what earlier consumers held, and so took from this one's prefetch, is settled, or keeps
/// this one from what there is room for.
bool Consumer::could_push_more() const {
  if (pushed_ == prefetch_) return false;
  const std::size_t earlier = tags_.held_before(push_from_);
  return earlier == 0 || (tags_.held() - earlier >= pushed_ && tags_.held() < prefetch_);
}

/// Until so many requests of this consumer were answered, or it is detached.
void Consumer::await_barrier(Connection& connection, uint64_t barrier, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  while (tags_.epoch() == epoch && barriers_ < barrier) {
    if (!connection.await(deadline)) throw connection.is_silent();
    take_frames(connection);
  }
}

/// Of what was delivered on a channel that is over nothing is ours.
void Consumer::lose_all() {
  tags_.start_anew();
  waiting_.clear();
  early_.clear();
  coming_.reset();
  header_is_here_ = false;
  large_body_ = nullptr;
  attached_to_ = 0;
  pushing_ = false;
  unheard_ = {};
  any_expires_ = false;
}

void Consumer::lost(const Failure& failure) {
  context_.host.log(SWAPMQ_LOG_WARN, failure.what());
  link_.broke();
  lose_all();
}

void Consumer::service() {
  claimer_.service();
  if (!is_attached()) return;
  take_in();
  const Deadline deadline = network::in(kServiceAtMost);
  if (!is_attached()) return;
  tend(deadline);
  if (!pushing_ || Clock::now() - asked_at_ < kAsksAgainWithin) return;
  try {
    std::vector<TagSettlement> frames; // others may have use for it
    give_back_what_waits(frames, deadline);
  } catch (const ConnectionLost& failure) {
    lost(failure);
  }
}

/// All that was pushed and not handed out, to be given back.
void Consumer::take_what_waits(std::vector<TagSettlement>& frames) {
  for (const auto& waiting : waiting_) frames.push_back({waiting.tag, Settle::requeue});
  for (const auto& early : early_) frames.push_back({early.tag, Settle::requeue});
  for (const TagSettlement& frame : frames) tags_.settling(frame.tag);
  waiting_.clear();
  early_.clear();
}

/// What is there, without waiting.
void Consumer::take_in() {
  if (attached_to_ == 0) return;
  if (!is_attached()) return lose_all(); // it was found dead, and there is no other yet
  Connection* connection = link_.live();
  try {
    connection->beat();
    // Not for ever: who pushes faster than we take would keep us from all else.
    for (int i = 0; i < 16 && connection->receive(); ++i) {
      take_frames(*connection);
      if (attached_to_ == 0 || connection->is_drained()) return;
    }
    take_frames(*connection);
  } catch (const ConnectionLost& failure) {
    lost(failure);
  }
}

/// All whole frames that were received. After it the consumer may be detached.
void Consumer::take_frames(Connection& connection) {
  Frame frame;
  while (connection.next(frame)) {
    if (frame.channel != kConsumeChannel) {
      throw ConnectionLost("RabbitMQ at " + connection.endpoint().text() +
                           " sent something on a channel that is not open");
    }
    switch (frame.type) {
      case kMethodFrame:
        take_method(connection, frame);
        break;
      case kHeaderFrame:
        header_came(connection, frame);
        break;
      case kBodyFrame:
        body_came(connection, frame);
        break;
      default:
        throw ConnectionLost("RabbitMQ sent a frame of an unknown type");
    }
    if (attached_to_ == 0) return;
  }
}

void Consumer::take_method(Connection& connection, const Frame& frame) {
  if (coming_) throw ConnectionLost("RabbitMQ sent a method where a message should go on");
  switch (frame.method()) {
    case AMQP_BASIC_DELIVER_METHOD:
      return delivery_begins(frame);
    case AMQP_CHANNEL_FLOW_OK_METHOD:
      ++barriers_;
      return;
    case AMQP_BASIC_CANCEL_METHOD:
      return queue_is_gone();
    case AMQP_BASIC_CANCEL_OK_METHOD:
      ++barriers_;
      return;
    case AMQP_CHANNEL_CLOSE_METHOD:
      return channel_closed(ChannelClosed(connection.endpoint(), end_channel(connection, frame)));
    default:
      throw ConnectionLost("RabbitMQ sent a consumer what is not for one");
  }
}

void Consumer::queue_is_gone() {
  context_.host.count("queues_lost");
  context_.host.log(SWAPMQ_LOG_WARN, "the queue \"" + queue_.routes().queue().queue +
                                         "\" is gone from RabbitMQ: deleted, or the node that has "
                                         "it is down");
  link_.drop();
  lose_all();
  queue_.routes().forget();
  heal_at_ = Clock::now() + kHealAfter;
}

void Consumer::channel_closed(const ChannelClosed& closed) {
  context_.host.count("channels_lost");
  context_.host.log(SWAPMQ_LOG_WARN,
                    std::string(closed.what()) + "; what this consumer held comes again");
  link_.broke();
  lose_all();
}

// ---- deliveries ---------------------------------------------------------------------------------

void Consumer::delivery_begins(const Frame& frame) {
  const auto& deliver = fields_of<amqp_basic_deliver_t>(frame);
  if (deliver.delivery_tag != tags_.next()) {
    throw ConnectionLost("RabbitMQ sent a delivery tag that is not the next one");
  }
  if (tags_.held() >= kMostHeld * prefetch_) {
    throw ConnectionLost("RabbitMQ sent far more than the prefetch allows");
  }
  coming_.emplace();
  coming_->tag = deliver.delivery_tag;
  if (deliver.redelivered != 0) coming_->flags |= SWAPMQ_DELIVERY_REDELIVERED;
}

void Consumer::header_came(Connection& connection, const Frame& frame) {
  if (!coming_ || header_is_here_) {
    throw ConnectionLost("RabbitMQ sent the header of a message that did not begin");
  }
  body_size_ = body_size_of(frame.payload);
  if (body_size_ > kMaxBody) throw ConnectionLost("RabbitMQ sent a message without end");
  const std::shared_ptr<Block>& block = connection.keep();
  const Decoded decoded = decode_message(frame.payload, block->arena);
  if (decoded.message->id.size == 0) { // somebody else's
    const std::string made = "amqp-" + network::hex(tags_.nonce()) + "-" +
                             std::to_string(tags_.epoch()) + "-" + std::to_string(coming_->tag);
    decoded.message->id = backend::bytes(block->arena.copy(made.data(), made.size()));
  }
  coming_->header = block;
  coming_->message = decoded.message;
  coming_->returned = decoded.returned;
  if (!decoded.good) {
    coming_->flags |= SWAPMQ_DELIVERY_UNDECODABLE;
    context_.host.count("undecodable_messages");
  }
  header_is_here_ = true;
  body_here_ = 0;
  if (body_size_ == 0) delivery_is_whole();
}

void Consumer::body_came(Connection& connection, const Frame& frame) {
  if (!header_is_here_ || frame.payload.empty() || frame.payload.size() > body_size_ - body_here_) {
    throw ConnectionLost("RabbitMQ sent more of a message than there is");
  }
  if (frame.payload.size() == body_size_) { // all of it: it stays where it is
    coming_->message->body = backend::bytes(frame.payload);
    coming_->body = connection.keep();
    return delivery_is_whole();
  }
  if (large_body_ == nullptr) {
    const std::shared_ptr<char[]> whole(new char[body_size_]);
    large_body_ = whole.get();
    coming_->body = whole;
    coming_->message->body = {large_body_, body_size_};
  }
  std::memcpy(large_body_ + body_here_, frame.payload.data(), frame.payload.size());
  body_here_ += frame.payload.size();
  if (body_here_ == body_size_) delivery_is_whole();
}

void Consumer::delivery_is_whole() {
  Waiting whole = std::move(*coming_);
  coming_.reset();
  header_is_here_ = false;
  large_body_ = nullptr;
  tags_.delivered();
  starving_ = false;
  const swapmq_message& message = *whole.message;
  if (whole.returned.nacks > 0 || message.delivery_count > 0) {
    whole.flags |= SWAPMQ_DELIVERY_REDELIVERED;
  }
  if (message.expires_at_ms != 0) any_expires_ = true;
  const int64_t due = whole.due_ms();
  const bool early = due != 0 && due > backend::unix_now_ms();
  if (early) {
    early_.push_back(std::move(whole));
  } else {
    waiting_.push_back(std::move(whole));
  }
}

// ---- leaving ------------------------------------------------------------------------------------

void Consumer::leave() {
  // Closing must not hang on a broker that does not answer: it gives back what a connection held.
  const Deadline deadline = network::in(context_.dialer.options().close_timeout);
  claimer_.leave(deadline);
  try {
    if (is_attached()) give_back_all(*link_.live(), deadline);
    if (is_attached()) link_.live()->close(network::in(milliseconds(0)));
  } catch (const ConnectionLost& failure) {
    context_.host.log(SWAPMQ_LOG_INFO, failure.what());
  }
  link_.drop();
  lose_all();
}

/// In its order, with what is pushed at this moment. A quorum queue would do the same when the
/// connection ends, but later than what others ask of it then.
void Consumer::give_back_all(Connection& connection, Deadline deadline) {
  if (pushing_) stop_pushing(connection, deadline);
  if (!is_attached() || tags_.held() == 0) return;
  amqp_basic_nack_t back{};
  back.multiple = 1; // with the tag 0: all of it
  back.requeue = 1;
  connection.out().method(kConsumeChannel, AMQP_BASIC_NACK_METHOD, back);
  ask(connection, deadline);
}

} // namespace swapmq::rabbitmq
