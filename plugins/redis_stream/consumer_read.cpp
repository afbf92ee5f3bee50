// SPDX-License-Identifier: MIT
//
// Receiving: first what came back and is due, by a script; then what is new, by an XREADGROUP that
// may block at the server. A read that was not answered when a call ends is left standing, and the
// next call takes its answer.
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <utility>

#include "answers.hpp"
#include "consumer.hpp"
#include "entry.hpp"
#include "redis_batch.hpp"
#include "scripts.hpp"
#include "server_error.hpp"
#include "session.hpp"

namespace swapmq::redis {
namespace {

using backend::Deadline;
using backend::Failure;
using backend::Received;
using network::at_most;
using network::ConnectionLost;
using network::Interrupted;

constexpr milliseconds kRescueEveryAtLeast(50);
// A read that does not end when it is told to is left standing.
constexpr milliseconds kStopAtMost(400);
// Of an answer (32 KiB each), before looking at the time again.
constexpr int kPiecesAtOnce = 64;
// So many entries that came in full reads, each of so many at least, are a flow that is worth
// reading ahead of.
constexpr std::size_t kFlow = 128;
constexpr std::size_t kWorthReadingAhead = 32;

constexpr std::string_view kReading = "to read";

/// That the answer is three numbers and then, for each entry, an id, fields and a number. Throws.
void check_taken(const Reply& reply) {
  const Reply* at = expect_array(reply, 3, kReading);
  for (int i = 0; i < 3; ++i, at = at->next) expect_integer(*at, -1, INT64_MAX, kReading);
  if (reply.count % 3 != 0) no_answer(kReading);
  for (; at != nullptr; at = at->next->next->next) {
    expect_integer(*at->next->next, 1, UINT32_MAX, kReading);
  }
}

} // namespace

Received Consumer::exchange(const backend::ExchangeArgs& args) {
  Call call(args, context_.options.settle_grace);
  sort(call);
  try {
    settle_by_script(call);
    if (args.max_messages > 0) return receive(call);
    flush_acks(call);
    renew_if_due(call.deadline);
    return {};
  } catch (...) {
    if (call.acks_sent) lose(call, call.acks);
    still_held(call);
    throw;
  }
}

Received Consumer::receive(Call& call) {
  const bool poked = context_.wake.take();
  const bool may_wait = !poked && !call.args.deadline.passed();
  for (bool first = true;; first = false) {
    try {
      prepare(call, may_wait, may_wait || first);
      const bool in_vain = may_wait && waiting_.empty() && call.args.deadline.passed();
      // Only an interrupt leaves a read standing: what it brings is kept from others until the next
      // call, which then comes at once.
      if (in_vain || (!waiting_.empty() && !reading_ahead_)) {
        stop_read(call.deadline, kStopAtMost);
      }
      if (auto batch = hand_out(call.args)) return {std::move(batch), false};
      const bool answer_is_due = first && reading_ > 0 && !reading_blocks_;
      if (!may_wait && !answer_is_due) return {nullptr, poked};
      if (in_vain) return {};
      // An answer that is due at once is awaited whatever else there is to do.
      poll_until(answer_is_due ? std::min(call.deadline.at(), silent_at()) : next_event(call));
      check_silence();
    } catch (const Interrupted&) {
      if (!context_.wake.lower()) continue; // of one that was answered before
      flush_acks(call);
      return {nullptr, true};
    }
  }
}

/// All that is to be done before there is nothing left but to wait.
void Consumer::prepare(Call& call, bool may_wait, bool may_read) {
  renew_if_due(call.deadline);
  if (reading_ > 0 && !call.acks.empty()) {
    settle_while_reading(call);
  } else if (reading_ > 0) {
    finish_read();
  }
  if (Clock::now() >= take_at_) take_first(call);
  if (group_is_gone_) heal_group(call.deadline);
  // Whatever was lost just now; and before a read stands, which could bring what looks lost.
  if (must_recover_ && reading_ == 0 && !group_is_gone_) recover(call.deadline);
  const std::size_t wanted = std::min(call.args.max_messages, room(call));
  if (may_read && waiting_.empty() && wanted > 0 && reading_ == 0 && !group_is_gone_) {
    // Who does not wait, and has enough to do meanwhile, gets the answer with the next call.
    const std::size_t held = slots_.used() - call.acks.size();
    const bool ahead = !may_wait && held >= wanted / 2 && is_worth_reading_ahead(wanted);
    if (ahead) flush_acks(call); // or their answers would come only with that of the read
    start_read(call, wanted, may_wait || ahead);
    reading_ahead_ = ahead && reading_ > 0;
  }
  drop_expired(call);
  flush_acks(call);
  if (!waiting_.empty()) read_ahead(call);
}

std::size_t Consumer::room(const Call& call) const {
  const std::size_t held = slots_.used() - call.acks.size() + reading_;
  return prefetch_ > held ? prefetch_ - held : 0;
}

Consumer::Clock::time_point Consumer::next_event(const Call& call) const {
  Clock::time_point next = std::min(call.args.deadline.at(), renew_at_);
  next = std::min(next, room(call) + reading_ > 0 ? take_at_ : look_for_dead_at_);
  if (group_is_gone_) next = std::min(next, heal_at_);
  if (reading_ > 0) next = std::min(next, silent_at());
  return next;
}

/// When a read that is not answered until then tells of a server that is gone.
Consumer::Clock::time_point Consumer::silent_at() const {
  return read_since_ + (reading_blocks_ ? context_.options.block : milliseconds(0)) +
         context_.options.connection_timeout;
}

void Consumer::poll_until(Clock::time_point until) {
  const Connection* reader = reader_.live();
  const int fd = reading_ > 0 && reader != nullptr ? reader->transport().fd() : -1;
  std::array<pollfd, 2> polled{pollfd{fd, POLLIN, 0}, pollfd{context_.wake.fd(), POLLIN, 0}};
  const Deadline deadline(until.time_since_epoch().count());
  if (poll(polled.data(), polled.size(), deadline.left_ms()) < 0) return; // a signal: look again
  if (polled[1].revents != 0) throw Interrupted{};
}

// ---- what came back -----------------------------------------------------------------------------

/// What came back goes before what is new, also before what was read ahead. A read that stands is
/// ended for it, or together they could bring more than was asked for, which others would miss.
void Consumer::take_first(Call& call) {
  if (reading_ > 0 && !reading_ahead_) {
    stop_read(call.deadline, kStopAtMost);
    if (reading_ > 0 && may_unblock_) { // it takes its time
      take_at_ = Clock::now() + context_.options.take_interval;
      return;
    }
  }
  // In a flow what was read ahead waits behind it; else nothing may be left for a later call.
  const std::size_t before = waiting_.size();
  const std::size_t rest = call.args.max_messages - (flow_ > 0 ? 0 : before);
  if (before >= call.args.max_messages && flow_ == 0) return;
  const std::size_t wanted = std::min(rest, room(call));
  // Without room it may look whether that is true: what was deleted takes none.
  if (wanted == 0 && Clock::now() < look_for_dead_at_) return;
  take_due(call, wanted);
  std::rotate(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(before),
              waiting_.end());
}

void Consumer::take_due(Call& call, std::size_t most) {
  const Clock::time_point now = Clock::now();
  const bool look_for_dead = now >= look_for_dead_at_;
  const Options& options = context_.options;
  const std::size_t asked = std::min({most, options.script_batch, read_size_.entries()});
  std::shared_ptr<Arena> arena;
  const bool had_to_recover = std::exchange(must_recover_, true); // unless the answer comes
  const Reply* reply = nullptr;
  const auto take = [&](Connection& connection) {
    append_acks(connection, call);
    const auto append = [&] {
      begin_call(
          connection, scripts::take(),
          {keys_.stream, keys_.due, keys_.scheduled, keys_.later, keys_.expiry, keys_.claimed}, 6)
          .arg(keys_.group)
          .arg(name_)
          .arg(asked)
          .arg(lease_.count())
          .arg(look_for_dead ? 1 : 0)
          .arg(keys_.alive(""));
    };
    append();
    read_acks(connection, call);
    OwnedReply answer = finish_script(connection, call.deadline, append, ReplyReader::kMostBytes);
    if (!answer->is_error()) check_taken(*answer);
    reply = answer.root;
    arena = std::move(answer.arena);
  };
  try {
    context_.control.use(call.deadline, take);
  } catch (const ConnectionLost&) {
    read_size_.did_not_come(asked);
    throw;
  }
  must_recover_ = had_to_recover;
  take_at_ = now + options.take_interval;
  if (look_for_dead) {
    look_for_dead_at_ = now + std::clamp(lease_ / 4, kRescueEveryAtLeast, options.rescue_interval);
  }
  if (reply->is_error()) return refused(reply->text);
  const Reply* at = reply->first; // next due, pending in our name, rescued, then three an entry
  const int64_t next_due = at->integer;
  const int64_t mine = at->next->integer;
  const int64_t rescued = at->next->next->integer; // which `mine` does not count yet
  if (rescued > 0) {
    context_.host.count("taken_from_dead_consumers", static_cast<uint64_t>(rescued));
  }
  std::size_t taken = 0;
  for (at = at->next->next->next; at != nullptr; at = at->next->next->next) {
    ReadAnswer::Entry entry{{}, arena->make<swapmq_message>(), false};
    if (!parse(at->text, entry.id)) no_answer(kReading);
    entry.good = decode(at->text, *at->next, *arena, *entry.message);
    keep(entry, static_cast<uint32_t>(at->next->next->integer), true, arena);
    ++taken;
  }
  read_size_.came(taken, arena->used());
  if (mine >= 0) compare_pending(mine + rescued);
  if (taken == asked && asked > 0) {
    take_at_ = now;
  } else if (next_due >= 0 && next_due < options.take_interval.count()) {
    take_at_ = now + milliseconds(next_due);
  }
}

// ---- what is new --------------------------------------------------------------------------------

void Consumer::start_read(Call& call, std::size_t wanted, bool block) {
  const std::size_t count = std::min({wanted, context_.options.read_batch, read_size_.entries()});
  Connection& connection = reader_.open(call.deadline, &context_.wake);
  try {
    append_acks(connection, call);
    Commands& out = connection.out();
    out.begin(block ? 11 : 9).raw(read_command_).arg(count);
    if (block) out.arg("BLOCK").arg(context_.options.block.count());
    out.arg("STREAMS").arg(keys_.stream).arg(">");
    reading_ = count;
    reading_blocks_ = block;
    reading_ahead_ = false;
    read_since_ = Clock::now();
    connection.flush(call.deadline);
    read_acks(connection, call);
    connection.begin(answer_);
  } catch (const Failure& failure) {
    lost_reader(failure);
    if (call.acks_sent) {
      lose(call, call.acks);
      call.acks.clear();
      call.acks_sent = false;
    }
    return;
  }
  finish_read();
}

void Consumer::lost_reader(const Failure& failure) {
  failure.status() == SWAPMQ_TIMEOUT ? reader_.drop() : reader_.broke();
  read_size_.did_not_come(reading_);
  reading_ = 0;
  must_recover_ = true; // an answer may have been on its way
  context_.host.log(SWAPMQ_LOG_WARN,
                    std::string("a consumer of \"") + keys_.stream + "\": " + failure.what());
}

/// Only where there surely is more, since what is read ahead is kept from others.
bool Consumer::is_worth_reading_ahead(std::size_t wanted) const {
  return flow_ >= kFlow && wanted >= kWorthReadingAhead;
}

/// There is more where the last read came from, and room for it: the server may work on the next
/// one while the application works on this one.
void Consumer::read_ahead(Call& call) {
  if (reading_ > 0 || group_is_gone_ || must_recover_) return;
  const std::size_t more = room(call);
  if (more < waiting_.size() / 2 || !is_worth_reading_ahead(more)) return;
  start_read(call, more, true);
  reading_ahead_ = true;
}

/// The acks over the other connection, and while the server does them, the answer of the read. The
/// next read begins when they are done: the server works on it while the application handles this
/// one.
void Consumer::settle_while_reading(Call& call) {
  context_.control.use(call.deadline, [&](Connection& connection) {
    append_acks(connection, call);
    connection.flush(call.deadline);
    std::exception_ptr refused; // which must not keep us from the acks' answers
    try {
      read_until_readable(connection, call.deadline);
    } catch (...) {
      refused = std::current_exception();
    }
    read_acks(connection, call);
    if (refused != nullptr) std::rethrow_exception(refused);
  });
}

/// Takes the answer of the read that stands, unless the other connection's comes first.
void Consumer::read_until_readable(const Connection& other, Deadline deadline) {
  finish_read();
  while (const Connection* reader = reading_ > 0 ? reader_.live() : nullptr) {
    // Of a large answer the server sends parts, and does the other's work in between.
    const int other_fd = answer_.is_under_way() ? -1 : other.transport().fd();
    std::array<pollfd, 2> polled{pollfd{reader->transport().fd(), POLLIN, 0},
                                 pollfd{other_fd, POLLIN, 0}};
    const Deadline until = network::deadline_at(std::min(deadline.at(), silent_at()));
    const int found = poll(polled.data(), polled.size(), until.left_ms());
    if (found == 0 || (found > 0 && polled[0].revents == 0)) return;
    finish_read();
  }
}

/// Takes the answer of the read that stands, if it is here.
void Consumer::finish_read() {
  Connection* connection = reader_.live();
  if (connection == nullptr) {
    reading_ = 0;
    return;
  }
  try {
    for (int pieces = 0; answer_.state() == ReadAnswer::State::awaited; ++pieces) {
      if (pieces == kPiecesAtOnce || !connection->receive(answer_)) return;
      read_since_ = Clock::now(); // it is not silent
    }
    read_ended(std::exchange(reading_, 0));
  } catch (const ConnectionLost& lost) {
    lost_reader(lost);
  }
}

/// Ends the read that stands, so that the server gives us nothing any more; keeps what it brings.
/// One that has not ended after so long stands on.
void Consumer::stop_read(Deadline deadline, milliseconds patience) {
  constexpr milliseconds kStep(20);
  const Deadline until = at_most(deadline, patience);
  while (reading_ > 0 && !until.passed()) {
    const Connection* reader = reader_.live();
    if (reader == nullptr) return;
    if (reading_blocks_) {
      if (!may_unblock_) return;
      may_unblock_ = context_.control.use(deadline, [&](Connection& connection) {
        connection.out().add("CLIENT", "UNBLOCK", reader->id);
        return !connection.read(deadline)->is_error(); // else its ACL does not allow it
      });
    }
    // The server may come to the read only after it was told not to block in it: then again.
    reader->transport().wait(false, at_most(until, kStep), nullptr);
    finish_read();
  }
}

void Consumer::read_ended(std::size_t asked) {
  const std::size_t flow_before = std::exchange(flow_, 0);
  if (answer_.state() == ReadAnswer::State::refused) return refused(answer_.refusal());
  if (answer_.state() == ReadAnswer::State::nothing) return;
  excess_seen_ = false;
  const std::shared_ptr<Arena> memory = answer_.take_memory();
  const std::size_t count = answer_.entries().size();
  for (const ReadAnswer::Entry& entry : answer_.entries()) keep(entry, 1, false, memory);
  if (count >= asked && asked >= kWorthReadingAhead) flow_ = flow_before + count;
  read_size_.came(count, answer_.bytes());
}

/// Of a read, in whichever way.
void Consumer::refused(std::string_view why) {
  flow_ = 0;
  if (meaning_of(why).status != SWAPMQ_NOT_FOUND) {
    reader_.drop(); // by another one the master may be found again
    throw server_failure(kReading, why);
  }
  if (group_is_gone_) return;
  group_is_gone_ = true;
  heal_at_ = Clock::now();
  context_.host.count("groups_lost");
  context_.host.log(SWAPMQ_LOG_ERROR,
                    "the queue \"" + keys_.stream +
                        "\" or its group is gone from Redis: deleted, or all of it flushed");
}

void Consumer::keep(const ReadAnswer::Entry& entry, uint32_t deliveries, bool returned,
                    const std::shared_ptr<Arena>& arena) {
  const swapmq_message* message = entry.message;
  uint32_t flags = returned ? SWAPMQ_DELIVERY_REDELIVERED : 0;
  if (!entry.good) {
    flags |= SWAPMQ_DELIVERY_UNDECODABLE;
    context_.host.count("undecodable_entries");
  }
  if (message->delivery_count > 0) flags |= SWAPMQ_DELIVERY_REDELIVERED;
  const uint32_t slot = slots_.add(entry.id, deliveries, message->expires_at_ms);
  // Others may have written any number.
  const uint64_t counted = uint64_t{deliveries} + message->delivery_count;
  const auto count = static_cast<uint32_t>(std::min<uint64_t>(counted, UINT32_MAX));
  waiting_.push_back({message, slot, count, flags, arena});
}

/// Server silent where a read should have ended: it is there, and it is not.
void Consumer::check_silence() {
  if (reading_ == 0 || Clock::now() < silent_at()) return;
  context_.host.count("silent_connections");
  lost_reader(ConnectionLost(context_.options.endpoint.title() +
                             " did not end a read in time; connecting anew"));
}

// ---- handing out --------------------------------------------------------------------------------

/// What expired while it waited here is acked instead.
void Consumer::drop_expired(Call& call) {
  const int64_t now_ms = backend::unix_now_ms();
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const int64_t expires_ms = waiting.message->expires_at_ms;
    if (expires_ms == 0 || expires_ms > now_ms) return false;
    call.acks.push_back({kNone, waiting.slot});
    return true;
  });
}

/// Null if nothing waits. Nothing here may fail once something is taken from waiting_.
std::unique_ptr<backend::Batch> Consumer::hand_out(const backend::ExchangeArgs& args) {
  if (waiting_.empty()) return nullptr;
  auto batch = std::make_unique<RedisBatch>();
  batch->reserve(std::min(waiting_.size(), args.max_messages));
  uint64_t bytes = 0;
  while (!waiting_.empty() && batch->size() < args.max_messages) {
    const Waiting& next = waiting_.front();
    bytes += next.message->body.size;
    if (args.max_bytes != 0 && batch->size() > 0 && bytes > args.max_bytes) break;
    batch->keep(next.arena);
    const Receipt receipt = slots_.receipt(next.slot);
    batch->add(next.message, receipt.bytes(), next.deliveries, next.flags);
    waiting_.pop_front();
  }
  return batch;
}

} // namespace swapmq::redis
