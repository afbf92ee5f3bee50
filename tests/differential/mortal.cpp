// SPDX-License-Identifier: MIT
#include "mortal.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "child.h"
#include "take.h"

namespace swapmq::differential {

using contract::Breach;
using contract::Clock;

namespace {

constexpr milliseconds kWait{250};

class InProcess : public Mortal {
 public:
  InProcess(World& world, unsigned queue, std::uint64_t count)
      : child_(start(world, queue, count)) {
    for (std::uint64_t i = 0; i < count; ++i) {
      // Its start may take a while; that it finds nothing it says itself, and ends.
      const auto line = child_->read_line(Clock::now() + 2 * world.setting.patience);
      const auto seen = line ? from_line(*line) : std::nullopt;
      if (!seen) {
        throw Breach("a consumer in another process got " + std::to_string(i) + " of " +
                     std::to_string(count) + " messages" + (line ? ": " + *line : std::string()));
      }
      held_.push_back(*seen);
    }
  }
  [[nodiscard]] const std::vector<Seen>& held() const override { return held_; }
  void die() override { child_->kill_now(); }

 private:
  static std::unique_ptr<contract::Child> start(World& world, unsigned queue, std::uint64_t count) {
    const contract::Using its(world.setting.other);
    const QueueSpec& spec = world.other.queues()[queue];
    return std::make_unique<contract::Child>(
        "hold", std::vector<std::string>{to_hex(spec.name), std::to_string(spec.max_length),
                                         std::to_string(count),
                                         std::to_string(world.setting.dying_lease.count()),
                                         std::to_string(world.patience.count())});
  }

  std::unique_ptr<contract::Child> child_;
  std::vector<Seen> held_;
};

class InThisProcess : public Mortal {
 public:
  InThisProcess(World& world, unsigned queue, std::uint64_t count)
      : consumer_(world.other.consumer(queue, static_cast<std::uint32_t>(count),
                                       world.setting.dying_lease)) {
    const auto started = Clock::now();
    while (held_.size() < count) {
      Taken taken = consumer_->exchange({}, count - held_.size(), kWait);
      for (Delivered& delivered : taken.deliveries) {
        held_.push_back(delivered.seen);
        deliveries_.push_back(std::move(delivered));
      }
      if (taken.status == SWAPMQ_OK && Clock::now() - started < world.patience) continue;
      throw Breach("a consumer got " + std::to_string(held_.size()) + " of " +
                   std::to_string(count) + " messages");
    }
  }
  [[nodiscard]] const std::vector<Seen>& held() const override { return held_; }
  void die() override {
    std::vector<Settlement> nacks;
    for (const Delivered& delivered : deliveries_) {
      nacks.push_back({delivered.delivery, SWAPMQ_SETTLE_NACK, 0, 0, {}});
    }
    for (const swapmq_status status : consumer_->exchange(nacks, 0, kWait).settled) {
      if (status != SWAPMQ_OK)
        throw Breach("a nack gave " + std::string(contract::status_name(status)));
    }
    deliveries_.clear();
    consumer_.reset();
  }

 private:
  std::unique_ptr<Consumer> consumer_;
  std::vector<Delivered> deliveries_;
  std::vector<Seen> held_;
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// QUEUE MAX_LENGTH COUNT LEASE_MS PATIENCE_MS: says what it gets, and holds it until it is killed,
/// or until its parent is gone.
int hold(const std::vector<std::string>& arguments) {
  const std::string name = from_hex(arguments.at(0)).value_or("");
  const std::uint64_t count = std::stoull(arguments.at(2));
  const milliseconds patience(std::stol(arguments.at(4)));
  contract::Backend backend;
  contract::Session session = backend.session(SWAPMQ_ROLE_CONSUME);
  contract::Subscription subscription = session.subscribe(
      session.queue(name, std::stoull(arguments.at(1))), static_cast<std::uint32_t>(count),
      milliseconds(std::stol(arguments.at(3))));
  contract::Deliveries held;
  const auto started = Clock::now();
  while (held.size() < count) {
    contract::Batch batch = subscription.poll(count - held.size(), kWait);
    for (std::size_t i = 0; i < batch.size(); ++i) say(to_line(see(batch[i])));
    held.add(std::move(batch));
    if (held.size() < count && Clock::now() - started > patience) return 1;
  }
  for (;;) {
    pollfd end{STDIN_FILENO, POLLIN, 0};
    if (::poll(&end, 1, 50) > 0) return 0;
    session.service();
  }
}

} // namespace

std::unique_ptr<Mortal> mortal(World& world, unsigned queue, std::uint64_t count) {
  if (world.setting.powers.processes) return std::make_unique<InProcess>(world, queue, count);
  return std::make_unique<InThisProcess>(world, queue, count);
}

int act_out(const std::vector<std::string>& arguments) {
  try {
    return hold(arguments);
  } catch (const std::exception& failure) {
    // Where its parent reads what it got, so that it becomes part of the finding.
    say(std::string("it failed: ") + failure.what());
    return 1;
  }
}

} // namespace swapmq::differential
