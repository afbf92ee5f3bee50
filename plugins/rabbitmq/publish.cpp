// SPDX-License-Identifier: MIT
#include "publish.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "confirms.hpp"
#include "declare.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;
using backend::Failure;
using backend::PublishResults;
using network::ConnectionLost;

// Queues that vanish as often as they are made, or refuse as often as they are asked: then it is
// somebody's intention.
constexpr int kMostRounds = 6;
// Of messages, while the broker has nothing to do: it begins with them while more are encoded.
constexpr std::size_t kFirstChunk = 8;
constexpr milliseconds kFirstPause(10); // before what the broker could not handle is sent again
// Before a queue that was deleted is made again: until its consumers have noticed.
constexpr milliseconds kNoticedWithin(100);

bool headers_are_too_large(const swapmq_message& message) {
  if (message.header_count == 0) return false;
  if (message.header_count > kMaxHeaderCount) return true;
  uint64_t bytes = 0;
  const backend::Headers headers = backend::headers_of(message);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    bytes += headers[i].name.size + headers[i].value.size;
  }
  return bytes > kMaxHeadersBytes;
}

/// What a message that is taken leaves of its frame to its nacks, to the order of its headers in a
/// delay queue, and to what says of a dead letter why it is one.
std::size_t room_for_copies(const swapmq_message& message) {
  std::size_t room = 2048;
  const backend::Headers headers = backend::headers_of(message);
  for (std::size_t i = 0; i < headers.size(); ++i) room += headers[i].name.size + 24;
  return room;
}

/// One publish call over one connection.
class Pipeline {
 public:
  Pipeline(Connection& connection, Dialer& dialer, std::span<const Letter> letters,
           PublishResults results)
      : connection_(connection),
        dialer_(dialer),
        options_(dialer.options()),
        letters_(letters),
        results_(results),
        routes_(letters.size(), nullptr),
        confirms_(connection.channel(kPublishChannel).published + 1) {}

  void run(Deadline deadline) {
    choose_routes();
    open_publish_channel(connection_, deadline);
    make_queues(deadline);
    for (;;) {
      encode_some();
      connection_.push();
      take_frames();
      if (confirms_.in_flight() == 0) {
        if (!to_redo_.empty()) redo(deadline);
        if (encoded_all()) return;
      }
      if (may_encode()) {
        connection_.receive();
      } else if (!connection_.wait(network::at_most(deadline, connection_.patience / 2))) {
        nothing_came(deadline);
      }
    }
  }

  /// One of many that is too large is no failure of the call.
  [[nodiscard]] bool all_are_too_large() const { return refusals_ == letters_.size(); }
  /// Throws if anything was too large, which the others are not.
  void complain() const {
    if (complaint_.empty()) return;
    throw Failure(SWAPMQ_TOO_LARGE, complaint_, SWAPMQ_ERROR_RETRYABLE);
  }

  /// What was sent and not answered is in doubt; what was not wholly sent never happened.
  void give_up(const Failure& failure) {
    confirms_.for_each_open([&](const Sent& sent) {
      const bool whole = sent.end <= connection_.bytes_sent();
      const bool oversized = letters_[sent.letter].message->body.size > dialer_.max_message_bytes();
      swapmq_publish_result& result = results_[sent.letter];
      if (oversized) {
        result = backend::failed(SWAPMQ_TOO_LARGE);
      } else {
        result =
            whole && !certainly_failed_ ? backend::in_doubt(failure.status()) : undone(failure);
      }
    });
    for (const std::size_t letter : to_redo_) results_[letter] = not_again(letter, failure);
    for (; again_at_ < again_.size(); ++again_at_) {
      results_[again_[again_at_]] = not_again(again_[again_at_], failure);
    }
    for (; next_ < letters_.size(); ++next_) {
      if (results_[next_].outcome == SWAPMQ_PUBLISH_UNTOUCHED) results_[next_] = undone(failure);
    }
  }

  /// Of a return that comes late, or of bytes that wait to be sent, the next call must not know. (A
  /// broker with an alarm is an exception: another connection would have to learn of it again, by
  /// messages that are in doubt.)
  [[nodiscard]] bool connection_is_of_use() const {
    const bool answered =
        connection_.bytes_received() > received_before_ && confirms_.in_flight() == 0;
    return connection_.unsent() == 0 && (answered || !connection_.blocked().empty()) &&
           !channel_is_refused();
  }
  /// Whether something was refused to the last. A channel that was opened while the node with the
  /// queue's leader died may go on asking that node, and refuse whatever it is given, though
  /// another node leads by now and takes what comes from elsewhere.
  [[nodiscard]] bool channel_is_refused() const {
    return std::any_of(refused_.begin(), refused_.end(), [this](std::size_t letter) {
      return results_[letter].outcome != SWAPMQ_PUBLISH_CONFIRMED;
    });
  }

 private:
  static swapmq_publish_result undone(const Failure& failure) {
    const bool may_retry = (failure.flags() & SWAPMQ_ERROR_RETRYABLE) != 0;
    return backend::failed(failure.status(), may_retry ? SWAPMQ_ERROR_RETRYABLE : 0);
  }

  /// One that was sent before, and was returned, or refused by a broker in trouble.
  [[nodiscard]] swapmq_publish_result not_again(std::size_t letter, const Failure& failure) const {
    return refused_.contains(letter) ? backend::in_doubt(failure.status()) : undone(failure);
  }

  void choose_routes() {
    const int64_t now_ms = backend::unix_now_ms();
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      const Letter& letter = letters_[i];
      const int64_t due = due_ms(*letter.message, letter.returned);
      routes_[i] = &letter.to->due_in(due == 0 ? 0 : due - now_ms);
    }
  }

  void make_queues(Deadline deadline) {
    const Route* last = nullptr;
    for (std::size_t i = 0; i < letters_.size(); ++i) make_queue_after(last, i, deadline);
  }
  void make_queues_again(Deadline deadline) {
    const Route* last = nullptr;
    for (const std::size_t letter : again_) make_queue_after(last, letter, deadline);
  }
  /// Unless it was just made for the letter before.
  void make_queue_after(const Route*& last, std::size_t letter, Deadline deadline) {
    if (routes_[letter] == std::exchange(last, routes_[letter])) return;
    make_queue(letter, deadline);
    if (letters_[letter].makes_queue) look_for_room(letter, deadline);
  }

  /// Whether the queue that the letter is sent to is ours to make. A delay queue always is.
  [[nodiscard]] bool may_make(std::size_t letter) const {
    return letters_[letter].makes_queue || routes_[letter] != &letters_[letter].to->queue();
  }
  void make_queue(std::size_t letter, Deadline deadline) {
    if (letters_[letter].makes_queue) {
      Route& queue = letters_[letter].to->queue();
      // A delay queue without its queue would keep messages for nobody, and nothing comes back to
      // say that it was deleted.
      if (routes_[letter] != &queue) queue.declared_on = 0;
      ensure_exists(connection_, queue, deadline);
    }
    if (may_make(letter)) make_route(*routes_[letter], deadline);
  }

  void make_route(Route& route, Deadline deadline) {
    const bool is_new = route.declared_on != connection_.serial();
    ensure_exists(connection_, route, deadline);
    if (is_new && route.arguments.delay_ms != 0) dialer_.known_delays().add(route.queue);
  }

  /// A quorum queue stops taking messages some time after it is full, so it is asked before.
  void look_for_room(std::size_t letter, Deadline deadline) {
    Route& route = *routes_[letter];
    const uint64_t most = route.arguments.max_length;
    if (most == 0 || route.arguments.type != QueueType::quorum) return;
    try {
      const uint64_t ready = look_at(connection_, route.queue, deadline).ready;
      room_ = most > ready ? most - ready : 0;
    } catch (const ChannelClosed& closed) {
      if (closed.closing().code != AMQP_NOT_FOUND) throw;
      route.declared_on = 0; // deleted since we knew of it
      make_queue(letter, deadline);
      room_ = most;
    }
  }

  [[nodiscard]] bool encoded_all() const {
    return again_at_ == again_.size() && next_ == letters_.size();
  }
  [[nodiscard]] bool has_room() const {
    return connection_.unsent() < options_.publish_chunk_bytes;
  }
  [[nodiscard]] bool may_encode() const {
    // What is to be done again comes before what follows it.
    return to_redo_.empty() && !encoded_all() && connection_.blocked().empty() && !trying_ &&
           confirms_.in_flight() < options_.publish_window && has_room();
  }
  /// A quorum queue that another client is just making, or whose leader is just elected, refuses
  /// what comes until it is there: in the middle of what was sent to it, which would change the
  /// order. So it is sent one message until it has taken one.
  [[nodiscard]] bool has_taken(const Route& route) const {
    return route.taken_on == connection_.channel(kPublishChannel).serial;
  }
  /// Whether a nack says so.
  [[nodiscard]] bool may_be_full(const Route& route) const {
    if (route.arguments.max_length == 0) return false;
    return route.arguments.type != QueueType::quorum || has_taken(route);
  }

  void encode_some() {
    if (!may_encode()) return;
    const std::size_t most = confirms_.in_flight() == 0
                                 ? std::min(kFirstChunk, options_.publish_chunk)
                                 : options_.publish_chunk;
    for (std::size_t i = 0; i < most && has_room() && !trying_; ++i) {
      if (encoded_all()) return;
      encode(again_at_ < again_.size() ? again_[again_at_++] : next_++);
    }
  }

  void encode(std::size_t i) {
    const swapmq_message& message = *letters_[i].message;
    const Route& route = *routes_[i];
    if (message.expires_at_ms != 0 && message.expires_at_ms <= backend::unix_now_ms()) {
      results_[i] = backend::confirmed(); // nobody will ever see it
      return;
    }
    const bool bounded = room_.has_value() && route.arguments.max_length != 0;
    if (bounded && *room_ == 0) {
      results_[i] = full(i);
      return;
    }
    const Address address{route.frame, kPublishChannel, route.arguments.delay_ms != 0};
    if (is_too_large(i) || !append_message(connection_.out(), address, message,
                                           letters_[i].returned, frame_max_, spare(i))) {
      return refuse(i);
    }
    if (bounded) --*room_;
    ++connection_.channel(kPublishChannel).published;
    confirms_.sent({i, backend::view(message.id), connection_.bytes_queued()});
    if (!has_taken(route)) trying_ = i;
  }

  /// A broker in trouble may have stored what it refused.
  [[nodiscard]] swapmq_publish_result full(std::size_t letter) const {
    return refused_.contains(letter)
               ? backend::in_doubt(SWAPMQ_RESOURCE_EXHAUSTED)
               : backend::failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
  }

  [[nodiscard]] bool is_too_large(std::size_t letter) const {
    return letters_[letter].message->body.size > dialer_.max_message_bytes() ||
           (!letters_[letter].is_copy && headers_are_too_large(*letters_[letter].message));
  }
  [[nodiscard]] std::size_t spare(std::size_t letter) const {
    return letters_[letter].is_copy ? 0 : room_for_copies(*letters_[letter].message);
  }
  void refuse(std::size_t letter) {
    results_[letter] = backend::failed(SWAPMQ_TOO_LARGE);
    ++refusals_;
    const uint64_t size = letters_[letter].message->body.size;
    const uint64_t most = dialer_.max_message_bytes();
    complaint_ = size > most
                     ? "a body of " + std::to_string(size) + " bytes; max_message_size of " +
                           dialer_.text() + " is " + std::to_string(most)
                     : "headers, correlation_id, reply_to, content_type and ordering_key of a "
                       "message do not fit together into a frame of " +
                           std::to_string(frame_max_) + " bytes (frame_max of " + dialer_.text() +
                           "), or the headers are beyond " + std::to_string(kMaxHeadersBytes) +
                           " bytes";
  }

  void take_frames() {
    Frame frame;
    while (connection_.next(frame)) {
      if (frame.channel == kPublishChannel) {
        take(frame);
      } else {
        take_stray(connection_, frame);
      }
    }
  }

  void take(const Frame& frame) {
    asked_ = false;
    if (frame.type == kMethodFrame) {
      switch (frame.method()) {
        case AMQP_BASIC_ACK_METHOD:
        case AMQP_BASIC_NACK_METHOD:
          return confirms_.answered(
              frame, connection_.bytes_sent(),
              [this](const Sent& sent, bool acked) { answered(sent, acked); });
        case AMQP_CHANNEL_CLOSE_METHOD:
          return channel_closed(frame);
        case AMQP_CHANNEL_FLOW_OK_METHOD:
          return; // it is there
        default:
          break;
      }
    }
    if (confirms_.take_return(frame)) return;
    throw ConnectionLost("RabbitMQ at " + connection_.endpoint().text() +
                         " answered a publish with something else");
  }

  void answered(const Sent& sent, bool acked) {
    Route& route = *routes_[sent.letter];
    if (trying_ == sent.letter) trying_.reset();
    if (sent.returned) {
      to_redo_.push_back(sent.letter);
    } else if (acked) {
      results_[sent.letter] = backend::confirmed();
      route.taken_on = connection_.channel(kPublishChannel).serial;
    } else if (may_be_full(route)) {
      results_[sent.letter] = full(sent.letter);
    } else {
      // The queue is just being made, or died, perhaps after it stored it. (A bound of somebody
      // else's says so, too.)
      refused_.insert(sent.letter);
      to_redo_.push_back(sent.letter);
    }
  }

  /// There was no queue, so it is made again, or it was in trouble, so it gets a moment; then they
  /// are sent again, before all that follows them.
  void redo(Deadline deadline) {
    std::sort(to_redo_.begin(), to_redo_.end());
    const bool enough = ++rounds_ > kMostRounds;
    const bool deleted = std::any_of(to_redo_.begin(), to_redo_.end(), [this](std::size_t letter) {
      return !refused_.contains(letter);
    });
    if (!enough) pause(deleted ? kNoticedWithin : kFirstPause * (1 << rounds_), deadline);
    std::vector<std::size_t> again;
    for (const std::size_t letter : to_redo_) {
      if (enough && refused_.contains(letter)) {
        results_[letter] = full(letter);
      } else if (enough || !may_make(letter)) {
        results_[letter] = backend::failed(SWAPMQ_NOT_FOUND, SWAPMQ_ERROR_RETRYABLE);
      } else {
        again.push_back(letter);
        routes_[letter]->declared_on = routes_[letter]->taken_on = 0;
        if (letters_[letter].makes_queue) letters_[letter].to->queue().declared_on = 0;
      }
    }
    again.insert(again.end(), again_.begin() + static_cast<std::ptrdiff_t>(again_at_),
                 again_.end());
    to_redo_.clear();
    again_ = std::move(again);
    again_at_ = 0;
    make_queues_again(deadline);
  }

  void pause(milliseconds time, Deadline deadline) {
    const Deadline until = network::at_most(deadline, time);
    while (connection_.wait(until)) take_frames();
    if (deadline.passed()) timed_out();
  }

  void channel_closed(const Frame& frame) {
    const uint64_t ever = connection_.channel(kPublishChannel).published;
    const ChannelClosed closed(connection_.endpoint(), end_channel(connection_, frame));
    // Nothing that this channel sent was ever taken: without permission it stored none of it.
    certainly_failed_ = closed.status() == SWAPMQ_ACCESS_DENIED && ever == confirms_.in_flight();
    const uint64_t most = configured_max_size(closed.closing().text);
    if (most == 0) throw ChannelClosed(closed);
    dialer_.learn_max_message_bytes(most);
    complaint_ = closed.what();
    // For those that are not too large the channel was lost, no more.
    throw Failure(SWAPMQ_UNAVAILABLE, closed.what(), SWAPMQ_ERROR_RETRYABLE);
  }

  /// A queue may take its time to confirm, or a broker with an alarm; but its channel answers.
  void nothing_came(Deadline deadline) {
    if (deadline.passed()) timed_out();
    if (!connection_.blocked().empty()) return;
    if (asked_) throw connection_.is_silent();
    asked_ = true;
    connection_.out().method(kPublishChannel, AMQP_CHANNEL_FLOW_METHOD, amqp_channel_flow_t{1});
  }

  [[noreturn]] void timed_out() {
    if (!connection_.blocked().empty()) {
      throw Failure(SWAPMQ_RESOURCE_EXHAUSTED,
                    "RabbitMQ at " + connection_.endpoint().text() +
                        " takes no messages now, by an alarm of its own: " + connection_.blocked() +
                        " (rabbitmq-diagnostics alarms)",
                    SWAPMQ_ERROR_RETRYABLE);
    }
    throw Failure(SWAPMQ_TIMEOUT,
                  "RabbitMQ at " + connection_.endpoint().text() + " did not confirm in time",
                  SWAPMQ_ERROR_RETRYABLE);
  }

  Connection& connection_;
  Dialer& dialer_;
  const Options& options_;
  const std::span<const Letter> letters_;
  PublishResults results_;
  std::vector<Route*> routes_; // of each letter
  Confirms confirms_;
  const uint64_t received_before_ = connection_.bytes_received();
  std::size_t next_ = 0;             // the first that was never encoded
  std::vector<std::size_t> to_redo_; // answered, and not done
  std::set<std::size_t> refused_;    // by the broker, at least once: they may be stored
  std::vector<std::size_t> again_;   // the same, once nothing is on its way any more
  std::size_t again_at_ = 0;         // in again_: the first that is not encoded
  int rounds_ = 0;
  std::optional<std::size_t> trying_; // whether its queue takes it
  std::optional<uint64_t> room_;      // in a queue whose bound we keep
  const std::size_t frame_max_ = connection_.tuning().frame_max;
  std::size_t refusals_ = 0; // of what is too large
  std::string complaint_;    // about it
  bool certainly_failed_ = false;
  bool asked_ = false; // whether it is there, and nothing came since
};

} // namespace

void publish_letters(Link& link, Dialer& dialer, std::span<const Letter> letters,
                     PublishResults results, Deadline deadline) {
  Connection& connection = link.open(deadline);
  if (deadline.passed()) {
    throw Failure(SWAPMQ_TIMEOUT, "there was no time to publish", SWAPMQ_ERROR_RETRYABLE);
  }
  Pipeline pipeline(connection, dialer, letters, results);
  try {
    pipeline.run(deadline);
    if (pipeline.channel_is_refused()) link.drop();
  } catch (const ConnectionLost& lost) {
    pipeline.give_up(lost);
    link.broke();
    throw;
  } catch (const ChannelClosed& closed) { // the next call opens another channel
    pipeline.give_up(closed);
    throw;
  } catch (const Failure& failure) {
    pipeline.give_up(failure);
    if (!pipeline.connection_is_of_use()) link.drop();
    pipeline.complain();
    throw; // all results are there; the failure's text says why
  }
  if (pipeline.all_are_too_large()) pipeline.complain();
}

} // namespace swapmq::rabbitmq
