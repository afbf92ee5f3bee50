// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "broker_error.hpp"
#include "network/failures.hpp"

namespace swapmq::rabbitmq {

using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;

namespace {

/// Memory for one decoded method at a time.
class MethodPool {
 public:
  MethodPool() { init_amqp_pool(&pool_, 4096); }
  ~MethodPool() { empty_amqp_pool(&pool_); }
  MethodPool(const MethodPool&) = delete;
  MethodPool& operator=(const MethodPool&) = delete;
  amqp_pool_t* fresh() {
    recycle_amqp_pool(&pool_);
    return &pool_;
  }

 private:
  amqp_pool_t pool_{};
};

} // namespace

uint64_t next_serial() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void* decode_fields(const Frame& frame) {
  static thread_local MethodPool pool;
  void* fields = nullptr;
  const amqp_method_number_t method = frame.method();
  const int status =
      method == 0 ? AMQP_STATUS_BAD_AMQP_DATA
                  : amqp_decode_method(method, pool.fresh(), amqp_bytes(frame.fields()), &fields);
  if (status != AMQP_STATUS_OK || fields == nullptr) {
    throw ConnectionLost("RabbitMQ sent a method that cannot be read");
  }
  return fields;
}

Closing closing_of(const Frame& frame) {
  const auto& close = fields_of<amqp_channel_close_t>(frame); // connection.close has the same
  Closing closing;
  closing.code = close.reply_code;
  closing.text = one_line(view(close.reply_text));
  closing.about = uint32_t{close.class_id} << 16 | close.method_id;
  return closing;
}

Connection::Connection(std::unique_ptr<network::Transport> transport,
                       const network::Endpoint& endpoint)
    : transport_(std::move(transport)),
      endpoint_(endpoint),
      serial_(next_serial()),
      last_sent_(Clock::now()),
      last_received_(last_sent_) {}

void Connection::tuned(const Tuning& tuning) {
  tuning_ = tuning;
  tuned_ = true;
  reader_.limit(tuning.frame_max);
}

bool Connection::push() {
  bool any = false;
  while (unsent() > 0) {
    const std::size_t sent = transport_->send(out_.bytes().data() + out_at_, unsent());
    if (sent == 0) break;
    any = true;
    out_at_ += sent;
    bytes_sent_ += sent;
  }
  if (any) last_sent_ = Clock::now();
  if (unsent() == 0) {
    out_.clear();
    out_at_ = 0;
  } else if (out_at_ > out_.size() / 2) {
    out_.drop_front(std::exchange(out_at_, 0));
  }
  return any;
}

bool Connection::receive() {
  const std::span<char> room = reader_.room();
  if (room.empty()) return false; // what is here is to be taken first
  const std::size_t got = transport_->receive(room.data(), room.size());
  // TLS hands out a record at a time.
  drained_ = got == 0 || (got < room.size() && !transport_->is_tls());
  if (got == 0) return false;
  reader_.filled(got);
  bytes_received_ += got;
  last_received_ = Clock::now();
  return true;
}

bool Connection::next(Frame& frame) {
  while (reader_.next(frame)) {
    if (frame.type == kHeartbeatFrame) continue;
    if (!tuned_) return true;
    if (frame.channel == 0) {
      on_connection_frame(frame);
      continue;
    }
    if (frame.channel < channels_.size()) return true;
    throw ConnectionLost("RabbitMQ at " + endpoint_.text() +
                         " sent something on a channel that is not open");
  }
  return false;
}

void Connection::on_connection_frame(const Frame& frame) {
  switch (frame.method()) {
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const Closing closing = closing_of(frame);
      out_.method(0, AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t{});
      push();
      throw connection_closed(endpoint_, closing);
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
      blocked_ = one_line(view(fields_of<amqp_connection_blocked_t>(frame).reason));
      if (blocked_.empty()) blocked_ = "no reason given";
      return;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      blocked_.clear();
      return;
    case AMQP_CONNECTION_CLOSE_OK_METHOD:
      closed_ = true;
      return;
    default:
      throw ConnectionLost("RabbitMQ at " + endpoint_.text() +
                           " sent what has no place on channel 0");
  }
}

Connection::Clock::time_point Connection::next_beat() const {
  if (tuning_.heartbeat.count() == 0) return Clock::time_point::max();
  // AMQP 0-9-1, 4.2.7: two of theirs missing, and the connection is lost.
  return std::min(last_sent_ + tuning_.heartbeat / 2, last_received_ + tuning_.heartbeat * 2);
}

void Connection::beat() {
  if (tuning_.heartbeat.count() == 0) return;
  const Clock::time_point now = Clock::now();
  if (now >= last_received_ + tuning_.heartbeat * 2 && !receive()) {
    throw ConnectionLost("RabbitMQ at " + endpoint_.text() + " was silent for two heartbeats");
  }
  if (now < last_sent_ + tuning_.heartbeat / 2) return;
  if (unsent() == 0) out_.end_frame(out_.begin_frame(kHeartbeatFrame, 0));
  push();
  last_sent_ = now; // also if the broker takes nothing: it is asked again then
}

bool Connection::wait(Deadline deadline, const network::Wake* wake) {
  const bool late = deadline.passed(); // that something comes all the time makes it no later
  for (;;) {
    const bool sent = push();
    if ((!drained_ && receive()) || sent) return !late;
    const Clock::time_point beat_at = next_beat();
    const Deadline until = network::deadline_at(std::min(deadline.at(), beat_at));
    if (transport_->wait(unsent() > 0, until, wake)) {
      drained_ = false;
    } else {
      if (deadline.passed()) return false;
      beat();
    }
  }
}

bool Connection::await(Deadline deadline) {
  while (!wait(network::at_most(deadline, patience))) {
    if (deadline.passed()) return false;
    if (blocked_.empty()) throw is_silent();
  }
  return true;
}

ConnectionLost Connection::is_silent() const {
  return ConnectionLost("RabbitMQ at " + endpoint_.text() + " is silent where an answer is due");
}

Frame Connection::read(Deadline deadline) {
  Frame frame;
  while (!next(frame)) {
    if (!await(deadline)) {
      throw Failure(SWAPMQ_TIMEOUT, "RabbitMQ at " + endpoint_.text() + " did not answer in time",
                    SWAPMQ_ERROR_RETRYABLE);
    }
  }
  return frame;
}

bool Connection::is_stale() {
  try {
    beat();
    receive();
    return false;
  } catch (const ConnectionLost&) {
    return true;
  }
}

void Connection::close(Deadline deadline) noexcept {
  try {
    if (!tuned_ || unsent() > 0) return;
    amqp_connection_close_t close{};
    close.reply_code = AMQP_REPLY_SUCCESS;
    close.reply_text = amqp_bytes("goodbye");
    out_.method(0, AMQP_CONNECTION_CLOSE_METHOD, close);
    push();
    Frame frame;
    for (;;) {
      while (!closed_ && next(frame)) {
      }
      if (closed_ || !wait(deadline)) return;
    }
  } catch (const std::exception&) { // it is going in any case
    return;
  }
}

} // namespace swapmq::rabbitmq
