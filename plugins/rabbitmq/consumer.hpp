// SPDX-License-Identifier: MIT
//
// A consumer of a queue. The broker pushes to it, up to its prefetch, on a connection of its own;
// what it has to publish (nacks, dead letters, delays) goes over the session's other connection.
//
// It is a consumer to the broker only while the host asks for messages: what is pushed to one that
// does not ask is kept from others.
//
// A counted nack is a copy of the message with one more nack in its headers, published and
// confirmed, and then an ack: the broker's own counts differ from queue type to queue type, and
// count what was released, too. A release is the broker's own requeue, which keeps the place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "claimer.hpp"
#include "message_decoder.hpp"
#include "network/wake.hpp"
#include "publish.hpp"
#include "swapmq/backend.hpp"
#include "tags.hpp"

namespace swapmq::rabbitmq {

/// A delivery that waits to be handed out.
struct Waiting {
  swapmq_message* message = nullptr;
  Returned returned;
  uint64_t tag = 0;
  uint32_t flags = 0;
  std::shared_ptr<const void> header; // keeps what the message is made of
  std::shared_ptr<const void> body;

  [[nodiscard]] int64_t due_ms() const { return rabbitmq::due_ms(*message, returned); }
  [[nodiscard]] uint32_t deliveries() const;
};

class Consumer final : public backend::Subscription {
 public:
  /// Makes the queue where it is missing. Throws Failure.
  Consumer(const ConsumerContext& context, RabbitQueue& queue, const swapmq_subscribe_args& args);

  backend::Received exchange(const backend::ExchangeArgs& args);
  /// What waits for its time; null if nothing is found that does.
  std::unique_ptr<backend::Batch> claim_delayed(const backend::ClaimArgs& args);
  /// Serves heartbeats; takes in what is there.
  void service();
  /// Gives back all that it holds. Does not wait for a broker that does not answer.
  void leave();

 private:
  using Clock = backend::Deadline::Clock;

  // How often one that gets nothing asks whether there is something.
  static constexpr milliseconds kLookEvery{2000};

  /// A settlement and the delivery that it is about.
  struct Given {
    std::size_t settlement;
    uint64_t tag;
  };
  /// One exchange.
  struct Call {
    Call(const backend::ExchangeArgs& its_args, milliseconds grace);

    const backend::ExchangeArgs& args;
    // That of the arguments is for waiting; what must be done has a moment more, all of it
    // together.
    backend::Deadline deadline;
    std::vector<Given> acks, released, copied;
    std::vector<Given> claims;         // of what was claimed before its time
    std::vector<Given> told;           // in an earlier call
    std::vector<TagSettlement> frames; // what is to be told to the broker
    bool pends = false;                // what becomes of the acks is heard later
  };
  /// The last of what the broker was told in one go: so many of this consumer's deliveries are
  /// settled, after so many.
  struct Told {
    uint64_t before = 0;
    uint64_t count = 0;
    bool anything = false;
  };

  // consumer.cpp: being one
  Connection& attach(backend::Deadline deadline, const network::Wake* wake);
  void make_queue(backend::Deadline deadline);
  void begin_pushing(backend::Deadline deadline);
  void consume(Connection& connection, backend::Deadline deadline);
  [[nodiscard]] bool could_push_more() const;
  void give_back_all(Connection& connection, backend::Deadline deadline);
  void stop_pushing(Connection& connection, backend::Deadline deadline);
  void await_barrier(Connection& connection, uint64_t barrier, backend::Deadline deadline);
  void await_healing(backend::Deadline deadline, const network::Wake* wake) const;
  [[nodiscard]] bool is_attached();
  void take_what_waits(std::vector<TagSettlement>& frames);
  void lose_all();
  void lost(const backend::Failure& failure);
  void take_in();
  void take_frames(Connection& connection);
  void take_method(Connection& connection, const Frame& frame);
  void queue_is_gone();
  void channel_closed(const ChannelClosed& closed);
  void delivery_begins(const Frame& frame);
  void header_came(Connection& connection, const Frame& frame);
  void body_came(Connection& connection, const Frame& frame);
  void delivery_is_whole();

  // consumer_receive.cpp: receiving
  backend::Received receive(Call& call);
  void wait(const Call& call);
  void look_whether_starved(backend::Deadline deadline);
  [[nodiscard]] bool may_starve() const;
  void tend(backend::Deadline deadline);
  void drop_expired(std::vector<TagSettlement>& acks);
  void hold_until_due();
  void send_on(std::vector<TagSettlement>& acks, backend::Deadline deadline);
  [[nodiscard]] Clock::time_point next_event(const Call& call) const;
  [[nodiscard]] std::size_t room_beside_claims() const;
  std::unique_ptr<backend::Batch> hand_out(const backend::ExchangeArgs& args);

  // consumer_settle.cpp: settling
  void sort(Call& call);
  void settle(Call& call);
  void copy(Call& call);
  Told append(std::vector<TagSettlement>& frames);
  [[nodiscard]] bool is_heard(const Told& told) const;
  bool hears(Connection& connection, const Told& told, backend::Deadline deadline);
  void ask(Connection& connection, backend::Deadline deadline);
  bool tell_ahead(std::vector<TagSettlement>& frames, backend::Deadline deadline);
  void end_pending(Call& call, uint64_t epoch, bool handed_out);
  void tell(std::vector<TagSettlement>& frames, backend::Deadline deadline);
  void give_back_what_waits(std::vector<TagSettlement>& frames, backend::Deadline deadline);
  void finish(const Call& call, const std::vector<Given>& given, swapmq_status status);
  void settled(const Call& call, const Given& given, swapmq_status status);
  void could_not(const Call& call) noexcept;
  void settle_claims(Call& call);

  ConsumerContext context_;
  RabbitQueue& queue_;
  Link link_;
  Tags tags_;
  const std::size_t prefetch_;
  Claimer claimer_;

  uint64_t attached_to_ = 0;      // the serial of the connection; 0: none
  bool pushing_ = false;          // the broker pushes: we are a consumer to it
  std::string consumer_tag_;      // under this name
  uint64_t consumers_ = 0;        // how many names there were
  std::size_t pushed_ = 0;        // the prefetch of this consumer
  uint64_t push_from_ = 0;        // its first delivery tag
  uint64_t told_ = 0;             // so many of its deliveries are settled, as the broker was told
  Told unheard_;                  // the last of that of which is to be heard
  Clock::time_point asked_at_{};  // when the host last wanted messages
  Clock::time_point heal_at_{};   // a queue that was deleted is not made again before
  Clock::time_point look_at_{};   // if it holds nothing, whether there is something is asked then
  bool starving_ = false;         // there was, and nothing came since
  uint64_t barriers_ = 0;         // answered
  std::optional<Waiting> coming_; // a delivery of which not all is here
  bool header_is_here_ = false;
  char* large_body_ = nullptr; // coming_->body, where it takes several frames
  uint64_t body_size_ = 0;
  uint64_t body_here_ = 0;

  std::deque<Waiting> waiting_;
  std::vector<Waiting> early_;     // not due yet
  Clock::time_point send_on_at_{}; // after it could not be done
  bool any_expires_ = false;
};

} // namespace swapmq::rabbitmq
