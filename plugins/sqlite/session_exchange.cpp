// SPDX-License-Identifier: MIT
//
// The exchange: settle, claim, wait. Settlements and the claim that follows them share one
// transaction, and with it one sync.
#include <algorithm>
#include <utility>

#include "claim_messages.hpp"
#include "claims.hpp"
#include "consumers.hpp"
#include "keys.hpp"
#include "lanes.hpp"
#include "parked.hpp"
#include "publish.hpp"
#include "session.hpp"
#include "session_call.hpp"

namespace swapmq::sqlite {
namespace {

using backend::Deadline;
using backend::ExchangeArgs;
using backend::Failure;
using backend::Received;
using Clock = Deadline::Clock;
using std::chrono::milliseconds;

// However quiet it is, a waiting session looks up this often: for the dead, for leases, and for
// changes by programs that do not wake anybody.
constexpr milliseconds kLongestNap(500);

// Who settles has done the work already: where only other writers stand in the way, it is worth a
// moment beyond a deadline that was meant for receiving.
constexpr milliseconds kSettleGrace(200);

int64_t renewal_of(int64_t lease_ms) { return std::max<int64_t>(1, lease_ms / 3); }

struct Outlook {
  bool ready = false;
  int64_t next_due_ms = -1; // unix; -1: nothing is delayed
};

/// A cheap look whether it is worth taking the right to write.
Outlook look_ahead(Database& database, std::string_view queue_name) {
  Outlook outlook;
  std::vector<int64_t> delayed;
  {
    Query query(database,
                "SELECT l.lane, l.fresh + l.again, l.delayed FROM queues q JOIN lanes l "
                "ON l.lane BETWEEN q.id * 16 AND q.id * 16 + 15 WHERE q.name = ?1");
    query.bind(queue_name);
    while (query.step()) {
      if (query.integer(1) > 0) outlook.ready = true;
      if (query.integer(2) > 0) delayed.push_back(query.integer(0));
    }
  }
  for (const int64_t lane : delayed) {
    const int64_t due = next_due_ms(database, lane);
    if (due < 0) continue;
    if (outlook.next_due_ms < 0 || due < outlook.next_due_ms) outlook.next_due_ms = due;
  }
  if (outlook.next_due_ms >= 0 && outlook.next_due_ms <= backend::unix_now_ms()) {
    outlook.ready = true;
  }
  return outlook;
}

/// While it lives, interrupt() knows which slot to wake.
class Waiting {
 public:
  Waiting(std::atomic<uint32_t>& waits_on, uint32_t slot, uint32_t none)
      : waits_on_(waits_on), none_(none) {
    waits_on_.store(slot);
  }
  ~Waiting() { waits_on_.store(none_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::atomic<uint32_t>& waits_on_;
  uint32_t none_;
};

/// Until it is committed nothing of a transaction is true, in memory neither.
class Unsaved {
 public:
  explicit Unsaved(SqliteSubscription& subscription)
      : subscription_(subscription),
        held_(subscription.held),
        consumer_(subscription.consumer),
        renew_at_ms_(subscription.renew_at_ms) {}
  ~Unsaved() {
    if (saved_) return;
    subscription_.held = held_;
    subscription_.consumer = consumer_;
    subscription_.renew_at_ms = renew_at_ms_;
  }
  Unsaved(const Unsaved&) = delete;
  Unsaved& operator=(const Unsaved&) = delete;

  void saved() { saved_ = true; }

 private:
  SqliteSubscription& subscription_;
  const int64_t held_;
  const int64_t consumer_;
  const int64_t renew_at_ms_;
  bool saved_ = false;
};

} // namespace

Received SqliteSession::exchange(backend::Subscription& subscription, const ExchangeArgs& args) {
  auto& ours = static_cast<SqliteSubscription&>(subscription);
  return call(args.deadline, [&]() -> Received {
    const bool settles = !args.settlements.empty();
    if (args.max_messages == 0) {
      if (settles) settle_only(ours, args);
      renew_leases();
      return {};
    }
    try {
      database_.file().check_undamaged();
      // Room is made by the settlements, if only they are done first.
      const int64_t wanted = wanted_by(ours, args.max_messages);
      if (settles && wanted <= 0) {
        settle_only(ours, args);
        return receive(ours, args, wanted_by(ours, args.max_messages), false);
      }
      return receive(ours, args, wanted, settles);
    } catch (const Failure& failure) {
      // What is in hand may still be settled; it is the handing out that ends.
      if (failure.status() == SWAPMQ_CORRUPT && settles &&
          args.settlement_results[0] == SWAPMQ_STATUS_UNTOUCHED) {
        settle_only(ours, args);
      }
      throw;
    }
  });
}

Received SqliteSession::receive(SqliteSubscription& subscription, const ExchangeArgs& args,
                                int64_t wanted, bool settle) {
  const SqliteQueue& queue = subscription.queue;
  const Peers& peers = database_.file().peers();
  const bool poked = interrupted_.exchange(false);
  const Waiting waiting(waits_on_, queue.slot(), kNotWaiting);
  for (bool first = true;; first = false) {
    renew_leases(); // before anything is claimed: what it throws must not take a batch along
    // Read before the look, so that what changes in between is not slept over.
    const uint32_t seen = peers.look(queue.slot());
    const Outlook outlook = wanted > 0 ? look_ahead(database_, queue.name()) : Outlook{};
    Claimed claimed;
    if (settle || outlook.ready) {
      try {
        claimed = settle_and_claim(subscription, args, outlook.ready ? wanted : 0, settle);
      } catch (const Failure& failure) {
        // No turn to write until the deadline: as good as no message until then.
        if (settle || failure.status() != SWAPMQ_TIMEOUT) throw;
      }
      settle = false;
      if (claimed.batch != nullptr && claimed.batch->size() > 0) {
        return {std::move(claimed.batch), false};
      }
    }
    if ((first && poked) || interrupted_.exchange(false)) return {nullptr, true};
    if (args.deadline.passed()) return {};
    if (claimed.stopped) continue;
    database_.file().check_in_place(); // who only reads would read on from a file that is gone
    if (database_.file().take_watch()) {
      return_claims_of_the_dead(database_, backend_.host());
    }
    milliseconds nap = std::min(kLongestNap, until_renewal());
    if (outlook.next_due_ms >= 0) {
      nap = std::min(nap, milliseconds(outlook.next_due_ms - backend::unix_now_ms()));
    }
    nap = std::max(nap, milliseconds(0));
    peers.wait(queue.slot(), seen, std::min(args.deadline.at(), Clock::now() + nap));
  }
}

int64_t SqliteSession::wanted_by(SqliteSubscription& subscription, std::size_t max_messages) {
  const auto asked = static_cast<int64_t>(std::min<std::size_t>(max_messages, kMaxBatch));
  if (subscription.held + asked <= subscription.prefetch) return asked;
  // The count in memory may be too high, where messages were taken from us: the file knows.
  subscription.held = 0;
  if (subscription.consumer != 0) {
    Query query(database_, "SELECT coalesce(sum(held), 0) FROM claims WHERE id BETWEEN ?1 AND ?2");
    query.bind(first_claim(subscription.consumer)).bind(last_claim(subscription.consumer));
    if (query.step()) subscription.held = query.integer(0);
  }
  return std::min(asked, subscription.prefetch - subscription.held);
}

void SqliteSession::settle_only(SqliteSubscription& subscription, const ExchangeArgs& args) {
  settle_and_claim(subscription, args, 0, true);
}

Claimed SqliteSession::settle_and_claim(SqliteSubscription& subscription, const ExchangeArgs& args,
                                        int64_t wanted, bool settle) {
  Unsaved unsaved(subscription);
  std::vector<swapmq_status> statuses;
  Claimed claimed;
  if (settle) database_.grant(kSettleGrace);
  // A claim alone need not reach the disk: the power that takes it takes the consumer too.
  WriteTransaction transaction(database_, settle);
  Lanes lanes(database_);
  if (settle) settle_all(subscription, transaction, lanes, args.settlements, statuses);
  if (wanted > 0) {
    if (const auto queue = find_queue(database_, subscription.queue.name())) {
      ensure_consumer(subscription);
      claimed = claim_messages(
          database_, lanes,
          {queue->id, wanted, args.max_bytes, subscription.consumer, &subscription.claim_count});
      subscription.held += static_cast<int64_t>(claimed.batch->size());
    }
  }
  lanes.save();
  transaction.commit();
  unsaved.saved();
  std::copy(statuses.begin(), statuses.end(), args.settlement_results);
  return claimed;
}

std::unique_ptr<backend::Batch> SqliteSession::claim_delayed(backend::Subscription& subscription,
                                                             const backend::ClaimArgs& args) {
  auto& ours = static_cast<SqliteSubscription&>(subscription);
  return call(args.deadline, [&]() -> std::unique_ptr<backend::Batch> {
    database_.file().check_undamaged();
    renew_leases(); // before anything is claimed: what it throws must not take a batch along
    const int64_t wanted = wanted_by(ours, args.max_messages);
    while (wanted > 0 && look_ahead(database_, ours.queue.name()).next_due_ms >= 0) {
      Claimed claimed = claim_delayed_once(ours, args, wanted);
      if (claimed.batch != nullptr && claimed.batch->size() > 0) return std::move(claimed.batch);
      if (!claimed.stopped || args.deadline.passed()) break;
    }
    return nullptr;
  });
}

Claimed SqliteSession::claim_delayed_once(SqliteSubscription& subscription,
                                          const backend::ClaimArgs& args, int64_t wanted) {
  Unsaved unsaved(subscription);
  WriteTransaction transaction(database_, false);
  const auto queue = find_queue(database_, subscription.queue.name());
  if (!queue) return {};
  Lanes lanes(database_);
  ensure_consumer(subscription);
  Claimed claimed = claim_delayed_messages(
      database_, lanes,
      {queue->id, wanted, args.max_bytes, subscription.consumer, &subscription.claim_count});
  subscription.held += static_cast<int64_t>(claimed.batch->size());
  lanes.save();
  transaction.commit();
  unsaved.saved();
  return claimed;
}

void SqliteSession::settle_all(SqliteSubscription& subscription, WriteTransaction& transaction,
                               Lanes& lanes, backend::Settlements settlements,
                               std::vector<swapmq_status>& statuses) {
  statuses.reserve(settlements.size());
  Settler settler(database_, transaction, lanes, backend_.options().max_messages);
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const swapmq_settlement& settlement = settlements[i];
    DeadLetterTarget target;
    if (settlement.target != nullptr) {
      const auto& queue =
          static_cast<const SqliteQueue&>(*reinterpret_cast<backend::Queue*>(settlement.target));
      target = {queue.name(), queue.max_length()};
    }
    const swapmq_status status =
        settler.settle(settlement, settlement.target != nullptr ? &target : nullptr);
    if (status == SWAPMQ_OK && subscription.held > 0) --subscription.held;
    statuses.push_back(status);
  }
  settler.save();
}

void SqliteSession::ensure_consumer(SqliteSubscription& subscription) {
  const int64_t end =
      subscription.consumer != 0 ? lease_end_ms(database_, subscription.consumer) : -1;
  const int64_t now = boot_now_ms();
  // Claims are numbered with 32 bits of the consumer's own; then it is time for another consumer.
  const bool used_up = subscription.claim_count + kRanks >= kClaimsOfConsumer;
  if (end < 0 || (used_up && subscription.held == 0)) {
    subscription.consumer = register_consumer(database_, subscription.lease_ms);
    subscription.claim_count = 0;
    subscription.held = 0;
  } else if (now < subscription.renew_at_ms) {
    return;
  } else {
    renew_lease(database_, subscription.consumer, subscription.lease_ms);
  }
  subscription.renew_at_ms = now + renewal_of(subscription.lease_ms);
}

/// The lease is the session's: whatever it does is a sign of life for all of them.
void SqliteSession::renew_leases() {
  try {
    for (SqliteSubscription* subscription : subscriptions_) renew_if_due(*subscription);
  } catch (const Failure& failure) {
    // No turn to write within the deadline: two thirds of the lease are left to try again.
    if (failure.status() != SWAPMQ_TIMEOUT) throw;
  }
}

milliseconds SqliteSession::until_renewal() const {
  milliseconds left = milliseconds::max();
  for (const SqliteSubscription* subscription : subscriptions_) {
    if (subscription->held == 0) continue;
    left = std::min(left, milliseconds(subscription->renew_at_ms - boot_now_ms()));
  }
  return left;
}

void SqliteSession::renew_if_due(SqliteSubscription& subscription) {
  if (subscription.held == 0 || boot_now_ms() < subscription.renew_at_ms) return;
  const int64_t now = boot_now_ms();
  WriteTransaction transaction(database_, false);
  const bool renewed = renew_lease(database_, subscription.consumer, subscription.lease_ms);
  transaction.commit();
  subscription.renew_at_ms = now + renewal_of(subscription.lease_ms);
  if (renewed) return;
  // It was taken for dead: what it held is others' now, and settles as lost.
  subscription.consumer = 0;
  subscription.held = 0;
}

} // namespace swapmq::sqlite
