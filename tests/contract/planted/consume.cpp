// SPDX-License-Identifier: MIT
//
// Subscribing, settling, receiving.
#include <thread>

#include "session.h"

namespace planted {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using swapmq::backend::ExchangeArgs;
using swapmq::backend::Received;
using swapmq::backend::unix_now_ms;
using swapmq::backend::view;

namespace {

std::string_view receipt_view(const std::uint64_t& receipt) {
  return {reinterpret_cast<const char*>(&receipt), sizeof receipt};
}

std::uint64_t receipt_of(const swapmq_delivery& delivery) {
  std::uint64_t receipt = 0;
  if (delivery.receipt.size != sizeof receipt) return 0;
  std::memcpy(&receipt, delivery.receipt.bytes, sizeof receipt);
  return receipt;
}

} // namespace

std::unique_ptr<PlantedSession::Subscription> PlantedSession::subscribe(
    Queue& queue, const swapmq_subscribe_args& args) {
  const Lock lock(store_->mutex);
  line_of(queue);
  auto consumer = std::make_unique<Consumer>();
  const auto& named = static_cast<NamedQueue&>(queue);
  consumer->queue = named.name;
  consumer->max_length = named.spec.max_length;
  consumer->prefetch = args.prefetch;
  consumer->lease_ms = args.lease_ms;
  return consumer;
}

void PlantedSession::release(Line& line, const Held& held) {
  ItemPtr item = held.item;
  if (held.claimed_until != 0) {
    if (has("claim_counts")) item->returns++;
    if (!has("claim_ends_early")) {
      line.delayed.emplace(held.claimed_until, std::move(item)); // ready with the next tick, if due
      return;
    }
  }
  if (has("release_counts")) item->returns++;
  if (has("released_goes_last")) item->place = store_->next_place++;
  line.put(std::move(item), true);
}

void PlantedSession::nack(Line& line, ItemPtr item, std::int64_t due_at_ms) {
  ++nacks_;
  if (has("loses_on_nack")) return;
  if (!has("wrong_count") || nacks_ % 2 == 0) item->returns++;
  if (broker_.nacked_last()) item->place = store_->next_place++;
  if (due_at_ms > unix_now_ms() && !has("nack_delay_ignored")) {
    line.delayed.emplace(due_at_ms, std::move(item));
  } else {
    line.put(std::move(item), true);
  }
}

swapmq_status PlantedSession::dead_letter(const swapmq_settlement& settlement, ItemPtr item) {
  auto moved = std::make_shared<Item>(item->as_message());
  // It starts afresh there: no delay, no end, no counts.
  moved->fields.due_at_ms = moved->fields.expires_at_ms = 0;
  moved->fields.delivery_count = 0;
  if (has("dead_letter_loses_headers")) moved->headers.clear();
  const auto added = swapmq::backend::headers_of(settlement);
  for (std::size_t i = 0; i < added.size(); ++i) {
    const std::string name(view(added[i].name));
    if (!has("dead_letter_keeps_both")) {
      std::erase_if(moved->headers, [&](const auto& header) { return header.first == name; });
    }
    moved->headers.emplace_back(name, view(added[i].value));
  }
  moved->place = store_->next_place++;
  auto& target = *reinterpret_cast<Queue*>(settlement.target);
  line_of(target).put(std::move(moved), true);
  return SWAPMQ_OK;
}

swapmq_status PlantedSession::settle(Consumer& consumer, const swapmq_settlement& settlement) {
  const bool absent = broker_.absent();
  if (absent && settlement.action > SWAPMQ_SETTLE_NACK) return SWAPMQ_NOT_SUPPORTED;
  if (absent && settlement.due_at_ms > unix_now_ms()) return SWAPMQ_NOT_SUPPORTED;
  const auto at = store_->lines.find(consumer.queue);
  if (at == store_->lines.end()) return SWAPMQ_LOST;
  Line& line = at->second;
  const auto held = line.unacked.find(receipt_of(*settlement.delivery));
  if (held == line.unacked.end() || held->second.owner != &consumer) {
    return has("stale_receipt_accepted") ? SWAPMQ_OK : SWAPMQ_LOST;
  }
  const Held was = held->second;
  ItemPtr item = was.item;
  line.unacked.erase(held);
  switch (settlement.action) {
    case SWAPMQ_SETTLE_NACK:
      nack(line, std::move(item), settlement.due_at_ms);
      break;
    case SWAPMQ_SETTLE_RELEASE:
      release(line, was);
      break;
    case SWAPMQ_SETTLE_DEAD_LETTER:
      return dead_letter(settlement, std::move(item));
    default:
      if (has("view_dies_on_ack")) item->body.assign(item->body.size(), '\xDD');
  }
  return SWAPMQ_OK;
}

void PlantedSession::hand_out(Line& line, Consumer& consumer, const ItemPtr& item, Handed& batch) {
  const std::uint64_t receipt = store_->next_receipt++;
  line.unacked.emplace(receipt, Held{item, &consumer, steady_clock::now()});
  batch.items.push_back(item);
  batch.messages.push_back(item->as_message());
  if (item->fields.priority > 9) { // length_too_long marked it
    batch.messages.back().priority -= 100;
    batch.messages.back().body.size += std::uint64_t{1} << 40;
  }
  batch.add(&batch.messages.back(), receipt_view(receipt),
            item->fields.delivery_count + item->returns + 1,
            item->redelivered || item->fields.delivery_count > 0 ? SWAPMQ_DELIVERY_REDELIVERED : 0);
  item->redelivered = true;
  if (has("batch_dies_with_session")) handed_.push_back(item);
}

void PlantedSession::steal(Line& line, const Consumer& consumer) {
  if (!has("steals_from_slow") || consumer.lease_ms == 0) return;
  const auto old = steady_clock::now() - milliseconds(consumer.lease_ms);
  std::erase_if(line.unacked, [&](auto& entry) {
    if (entry.second.since > old || entry.second.owner == &consumer) return false;
    line.put(entry.second.item, true);
    return true;
  });
}

std::size_t PlantedSession::room(const Line& line, const Consumer& consumer) const {
  std::size_t room = consumer.prefetch;
  for (const auto& [receipt, held] : line.unacked) room -= held.owner == &consumer ? 1 : 0;
  return room;
}

std::unique_ptr<swapmq::backend::Batch> PlantedSession::claim_delayed(
    Subscription& subscription, const swapmq::backend::ClaimArgs& args) {
  if (broker_.absent()) {
    throw swapmq::backend::Failure(SWAPMQ_NOT_SUPPORTED, "there are no delays here");
  }
  auto& consumer = static_cast<Consumer&>(subscription);
  const Lock lock(store_->mutex);
  Line& line = line_at(consumer.queue, consumer.max_length);
  line.tick(unix_now_ms(), true);
  const std::size_t most = std::min<std::size_t>({room(line, consumer), args.max_messages, 512});
  auto batch = std::make_unique<Handed>();
  batch->messages.reserve(most);
  std::uint64_t bytes = 0;
  for (auto next = line.delayed.begin(); batch->size() < most && next != line.delayed.end();) {
    if (has("claims_the_latest")) next = std::prev(line.delayed.end());
    const auto [due_at_ms, item] = *next;
    bytes += item->body.size();
    if (args.max_bytes != 0 && bytes > args.max_bytes && batch->size() > 0) break;
    next = has("claims_for_two") && !item->redelivered ? std::next(next) : line.delayed.erase(next);
    const bool redelivered = item->redelivered;
    hand_out(line, consumer, item, *batch);
    item->redelivered = redelivered || has("claims_for_two");
    line.unacked.rbegin()->second.claimed_until = due_at_ms;
    if (!has("claim_forgets_the_nack")) batch->messages.back().due_at_ms = due_at_ms;
  }
  return batch;
}

void PlantedSession::show(const ItemPtr& item, Handed& batch) {
  const auto shown = std::make_shared<Item>(*item); // a consumer's views are of the other one
  batch.items.push_back(shown);
  batch.messages.push_back(shown->as_message());
  batch.add(&batch.messages.back(), "shown", item->fields.delivery_count + item->returns + 1,
            item->redelivered || item->fields.delivery_count > 0 ? SWAPMQ_DELIVERY_REDELIVERED : 0);
}

std::unique_ptr<swapmq::backend::Batch> PlantedSession::peek(
    Queue& queue, const swapmq::backend::PeekArgs& args) {
  const Lock lock(store_->mutex);
  const auto at = store_->lines.find(static_cast<NamedQueue&>(queue).name);
  if (at == store_->lines.end()) return nullptr;
  Line& line = at->second;
  line.tick(unix_now_ms(), true);
  const std::size_t most = std::min<std::size_t>(args.max_messages, 512);
  auto batch = std::make_unique<Handed>();
  batch->messages.reserve(most);
  if (has("peek_shows_unacked")) {
    for (const auto& [receipt, held] : line.unacked) show(held.item, *batch);
  }
  std::uint64_t bytes = 0;
  for (const auto& [place, item] : line.ready) {
    bytes += item->body.size();
    if (batch->size() == most) break;
    if (args.max_bytes != 0 && bytes > args.max_bytes && batch->size() > 0) break;
    show(item, *batch);
    if (has("peek_flags")) item->redelivered = true;
  }
  if (has("peek_takes")) line.ready.clear();
  return batch;
}

std::unique_ptr<Handed> PlantedSession::take(Consumer& consumer, std::size_t max_messages,
                                             std::uint64_t max_bytes) {
  Line& line = line_at(consumer.queue, consumer.max_length);
  line.tick(unix_now_ms(), !has("ttl_ignored") && !has("absent_but_silent"));
  steal(line, consumer);
  const std::size_t free = has("exceeds_prefetch") ? max_messages : room(line, consumer);
  if (has("gives_more_than_asked")) max_messages = 512;
  const std::size_t most = std::min<std::size_t>({free, max_messages, 512});
  auto batch = std::make_unique<Handed>();
  batch->messages.reserve(std::min(most, line.ready.size()));
  std::uint64_t bytes = 0;
  while (batch->size() < most && !line.ready.empty()) {
    auto next = line.ready.begin();
    if (has("reorders_one_in_a_thousand") && next->first.second % 1000 == 0 &&
        std::next(next) != line.ready.end()) {
      ++next;
    }
    const ItemPtr item = next->second;
    bytes += item->body.size();
    if (max_bytes != 0 && bytes > max_bytes && batch->size() > 0) break;
    const bool again = has("delivers_twice") && item->place % 997 == 0 && !item->redelivered;
    if (!again) line.ready.erase(next);
    hand_out(line, consumer, item, *batch);
    if (again) break;
  }
  return batch;
}

steady_clock::time_point PlantedSession::next_look(Consumer& consumer, Deadline deadline) {
  auto until = deadline.at();
  if (has("blocks_past_timeout")) until += milliseconds(1500);
  if (has("returns_early")) until -= milliseconds(20);
  const Line& line = line_at(consumer.queue, consumer.max_length);
  if (!line.delayed.empty()) {
    const auto wait = milliseconds(line.delayed.begin()->first - unix_now_ms());
    until = std::min(until, steady_clock::now() + wait);
  }
  if (has("steals_from_slow")) until = std::min(until, steady_clock::now() + milliseconds(20));
  return until;
}

/// Whether there is no answer yet.
bool PlantedSession::pends(const swapmq_settlement& settlement) {
  if (has("pends_for_ever")) return true;
  if (!has("pends_and_forgets") && !has("pends_without_a_batch")) return false;
  return pending_.insert(receipt_of(*settlement.delivery)).second;
}

Received PlantedSession::exchange(Subscription& subscription, const ExchangeArgs& args) {
  auto& consumer = static_cast<Consumer&>(subscription);
  Lock lock(store_->mutex);
  const std::size_t count = args.settlements.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool skipped = (has("acks_the_wrong_one") && count > 2 && i + 1 == count) ||
                         (has("pends_and_forgets") && args.may_pend);
    const bool pending = args.may_pend && pends(args.settlements[i]);
    args.settlement_results[i] = pending   ? SWAPMQ_STATUS_PENDING
                                 : skipped ? SWAPMQ_OK
                                           : settle(consumer, args.settlements[i]);
  }
  if (count > 0) store_->changed.notify_all();
  if (args.max_messages == 0) return {};
  if (has("interrupt_not_sticky")) interrupts_ = 0;
  Received received;
  for (;;) {
    received.batch = take(consumer, args.max_messages, args.max_bytes);
    if (received.batch->size() > 0) break;
    received.batch.reset();
    received.interrupted = interrupts_ > 0;
    if (received.interrupted) break;
    const auto until = next_look(consumer, args.deadline);
    const auto end = args.deadline.at() + milliseconds(has("blocks_past_timeout") ? 1500 : 0) -
                     milliseconds(has("returns_early") ? 20 : 0);
    if (steady_clock::now() >= end) break;
    store_->changed.wait_until(lock, until);
  }
  interrupts_ = has("interrupt_counts_twice") && interrupts_ == 1 ? 2 : 0;
  return received;
}

void PlantedSession::unsubscribe(Subscription& subscription) {
  const Lock lock(store_->mutex);
  const auto at = store_->lines.find(static_cast<Consumer&>(subscription).queue);
  if (at == store_->lines.end()) return;
  Line& line = at->second;
  std::erase_if(line.unacked, [&](auto& entry) {
    if (entry.second.owner != &subscription) return false;
    if (has("hangs_in_close")) std::this_thread::sleep_for(std::chrono::hours(1));
    const bool lost = has("loses_what_a_closer_held") ||
                      (has("claim_lost_with_its_owner") && entry.second.claimed_until != 0);
    if (!lost) release(line, entry.second);
    return true;
  });
  store_->changed.notify_all();
}

void PlantedSession::interrupt() noexcept {
  // Under the lock, so that it cannot fall between a waiter's look and its sleep.
  const Lock lock(store_->mutex);
  interrupts_ = 1;
  store_->changed.notify_all();
}

} // namespace planted
