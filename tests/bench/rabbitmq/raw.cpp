// SPDX-License-Identifier: MIT
#include "raw.h"

#include <amqp_framing.h>

#include <chrono>
#include <optional>
#include <stdexcept>

#include "../broker/crew.h"
#include "../broker/ids.h"
#include "publisher.h"

namespace bench {
namespace {

class RawPublisher : public Contender {
 public:
  RawPublisher(const Link::Place& place, std::size_t window)
      : link_(place), publisher_(link_, window) {}

  void prepare(const Task& task) override {
    publisher_.begin(task.queue, task.body);
    publish(task.ids.front());
    publisher_.finish();
  }
  void run(const Task& task) override {
    for (Id& id : task.ids.subspan(1)) publish(id);
    publisher_.finish();
  }

 protected:
  void publish(Id& id) {
    const std::int64_t now = unix_ms();
    generator_.make(id, now);
    publisher_.publish(id, now);
  }

  Link link_;
  Publisher publisher_;

 private:
  IdGenerator generator_;
};

class SinglePublisher final : public RawPublisher {
 public:
  explicit SinglePublisher(const Link::Place& place) : RawPublisher(place, 1) {}

  void run(const Task& task) override {
    using Clock = std::chrono::steady_clock;
    for (std::size_t i = 1; i < task.ids.size(); ++i) {
      const auto start = Clock::now();
      publish(task.ids[i]);
      publisher_.finish();
      const std::chrono::nanoseconds took = Clock::now() - start;
      task.nanoseconds[i - 1] = static_cast<std::uint32_t>(took.count());
    }
  }
};

/// Consumes as many as there are ids, over a connection that is made here, as the library makes one
/// for a consumer.
void consume(const Link::Place& place, std::string_view queue, std::uint16_t prefetch,
             std::span<Id> ids, std::size_t body_size) {
  Link link(place);
  link.consume(queue, prefetch, true);
  const std::size_t at_once = prefetch / 2;
  amqp_frame_t frame;
  for (std::size_t done = 0; done < ids.size();) {
    link.read(frame);
    if (frame.frame_type != AMQP_FRAME_METHOD ||
        frame.payload.method.id != AMQP_BASIC_DELIVER_METHOD) {
      throw std::runtime_error("RabbitMQ sent something else than a delivery");
    }
    const std::uint64_t tag =
        static_cast<const amqp_basic_deliver_t*>(frame.payload.method.decoded)->delivery_tag;
    const std::size_t size = link.read_content([&](const amqp_basic_properties_t& properties) {
      keep(ids[done], text(properties.message_id));
    });
    if (size != body_size) throw std::runtime_error("a body came back with another length");
    link.release();
    if (++done % at_once != 0 && done < ids.size()) continue;
    constexpr amqp_boolean_t multiple = 1;
    check(amqp_basic_ack(link.state(), channel, tag, multiple), "ack");
  }
}

class RawConsumer final : public Contender {
 public:
  RawConsumer(const Link::Place& place, std::uint16_t prefetch)
      : place_(place), prefetch_(prefetch) {}

  void prepare(const Task& /*task*/) override {}
  void run(const Task& task) override {
    consume(place_, task.queue, prefetch_, task.ids, task.body.size());
  }

 private:
  const Link::Place place_;
  const std::uint16_t prefetch_;
};

class RawBoth final : public Contender {
 public:
  RawBoth(const Link::Place& place, std::size_t window, std::uint16_t prefetch)
      : place_(place), prefetch_(prefetch), publisher_(place, window) {}

  void prepare(const Task& task) override {
    publisher_.prepare(task);
    crew_.emplace(2, [this, task](std::size_t number) {
      if (number == 0) return publisher_.run(task);
      consume(place_, task.queue, prefetch_, task.consumed, task.body.size());
    });
  }
  void run(const Task& /*task*/) override { crew_->go(); }

 private:
  const Link::Place place_;
  const std::uint16_t prefetch_;
  RawPublisher publisher_;
  std::optional<Crew> crew_;
};

} // namespace

std::vector<RawVariant> raw_publishing(const Link::Place& place, std::size_t window) {
  return {{"a sliding window of " + std::to_string(window),
           [=] { return std::make_unique<RawPublisher>(place, window); }}};
}

std::vector<RawVariant> raw_single(const Link::Place& place) {
  return {{"publish, wait", [=] { return std::make_unique<SinglePublisher>(place); }}};
}

std::vector<RawVariant> raw_consuming(const Link::Place& place, std::uint16_t prefetch) {
  return {{"an ack for " + std::to_string(prefetch / 2),
           [=] { return std::make_unique<RawConsumer>(place, prefetch); }}};
}

std::vector<RawVariant> raw_both(const Link::Place& place, std::size_t window,
                                 std::uint16_t prefetch) {
  return {{"a window of " + std::to_string(window) + ", an ack for " + std::to_string(prefetch / 2),
           [=] { return std::make_unique<RawBoth>(place, window, prefetch); }}};
}

} // namespace bench
