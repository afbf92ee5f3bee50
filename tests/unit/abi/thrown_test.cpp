// SPDX-License-Identifier: MIT
//
// What an author's class throws where no status can say it is a line in the host's log.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::backend {
namespace {

struct Broken {
  explicit Broken(const OpenArgs&) {}
  void describe(swapmq_capabilities&, swapmq_limits&) { throw std::runtime_error("no idea"); }
};

class BrokenSession final : public Session {
 public:
  using Shared = Broken;
  BrokenSession(Broken&, int32_t, Deadline) {}

  void ping(Deadline) override {}
  std::unique_ptr<Queue> open_queue(std::string_view, const swapmq_queue_spec&) override {
    return std::make_unique<Queue>();
  }
  void create_queue(Queue&, Deadline) override {}
  void delete_queue(Queue&, Deadline) override {}
  void queue_stats(Queue&, swapmq_queue_stats&, Deadline) override {}
  uint64_t purge_queue(Queue&, Deadline) override { return 0; }
  void publish(Queue&, Messages, PublishResults, Deadline) override {}
  std::unique_ptr<Subscription> subscribe(Queue&, const swapmq_subscribe_args&) override {
    return std::make_unique<Subscription>();
  }
  Received exchange(Subscription&, const ExchangeArgs&) override { return {}; }
  void unsubscribe(Subscription&) override { throw Failure(SWAPMQ_UNAVAILABLE, "broker gone"); }
  void service(Deadline) override {}
  void interrupt() noexcept override {}
};

const swapmq_plugin_info info{sizeof info, 0, "broken", "1.0", "MIT", "throws", "{}", {}, {}};

class Thrown : public testing::Test {
 protected:
  void SetUp() override {
    host_.struct_size = sizeof host_;
    host_.context = &lines_;
    host_.log = [](void* lines, int32_t level, swapmq_bytes line) {
      static_cast<std::vector<std::string>*>(lines)->push_back(std::to_string(level) + " " +
                                                               std::string(view(line)));
    };
    vtable_ = entry<BrokenSession>(info, SWAPMQ_ABI_VERSION, nullptr);
    swapmq_open_args args{};
    args.struct_size = sizeof args;
    args.host = &host_;
    ASSERT_EQ(vtable_->open(&args, &backend_, nullptr), SWAPMQ_OK);
    ASSERT_EQ(vtable_->session_open(backend_, SWAPMQ_ROLE_CONSUME, 0, &session_, nullptr),
              SWAPMQ_OK);
    swapmq_queue* queue = nullptr;
    ASSERT_EQ(vtable_->queue_open(session_, bytes("q"), nullptr, &queue, nullptr), SWAPMQ_OK);
    swapmq_subscribe_args subscribe{};
    subscribe.struct_size = sizeof subscribe;
    subscribe.prefetch = 1;
    ASSERT_EQ(vtable_->subscribe(session_, queue, &subscribe, &subscription_, nullptr), SWAPMQ_OK);
  }
  void TearDown() override {
    if (session_ != nullptr) vtable_->session_close(session_);
    vtable_->close(backend_);
  }

  std::vector<std::string> lines_;
  swapmq_host host_{};
  const swapmq_backend_vtable* vtable_ = nullptr;
  swapmq_backend* backend_ = nullptr;
  swapmq_session* session_ = nullptr;
  swapmq_subscription* subscription_ = nullptr;
};

const std::vector<std::string> kOneLine{std::to_string(SWAPMQ_LOG_WARN) +
                                        " unsubscribe: broker gone"};

TEST_F(Thrown, ByUnsubscribeIsLogged) {
  vtable_->unsubscribe(session_, subscription_);
  EXPECT_EQ(lines_, kOneLine);
}

TEST_F(Thrown, ByUnsubscribeOnClosingIsLogged) {
  vtable_->session_close(std::exchange(session_, nullptr));
  EXPECT_EQ(lines_, kOneLine);
}

TEST_F(Thrown, ByDescribeIsLogged) {
  swapmq_capabilities capabilities{};
  capabilities.struct_size = sizeof capabilities;
  swapmq_limits limits{};
  limits.struct_size = sizeof limits;
  vtable_->describe(backend_, &capabilities, &limits);
  EXPECT_EQ(lines_,
            std::vector<std::string>{std::to_string(SWAPMQ_LOG_WARN) + " describe: no idea"});
}

} // namespace
} // namespace swapmq::backend
