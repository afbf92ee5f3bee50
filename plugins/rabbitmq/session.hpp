// SPDX-License-Identifier: MIT
//
// The backend and its sessions, as the glue of <swapmq/backend.hpp> wants them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumer.hpp"
#include "control.hpp"
#include "management.hpp"
#include "network/wake.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

/// An opened backend: what its sessions share.
class Backend {
 public:
  explicit Backend(const backend::OpenArgs& args);

  void describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const;

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const backend::Host& host() const { return host_; }
  [[nodiscard]] Dialer& dialer() { return dialer_; }
  /// Null: it is not configured.
  [[nodiscard]] const ManagementClient* management() const {
    return management_ ? &*management_ : nullptr;
  }

 private:
  backend::Host host_;
  Options options_;
  Dialer dialer_;
  std::optional<ManagementClient> management_;
};

class RabbitQueue final : public backend::Queue {
 public:
  RabbitQueue(std::string at_broker, const swapmq_queue_spec& spec, const Options& options)
      : routes_(std::move(at_broker), spec.max_length,
                (spec.flags & SWAPMQ_QUEUE_STRICT_ORDER) != 0, options) {}
  [[nodiscard]] QueueRoutes& routes() { return routes_; }

 private:
  QueueRoutes routes_;
};

class RabbitSession final : public backend::Session {
 public:
  using Shared = Backend;

  RabbitSession(Backend& backend, int32_t role, backend::Deadline deadline);
  ~RabbitSession() override;

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

 private:
  Backend& backend_;
  Link control_;
  network::Wake wake_;
  std::vector<Consumer*> consumers_;
};

} // namespace swapmq::rabbitmq
