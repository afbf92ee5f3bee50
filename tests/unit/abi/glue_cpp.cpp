// SPDX-License-Identifier: MIT
//
// The C++ glue, before any other header, with the smallest backend that an author can write.
#include "swapmq/backend.hpp"

namespace {

using namespace swapmq::backend;

struct Broker {
  explicit Broker(const OpenArgs& args) : host(args.host) {}
  Host host;
};

class EmptySession final : public Session {
 public:
  using Shared = Broker;
  EmptySession(Broker&, int32_t, Deadline) {}

  void ping(Deadline) override {}
  std::unique_ptr<Queue> open_queue(std::string_view, const swapmq_queue_spec&) override {
    return std::make_unique<Queue>();
  }
  void create_queue(Queue&, Deadline) override {}
  void delete_queue(Queue&, Deadline) override {}
  void queue_stats(Queue&, swapmq_queue_stats&, Deadline) override {}
  uint64_t purge_queue(Queue&, Deadline) override { return 0; }
  void publish(Queue&, Messages messages, PublishResults results, Deadline) override {
    for (std::size_t i = 0; i < messages.size(); ++i) results[i] = confirmed();
  }
  std::unique_ptr<Subscription> subscribe(Queue&, const swapmq_subscribe_args&) override {
    return std::make_unique<Subscription>();
  }
  Received exchange(Subscription&, const ExchangeArgs&) override { return {}; }
  void unsubscribe(Subscription&) override {}
  void service(Deadline) override {}
  void interrupt() noexcept override {}
};

const swapmq_capabilities capabilities = [] {
  swapmq_capabilities made{};
  made.struct_size = sizeof made;
  return made;
}();
const swapmq_limits limits = [] {
  swapmq_limits made{};
  made.struct_size = sizeof made;
  return made;
}();
const swapmq_plugin_info info = {sizeof(swapmq_plugin_info),
                                 0,
                                 "glue_example",
                                 "1.0",
                                 "MIT",
                                 "keeps nothing",
                                 R"({"type":"object"})",
                                 &capabilities,
                                 &limits};

} // namespace

SWAPMQ_DEFINE_BACKEND(EmptySession, info)
