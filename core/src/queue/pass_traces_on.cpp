// SPDX-License-Identifier: MIT
#include <optional>
#include <utility>

#include "swapmq/tracing.hpp"

namespace swapmq {
namespace {

/// Of the delivery that this thread handles.
struct Current {
  TraceParent parent;
  std::string state;
};

std::optional<Current>& current() {
  thread_local std::optional<Current> it;
  return it;
}

class Published : public PublishSpan {
 public:
  explicit Published(const Current& of) : parent_(of.parent.child()), state_(of.state) {}
  std::string traceparent() override { return parent_.text(); }
  std::string tracestate() override { return state_; }
  void ended(const Sent& /*sent*/) override {}

 private:
  const TraceParent parent_;
  const std::string state_;
};

class Handled : public HandleSpan {
 public:
  explicit Handled(Current now) { current() = std::move(now); }
  Handled(const Handled&) = delete;
  Handled& operator=(const Handled&) = delete;
  ~Handled() override { current().reset(); }
  void ended(const Decision& /*decision*/) override {}
};

class PassOn : public Tracer {
 public:
  std::unique_ptr<PublishSpan> publishing(std::string_view /*queue*/,
                                          const Message& /*message*/) override {
    const auto& now = current();
    return now ? std::make_unique<Published>(*now) : nullptr;
  }
  std::unique_ptr<HandleSpan> handling(const Delivery& delivery) override {
    const auto parent = delivery.header(traceparent_header);
    const auto parsed = parent ? TraceParent::parse(*parent) : std::nullopt;
    if (!parsed) return nullptr;
    return std::make_unique<Handled>(
        Current{*parsed, std::string(delivery.header(tracestate_header).value_or(""))});
  }
};

} // namespace

std::shared_ptr<Tracer> pass_traces_on() { return std::make_shared<PassOn>(); }

} // namespace swapmq
