// SPDX-License-Identifier: MIT
#include "pair_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

namespace switch_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using swapmq::BacklogPolicy;
using swapmq::Delivery;
using swapmq::Message;
using swapmq::MessageQueue;
using swapmq::Outcome;
using swapmq::Precision;
using swapmq::Sent;

constexpr std::size_t publishers = 8;
constexpr std::uint32_t handlers = 8;
constexpr std::uint64_t delayed_messages = 200;
constexpr std::uint64_t poison = 100;
constexpr std::uint64_t backlog = 1000;
constexpr std::size_t batch = 16;
constexpr milliseconds patience = 60s;

std::string config_text(const Sections& sections, const std::string& type) {
  return R"({"message_queue":{"type":")" + type + R"(","memory":)" + sections.memory +
         R"(,"sqlite":)" + sections.sqlite + R"(,"redis_stream":)" + sections.redis_stream +
         R"(,"rabbitmq":)" + sections.rabbitmq + R"(},"log":{"level":"error"}})";
}

bool eventually(const std::function<bool()>& condition) {
  const auto until = steady_clock::now() + patience;
  while (steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

std::int64_t known(std::uint64_t value, Precision precision) {
  return precision == Precision::unknown ? -1 : static_cast<std::int64_t>(value);
}

/// The ids of what was confirmed and of what was handled.
class Books {
 public:
  void note(const Sent& sent) {
    const std::lock_guard lock(mutex_);
    confirmed_ += sent.outcome() == Outcome::confirmed;
    in_doubt_ += sent.outcome() == Outcome::in_doubt;
    failed_ += sent.outcome() == Outcome::failed;
    if (sent) sent_.emplace(sent.id());
  }
  void handled(std::string_view id) {
    const std::lock_guard lock(mutex_);
    ++handled_[std::string(id)];
  }
  std::size_t handled_count() const {
    const std::lock_guard lock(mutex_);
    return handled_.size();
  }
  void close(PairResult& result) const {
    const std::lock_guard lock(mutex_);
    result.confirmed = confirmed_;
    result.in_doubt = in_doubt_;
    result.failed = failed_;
    for (const std::string& id : sent_) result.lost += handled_.contains(id) ? 0 : 1;
    for (const auto& [id, times] : handled_) result.twice += times > 1 ? 1 : 0;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> sent_;
  std::unordered_map<std::string, int> handled_;
  std::uint64_t confirmed_ = 0, in_doubt_ = 0, failed_ = 0;
};

class Pair {
 public:
  Pair(const Sections& sections, const std::string& from, const std::string& to,
       const swapmq::SwitchOptions& options, std::uint64_t messages)
      : queue_("pair-" + from + "-" + to + "-" + std::to_string(getpid())),
        from_config_(config_text(sections, from)),
        to_(to),
        options_(options),
        each_(messages / publishers),
        mq_(MessageQueue::try_open_text(from_config_).value()) {}

  PairResult run() {
    prepare();
    auto consumer = mq_.consume(queue_, {.prefetch = 256, .concurrency = handlers},
                                [this](const Delivery& d) { return handle(d); });
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < publishers; ++p) {
      threads.emplace_back([this] { publish_all(); });
    }
    wait_for_half();
    look_before();
    const auto asked = steady_clock::now();
    if (const auto error = mq_.switch_to(to_, options_).error()) {
      trouble(error.message());
    }
    if (!eventually([&] { return mq_.backend_name() == to_; })) trouble("never cut over");
    cut_over_ = true;
    for (auto& thread : threads) thread.join();
    holding_ = false;
    settle_up(asked);
    if (const auto error = consumer->close(10s)) trouble(error.message());
    books_.close(result_);
    // What was still handled on the new backend meanwhile counts as well.
    const bool leaves = options_.policy == BacklogPolicy::leave;
    if (leaves && (result_.named == 0 || result_.left + result_.twice < result_.named)) {
      trouble("what is named as left was not all there");
    }
    for (const auto& metric : mq_.metrics()) {
      const bool lost = metric.name == "swapmq_settled_total" &&
                        std::any_of(metric.labels.begin(), metric.labels.end(),
                                    [](const auto& label) { return label.second == "lost"; });
      const bool retried = metric.name == "swapmq_publish_retries_total"; // counts messages
      if (lost || retried) result_.may_be_twice += static_cast<std::uint64_t>(metric.value);
    }
    return result_;
  }

 private:
  void trouble(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (result_.trouble.empty()) result_.trouble = what;
  }

  void prepare() {
    const std::vector<Message> bad(poison, Message{.body = "poison"});
    for (const Sent& sent : mq_.publish_many(queue_, bad)) {
      if (!sent) trouble("a poisonous message was not confirmed: " + sent.error().message());
    }
    const std::vector<Message> later(delayed_messages, Message{.body = "later", .delay = 4s});
    for (const Sent& sent : mq_.publish_many(queue_, later)) books_.note(sent);
    const std::vector<Message> now(backlog, Message{.body = "backlog"});
    for (const Sent& sent : mq_.publish_many(queue_, now)) books_.note(sent);
  }

  swapmq::Decision handle(const Delivery& delivery) {
    if (delivery.body() == "poison") return swapmq::reject("poison");
    // Until the cut-over half of the backlog stays, and something is in the handlers' hands.
    while (holding_ && !cut_over_ && books_.handled_count() > backlog / 2) {
      std::this_thread::sleep_for(1ms);
    }
    books_.handled(delivery.id());
    return swapmq::ack();
  }

  void publish_all() {
    auto last = steady_clock::now();
    std::array<Message, batch> messages;
    messages.fill(Message{.body = "work"});
    bool moved = false;
    bool before = false;
    for (std::uint64_t done = 0; done < each_ || !moved;) {
      const bool after = cut_over_;
      const std::uint64_t now = std::min<std::uint64_t>(batch, done < each_ ? each_ - done : 1);
      for (const Sent& sent : mq_.publish_many(queue_, {messages.data(), now})) {
        books_.note(sent);
        if (!sent) trouble("a publish was not confirmed: " + sent.error().message());
      }
      note_gap(duration_cast<milliseconds>(steady_clock::now() - last));
      last = steady_clock::now();
      done += now;
      published_ += now;
      (after ? moved : before) = true;
      // At a rate that both sides sustain, so that the switch falls into the middle.
      if (!after && done >= each_ / 2) std::this_thread::sleep_for(2ms);
    }
    if (moved && before) ++moved_publishers_;
  }
  void note_gap(milliseconds gap) {
    const std::lock_guard lock(mutex_);
    result_.longest_gap = std::max(result_.longest_gap, gap);
  }

  void wait_for_half() {
    if (!eventually([&] { return published_ >= each_ * publishers / 2; })) trouble("too slow");
  }

  void look_before() {
    const std::string dead = queue_ + ".dead";
    if (!eventually([&] { return mq_.size(dead).value() == poison; })) trouble("no dead letters");
    const auto stats = mq_.stats(queue_).value();
    result_.ready = known(stats.ready, stats.ready_precision);
    result_.unacked = known(stats.unacked, stats.unacked_precision);
    result_.delayed = known(stats.delayed, stats.delayed_precision);
    result_.dead = static_cast<std::int64_t>(mq_.size(dead).value());
    for (const auto& [what, size] :
         {std::pair{"ready", result_.ready}, std::pair{"unacked", result_.unacked},
          std::pair{"delayed", result_.delayed}}) {
      if (size == 0) trouble(std::string("nothing was ") + what + " at the cut-over");
    }
  }

  void settle_up(steady_clock::time_point asked) {
    const auto status = mq_.wait_for_switch(patience);
    result_.until_retired = duration_cast<milliseconds>(steady_clock::now() - asked);
    if (status.phase != swapmq::SwitchPhase::retired) {
      trouble("not retired: " + std::string(to_string(status.phase)) + " " +
              status.error.message());
    }
    for (const auto& one : status.backends) {
      if (!one.active) look_at_what_stays(one);
    }
    const std::uint64_t all = published_ + delayed_messages + backlog;
    if (!eventually([&] { return books_.handled_count() >= all; })) trouble("messages are missing");
    result_.moved_publishers = moved_publishers_;
    if (moved_publishers_ != publishers) trouble("not every publisher was there before and after");
  }

  /// Of the backend that was left: what its policy says.
  void look_at_what_stays(const swapmq::BackendStatus& was) {
    result_.moved = was.moved;
    std::map<std::string, std::uint64_t> left = was.left;
    const std::string dead = queue_ + ".dead";
    if (options_.policy == BacklogPolicy::transfer) {
      if (!left.empty()) trouble("something is named as left on " + was.name);
      if (mq_.size(dead).value() != poison) trouble("the dead letters were not moved");
      if (was.moved < poison) trouble("too little was moved");
      return;
    }
    if (was.moved > 0) trouble("something was moved");
    if (left[dead] != poison) trouble("the dead letters on " + was.name + " are not named");
    if (options_.policy == BacklogPolicy::drain && left.size() > 1) trouble("too much is named");
    if (options_.policy == BacklogPolicy::leave) handle_what_was_left(left[queue_]);
  }
  void handle_what_was_left(std::uint64_t named) {
    auto other = MessageQueue::try_open_text(from_config_).value();
    const std::size_t before = books_.handled_count();
    auto consumer = other.consume(queue_, {.prefetch = 256, .concurrency = handlers},
                                  [this](const Delivery& d) { return handle(d); });
    const std::uint64_t all = published_ + delayed_messages + backlog;
    if (!eventually([&] { return books_.handled_count() >= all; }))
      trouble("what was left is gone");
    result_.left = books_.handled_count() - before;
    result_.named = named;
    if (const auto error = consumer->close(10s)) trouble(error.message());
  }

  const std::string queue_, from_config_, to_;
  const swapmq::SwitchOptions options_;
  const std::uint64_t each_;
  MessageQueue mq_;
  Books books_;
  std::atomic<bool> cut_over_{false}, holding_{true};
  std::atomic<std::uint64_t> published_{0}, moved_publishers_{0};
  std::mutex mutex_;
  PairResult result_;
};

} // namespace

PairResult run_pair(const Sections& sections, const std::string& from, const std::string& to,
                    const swapmq::SwitchOptions& options, std::uint64_t messages) {
  return Pair(sections, from, to, options, messages).run();
}

} // namespace switch_test
