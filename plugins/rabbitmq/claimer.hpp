// SPDX-License-Identifier: MIT
//
// Handing out what waits in a queue's delay queues, to be moved elsewhere. It is got, one by one,
// on a connection of its own, and unacked until it is settled: the broker lets nobody have it, nor
// does its time in the delay queue end, and takes it back with the connection.
//
// What the broker takes back keeps its end in the delay queue, but stands before all others there,
// behind what was taken back earlier: of several claimers, whoever comes back last waits behind
// what is due later. So a release is a copy, as a nack is, which waits anew; the broker takes back
// only what the dead held, and those that leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control.hpp"
#include "management.hpp"
#include "message_decoder.hpp"
#include "network/wake.hpp"
#include "publish.hpp"
#include "swapmq/backend.hpp"
#include "tags.hpp"

namespace swapmq::rabbitmq {

/// A queue's handle.
class RabbitQueue;

/// What a consumer uses of its session.
struct ConsumerContext {
  Dialer& dialer;
  const backend::Host& host;
  const ManagementClient* management; // null: there is none
  Link& control;
  network::Wake& wake;
};

/// Of one subscription; connects with its first claim. Throws Failure.
class Claimer {
 public:
  Claimer(const ConsumerContext& context, RabbitQueue& queue);

  /// Up to `room` of them, by about when they are due; null if none is found. What moves from one
  /// delay queue to another at this moment is not.
  std::unique_ptr<backend::Batch> claim(const backend::ClaimArgs& args, std::size_t room,
                                        backend::Deadline deadline);
  /// The tag of what is claimed and not settled.
  [[nodiscard]] std::optional<uint64_t> find(const swapmq_receipt& receipt) const {
    return tags_.find(receipt);
  }
  [[nodiscard]] std::size_t held() const { return claimed_.size(); }

  struct Given {
    const swapmq_settlement* settlement;
    uint64_t tag;
    swapmq_status* result;
  };
  /// Every one gets its result.
  void settle(std::span<const Given> given, backend::Deadline deadline);

  /// What the broker has to say meanwhile; heartbeats.
  void take_in();
  void service() { take_in(); }
  /// Gives back what is held, for as long as there is time.
  void leave(backend::Deadline deadline);

 private:
  using Clock = backend::Deadline::Clock;

  /// A delay queue.
  struct Place {
    std::string name;
    bool exists = false;   // as far as is known
    bool set_aside = true; // perhaps: something ended there, by this claimer or one before it
  };
  /// One that is got.
  struct Got {
    uint64_t tag = 0;
    std::size_t place = 0;
    swapmq_message* message = nullptr;
    Returned returned;
    bool good = true;
    std::shared_ptr<const void> header; // keeps what the message is made of
    std::shared_ptr<const void> body;
    [[nodiscard]] int64_t due_ms() const { return rabbitmq::due_ms(*message, returned); }
  };
  /// One that is claimed.
  struct Claimed {
    std::size_t place = 0;
    Returned returned;
    int64_t published_due_ms = 0; // what the message said, which is shown with its present time
  };

  // Finding the delay queues.
  void learn_places();
  std::optional<std::set<std::string>> list(backend::Deadline deadline) const;
  bool look_for_more(backend::Deadline deadline);
  uint64_t ready_in(Place& place, backend::Deadline deadline);

  // Getting.
  Connection& attach(backend::Deadline deadline);
  void get_all(std::vector<Got>& got, const backend::ClaimArgs& args, std::size_t most,
               backend::Deadline deadline);
  void get_from(std::size_t place, std::vector<Got>& got, const backend::ClaimArgs& args,
                std::size_t most, backend::Deadline deadline);
  void send_on(Place& place, backend::Deadline deadline);
  std::optional<Got> read_got(Connection& connection, std::size_t place,
                              backend::Deadline deadline);
  void read_content(Connection& connection, Got& got, backend::Deadline deadline);
  [[nodiscard]] static bool is_full(const std::vector<Got>& got, const backend::ClaimArgs& args,
                                    std::size_t most);
  void put_back_rest(std::vector<Got>& got, const backend::ClaimArgs& args, std::size_t most,
                     backend::Deadline deadline);
  void sift(std::vector<Got>& got, std::size_t from, backend::Deadline deadline);
  std::unique_ptr<backend::Batch> hand_out(std::vector<Got>& got);

  // Settling.
  void lose_what_is_gone(std::span<const Given> given, backend::Deadline deadline);
  std::vector<TagSettlement> copy(std::span<const Given> given, backend::Deadline deadline);
  void tell(std::vector<TagSettlement>& frames, backend::Deadline deadline);
  void lose_all();
  void lost(const backend::Failure& failure);

  const ConsumerContext context_;
  RabbitQueue& queue_;
  Link link_;
  Tags tags_;
  std::map<uint64_t, Claimed> claimed_; // by tag
  std::vector<Place> places_;           // shortest delay first
  uint64_t attached_to_ = 0;            // the serial of the connection; 0: none
  Clock::time_point look_at_{};         // when to look for further delay queues
  milliseconds look_every_;
};

} // namespace swapmq::rabbitmq
