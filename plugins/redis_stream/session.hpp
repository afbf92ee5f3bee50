// SPDX-License-Identifier: MIT
//
// The backend and its sessions, as the glue of <swapmq/backend.hpp> wants them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "consumer.hpp"
#include "dialer.hpp"
#include "keys.hpp"
#include "link.hpp"
#include "network/wake.hpp"
#include "options.hpp"
#include "publish.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

/// An opened backend: what its sessions share.
class Backend {
 public:
  explicit Backend(const backend::OpenArgs& args);

  void describe(swapmq_capabilities& capabilities, swapmq_limits& limits) const;

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const backend::Host& host() const { return host_; }
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] Dialer& dialer() { return dialer_; }

 private:
  backend::Host host_;
  Options options_;
  std::string instance_;
  Dialer dialer_;
};

class RedisQueue final : public backend::Queue {
 public:
  RedisQueue(std::string_view name, uint64_t max_length, const Options& options)
      : keys_(name, options), target_(keys_, options, max_length) {}
  [[nodiscard]] const QueueKeys& keys() const { return keys_; }
  [[nodiscard]] const PublishTarget& target() const { return target_; }
  [[nodiscard]] uint64_t max_length() const { return target_.max_length; }

 private:
  QueueKeys keys_;
  PublishTarget target_;
};

class RedisSession final : public backend::Session {
 public:
  using Shared = Backend;

  RedisSession(Backend& backend, int32_t role, backend::Deadline deadline);

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
  Backend& backend_;
  Link control_;
  network::Wake wake_;
  std::vector<Consumer*> consumers_;
};

} // namespace swapmq::redis
