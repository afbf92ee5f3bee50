// SPDX-License-Identifier: MIT
#include "side.h"

namespace swapmq::differential {

using contract::Using;

namespace {

std::vector<swapmq_queue*> open_all(contract::Session& session, const QueueSpecs& queues) {
  std::vector<swapmq_queue*> opened;
  for (const QueueSpec& spec : queues) opened.push_back(session.queue(spec.name, spec.max_length));
  return opened;
}

/// Settlements as the ABI wants them. Borrows the headers.
class SettlementRow {
 public:
  SettlementRow(std::span<const Settlement> settlements, const std::vector<swapmq_queue*>& queues) {
    headers_.reserve(settlements.size());
    for (const Settlement& from : settlements) {
      swapmq_settlement& to = row_.emplace_back();
      to.delivery = from.delivery;
      to.action = from.action;
      to.due_at_ms = from.due_at_ms;
      to.header_size = sizeof(swapmq_header);
      if (from.action != SWAPMQ_SETTLE_DEAD_LETTER) continue;
      auto& headers = headers_.emplace_back();
      for (const auto& [name, value] : from.headers) {
        headers.push_back({contract::bytes(name), contract::bytes(value)});
      }
      to.target = queues[from.target];
      to.headers = headers.empty() ? nullptr : headers.data();
      to.header_count = static_cast<std::uint32_t>(headers.size());
    }
  }

  [[nodiscard]] std::span<const swapmq_settlement> row() const { return row_; }

 private:
  std::vector<swapmq_settlement> row_;
  std::vector<std::vector<swapmq_header>> headers_;
};

} // namespace

Consumer::Consumer(contract::Kit& kit, contract::Backend& backend, const QueueSpecs& queues,
                   unsigned queue, std::uint32_t prefetch, milliseconds lease)
    : kit_(kit) {
  const Using its(kit_);
  session_.emplace(backend.session(SWAPMQ_ROLE_CONSUME));
  queues_ = open_all(*session_, queues);
  subscription_.emplace(session_->subscribe(queues_[queue], prefetch, lease));
}

Consumer::~Consumer() {
  const Using its(kit_);
  subscription_.reset();
  session_.reset();
}

Taken Consumer::exchange(std::span<const Settlement> settlements, std::uint64_t max_messages,
                         milliseconds wait, bool may_pend) {
  const Using its(kit_);
  const SettlementRow row(settlements, queues_);
  // Who only settles has work to do, whose end is not the end of a wait.
  const std::int64_t deadline = max_messages == 0 ? contract::soon() : contract::in(wait);
  contract::Exchanged exchanged = subscription_->exchange(row.row(), max_messages, deadline, 0,
                                                          may_pend ? SWAPMQ_EXCHANGE_MAY_PEND : 0);
  Taken taken;
  taken.status = exchanged.status;
  taken.error = std::move(exchanged.error);
  taken.settled = std::move(exchanged.settled);
  const auto batch = std::make_shared<contract::Batch>(std::move(exchanged.batch));
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const swapmq_delivery& delivery = (*batch)[i];
    taken.deliveries.push_back({batch, &delivery, see(delivery)});
  }
  return taken;
}

void Consumer::service() {
  const Using its(kit_);
  session_->service();
}

void Consumer::close_session() {
  const Using its(kit_);
  session_->close();
}

Side::Side(contract::Kit& kit, QueueSpecs queues) : kit_(kit), queues_(std::move(queues)) {
  const Using its(kit_);
  backend_.emplace();
  publisher_.emplace(backend_->session(SWAPMQ_ROLE_PUBLISH));
  admin_.emplace(backend_->session(SWAPMQ_ROLE_ADMIN));
  for_publisher_ = open_all(*publisher_, queues_);
  for_admin_ = open_all(*admin_, queues_);
}

Side::~Side() {
  const Using its(kit_);
  try {
    for (swapmq_queue* queue : for_admin_) admin_->remove(queue);
  } catch (const contract::Breach&) { // what is left behind takes nothing from what was found
  }
  admin_.reset();
  publisher_.reset();
  backend_.reset();
}

void Side::create(unsigned queue) {
  const Using its(kit_);
  admin_->create(for_admin_[queue]);
}

void Side::remove(unsigned queue) {
  const Using its(kit_);
  admin_->remove(for_admin_[queue]);
}

std::uint64_t Side::purge(unsigned queue) {
  const Using its(kit_);
  return admin_->purge(for_admin_[queue]);
}

swapmq_queue_stats Side::stats(unsigned queue) {
  const Using its(kit_);
  return admin_->stats(for_admin_[queue]);
}

std::vector<swapmq_publish_result> Side::publish(unsigned queue,
                                                 std::span<const contract::Message> messages) {
  const Using its(kit_);
  return publisher_->publish(for_publisher_[queue], messages);
}

std::unique_ptr<Consumer> Side::consumer(unsigned queue, std::uint32_t prefetch,
                                         milliseconds lease) {
  return std::make_unique<Consumer>(kit_, *backend_, queues_, queue, prefetch, lease);
}

void Side::service() {
  const Using its(kit_);
  publisher_->service();
  admin_->service();
}

} // namespace swapmq::differential
