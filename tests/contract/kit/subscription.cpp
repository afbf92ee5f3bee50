// SPDX-License-Identifier: MIT
//
// Subscribing, settling and receiving, with what comes back looked over.
#include <gtest/gtest.h>

#include <algorithm>

#include "handles.h"

namespace swapmq::contract {

namespace {

void check_delivery(const std::string& call, const swapmq_delivery& delivery) {
  if (delivery.message == nullptr) throw Breach(call + "(): a delivery has no message");
  if (delivery.receipt.size < 1 || delivery.receipt.size > SWAPMQ_RECEIPT_BYTES) {
    throw Breach(call + "(): a receipt has " + std::to_string(delivery.receipt.size) + " bytes");
  }
  if (delivery.delivery_count == 0) throw Breach(call + "(): a delivery_count is 0");
  check_sizes(*delivery.message);
}

void check_batch(const std::string& call, const swapmq_batch& batch, std::uint64_t asked,
                 std::uint64_t max_bytes) {
  if (batch.struct_size < sizeof(swapmq_batch) || batch.delivery_size < sizeof(swapmq_delivery) ||
      batch.message_size < sizeof(swapmq_message)) {
    throw Breach(call + "(): a batch says sizes that are smaller than those of ABI 0.1");
  }
  if (batch.count == 0 || batch.deliveries == nullptr) {
    throw Breach(call + "(): a batch without deliveries; none is a NULL batch");
  }
  if (batch.release == nullptr) throw Breach(call + "(): a batch cannot be released");
  if (batch.count > asked) {
    throw Breach(call + "(): " + std::to_string(batch.count) +
                 " deliveries where max_messages was " + std::to_string(asked));
  }
  if (limits().max_receive_batch != 0 && batch.count > limits().max_receive_batch) {
    ADD_FAILURE() << call << "(): " << batch.count << " deliveries, more than max_receive_batch";
  }
  const auto* first = reinterpret_cast<const std::byte*>(batch.deliveries);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < batch.count; ++i) {
    const auto& delivery =
        *reinterpret_cast<const swapmq_delivery*>(first + i * batch.delivery_size);
    check_delivery(call, delivery);
    sum += delivery.message->body.size;
  }
  if (max_bytes != 0 && batch.count > 1 && sum > max_bytes) {
    ADD_FAILURE() << call << "(): " << sum << " bytes of bodies where max_bytes was " << max_bytes;
  }
}

} // namespace

Subscription::Subscription(Subscription&& other) noexcept
    : session_(std::move(other.session_)), raw_(std::exchange(other.raw_, nullptr)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    unsubscribe();
    session_ = std::move(other.session_);
    raw_ = std::exchange(other.raw_, nullptr);
  }
  return *this;
}

void Subscription::unsubscribe() {
  swapmq_subscription* raw = std::exchange(raw_, nullptr);
  if (raw == nullptr || session_->raw == nullptr) return; // session_close() took it along
  call("unsubscribe", [&] { vt().unsubscribe(session_->raw, raw); });
}

Exchanged Subscription::exchange(std::span<const swapmq_settlement> settlements,
                                 std::uint64_t max_messages, std::int64_t deadline_ns,
                                 std::uint64_t max_bytes, std::uint32_t flags) {
  Exchanged result;
  result.settled.assign(settlements.size(), SWAPMQ_STATUS_UNTOUCHED);
  swapmq_exchange_args args{};
  args.struct_size = sizeof args;
  args.settlement_size = sizeof(swapmq_settlement);
  args.settlements = settlements.empty() ? nullptr : settlements.data();
  args.settlement_count = settlements.size();
  args.settlement_results = settlements.empty() ? nullptr : result.settled.data();
  args.max_messages = max_messages;
  args.max_bytes = max_bytes;
  args.deadline_ns = deadline_ns;
  args.flags = flags;

  ErrorProbe probe;
  swapmq_batch* batch = nullptr;
  const auto start = Clock::now();
  result.status = call("exchange", deadline_ns, probe, [&](swapmq_error* error) {
    return vt().exchange(session_->raw, raw_, &args, &batch, error);
  });
  result.took = Clock::now() - start;
  result.error = probe.text();
  if (batch != nullptr) {
    if (result.status != SWAPMQ_OK) {
      throw Breach(std::string("exchange(): a batch with status ") + status_name(result.status));
    }
    check_batch("exchange", *batch, max_messages, max_bytes);
    result.batch = Batch(batch);
  }
  if (result.status == SWAPMQ_OK || result.status == SWAPMQ_INTERRUPTED) {
    const auto untouched =
        std::count(result.settled.begin(), result.settled.end(), SWAPMQ_STATUS_UNTOUCHED);
    EXPECT_EQ(untouched, 0) << "exchange(): settlements without a result";
  }
  const auto pending =
      std::count(result.settled.begin(), result.settled.end(), SWAPMQ_STATUS_PENDING);
  if ((flags & SWAPMQ_EXCHANGE_MAY_PEND) == 0) {
    EXPECT_EQ(pending, 0) << "exchange(): settlements are pending for a host that did not say "
                             "that it understands that";
  } else if (result.batch.size() == 0) {
    EXPECT_EQ(pending, 0) << "exchange(): settlements are pending, and nothing was handed out";
  }
  return result;
}

namespace {

/// The plugin's, with its one function; NULL if it has none.
template <class Table, class Slot>
const Table* extension_table(const char* name, Slot Table::*slot) {
  const auto* table =
      static_cast<const Table*>(call("extension", [&] { return vt().extension(name); }));
  if (table != nullptr && (table->struct_size < sizeof *table || table->*slot == nullptr)) {
    throw Breach(std::string("the table of ") + name + " is too small or lacks its function");
  }
  return table;
}

/// A call of an extension that hands out a batch, function(swapmq_batch**, swapmq_error*).
template <class Function>
Exchanged call_for_batch(const char* name, std::uint64_t max_messages, std::uint64_t max_bytes,
                         std::int64_t deadline_ns, const Function& function) {
  Exchanged result;
  ErrorProbe probe;
  swapmq_batch* batch = nullptr;
  const auto start = Clock::now();
  result.status =
      call(name, deadline_ns, probe, [&](swapmq_error* error) { return function(&batch, error); });
  result.took = Clock::now() - start;
  result.error = probe.text();
  if (batch == nullptr) return result;
  if (result.status != SWAPMQ_OK) {
    throw Breach(std::string(name) + "(): a batch with status " + status_name(result.status));
  }
  check_batch(name, *batch, max_messages, max_bytes);
  result.batch = Batch(batch);
  return result;
}

void expect_ok(const char* name, const Exchanged& result) {
  if (result.status == SWAPMQ_OK) return;
  throw Breach(std::string(name) + "() returned " + status_name(result.status) + ": " +
               result.error);
}

} // namespace

const swapmq_claim_delayed* claim_table() {
  return extension_table(SWAPMQ_EXTENSION_CLAIM_DELAYED, &swapmq_claim_delayed::claim);
}

const swapmq_peek* peek_table() {
  return extension_table(SWAPMQ_EXTENSION_PEEK, &swapmq_peek::peek);
}

Exchanged Subscription::try_claim(std::uint64_t max_messages, std::int64_t deadline_ns,
                                  std::uint64_t max_bytes) {
  const swapmq_claim_delayed* table = claim_table();
  if (table == nullptr) throw Breach("there is no " SWAPMQ_EXTENSION_CLAIM_DELAYED);
  return call_for_batch("claim", max_messages, max_bytes, deadline_ns,
                        [&](swapmq_batch** batch, swapmq_error* error) {
                          return table->claim(session_->raw, raw_, max_messages, max_bytes,
                                              deadline_ns, batch, error);
                        });
}

Batch Subscription::claim(std::uint64_t max_messages, std::uint64_t max_bytes) {
  Exchanged result = try_claim(max_messages, soon(), max_bytes);
  expect_ok("claim", result);
  return std::move(result.batch);
}

Exchanged Session::try_peek(swapmq_queue* queue, std::uint64_t max_messages,
                            std::uint64_t max_bytes) {
  const swapmq_peek* table = peek_table();
  if (table == nullptr) throw Breach("there is no " SWAPMQ_EXTENSION_PEEK);
  const std::int64_t deadline_ns = soon();
  return call_for_batch(
      "peek", max_messages, max_bytes, deadline_ns, [&](swapmq_batch** batch, swapmq_error* error) {
        return table->peek(handle_->raw, queue, max_messages, max_bytes, deadline_ns, batch, error);
      });
}

Deliveries Session::peek(swapmq_queue* queue, std::uint64_t max_messages, std::uint64_t max_bytes) {
  Exchanged result = try_peek(queue, max_messages, max_bytes);
  expect_ok("peek", result);
  Deliveries shown;
  if (result.batch.size() > 0) shown.add(std::move(result.batch));
  return shown;
}

Batch Subscription::poll(std::uint64_t max_messages, milliseconds wait, std::uint64_t max_bytes) {
  Exchanged result = exchange({}, max_messages, in(wait), max_bytes);
  expect_ok("exchange", result);
  return std::move(result.batch);
}

void Subscription::receive(std::size_t count, Deliveries& into) {
  const std::size_t goal = into.size() + count;
  auto last = Clock::now();
  while (into.size() < goal) {
    Batch batch = poll(goal - into.size(), milliseconds(250));
    if (batch.size() > 0) {
      into.add(std::move(batch));
      last = Clock::now();
    } else if (since(last) > kit().options.patience) {
      throw Breach("only " + std::to_string(into.size() + count - goal) + " of " +
                   std::to_string(count) + " messages came, and then nothing for " +
                   std::to_string(kit().options.patience.count()) + " ms");
    }
  }
}

Deliveries Subscription::receive(std::size_t count) {
  Deliveries deliveries;
  receive(count, deliveries);
  return deliveries;
}

Deliveries Subscription::receive_until_quiet(milliseconds quiet, std::size_t most) {
  Deliveries deliveries;
  while (deliveries.size() < most) {
    Batch batch = poll(most - deliveries.size(), quiet);
    if (batch.size() == 0) break;
    deliveries.add(std::move(batch));
  }
  return deliveries;
}

std::vector<swapmq_status> Subscription::settle(std::span<const swapmq_settlement> settlements) {
  Exchanged result = exchange(settlements, 0, soon());
  if (result.status != SWAPMQ_OK) {
    throw Breach(std::string("exchange(), settling only, returned ") + status_name(result.status) +
                 ": " + result.error);
  }
  if (result.batch.size() > 0) throw Breach("exchange() received although max_messages was 0");
  return std::move(result.settled);
}

swapmq_status Subscription::settle(const swapmq_settlement& settlement) {
  return settle(std::span(&settlement, 1)).front();
}

void Subscription::ack_all(const Deliveries& deliveries) {
  if (deliveries.empty()) return;
  std::vector<swapmq_settlement> settlements;
  for (const swapmq_delivery* delivery : deliveries) settlements.push_back(ack(*delivery));
  const auto settled = settle(settlements);
  for (std::size_t i = 0; i < settled.size(); ++i) {
    if (settled[i] == SWAPMQ_OK) continue;
    throw Breach("the ack of delivery " + std::to_string(i) + " of " +
                 std::to_string(settled.size()) + " gave " + status_name(settled[i]));
  }
}

} // namespace swapmq::contract
