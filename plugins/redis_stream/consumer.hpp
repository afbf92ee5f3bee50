// SPDX-License-Identifier: MIT
//
// A consumer of a stream's group. It reads on a connection of its own, where XREADGROUP may block;
// all else goes over the session's other connection, so that no settlement waits behind a read.
//
// What it holds is in the group's pending list in its name, and in slots_. Its sign of life is a
// key that expires with its lease: while the key is there, nobody takes over. What it gives back
// stays in the pending list in the name of kReturned, with its time in the sorted set `due`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "keys.hpp"
#include "link.hpp"
#include "network/deadlines.hpp"
#include "network/wake.hpp"
#include "read_answer.hpp"
#include "read_size.hpp"
#include "slots.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

/// A queue's handle.
class RedisQueue;

/// What a consumer uses of its session.
struct ConsumerContext {
  Dialer& dialer;
  const backend::Host& host;
  const Options& options;
  const std::string& identity; // of the host
  Link& control;
  network::Wake& wake;
};

class Consumer final : public backend::Subscription {
 public:
  /// Makes the queue and its group where they are missing. Throws Failure.
  Consumer(const ConsumerContext& context, const RedisQueue& queue,
           const swapmq_subscribe_args& args);

  backend::Received exchange(const backend::ExchangeArgs& args);
  /// What waits for its time; null if nothing does.
  std::unique_ptr<backend::Batch> claim_delayed(const backend::ClaimArgs& args);
  /// Renews the lease if that is due.
  void service(backend::Deadline deadline);
  /// Gives back all that it holds. Does not wait for a server that does not answer.
  void leave();

 private:
  using Clock = backend::Deadline::Clock;

  /// One delivery that waits to be handed out.
  struct Waiting {
    const swapmq_message* message;
    uint32_t slot;
    uint32_t deliveries;
    uint32_t flags;
    std::shared_ptr<Arena> arena; // where the message is
  };
  /// A settlement and the slot that it is about.
  struct Given {
    std::size_t settlement; // kNone: the message expired, and nobody asked
    uint32_t slot;
  };
  static constexpr std::size_t kNone = SIZE_MAX;
  /// One exchange.
  struct Call {
    Call(const backend::ExchangeArgs& its_args, milliseconds grace)
        : args(its_args),
          deadline(network::deadline_at(network::at_least(args.deadline, {}).at() + grace)) {}

    const backend::ExchangeArgs& args;
    std::vector<Given> acks; // plain ones, which ride with the next request
    bool acks_sent = false;
    std::vector<Given> fenced, returned, dead;
    std::vector<Given> claims; // acks, nacks and releases of what was claimed before its time
    // That of the arguments is for waiting; what must be done has a moment more, all of it
    // together.
    backend::Deadline deadline;
  };

  // consumer.cpp: being one
  void join(backend::Deadline deadline);
  void renew_if_due(backend::Deadline deadline);
  [[nodiscard]] bool lease_is_sure() const { return Clock::now() < lease_until_; }
  void lapsed();
  void heal_group(backend::Deadline deadline);
  void recover(backend::Deadline deadline);
  void recover_of(Connection& connection, bool later, backend::Deadline deadline);
  void give_back_unknown(Connection& connection, const std::vector<const Reply*>& unknown,
                         backend::Deadline deadline);
  void compare_pending(int64_t at_server);

  // consumer_claim.cpp: what is handed out before its time
  std::unique_ptr<backend::Batch> claim_once(const backend::ClaimArgs& args, std::size_t asked,
                                             backend::Deadline deadline, bool& again);
  std::unique_ptr<backend::Batch> take_claimed(const Reply& reply,
                                               const std::shared_ptr<Arena>& arena);
  struct ClaimedEntry;
  void add_claim(backend::Batch& batch, const ClaimedEntry& entry, swapmq_message& message,
                 bool good, uint32_t slot);
  void forget_lost_claims(const Reply& reply);
  void settle_claims(Call& call);
  void begin_settling_claims(Connection& connection, std::size_t count);
  static void append_claim(Commands& out, const Slot& slot, int32_t action, int64_t due_at_ms);
  void release_unknown(Connection& connection, const std::vector<const Reply*>& unknown,
                       backend::Deadline deadline);

  // consumer_read.cpp: receiving
  backend::Received receive(Call& call);
  void prepare(Call& call, bool may_wait, bool may_read);
  void take_first(Call& call);
  void take_due(Call& call, std::size_t most);
  void start_read(Call& call, std::size_t wanted, bool block);
  [[nodiscard]] bool is_worth_reading_ahead(std::size_t wanted) const;
  void read_ahead(Call& call);
  void finish_read();
  void stop_read(backend::Deadline deadline, milliseconds patience);
  void settle_while_reading(Call& call);
  void read_until_readable(const Connection& other, backend::Deadline deadline);
  void read_ended(std::size_t asked);
  void refused(std::string_view why);
  void lost_reader(const backend::Failure& failure);
  [[nodiscard]] Clock::time_point silent_at() const;
  void check_silence();
  void poll_until(Clock::time_point until);
  void keep(const ReadAnswer::Entry& entry, uint32_t deliveries, bool returned,
            const std::shared_ptr<Arena>& arena);
  [[nodiscard]] std::size_t room(const Call& call) const;
  [[nodiscard]] Clock::time_point next_event(const Call& call) const;
  void drop_expired(Call& call);
  std::unique_ptr<backend::Batch> hand_out(const backend::ExchangeArgs& args);

  // consumer_settle.cpp: settling
  void sort(Call& call);
  void settle_by_script(Call& call);
  void append_acks(Connection& connection, Call& call);
  void read_acks(Connection& connection, Call& call);
  void flush_acks(Call& call);
  void lose(const Call& call, const std::vector<Given>& given);
  void settled(const Call& call, const Given& given, swapmq_status status);
  template <class Work>
  void over_control(Call& call, const std::vector<Given>& given, Work&& work);
  void ack_fenced(Call& call);
  void give_back(Call& call);
  void append_return(Commands& out, const Call& call, const Given& given);
  void read_verdicts(const Call& call, std::span<const Given> part, const Reply& reply);
  void dead_letter(Call& call, const Given& given);
  void copy_to_other_slot(Connection& connection, Call& call, const Given& given,
                          const swapmq_message& letter, const RedisQueue& target);
  void still_held(const Call& call);

  ConsumerContext context_;
  const QueueKeys& keys_;
  Slots slots_;
  const milliseconds lease_;
  const std::string name_;
  const std::string alive_;
  const std::size_t prefetch_;

  Link reader_;
  std::size_t reading_ = 0; // how many the read asked for that was not answered yet; 0: none
  bool reading_blocks_ = false;
  bool reading_ahead_ = false;
  bool may_unblock_ = true; // as far as we know
  std::size_t flow_ =
      0; // how many came in full reads in a row, which brought all that was asked for
  std::string read_command_; // its arguments before COUNT, encoded
  ReadAnswer answer_;
  Clock::time_point read_since_{};

  std::deque<Waiting> waiting_;
  ReadSize read_size_;

  Clock::time_point lease_until_{}; // it is ours at least until then
  Clock::time_point renew_at_{};
  Clock::time_point take_at_{};          // when to look for what came back
  Clock::time_point look_for_dead_at_{}; // and for dead consumers
  bool group_is_gone_ = false;
  Clock::time_point heal_at_{};
  bool must_recover_ = false; // the server may have given us what we do not know of
  bool excess_seen_ = false;
  bool has_claimed_ = false;                 // before its time, ever
  bool has_lapsed_ = false;                  // its lease, ever
  Clock::time_point look_for_dead_claims_{}; // of dead consumers
};

/// Runs work(connection) over the control connection. If that is lost on the way, what is given and
/// was not answered is lost.
template <class Work>
void Consumer::over_control(Call& call, const std::vector<Given>& given, Work&& work) {
  Connection& connection = context_.control.open(call.deadline);
  try {
    work(connection);
  } catch (...) {
    context_.control.drop();
    lose(call, given);
    throw;
  }
}

} // namespace swapmq::redis
