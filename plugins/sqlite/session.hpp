// SPDX-License-Identifier: MIT
//
// The backend and its sessions, as the glue of <swapmq/backend.hpp> wants them. A session is a
// connection of its own to the file; what it does is told in the files named after it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "claim_messages.hpp"
#include "database.hpp"
#include "message_batch.hpp"
#include "options.hpp"
#include "settle.hpp"
#include "shared_file.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// An opened backend: what its sessions share.
class Backend {
 public:
  explicit Backend(const backend::OpenArgs& args);

  void describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const;

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const backend::Host& host() const { return host_; }
  [[nodiscard]] const std::shared_ptr<SharedFile>& file() const { return file_; }

 private:
  backend::Host host_;
  Options options_;
  std::shared_ptr<SharedFile> file_;
  // Keeps the file open between sessions: the last to close a database moves its whole log into it.
  std::unique_ptr<Database> keeper_;
};

class SqliteQueue final : public backend::Queue {
 public:
  SqliteQueue(std::string_view name, uint64_t max_length)
      : name_(name), max_length_(max_length), slot_(Peers::slot_of(name)) {}
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] uint64_t max_length() const { return max_length_; }
  [[nodiscard]] uint32_t slot() const { return slot_; }

 private:
  std::string name_;
  uint64_t max_length_;
  uint32_t slot_;
};

class SqliteSubscription final : public backend::Subscription {
 public:
  SqliteSubscription(const SqliteQueue& its_queue, int64_t its_prefetch, int64_t its_lease_ms)
      : queue(its_queue), prefetch(its_prefetch), lease_ms(its_lease_ms) {}

  const SqliteQueue& queue; // of the same session, which outlives its subscriptions
  const int64_t prefetch;
  const int64_t lease_ms;
  int64_t consumer = 0;    // its number in the file; 0: none yet
  int64_t claim_count = 0; // claims that this consumer made
  int64_t held = 0;        // not settled; never less than what the file says
  int64_t renew_at_ms = 0; // in boot_now_ms()
};

class SqliteSession final : public backend::Session {
 public:
  using Shared = Backend;

  SqliteSession(Backend& backend, int32_t role, backend::Deadline deadline);

  void ping(backend::Deadline deadline) override;
  std::unique_ptr<backend::Queue> open_queue(std::string_view name,
                                             const swapmq_queue_spec& spec) override;
  void create_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void delete_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void queue_stats(backend::Queue& queue, swapmq_queue_stats& stats,
                   backend::Deadline deadline) override;
  uint64_t purge_queue(backend::Queue& queue, backend::Deadline deadline) override;
  void publish(backend::Queue& queue, backend::Messages messages, backend::PublishResults results,
               backend::Deadline deadline) override;
  std::unique_ptr<backend::Subscription> subscribe(backend::Queue& queue,
                                                   const swapmq_subscribe_args& args) override;
  backend::Received exchange(backend::Subscription& subscription,
                             const backend::ExchangeArgs& args) override;
  void unsubscribe(backend::Subscription& subscription) override;
  void service(backend::Deadline deadline) override;
  void interrupt() noexcept override;
  std::unique_ptr<backend::Batch> claim_delayed(backend::Subscription& subscription,
                                                const backend::ClaimArgs& args);
  void list_queues(const backend::QueueVisitor& visit, backend::Deadline deadline);
  std::unique_ptr<backend::Batch> peek(backend::Queue& queue, const backend::PeekArgs& args);

 private:
  /// Runs the body of a call; remembers damage that it meets.
  template <class Body>
  auto call(backend::Deadline deadline, Body&& body);

  // session_exchange.cpp
  void settle_only(SqliteSubscription& subscription, const backend::ExchangeArgs& args);
  Claimed settle_and_claim(SqliteSubscription& subscription, const backend::ExchangeArgs& args,
                           int64_t wanted, bool settle);
  Claimed claim_delayed_once(SqliteSubscription& subscription, const backend::ClaimArgs& args,
                             int64_t wanted);
  backend::Received receive(SqliteSubscription& subscription, const backend::ExchangeArgs& args,
                            int64_t wanted, bool settle);
  int64_t wanted_by(SqliteSubscription& subscription, std::size_t max_messages);
  void settle_all(SqliteSubscription& subscription, WriteTransaction& transaction, Lanes& lanes,
                  backend::Settlements settlements, std::vector<swapmq_status>& statuses);
  void ensure_consumer(SqliteSubscription& subscription);
  void renew_if_due(SqliteSubscription& subscription);
  void renew_leases();
  [[nodiscard]] std::chrono::milliseconds until_renewal() const;

  Backend& backend_;
  Database database_;
  std::vector<SqliteSubscription*> subscriptions_;
  std::atomic<bool> interrupted_{false};
  // The slot that the session waits on; kNotWaiting otherwise.
  static constexpr uint32_t kNotWaiting = UINT32_MAX;
  std::atomic<uint32_t> waits_on_{kNotWaiting};
};

} // namespace swapmq::sqlite
